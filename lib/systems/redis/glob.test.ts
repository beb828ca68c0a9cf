// A text in a pattern matches itself and nothing else.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fillKey, globEscape, isPattern } from "./glob";

/** Redis' stringmatchlen, as far as it matters: * ? [abc] [^a] [a-z] and backslash. */
function matches(pattern: string, text: string): boolean {
  if (pattern === "") return text === "";
  const [first, rest] = [pattern[0], pattern.slice(1)];
  if (first === "*") return matches(rest, text) || (text !== "" && matches(pattern, text.slice(1)));
  if (text === "") return false;
  if (first === "?") return matches(rest, text.slice(1));
  if (first === "\\" && pattern.length > 1)
    return pattern[1] === text[0] && matches(pattern.slice(2), text.slice(1));
  if (first === "[") {
    const end = pattern.indexOf("]", 1);
    const set = end < 0 ? pattern.slice(1) : pattern.slice(1, end);
    const inside = set.startsWith("^") ? !set.slice(1).includes(text[0] ?? "") : set.includes(text[0] ?? "");
    return inside && matches(end < 0 ? "" : pattern.slice(end + 1), text.slice(1));
  }
  return first === text[0] && matches(rest, text.slice(1));
}

test("an escaped text matches only itself", () => {
  const glyphs = fc.string({ unit: fc.constantFrom(..."ab*?[]^-\\/é"), maxLength: 8 });
  fc.assert(
    fc.property(glyphs, glyphs, (text, other) => {
      expect(matches(globEscape(text), text)).toBe(true);
      expect(matches(globEscape(text), other)).toBe(text === other);
    }),
  );
});

test("a template is filled as a key or as a pattern", () => {
  expect(fillKey("page:{path}", { path: "/a*b" })).toEqual({ key: "page:/a*b", pattern: false });
  expect(fillKey("page:{path}:*", { path: "/a*[b]" })).toEqual({ key: "page:/a\\*\\[b\\]:*", pattern: true });
  expect(fillKey("api:{path|encoded}", { path: "/fr/é" })).toEqual({
    key: "api:%2Ffr%2F%C3%A9",
    pattern: false,
  });
  expect(fillKey("x:{unknown}", {})).toEqual({ key: "x:{unknown}", pattern: false });
  expect(isPattern("a\\*b")).toBe(false);
  expect(isPattern("a\\\\*b")).toBe(true);
});
