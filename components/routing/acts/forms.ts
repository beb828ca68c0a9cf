// The forms of the usual acts: their fields, and the act that they make.
import type { Act } from "@/lib/routing/edit/contract";
import type { ConfigWords } from "@/lib/routing/files/contract";

export type ActName = Act["act"];
/** Two texts that belong together: a user and a password, a service and its weight. */
export type Pair = { readonly first: string; readonly second: string };
export type Values = Readonly<Record<string, string | boolean | readonly string[] | readonly Pair[]>>;
type Listed = "entryPoints" | "routers" | "middlewares" | "services" | "certResolvers";

export type Field = {
  /** A key under messages `routing.acts.fields`; unique in its form. */
  readonly name: string;
  /** Where its value is in the act; its name when left out. */
  readonly at?: string;
  /** A key under messages `routing.acts.wrong`: what it must be. */
  readonly wrong: string;
  readonly placeholder?: string;
  /** Shown only then. */
  readonly when?: (values: Values) => boolean;
} & (
  | { readonly kind: "text" | "lines" | "csv" | "moment"; readonly first?: string }
  | { readonly kind: "number"; readonly first: string }
  | { readonly kind: "toggle"; readonly first: boolean }
  | { readonly kind: "names"; readonly of: Listed }
  | {
      readonly kind: "choice";
      readonly of: "service" | "resolver" | "version" | "versionOrNone";
      readonly first: string;
    }
  | { readonly kind: "users" | "parts" }
);

export type Form = {
  readonly fields: readonly Field[];
  /** What is asked of the server; not yet checked. */
  readonly make: (read: Reader) => unknown;
};

/** Reads what was typed. */
export type Reader = ReturnType<typeof readerOf>;

const isPair = (one: unknown): one is Pair => typeof one === "object" && one !== null && "first" in one;
const linesOf = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

/** "Name: value", one a line. */
const headersOf = (text: string) =>
  linesOf(text).map((line) => {
    const [name = "", value = ""] = line.split(/:\s*(.*)/s);
    return { name: name.trim(), value };
  });

export function readerOf(values: Values) {
  const text = (name: string): string => {
    const value = values[name];
    return typeof value === "string" ? value.trim() : "";
  };
  return {
    text,
    /** The text, or nothing where it is empty: for what may be left out. */
    given: (name: string): string | undefined => (text(name) === "" ? undefined : text(name)),
    number: (name: string): number | undefined => (text(name) === "" ? undefined : Number(text(name))),
    flag: (name: string): boolean => values[name] === true,
    lines: (name: string): string[] => linesOf(text(name)),
    headers: (name: string) => headersOf(text(name)),
    names(name: string): string[] {
      const value = values[name];
      return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
    },
    pairs(name: string): Pair[] {
      const value = values[name];
      const pairs = Array.isArray(value) ? value.filter(isPair) : [];
      return pairs.filter(({ first, second }) => first !== "" || second !== "");
    },
    /** "none": without TLS, which is null. */
    resolver: (name: string): string | null => (text(name) === "none" ? null : text(name).replace(/^=/, "")),
  };
}

const named = (first: string): Field => ({ name: "name", kind: "text", first, wrong: "name" });
const name = named("");
const entryPoints: Field = { name: "entryPoints", kind: "names", of: "entryPoints", wrong: "name" };
const routers: Field = { name: "routers", kind: "names", of: "routers", wrong: "name" };
const resolver: Field = {
  name: "certResolver",
  kind: "choice",
  of: "resolver",
  first: "none",
  wrong: "choose",
};
const path: Field = { name: "path", kind: "text", placeholder: "/en", wrong: "path" };
const depth: Field = { name: "depth", kind: "number", first: "0", wrong: "depth" };

