// What a word of a VCL means, where it stands.
import type { VclFile } from "@/lib/vcl/contract";
import { type Definition, definitionsOf, walk } from "./vcl-definitions";
import { type VclToken, vclTokens } from "./vcl-language";
import { type Callable, vmods } from "./vcl-vmods";
import {
  actions,
  backendFields,
  backendSubs,
  clientSubs,
  declarations,
  functions,
  isSub,
  probeFields,
  type Sub,
  statements,
  subs,
  variableNamed,
  type Word,
} from "./vcl-words";

/** Where something may be used: everywhere, one side, or these subroutines. */
export type Where = "all" | "client" | "backend" | readonly Sub[];
/** What is told of a word, which stands from `from` to `to`. */
export type Meaning = {
  readonly from: number;
  readonly to: number;
  /** As it would be declared. */
  readonly title: string;
  readonly help: string;
  /** The first version that has it, where not all of Varnish 7 do. */
  readonly since: string | null;
  /** Of a variable only. */
  readonly use: {
    readonly read: Where | null;
    readonly write: Where | null;
    readonly unset: Where | null;
  } | null;
  /** Of what the files define themselves. */
  readonly defined: Pick<Definition, "file" | "line"> | null;
};
type Told = Pick<Meaning, "title" | "help"> & Partial<Meaning>;

function where(list: readonly Sub[]): Where | null {
  if (list.length === 0) return null;
  const client = clientSubs.every((sub) => list.includes(sub));
  const backend = backendSubs.every((sub) => list.includes(sub));
  if (client && backend) return "all";
  if (client && list.length === clientSubs.length) return "client";
  return backend && list.length === backendSubs.length ? "backend" : list;
}

const ofWord = ({ text, help, since }: Word): Told => ({ title: text.replace(/ = $/, ""), help, since });
const ofCallable = (before: string, { returns, name, parameters, help, since }: Callable): Told => ({
  title: `${returns === "OBJECT" ? "new …" : returns} ${returns === "OBJECT" ? "= " : ""}${before}${name}${parameters}`,
  help,
  since,
});

function ofMember(word: string, files: readonly VclFile[]): Told | null {
  const [first = "", second = ""] = word.split(".");
  const known = definitionsOf(files);
  const made = known.all.find((one) => one.kind === "object" && one.name === first);
  const [module = first, object] = made?.of.split(".") ?? [];
  const vmod = vmods.find(({ name }) => name === (known.imports.get(module) ?? module));
  if (!vmod) return null;
  const members = made
    ? (vmod.objects.find(({ name }) => name === object)?.methods ?? [])
    : [...vmod.functions, ...vmod.objects];
  const member = members.find(({ name }) => name === second);
  return member ? ofCallable(`${first}.`, member) : null;
}

function told(
  token: VclToken,
  files: readonly VclFile[],
  block: string | null,
  statement: readonly VclToken[],
) {
  const word = token.text;
  const [head, second] = statement.map(({ text }) => text);
  const variable = token.style === "variableName.special" ? variableNamed(word) : undefined;
  if (variable)
    return {
      title: `${variable.type} ${word}`,
      help: variable.help,
      since: variable.since,
      use: { read: where(variable.read), write: where(variable.write), unset: where(variable.unset) },
    };
  if (head === "return" && second === "(" && statement.length === 2) {
    const action = Object.entries(actions).find(([name]) => name === word)?.[1];
    return action ? { title: `return (${action.text})`, help: action.help } : null;
  }
  if (head === "import" && statement.length === 1) {
    const vmod = vmods.find(({ name }) => name === word);
    return vmod ? { title: `vmod ${word}`, help: vmod.help } : null;
  }
  if (isSub(word)) return { title: `sub ${word}`, help: subs[word].help };
  if (token.style === "propertyName") {
    const field = (block === "probe" ? probeFields : backendFields).find(({ name }) => name === word);
    return field ? ofWord(field) : null;
  }
  if (word.includes(".")) return ofMember(word, files);
  const language = [...statements, ...functions, ...declarations].find(({ name }) => name === word);
  if (language && /^(?:keyword|variableName\.standard)$/.test(token.style)) return ofWord(language);
  const own = definitionsOf(files).all.find(({ name }) => name === word);
  if (!own) return null;
  return {
    title: own.kind === "object" ? `new ${word} = ${own.of}` : `${own.kind} ${word}`,
    help: "",
    defined: own,
  };
}

/** What the word at `at` of a text means; null for what is not known, comments and strings. */
export function meaningAt(text: string, at: number, files: readonly VclFile[]): Meaning | null {
  const { tokens } = vclTokens(text);
  let found: Meaning | null = null;
  walk(tokens, (token, block, statement) => {
    const to = token.from + token.text.length;
    if (token.from > at || at >= to || /^(?:string|regexp|meta|number)$/.test(token.style)) return;
    const one: Told | null = told(token, files, block?.kind ?? null, statement);
    if (one) found = { from: token.from, to, since: null, use: null, defined: null, ...one };
  });
  return found;
}
