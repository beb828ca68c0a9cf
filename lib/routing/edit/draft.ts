// Traefik's files while an act is done in them: what is in them by name, and what is to be written into each.
import { AppError } from "../../errors/app-error";
import type { ConfigFile } from "../files/contract";
import { hostsOf, httpPriority } from "../match";
import { contentOf, isTree, Marked, type Patch, patched } from "./patch";

type Section = "http" | "tls";
type Tree = Readonly<Record<string, unknown>>;
export type Element = { readonly name: string; readonly file: string; readonly value: Tree };
type Why = "toml" | "template" | "syntax" | "layout";

const words: Readonly<Record<Why, string>> = {
  toml: "it is TOML",
  template: "it is a template",
  syntax: "it is no valid YAML",
  layout: "it is laid out in a way that cannot be changed here without changing something else",
};
const byHand = (file: string, why: Why): AppError =>
  new AppError("REFUSED", `${file} cannot be edited by a form, ${words[why]}: edit it by hand.`, {
    problem: `routing.edit.${why}`,
    params: { file },
  });

const sections = ["http", "tcp", "udp", "tls", "routers", "services", "middlewares", "options"];
/** Traefik takes its own words in any case, and so in two. */
const otherCase = (content: Tree): boolean =>
  [content, content.http, content.tls].some(
    (tree) =>
      isTree(tree) &&
      Object.keys(tree).some((key) => !sections.includes(key) && sections.includes(key.toLowerCase())),
  );

/** Why a form leaves a file alone; its content where it does not. */
function read({ name, text }: ConfigFile): Why | Tree {
  if (name.endsWith(".toml")) return "toml";
  if (text.includes("{{")) return "template";
  const content = contentOf(text);
  if (content === null) return "syntax";
  return otherCase(content) ? "layout" : content;
}

/** As Traefik merges them: of one name the first file's, in the order of the names' bytes. */
const inOrder = (a: string, b: string): number => {
  const [left = "", right = ""] = [a, b].map((name) => name.replaceAll("/", "\0"));
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
};
const ordinary = "sluice.yml";

export class Draft {
  readonly #read: ReadonlyMap<string, Why | Tree>;
  readonly #elements = new Map<string, Map<string, Element>>();
  readonly #patches = new Map<string, Record<string, Patch>>();
  readonly #newIn: string;

  /** `file`: where new things are written. Throws AppError REFUSED where that is a file that no form can edit. */
  constructor(
    private readonly files: readonly ConfigFile[],
    file: string | undefined,
  ) {
    this.#read = new Map(
      [...files].sort((a, b) => inOrder(a.name, b.name)).map((one) => [one.name, read(one)]),
    );
    const given =
      file === undefined ? undefined : (this.#read.get(file) ?? (file.endsWith(".toml") ? "toml" : {}));
    if (file !== undefined && typeof given === "string") throw byHand(file, given);
    this.#newIn = file ?? this.#free();
  }

  #free(): string {
    for (let number = 1; ; number += 1) {
      const name = number === 1 ? ordinary : ordinary.replace(".", `-${number}.`);
      if (typeof this.#read.get(name) !== "string") return name;
    }
  }

  /** All elements of a kind, of one name the one that Traefik takes. */
  all(section: Section, kind: string): ReadonlyMap<string, Element> {
    const place = `${section}.${kind}`;
    const known = this.#elements.get(place);
    if (known !== undefined) return known;
    const found = new Map<string, Element>();
    for (const [file, content] of this.#read) {
      const top = typeof content === "string" ? undefined : content[section];
      const elements = isTree(top) ? top[kind] : undefined;
      for (const [name, value] of Object.entries(isTree(elements) ? elements : {}))
        if (!found.has(name)) found.set(name, { name, file, value: isTree(value) ? value : {} });
    }
    this.#elements.set(place, found);
    return found;
  }
  get routers(): ReadonlyMap<string, Element> {
    return this.all("http", "routers");
  }

  /** A router that an act is for. Throws AppError INVALID_INPUT where there is none of that name, REFUSED where no form can edit it. */
  router(name: string): Element {
    const found = this.routers.get(name);
    if (found !== undefined) return found;
    const word = `["']?${name.replaceAll(".", "\\.")}["']?`;
    const defines = new RegExp(`^\\s*${word}\\s*:|routers\\.${word}[\\].]`, "m");
    for (const { name: file, text } of this.files) {
      const why = this.#read.get(file);
      if (typeof why === "string" && defines.test(text)) throw byHand(file, why);
    }
    throw new AppError("INVALID_INPUT", `No router of these files is called ${name}.`, {
      problem: "routing.edit.noRouter",
      params: { name },
      field: "routers",
    });
  }

