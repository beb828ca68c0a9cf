// What Sluice serves to Traefik's HTTP provider: all files of a revision as one document, with the mark.
import { isAlias, isMap, isScalar, isSeq, type Node, parseAllDocuments, Scalar, type YAMLMap } from "yaml";
import { AppError } from "../../errors/app-error";
import { inOrder } from "../validate/validate";
import { resolved } from "../validate/yaml";
import type { ConfigFile } from "./contract";
import { markerElement } from "./marker";

type Document = ReturnType<typeof parseAllDocuments<Node>>[number];

const sections = ["http", "tcp", "udp", "tls"];
/** What is repeated through anchors for ever is nobody's configuration. */
const mostNodes = 200_000;

const refuse = (problem: string, file: string, says: string): AppError =>
  new AppError("REFUSED", `${file}: ${says}`, { problem, params: { file } });

/** Says why files cannot be served over HTTP: templates and TOML are read by the file provider only. Throws AppError REFUSED. */
export function checkServable(files: readonly ConfigFile[]): void {
  for (const { name, text } of files) {
    if (/\.toml$/i.test(name)) throw refuse("routing.httpToml", name, "TOML cannot be served over HTTP.");
    if (text.includes("{{"))
      throw refuse("routing.httpTemplate", name, "A template cannot be served over HTTP.");
  }
  mergedOf(files);
}

/** A YAML value on one line, its words as they are written: Traefik reads them as it would in the file. */
class Flow {
  #nodes = 0;
  constructor(
    private readonly file: string,
    private readonly doc: Document,
  ) {}

  of(node: unknown): string {
    this.#nodes += 1;
    if (this.#nodes > mostNodes) throw refuse("routing.httpYaml", this.file, "It is too large.");
    if (isAlias(node)) return this.of(node.resolve(this.doc));
    if (isMap(node))
      return `{${[...this.pairs(node)].map(([key, value]) => `${JSON.stringify(key)}: ${this.of(value)}`).join(", ")}}`;
    if (isSeq(node)) return `[${node.items.map((item) => this.of(item)).join(", ")}]`;
    return isScalar(node) ? scalar(node) : "null";
  }

  /** The pairs of a map, and of those that are merged into it: its own go first. */
  pairs(map: YAMLMap): Map<string, unknown> {
    const own = new Map<string, unknown>();
    const merges: unknown[] = [];
    for (const { key, value } of map.items) {
      const name = isScalar(key) ? textOf(key) : String(key);
      if (name === "<<" && isScalar(key) && isPlain(key)) merges.push(value);
      else own.set(name, value);
    }
    for (const merge of merges)
      for (const [key, value] of this.merged(merge)) if (!own.has(key)) own.set(key, value);
    return own;
  }

  /** A map behind an alias, or several in a list, of which the first one's pairs go first. */
  private merged(node: unknown): Map<string, unknown> {
    const found = this.resolved(node);
    if (isMap(found)) return this.pairs(found);
    const all = new Map<string, unknown>();
    if (isSeq(found))
      for (const item of found.items)
        for (const [key, value] of this.merged(item)) if (!all.has(key)) all.set(key, value);
    return all;
  }

  resolved(node: unknown): unknown {
    return isAlias(node) ? node.resolve(this.doc) : node;
  }
}

const isPlain = (node: Scalar): boolean =>
  (node.type === undefined || node.type === Scalar.PLAIN) && node.tag === undefined;
const textOf = (node: Scalar): string => node.source ?? String(node.value ?? "");

/** A number, a boolean and nothing stay as they are written, so that nothing is rounded; everything else is quoted. */
function scalar(node: Scalar): string {
  const text = textOf(node);
  if (isPlain(node) && resolved(text).kind !== "text") return text === "" ? "null" : text;
  return JSON.stringify(text);
}

type Merged = {
  /** By section ("http") and kind ("routers"): each name with its value. */
  readonly named: Map<string, Map<string, Map<string, string>>>;
  readonly certificates: string[];
};

function mergedOf(files: readonly ConfigFile[]): Merged {
  const all: Merged = { named: new Map(), certificates: [] };
  for (const { name, text } of [...files].sort(inOrder)) {
    const [doc] = parseAllDocuments(text, { merge: false, uniqueKeys: false, keepSourceTokens: false });
    if (doc === undefined || !("contents" in doc) || doc.contents === null) continue;
    if (doc.errors.length > 0 || !isMap(doc.contents))
      throw refuse("routing.httpYaml", name, "It is no YAML that can be served.");
    addFile(all, new Flow(name, doc as Document), doc.contents);
  }
  return all;
}

function addFile({ named, certificates }: Merged, flow: Flow, root: YAMLMap): void {
  for (const [key, value] of flow.pairs(root)) {
    const section = key.toLowerCase();
    const kinds = flow.resolved(value);
    if (!sections.includes(section) || !isMap(kinds)) continue;
    for (const [kindKey, elements] of flow.pairs(kinds)) {
      const found = flow.resolved(elements);
      if (isSeq(found)) certificates.push(...found.items.map((item) => flow.of(item)));
      if (!isMap(found)) continue;
      const byKind = named.get(section) ?? new Map<string, Map<string, string>>();
      named.set(section, byKind);
      const kind = [...byKind.keys()].find((one) => one.toLowerCase() === kindKey.toLowerCase()) ?? kindKey;
      const byName = byKind.get(kind) ?? new Map<string, string>();
      byKind.set(kind, byName);
      // Of one name the first file's, as in a directory.
      for (const [name, element] of flow.pairs(found))
        if (!byName.has(name)) byName.set(name, flow.of(element));
    }
  }
}

/** One document of all files, never an empty one: the mark is always there. Throws AppError REFUSED for what is no YAML. */
export function bodyOf(files: readonly ConfigFile[], marker: string): string {
  const { named, certificates } = mergedOf(files);
  const http = named.get("http") ?? new Map<string, Map<string, string>>();
  named.set("http", http);
  const kind = [...http.keys()].find((one) => one.toLowerCase() === "middlewares") ?? "middlewares";
  const middlewares = http.get(kind) ?? new Map<string, string>();
  http.set(kind, middlewares.set(marker, JSON.stringify(markerElement)));
  const parts = new Map<string, string[]>();
  // An empty map would be rejected.
  for (const [section, kinds] of named)
    for (const [one, elements] of kinds)
      if (elements.size > 0)
        parts.set(section, [...(parts.get(section) ?? []), `${JSON.stringify(one)}: ${mapOf(elements)}`]);
  if (certificates.length > 0)
    parts.set("tls", [...(parts.get("tls") ?? []), `"certificates": [${certificates.join(", ")}]`]);
  return `{${[...parts].map(([section, kinds]) => `\n${JSON.stringify(section)}: {\n  ${kinds.join(",\n  ")}\n}`).join(",")}\n}\n`;
}

const mapOf = (elements: ReadonlyMap<string, string>): string =>
  `{${[...elements].map(([name, value]) => `${JSON.stringify(name)}: ${value}`).join(",\n    ")}}`;
