// What may be written at a place of a VCL: only what fits there.
import type { VclFile } from "@/lib/vcl/contract";
import { type Block, type Definition, type Definitions, definitionsOf, walk } from "./vcl-definitions";
import { type VclToken, vclTokens } from "./vcl-language";
import { type Callable, vmods } from "./vcl-vmods";
import {
  actions,
  backendFields,
  declarations,
  functions,
  headers,
  isSub,
  probeFields,
  type Sub,
  statements,
  subs,
  variables,
  type Word,
} from "./vcl-words";

/** One choice: what is shown, what is put in, and what it is. */
export type Choice = {
  readonly label: string;
  readonly insert: string;
  /** As CodeMirror names them. */
  readonly type: "variable" | "function" | "keyword" | "namespace" | "property" | "constant" | "class";
  readonly detail: string;
  readonly help: string;
};
/** `from`: where the word begins that is replaced. `scope`: what it holds up to its last dot. */
export type Choices = { readonly from: number; readonly scope: string; readonly choices: readonly Choice[] };

const sinceDetail = (detail: string, since: string | null) =>
  [detail, since === null ? "" : `${since}+`].filter((part) => part !== "").join(" · ");

const ofWord =
  (type: Choice["type"]) =>
  (word: Word): Choice => ({
    label: word.name,
    insert: word.text,
    type,
    detail: sinceDetail("", word.since),
    help: word.help,
  });
const ofFunction = (word: Word): Choice => ({
  label: word.name,
  insert: `${word.name}(`,
  type: "function",
  detail: word.text.slice(word.name.length),
  help: word.help,
});
const ofCallable = (before: string, one: Callable): Choice => ({
  label: `${before}${one.name}`,
  insert: `${before}${one.name}${one.parameters === "()" ? "()" : "("}`,
  type: "function",
  detail: sinceDetail(`${one.returns === "OBJECT" ? "" : `${one.returns} `}${one.parameters}`, one.since),
  help: one.help,
});
const ofDefinition = (one: Definition): Choice => ({
  label: one.name,
  insert: one.name,
  type: "constant",
  detail: `${one.file}:${one.line}`,
  help: "",
});
const ofSub = (name: Sub): Choice => ({
  label: name,
  insert: name,
  type: "class",
  detail: "",
  help: subs[name].help,
});

/** Storages that every Varnish has: the first one, and the one for what lives shortly. */
const storages = ["s0", "Transient"] as const;

/** Expressions that take a backend: what is set, and what is called. */
const takesBackend = /^(?:req\.backend_hint|bereq\.backend)$/;
const asksBackend = /\.(?:add_backend|remove_backend|healthy|set_backend)$/;

class Finder {
  constructor(
    private readonly known: Definitions,
    private readonly word: string,
    private readonly block: Block | null,
  ) {}

  private get scope(): string {
    return this.word.slice(0, this.word.lastIndexOf(".") + 1);
  }

  of(kind: Definition["kind"]): Choice[] {
    return this.known.all.filter((one) => one.kind === kind).map(ofDefinition);
  }

  /** Whether what is for these subroutines may be used here. A subroutine that several call must suit them all. */
  fits(list: readonly Sub[]): boolean {
    const runs = this.block?.kind === "sub" ? this.known.runsIn(this.block.name) : [];
    return runs.length === 0 ? list.length > 0 : runs.every((sub) => list.includes(sub));
  }

  variables(use: "read" | "write" | "unset"): Choice[] {
    const usable = variables.filter((one) => this.fits(one[use]));
    const http = /^(\w+\.http\.)/.exec(this.word)?.[1];
    if (http !== undefined) {
      if (!usable.some(({ name }) => name === `${http}*`)) return [];
      // What is being typed is in the file already.
      const used = [...this.known.headers].filter((name) => `${http}${name}` !== this.word);
      const common = headers.filter((name) => !used.some((one) => one.toLowerCase() === name.toLowerCase()));
      return [...used, ...common].map((name) => ({
        label: `${http}${name}`,
        insert: `${http}${name}`,
        type: "variable",
        detail: "HEADER",
        help: "",
      }));
    }
    return usable
      .flatMap((one) => {
        if (!one.name.includes("*")) return [{ ...one, label: one.name }];
        if (one.type === "HEADER") return [{ ...one, label: one.name.slice(0, -1) }];
        return storages.map((storage) => ({ ...one, label: one.name.replace("*", storage) }));
      })
      .filter(({ label }) => label.startsWith(this.scope))
      .map(({ label, type, since, help }) => ({
        label,
        insert: label,
        type: "variable",
        detail: sinceDetail(type, since),
        help,
      }));
  }

  /** Functions of the vmod, or methods of the object, whose name stands before the dot. */
  private members(): Choice[] | null {
    const name = this.scope.slice(0, -1);
    const made = this.known.all.find((one) => one.kind === "object" && one.name === name);
    if (made) {
      const [module = "", object] = made.of.split(".");
      const vmod = vmods.find((one) => one.name === (this.known.imports.get(module) ?? module));
      return (vmod?.objects.find((one) => one.name === object)?.methods ?? []).map((one) =>
        ofCallable(this.scope, one),
      );
    }
    const vmod = vmods.find((one) => one.name === (this.known.imports.get(name) ?? name));
    return vmod ? vmod.functions.map((one) => ofCallable(this.scope, one)) : null;
  }

  private modules(): Choice[] {
    const imported = [...this.known.imports].map(([name, vmod]): Choice => {
      const help = vmods.find((one) => one.name === vmod)?.help ?? "";
      return { label: name, insert: `${name}.`, type: "namespace", detail: "vmod", help };
    });
    const made = this.known.all
      .filter((one) => one.kind === "object")
      .map((one): Choice => ({ ...ofDefinition(one), insert: `${one.name}.`, detail: one.of }));
    return [...imported, ...made];
  }

