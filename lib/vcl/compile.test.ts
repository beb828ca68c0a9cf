// Where a compiler's words point to: as varnishd 7.1 says them, in files that were made one.
import { describe, expect, test } from "vitest";
import { columnOf, problemOf } from "./compile";
import { flatten } from "./flatten";

const says = (what: string, place: string) =>
  `Message from VCC-compiler:\n${what}\n${place}\nset x;\n--#--\n\nRunning VCC-compiler failed, exited with 2\nVCL compilation failed`;
const files = [
  { name: "main.vcl", text: 'vcl 4.1;\ninclude "sub.vcl";\nsub vcl_recv {\n\tset req.http.é = wrong;\n}\n' },
  { name: "sub.vcl", text: "backend a none;\nsub one {\n  nope;\n}\n" },
];
const flat = flatten(files);
const line = (text: string) => flat.text.split("\n").findIndex((one) => one.includes(text)) + 1;

test.each([
  ["abc", 3, 3],
  ["\tx", 9, 2],
  ["ab\tx", 9, 4],
  ["é = x", 6, 5],
  ["😀x", 5, 3],
  ["", 1, 1],
  ["ab", 9, 3],
])("column of %j at %i is %i", (text, position, column) => {
  expect(columnOf(text, position)).toBe(column);
});

describe("a problem", () => {
  test("in an include is of the include's own line", () => {
    const at = `('<vcl.inline>' Line ${line("nope")} Pos 3) -- (Pos 6)`;
    expect(problemOf(says("Symbol not found: 'nope'", `At: ${at}`), flat, "n1")).toEqual({
      severity: "error",
      nodes: ["n1"],
      file: "sub.vcl",
      line: 3,
      column: 3,
      endLine: 3,
      endColumn: 7,
      says: "Symbol not found: 'nope'",
      warning: null,
    });
  });

  test("behind a tab and a letter of two bytes", () => {
    // The tab reaches to 8, "set req.http." is 13 more, é two bytes, " = " three.
    const at = `('<vcl.inline>' Line ${line("wrong")} Pos 27) -- (Pos 31)`;
    expect(problemOf(says("Symbol not found: 'wrong'", `At: ${at}`), flat, "n1")).toMatchObject({
      file: "main.vcl",
      line: 4,
      column: 19,
      endColumn: 24,
    });
  });

  test("with the words that stand before its place, and nothing after", () => {
    const at = `('<vcl.inline>' Line ${line("nope")} Pos 3)`;
    expect(problemOf(says("Expected ';' got 'set'\n(program line 186), at", at), flat, "n1").says).toBe(
      "Expected ';' got 'set'",
    );
  });

  test("of the built-in VCL was left open at the end", () => {
    const seen = problemOf(says("Symbol cannot be used here.", "('<builtin>' Line 33 Pos 5)"), flat, "n1");
    expect(seen).toMatchObject({ file: "main.vcl", line: 5, says: "Symbol cannot be used here." });
  });

  test("without a place stands at the end", () => {
    const seen = problemOf('VCL "x" Failed initialization\nMessage:\n\tno', flat, "n1");
    expect(seen).toMatchObject({
      file: "main.vcl",
      line: 5,
      says: expect.stringContaining("Failed initialization"),
    });
  });
});
