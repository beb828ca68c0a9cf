// The words of VCL, as its compiler cuts them: for warnings, includes and tests, never to decide whether a VCL is right.

export type TokenType = "word" | "string" | "number" | "mark" | "comment" | "inlineC";
/** `at`: where it begins, as an index into the text. `value`: what a string holds, else the text itself. */
export type Token = {
  readonly type: TokenType;
  readonly text: string;
  readonly value: string;
  readonly at: number;
};

const patterns: readonly [TokenType, RegExp][] = [
  ["comment", /#[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/y],
  ["inlineC", /C\{[\s\S]*?(?:\}C|$)/y],
  // Long strings first: {" … "} and """ … """ hold quotes and newlines.
  ["string", /\{"[\s\S]*?(?:"\}|$)|"""[\s\S]*?(?:"""|$)|"[^"\n]*"?/y],
  ["number", /\d+(?:\.\d+)?(?:ms|[smhdwy]|[KMGT]?B)?(?![A-Za-z0-9_])/y],
  ["word", /[A-Za-z](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?/y],
  ["mark", /\+=|-=|\*=|\/=|&&|\|\||[!=<>]=|!~|\+\+|--|<<|>>|[^\s]/y],
];

const bare = (type: TokenType, text: string): string => {
  if (type !== "string") return text;
  if (text.startsWith('"""')) return text.slice(3).replace(/"""$/, "");
  if (text.startsWith('{"')) return text.slice(2).replace(/"\}$/, "");
  return text.slice(1).replace(/"$/, "");
};

/** All tokens, comments too, in order. Whatever the text holds, it ends: what it does not know is a mark of one character. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const space = /\s+/y;
  for (let at = 0; at < text.length; ) {
    space.lastIndex = at;
    const blank = space.exec(text);
    if (blank) {
      at += blank[0].length;
      continue;
    }
    for (const [type, pattern] of patterns) {
      pattern.lastIndex = at;
      const found = pattern.exec(text);
      if (!found) continue;
      tokens.push({ type, text: found[0], value: bare(type, found[0]), at });
      at += found[0].length;
      break;
    }
  }
  return tokens;
}

/** Line and column of an index, both from 1. */
export function placeOf(text: string, at: number): { line: number; column: number } {
  const before = text.slice(0, at);
  const line = before.split("\n").length;
  return { line, column: at - before.lastIndexOf("\n") };
}

/** The index of a line and column, both from 1; the line's end where it is shorter, the text's where it has no such line. */
export function indexOf(text: string, line: number, column: number): number {
  let at = 0;
  for (let left = line - 1; left > 0; left -= 1) {
    const end = text.indexOf("\n", at);
    if (end < 0) return text.length;
    at = end + 1;
  }
  const end = text.indexOf("\n", at);
  return Math.min(end < 0 ? text.length : end, at + column - 1);
}
