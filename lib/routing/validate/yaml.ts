// A YAML file as Traefik's decoder sees it: yaml.v3's types, then paerser's tree of names and texts, each with its place.
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  type Node,
  type Pair,
  parseAllDocuments,
  Scalar,
  visit,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import type { Place, Tell } from "./problem";
import { configuration, fieldOf } from "./schema";

/** A text in a list, as Traefik reads it. */
export type Item = { readonly text: string; readonly at: Place };
/** paerser's node. A name with a value, the texts of a list, or children; a list's maps are children too, called [0], [1]. */
export type Tree = {
  readonly name: string;
  readonly key: Place;
  readonly at: Place;
  readonly shape: "value" | "list" | "map";
  /** What Traefik reads; of a list: its texts behind a sign of their kind. */
  readonly value: string;
  /** What is written, where the value is one plain word. */
  readonly written: string | null;
  /** Where in the file the value begins, if it stands there as it is read; -1 otherwise. */
  readonly from: number;
  readonly items: readonly Item[];
  readonly children: readonly Tree[];
};

type Kind = "nothing" | "bool" | "int" | "float" | "text" | "date";
type Read = { readonly kind: Kind; readonly text: string };

/** reflect.Kind of what paerser finds in a list: it keeps the greatest. */
const goKinds: Readonly<Record<string, number>> = { bool: 1, int: 2, float: 14, text: 24 };
const goNames: Readonly<Record<Kind, string>> = {
  nothing: "<invalid Value>",
  bool: "<bool Value>",
  int: "<int Value>",
  float: "<float64 Value>",
  text: "",
  date: "<time.Time Value>",
};
/** Between the texts of a list (paerser's defaultRawSliceSeparator). */
export const separator = "║";

const dates = [
  /^(\d{4})-(\d\d?)-(\d\d?)[Tt](\d\d?):(\d\d?):(\d\d?)([.,]\d+)?(Z|[+-]\d\d:\d\d)$/,
  /^(\d{4})-(\d\d?)-(\d\d?) +(\d\d?):(\d\d?):(\d\d?)([.,]\d+)?$/,
  /^(\d{4})-(\d\d?)-(\d\d?)$/,
];
function isDate(text: string): boolean {
  const found = dates.map((one) => one.exec(text)).find((one) => one !== null);
  if (!found) return false;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found
    .slice(1, 7)
    .map((one) => Number(one ?? 0));
  const days = new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
  return month >= 1 && month <= 12 && day >= 1 && day <= days && hour < 24 && minute < 60 && second < 60;
}

/** strconv.ParseInt and ParseUint with base 0, for what has no underscores. */
function wholeOf(text: string): bigint | null {
  const [, sign, digits = ""] = /^([+-]?)(.{1,200})$/.exec(text) ?? [];
  const based = /^0[xX][0-9a-fA-F]+$|^0[bB][01]+$|^0[oO][0-7]+$|^[1-9]\d*$|^0$/.test(digits)
    ? digits
    : /^0[0-7]+$/.test(digits)
      ? `0o${digits.slice(1)}`
      : null;
  if (based === null) return null;
  const number = sign === "-" ? -BigInt(based) : BigInt(based);
  const most = sign === "" ? 2n ** 64n - 1n : 2n ** 63n - 1n;
  return number >= -(2n ** 63n) && number <= most ? number : null;
}

/** paerser's text of a floating-point number: six digits, or none. */
const floatText = (number: number): string =>
  Number.isNaN(number)
    ? "NaN"
    : !Number.isFinite(number)
      ? number > 0
        ? "+Inf"
        : "-Inf"
      : (Math.abs(number) < 1e21 ? number.toFixed(6) : `${BigInt(number)}.000000`).replace(/\.000000$/, "");

const words = new Map<string, Read>([
  ...["true", "True", "TRUE"].map((one): [string, Read] => [one, { kind: "bool", text: "true" }]),
  ...["false", "False", "FALSE"].map((one): [string, Read] => [one, { kind: "bool", text: "false" }]),
  ...["", "~", "null", "Null", "NULL"].map((one): [string, Read] => [one, { kind: "nothing", text: "" }]),
  ...[".nan", ".NaN", ".NAN"].map((one): [string, Read] => [one, { kind: "float", text: "NaN" }]),
  ...[".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"].map((one): [string, Read] => [
    one,
    { kind: "float", text: "+Inf" },
  ]),
  ...["-.inf", "-.Inf", "-.INF"].map((one): [string, Read] => [one, { kind: "float", text: "-Inf" }]),
]);

