// Changes as marks: each by itself, purges together.
import { expect, test } from "vitest";
import { marksOf } from "./marks";

const from = Date.parse("2026-11-25T10:00:00Z");
const range = {
  places: { names: ["varnish-1"], containers: ["local/shop-varnish-1"] },
  from,
  to: from + 3_600_000,
};
const row = (id: number, kind: string, minutes: number, targets: string[] = [], state = "done") => ({
  id,
  kind,
  title: `change ${id}`,
  state,
  createdAt: new Date(from + minutes * 60_000),
  targets: targets.map((target) => ({ target })),
});

test("others one by one, with what they were done to; purges by two minutes of an hour, the last one's link", () => {
  const marks = marksOf(
    [
      row(5, "purge", 30.5, [], "failed"),
      row(4, "purge.gateway", 30.1),
      row(3, "service.restart", 20, ["container:local/shop-varnish-1"], "failed"),
      row(2, "service.stop", 10, ["container:local/shop-php-1"]),
      row(1, "purge", 1),
    ],
    range,
  );
  expect(marks.map(({ id, count, own, failed }) => ({ id, count, own, failed }))).toEqual([
    { id: 1, count: 1, own: false, failed: false },
    { id: 2, count: 1, own: false, failed: false },
    { id: 3, count: 1, own: true, failed: true },
    { id: 5, count: 2, own: false, failed: true },
  ]);
});

test("ten thousand purges are thirty marks at most, and lose none", () => {
  const rows = Array.from({ length: 10_000 }, (_, index) => row(index + 1, "purge", (index / 10_000) * 60));
  const marks = marksOf(rows, range);
  expect(marks.length).toBeLessThanOrEqual(30);
  expect(marks.reduce((sum, { count }) => sum + count, 0)).toBe(10_000);
});