  vmodObjects(): Choice[] {
    return [...this.known.imports].flatMap(([name, vmod]) =>
      (vmods.find((one) => one.name === vmod)?.objects ?? []).map((one) => ofCallable(`${name}.`, one)),
    );
  }

  returns(): Choice[] {
    const runs = this.block?.kind === "sub" ? this.known.runsIn(this.block.name) : [];
    return Object.entries(actions)
      .filter(([name]) => {
        const may = (sub: Sub) => subs[sub].returns.some((one) => one === name);
        return runs.length === 0 || runs.every(may);
      })
      .map(([name, { text, help }]) => ({
        label: name,
        // Where the backend has answered, a pass says for how long.
        insert: text.includes("(") ? `${name}(` : name,
        type: "keyword",
        detail: text.slice(name.length),
        help,
      }));
  }

  statementStart(afterBlock: boolean): Choice[] {
    if (this.scope !== "") return this.members() ?? [];
    const own = statements
      .filter((one) => one.subs === null || this.fits(one.subs))
      .filter(({ name }) => afterBlock || !name.startsWith("else"))
      .map(ofWord("keyword"));
    return [...own, ...this.modules()];
  }

  expression(statement: readonly VclToken[]): Choice[] {
    if (this.scope !== "") return this.members() ?? this.variables("read");
    const last = statement.at(-1)?.text ?? "";
    if (last === "~" || last === "!~") return this.of("acl");
    const target = statement[0]?.text === "set" ? (statement[1]?.text ?? "") : "";
    const called = last === "(" ? (statement.at(-2)?.text ?? "") : "";
    if ((takesBackend.test(target) && last === "=") || asksBackend.test(called)) {
      const directors = this.known.all
        .filter((one) => one.kind === "object")
        .map((one): Choice => ({ ...ofDefinition(one), insert: `${one.name}.backend()`, detail: one.of }));
      return [...this.of("backend"), ...directors];
    }
    if (target.endsWith(".storage") && last === "=")
      return storages.map((name) => ({
        label: `storage.${name}`,
        insert: `storage.${name}`,
        type: "constant",
        detail: "STEVEDORE",
        help: "",
      }));
    const truth = ["true", "false"].map(
      (name): Choice => ({ label: name, insert: name, type: "constant", detail: "BOOL", help: "" }),
    );
    return [...this.variables("read"), ...functions.map(ofFunction), ...this.modules(), ...truth];
  }
}

function fitting(
  finder: Finder,
  block: Block | null,
  statement: readonly VclToken[],
  previous: VclToken | undefined,
) {
  const [head, second, third] = statement.map(({ text }) => text);
  const count = statement.length;
  if (head === "import" && count === 1)
    return vmods.map(
      ({ name, help }): Choice => ({ label: name, insert: name, type: "namespace", detail: "vmod", help }),
    );
  if (block === null) {
    if (count === 0) return declarations.map(ofWord("keyword"));
    return head === "sub" && count === 1 ? Object.keys(subs).filter(isSub).map(ofSub) : [];
  }
  if (block.kind === "acl") return [];
  if (block.kind !== "sub") {
    if (count === 0) return (block.kind === "probe" ? probeFields : backendFields).map(ofWord("property"));
    if (head === ".probe" && count === 2) return finder.of("probe");
    return head === ".via" && count === 2 ? finder.of("backend") : [];
  }
  if (count === 0) return finder.statementStart(previous?.text === "}");
  if (count === 1) {
    if (head === "set") return finder.variables("write");
    if (head === "unset") return finder.variables("unset");
    if (head === "call") return finder.of("sub").filter(({ label }) => !isSub(label));
    if (head === "new" || head === "return") return [];
    if (head === "else") return statements.filter(({ name }) => name === "if").map(ofWord("keyword"));
  }
  if (head === "return" && second === "(" && count === 2) return finder.returns();
  if (head === "new")
    return third === "=" && count === 3 ? finder.vmodObjects() : finder.expression(statement);
  return finder.expression(statement);
}

/**
 * What may be written at `at` of a file's text. `files` are all files of the VCL, this one as it is now too.
 * Null in comments, strings and C code, and where nothing is known.
 */
export function choicesAt(text: string, at: number, files: readonly VclFile[]): Choices | null {
  const before = text.slice(0, at);
  const include = /^[ \t]*include\s+(?:\+glob\s+)?"([^"\n]*)$/m.exec(before);
  if (include) {
    const typed = include[1] ?? "";
    const choices = files
      .slice(1)
      .map(({ name }): Choice => ({ label: name, insert: name, type: "constant", detail: "", help: "" }));
    return choices.length === 0 ? null : { from: at - typed.length, scope: "", choices };
  }
  const word = /(?:\.?[A-Za-z][\w.-]*|\.)$/.exec(before)?.[0] ?? "";
  const from = at - word.length;
  if (/[\w.-]$/.test(before.slice(0, from))) return null;
  const { tokens, open } = vclTokens(before.slice(0, from));
  if (open !== null) return null;
  const last = tokens.at(-1);
  const touches = last !== undefined && last.from + last.text.length === from;
  if (touches && (last.style === "comment" || /^"[^"]*$/.test(last.text))) return null;
  const { block, statement, previous } = walk(tokens);
  const finder = new Finder(definitionsOf(files), word, block);
  const choices = fitting(finder, block, statement, previous);
  if (choices.length === 0) return null;
  return { from, scope: word.startsWith(".") ? "" : word.slice(0, word.lastIndexOf(".") + 1), choices };
}
