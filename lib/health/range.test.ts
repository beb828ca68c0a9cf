// Range and step against what Grafana makes of the same.
import { describe, expect, test } from "vitest";
import { rangeOf } from "./range";

const now = Date.parse("2026-11-25T12:00:07Z");
const ago = (seconds: number, points = 300, scrape = 15) =>
  rangeOf({ from: now - seconds * 1000, to: now, points }, scrape, now);

describe("a range and its step", () => {
  test.each([
    ["15 min", 900, 300, 15, 60],
    ["1 h", 3600, 240, 15, 60],
    ["6 h", 6 * 3600, 300, 60, 75],
    ["24 h", 86_400, 300, 300, 315],
    ["7 d", 7 * 86_400, 300, 1800, 1815],
    ["7 d in a phone's width", 7 * 86_400, 150, 3600, 3615],
  ])("%s", (_name, seconds, points, step, window) => {
    expect(ago(seconds, points)).toMatchObject({ step, window });
  });

  test("start and end are multiples of the step, so that who asks a little later asks the same", () => {
    const one = ago(3600);
    expect([one.start % one.step, one.end % one.step]).toEqual([0, 0]);
    const later = rangeOf({ from: now - 3_600_000 + 5000, to: now + 5000, points: 250 }, 15, now + 5000);
    expect(later).toEqual(one);
  });

  test("a long step ends before now, and says until when was asked", () => {
    const { end, until } = ago(7 * 86_400);
    expect([now / 1000 - end >= 7, end % 1800, until]).toEqual([true, 0, Math.floor(now / 60_000) * 60]);
  });

  test("no step is shorter than Prometheus looks, and a rate has four looks", () => {
    expect(ago(900, 300, 60)).toMatchObject({ step: 60, window: 240 });
  });

  test("never more points than Prometheus answers", () => {
    const { start, end, step } = ago(90 * 86_400, 400);
    expect((end - start) / step).toBeLessThanOrEqual(11_000);
  });

  test("what is not over yet ends now", () => {
    const { end } = rangeOf({ from: now - 3_600_000, to: now + 50_000, points: 240 }, 15, now);
    expect(end).toBeLessThanOrEqual(now / 1000);
  });
});

test.each([
  ["health.rangeBackwards", "to", 0, -3600],
  ["health.rangeBackwards", "to", -3600, -3600],
  ["health.rangeFuture", "from", 10, 3600],
  ["health.rangeFuture", "to", -3600, 3600],
  ["health.rangeShort", "from", -59, 0],
  ["health.rangeLong", "from", -93 * 86_400, 0],
])("%s is refused at %s", (problem, field, from, to) => {
  const ask = () => rangeOf({ from: now + from * 1000, to: now + to * 1000, points: 240 }, 15, now);
  expect(ask).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
  expect(ask).toThrow(expect.objectContaining({ detail: expect.objectContaining({ problem, field }) }));
});
