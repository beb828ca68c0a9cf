// What is said once above the charts instead of at each.
import { expect, test } from "vitest";
import type { Signal } from "@/lib/health/contract";
import { commonTo } from "./words";

const signal = (state: Signal["state"], problem: string | null = null): Signal => ({
  key: `${state} ${problem}`,
  unit: "count",
  state,
  problem: problem === null ? null : { problem, params: {} },
  promql: "",
  series: [],
  more: 0,
  usual: null,
  explore: null,
});
const away = signal("failed", "http.connectionRefused");
const wrong = signal("failed", "prometheus.parse");
const apart = signal("scrapeFailing");

test("one reason for all is said once; a wrong query stands apart", () => {
  expect(commonTo([away, away])).toBe(away);
  expect(commonTo([wrong, apart, apart])).toBe(apart);
  const nothing = signal("noData");
  expect(commonTo([nothing, nothing])).toBe(nothing);
});

test("otherwise each says its own", () => {
  for (const signals of [
    [],
    [wrong],
    [away, signal("ok")],
    [apart, signal("noData")],
    [signal("zero"), signal("zero")],
  ])
    expect(commonTo(signals)).toBeNull();
});
