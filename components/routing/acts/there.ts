// What Traefik's files have already under the name that a form is for, as the form's fields show it.
import { parseDocument } from "yaml";
import type { ConfigFile } from "@/lib/routing/files/contract";
import { type ActName, emptyValues, forms, type Pair, tlsVersions, type Values } from "./forms";

type Tree = Readonly<Record<string, unknown>>;
/** Everything of one kind by its name, of one name the first file's, as Traefik has it. */
type Found = ReadonlyMap<string, { readonly file: string; readonly value: Tree }>;

export type There = {
  readonly file: string;
  /** What the form's fields have then, its name's too; null: it cannot be shown in them. */
  readonly values: Values | null;
  /** What the form has fields for that cannot show it, in the file's own words: to save the form replaces it. */
  readonly replaced: readonly string[];
};

const isTree = (value: unknown): value is Tree =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const treeOf = (value: unknown): Tree => (isTree(value) ? value : {});
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const textOf = (value: unknown): string => (value === undefined || value === null ? "" : String(value));
const linesOf = (value: unknown): string => listOf(value).map(textOf).join("\n");

/** What a form can edit; the server leaves TOML, templates and broken files alone. */
function contentOf({ name, text }: ConfigFile): Tree {
  if (name.endsWith(".toml") || text.includes("{{")) return {};
  // The parser would compare each key with each other one.
  const parsed = parseDocument(text, { merge: true, uniqueKeys: false, logLevel: "silent" });
  if (parsed.errors.length > 0) return {};
  try {
    return treeOf(parsed.toJS({ maxAliasCount: 10_000 }));
  } catch {
    // Aliases that unfold without an end.
    return {};
  }
}

/** The files' own elements, for `thereOf`; read once. */
export function elementsOf(files: readonly ConfigFile[]): (section: "http" | "tls", kind: string) => Found {
  // A file of a folder comes before those whose name goes on, as in the order of the server.
  const key = ({ name }: ConfigFile) => name.replaceAll("/", "\0");
  const read = [...files]
    .sort((a, b) => (key(a) < key(b) ? -1 : 1))
    .map((file) => ({ file: file.name, content: contentOf(file) }));
  return (section, kind) => {
    const found = new Map<string, { file: string; value: Tree }>();
    for (const { file, content } of read)
      for (const [name, value] of Object.entries(treeOf(treeOf(content[section])[kind])))
        if (!found.has(name)) found.set(name, { file, value: treeOf(value) });
    return found;
  };
}
export type Elements = ReturnType<typeof elementsOf>;

const quoted = '(?:`[^`]*`|"[^"\\\\]*")';
const hostShape = `Host\\(${quoted}\\)`;
const plainRule = new RegExp(
  `^\\s*(?:(${hostShape})|\\(\\s*(${hostShape}(?:\\s*\\|\\|\\s*${hostShape})*)\\s*\\))(?:\\s*&&\\s*PathPrefix\\((${quoted})\\))?\\s*$`,
);
const hostsOnly = new RegExp(`^\\s*${hostShape}(?:\\s*\\|\\|\\s*${hostShape})*\\s*$`);
const inQuotes = (text: string): string[] =>
  [...text.matchAll(new RegExp(quoted, "g"))].map(([one]) => one.slice(1, -1));

/** Hosts, and one path under them; null: the rule asks something else. */
export function plainRuleOf(rule: string): { readonly hosts: string[]; readonly path: string } | null {
  if (hostsOnly.test(rule)) return { hosts: inQuotes(rule), path: "" };
  const [match, one, several, path = ""] = plainRule.exec(rule) ?? [];
  return match === undefined
    ? null
    : { hosts: inQuotes(one ?? several ?? ""), path: inQuotes(path)[0] ?? "" };
}

const seconds: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1, ms: 0.001 };
/** Whole seconds of a duration as Traefik has it ("1m30s", or a number of seconds); null: it is none. */
export function secondsOf(period: string): number | null {
  if (!/^(\d+|(\d+(\.\d+)?(h|ms?|s))+)$/.test(period)) return null;
  const parts = [...period.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)?/g)];
  const sum = parts.reduce((all, [, amount, unit = "s"]) => all + Number(amount) * (seconds[unit] ?? 1), 0);
  return Number.isInteger(sum) && sum > 0 ? sum : null;
}

const headersOf = (value: unknown): string =>
  Object.entries(treeOf(value))
    .map(([name, one]) => `${name}: ${textOf(one)}`)
    .join("\n");

type Shown = { readonly values: Values; readonly replaced?: readonly string[] };

