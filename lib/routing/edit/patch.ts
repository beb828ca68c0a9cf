// A merge patch (RFC 7396) on the text of a YAML file. It puts text in, out and in place where the file is touched, and nowhere else:
// writing the parsed document anew would fold long lines, requote and re-indent what nobody asked about. Whether the text then says
// exactly what it said before plus the patch is read back each time, so that an anchor used elsewhere, or a layout that is not known
// here, ends in a refusal and never in another configuration.
import { isDeepStrictEqual } from "node:util";
import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type ParsedNode,
  parseDocument,
  visit,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { resolved } from "../validate/yaml";

export type Value =
  | string
  | number
  | boolean
  | readonly Value[]
  | { readonly [key: string]: Value | undefined };
/** Null takes the key away. Lists are replaced; of what stays in them the lines stay. */
export type Patch = { readonly [key: string]: Value | Patch | Marked | null };

/** An entry with a comment line of Sluice's own above it. */
export class Marked {
  constructor(
    /** Behind "# sluice: ". */
    readonly mark: string,
    readonly patch: Patch,
  ) {}
}

type Tree = { readonly [key: string]: unknown };
export const isTree = (value: unknown): value is Tree =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Anchors may be used often; what they unfold to may not grow without bounds. */
const reading = { maxAliasCount: 10_000 };
/** The parser would compare each key with each other one: `hasKeyTwice` is quicker. */
const parsed = (text: string) => parseDocument(text, { merge: true, uniqueKeys: false });

const keyText = (pair: Pair): unknown => (isScalar(pair.key) ? pair.key.value : pair.key);
function hasKeyTwice(doc: Document.Parsed<ParsedNode>): boolean {
  let found = false;
  visit(doc, {
    Map: (_, { items }) => {
      found = new Set(items.map(keyText)).size < items.length;
      return found ? visit.BREAK : undefined;
    },
  });
  return found;
}

function contentOfDocument(doc: Document.Parsed<ParsedNode>): Tree | null {
  if (doc.errors.length > 0 || hasKeyTwice(doc)) return null;
  try {
    const content: unknown = doc.toJS(reading) ?? {};
    return isTree(content) ? content : null;
  } catch {
    return null;
  }
}
/** What a YAML file says, "<<" merged in; null where it has errors or is no map. */
export const contentOf = (text: string): Tree | null => contentOfDocument(parsed(text));

/** `sections`: how many levels below must not be left empty, because Traefik rejects that. */
function merged(before: Tree, patch: Patch, sections: number): Tree {
  const after: Record<string, unknown> = { ...before };
  for (const [key, given] of Object.entries(patch)) {
    const value = given instanceof Marked ? given.patch : given;
    if (value === null) delete after[key];
    else if (isTree(value)) {
      const old = after[key];
      const next = merged(isTree(old) ? old : {}, value as Patch, sections - 1);
      if (sections > 0 && Object.keys(next).length === 0) delete after[key];
      else after[key] = next;
    } else after[key] = value;
  }
  return after;
}

/** A place whose layout this file does not know. */
class Unsure extends Error {}

const plain = /^(?:[A-Za-z/(](?:[\w./()`&|!@,*=^$+~-]|:(?=\S)| (?=[\w./()`&|!@*=^$+~-]))*|\d[\w./-]*)$/;
const plainInFlow = /^[\w/][\w./-]*$/;
/** How a value is written: below its key, within braces, or as JSON. */
type Style = "block" | "flow" | "json";
/** A word as YAML; braces that Traefik would take for a template are written by their code. */
function scalar(value: string | number | boolean, style: Style = "block"): string {
  if (typeof value !== "string") return String(value);
  const bare = style === "block" ? plain : plainInFlow;
  if (style !== "json" && bare.test(value) && resolved(value).kind === "text") return value;
  const text = JSON.stringify(value);
  return text.includes("{{") ? text.replaceAll("{", "\\x7b") : text;
}
function inFlow(value: unknown, style: Style = "flow"): string {
  if (Array.isArray(value)) return `[${value.map((one) => inFlow(one, style)).join(", ")}]`;
  if (!isTree(value)) return scalar(value as string, style);
  const pairs = Object.entries(value).filter(([, one]) => one !== undefined);
  return `{${pairs.map(([key, one]) => `${scalar(key, style)}: ${inFlow(one, style)}`).join(", ")}}`;
}

