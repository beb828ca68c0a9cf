import { expect, test } from "vitest";
import { secondsOf, withoutTexts } from "./snapshots";

test.each([
  ["SELECT * FROM users WHERE email = 'ada@example.org'", "SELECT * FROM users WHERE email = '?'"],
  [`SET PASSWORD = "it's \\"quoted\\""`, "SET PASSWORD = '?'"],
  ["INSERT INTO a VALUES ('it''s', 'b\\'c', 3)", "INSERT INTO a VALUES ('?', '?', 3)"],
  ["SELECT 'cut off in the mid", "SELECT '?'"],
  ["SELECT 'two\nlines' FROM `a`", "SELECT '?' FROM `a`"],
  ["SELECT 1", "SELECT 1"],
])("a statement is told without its texts: %s", (sql, told) => {
  expect(withoutTexts(sql)).toBe(told);
});

test("a TIME is told in seconds", () => {
  expect(secondsOf("00:00:00.250000")).toBeCloseTo(0.25);
  expect(secondsOf("01:02:03")).toBe(3723);
});