/** A plain word as yaml.v3's resolve reads it: octals with a leading 0, dates, no "yes" and "on". */
export function resolved(word: string): Read {
  const known = words.get(word);
  if (known !== undefined) return known;
  if (/^[-+0-9.]/.test(word)) {
    if (isDate(word)) return { kind: "date", text: word };
    const plain = word.startsWith(".") ? word : word.replaceAll("_", "");
    const whole = wholeOf(plain);
    if (whole !== null) return { kind: "int", text: String(whole) };
    if (/^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$/.test(plain) && Number.isFinite(Number(plain)))
      return { kind: "float", text: floatText(Number(plain)) };
  }
  return { kind: "text", text: word };
}

/** What a scalar says, whatever its tag makes of it. */
const textOf = (node: Scalar): string => node.source ?? String(node.value ?? "");

const itself = "an anchor contains itself";
/** More than anybody's configuration has, repeated or not. */
const mostNodes = 200_000;
/** A text is as much as one node for so many of its characters. */
const nodeText = 64;

/** A file holds too much to be read here: nothing is known of it. */
export class TooMuch extends Error {}

/** What each alias stands for: the last node before it that has its anchor. */
function anchored(doc: ReturnType<typeof documentsOf>[number]): Map<Node, Node> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Node, Node>();
  visit(doc, {
    Node: (_, node) => {
      if (isAlias(node)) {
        const target = anchors.get(node.source);
        if (target !== undefined) targets.set(node, target);
      } else if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return targets;
}

class Reader {
  readonly #open = new Set<Node>();
  readonly #targets: ReadonlyMap<Node, Node>;
  #nodes = 0;
  /** Below a key that paerser passes over, where only yaml.v3 finds something wrong. */
  #passedOver = false;
  constructor(
    private readonly file: string,
    private readonly text: string,
    doc: ReturnType<typeof documentsOf>[number],
    private readonly tell: Tell,
  ) {
    this.#targets = anchored(doc);
  }

  /** What an anchor holds is read as often as it is used. Throws TooMuch. */
  #count(nodes: number): void {
    this.#nodes += nodes;
    if (this.#nodes > mostNodes) throw new TooMuch();
  }

  /** What paerser finds. */
  #mind: Tell = (...found) => {
    if (!this.#passedOver) this.tell(...found);
  };

  place(node: Node | null | undefined, otherwise: Place): Place {
    const range = node?.range;
    return range ? { file: this.file, start: range[0], end: Math.max(range[1], range[0]) } : otherwise;
  }

  /** What an alias stands for; a node is itself. */
  #behind(node: Node | null, at: Place): Node | null {
    if (!isAlias(node)) return node;
    const target = this.#targets.get(node);
    if (target === undefined) {
      this.tell(at, "rejected", "yamlSyntax", { reason: `unknown anchor '${node.source}' referenced` });
      return null;
    }
    return target;
  }

  #scalar(node: Scalar, at: Place): Read {
    const tag = node.tag ?? "";
    const value = textOf(node);
    this.#count(Math.floor(value.length / nodeText));
    const plain = node.type === undefined || node.type === Scalar.PLAIN;
    if (tag === "" || tag === "!")
      return plain && tag === "" ? resolved(value) : { kind: "text", text: value };
    const short = /^tag:yaml\.org,2002:(.*)$/.exec(tag)?.[1] ?? "";
    if (!["null", "bool", "int", "float", "timestamp"].includes(short)) {
      if (short !== "binary") return { kind: "text", text: value };
      const code = value.replace(/[\r\n]/g, "");
      if (!/^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(code))
        this.tell(at, "rejected", "yamlSyntax", { reason: "!!binary value contains invalid base64 data" });
      return { kind: "text", text: Buffer.from(code, "base64").toString("utf8") };
    }
    const read = resolved(value);
    const wanted = short === "null" ? "nothing" : short === "timestamp" ? "date" : short;
    if (read.kind === wanted) return read;
    if (wanted === "float" && read.kind === "int") return { kind: "float", text: read.text };
    this.tell(at, "rejected", "yamlSyntax", { reason: `cannot decode "${value}" as a !!${short}` });
    return { kind: "nothing", text: "" };
  }

  /** The pairs of a map in yaml.v3's order: its own, then those of `<<` that it does not have. */
  #pairs(map: YAMLMap, at: Place): { key: Node; value: Node | null }[] {
    this.#count(map.items.length);
    const own: { key: Node; value: Node | null }[] = [];
    const seen = new Map<string, Place>();
    let merged: { value: Node | null; at: Place } | null = null;
    for (const { key, value } of map.items as Pair<Node, Node | null>[]) {
      const place = this.place(key, at);
      const text = isScalar(key) ? textOf(key) : isAlias(key) ? `*${key.source}` : null;
      if (text === null) {
        this.tell(place, "rejected", "yamlSyntax", { reason: "a key must be a plain text" });
        continue;
      }
      const first = seen.get(text);
      if (first !== undefined) this.tell(place, "rejected", "duplicateKey", { key: text });
      else seen.set(text, place);
      const isMerge = isScalar(key) && text === "<<" && (key.type === undefined || key.type === Scalar.PLAIN);
      if (isMerge) merged = { value, at: this.place(value, place) };
      else if (first === undefined) own.push({ key, value });
    }
    if (merged === null) return own;
    const from = this.#behind(merged.value, merged.at);
    const sources = isSeq(from) && !isAlias(merged.value) ? from.items : [from];
    for (const one of sources) {
      const source = this.#behind(one as Node | null, merged.at);
      if (!isMap(source)) this.tell(merged.at, "rejected", "mergeNotMap");
      else if (this.#open.has(source)) this.tell(merged.at, "rejected", "yamlSyntax", { reason: itself });
      else {
        this.#open.add(source);
        const pairs = this.#pairs(source, merged.at);
        this.#count(pairs.length);
        for (const pair of pairs) {
          const name = isScalar(pair.key) ? textOf(pair.key) : "";
          if (!seen.has(name)) own.push(pair);
          seen.set(name, merged.at);
        }
        this.#open.delete(source);
      }
    }
    return own;
  }

  /** The children of a map. `root`: there a key is a text whatever it looks like, and some are passed over. */
  children(map: YAMLMap, at: Place, root = false): Tree[] {
    const found: Tree[] = [];
    const before = this.#passedOver;
    for (const { key, value } of this.#pairs(map, at)) {
      const place = this.place(key, at);
      const keyed = this.#behind(key, place);
      const read: Read = isScalar(keyed) ? this.#scalar(keyed, place) : { kind: "text", text: "" };
      const written = isScalar(keyed) ? textOf(keyed) : "";
      const nameless = read.kind === "nothing" && !root;
      const name = root ? written : read.kind === "text" ? read.text : goNames[read.kind];
      if (name !== written && !root && !nameless)
        this.#mind(place, "none", "keyNotText", { key: written, read: name }, "error");
      this.#passedOver ||= nameless || (root && fieldOf(configuration, name) === null);
      const tree = this.#tree(name, place, value);
      this.#passedOver = before;
      if (tree !== null && !nameless) found.push(tree);
    }
    // As paerser sorts them: of two keys that differ in case only, the last one counts.
    return found.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  }

  /** Null for nothing, which Traefik passes over. */
  #tree(name: string, key: Place, written: Node | null): Tree | null {
    const at = this.place(written, key);
    const node = this.#behind(written, at);
    const empty = { name, key, at, value: "", written: null, from: -1, items: [], children: [] };
    if (node === null) {
      if (written === null) this.#mind(key, "ignored", "nothingGiven", { key: name });
      return null;
    }
    const anchor = isScalar(node) || isMap(node) || isSeq(node) ? node.anchor : undefined;
    if (anchor !== undefined && !/^[\w-]+$/.test(anchor))
      this.tell(at, "rejected", "yamlSyntax", { reason: `"&${anchor}" is no anchor` });
    if (this.#open.has(node)) {
      this.tell(at, "rejected", "yamlSyntax", { reason: itself });
      return null;
    }
    this.#open.add(node);
    try {
      if (isMap(node)) return { ...empty, shape: "map", children: this.children(node, at) };
      if (isSeq(node)) return { ...empty, shape: "list", ...this.#list(node, name, at) };
      if (!isScalar(node)) return null;
      const read = this.#scalar(node, at);
      if (read.kind === "nothing") {
        this.#mind(key, "ignored", "nothingGiven", { key: name });
        return null;
      }
      if (read.kind === "date") this.#mind(at, "rejected", "dateUnquoted", { key: name, value: read.text });
      const plain = node.type === undefined || node.type === Scalar.PLAIN;
      const verbatim = this.text.slice(at.start, at.end).indexOf(read.text);
      return {
        ...empty,
        shape: "value",
        value: read.text,
        written: plain ? textOf(node) : null,
        from: verbatim < 0 ? -1 : at.start + verbatim,
      };
    } finally {
      this.#open.delete(node);
    }
  }

  #list(list: YAMLSeq, name: string, at: Place): Pick<Tree, "value" | "items" | "children"> {
    this.#count(list.items.length);
    const items: Item[] = [];
    const children: Tree[] = [];
    let greatest = 0;
    list.items.forEach((written, index) => {
      const place = this.place(written as Node, at);
      const node = this.#behind(written as Node | null, place);
      const called = `[${index}]`;
      if (isMap(node)) {
        greatest = Math.max(greatest, 21);
        const child = this.#tree(called, place, node);
        if (child !== null) children.push(child);
        return;
      }
      const read: Read = isScalar(node) ? this.#scalar(node, place) : { kind: "nothing", text: "" };
      if (isSeq(node)) this.#mind(place, "rejected", "listInList", { key: name });
      else if (read.kind === "nothing") this.#mind(place, "rejected", "nothingInList", { key: name });
      else if (read.kind === "date")
        this.#mind(place, "rejected", "dateUnquoted", { key: name, value: read.text });
      greatest = Math.max(greatest, goKinds[read.kind] ?? 0);
      items.push({ text: read.text, at: place });
    });
    const value =
      items.length === 0 ? "" : [`${separator}${greatest}`, ...items.map(({ text }) => text)].join(separator);
    return { value, items, children };
  }
}

