// When a node counts as worse than before: only for what was good before.
import { expect, test } from "vitest";
import { type Window, worseThan } from "./signals";

const good: Window = {
  seconds: 10,
  pages: { asked: 20, failed: 0 },
  counters: { requests: 1000, hits: 900, misses: 100, vclFail: 0, fetchFailed: 0 },
};
const now = (part: Partial<Window["pages"]> & Partial<NonNullable<Window["counters"]>>): Window => ({
  ...good,
  pages: { asked: part.asked ?? 20, failed: part.failed ?? 0 },
  counters: good.counters === null ? null : { ...good.counters, ...part },
});

test.each([
  ["as before", good, now({}), null],
  ["one page failed, by chance", good, now({ failed: 1 }), null],
  ["two pages failed", good, now({ failed: 2, asked: 4 }), "pages"],
  ["pages that failed before too", { ...good, pages: { asked: 20, failed: 20 } }, now({ failed: 20 }), null],
  ["the VCL fails", good, now({ vclFail: 1 }), "vclFail"],
  ["the VCL failed before too", now({ vclFail: 3 }), now({ vclFail: 3 }), null],
  ["fetches fail", good, now({ fetchFailed: 60 }), "fetches"],
  ["few fetches fail", good, now({ fetchFailed: 4 }), null],
  ["it hits no more", good, now({ hits: 100, misses: 900 }), "hitRatio"],
  ["too few requests to tell", good, now({ requests: 10, hits: 0, misses: 10 }), null],
  ["nothing counts", { ...good, counters: null }, { ...good, counters: null }, null],
] as const)("%s", (_, before, after, worse) => {
  expect(worseThan(before, after)).toBe(worse);
});
