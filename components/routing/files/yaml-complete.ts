// What may be written at a place of Traefik's files: fields by their path, and names that exist.
import type { ConfigWords } from "@/lib/routing/files/contract";
import { namesIn, placeAt } from "./yaml-place";

export type Choice = {
  readonly label: string;
  readonly insert: string;
  readonly type: "property" | "constant" | "variable";
  /** What it takes. */
  readonly detail: string;
};
export type Choices = { readonly from: number; readonly choices: readonly Choice[] };
type File = { readonly name: string; readonly text: string };

const partsOf = (path: string): string[] =>
  path
    .replaceAll("[]", ".[]")
    .split(".")
    .filter((part) => part !== "");

/** Fields of the struct at a path. Traefik knows no upper and lower case in names. */
function fieldsAt({ fields }: ConfigWords, path: readonly string[]) {
  const fits = (key: string): boolean => {
    const parts = partsOf(key);
    return (
      parts.length === path.length &&
      parts.every((part, index) => part === "*" || part.toLowerCase() === path[index]?.toLowerCase())
    );
  };
  return Object.entries(fields).find(([key]) => fits(key))?.[1] ?? [];
}

/** The names that the value of a key may be, by the last keys of its path. */
function namesFor(path: readonly string[], words: ConfigWords, files: readonly File[]): string[] {
  const keys = path.filter((part) => part !== "[]");
  const [last = "", before = ""] = [keys.at(-1)?.toLowerCase(), keys.at(-2)?.toLowerCase()];
  const own = (section: "routers" | "services" | "middlewares") => [
    ...new Set([...files.flatMap(({ text }) => namesIn(text)[section]), ...words[section]]),
  ];
  if (last === "entrypoints") return words.entryPoints;
  if (last === "certresolver") return words.certResolvers;
  if (last === "middlewares" && path.at(-1) === "[]") return own("middlewares");
  if (last === "parentrefs") return own("routers");
  if (last === "service" || last === "fallback") return own("services");
  return last === "name" && (before === "services" || before === "mirrors") ? own("services") : [];
}

/** What can stand at `pos` of a text; null where nothing is known. */
export function yamlChoices(
  text: string,
  pos: number,
  words: ConfigWords,
  files: readonly File[],
): Choices | null {
  const place = placeAt(text, pos);
  if (place === null) return null;
  const behind = /^[^\n]*/.exec(text.slice(pos))?.[0] ?? "";
  const names = (list: readonly string[], type: Choice["type"]): Choice[] =>
    list.map((name) => ({ label: name, insert: name, type, detail: "" }));
  if (place.kind === "value") {
    const field = fieldsAt(words, place.path.slice(0, -1)).find(
      ({ name }) => name.toLowerCase() === place.path.at(-1)?.toLowerCase(),
    );
    const choices = [
      ...names(namesFor(place.path, words, files), "variable"),
      ...names(field !== undefined && field.takes === "yes/no" ? ["true", "false"] : [], "constant"),
    ];
    return choices.length === 0 ? null : { from: place.from, choices };
  }
  const choices = [
    ...(place.path.at(-1) === "[]" ? names(namesFor(place.path, words, files), "variable") : []),
    ...fieldsAt(words, place.path).map(
      ({ name, takes }): Choice => ({
        label: name,
        // What takes more than one value goes on in the lines below.
        insert: /^[\w-]*\s*:/.test(behind) ? name : `${name}:${/^(list|map)$/.test(takes) ? "" : " "}`,
        type: "property",
        detail: takes,
      }),
    ),
  ];
  return choices.length === 0 ? null : { from: place.from, choices };
}

/** What the key at `pos` takes; null where it is not known. */
export function yamlMeaning(text: string, pos: number, words: ConfigWords) {
  const start = text.lastIndexOf("\n", pos - 1) + 1;
  const line = /^[^\n]*/.exec(text.slice(start))?.[0] ?? "";
  const key = /^((?:\s|-\s)*)([\w-]+):(?:\s|$)/.exec(line);
  if (key === null) return null;
  const [from, name] = [start + (key[1] ?? "").length, key[2] ?? ""];
  if (pos < from || pos > from + name.length) return null;
  const place = placeAt(text, from + name.length);
  const field =
    place && fieldsAt(words, place.path).find((one) => one.name.toLowerCase() === name.toLowerCase());
  return place && field
    ? { from, to: from + name.length, title: [...place.path, field.name].join("."), takes: field.takes }
    : null;
}