// Types are ours to find, and a second key of a name ours to tell.
const documentsOf = (text: string) => {
  const all = parseAllDocuments(text, { schema: "failsafe", uniqueKeys: false, logLevel: "silent" });
  return Array.isArray(all) ? all : [];
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const notAllowed = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]|\p{Surrogate}/u;

/** A tab where yaml.v3 wants blanks: before what may be a key. */
function wrongTab(text: string): number {
  let at = 0;
  let flow = 0;
  let keyMayCome = true;
  for (const lexeme of new Lexer().lex(text)) {
    const control = ["\u0002", "\u0018", "\u001f"].includes(lexeme);
    if (!control && flow === 0 && keyMayCome && /^[ \t]+$/.test(lexeme) && lexeme.includes("\t"))
      return at + lexeme.indexOf("\t");
    if (lexeme === "[" || lexeme === "{") flow += 1;
    if (lexeme === "]" || lexeme === "}") flow -= 1;
    if (!control && !/^ +$/.test(lexeme)) keyMayCome = /^(\r?\n|-|\?|\ufeff)$/.test(lexeme);
    if (!control) at += lexeme.length;
  }
  return -1;
}

/**
 * The top-level keys of a file. Null where it is no YAML, or no map: Traefik rejects that. Of several documents Traefik reads the first.
 * Throws TooMuch, and RangeError for what is too deep.
 */
