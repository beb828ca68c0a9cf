// What stands in a VCL's subs, and under which conditions.
import { expect, test } from "vitest";
import { guardsOf, outlineOf } from "./statements";
import { type Token, tokensOf } from "./tokens";

const words = (tokens: readonly Token[]) => tokens.map(({ text }) => text).join(" ");
const seen = (text: string) =>
  outlineOf(tokensOf(text).filter(({ type }) => type !== "comment")).statements.map((statement) => [
    statement.sub,
    words(statement.tokens),
    guardsOf(statement).map(({ tokens, holds }) => (holds ? words(tokens) : `not ${words(tokens)}`)),
  ]);

test("each statement with the conditions around it, the innermost first", () => {
  const text = `
    sub a { set x = 1; if (b) { if (c && (d)) { return (e); } call f; } g(); }
    sub a { h(); }`;
  expect(seen(text)).toEqual([
    ["a", "set x = 1", []],
    ["a", "if ( b", []],
    ["a", "if ( c && ( d )", ["b"]],
    ["a", "return ( e )", ["c && ( d )", "b"]],
    ["a", "call f", ["b"]],
    ["a", "g ( )", []],
    ["a", "h ( )", []],
  ]);
});

test.each(["else if", "elseif", "elsif", "elif"])(
  "a chain with %s: a branch is what the others are not",
  (word) => {
    expect(seen(`sub a { if (b) { c(); } ${word} (d) { e(); } else { f(); } g(); }`)).toEqual([
      ["a", "if ( b", []],
      ["a", "c ( )", ["b"]],
      ["a", `${word === "else if" ? "if" : word} ( d`, ["not b"]],
      ["a", "e ( )", ["d", "not b"]],
      ["a", "f ( )", ["not d", "not b"]],
      ["a", "g ( )", []],
    ]);
  },
);

test("statements of one block have it in common, and no others", () => {
  const { statements } = outlineOf(tokensOf("sub a { b(); { c(); } if (d) { e(); f(); } g(); }"));
  const block = (name: string) => statements.find(({ tokens }) => tokens[0]?.text === name)?.block;
  expect(block("b")).toBe(block("g"));
  expect(block("e")).toBe(block("f"));
  expect(new Set(["b", "c", "e"].map(block)).size).toBe(3);
});

test("declarations, with what is between their braces", () => {
  const { declarations } = outlineOf(
    tokensOf('acl p { "10.0.0.0"/8; } backend a { .probe = { .url = "/"; } .port = "1"; } sub b { c(); }'),
  );
  expect(declarations.map(({ kind, name, tokens }) => [kind, name.text, words(tokens)])).toEqual([
    ["acl", "p", '"10.0.0.0" / 8 ;'],
    ["backend", "a", '. probe = { . url = "/" ; } . port = "1" ;'],
  ]);
});
