// When a failure counts, and when a component is well again.
import { expect, test } from "vitest";
import { isSilent } from "./contract";
import { type Judged, judge, unknownSince } from "./judge";
import { Rates } from "./rates";
import { daysOf, spansOf, within } from "./uptime";

const refused = { problem: "http.connectionRefused", params: { address: "http://a" } };
const good = (at: number) => ({ up: true, at, concerns: [] }) as const;
const bad = (at: number) => ({ up: false, at, problem: refused }) as const;

test("one failed look is forgiven, the next one is an outage that began with the first", () => {
  let now: Judged = judge(unknownSince(0), good(10), 1, null);
  expect(now).toMatchObject({ state: "up", since: 10, failing: 0 });
  now = judge(now, bad(20), 1, null, 20);
  expect(now).toMatchObject({ state: "up", since: 10, failing: 1 });
  now = judge(now, bad(22), 1, null, 20);
  expect(now).toMatchObject({ state: "down", since: 20, problem: refused, failing: 2 });
  now = judge(now, bad(40), 1, null, 20);
  expect(now).toMatchObject({ state: "down", since: 20, failing: 3 });
  expect(judge(now, good(50), 1, null)).toMatchObject({ state: "up", since: 50, problem: null, failing: 0 });
});

test("what was never seen well is not said to be up meanwhile", () => {
  expect(judge(unknownSince(0), bad(10), 1, null)).toMatchObject({ state: "unknown", failing: 1 });
  expect(judge(unknownSince(0), bad(10), 0, null)).toMatchObject({ state: "down" });
});

test("it answers, and something is wrong: a look is wanted; its exporter says otherwise: they disagree", () => {
  const lag = { problem: "mariadb.lag", params: { seconds: 90 } };
  expect(judge(unknownSince(0), { up: true, at: 5, concerns: [lag] }, 1, true)).toMatchObject({
    state: "warn",
    problem: lag,
  });
  expect(judge(unknownSince(0), good(5), 1, false)).toMatchObject({
    state: "disagree",
    problem: { problem: "health.exporterSaysDown" },
  });
});

test("it does not answer, and its exporter says that it is up: down at first, since that may be old; then they disagree", () => {
  const minute = 60_000;
  let now: Judged = judge(unknownSince(0), good(10), 0, true);
  now = judge(now, bad(20), 0, true, 20);
  expect(now).toMatchObject({ state: "down", since: 20 });
  now = judge(now, bad(20 + minute), 0, true, 20);
  expect(now).toMatchObject({
    state: "disagree",
    since: 20 + minute,
    problem: { problem: "health.exporterSaysUp" },
    concerns: [refused],
  });
  expect(isSilent(now)).toBe(true);
  // Times go on in order, whoever is right in the end.
  now = judge(now, bad(30 + 2 * minute), 0, false, 20);
  expect(now).toMatchObject({ state: "down", since: 30 + 2 * minute, problem: refused });
  now = judge(now, good(3 * minute), 0, true);
  expect(now).toMatchObject({ state: "up", since: 3 * minute });
  expect(isSilent(judge(now, good(4 * minute), 0, false))).toBe(false);
});

test("uptime counts what was watched only, by days of UTC", () => {
  const day = 86_400_000;
  const hour = day / 24;
  const spans = spansOf(
    [
      { state: "up", since: 0 },
      { state: "down", since: day + 6 * hour },
      { state: "up", since: day + 12 * hour },
      { state: "unknown", since: day + 18 * hour },
      { state: "warn", since: 2 * day + 12 * hour },
    ],
    2 * day + 18 * hour,
  );
  expect(daysOf(spans, 2 * day + 18 * hour, 4)).toEqual([
    { day: "1969-12-31", up: null, downMs: 0, watchedMs: 0 },
    { day: "1970-01-01", up: 1, downMs: 0, watchedMs: day },
    { day: "1970-01-02", up: 1 - 6 / 18, downMs: 6 * hour, watchedMs: 18 * hour },
    { day: "1970-01-03", up: 1, downMs: 0, watchedMs: 6 * hour },
  ]);
  expect(within(spans, day, 2 * day)).toEqual({ watchedMs: 18 * hour, downMs: 6 * hour });
});

test("a rate is what was counted between looks; a restart is not negative; nothing old is told as now", () => {
  const rates = new Rates();
  expect(rates.perSecond("n", "requests", 60_000, 0)).toBeNull();
  rates.add("n", 0, { requests: 1000 });
  expect(rates.perSecond("n", "requests", 60_000, 1000)).toBeNull();
  rates.add("n", 10_000, { requests: 1200 });
  expect(rates.perSecond("n", "requests", 60_000, 10_000)).toBe(20);
  rates.add("n", 20_000, { requests: 50 });
  expect(rates.perSecond("n", "requests", 60_000, 20_000)).toBe(12.5);
  rates.add("n", 100_000, { requests: 850 });
  // The window holds one look only: the last one before it is where it began.
  expect(rates.perSecond("n", "requests", 60_000, 100_000)).toBe(10);
  expect(rates.perSecond("n", "requests", 60_000, 400_000)).toBeNull();
  expect(rates.perSecond("n", "other", 60_000, 100_000)).toBeNull();
});
