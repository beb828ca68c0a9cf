// A line on its grid, and the one word for what it says.
import { describe, expect, test } from "vitest";
import { type Line, leadOf, lineOf, stateOf } from "./signals";

const range = { start: 600, end: 900, until: 900, step: 60, window: 120 };
const lead = leadOf(range);
const series = (from: number, to: number, value: (at: number) => number | null = () => 1) => ({
  labels: { backend: "b" },
  samples: Array.from({ length: (to - from) / 60 + 1 }, (_, index) => ({
    at: from + index * 60,
    value: value(from + index * 60),
  })),
});

describe("a line", () => {
  test("that was there before has a value at every step", () => {
    const line = lineOf(series(600 - lead, 900), range, undefined, true);
    expect(line).toEqual({ name: null, points: [1, 1, 1, 1, 1, 1], warming: false, undefined: false });
  });

  test("that begins: no rate until its window is full; what is no rate is taken at once", () => {
    const begins = series(720, 900);
    expect(lineOf(begins, range, undefined, true).points).toEqual([null, null, null, null, 1, 1]);
    expect(lineOf(begins, range, undefined, false).points).toEqual([null, null, 1, 1, 1, 1]);
    expect(lineOf(series(840, 900), range, undefined, true)).toMatchObject({
      points: [null, null, null, null, null, null],
      warming: true,
    });
  });

  test("that begins in the lead is seen to", () => {
    expect(lineOf(series(540, 900), range, undefined, true).points).toEqual([null, 1, 1, 1, 1, 1]);
  });

  test("a share of nothing is a gap of its own, and no new beginning", () => {
    const line = lineOf(
      series(600 - lead, 900, (at) => (at === 780 || at === 900 ? null : 0.5)),
      range,
      "backend",
      true,
    );
    expect(line).toEqual({
      name: "b",
      points: [0.5, 0.5, 0.5, null, 0.5, null],
      warming: false,
      undefined: true,
    });
  });
});

describe("the word", () => {
  const line = (last: number | null, more: Partial<Line> = {}): Line => ({
    name: null,
    points: [1, last],
    warming: false,
    undefined: false,
    ...more,
  });
  const well = { scraped: true, up: true };
  const calm = { unusual: false, learning: false };
  test.each([
    ["ok", [line(3)], well, calm],
    ["ok", [line(0), line(3)], { scraped: null, up: null }, calm],
    ["learning", [line(3)], well, { unusual: false, learning: true }],
    ["zero", [line(0)], well, { unusual: false, learning: true }],
    ["unusual", [line(0)], well, { unusual: true, learning: false }],
    ["idle", [line(null, { undefined: true })], well, calm],
    ["warmingUp", [line(null, { warming: true })], well, calm],
    ["noData", [line(null)], well, calm],
    ["noData", [], well, calm],
    ["unreached", [line(null)], { scraped: true, up: false }, calm],
    ["scrapeFailing", [line(3)], { scraped: false, up: null }, calm],
  ] as const)("%s", (word, lines, way, usual) => {
    expect(stateOf(lines, way, usual)).toBe(word);
  });
});
