// VCL cut into its words: nothing lost, nothing twice, and an end whatever the text.
import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { indexOf, placeOf, type Token, tokensOf } from "./tokens";

const said = (text: string) => tokensOf(text).map(({ type, text: token }) => [type, token]);

/** Any text, but rich in what begins or ends a token. */
const vclLike = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...'{" | "} | """ | " | /* | */ | // | # | C{ | }C | { | } | ( | ) | ; | . | == | !~ | += | \n | \r\n | \t'.split(
          " | ",
        ),
      ),
      fc.constantFrom("sub", "vcl_recv", "req.http.X-Foo", "1.5s", "10MB", "0", "127.0.0.1", " "),
      fc.string({ unit: "binary", maxLength: 5 }),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(""));

test("tokens cover any text, in order and without overlap; between them stands only white space", () => {
  fc.assert(
    fc.property(vclLike, (text) => {
      let at = 0;
      for (const token of tokensOf(text)) {
        expect(text.slice(at, token.at)).toMatch(/^\s*$/);
        expect(token.text.length).toBeGreaterThan(0);
        expect(text.startsWith(token.text, token.at)).toBe(true);
        at = token.at + token.text.length;
      }
      expect(text.slice(at)).toMatch(/^\s*$/);
    }),
    { numRuns: 500 },
  );
});

test("what is written is read back: any kinds of tokens in any order", () => {
  const one: fc.Arbitrary<Pick<Token, "type" | "text">> = fc.oneof(
    fc.constantFrom("sub", "vcl_recv", "req.http.X-Foo", "a", "std.log", "vcl").map((text) => ({
      type: "word" as const,
      text,
    })),
    fc
      .tuple(
        fc.constantFrom(['"', '"'], ['{"', '"}'], ['"""', '"""']),
        fc.string({ unit: fc.constantFrom("a", "é", "{", "}", "#", "/", "*", "\\", "€", " ") }),
      )
      .map(([[open, end], inner]) => ({ type: "string" as const, text: `${open}${inner}${end}` })),
    fc
      .constantFrom("0s", "120s", "1.5h", "10MB", "404", "0.5", "2w", "10ms", "1y")
      .map((text) => ({ type: "number" as const, text })),
    fc
      .constantFrom("{", "}", "(", ")", ";", ".", "==", "!=", "!~", "~", "&&", "||", "+=", "+", "-", "<=")
      .map((text) => ({ type: "mark" as const, text })),
    fc
      .constantFrom('# a comment with "\n', '// {"\n', "/* two\nlines */")
      .map((text) => ({ type: "comment" as const, text: text.trimEnd() })),
    fc.constant({ type: "inlineC" as const, text: 'C{ printf("}"); }C' }),
  );
  fc.assert(
    fc.property(fc.array(one, { maxLength: 30 }), fc.constantFrom("\n", "\r\n", "\n\t "), (tokens, space) => {
      const expected = tokens.map(({ type, text }) => [
        type,
        // A comment goes to the line feed.
        type === "comment" && !text.startsWith("/*") && space === "\r\n" ? `${text}\r` : text,
      ]);
      expect(said(tokens.map(({ text }) => text + space).join(""))).toEqual(expected);
    }),
  );
});

test("strings hold what looks like comments, and comments what looks like strings", () => {
  expect(said('set x = "# not"; # "is"')).toEqual([
    ["word", "set"],
    ["word", "x"],
    ["mark", "="],
    ["string", '"# not"'],
    ["mark", ";"],
    ["comment", '# "is"'],
  ]);
  expect(said('{"a "quoted" //\n"}"""b "c" """')).toEqual([
    ["string", '{"a "quoted" //\n"}'],
    ["string", '"""b "c" """'],
  ]);
  expect(tokensOf('"a" {"b"} """c"""').map(({ value }) => value)).toEqual(["a", "b", "c"]);
  // Backslashes mean nothing to VCL.
  expect(said('"\\" ;')).toEqual([
    ["string", '"\\"'],
    ["mark", ";"],
  ]);
});

test("words, numbers and marks as the compiler cuts them", () => {
  expect(said("req.http.X-A!~b")).toEqual([
    ["word", "req.http.X-A"],
    ["mark", "!~"],
    ["word", "b"],
  ]);
  expect(said(".timeout=1.5s;")).toEqual([
    ["mark", "."],
    ["word", "timeout"],
    ["mark", "="],
    ["number", "1.5s"],
    ["mark", ";"],
  ]);
  // What is left open goes to the end, an ordinary string to the end of its line.
  expect(said('/* open ";')).toEqual([["comment", '/* open ";']]);
  expect(said('"open\nsub')).toEqual([
    ["string", '"open'],
    ["word", "sub"],
  ]);
});

test("the recommended VCL: a megabyte of it is cut within a second or two", () => {
  const text = readFileSync("lab/images/varnish/default.vcl", "utf8");
  expect(tokensOf(text).some(({ type }) => type === "inlineC")).toBe(false);
  const begun = performance.now();
  expect(tokensOf(text.repeat(Math.ceil(1_000_000 / text.length))).length).toBeGreaterThan(50_000);
  expect(tokensOf('{"'.repeat(500_000)).length).toBe(1);
  expect(tokensOf("/*/".repeat(300_000)).length).toBeGreaterThan(0);
  expect(performance.now() - begun).toBeLessThan(5000);
});

test("a place and an index are each other's inverse", () => {
  fc.assert(
    fc.property(vclLike, fc.nat(200), (text, wanted) => {
      const at = Math.min(wanted, text.length);
      const { line, column } = placeOf(text, at);
      expect(indexOf(text, line, column)).toBe(at);
    }),
  );
  expect(placeOf("a\nbc", 3)).toEqual({ line: 2, column: 2 });
  expect(indexOf("a\nbc\nd", 2, 99)).toBe(4);
  expect(indexOf("a\nbc", 9, 1)).toBe(4);
});