  /**
   * What an element of this type has; null: there is none of that name. Throws AppError CONFLICT where it is of another type.
   */
  typed(kind: "services" | "middlewares", name: string, type: string): Tree | null {
    const found = this.all("http", kind).get(name);
    if (found === undefined) return null;
    const other = Object.keys(found.value).find(
      (key) => key !== type && (kind !== "services" || key !== "middlewares"),
    );
    if (other !== undefined) throw taken(found);
    const value = found.value[type];
    return isTree(value) ? value : {};
  }

  /** To be written: into the file where it is, else where new things go. Null takes it away. */
  put(section: Section, kind: string, name: string, patch: Patch | Marked | null, fresh?: string): void {
    const file =
      this.all(section, kind).get(name)?.file ?? (patch === null ? undefined : (fresh ?? this.#newIn));
    if (file === undefined) return;
    const whole = (this.#patches.get(file) ?? {}) as Record<string, Record<string, Record<string, unknown>>>;
    this.#patches.set(file, whole as Record<string, Patch>);
    whole[section] ??= {};
    const top = whole[section];
    top[kind] ??= {};
    const elements = top[kind];
    const before = elements[name];
    elements[name] =
      isTree(before) && isTree(patch) && !(patch instanceof Marked) ? { ...before, ...patch } : patch;
  }

  /** Puts a middleware before those that the routers have; where they have it, it stays where it is. */
  attach(middleware: string, routers: readonly string[]): void {
    for (const name of routers) {
      const has = this.router(name).value.middlewares;
      const list = Array.isArray(has) ? has.map(String) : [];
      if (list.includes(middleware) || list.includes(`${middleware}@file`)) continue;
      this.put("http", "routers", name, { middlewares: [middleware, ...list] });
    }
  }

  /** The highest priority of a router that is none of `except`. */
  highest(except: (name: string) => boolean): number {
    let most = 0;
    for (const { name, value } of this.routers.values()) {
      if (except(name)) continue;
      const given = Number(value.priority ?? 0);
      most = Math.max(most, given === 0 ? httpPriority(String(value.rule ?? "")) : given);
    }
    if (most < Number.MAX_SAFE_INTEGER) return most;
    throw new AppError("REFUSED", "A router has so high a priority that none can be put above it.", {
      problem: "routing.edit.priority",
    });
  }

  #optionsOf: Map<string, string> | undefined;
  /** The TLS options that the routers of a host have: a host has one, or Traefik takes the default ones for it. */
  tlsOptionsOf(host: string): string | undefined {
    if (this.#optionsOf === undefined) {
      this.#optionsOf = new Map();
      for (const { value } of this.routers.values()) {
        const options = isTree(value.tls) ? value.tls.options : undefined;
        if (typeof options !== "string" || options === "" || options === "default") continue;
        for (const one of namedHosts(String(value.rule ?? ""))) this.#optionsOf.set(one, options);
      }
    }
    return this.#optionsOf.get(host.toLowerCase());
  }

  /** The files with all that in them; one that nothing is left of is left out. Throws AppError REFUSED for what cannot be done exactly. */
  done(): ConfigFile[] {
    const names = [...new Set([...this.files.map(({ name }) => name), ...this.#patches.keys()])];
    return names.flatMap((name) => {
      const text = this.files.find((one) => one.name === name)?.text ?? "";
      const patch = this.#patches.get(name);
      const next = patch === undefined ? text : patched(text, patch);
      if (next === null) throw byHand(name, "layout");
      return next !== text && /^\s*(---\s*)?$/.test(next) ? [] : [{ name, text: next }];
    });
  }
}

/** There is something else of that name. */
export const taken = ({ name, file }: Element): AppError =>
  new AppError("CONFLICT", `${name} is in ${file} already, and is something else: choose another name.`, {
    problem: "routing.edit.taken",
    params: { name, file },
    field: "name",
  });

/** None where the rule is none. */
function namedHosts(rule: string): string[] {
  try {
    return hostsOf(rule);
  } catch {
    return [];
  }
}