/** By the act, in the order in which they are offered. */
export const forms: Record<ActName, Form> = {
  route: {
    fields: [
      name,
      { name: "hosts", kind: "lines", placeholder: "www.example.org", wrong: "hosts" },
      path,
      { name: "service", kind: "choice", of: "service", first: "", at: "to.service", wrong: "choose" },
      {
        name: "servers",
        kind: "lines",
        at: "to",
        placeholder: "http://10.0.0.7:8080",
        wrong: "servers",
        when: ({ service }) => service === "",
      },
      entryPoints,
      resolver,
      { name: "middlewares", kind: "names", of: "middlewares", wrong: "name" },
    ],
    make: (read) => ({
      name: read.text("name"),
      hosts: read.lines("hosts"),
      path: read.given("path"),
      to:
        read.given("service") === undefined
          ? { servers: read.lines("servers") }
          : { service: read.text("service") },
      entryPoints: read.names("entryPoints"),
      certResolver: read.resolver("certResolver"),
      middlewares: read.names("middlewares"),
    }),
  },
  redirects: {
    fields: [
      named("redirect"),
      {
        name: "csv",
        kind: "csv",
        placeholder: "https://old.example.org/a,https://www.example.org/b,permanent",
        wrong: "csv",
      },
      entryPoints,
      resolver,
    ],
    make: (read) => ({
      name: read.text("name"),
      csv: read.text("csv"),
      entryPoints: read.names("entryPoints"),
      certResolver: read.resolver("certResolver"),
    }),
  },
  headers: {
    fields: [
      name,
      { name: "request", kind: "lines", placeholder: "X-Forwarded-Prefix: /shop", wrong: "headers" },
      { name: "response", kind: "lines", placeholder: "X-Frame-Options: DENY", wrong: "headers" },
      routers,
    ],
    make: (read) => ({
      name: read.text("name"),
      request: read.headers("request"),
      response: read.headers("response"),
      routers: read.names("routers"),
    }),
  },
  basicAuth: {
    fields: [
      name,
      { name: "realm", kind: "text", wrong: "plain" },
      { name: "users", kind: "users", wrong: "users" },
      routers,
    ],
    make: (read) => ({
      name: read.text("name"),
      realm: read.text("realm"),
      users: read.pairs("users").map(({ first, second }) => ({
        name: first,
        ...(second === "" ? {} : { password: second }),
      })),
      routers: read.names("routers"),
    }),
  },
  ipAllowList: {
    fields: [
      name,
      { name: "ranges", kind: "lines", placeholder: "203.0.113.0/24", wrong: "ranges" },
      depth,
      routers,
    ],
    make: (read) => ({
      name: read.text("name"),
      ranges: read.lines("ranges"),
      depth: read.number("depth"),
      routers: read.names("routers"),
    }),
  },
  rateLimit: {
    fields: [
      name,
      { name: "average", kind: "number", first: "100", wrong: "positive" },
      { name: "periodS", kind: "number", first: "1", wrong: "positive" },
      { name: "burst", kind: "number", first: "200", wrong: "positive" },
      depth,
      routers,
    ],
    make: (read) => ({
      name: read.text("name"),
      average: read.number("average"),
      periodS: read.number("periodS"),
      burst: read.number("burst"),
      depth: read.number("depth"),
      routers: read.names("routers"),
    }),
  },
  canary: {
    fields: [
      name,
      { name: "parts", kind: "parts", wrong: "parts" },
      { name: "cookie", kind: "text", wrong: "cookie" },
      routers,
    ],
    make: (read) => ({
      name: read.text("name"),
      parts: read.pairs("parts").map(({ first, second }) => ({
        service: first,
        weight: second === "" ? undefined : Number(second),
      })),
      cookie: read.text("cookie"),
      routers: read.names("routers"),
    }),
  },
  maintenance: {
    fields: [
      { name: "on", kind: "toggle", first: true, wrong: "choose" },
      named("maintenance"),
      {
        name: "hosts",
        kind: "lines",
        placeholder: "www.example.org",
        wrong: "hosts",
        when: ({ on }) => on === true,
      },
      { ...path, when: ({ on }) => on === true },
      { ...entryPoints, when: ({ on }) => on === true },
      { name: "tls", kind: "toggle", first: false, wrong: "choose", when: ({ on }) => on === true },
      {
        name: "bypassNetworks",
        kind: "lines",
        at: "bypass.networks",
        placeholder: "203.0.113.0/24",
        wrong: "ranges",
        when: ({ on }) => on === true,
      },
      {
        name: "bypassHeader",
        kind: "text",
        at: "bypass.header",
        placeholder: "X-Preview: letmein",
        wrong: "headers",
        when: ({ on }) => on === true,
      },
      {
        name: "bypassCookie",
        kind: "text",
        at: "bypass.cookie",
        placeholder: "preview=letmein-2026",
        wrong: "bypassCookie",
        when: ({ on }) => on === true,
      },
      {
        name: "maintenanceService",
        kind: "choice",
        of: "service",
        first: "",
        at: "service",
        wrong: "choose",
        when: ({ on }) => on === true,
      },
      {
        name: "retryAfterS",
        kind: "number",
        first: "",
        wrong: "positive",
        when: ({ on }) => on === true,
      },
      { name: "until", kind: "moment", wrong: "moment", when: ({ on }) => on === true },
    ],
    make(read) {
      const common = { on: read.flag("on"), name: read.text("name") };
      if (!common.on) return { ...common, entryPoints: [] };
      const [header] = read.headers("bypassHeader");
      const [cookieName, cookieValue = ""] = read.text("bypassCookie").split(/=(.*)/s);
      const until = read.given("until");
      return {
        ...common,
        hosts: read.lines("hosts"),
        path: read.given("path"),
        entryPoints: read.names("entryPoints"),
        tls: read.flag("tls"),
        bypass: {
          networks: read.lines("bypassNetworks"),
          header,
          cookie: cookieName ? { name: cookieName.trim(), value: cookieValue.trim() } : undefined,
        },
        service: read.given("maintenanceService"),
        retryAfterS: read.number("retryAfterS"),
        // Typed in the reader's own time zone.
        until: until === undefined ? undefined : (momentOf(until) ?? until),
      };
    },
  },
  tlsOptions: {
    fields: [
      name,
      { name: "minVersion", kind: "choice", of: "version", first: "VersionTLS12", wrong: "choose" },
      { name: "maxVersion", kind: "choice", of: "versionOrNone", first: "", wrong: "choose" },
      {
        name: "cipherSuites",
        kind: "lines",
        placeholder: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        wrong: "plain",
      },
      { name: "sniStrict", kind: "toggle", first: false, wrong: "choose" },
      routers,
    ],
    make: (read) => ({
      name: read.text("name"),
      minVersion: read.text("minVersion"),
      maxVersion: read.given("maxVersion"),
      cipherSuites: read.lines("cipherSuites"),
      sniStrict: read.flag("sniStrict"),
      routers: read.names("routers"),
    }),
  },
};

