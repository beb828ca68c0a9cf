// The tree of a file as Traefik's structs: paerser's AddMetadata, which knows names, then its Fill, which knows values.
import { parseBool, parseDuration, parseInt64 } from "./go";
import type { Place, Tell } from "./problem";
import { configuration, fieldOf, type Struct, type Type } from "./schema";
import { type Item, separator, type Tree } from "./yaml";

/** What is written for a field, as Traefik has it in the end. */
export type Value = {
  readonly key: Place;
  readonly at: Place;
  readonly text: string;
  /** Where in the file the text begins, if it stands there as it is read; -1 otherwise. */
  readonly from: number;
  readonly whole: bigint;
  readonly on: boolean;
  /** Of a struct and of a map. */
  readonly fields: Map<string, Value>;
  /** Of a list of structs. */
  readonly items: readonly Value[];
  readonly texts: readonly Item[];
};

const isStruct = (type: Type): type is Struct => type.is === "struct";

/** How far two words are apart: letters put in, left out, changed. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= other.length; j += 1)
      next.push(
        Math.min(
          (row[j] ?? 0) + 1,
          (next[j - 1] ?? 0) + 1,
          (row[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1),
        ),
      );
    row = next;
  }
  return row[other.length] ?? 0;
}

/** No name that there is is as long. */
const longestName = 100;

/** The name that was meant, perhaps. */
export function nearest(name: string, names: readonly string[]): string | null {
  if (name.length > longestName) return null;
  const far = (one: string) => distance(name.toLowerCase(), one.toLowerCase());
  const [best] = [...names].sort((a, b) => far(a) - far(b));
  return best !== undefined && far(best) <= Math.max(1, Math.floor(name.length / 3)) ? best : null;
}

const namesOf = ({ fields }: Struct): string[] =>
  Object.entries(fields).flatMap(([name, type]) => (type.is === "internal" ? [] : [name]));

/** Of so many unknown names of a file it is told what was meant: that takes long. */
const mostHints = 500;

class Decoder {
  #hints = 0;
  /** Trees that Traefik switches off by a value, such as `tls: false`. */
  readonly #off = new Set<Tree>();
  constructor(private readonly tell: Tell) {}

  near(name: string, struct: Struct): string | null {
    this.#hints += 1;
    return this.#hints > mostHints ? null : nearest(name, namesOf(struct));
  }

