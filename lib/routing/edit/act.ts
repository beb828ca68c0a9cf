// The usual acts on Traefik's files: a route, redirects, basic auth … written as somebody would who edits them by hand with care. How
// the text is touched is in patch.ts: in place, because to write the parsed file anew would change lines that nobody asked about.
import { compare, hash } from "bcryptjs";
import { AppError } from "../../errors/app-error";
import { parseNetwork } from "../address";
import type { ConfigFile } from "../files/contract";
import { cipherSuites, tlsVersions } from "../validate/tls-names";
import type { Act } from "./contract";
import { goString, redirectsOf } from "./csv";
import { Draft, type Element, taken } from "./draft";
import { maintenancesIn, markOf } from "./maintenance-ends";
import { isTree, Marked, type Patch, type Value } from "./patch";

type Of<Name extends Act["act"]> = Extract<Act, { act: Name }>;
type Tree = Readonly<Record<string, unknown>>;

/** Traefik v3 understands $2a$, $2b$ and $2y$; more rounds would cost each request more. */
const bcryptCost = 10;
/** bcrypt reads no more of a password. */
const passwordBytes = 72;
/** Above what Docker labels and other providers have by the length of their rules. */
const overOthers = 10_000;
const faultsTold = 20;
/** All files together, in UTF-8, as `configFiles` has it (files/contract.ts). */
const mostBytes = 2_000_000;
/** bcrypt takes twice as long for each: a hash of more would keep the processor for seconds up to days. */
const mostCost = 14;

const invalid = (
  key: string,
  message: string,
  params: Record<string, string | number>,
  field: string,
): AppError => new AppError("INVALID_INPUT", message, { problem: `routing.edit.${key}`, params, field });

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
/** A list that says nothing is not written: Traefik has its own then. */
const orNone = <T>(list: readonly T[]): readonly T[] | null => (list.length === 0 ? null : list);
/** A map that is to be exactly this one. */
const exactly = (has: unknown, wanted: Readonly<Record<string, string>>): Patch | null =>
  Object.keys(wanted).length === 0
    ? null
    : { ...Object.fromEntries(Object.keys(isTree(has) ? has : {}).map((key) => [key, null])), ...wanted };

const anyOf = (hosts: readonly string[]): string => {
  const all = hosts.map((host) => `Host(${goString(host)})`).join(" || ");
  return hosts.length > 1 ? `(${all})` : all;
};
const ruleOf = (hosts: readonly string[], path: string | undefined, more: readonly string[] = []): string => {
  const parts = [
    ...(hosts.length === 0 ? [] : [anyOf(hosts)]),
    ...(path === undefined && hosts.length > 0 ? [] : [`PathPrefix(${goString(path ?? "/")})`]),
    ...more,
  ];
  const [only = ""] = parts;
  return parts.length > 1 || !only.startsWith("(") ? parts.join(" && ") : only.slice(1, -1);
};

function checkNetworks(networks: readonly string[], field: string): void {
  for (const [index, value] of networks.entries())
    if (parseNetwork(value) === null)
      throw invalid("network", `${value} is no IP address or network.`, { value }, `${field}.${index}`);
}

/** TLS of a router for these hosts; null: none. */
function tlsOf(draft: Draft, has: unknown, resolver: string | null, hosts: readonly string[]): Patch | null {
  if (resolver === null) return null;
  const options = isTree(has) ? undefined : hosts.map((host) => draft.tlsOptionsOf(host)).find(Boolean);
  return { certResolver: resolver === "" ? null : resolver, ...(options === undefined ? {} : { options }) };
}

