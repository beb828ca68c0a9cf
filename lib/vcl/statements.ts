// What stands in the subs of a VCL, and under which conditions: for warnings. It reads any text and decides nothing about it.
import type { Token } from "./tokens";

/** A condition around a statement. `holds`: it is met there; else another branch of its chain was not taken. */
export type Guard = {
  readonly tokens: readonly Token[];
  readonly holds: boolean;
  readonly outer: Guard | null;
};
/** One statement without its `;`, or an `if` with its condition. Those of one block have the same `block`. */
export type Statement = {
  readonly sub: string;
  readonly tokens: readonly Token[];
  readonly within: Guard | null;
  readonly block: object;
};
/** An acl, backend, probe or director that is declared: its tokens are those between its braces. */
export type Declaration = { readonly kind: string; readonly name: Token; readonly tokens: readonly Token[] };
export type Outline = {
  readonly statements: readonly Statement[];
  readonly declarations: readonly Declaration[];
};

/** The conditions around a statement, the innermost first. */
export function guardsOf({ within }: Statement): Guard[] {
  const guards: Guard[] = [];
  for (let guard = within; guard !== null; guard = guard.outer) guards.push(guard);
  return guards;
}

const opens: Readonly<Record<string, string>> = { "{": "}", "(": ")" };

/** The index of the mark that closes the one at `from`; the end where none does. */
export function closing(tokens: readonly Token[], from: number): number {
  const [open, close] = [tokens[from]?.text ?? "", opens[tokens[from]?.text ?? ""]];
  let depth = 0;
  for (let at = from; at < tokens.length; at += 1) {
    const token = tokens[at];
    if (token?.type !== "mark") continue;
    if (token.text === open) depth += 1;
    else if (token.text === close) depth -= 1;
    if (depth === 0) return at;
  }
  return tokens.length;
}

const branches = new Set(["if", "elseif", "elsif", "elif"]);

/** The statements and declarations of a VCL, of its tokens without comments. */
export function outlineOf(tokens: readonly Token[]): Outline {
  const statements: Statement[] = [];
  const declarations: Declaration[] = [];
  const is = (at: number, text: string) => tokens[at]?.text === text && tokens[at]?.type !== "string";

  /** Takes a sub whose brace opens at `from`; gives where it ends. */
  const takeSub = (sub: string, from: number): number => {
    type Block = { readonly within: Guard | null; readonly block: object; chain: Guard | null };
    const blocks: Block[] = [{ within: null, block: {}, chain: null }];
    const enter = (within: Guard | null) => blocks.push({ within, block: {}, chain: null });
    let at = from + 1;
    for (let here = blocks.at(-1); here !== undefined && at < tokens.length; here = blocks.at(-1)) {
      const otherwise = is(at, "else");
      if (otherwise && is(at + 1, "{")) {
        enter(here.chain);
        at += 2;
        continue;
      }
      const branch = otherwise && is(at + 1, "if") ? at + 1 : at;
      if (branches.has(tokens[branch]?.text ?? "") && is(branch + 1, "(")) {
        const end = closing(tokens, branch + 1);
        const condition = tokens.slice(branch + 2, end);
        const outer = branch > at || !is(branch, "if") ? (here.chain ?? here.within) : here.within;
        statements.push({ sub, tokens: tokens.slice(branch, end), within: outer, block: here.block });
        here.chain = { tokens: condition, holds: false, outer };
        at = end + 1;
        if (is(at, "{")) {
          enter({ tokens: condition, holds: true, outer });
          at += 1;
        }
        continue;
      }
      if (is(at, "{")) enter(here.within);
      else if (is(at, "}")) blocks.pop();
      else {
        const begin = at;
        while (at < tokens.length && !is(at, ";") && !is(at, "{") && !is(at, "}")) at += 1;
        if (at > begin)
          statements.push({ sub, tokens: tokens.slice(begin, at), within: here.within, block: here.block });
        if (!is(at, ";")) continue;
      }
      at += 1;
    }
    return at;
  };

  for (let at = 0; at < tokens.length; ) {
    const name = tokens[at + 1];
    if (name?.type !== "word" || tokens[at]?.type !== "word" || !is(at + 2, "{")) {
      at += 1;
      continue;
    }
    if (is(at, "sub")) {
      at = takeSub(name.text, at + 2);
      continue;
    }
    const end = closing(tokens, at + 2);
    declarations.push({ kind: tokens[at]?.text ?? "", name, tokens: tokens.slice(at + 3, end) });
    at = end + 1;
  }
  return { statements, declarations };
}
