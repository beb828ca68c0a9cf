import { expect, test } from "vitest";
import { secondsOf, withoutValues } from "./snapshots";

test.each([
  [
    "SELECT * FROM users WHERE email = 'ada@example.org' LIMIT 10",
    "SELECT * FROM users WHERE email = ? LIMIT ?",
  ],
  ['SET PASSWORD = "x"', "SET PASSWORD = ?"],
  ["INSERT INTO t1 VALUES ('it''s', 0xCAFE, -3.5e7)", "INSERT INTO t1 VALUES (?, ?, -?)"],
  ["SELECT 'cut off in the mid", "SELECT ?…"],
  ["SELECT 'two\nlines' FROM `it's`", "SELECT ? FROM `it's`"],
  ["/* it's slow */ SELECT 'a' -- don't\n, 'b' # or 'c'", " SELECT ? \n, ? "],
  // By sql_mode the first text ends here, or goes on: what follows may be a secret.
  ["SELECT 'C:\\', 'secret'", "SELECT ?…"],
  ["SELECT 'a\\nb', 1", "SELECT ?, ?"],
  ["SELECT '\\", "SELECT ?…"],
])("a statement is told without its values: %s", (sql, told) => {
  expect(withoutValues(sql)).toBe(told);
});

test("a long one costs no more than its length", () => {
  const begun = performance.now();
  withoutValues(`SELECT '${"x".repeat(1_000_000)}', ${"/*".repeat(100_000)}`);
  expect(performance.now() - begun).toBeLessThan(2000);
});

test("a TIME is told in seconds", () => {
  expect(secondsOf("00:00:00.250000")).toBeCloseTo(0.25);
  expect(secondsOf("01:02:03")).toBe(3723);
});
