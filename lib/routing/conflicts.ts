// Routers of one entry point that get in each other's way. Told is only what is proved from their rules, or shown by a request.
import { setImmediate } from "node:timers/promises";
import { contains, parseNetwork } from "./address";
import { parseRule, RuleError, type Tree } from "./expression";
import {
  canonicalHost,
  type HttpRequest,
  hostsOf,
  httpParts,
  httpPriority,
  httpTree,
  type Seen,
  seenOf,
  serverNamesOf,
  tcpPriority,
  tcpRule,
} from "./match";
import { fromBytes, throughEntryPoint, toBytes } from "./path";

/** A router that takes requests, of one entry point; those with TLS and those without are judged apart. */
export type Ranked = {
  readonly name: string;
  /** Null: its words are not understood here (the syntax of Traefik 2). */
  readonly rule: string | null;
  /** 0: as long as its rule. Those of Traefik itself are beyond a double's whole numbers. */
  readonly priority: bigint;
};
export type Conflict =
  /** Whatever it matches, one of `by` is asked before and matches too. */
  | { readonly kind: "shadowed"; readonly router: string; readonly by: readonly string[] }
  /** Its rule contradicts itself. */
  | { readonly kind: "never"; readonly router: string }
  /** As high as the other, and both take the example: which of them is not determined. "duplicate": they match the same. */
  | {
      readonly kind: "duplicate" | "tie";
      readonly router: string;
      readonly other: string;
      readonly example: HttpRequest;
    };

type Leaf = {
  readonly matcher: string;
  readonly not: boolean;
  readonly value: readonly string[];
  /** What the matcher says, its negation left aside. */
  readonly test: (seen: Seen) => boolean;
  /** All that it matches, in so far as its own kind of matcher looks at it; null where that has no end. */
  readonly forms: readonly Seen[] | null;
  /** Of a regular expression: a text that it may match. */
  readonly guess: string;
};
type Node = { readonly matcher: "and" | "or"; readonly left: Node; readonly right: Node } | Leaf;
/** Conditions that hold together. */
type Case = readonly Leaf[];
type Read = {
  readonly name: string;
  readonly node: Node;
  /** Its rule as alternatives, without those that contradict themselves; null where they are too many. */
  readonly cases: readonly Case[] | null;
  /** Hosts without which it matches nothing; null where it needs none. */
  readonly hosts: ReadonlySet<string> | null;
  /** Of each alternative: what its paths begin with; null where that may be anything. */
  readonly starts: readonly (string | null)[];
  /** How many matchers it has. */
  readonly size: number;
};
type Level = { readonly priority: bigint; readonly read: Read[]; unread: boolean };

const mostCases = 64;
/** Conditions of one alternative. */
const mostLeaves = 100;
const mostTries = 300;
/** Longer expressions are not guessed at. */
const longestGuessed = 1000;
/** Requests that are given for one alternative of a rule. */
const mostOfCase = 6;

const mostSteps = 5_000_000;
const mostTies = 200;
/** Some tens of milliseconds. */
const stepsToRest = 100_000;

/**
 * What is done at most for the routers of a Traefik, all entry points together, in steps of less than a microsecond. Whoever may write a
 * label brings routers, and pairs of them are many.
 */
export class Effort {
  readonly #spent = { reading: 0, shadows: 0, ties: 0 };
  #sinceRest = 0;
  #ties = 0;

  /** Whether there is enough left for it. */
  spend(on: "reading" | "shadows" | "ties", steps: number): boolean {
    this.#spent[on] += steps;
    this.#sinceRest += steps;
    return this.#spent[on] <= mostSteps && (on !== "ties" || this.#ties < mostTies);
  }

  /** One more tie is told. */
  tied(): void {
    this.#ties += 1;
  }

  /** Whether something was left out. */
  get isSpent(): boolean {
    return this.#ties >= mostTies || Object.values(this.#spent).some((steps) => steps > mostSteps);
  }