function route(draft: Draft, { name, hosts, path, to, ...more }: Of<"route">): void {
  const has = draft.routers.get(name)?.value;
  if ("servers" in to) {
    const { servers: listed } = draft.typed("services", name, "loadBalancer") ?? {};
    const before = listOf(listed).filter(isTree);
    // A server that stays keeps its weight.
    const servers = to.servers.map((url) => (before.find((one) => one.url === url) ?? { url }) as Value);
    draft.put("http", "services", name, { loadBalancer: { servers } });
  }
  draft.put("http", "routers", name, {
    rule: ruleOf(hosts, path),
    entryPoints: orNone(more.entryPoints),
    middlewares: orNone(more.middlewares),
    service: "servers" in to ? name : to.service,
    tls: tlsOf(draft, has?.tls, more.certResolver, hosts),
  });
}

/** Adds to those of this name: a source that is there gets the new target. How many it wrote. */
function redirects(draft: Draft, files: readonly ConfigFile[], act: Of<"redirects">): number {
  const { redirects: wanted, faults } = redirectsOf(act.csv);
  const told = faults.map(({ line, fault }) => ({
    field: `csv.${line}`,
    problem: `routing.csv.${fault}`,
    params: { line },
  }));
  const [first] = told;
  if (first !== undefined)
    throw new AppError(
      "INVALID_INPUT",
      `Line ${first.params.line} is no redirect, and ${told.length - 1} more.`,
      {
        ...first,
        problems: told.slice(0, faultsTold),
      },
    );
  if (wanted.length === 0)
    throw new AppError("INVALID_INPUT", "There is no redirect in it.", {
      problem: "routing.csv.none",
      field: "csv",
    });

  const numbered = new RegExp(`^${act.name.replaceAll(".", "\\.")}-(\\d+)$`);
  const middlewares = draft.all("http", "middlewares");
  const own = [...draft.routers.values()].filter(({ name, value }) => {
    const [middleware, ...others] = listOf(value.middlewares).map(String);
    return (
      numbered.test(name) &&
      value.service === "noop@internal" &&
      others.length === 0 &&
      numbered.test(middleware ?? "") &&
      isTree(middlewares.get(middleware ?? "")?.value.redirectRegex)
    );
  });
  let number = 0;
  for (const name of [...draft.routers.keys(), ...middlewares.keys()])
    number = Math.max(number, Number(numbered.exec(name)?.[1] ?? 0));
  const ownNames = new Set(own.map(({ name }) => name));
  const maintained = new Set(files.flatMap(({ text }) => maintenancesIn(text).map(({ name }) => name)));
  const highest = draft.highest(
    (name) => ownNames.has(name) || maintained.has(name) || maintained.has(name.replace(/-tls(-\d+)?$/, "")),
  );
  const byRule = new Map(own.map((router) => [textOf(router.value.rule), router]));
  /** Who uses which middleware in the end. */
  const uses = new Map(own.map(({ name, value }) => [name, String(listOf(value.middlewares)[0])]));
  const keyOf = (value: Tree) => JSON.stringify([value.regex, value.replacement, value.permanent === true]);
  const byTarget = new Map<string, string>();
  for (const name of new Set(uses.values())) {
    const value = middlewares.get(name)?.value.redirectRegex;
    if (isTree(value)) byTarget.set(keyOf(value), name);
  }
  const fresh = own[0]?.file;
  for (const { rule, host, regex, replacement, permanent } of wanted) {
    const before = byRule.get(rule);
    if (before === undefined) number += 1;
    const name = before?.name ?? `${act.name}-${number}`;
    const key = keyOf({ regex, replacement, permanent });
    let middleware = byTarget.get(key);
    if (middleware === undefined) {
      // A new router's number is free; a router that is there may have others on its middleware.
      if (before !== undefined) number += 1;
      middleware = `${act.name}-${number}`;
      byTarget.set(key, middleware);
      draft.put(
        "http",
        "middlewares",
        middleware,
        { redirectRegex: { regex, replacement, permanent } },
        fresh,
      );
    }
    uses.set(name, middleware);
    const patch = {
      rule,
      priority: rule.length > highest ? null : highest + 1,
      entryPoints: orNone(act.entryPoints),
      middlewares: [middleware],
      service: "noop@internal",
      tls: tlsOf(draft, before?.value.tls, act.certResolver, host === "" ? [] : [host]),
    };
    draft.put("http", "routers", name, patch, fresh);
  }
  const used = new Set(uses.values());
  for (const { value } of own)
    for (const name of listOf(value.middlewares).map(String))
      if (!used.has(name)) draft.put("http", "middlewares", name, null);
  return wanted.length;
}

