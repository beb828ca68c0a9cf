// Traefik's rules (v3): a Go expression of matchers, `!` before `&&` before `||`, as a tree.

/** What a rule says: a matcher with its values, or two trees joined. A negation stands at the matchers (De Morgan). */
export type Tree =
  | { readonly matcher: "and" | "or"; readonly left: Tree; readonly right: Tree }
  | { readonly matcher: string; readonly not: boolean; readonly value: readonly string[] };

/** A rule that Traefik would refuse. `at`: where in it, in UTF-16 units. */
export class RuleError extends Error {
  constructor(
    message: string,
    readonly at: number,
  ) {
    super(message);
  }
}

type Token = { readonly kind: string; readonly text: string; readonly at: number };

/** What follows a backslash in a string of Go. */
export const escapes: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  '"': '"',
};

/** A string between double quotes as Go reads it. `at`: of the first quote. */
function quoted(rule: string, at: number): { text: string; end: number } {
  let text = "";
  let here = at + 1;
  for (;;) {
    const char = rule[here];
    if (char === undefined || char === "\n") throw new RuleError("a string has no end", at);
    here += 1;
    if (char === '"') return { text, end: here };
    if (char !== "\\") {
      text += char;
      continue;
    }
    const rest = rule.slice(here);
    const coded = /^(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3}))/.exec(rest);
    const plain = escapes[rule[here] ?? ""];
    if (coded !== null) {
      const code = Number.parseInt(coded[1] ?? coded[2] ?? coded[3] ?? coded[4] ?? "", coded[4] ? 8 : 16);
      if (code > 0x10ffff) throw new RuleError("there is no such character", here - 1);
      text += String.fromCodePoint(code);
      here += coded[0].length;
    } else if (plain !== undefined) {
      text += plain;
      here += 1;
    } else throw new RuleError("there is no such escape", here - 1);
  }
}

/** Go's tokens; a line that ends after a name, a string or a parenthesis ends the expression (";"). */
function tokensOf(rule: string): Token[] {
  const tokens: Token[] = [];
  const ends = () => ["name", "string", ")"].includes(tokens.at(-1)?.kind ?? "");
  let at = 0;
  while (at < rule.length) {
    const char = rule[at] ?? "";
    const two = rule.slice(at, at + 2);
    if (char === "\n") {
      if (ends()) tokens.push({ kind: ";", text: "\n", at });
      at += 1;
    } else if (/[ \t\r]/.test(char)) at += 1;
    else if (two === "//") {
      const end = rule.indexOf("\n", at);
      at = end < 0 ? rule.length : end;
    } else if (two === "/*") {
      const end = rule.indexOf("*/", at + 2);
      if (end < 0) throw new RuleError("a comment has no end", at);
      if (rule.slice(at, end).includes("\n") && ends()) tokens.push({ kind: ";", text: "\n", at });
      at = end + 2;
    } else if (char === "`") {
      const end = rule.indexOf("`", at + 1);
      if (end < 0) throw new RuleError("a string has no end", at);
      tokens.push({ kind: "string", text: rule.slice(at + 1, end).replaceAll("\r", ""), at });
      at = end + 1;
    } else if (char === '"') {
      const { text, end } = quoted(rule, at);
      tokens.push({ kind: "string", text, at });
      at = end;
    } else if (two === "&&" || two === "||") {
      tokens.push({ kind: two, text: two, at });
      at += 2;
    } else if ("!(),".includes(char)) {
      tokens.push({ kind: char, text: char, at });
      at += 1;
    } else {
      const name = /^[\p{L}_][\p{L}\p{Nd}_]*/u.exec(rule.slice(at))?.[0];
      if (name === undefined) throw new RuleError(`"${char}" has no meaning here`, at);
      tokens.push({ kind: "name", text: name, at });
      at += name.length;
    }
  }
  return tokens;
}

const inverted = (tree: Tree): Tree =>
  "left" in tree
    ? {
        matcher: tree.matcher === "and" ? "or" : "and",
        left: inverted(tree.left),
        right: inverted(tree.right),
      }
    : { ...tree, not: !tree.not };

/** Of parentheses and negations in each other: nobody writes as many. */
const mostDepth = 100;

/** Operands joined, half and half: what walks the tree goes no deeper than the rule is nested, however long it is. */
function joined(matcher: "and" | "or", operands: readonly Tree[], from = 0, to = operands.length): Tree {
  const middle = (from + to + 1) >> 1;
  const only = operands[from];
  if (only !== undefined && middle === to) return only;
  return {
    matcher,
    left: joined(matcher, operands, from, middle),
    right: joined(matcher, operands, middle, to),
  };
}

class Parser {
  #at = 0;
  #depth = 0;
  constructor(
    private readonly tokens: readonly Token[],
    private readonly names: ReadonlyMap<string, string>,
    private readonly length: number,
  ) {}

  whole(): Tree {
    const tree = this.#either();
    if (this.#next()?.kind === ";") this.#at += 1;
    const more = this.#next();
    if (more !== undefined)
      throw new RuleError(`"${more.text.trim() || "a new line"}" is not expected`, more.at);
    return tree;
  }

  #next = (): Token | undefined => this.tokens[this.#at];

  #take(kind: string): Token {
    const token = this.#next();
    if (token?.kind !== kind) throw new RuleError(`"${kind}" is missing`, token?.at ?? this.length);
    this.#at += 1;
    return token;
  }

  #either(): Tree {
    const operands = [this.#both()];
    while (this.#next()?.kind === "||") {
      this.#at += 1;
      operands.push(this.#both());
    }
    return joined("or", operands);
  }

  #both(): Tree {
    const operands = [this.#one()];
    while (this.#next()?.kind === "&&") {
      this.#at += 1;
      operands.push(this.#one());
    }
    return joined("and", operands);
  }

  #one(): Tree {
    const token = this.#next();
    if (token?.kind === "!" || token?.kind === "(") {
      this.#at += 1;
      this.#depth += 1;
      if (this.#depth > mostDepth) throw new RuleError("it is nested too deeply", token.at);
      const tree = token.kind === "!" ? inverted(this.#one()) : this.#either();
      if (token.kind === "(") this.#take(")");
      this.#depth -= 1;
      return tree;
    }
    const name = this.#take("name");
    const matcher = this.names.get(name.text);
    if (matcher === undefined) throw new RuleError(`there is no matcher ${name.text}`, name.at);
    this.#take("(");
    const value: string[] = [];
    while (this.#next()?.kind !== ")") {
      value.push(this.#take("string").text);
      if (this.#next()?.kind !== ")") this.#take(",");
    }
    this.#at += 1;
    return { matcher, not: false, value };
  }
}

/** The tree of a rule whose matchers are `matchers`, each written as it is, lower, UPPER or Title. Throws RuleError. */
export function parseRule(rule: string, matchers: readonly string[]): Tree {
  const names = new Map<string, string>();
  for (const one of matchers) {
    const lower = one.toLowerCase();
    for (const form of [one, lower, one.toUpperCase(), lower.charAt(0).toUpperCase() + lower.slice(1)])
      names.set(form, one);
  }
  return new Parser(tokensOf(rule), names, rule.length).whole();
}

/** The values of the matchers called `wanted`, in the order of the rule. */
export function valuesOf(tree: Tree, wanted: readonly string[]): string[] {
  if ("left" in tree) return [...valuesOf(tree.left, wanted), ...valuesOf(tree.right, wanted)];
  return wanted.includes(tree.matcher) ? [...tree.value] : [];
}
