import { expect, test } from "vitest";
import { snapshot } from "./snapshot";

test("a table is cut to what somebody reads, and tells no secret", () => {
  const rows = Array.from({ length: 40 }, (_, at) => [at, `mysql -phunter2 ${"x".repeat(400)}\n line`, null]);
  const told = snapshot("processes", ["seconds", "statement", "database"], rows);
  expect(told).toMatchObject({ kind: "processes", columns: ["seconds", "statement", "database"], more: 15 });
  expect(told.rows).toHaveLength(25);
  expect(told.rows[0]?.[1]).toMatch(/^mysql -p••• x+…$/);
  expect(String(told.rows[0]?.[1])).toHaveLength(301);
  expect(told.rows[24]).toEqual([24, expect.any(String), null]);
});
