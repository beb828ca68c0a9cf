// What of Traefik's configuration two models have otherwise: by names and fields, whatever the lines and their order.
import type { Difference } from "../files/contract";
import type { Element, Field, Model } from "./model";

/** What is shown of a value, by its whole path ("http.middlewares.auth.basicAuth.users[0]"). */
export type Mask = (path: string, value: string) => string;

/** Fields by their paths; what is empty is a value, too. */
function flat(field: Field, path = "", into = new Map<string, string>()): Map<string, string> {
  if (typeof field === "string") into.set(path, field);
  else if (Array.isArray(field)) {
    if (field.length === 0) into.set(path, "[]");
    for (const [index, one] of field.entries()) flat(one, `${path}[${index}]`, into);
  } else {
    const fields = Object.entries(field);
    if (fields.length === 0 && path !== "") into.set(path, "{}");
    for (const [name, one] of fields) flat(one, path === "" ? name : `${path}.${name}`, into);
  }
  return into;
}

const none: ReadonlyMap<string, string> = new Map();

function fieldsOf(
  key: string,
  before: Element | undefined,
  after: Element | undefined,
  mask: Mask,
): Difference["fields"] {
  const of = (one: Element | undefined) => (one === undefined ? none : flat(one.fields));
  const [old, now] = [of(before), of(after)];
  return [...new Set([...old.keys(), ...now.keys()])]
    .filter((path) => old.get(path) !== now.get(path))
    .map((path) => {
      const shown = (value: string | undefined) =>
        value === undefined ? null : mask(`${key}.${path}`, value);
      return { path, before: shown(old.get(path)), after: shown(now.get(path)) };
    });
}

/** In the order of the first model, what is new behind it. The order of names says nothing, that of lists does. */
export function differencesOf(before: Model, after: Model, mask: Mask): Difference[] {
  const keys = new Set([...before.elements.keys(), ...after.elements.keys()]);
  return [...keys].flatMap((key): Difference[] => {
    const [old, now] = [before.elements.get(key), after.elements.get(key)];
    const one = now ?? old;
    if (one === undefined) return [];
    const { protocol, section, name } = one;
    const kind = old === undefined ? "added" : now === undefined ? "removed" : "changed";
    const fields = fieldsOf(key, old, now, mask);
    return kind === "changed" && fields.length === 0 ? [] : [{ kind, protocol, section, name, fields }];
  });
}