const hasMarks = (given: unknown): boolean =>
  given instanceof Marked || (isTree(given) && Object.values(given).some(hasMarks));
/** All that is wanted at a place, with the marks of the patch. */
function withMarks(given: unknown, wanted: unknown): unknown {
  if (given instanceof Marked) return new Marked(given.mark, wanted as Patch);
  if (!isTree(given) || !isTree(wanted)) return wanted;
  return Object.fromEntries(Object.entries(wanted).map(([key, one]) => [key, withMarks(given[key], one)]));
}

type Splice = { readonly start: number; readonly end: number; readonly text: string };
/** An entry of a block: from the start of its first line to behind its last one. */
type Entry = { readonly column: number; readonly start: number; readonly end: number; readonly last: number };

const isFlow = (node: unknown): boolean => (isMap(node) || isSeq(node)) && node.flow === true;
const rangeOf = (node: unknown): readonly [number, number] => {
  const range = (node as Node | null)?.range;
  if (!range) throw new Unsure();
  return [range[0], range[1]];
};

class Edit {
  readonly #splices: Splice[] = [];
  readonly #eol: string;
  /** Columns by which a map, and a list, stand further in than their key. */
  #step = 2;
  #listStep = 2;

  constructor(
    private readonly text: string,
    private readonly doc: Document.Parsed<ParsedNode>,
  ) {
    this.#eol = /\r?\n/.exec(text)?.[0] ?? "\n";
    this.#measure();
  }

  /** What the file does itself; the first one counts. */
  #measure(): void {
    let [steps, lists] = [0, -1];
    visit(this.doc, {
      Pair: (_, { key, value }) => {
        if (isFlow(value) || !isScalar(key) || !(isMap(value) || isSeq(value)) || value.items.length === 0)
          return undefined;
        const at = this.#columnOf(rangeOf(key)[0]);
        if (isMap(value)) {
          if (steps === 0) steps = this.#columnOf(rangeOf(value)[0]) - at;
        } else if (lists < 0) {
          const dash = this.text.slice(this.#lineStart(rangeOf(value.items[0])[0])).search(/-/);
          lists = dash - at;
        }
        return steps > 0 && lists >= 0 ? visit.BREAK : undefined;
      },
    });
    if (steps > 0) this.#step = steps;
    this.#listStep = lists >= 0 ? lists : this.#step;
  }

  done(): string {
    let [text, at] = ["", 0];
    for (const splice of this.#splices.sort((a, b) => a.start - b.start)) {
      if (splice.start < at) throw new Unsure();
      text += this.text.slice(at, splice.start) + splice.text;
      at = splice.end;
    }
    return text + this.text.slice(at);
  }