export const actNames = Object.keys(forms).filter((one): one is ActName => one in forms);
export const tlsVersions = ["VersionTLS10", "VersionTLS11", "VersionTLS12", "VersionTLS13"] as const;

/** A moment as the browser's field has it ("2026-12-24T18:00"), in UTC; null where it is none. */
function momentOf(text: string): string | null {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? null : at.toISOString();
}

/** What a form holds before anybody types. */
export function emptyValues({ fields }: Form): Values {
  return Object.fromEntries(
    fields.map((field) => {
      if (field.kind === "names") return [field.name, []];
      if (field.kind === "users") return [field.name, [{ first: "", second: "" }]];
      if (field.kind === "parts")
        return [
          field.name,
          [
            { first: "", second: "90" },
            { first: "", second: "10" },
          ],
        ];
      return [field.name, "first" in field ? (field.first ?? "") : ""];
    }),
  );
}

/** The field that a place in the act belongs to ("hosts.2", "act.to"), and which of its entries, from 1; null: none of the form. */
export function fieldAt(
  form: Form,
  place: string,
): { readonly field: Field; readonly entry: number | null } | null {
  const wanted = place.replace(/^act\./, "");
  const [field] = form.fields
    .filter(({ name, at = name }) => wanted === at || wanted.startsWith(`${at}.`))
    .sort((one, other) => (other.at ?? other.name).length - (one.at ?? one.name).length);
  if (field === undefined) return null;
  const entry = /(?:^|\.)(\d+)(?:\.|$)/.exec(wanted.slice((field.at ?? field.name).length))?.[1];
  return { field, entry: entry === undefined ? null : Number(entry) + 1 };
}

/** The names that a field of names offers. What is another provider's cannot be changed here. */
export function offered(of: Listed, words: ConfigWords | undefined): readonly string[] {
  const list = words?.[of] ?? [];
  return of === "routers" ? list.filter((one) => !one.includes("@")) : list;
}