  #unknown(tree: Tree, where: string, struct: Struct | null): void {
    const near = struct === null ? null : this.near(tree.name, struct);
    const params = { key: tree.name, where };
    if (near === null) this.tell(tree.key, "rejected", "unknownKey", params);
    else this.tell(tree.key, "rejected", "unknownKeyNear", { ...params, near });
  }

  /** AddMetadata of the children of what has this type. */
  browse(type: Type, parent: Tree): void {
    for (const tree of parent.children) {
      if (!isStruct(type)) {
        if (type.is !== "raw") this.#unknown(tree, parent.name, null);
        continue;
      }
      const found = fieldOf(type, tree.name);
      if (found === null) this.#unknown(tree, parent.name, type);
      else this.#field(found[1], tree);
    }
  }

  #field(type: Type, tree: Tree): void {
    const { name: key, at, children } = tree;
    if (type.is === "internal") {
      this.#off.add(tree);
      this.tell(tree.key, "ignored", "notForFiles", { key });
    } else if (isStruct(type) || type.is === "map") {
      if (children.length === 0) {
        if (!isStruct(type) || !type.mayBeEmpty) this.tell(tree.key, "rejected", "emptyElement", { key });
        else if (tree.value !== "" && tree.value.toLowerCase() !== "true") {
          this.#off.add(tree);
          if (tree.value.toLowerCase() !== "false")
            this.tell(at, "ignored", "switchedOff", { key, value: tree.value }, "error");
        }
        return;
      }
      if (isStruct(type)) {
        this.browse(type, tree);
        return;
      }
      if (tree.shape === "list") this.tell(at, "none", "listForMap", { key }, "error");
      for (const child of children)
        if (isStruct(type.of) || type.of.is === "raw") {
          if (child.children.length === 0 && (child.shape !== "map" || child.value !== ""))
            if (isStruct(type.of))
              this.tell(child.at, "ignored", "valueForMap", { key: child.name }, "error");
          this.browse(type.of, child);
        }
    } else if (type.is === "list") {
      if (isStruct(type.of)) {
        if (children.length === 0 && tree.value !== "")
          this.tell(at, "ignored", "valueForList", { key }, "error");
        else if (tree.shape === "map") this.tell(at, "none", "mapForList", { key }, "error");
      } else if (tree.shape === "map" && children.length > 0)
        this.tell(at, "ignored", "valueForList", { key }, "error");
      for (const child of children) this.browse(type.of, child);
    } else if (children.length > 0) this.tell(at, "rejected", "mapForValue", { key });
  }

  /** Fill. `before`: what the same field has already, by a key in another case. */
  fill(type: Type, tree: Tree, before?: Value): Value {
    const { key, at, name } = tree;
    const value = {
      key,
      at,
      text: tree.value,
      from: tree.from,
      whole: 0n,
      on: false,
      fields: before?.fields ?? new Map<string, Value>(),
      items: before?.items ?? [],
      texts: before?.texts ?? [],
    };
    if (isStruct(type)) {
      for (const child of tree.children) {
        const found = fieldOf(type, child.name);
        if (found === null || this.#off.has(child)) continue;
        const [field, of] = found;
        const known = value.fields.get(field);
        if (known !== undefined) this.tell(child.key, "none", "sameKeyInOtherCase", { key: child.name });
        value.fields.set(field, this.fill(of, child, known));
      }
    } else if (type.is === "map") {
      for (const child of tree.children) {
        if (type.of.is === "text") this.#flat(child.name, child, value.fields);
        else value.fields.set(child.name, this.fill(type.of, child, value.fields.get(child.name)));
      }
    } else if (type.is === "list") {
      if (isStruct(type.of)) return { ...value, items: tree.children.map((one) => this.fill(type.of, one)) };
      return { ...value, texts: this.#texts(tree) };
    } else if (type.is === "raw") {
      for (const child of tree.children) {
        this.#rawLists(child);
        value.fields.set(child.name, this.#raw(child));
      }
    } else if (tree.children.length === 0 || type.is === "text") {
      const shown = { key: name, value: tree.shape === "list" ? "[…]" : tree.value };
      const on = parseBool(tree.value);
      const whole = parseInt64(tree.value);
      if (type.is === "bool" && on === null) this.tell(at, "rejected", "notBoolean", shown);
      if (type.is === "int" && whole === null) this.tell(at, "rejected", "notNumber", shown);
      if (type.is === "duration" && parseDuration(tree.value) === null)
        this.tell(at, "rejected", "notDuration", shown);
      if (type.is === "text") this.#text(tree);
      return { ...value, on: on ?? false, whole: whole ?? 0n };
    }
    return value;
  }

  #text(tree: Tree): void {
    const { name: key, at, value, written } = tree;
    if (tree.shape === "list" && value !== "") this.tell(at, "none", "listForValue", { key }, "error");
    else if (written !== null && written !== value)
      // Not what it is: it may be a password.
      this.tell(at, "none", "numberChanged", { key });
  }

  /** A map of texts: what is deeper in it becomes names with dots. */
  #flat(name: string, tree: Tree, into: Map<string, Value>): void {
    if (tree.children.length > 0) {
      for (const child of tree.children) this.#flat(`${name}.${child.name}`, child, into);
      return;
    }
    if (name !== tree.name) this.tell(tree.key, "none", "flattened", { key: tree.name, read: name }, "error");
    this.#text(tree);
    into.set(name, this.fill({ is: "internal" }, tree));
  }

  /** A list of texts; one text is as many as it has commas. */
  #texts({ shape, value, items, at }: Tree): Item[] {
    if (value === "" || shape === "map") return [];
    const texts =
      shape === "list"
        ? items.flatMap((one) => one.text.split(separator).map((text) => ({ text, at: one.at })))
        : value.split(",").map((text) => ({ text, at }));
    return texts.map((one) => ({ ...one, text: one.text.trim() }));
  }

  /** A plugin's own, as it is written. */
  #raw(tree: Tree): Value {
    const { key, at, value: text, from, shape } = tree;
    const children = tree.children.map((child): [string, Value] => [child.name, this.#raw(child)]);
    const plain = {
      ...{ key, at, text, from, whole: 0n, on: false, items: [], texts: [] },
      fields: new Map<string, Value>(),
    };
    if (shape === "map") return { ...plain, fields: new Map(children) };
    if (shape !== "list") return plain;
    return { ...plain, text: "", texts: tree.items, items: children.map(([, child]) => child) };
  }

  /** Lists in a plugin's configuration have one kind: its numbers must be numbers. */
  #rawLists(tree: Tree): void {
    const kind = new RegExp(`^${separator}(\\d+)${separator}`).exec(tree.value)?.[1];
    const wrong = tree.items.some(
      ({ text }) =>
        (kind === "2" && parseInt64(text) === null) || (kind === "14" && !/^[-+\d.]|Inf|NaN/.test(text)),
    );
    if (wrong) this.tell(tree.at, "rejected", "mixedList", { key: tree.name });
    for (const child of tree.children) this.#rawLists(child);
  }
}

/** Traefik's configuration in a file of these top-level keys. What is told as "rejected" would have stopped Traefik there. */
export function decode(trees: readonly Tree[], whole: Place, tell: Tell): Value {
  const decoder = new Decoder(tell);
  const known = trees.filter((tree) => {
    if (fieldOf(configuration, tree.name) !== null) return true;
    const near = decoder.near(tree.name, configuration);
    if (near === null) tell(tree.key, "ignored", "unknownTopKey", { key: tree.name });
    else tell(tree.key, "ignored", "unknownTopKeyNear", { key: tree.name, near }, "error");
    return false;
  });
  const root: Tree = {
    name: "root",
    key: whole,
    at: whole,
    shape: "map",
    value: "",
    written: null,
    from: -1,
    items: [],
    children: known,
  };
  decoder.browse(configuration, root);
  return decoder.fill(configuration, root);
}
