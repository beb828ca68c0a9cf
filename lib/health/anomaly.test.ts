// The seasonal method on made weeks: how soon it sees what, and that it is quiet otherwise.
import { describe, expect, test } from "vitest";
import { baselineOf, type Sample, slotS, unusualOf } from "./anomaly";

const dayS = 86_400;
const minuteS = 60;
const days = 16;

/** mulberry32: the same numbers each time. */
function random(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Requests per second, minute by minute: a day's and a week's course, and noise. */
function traffic(
  seed: number,
  change: (at: number, value: number) => number = (_at, value) => value,
  weekendShare = 0.8,
): Sample[] {
  const next = random(seed);
  const noise = () => (next() + next() + next() + next() - 2) * 0.12;
  return Array.from({ length: days * 1440 }, (_, minute) => {
    const at = minute * minuteS;
    const hour = (at % dayS) / 3600;
    const weekend = Math.floor(at / dayS) % 7 >= 5 ? weekendShare : 1;
    const value = 60 * weekend * (1 + 0.6 * Math.sin(((hour - 9) / 24) * 2 * Math.PI)) * (1 + noise());
    return { at, value: change(at, Math.max(0, value)) };
  });
}

/** The mean of the five minutes that end at each minute. */
function means(values: readonly Sample[]): Sample[] {
  return values.slice(4).map(({ at }, index) => ({
    at,
    value: values.slice(index, index + 5).reduce((sum, { value }) => sum + (value ?? 0), 0) / 5,
  }));
}
const slots = (samples: readonly Sample[]) => samples.filter(({ at }) => at % slotS === 0);

/** Minutes from `onset` until it is told. */
function toldAfter(onset: number, change: (value: number) => number, seed: number): number | null {
  const samples = means(traffic(seed, (at, value) => (at >= onset ? change(value) : value)));
  const usualAt = baselineOf(slots(samples));
  const after = samples.filter(({ at }) => at >= onset - 1800);
  for (let count = 1; count <= after.length && count <= 180; count++) {
    const last = after[count - 1];
    if (unusualOf(after.slice(0, count), usualAt, true).length > 0)
      return ((last?.at ?? 0) - onset) / minuteS + 1;
  }
  return null;
}

const seeds = [1, 2, 3];
const onsets = [10, 11, 12].flatMap((day) => [9, 14, 20].map((hour) => day * dayS + hour * 3600));
const all = (change: (value: number) => number) =>
  seeds.flatMap((seed) => onsets.map((onset) => toldAfter(onset, change, seed) ?? 999));
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

// Measured when this was written: 5; 6 to 10, in the middle 7; 7 to 10, in the middle 9.
describe("how soon, in minutes", () => {
  test("nothing any more", () => {
    expect(Math.max(...all(() => 0))).toBeLessThanOrEqual(6);
  });
  test("twice as much", () => {
    const times = all((value) => value * 2);
    expect(median(times)).toBeLessThanOrEqual(8);
    expect(Math.max(...times)).toBeLessThanOrEqual(12);
  });
  test("half of it", () => {
    expect(Math.max(...all((value) => value / 2))).toBeLessThanOrEqual(17);
  });
  test("a minute's peak is not told", () => {
    const onset = 11 * dayS + 9 * 3600;
    const samples = means(traffic(1, (at, value) => (at === onset ? value * 2 : value)));
    const near = samples.filter(({ at }) => Math.abs(at - onset) < 3600);
    expect(unusualOf(near, baselineOf(slots(samples)), true)).toEqual([]);
  });
});

test("few, none and few again is one course of things", () => {
  const usualAt = () => ({ low: 5, high: 15, flows: true });
  const told = (values: number[]) =>
    unusualOf(
      values.map((value, minute) => ({ at: minute * 60, value })),
      usualAt,
      true,
    );
  expect(told([10, 3, 3, 3, 3, 3, 3, 0, 2, 10, 20, 20])).toEqual([{ from: 60, to: 480, direction: "below" }]);
  // The mean falls for some minutes before it is nothing.
  expect(told([10, 3, 2, 0, 0, 10])).toEqual([{ from: 60, to: 240, direction: "none" }]);
});

test.each([
  ["weekends of four fifths", 0.8],
  ["weekends of half", 0.5],
])("eight clean days, %s: nothing is told", (_name, weekend) => {
  for (const seed of seeds) {
    const samples = means(traffic(seed, undefined, weekend));
    const usualAt = baselineOf(slots(samples));
    const clean = samples.filter(({ at }) => at >= 8 * dayS);
    expect([seed, unusualOf(clean, usualAt, true)]).toEqual([seed, []]);
  }
});

describe("the baseline", () => {
  const flat = (from: number, to: number, tell: (at: number) => number | null): Sample[] =>
    Array.from({ length: (to - from) / slotS }, (_, index) => {
      const at = from + index * slotS;
      return { at, value: tell(at) };
    });

  test("is learning until there are seven days before, and then says median and bounds", () => {
    const usualAt = baselineOf(flat(0, 9 * dayS, () => 100));
    expect(usualAt(7 * dayS - slotS)).toBeNull();
    // No difference in the past: a twentieth of the median is its scale.
    expect(usualAt(7 * dayS)).toEqual({ low: 82.5, high: 117.5, flows: true });
    expect(usualAt(7 * dayS + 299)).toEqual(usualAt(7 * dayS));
  });

  test("bears gaps, but not half of it", () => {
    const at = 8 * dayS;
    const without = (days: number) =>
      baselineOf(flat(0, at, (one) => (one >= (8 - days) * dayS - 3600 ? null : 100)))(at);
    expect(without(2)).not.toBeNull();
    expect(without(4)).toBeNull();
  });

  test("a day a week ago of which nothing is known says nothing; one on which nothing was makes silence usual", () => {
    const week = (value: number | null) =>
      baselineOf(flat(0, 9 * dayS, (at) => (Math.abs(at - dayS) <= 3600 ? value : 100)))(8 * dayS);
    expect(week(null)).toEqual({ low: 82.5, high: 117.5, flows: true });
    expect(week(0)).toEqual({ low: 0, high: 117.5, flows: false });
  });

  test("of nothing measures nothing", () => {
    const usualAt = baselineOf(flat(0, 9 * dayS, () => 0));
    const now = 8 * dayS;
    const samples = [0, 300, 600].map((after) => ({ at: now + after, value: 50 }));
    expect(unusualOf(samples, usualAt, true)).toEqual([]);
  });

  test("a past that differs so much that zero lies within: silence is told all the same", () => {
    const next = random(7);
    const usualAt = baselineOf(flat(0, 9 * dayS, () => 5 + next() * 100));
    const now = 8 * dayS;
    expect(usualAt(now)?.low).toBe(0);
    const silent = [{ at: now, value: 0 }];
    expect(unusualOf(silent, usualAt, true)).toEqual([{ from: now, to: now, direction: "none" }]);
    expect(unusualOf(silent, usualAt, false)).toEqual([]);
  });
});
