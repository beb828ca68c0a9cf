// What VCL files define themselves: subroutines, backends, ACLs, probes, objects, and the vmods they import.
import type { VclFile } from "@/lib/vcl/contract";
import { type VclToken, vclTokens } from "./vcl-language";
import { isSub, type Sub } from "./vcl-words";

type Kind = "sub" | "backend" | "acl" | "probe" | "object";
export type Definition = {
  readonly kind: Kind;
  readonly name: string;
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** What an object is made of: "directors.round_robin". */
  readonly of: string;
};
export type Block = { readonly kind: "sub" | "acl" | "backend" | "probe"; readonly name: string };

type Found = {
  readonly definitions: readonly Definition[];
  /** Each `call`: which subroutine calls which. */
  readonly calls: readonly { readonly from: string; readonly to: string }[];
  /** Imported vmods, by the name they have here. */
  readonly imports: ReadonlyMap<string, string>;
  /** Header names that are used, as they are written. */
  readonly headers: ReadonlySet<string>;
};

const named = new Set<string>(["sub", "acl", "backend", "probe"]);

/**
 * Goes over tokens and calls `see` for each, with the block it is in and the statement it is part of so far.
 * Gives block and statement at the end. Comments are left out.
 */
export function walk(
  tokens: readonly VclToken[],
  see: (token: VclToken, block: Block | null, statement: readonly VclToken[]) => void = () => {},
): { block: Block | null; statement: readonly VclToken[]; previous: VclToken | undefined } {
  const blocks: (Block | null)[] = [];
  let statement: VclToken[] = [];
  let previous: VclToken | undefined;
  for (const token of tokens) {
    if (token.style === "comment") continue;
    const block = blocks.at(-1) ?? null;
    see(token, block, statement);
    previous = token;
    if (token.text === "{") {
      const [head, name] = statement;
      if (head !== undefined && named.has(head.text))
        blocks.push({ kind: head.text as Block["kind"], name: name?.text ?? "" });
      else blocks.push(head?.text === ".probe" ? { kind: "probe", name: "" } : block);
    } else if (token.text === "}") blocks.pop();
    if (token.text === "{" || token.text === "}" || token.text === ";") statement = [];
    else statement.push(token);
  }
  return { block: blocks.at(-1) ?? null, statement, previous };
}

function look({ name: file, text }: VclFile): Found {
  const definitions: Definition[] = [];
  const calls: { from: string; to: string }[] = [];
  const imports = new Map<string, string>();
  const headers = new Set<string>();
  const lineAt = (at: number) => text.slice(0, at).split("\n").length;
  walk(vclTokens(text).tokens, (token, block, statement) => {
    const [head, second, third, fourth] = statement.map((one) => one.text);
    const word = token.text;
    const define = (kind: Kind, name: string, of = "") =>
      definitions.push({ kind, name, file, line: lineAt(token.from), of });
    if (block === null && statement.length === 1 && head !== undefined && named.has(head))
      define(head as Kind, word);
    if (head === "import" && statement.length === 1) imports.set(word, word);
    if (head === "import" && third === "as" && second !== undefined && statement.length === 3) {
      imports.delete(second);
      imports.set(word, second);
    }
    if (head === "call" && statement.length === 1 && block !== null)
      calls.push({ from: block.name, to: word });
    if (head === "new" && third === "=" && fourth === undefined && second !== undefined)
      define("object", second, word);
    const header = /\.http\.([\w-]*\w)$/.exec(word)?.[1];
    if (header !== undefined) headers.add(header);
  });
  return { definitions, calls, imports, headers };
}

// A file that changes is another object, so each is read once.
const seen = new WeakMap<VclFile, Found>();
function foundIn(file: VclFile): Found {
  const known = seen.get(file);
  if (known) return known;
  const found = look(file);
  seen.set(file, found);
  return found;
}

/** What several files define together. */
export type Definitions = {
  readonly all: readonly Definition[];
  readonly imports: ReadonlyMap<string, string>;
  readonly headers: ReadonlySet<string>;
  /** Which of Varnish's own subroutines a subroutine may run in: itself, or those that call it; empty: not known. */
  runsIn(sub: string): readonly Sub[];
};

/** Reads all files of a VCL. */
export function definitionsOf(files: readonly VclFile[]): Definitions {
  const found = files.map(foundIn);
  const calls = found.flatMap((one) => one.calls);
  const runsIn = (sub: string, passed: readonly string[] = []): Sub[] => {
    if (isSub(sub)) return [sub];
    if (passed.includes(sub)) return [];
    const callers = calls
      .filter(({ to }) => to === sub)
      .flatMap(({ from }) => runsIn(from, [...passed, sub]));
    return [...new Set(callers)];
  };
  return {
    all: found.flatMap(({ definitions }) => definitions),
    imports: new Map(found.flatMap(({ imports }) => [...imports])),
    headers: new Set(found.flatMap(({ headers }) => [...headers])),
    runsIn: (sub) => runsIn(sub),
  };
}
