// What Traefik would make of its files: routers, services, middlewares … by name, each as a tree of its fields.
import type { Value } from "../validate/decode";
import { configuration, type Type } from "../validate/schema";
import { type ConfigurationFile, decodedFiles } from "../validate/validate";

/** A field: its text, a list, or fields by name. */
export type Field = string | readonly Field[] | Fields;
export type Fields = { readonly [name: string]: Field };

export type Element = {
  readonly protocol: "http" | "tcp" | "udp" | "tls";
  /** Routers, services, middlewares, serversTransports; of TLS: options, stores, certificates. */
  readonly section: string;
  readonly name: string;
  readonly fields: Fields;
};
export type Model = {
  /** By "http.routers.shop". */
  readonly elements: ReadonlyMap<string, Element>;
  /** There are files of which it is not known what they hold (TOML, templates of what only Traefik knows). */
  readonly hidden: boolean;
};

/** Certificates have no names: each is called by its files. */
const certificateName = ({ certFile = "", keyFile = "" }: Fields): string => {
  const texts = [certFile, keyFile].map((one) => (typeof one === "string" ? one : ""));
  // What is no path is the certificate itself, and the key.
  return texts.some((one) => one.includes("\n")) ? "PEM" : (texts[0] ?? "");
};

function fieldOf(type: Type, value: Value): Field {
  switch (type.is) {
    case "struct":
      return Object.fromEntries(
        [...value.fields].flatMap(([name, one]) => {
          const of = type.fields[name];
          return of === undefined || of.is === "internal" ? [] : [[name, fieldOf(of, one)]];
        }),
      );
    case "map":
      return Object.fromEntries([...value.fields].map(([name, one]) => [name, fieldOf(type.of, one)]));
    case "list":
      return type.of.is === "struct"
        ? value.items.map((one) => fieldOf(type.of, one))
        : value.texts.map(({ text }) => text);
    case "raw":
      if (value.fields.size > 0)
        return Object.fromEntries([...value.fields].map(([name, one]) => [name, fieldOf(type, one)]));
      if (value.items.length > 0 || value.texts.length > 0)
        return [...value.texts.map(({ text }) => text), ...value.items.map((one) => fieldOf(type, one))];
      return value.text;
    case "int":
      return String(value.whole);
    case "bool":
      return String(value.on);
    default:
      return value.text;
  }
}

const isFields = (field: Field): field is Fields => typeof field === "object" && !Array.isArray(field);

/** What the files say, the first file of a name first. Of files that Traefik rejects it is what can be read of them. */
export function modelOf(files: readonly ConfigurationFile[]): Model {
  const { values, hidden } = decodedFiles(files);
  const elements = new Map<string, Element>();
  const add = (protocol: Element["protocol"], section: string, name: string, fields: Field) => {
    const key = `${protocol}.${section}.${name}`;
    if (!elements.has(key) && isFields(fields)) elements.set(key, { protocol, section, name, fields });
  };
  for (const value of values) {
    const whole = fieldOf(configuration, value);
    for (const protocol of ["http", "tcp", "udp", "tls"] as const)
      for (const [section, field] of Object.entries(
        isFields(whole) ? (fieldsOf(whole, protocol) ?? {}) : {},
      )) {
        if (isFields(field))
          for (const [name, one] of Object.entries(field)) add(protocol, section, name, one);
        else if (typeof field !== "string")
          for (const one of field) if (isFields(one)) add(protocol, section, certificateName(one), one);
      }
  }
  return { elements, hidden };
}

/** A field as text; empty where there is none. */
export const textOf = (fields: Fields | undefined, name: string): string => {
  const found = fields?.[name];
  return typeof found === "string" ? found : "";
};
/** The texts of a list. */
export const textsOf = (fields: Fields | undefined, name: string): readonly string[] => {
  const found = fields?.[name];
  return Array.isArray(found) ? found.filter((one): one is string => typeof one === "string") : [];
};
/** A field's own fields; undefined where there are none. */
export const fieldsOf = (fields: Fields | undefined, name: string): Fields | undefined => {
  const found = fields?.[name];
  return found !== undefined && isFields(found) ? found : undefined;
};