function headers(draft: Draft, { name, request, response, routers }: Of<"headers">): void {
  const has = draft.typed("middlewares", name, "headers");
  const custom = ["customRequestHeaders", "customResponseHeaders"];
  if (request.length + response.length === 0 && Object.keys(has ?? {}).every((key) => custom.includes(key)))
    throw invalid("noHeaders", "Name at least one header.", {}, "response");
  const mapOf = (all: typeof request) => Object.fromEntries(all.map((one) => [one.name, one.value]));
  const patch = {
    customRequestHeaders: exactly(has?.customRequestHeaders, mapOf(request)),
    customResponseHeaders: exactly(has?.customResponseHeaders, mapOf(response)),
  };
  draft.put("http", "middlewares", name, { headers: patch });
  draft.attach(name, routers);
}

/** Whether a hash is this password's, as far as that can be told soon. */
async function isOf(password: string, known: string): Promise<boolean> {
  const cost = Number(/^\$2[abxy]?\$(\d\d)\$/.exec(known)?.[1] ?? Number.NaN);
  return cost <= mostCost && (await compare(password, known).catch(() => false));
}

async function basicAuth(draft: Draft, { name, realm, users, routers }: Of<"basicAuth">): Promise<void> {
  const has = draft.typed("middlewares", name, "basicAuth");
  const hashes = new Map(
    listOf(has?.users).map((user) => {
      const [who = "", ...rest] = String(user).split(":");
      return [who, rest.join(":")];
    }),
  );
  const list: string[] = [];
  for (const [index, { name: who, password = "" }] of users.entries()) {
    const field = `users.${index}`;
    if (Buffer.byteLength(password) > passwordBytes)
      throw invalid("passwordLong", `The password of ${who} is over 72 bytes.`, { name: who }, field);
    const known = hashes.get(who);
    if (known === undefined && password === "")
      throw invalid("noPassword", `${who} is new and needs a password.`, { name: who }, field);
    // Told again, it stays as it is: a new salt would be a change.
    const stays = known !== undefined && (password === "" || (await isOf(password, known)));
    list.push(`${who}:${stays ? known : await hash(password, bcryptCost)}`);
  }
  draft.put("http", "middlewares", name, { basicAuth: { users: list, realm: realm === "" ? null : realm } });
  draft.attach(name, routers);
}

/** An ipStrategy of this depth; what else it says stays. */
function strategyOf(has: unknown, depth: number): Patch | null {
  if (depth > 0) return { depth };
  return isTree(has) && Object.keys(has).some((key) => key !== "depth") ? { depth: null } : null;
}

function ipAllowList(draft: Draft, { name, ranges, depth, routers }: Of<"ipAllowList">): void {
  checkNetworks(ranges, "ranges");
  const has = draft.typed("middlewares", name, "ipAllowList");
  const patch = { sourceRange: ranges, ipStrategy: strategyOf(has?.ipStrategy, depth) };
  draft.put("http", "middlewares", name, { ipAllowList: patch });
  draft.attach(name, routers);
}

function rateLimit(draft: Draft, { name, average, periodS, burst, depth, routers }: Of<"rateLimit">): void {
  const has = draft.typed("middlewares", name, "rateLimit");
  const before = isTree(has?.sourceCriterion) ? has.sourceCriterion : {};
  const ipStrategy = strategyOf(before.ipStrategy, depth);
  const others = Object.keys(before).some((key) => key !== "ipStrategy");
  const sourceCriterion =
    depth > 0
      ? // Traefik takes one of them only.
        { ipStrategy, requestHeaderName: null, requestHost: null }
      : ipStrategy === null && !others
        ? null
        : { ipStrategy };
  draft.put("http", "middlewares", name, {
    rateLimit: { average, period: `${periodS}s`, burst, sourceCriterion },
  });
  draft.attach(name, routers);
}