  /** All steps so far. */
  get steps(): number {
    return Object.values(this.#spent).reduce((sum, steps) => sum + steps, 0);
  }

  /** Lets others have their turn, now and then. */
  async rest(): Promise<void> {
    if (this.#sinceRest < stepsToRest) return;
    this.#sinceRest = 0;
    await setImmediate();
  }
}

const nothing: Seen = { method: "", host: "", path: null, query: new Map(), headers: new Map(), ip: null };
const withoutDot = (host: string): string => (host.endsWith(".") ? host.slice(0, -1) : host);

function formsOf(matcher: string, [first = "", second = ""]: readonly string[]): Seen[] | null {
  switch (matcher) {
    case "Method":
      return [{ ...nothing, method: first.toUpperCase() }];
    case "Host": {
      const host = first.toLowerCase();
      if (host.startsWith("*")) return null;
      const bare = withoutDot(host);
      return [...new Set([host, `${host}.`, bare, `${bare}.`])].map((one) => ({ ...nothing, host: one }));
    }
    case "Path":
      return [{ ...nothing, path: toBytes(first) }];
    // There may be more values beside this one; what matches it alone matches with them.
    case "Header":
      return [{ ...nothing, headers: new Map([[first.toLowerCase(), [second]]]) }];
    case "Query":
      return [{ ...nothing, query: new Map([[toBytes(first), [toBytes(second)]]]) }];
    default:
      return null;
  }
}

/** The tree of a rule with a test at each leaf. Throws RuleError. */
function nodeOf(rule: string): Node {
  const parts = httpParts(rule);
  let at = 0;
  const build = (tree: Tree): Node => {
    if ("left" in tree) {
      const left = build(tree.left);
      return { matcher: tree.matcher, left, right: build(tree.right) };
    }
    const said = parts[at]?.test ?? (() => false);
    at += 1;
    const test = tree.not ? (seen: Seen) => !said(seen) : said;
    const forms = formsOf(tree.matcher, tree.value)?.filter(test) ?? null;
    const guess = tree.matcher.endsWith("Regexp") ? guessed(tree.value.at(-1) ?? "") : "";
    return { ...tree, test, forms, guess };
  };
  return build(httpTree(rule));
}

function casesOf(node: Node): Leaf[][] | null {
  if (!("left" in node)) return [[node]];
  const left = casesOf(node.left);
  const right = casesOf(node.right);
  if (left === null || right === null) return null;
  if (node.matcher === "and" && left.length * right.length > mostCases) return null;
  const all =
    node.matcher === "or" ? [...left, ...right] : left.flatMap((a) => right.map((b) => [...a, ...b]));
  return all.length > mostCases || all.some((one) => one.length > mostLeaves) ? null : all;
}

/** Of which part of a request each matcher speaks. */
const subjects: Readonly<Record<string, string>> = {
  ClientIP: "client",
  Method: "method",
  Host: "host",
  HostRegexp: "host",
  Path: "path",
  PathPrefix: "path",
  PathRegexp: "path",
  Header: "header",
  HeaderRegexp: "header",
  Query: "query",
  QueryRegexp: "query",
};
const subjectOf = ({ matcher, value }: Leaf): string => {
  const subject = subjects[matcher] ?? matcher;
  const [key = ""] = value;
  return subject === "header" || subject === "query" ? `${subject} ${key.toLowerCase()}` : subject;
};

const sameWords = (a: Leaf, b: Leaf): boolean => {
  const plain = ({ matcher, value }: Leaf) =>
    matcher === "Host" ? value[0]?.toLowerCase() : JSON.stringify(value);
  return a.matcher === b.matcher && plain(a) === plain(b);
};

/** What a path begins with is all that it says; null for other matchers. */
function prefixOf({ matcher, value: [text = ""] }: Leaf): string | null {
  if (matcher === "PathPrefix") return text;
  return matcher === "PathRegexp" ? (/^\^([\w/-]*)$/.exec(text)?.[1] ?? null) : null;
}

const everything = new Set(["", ".*", "^.*"]);
const somebody = new Set([".+", "^.+", ".+$", "^.+$"]);

/** It matches whatever comes. Every path begins with a slash, but for the "*" of `OPTIONS *`, which is no page's. */
function always(leaf: Leaf): boolean {
  const [text = ""] = leaf.value;
  if (leaf.matcher === "Host") return text === "*";
  if (leaf.matcher === "HostRegexp" || leaf.matcher === "PathRegexp") {
    if (everything.has(text)) return true;
  }
  return ["", "/"].includes(prefixOf(leaf) ?? "-");
}

type Networks = { readonly inside: boolean; readonly apart: boolean };
function networksOf(a: Leaf, b: Leaf): Networks {
  const [one = ""] = a.value;
  const [other = ""] = b.value;
  const first = parseNetwork(one);
  const second = parseNetwork(other);
  // Of two families nothing is said: Go's networks of IPv6 do not hold the addresses of IPv4.
  if (first === null || second === null || one.includes(":") !== other.includes(":"))
    return { inside: false, apart: false };
  const inside = first.bits >= second.bits && contains(second, first.bytes);
  const around = second.bits >= first.bits && contains(first, second.bytes);
  return { inside, apart: !inside && !around };
}

/** Everything that `a` matches is matched by `b`; neither is negated. */
function within(a: Leaf, b: Leaf): boolean {
  if (subjectOf(a) !== subjectOf(b)) return false;
  if (a.forms !== null) return a.forms.every(b.test);
  if (a.matcher === "ClientIP") return networksOf(a, b).inside;
  if (a.matcher === "Host" && a.value[0]?.startsWith("*."))
    return b.matcher === "HostRegexp" && somebody.has(b.value[0] ?? "");
  const prefix = prefixOf(a);
  const other = prefixOf(b);
  return prefix !== null && other !== null && prefix.startsWith(other);
}

/** Nothing is matched by both; neither is negated. */
function apart(a: Leaf, b: Leaf): boolean {
  const subject = subjectOf(a);
  // A request may have several values of one name.
  if (subject !== subjectOf(b) || subject.includes(" ")) return false;
  if (a.forms !== null) return !a.forms.some(b.test);
  if (b.forms !== null) return !b.forms.some(a.test);
  if (subject === "client") return networksOf(a, b).apart;
  const [one = ""] = a.value;
  const [other = ""] = b.value;
  if (one.startsWith("*.") && other.startsWith("*."))
    return withoutDot(one.toLowerCase()) !== withoutDot(other.toLowerCase());
  const prefix = prefixOf(a);
  const second = prefixOf(b);
  return prefix !== null && second !== null && !prefix.startsWith(second) && !second.startsWith(prefix);
}

/** Where `a` holds, `b` holds. False: that is not proved. */
function follows(a: Leaf, b: Leaf): boolean {
  if (sameWords(a, b)) return a.not === b.not;
  if (a.not) return b.not && within(b, a);
  return b.not ? apart(a, b) : within(a, b);
}

/** Where all of the case holds, the node holds. False: that is not proved. */
function implies(of: Case, node: Node): boolean {
  if (!("left" in node)) return (!node.not && always(node)) || of.some((leaf) => follows(leaf, node));
  const left = implies(of, node.left);
  return node.matcher === "and" ? left && implies(of, node.right) : left || implies(of, node.right);
}

/** No request meets all of it. False: that is not proved. */
const contradicts = (of: Case): boolean =>
  of.some(
    (a, index) => (a.not && always(a)) || of.slice(index + 1).some((b) => follows(a, { ...b, not: !b.not })),
  );

/** The one host that a case needs; null where it needs none. */
const hostOf = (of: Case): string | null => {
  const leaf = of.find(({ matcher, not, forms }) => matcher === "Host" && !not && forms !== null);
  return leaf === undefined ? null : withoutDot((leaf.value[0] ?? "").toLowerCase());
};

/** What the paths of a case begin with; null where that may be anything. */
const startOf = (of: Case): string | null =>
  of
    .flatMap((leaf) => (leaf.not ? [] : [leaf.matcher === "Path" ? (leaf.value[0] ?? "") : prefixOf(leaf)]))
    .reduce((longest, one) => (one !== null && one.length >= (longest ?? "").length ? one : longest), null);

const sizeOf = (node: Node): number => ("left" in node ? sizeOf(node.left) + sizeOf(node.right) : 1);

/** Whether some path begins with both. */
const meet = (one: string | null, other: string | null): boolean =>
  one === null || other === null || one.startsWith(other) || other.startsWith(one);

/** Null where it is no rule, or nothing is left to read it. */
function readOf(name: string, rule: string, effort: Effort): Read | null {
  if (!effort.spend("reading", 100 + rule.length)) return null;
  try {
    const node = nodeOf(rule);
    const all = casesOf(node);
    if (!effort.spend("reading", all?.reduce((sum, one) => sum + one.length ** 2, 0) ?? 0)) return null;
    const cases = all?.filter((one) => !contradicts(one)) ?? null;
    const hosts = cases?.map(hostOf) ?? [null];
    const needed = hosts.filter((host) => host !== null);
    return {
      name,
      node,
      cases,
      hosts: needed.length === hosts.length ? new Set(needed) : null,
      starts: cases?.map(startOf) ?? [null],
      size: sizeOf(node),
    };
  } catch (error) {
    if (error instanceof RuleError) return null;
    throw error;
  }
}

/** From the highest priority down; a router whose rule is not understood leaves its mark at its level. */
async function levelsOf(routers: readonly Ranked[], effort: Effort): Promise<Level[]> {
  const levels = new Map<bigint, Level>();
  for (const { name, rule, priority } of routers) {
    const inForce = priority !== 0n || rule === null ? priority : BigInt(httpPriority(rule));
    const level = levels.get(inForce) ?? { priority: inForce, read: [], unread: false };
    levels.set(inForce, level);
    await effort.rest();
    const read = rule === null ? null : readOf(name, rule, effort);
    if (read === null) level.unread = true;
    else level.read.push(read);
  }
  return [...levels.values()].sort((a, b) =>
    a.priority > b.priority ? -1 : a.priority < b.priority ? 1 : 0,
  );
}

const holds = (node: Node, seen: Seen): boolean => {
  if (!("left" in node)) return node.test(seen) !== node.not;
  const left = holds(node.left, seen);
  return node.matcher === "and" ? left && holds(node.right, seen) : left || holds(node.right, seen);
};

/** A text that a regular expression of the usual kind matches; whether it does is looked at afterwards. */
const guessed = (pattern: string): string =>
  (pattern.length > longestGuessed ? "" : pattern)
    .replace(/^\(\?i\)/, "")
    .replace(/^\^|\$$/g, "")
    .replace(/\((?:\?:)?([^()|]*)(?:\|[^()]*)?\)/g, "$1")
    .replace(/(?:\\d|\[0-9\])[+*]?/g, "1")
    .replace(/(?:\\w|\[[a-zA-Z^][^\]]*\]|(?<!\\)\.)[+*]?/g, "x")
    .replace(/\\(.)/g, "$1")
    .replace(/[?+*]/g, "");

/** A path as a client would send it. */
const sent = (path: string): string =>
  Array.from(toBytes(path), (char) =>
    /[A-Za-z0-9\-._~!$&'()*+,;=:@[\]%/]/.test(char)
      ? char
      : `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  ).join("");

/** The client where it may be any. */
export const anyClient = "192.0.2.1";

/** A request behind an entry point; null for a path that none lets through. */
function behindEntryPoint(request: HttpRequest): HttpRequest | null {
  const path = throughEntryPoint(toBytes(request.path));
  return path === null ? null : { ...request, path: fromBytes(path) };
}

/**
 * Requests that meet these conditions in each of their parts, as far as that is guessed, likely ones first. `several`: also those with
 * several values of one header, or of one name in the query.
 */
function* requestsFor(leaves: readonly Leaf[], several: boolean): Generator<HttpRequest> {
  const said = (...matchers: string[]) =>
    leaves.filter(({ matcher, not }) => matchers.includes(matcher) && !not);
  const texts = (matcher: string) => said(matcher).map(({ value }) => value[0] ?? "");
  const prefixes = texts("PathPrefix").sort((a, b) => b.length - a.length);
  const hosts = [
    ...texts("Host").map((host) => (host === "*" ? "any.example" : host.toLowerCase().replace(/^\*/, "any"))),
    ...said("HostRegexp").map(({ guess }) => guess),
    "any.example",
  ];
  const paths = [
    ...texts("Path"),
    ...said("PathRegexp").map(({ guess }) => guess),
    ...prefixes,
    ...prefixes.map((prefix) => `${prefix.replace(/\/$/, "")}/any`),
    "/",
    "/any",
  ].filter((path) => path.startsWith("/"));
  /** Values by name, those that are written out before those that are guessed. */
  const named = (exact: string, regexp: string, called: (name: string) => string) => {
    const found = new Map<string, Set<string>>();
    for (const { matcher, value, guess } of [...said(exact), ...said(regexp)]) {
      const [name = "", text = ""] = value;
      const values = found.get(called(name)) ?? new Set();
      found.set(called(name), values.add(matcher === regexp ? guess : text));
    }
    return [...found].map(([name, values]): [string, string[]] => [name, [...values]]);
  };
  const headersSaid = named("Header", "HeaderRegexp", (name) => name.toLowerCase());
  const querySaid = named("Query", "QueryRegexp", (name) => name);
  const most = Math.max(1, ...[...headersSaid, ...querySaid].map(([, values]) => values.length));
  const client =
    texts("ClientIP")
      .sort((a, b) => b.length - a.length)[0]
      ?.split("/")[0] ?? anyClient;
  const remoteAddr = client.includes(":") ? `[${client}]:1` : `${client}:1`;
  const methods = [...texts("Method").map((method) => method.toUpperCase()), "GET", "POST", "PUT"];

  const about = (subject: string) => leaves.filter(({ matcher }) => subjects[matcher] === subject);
  /** Each condition looks at one part: those of which it is known that they fail need no request. */
  const fits = (conditions: readonly Leaf[], seen: () => Seen | null): boolean => {
    if (conditions.length === 0) return true;
    const made = seen();
    return made !== null && conditions.every(({ test, not }) => test(made) !== not);
  };
  const [onHost, onPath, onMethod] = [about("host"), about("path"), about("method")];
  const onRest = [...about("header"), ...about("query"), ...about("client")];
  const plain = { method: "GET", host: "any.example", path: "/", query: "", headers: {}, remoteAddr };
  const fittingHosts = [...new Set(hosts)].filter((host) =>
    fits(onHost, () => ({ ...nothing, host: canonicalHost(host) })),
  );
  if (fittingHosts.length === 0) return;
  const fittingPaths = [...new Set(paths.map(sent))].filter((path) =>
    fits(onPath, () => {
      const request = behindEntryPoint({ ...plain, path });
      return request === null ? null : seenOf(request);
    }),
  );
  const fittingMethods = [...new Set(methods)].filter((method) =>
    fits(onMethod, () => ({ ...nothing, method })),
  );
  for (const count of several ? new Set([1, most]) : [1]) {
    const headers = Object.fromEntries(headersSaid.map(([name, values]) => [name, values.slice(0, count)]));
    const query = querySaid
      .flatMap(([name, values]) => values.slice(0, count).map((value) => [name, value]))
      .map((pair) => pair.map(encodeURIComponent).join("="))
      .join("&");
    if (!fits(onRest, () => seenOf({ ...plain, headers, query }))) continue;
    for (const host of fittingHosts)
      for (const path of fittingPaths)
        for (const method of fittingMethods) yield { method, host, path, query, headers, remoteAddr };
  }
}

/** Requests that a rule takes, a few for each of its alternatives; none where it is no rule, or none is found. */
export function* requestsOf(rule: string): Generator<HttpRequest> {
  const read = readOf("", rule, new Effort());
  for (const one of read?.cases ?? []) {
    let tries = 0;
    let given = 0;
    for (const request of requestsFor(one, true)) {
      tries += 1;
      if (tries > mostTries || given >= mostOfCase) break;
      const sent = behindEntryPoint(request);
      if (sent === null || read === null || !holds(read.node, seenOf(sent))) continue;
      given += 1;
      yield sent;
    }
  }
}

/** Whether two cases want different values of one name, which no request has that is meant for either. */
const differ = (one: Case, other: Case): boolean => {
  const name = ({ matcher, value: [key = ""] }: Leaf) => (matcher === "Header" ? key.toLowerCase() : key);
  const exact = ({ matcher, not }: Leaf) => !not && (matcher === "Header" || matcher === "Query");
  return one
    .filter(exact)
    .some((a) =>
      other.some(
        (b) =>
          exact(b) &&
          a.matcher === b.matcher &&
          name(a) === name(b) &&
          (a.value[1] ?? "") !== (b.value[1] ?? ""),
      ),
    );
};

/**
 * A request that both match and that nobody before them takes; null where none is found. It has one value of each name: rules that differ
 * in a header's value are meant for different requests.
 */
function exampleOf(
  one: Read,
  other: Read,
  before: () => readonly Read[],
  effort: Effort,
): HttpRequest | null {
  let tries = 0;
  for (const [index, a] of (one.cases ?? []).entries())
    for (const [at, b] of (other.cases ?? []).entries()) {
      if (!effort.spend("ties", 1)) return null;
      if (!meet(one.starts[index] ?? null, other.starts[at] ?? null)) continue;
      const both = [...a, ...b];
      if (!effort.spend("ties", both.length ** 2)) return null;
      if (differ(a, b) || contradicts(both)) continue;
      effort.spend("ties", 100);
      for (const request of requestsFor(both, false)) {
        tries += 1;
        if (tries > mostTries || !effort.spend("ties", 50 + 5 * before().length)) return null;
        const sent = behindEntryPoint(request);
        const seen = sent === null ? null : seenOf(sent);
        if (seen === null || !holds(one.node, seen) || !holds(other.node, seen)) continue;
        if (!before().some(({ node }) => holds(node, seen))) return request;
      }
    }
  return null;
}

const covers = (cases: readonly Case[] | null, node: Node): boolean =>
  cases?.every((one) => implies(one, node)) ?? false;

/** Who of these takes all that a case matches; undefined: that is not proved of any. */
function shadowing(of: Case, earlier: readonly Read[], effort: Effort): string | undefined {
  const start = startOf(of);
  return earlier.find(({ node, starts, size }) => {
    if (!effort.spend("shadows", starts.length) || !starts.some((one) => meet(one, start))) return false;
    return effort.spend("shadows", 5 * of.length * size) && implies(of, node);
  })?.name;
}

/** Routers by the host that they need, so that those of other hosts are not looked at. */
class Earlier {
  readonly #byHost = new Map<string, Read[]>();
  readonly #open: Read[] = [];

  add(read: Read): void {
    if (read.hosts === null) this.#open.push(read);
    for (const host of read.hosts ?? []) {
      const all = this.#byHost.get(host);
      if (all === undefined) this.#byHost.set(host, [read]);
      else all.push(read);
    }
  }

  of(host: string | null): Read[] {
    return host === null ? this.#open : [...this.#open, ...(this.#byHost.get(host) ?? [])];
  }

  ofAll(hosts: ReadonlySet<string> | null): Read[] {
    if (hosts === null) return [...new Set([...this.#open, ...[...this.#byHost.values()].flat()])];
    return [...new Set([...hosts].flatMap((host) => this.of(host)))];
  }
}

/** Of routers that are as high as each other. */
async function tiesOf(level: readonly Read[], earlier: Earlier, effort: Effort): Promise<Conflict[]> {
  const ties: Conflict[] = [];
  const places = new Map(level.map((read, index) => [read, index]));
  const byHost = new Earlier();
  for (const one of level) byHost.add(one);
  for (const [index, one] of level.entries()) {
    const others =
      one.hosts === null
        ? level.slice(index + 1)
        : byHost.ofAll(one.hosts).filter((other) => (places.get(other) ?? 0) > index);
    let before: Read[] | null = null;
    const beforeOne = () => {
      before ??= earlier.ofAll(one.hosts);
      return before;
    };
    for (const other of others) {
      await effort.rest();
      const example = exampleOf(one, other, beforeOne, effort);
      if (example === null) continue;
      const alike = covers(one.cases, other.node) && covers(other.cases, one.node);
      ties.push({ kind: alike ? "duplicate" : "tie", router: one.name, other: other.name, example });
      effort.tied();
    }
    // Nothing more is found without any effort left.
    if (!effort.spend("ties", 1)) break;
  }
  return ties;
}

/**
 * What is wrong between routers of one entry point, all with TLS or all without, and none of them switched off.
 *
 * Shadowed: a rule is taken apart into alternatives of conditions that hold together, and for each of them one earlier router (of a higher
 * priority) is looked for whose rule follows from it: of an "and" both sides, of an "or" one side, of a matcher one condition. That one
 * follows from another is decided on the values themselves where they are few (a host, a path, a method, a header's value: all of them
 * are put to the other matcher's own test), else by what is known of prefixes, wildcards and networks, or by the same words. What is not
 * proved is not told: a router may be shadowed by several others, or by a regular expression, without being found.
 *
 * Ties: two rules of the same priority are told with a request that both match and no earlier router takes, tried on all rules; without
 * such a request nothing is said. Below a router whose rule is not understood no tie is told: that one may take the request.
 *
 * What goes beyond the effort is not looked at (`isSpent`).
 *
 * Left aside, as in `routerFor`: CNAME flattening, and providersPrecedence, which decides ties between providers.
 */
export async function conflictsOf(routers: readonly Ranked[], effort = new Effort()): Promise<Conflict[]> {
  const conflicts: Conflict[] = [];
  const earlier = new Earlier();
  let understood = true;
  for (const { read: level, unread } of await levelsOf(routers, effort)) {
    const reached: Read[] = [];
    for (const one of level) {
      await effort.rest();
      if (one.cases?.length === 0) {
        conflicts.push({ kind: "never", router: one.name });
        continue;
      }
      const by = one.cases?.map((of) => shadowing(of, earlier.of(hostOf(of)), effort)) ?? [];
      const names = by.filter((name) => name !== undefined);
      if (by.length > 0 && names.length === by.length)
        conflicts.push({ kind: "shadowed", router: one.name, by: [...new Set(names)] });
      else reached.push(one);
    }
    if (understood) conflicts.push(...(await tiesOf(reached, earlier, effort)));
    if (unread) understood = false;
    for (const one of level) earlier.add(one);
  }
  return conflicts;
}

export type TcpRouter = {
  readonly name: string;
  readonly rule: string;
  readonly priority: bigint;
  readonly tls: boolean;
};
export type HttpRouter = {
  readonly name: string;
  readonly rule: string;
  readonly tls: boolean;
  readonly enabled: boolean;
};
export type TcpConflict =
  /** It takes connections before the HTTP routers `over` see them: `all` of theirs, or those that its rule matches. */
  | {
      readonly kind: "tcpFirst";
      readonly router: string;
      readonly over: readonly string[];
      readonly all: boolean;
    }
  /** HTTP routers with TLS take these server names before it: `all` that it could have, or some. */
  | {
      readonly kind: "httpFirst";
      readonly router: string;
      readonly by: readonly string[];
      readonly names: readonly string[];
      readonly all: boolean;
    };

const tcpMatchers = ["ALPN", "ClientIP", "HostSNI", "HostSNIRegexp"];

/** What a TCP rule says of a connection without TLS: that has no server name and no protocols. Null: it hangs on the client. */
function plainly(tree: Tree): boolean | null {
  if ("left" in tree) {
    const [left, right] = [plainly(tree.left), plainly(tree.right)];
    const decides = tree.matcher === "or";
    if (left === decides || right === decides) return decides;
    return left === null || right === null ? null : !decides;
  }
  if (tree.matcher === "ClientIP") return null;
  const [value = ""] = tree.value;
  const text = `${tree.matcher}(${JSON.stringify(value)})`;
  return tcpRule(text)({ serverName: "", remoteIp: "", alpn: [] }) !== tree.not;
}

/** The server names without which a TCP rule matches nothing; null where it needs none. */
function neededNames(tree: Tree): string[] | null {
  if (!("left" in tree)) {
    const [name = ""] = tree.value;
    return tree.matcher === "HostSNI" && !tree.not && name !== "*" ? [name.toLowerCase()] : null;
  }
  const [left, right] = [neededNames(tree.left), neededNames(tree.right)];
  if (tree.matcher === "or") return left === null || right === null ? null : [...left, ...right];
  return left ?? right;
}

/** What tells whether all server names of a name are claimed by an HTTP router's host. */
function claimedBy(host: string): (name: string) => boolean {
  try {
    const matches = tcpRule(`HostSNI(${JSON.stringify(host)})`);
    return (name) =>
      name.startsWith("*") ? host === name : matches({ serverName: name, remoteIp: "", alpn: [] });
  } catch (error) {
    // Traefik makes no rule of such a host.
    if (error instanceof RuleError) return (name) => name.startsWith("*") && host === name;
    throw error;
  }
}

const namesOf = (rule: string, read: (rule: string) => string[]): string[] | null => {
  try {
    return read(rule).map(withoutDot);
  } catch (error) {
    if (error instanceof RuleError) return null;
    throw error;
  }
};

/**
 * TCP and HTTP routers of one entry point, by the order of Traefik (pkg/server/router/tcp/router.go, ServeTCP, v3.7): a connection without
 * TLS goes to the TCP routers without TLS, then to HTTP. One with TLS goes by its server name to the HTTP routers' hosts (also those of
 * routers that are switched off), then to the TCP routers with TLS (passthrough or not), but for HostSNI(`*`) alone; then to HTTP routers
 * that name no host, and to HostSNI(`*`) last. `tcp`: those in force.
 */
export function tcpConflictsOf(tcp: readonly TcpRouter[], http: readonly HttpRouter[]): TcpConflict[] {
  const conflicts: TcpConflict[] = [];
  const plain = http.filter(({ tls, enabled }) => !tls && enabled).map(({ name }) => name);
  const hosts = http
    .filter(({ tls }) => tls)
    .flatMap(({ name, rule, enabled }) => {
      const named = namesOf(rule, hostsOf);
      const claims = named?.filter((host) => host !== "*").map(claimedBy) ?? [];
      return named === null ? [] : [{ name, hosts: named, claims, enabled }];
    });
  // A host "*" is a server name of any kind, too.
  const open = hosts.filter((one) => one.hosts.length === 0 || one.hosts.includes("*"));
  const read = tcp.flatMap((one) => {
    try {
      tcpRule(one.rule);
      const tree = parseRule(one.rule, tcpMatchers);
      const alone = !("left" in tree) && tree.matcher === "HostSNI" && tree.value[0] === "*";
      const priority = one.priority === 0n ? BigInt(tcpPriority(one.rule)) : one.priority;
      return [{ ...one, tree, alone, priority }];
    } catch (error) {
      if (error instanceof RuleError) return [];
      throw error;
    }
  });
  for (const { name, rule, tls, tree, alone, priority } of read) {
    if (!tls) {
      const all = plainly(tree);
      if (all !== false && plain.length > 0)
        conflicts.push({ kind: "tcpFirst", router: name, over: plain, all: all === true });
      continue;
    }
    if (alone) {
      if (open.length > 0 && !("not" in tree && tree.not))
        conflicts.push({
          kind: "httpFirst",
          router: name,
          by: open.map((one) => one.name),
          names: ["*"],
          all: true,
        });
      continue;
    }
    // HostSNI(`*`) with such a priority is asked before it, and hands over to HTTP.
    if (read.some((one) => one.tls && one.alone && one.priority >= priority)) continue;
    const owners = (wanted: string) => hosts.filter((one) => one.claims.some((claimed) => claimed(wanted)));
    const names = [...new Set(namesOf(rule, serverNamesOf) ?? [])].filter((one) => one !== "*");
    const taken = names.filter((one) => owners(one).length > 0);
    const all = neededNames(tree)?.every((one) => taken.includes(withoutDot(one))) ?? false;
    if (taken.length > 0)
      conflicts.push({
        kind: "httpFirst",
        router: name,
        by: [...new Set(taken.flatMap(owners).map((one) => one.name))],
        names: taken,
        all,
      });
    const over = open.filter((one) => one.enabled).map((one) => one.name);
    if (!all && over.length > 0) conflicts.push({ kind: "tcpFirst", router: name, over, all: false });
  }
  return conflicts;
}

/** UDP knows one router of an entry point: Traefik takes the last one by name (pkg/server/router/udp/router.go). Of those in force. */
export function udpShadowed(
  names: readonly string[],
): { readonly router: string; readonly by: readonly string[] }[] {
  const [first = "", ...others] = [...names].sort().reverse();
  return others.map((router) => ({ router, by: [first] }));
}