  #splice(start: number, end: number, text: string): void {
    this.#splices.push({ start, end, text });
  }
  #lineStart(at: number): number {
    return this.text.lastIndexOf("\n", at - 1) + 1;
  }
  /** Behind the line's end. */
  #nextLine(at: number): number {
    const end = this.text.indexOf("\n", at);
    return end < 0 ? this.text.length : end + 1;
  }
  #columnOf(at: number): number {
    return at - this.#lineStart(at);
  }

  /** Where what a node says ends. */
  #endOf(node: unknown): number {
    if ((isMap(node) || isSeq(node)) && !isFlow(node) && node.items.length > 0) {
      const last: unknown = node.items.at(-1);
      return this.#endOf(isPair(last) ? (last.value ?? last.key) : last);
    }
    const [start, end] = rangeOf(node);
    return start + this.text.slice(start, end).trimEnd().length;
  }

  /** Behind the line of `at` and the comments below it that stand at least at this column. */
  #behind(at: number, column: number): number {
    let end = this.#nextLine(at);
    for (let line = end; line < this.text.length; ) {
      const next = this.#nextLine(line);
      const said = this.text.slice(line, next);
      if (/^[ \t]*#/.test(said) && said.search(/#/) >= column) end = next;
      else if (said.trim() !== "") break;
      line = next;
    }
    return end;
  }

  #entry(first: unknown, last: unknown, before: RegExp): Entry {
    const [at] = rangeOf(first);
    const start = this.#lineStart(at);
    const lead = this.text.slice(start, at);
    if (!before.test(lead)) throw new Unsure();
    const column = lead.search(/-|$/);
    const end = this.#endOf(last);
    return { column, start, end: this.#behind(end, column + 1), last: end };
  }
  #pairEntry = (pair: Pair): Entry => this.#entry(pair.key, pair.value ?? pair.key, /^\uFEFF? *$/);
  #itemEntry = (item: unknown): Entry => this.#entry(item, item, /^ *-[ \t]+$/);

  /** The start of the comment lines right above a line, of those that `which` takes. */
  #comments(start: number, which: RegExp): number {
    let at = start;
    while (at > 0) {
      const above = this.#lineStart(at - 1);
      if (!which.test(this.text.slice(above, at))) break;
      at = above;
    }
    return at;
  }
  #marks = (start: number): number => this.#comments(start, /^[ \t]*# sluice: /);

  #lines(key: string, value: unknown, column: number): string[] {
    const head = `${" ".repeat(column)}${scalar(key)}:`;
    if (value instanceof Marked)
      return [`${" ".repeat(column)}# sluice: ${value.mark}`, ...this.#lines(key, value.patch, column)];
    if (!isTree(value) && !Array.isArray(value)) return [`${head} ${scalar(value as string)}`];
    const short = inFlow(value);
    if (short === "{}" || (Array.isArray(value) && !value.some(isTree) && short.length <= 60))
      return [`${head} ${short}`];
    return [head, ...this.#body(value, column)];
  }
  /** What stands below a key of this column. */
  #body(value: unknown, column: number): string[] {
    if (Array.isArray(value)) return value.flatMap((one) => this.#item(one, column + this.#listStep));
    return Object.entries(value as Tree).flatMap(([key, one]) =>
      one === undefined ? [] : this.#lines(key, one, column + this.#step),
    );
  }
  #item(value: unknown, column: number): string[] {
    const lead = " ".repeat(column);
    if (!isTree(value)) return [`${lead}- ${Array.isArray(value) ? inFlow(value) : scalar(value as string)}`];
    const lines = Object.entries(value).flatMap(([key, one]) =>
      one === undefined ? [] : this.#lines(key, one, column + 2),
    );
    return lines.map((line, index) => (index === 0 ? `${lead}- ${line.slice(column + 2)}` : line));
  }
  #written = (lines: readonly string[]): string => lines.map((line) => line + this.#eol).join("");

  /** The whole file. */
  root(patch: Patch, wanted: Tree): void {
    const node: unknown = this.doc.contents;
    if (isMap(node) && node.items.length > 0) this.#map(node, patch, wanted);
    else {
      const lines = Object.keys(patch).flatMap((key) =>
        Object.hasOwn(wanted, key) ? this.#lines(key, withMarks(patch[key], wanted[key]), 0) : [],
      );
      const empty = isMap(node) ? rangeOf(node) : null;
      if (empty !== null) this.#splice(empty[0], this.#nextLine(empty[1]), "");
      this.#splice(this.text.length, this.text.length, this.#written(lines));
    }
  }

  #map(node: YAMLMap, patch: Patch, wanted: Tree): void {
    if (node.flow) {
      this.#flowMap(node, patch, wanted);
      return;
    }
    const added: string[] = [];
    const last = this.#pairEntry(node.items.at(-1) as Pair);
    const pairs = new Map(node.items.map((pair) => [keyText(pair), pair]));
    for (const [key, given] of Object.entries(patch)) {
      const pair = pairs.get(key);
      if (pair === undefined) {
        if (Object.hasOwn(wanted, key))
          added.push(...this.#lines(key, withMarks(patch[key], wanted[key]), last.column));
        continue;
      }
      const { start, end, column } = this.#pairEntry(pair);
      const marks = this.#marks(start);
      if (!Object.hasOwn(wanted, key)) this.#splice(marks, end, "");
      else {
        if (given instanceof Marked) {
          const line = this.#written([`${" ".repeat(column)}# sluice: ${given.mark}`]);
          if (this.text.slice(marks, start) !== line) this.#splice(marks, start, line);
        }
        this.#change(pair, given instanceof Marked ? given.patch : given, wanted[key], column);
      }
    }
    if (added.length > 0) {
      const at = this.#behind(last.last, last.column);
      this.#splice(at, at, this.#written(added));
    }
  }

  /** `column`: of the key in a block; null inside of braces. */
  #change(pair: Pair, given: unknown, wanted: unknown, column: number | null): void {
    const node = pair.value as Node | null;
    if (isTree(given) && isTree(wanted) && isMap(node) && node.items.length > 0) {
      this.#map(node, given as Patch, wanted);
      return;
    }
    if (isAlias(node) && isTree(given) && isTree(wanted)) {
      // What the others that use it have stays theirs.
      const own = Object.fromEntries(
        Object.entries(given).map(([key, one]) => [key, withMarks(one, wanted[key])]),
      );
      const merge = `<<: *${node.source}`;
      const [start, end] = rangeOf(node);
      if (column === null) this.#splice(start, end, `{${merge}, ${inFlow(own).slice(1)}`);
      else
        this.#below(start, end, [`${" ".repeat(column + this.#step)}${merge}`, ...this.#body(own, column)]);
      return;
    }
    if (isDeepStrictEqual(node?.toJS(this.doc, reading), wanted)) return;
    if (Array.isArray(wanted) && isSeq(node) && node.items.length > 0 && wanted.length > 0) {
      if (node.flow) this.#flowList(node, wanted);
      else this.#list(node, wanted);
      return;
    }
    const [start, end] = this.#valueOf(pair);
    const isList = Array.isArray(wanted);
    const many = (isTree(wanted) || isList) && Object.keys(wanted).length > 0;
    if (column === null && hasMarks(given)) throw new Unsure();
    if (column !== null && many) this.#below(start, end, this.#body(withMarks(given, wanted), column));
    else {
      const flow = column === null || isTree(wanted) || isList;
      const text = flow ? inFlow(wanted, this.#styleAt(pair.key)) : scalar(wanted as string);
      this.#splice(start, end, /\s/.test(this.text[start - 1] ?? "") ? text : ` ${text}`);
    }
  }

  /** Where the value stands; where there is nothing, right behind the colon. */
  #valueOf({ key, value }: Pair): readonly [number, number] {
    const [start, end] = value === null ? [0, 0] : rangeOf(value);
    if (start < end) return [start, this.#endOf(value)];
    const colon = this.text.indexOf(":", rangeOf(key)[1]);
    if (colon < 0) throw new Unsure();
    return [colon + 1, colon + 1];
  }

  /** Takes out what stands behind a key, and puts lines below it. */
  #below(start: number, end: number, lines: readonly string[]): void {
    const lead = this.text.slice(this.#lineStart(start), start);
    const from = lead.trim() === "" ? start : start - (lead.length - lead.trimEnd().length);
    if (from < end || lead.trimEnd() !== lead) this.#splice(from, end, "");
    const at = this.#nextLine(end);
    this.#splice(at, at, this.#written(lines));
  }

  /** Of a list that is to be another: its items that stay, in their order. */
  #kept(node: YAMLSeq, wanted: readonly unknown[]): { readonly item: unknown; readonly at: number }[] {
    let from = 0;
    return node.items.map((item) => {
      const value: unknown = (item as Node).toJS(this.doc, reading);
      const at = wanted.findIndex((one, index) => index >= from && isDeepStrictEqual(one, value));
      if (at >= 0) from = at + 1;
      return { item, at };
    });
  }
  #list(node: YAMLSeq, wanted: readonly unknown[]): void {
    let next = 0;
    let end = 0;
    let column = 0;
    for (const { item, at } of this.#kept(node, wanted)) {
      const entry = this.#itemEntry(item);
      ({ end, column } = entry);
      const above = this.#comments(entry.start, /^[ \t]*#/);
      if (at < 0) this.#splice(entry.start, end, "");
      else if (at > next)
        this.#splice(
          above,
          above,
          this.#written(wanted.slice(next, at).flatMap((one) => this.#item(one, column))),
        );
      if (at >= 0) next = at + 1;
    }
    const rest = wanted.slice(next).flatMap((one) => this.#item(one, column));
    if (rest.length > 0) this.#splice(end, end, this.#written(rest));
  }
  #flowList(node: YAMLSeq, wanted: readonly unknown[]): void {
    const style = this.#styleOf(node);
    const more = wanted.length - node.items.length;
    const texts = wanted.map((one) => inFlow(one, style));
    const kept = this.#kept(node, wanted);
    const [start, end] = rangeOf(node);
    if (more > 0 && kept.every(({ at }, index) => at === index + more)) {
      const [first] = rangeOf(node.items[0]);
      this.#splice(
        first,
        first,
        texts
          .slice(0, more)
          .map((text) => `${text}, `)
          .join(""),
      );
    } else {
      for (const { item, at } of kept) if (at >= 0) texts[at] = this.text.slice(...rangeOf(item));
      this.#splice(start, end, `[${texts.join(", ")}]`);
    }
  }

  #styleOf({ items: [first] }: YAMLMap | YAMLSeq): Style {
    return this.#styleAt(isPair(first) ? first.key : first);
  }
  #styleAt(node: unknown): Style {
    return this.text[rangeOf(node)[0]] === '"' ? "json" : "flow";
  }

  #flowMap(node: YAMLMap, patch: Patch, wanted: Tree): void {
    const style = this.#styleOf(node);
    const keys = node.items.map((one) => rangeOf(one.key)[0]);
    const last = node.items.at(-1) as Pair;
    const lead = this.text.slice(this.#lineStart(keys.at(-1) ?? 0), keys.at(-1));
    const ownLine = lead.trim() === "";
    const gone = new Set<number>();
    let added = "";
    for (const [key, given] of Object.entries(patch)) {
      const index = node.items.findIndex((one) => keyText(one) === key);
      const pair = node.items[index];
      if (pair === undefined) {
        if (!Object.hasOwn(wanted, key)) continue;
        const value = withMarks(patch[key], wanted[key]);
        const [mark, body] = value instanceof Marked ? [value.mark, value.patch] : [null, value];
        const line = `${this.#eol}${ownLine ? lead : `${/^ */.exec(lead)?.[0] ?? ""}${" ".repeat(this.#step)}`}`;
        const before = mark === null ? (ownLine ? line : " ") : `${line}# sluice: ${mark}${line}`;
        added += `,${before}${inFlow({ [key]: body }, style).slice(1, -1)}`;
      } else if (!Object.hasOwn(wanted, key)) gone.add(index);
      else {
        const line = this.#lineStart(keys[index] ?? 0);
        const blank = this.text.slice(line, keys[index]);
        if (given instanceof Marked) {
          if (blank.trim() !== "") throw new Unsure();
          const text = `${blank}# sluice: ${given.mark}${this.#eol}`;
          if (this.text.slice(this.#marks(line), line) !== text) this.#splice(this.#marks(line), line, text);
        }
        this.#change(pair, given instanceof Marked ? given.patch : given, wanted[key], null);
      }
    }
    const ends = node.items.map((one) => this.#endOf(one.value ?? one.key));
    // From the end of what stays before it, with comma and comments; the first that stays loses what is before it instead.
    const first = node.items.findIndex((_, index) => !gone.has(index));
    for (const index of gone) {
      if (index > first && first >= 0) this.#splice(ends[index - 1] ?? 0, ends[index] ?? 0, "");
      else {
        const [key = 0, next] = keys.slice(index);
        const line = this.#lineStart(key);
        if (next === undefined) throw new Unsure();
        if (this.text.slice(line, key).trim() === "") this.#splice(this.#marks(line), line, "");
        this.#splice(key, next, "");
      }
    }
    const end = this.#endOf(last.value ?? last.key);
    if (added !== "") this.#splice(end, end, first < 0 ? added.slice(1) : added);
  }
}

/**
 * The text with the patch in it, sections (`http`, `http.routers`) that nothing is left of taken away. The same text where it says so
 * already. Null where the file has errors, or where it cannot be done without changing something else.
 */
export function patched(text: string, patch: Patch): string | null {
  // A last line without its end gets one for the work.
  const eol = /\r?\n/.exec(text)?.[0] ?? "\n";
  const open = text !== "" && !text.endsWith("\n");
  const whole = open ? text + eol : text;
  const doc = parsed(whole);
  const before = contentOfDocument(doc);
  if (before === null) return null;
  const wanted = merged(before, patch, 2);
  if (isDeepStrictEqual(before, wanted) && !hasMarks(patch)) return text;
  try {
    const edit = new Edit(whole, doc);
    edit.root(patch, wanted);
    const after = edit.done();
    const told = open && after.endsWith(eol) ? after.slice(0, -eol.length) : after;
    return isDeepStrictEqual(contentOf(told), wanted) ? told : null;
  } catch (error) {
    if (error instanceof Unsure) return null;
    throw error;
  }
}