function routeShown(value: Tree, services: Found, name: string): Shown {
  const rule = textOf(value.rule);
  const plain = plainRuleOf(rule);
  const own = treeOf(services.get(name)?.value.loadBalancer).servers;
  const resolver = textOf(treeOf(value.tls).certResolver);
  return {
    values: {
      hosts: plain?.hosts.join("\n") ?? "",
      path: plain?.path ?? "",
      service: textOf(value.service),
      servers: listOf(own)
        .map((server) => textOf(treeOf(server).url))
        .join("\n"),
      entryPoints: listOf(value.entryPoints).map(textOf),
      certResolver: "tls" in value ? `=${resolver}` : "none",
      middlewares: listOf(value.middlewares).map(textOf),
    },
    replaced: plain === null && rule !== "" ? [rule] : [],
  };
}

function basicAuthShown(has: Tree): Shown {
  const users = listOf(has.users).map(
    (user): Pair => ({ first: textOf(user).split(":")[0] ?? "", second: "" }),
  );
  return {
    values: {
      realm: textOf(has.realm),
      users: users.length === 0 ? [{ first: "", second: "" }] : users,
    },
  };
}

function rateLimitShown(has: Tree): Shown {
  const period = textOf(has.period ?? "1s");
  const periodS = secondsOf(period);
  return {
    values: {
      average: textOf(has.average),
      periodS: textOf(periodS ?? "1"),
      burst: textOf(has.burst ?? "1"),
      depth: textOf(treeOf(treeOf(has.sourceCriterion).ipStrategy).depth ?? "0"),
    },
    replaced: periodS === null ? [`period: ${period}`] : [],
  };
}

function canaryShown(has: Tree): Shown {
  const cookie = textOf(treeOf(treeOf(has.sticky).cookie).name);
  return {
    values: {
      parts: listOf(has.services).map((one) => ({
        first: textOf(treeOf(one).name),
        second: textOf(treeOf(one).weight ?? "1"),
      })),
      cookie,
    },
    // Traefik makes up a name where none is given.
    replaced: "sticky" in has && cookie === "" ? ["sticky"] : [],
  };
}

function tlsOptionsShown(value: Tree): Shown {
  const versionOf = (given: unknown) => tlsVersions.find((one) => one === given);
  return {
    values: {
      minVersion: versionOf(value.minVersion) ?? "VersionTLS12",
      maxVersion: versionOf(value.maxVersion) ?? "",
      cipherSuites: linesOf(value.cipherSuites),
      sniStrict: value.sniStrict === true,
    },
  };
}

/** Where the forms' things are, and in which field of them what is asked for stands. */
const places: Readonly<
  Record<ActName, { readonly section: "http" | "tls"; readonly kind: string; readonly type?: string }>
> = {
  route: { section: "http", kind: "routers" },
  redirects: { section: "http", kind: "routers" },
  maintenance: { section: "http", kind: "routers" },
  headers: { section: "http", kind: "middlewares", type: "headers" },
  basicAuth: { section: "http", kind: "middlewares", type: "basicAuth" },
  ipAllowList: { section: "http", kind: "middlewares", type: "ipAllowList" },
  rateLimit: { section: "http", kind: "middlewares", type: "rateLimit" },
  canary: { section: "http", kind: "services", type: "weighted" },
  tlsOptions: { section: "tls", kind: "options" },
};

function shownOf(act: ActName, elements: Elements, name: string, value: Tree): Shown | null {
  const has = treeOf(value[places[act].type ?? ""]);
  if (act === "route") return routeShown(value, elements("http", "services"), name);
  if (act === "headers")
    return {
      values: {
        request: headersOf(has.customRequestHeaders),
        response: headersOf(has.customResponseHeaders),
      },
    };
  if (act === "basicAuth") return basicAuthShown(has);
  if (act === "ipAllowList")
    return {
      values: { ranges: linesOf(has.sourceRange), depth: textOf(treeOf(has.ipStrategy).depth ?? "0") },
    };
  if (act === "rateLimit") return rateLimitShown(has);
  if (act === "canary") return canaryShown(has);
  return act === "tlsOptions" ? tlsOptionsShown(value) : null;
}

/** Names that a form would change instead of making them. */
export function namesOf(act: ActName, elements: Elements): string[] {
  const { section, kind, type } = places[act];
  if (act === "redirects") return [];
  return [...elements(section, kind)].flatMap(([name, { value }]) =>
    type === undefined || type in value ? [name] : [],
  );
}

/** What is there under this name; null: nothing that this form would change. */
export function thereOf(act: ActName, elements: Elements, name: string): There | null {
  const { section, kind, type } = places[act];
  const all = elements(section, kind);
  const numbered = (one: string) => one.startsWith(`${name}-`) && /^\d+$/.test(one.slice(name.length + 1));
  const key = act === "redirects" ? [...all.keys()].find(numbered) : name;
  const found = key === undefined ? undefined : all.get(key);
  // What is something else of that name the server refuses to change.
  if (found === undefined || (type !== undefined && !(type in found.value))) return null;
  const shown = shownOf(act, elements, name, found.value);
  return {
    file: found.file,
    values: shown === null ? null : { ...emptyValues(forms[act]), ...shown.values, name },
    replaced: shown?.replaced ?? [],
  };
}
