// The range in the address, and the ways from one to the next.
import { expect, test } from "vitest";
import {
  fromInput,
  isUnreadable,
  localInput,
  moved,
  scaled,
  selected,
  shownOf,
  spanOf,
  withShown,
} from "./shown-range";

const now = Date.parse("2026-11-25T12:00:00Z");
const hour = 3_600_000;
const last = { from: now - hour, to: now };

test("the address says it, and says it again", () => {
  const custom = { from: now - 2 * hour, to: now - hour };
  for (const shown of ["15m", "7d", custom] as const)
    expect(shownOf(new URLSearchParams(withShown(new URLSearchParams(), shown)))).toEqual(shown);
  expect(withShown(new URLSearchParams("range=7d&tab=x"), "1h")).toBe("tab=x");
  expect(withShown(new URLSearchParams("from=a&to=b"), "24h")).toBe("range=24h");
});

test.each(["", "range=2y", "from=yesterday&to=now", "from=2026-11-25"])("%s is the last hour", (text) => {
  expect(shownOf(new URLSearchParams(text))).toBe("1h");
});

test("a range that makes no sense stays, to be refused by name", () => {
  const text = "from=2026-11-25T12:00:00Z&to=2026-11-25T11:00:00Z";
  expect(shownOf(new URLSearchParams(text))).toEqual({ from: now, to: now - hour });
});

test("closer, wider, earlier, later: never into the future", () => {
  expect(spanOf("1h", now)).toEqual(last);
  expect(scaled(last, 0.5, now)).toEqual({ from: now - 0.75 * hour, to: now - 0.25 * hour });
  expect(scaled(last, 2, now)).toEqual({ from: now - 2 * hour, to: now });
  expect(moved(last, -0.5, now)).toEqual({ from: now - 1.5 * hour, to: now - 0.5 * hour });
  expect(moved(last, 0.5, now)).toEqual(last);
  const minute = { from: now - 60_000, to: now };
  expect(scaled(minute, 0.5, now)).toEqual({ from: now - 60_000, to: now });
});

test("a selection in either direction; a click is none", () => {
  const [a, b] = [now - 600_000, now - 1_200_000];
  expect(selected(a, b, 15_000, now)).toEqual({ from: b, to: a });
  expect(selected(a, a + 10_000, 15_000, now)).toBeNull();
  expect(selected(a, a + 20_000, 15_000, now)).toEqual({ from: a, to: a + 60_000 });
});

test("the reader's own zone", () => {
  expect(fromInput(localInput(now))).toBe(now);
  expect(fromInput("")).toBeNull();
});

test.each([
  ["", false],
  ["range=6h", false],
  ["from=2026-11-25T10:00:00Z&to=2026-11-25T11:00:00Z", false],
  ["range=6y", true],
  ["from=yesterday&to=2026-11-25T11:00:00Z", true],
  ["from=2026-11-25T10:00:00Z", true],
])("a range that cannot be read is told: %s", (query, unreadable) => {
  expect(isUnreadable(new URLSearchParams(query))).toBe(unreadable);
});