function canary(draft: Draft, { name, parts, cookie, routers }: Of<"canary">): void {
  const index = parts.findIndex(({ service }) => service.replace(/@file$/, "") === name);
  if (index >= 0) throw invalid("itself", `${name} would lead to itself.`, { name }, `parts.${index}`);
  if (parts.every(({ weight }) => weight === 0))
    throw invalid("weights", "With no weight over 0 nothing would be served.", {}, "parts");
  draft.typed("services", name, "weighted");
  const services = parts.map(({ service, weight }) => ({ name: service, weight }));
  const sticky = cookie === "" ? null : { cookie: { name: cookie } };
  draft.put("http", "services", name, { weighted: { services, sticky } });
  for (const router of routers) {
    draft.router(router);
    draft.put("http", "routers", router, { service: name });
  }
}

/** Who is not stopped: not matched, so that their requests go on to the routers below. */
function passing({ networks, header, cookie }: Of<"maintenance">["bypass"]): string[] {
  return [
    ...networks.map((network) => `!ClientIP(${goString(network)})`),
    ...(header === undefined ? [] : [`!Header(${goString(header.name)}, ${goString(header.value)})`]),
    ...(cookie === undefined
      ? []
      : [`!HeaderRegexp(\`Cookie\`, ${goString(`(^|; *)${cookie.name}=${cookie.value}(;|$)`)})`]),
  ];
}

function maintenance(draft: Draft, files: readonly ConfigFile[], act: Of<"maintenance">): void {
  const { name } = act;
  const own = new RegExp(`^${name.replaceAll(".", "\\.")}(-tls(-\\d+)?)?$`);
  const there = [...draft.routers.values()].filter((router) => own.test(router.name));
  const marked = files.some(({ text }) => maintenancesIn(text).some((one) => one.name === name));
  const [first] = there;
  if (first !== undefined && !marked) throw taken(first);
  const service = draft.all("http", "services").get(name);
  const middleware = draft.all("http", "middlewares").get(name);
  const clear = (found: Element | undefined, kind: "services" | "middlewares") => {
    if (found !== undefined && marked) draft.put("http", kind, name, null);
  };
  if (!act.on) {
    for (const router of there) draft.put("http", "routers", router.name, null);
    clear(service, "services");
    clear(middleware, "middlewares");
    return;
  }
  for (const found of [service, middleware]) if (found !== undefined && !marked) throw taken(found);
  checkNetworks(act.bypass.networks, "bypass.networks");
  if (act.bypass.header?.value === "")
    throw invalid("noValue", "The header that lets through needs a value.", {}, "bypass.header");

  const priority = Math.max(overOthers, draft.highest((one) => own.test(one)) + 1);
  /** A host has one set of TLS options: that of the routers that it has. */
  const groups = new Map<string, string[]>();
  for (const host of act.hosts) {
    const options = draft.tlsOptionsOf(host) ?? "";
    groups.set(options, [...(groups.get(options) ?? []), host]);
  }
  if (groups.size === 0) groups.set("", []);
  const wanted = new Map<string, { readonly hosts: readonly string[]; readonly tls: Patch | null }>([
    [name, { hosts: act.hosts, tls: null }],
    ...(act.tls ? [...groups] : []).map(
      ([options, hosts], index) =>
        [
          `${name}-tls${index === 0 ? "" : `-${index + 1}`}`,
          { hosts, tls: { options: options === "" ? null : options } },
        ] as const,
    ),
  ]);
  for (const router of there) if (!wanted.has(router.name)) draft.put("http", "routers", router.name, null);
  for (const [router, { hosts, tls }] of wanted) {
    const patch = {
      rule: ruleOf(hosts, act.path, passing(act.bypass)),
      priority,
      entryPoints: orNone(act.entryPoints),
      middlewares: act.retryAfterS === undefined ? null : [name],
      service: act.service ?? name,
      tls,
    };
    draft.put(
      "http",
      "routers",
      router,
      router === name ? new Marked(markOf(name, act.until), patch) : patch,
      first?.file,
    );
  }
  // Without a server Traefik answers 503 itself.
  if (act.service === undefined)
    draft.put("http", "services", name, { loadBalancer: { servers: [] } }, first?.file);
  else clear(service, "services");
  if (act.retryAfterS === undefined) clear(middleware, "middlewares");
  else {
    const customResponseHeaders = { "Retry-After": String(act.retryAfterS) };
    draft.put("http", "middlewares", name, { headers: { customResponseHeaders } }, first?.file);
  }
}