export function readYaml(file: string, written: string, tell: Tell): Tree[] | null {
  const wrong = (start: number, end: number, reason: string) =>
    tell({ file, start, end: Math.max(start, end) }, "rejected", "yamlSyntax", { reason });
  // These are line breaks to yaml.v3.
  const text = written.replace(/[\u0085\u2028\u2029]/g, "\n");
  const control = notAllowed.exec(text)?.index ?? -1;
  if (control >= 0) wrong(control, control + 1, "control characters are not allowed");
  const tab = wrongTab(text);
  if (tab >= 0) wrong(tab, tab + 1, "a tab stands where blanks must");
  const [doc, second] = documentsOf(text);
  if (doc === undefined) return control < 0 && tab < 0 ? [] : null;
  const root = doc.contents;
  // What is less indented than the first line is no part of the document to yaml.v3, which looks no further.
  const [first] = doc.errors;
  const indent = root?.range ? root.range[0] - text.lastIndexOf("\n", root.range[0] - 1) - 1 : 0;
  const line = first ? text.lastIndexOf("\n", first.pos[0] - 1) + 1 : 0;
  if (
    first?.code === "UNEXPECTED_TOKEN" &&
    first.pos[0] - line < indent &&
    text.slice(line, first.pos[0]).trim() === ""
  ) {
    tell({ file, start: first.pos[0], end: first.pos[1] }, "ignored", "restNotRead", {}, "error");
    return readYaml(file, text.slice(0, line), tell);
  }
  for (const { pos, message } of doc.errors)
    wrong(pos[0], pos[1], (message.split("\n")[0] ?? message).replace(/ at line \d+, column \d+:?$/, ""));
  if (doc.errors.length > 0 || control >= 0 || tab >= 0) return null;
  if (second?.contents) {
    const start = second.range?.[0] ?? 0;
    tell({ file, start, end: second.range?.[1] ?? start }, "ignored", "moreDocuments");
  }
  const reader = new Reader(file, text, doc, tell);
  const whole = { file, start: 0, end: 0 };
  if (root === null) return [];
  if (isMap(root)) return reader.children(root, reader.place(root, whole), true);
  const plain = isScalar(root) && (root.type === undefined || root.type === Scalar.PLAIN);
  if (plain && resolved(textOf(root)).kind === "nothing") return [];
  tell(reader.place(root, whole), "rejected", "notAMap");
  return null;
}