function tlsOptions(
  draft: Draft,
  { name, minVersion, maxVersion, routers, ...more }: Of<"tlsOptions">,
): void {
  if (maxVersion !== undefined && tlsVersions.indexOf(maxVersion) < tlsVersions.indexOf(minVersion))
    throw invalid("tlsVersions", "The newest version is older than the oldest one.", {}, "maxVersion");
  for (const [index, value] of more.cipherSuites.entries())
    if (!cipherSuites.includes(value))
      throw invalid(
        "cipherSuite",
        `Traefik knows no cipher suite ${value}.`,
        { value },
        `cipherSuites.${index}`,
      );
  draft.put("tls", "options", name, {
    minVersion,
    maxVersion: maxVersion ?? null,
    cipherSuites: orNone(more.cipherSuites),
    sniStrict: more.sniStrict ? true : null,
  });
  for (const router of routers) {
    // One without TLS would stop to answer plain requests.
    if (!("tls" in draft.router(router).value))
      throw invalid("noTls", `${router} has no TLS.`, { name: router }, "routers");
    draft.put("http", "routers", router, { tls: { options: name } });
  }
}

const bytesOf = (files: readonly ConfigFile[]): number =>
  files.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);

/** `count`: of the redirects that made them so large; 0: something else did. */
function tooLarge(before: number, after: number, count: number): AppError {
  if (count === 0) return invalid("tooLarge", "The files together would be over 2 MB.", {}, "files");
  const fits = Math.max(0, Math.floor(((mostBytes - before) * count) / (after - before)));
  return new AppError(
    "INVALID_INPUT",
    `Of ${count} redirects about ${fits} fit: the files would be over 2 MB.`,
    {
      problem: "routing.csv.tooMany",
      params: { count, fits },
      field: "csv",
    },
  );
}

/**
 * The files with the act done in them; done twice, it changes nothing more. What is not touched stays byte for byte. New things are
 * written into `file`; left out: into "sluice.yml", which is made. What is there already is changed where it is.
 * Throws AppError INVALID_INPUT (a router that there is not, a faulty line or address, files over 2 MB), CONFLICT (the name is something
 * else's) and REFUSED (a file that no form can edit: a template, TOML, broken YAML).
 */
export async function applyAct(files: readonly ConfigFile[], act: Act, file?: string): Promise<ConfigFile[]> {
  const draft = new Draft(files, file);
  let count = 0;
  if (act.act === "route") route(draft, act);
  else if (act.act === "redirects") count = redirects(draft, files, act);
  else if (act.act === "headers") headers(draft, act);
  else if (act.act === "basicAuth") await basicAuth(draft, act);
  else if (act.act === "ipAllowList") ipAllowList(draft, act);
  else if (act.act === "rateLimit") rateLimit(draft, act);
  else if (act.act === "canary") canary(draft, act);
  else if (act.act === "maintenance") maintenance(draft, files, act);
  else tlsOptions(draft, act);
  const after = draft.done();
  const [size, before] = [bytesOf(after), bytesOf(files)];
  if (size > mostBytes && size > before) throw tooLarge(before, size, count);
  return after;
}
