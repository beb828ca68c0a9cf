// Which requests a rule of Traefik v3 takes, and which router of several: without a server, with its results.
import { RE2JS } from "re2js";
import { contains, hostOfAddress, parseIp, parseNetwork } from "./address";
import { parseRule, RuleError, type Tree, valuesOf } from "./expression";
import { escapedPath, fromBytes, routingPath, toBytes } from "./path";

/** A request as it came over the wire. */
export type HttpRequest = {
  readonly method: string;
  /** The Host header, or the host of an absolute address: with its port. */
  readonly host: string;
  /** The path, encoded as it came. */
  readonly path: string;
  /** What stands behind the question mark. */
  readonly query: string;
  /** Values by name; names in any case. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  /** address:port of the peer. */
  readonly remoteAddr: string;
};
/** A TCP connection as a router sees it. */
export type Connection = {
  /** Of the TLS greeting; empty without TLS. */
  readonly serverName: string;
  readonly remoteIp: string;
  readonly alpn: readonly string[];
};

/** What the matchers look at, made once for each request. Paths and values are byte strings. */
export type Seen = {
  readonly method: string;
  readonly host: string;
  /** Null for a path that cannot be decoded. */
  readonly path: string | null;
  readonly query: ReadonlyMap<string, readonly string[]>;
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly ip: Uint8Array | null;
};
type Test<T> = (seen: T) => boolean;
type Make<T> = (values: readonly string[]) => Test<T>;
type Matcher<T> = { readonly counts: readonly number[]; readonly make: Make<T> };

const refuse = (message: string): never => {
  throw new RuleError(message, 0);
};

function regexp(pattern: string): (text: string) => boolean {
  try {
    const compiled = RE2JS.compile(pattern);
    return (text) => compiled.matcher(text).find();
  } catch (error) {
    return refuse(`"${pattern}" is no regular expression: ${error instanceof Error ? error.message : error}`);
  }
}
// biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is what is asked for
const isAscii = (text: string): boolean => /^[\x00-\x7f]*$/.test(text);
const ascii = (text: string): string =>
  isAscii(text) ? text : refuse(`"${text}" is not ASCII: write it as punycode`);
const rooted = (path: string): string =>
  path.startsWith("/") ? path : refuse(`"${path}" does not begin with /`);
const withoutDot = (host: string): string => (host.endsWith(".") ? host.slice(0, -1) : host);

/** Whether a host is the one of a rule: a last dot on either side is nothing, "*.x" is one more label, "*" is all. */
function hostTest(rule: string): (host: string) => boolean {
  // Also a request that names none.
  if (rule === "*") return () => true;
  const wanted = rule.toLowerCase();
  if (wanted.startsWith("*.")) {
    const rest = withoutDot(wanted.slice(1));
    return (host) => {
      const plain = withoutDot(host);
      const label = plain.slice(0, -rest.length);
      return plain.endsWith(rest) && label !== "" && !label.includes(".");
    };
  }
  return (host) =>
    host !== "" && (host === wanted || withoutDot(wanted) === host || withoutDot(host) === wanted);
}

function addressTest(network: string): (ip: Uint8Array | null) => boolean {
  const known = parseNetwork(network) ?? refuse(`"${network}" is neither an address nor a network`);
  return (ip) => ip !== null && contains(known, ip);
}

const has = (values: readonly string[] | undefined, test: (value: string) => boolean): boolean =>
  values?.some(test) ?? false;

const httpMatchers: Readonly<Record<string, Matcher<Seen>>> = {
  ClientIP: {
    counts: [1],
    make: ([network = ""]) => {
      const test = addressTest(network);
      return ({ ip }) => test(ip);
    },
  },
  Method: {
    counts: [1],
    make: ([method = ""]) => {
      const wanted = method.toUpperCase();
      return (seen) => seen.method === wanted;
    },
  },
  Host: {
    counts: [1],
    make: ([host = ""]) => {
      const test = hostTest(ascii(host));
      return (seen) => test(seen.host);
    },
  },
  HostRegexp: {
    counts: [1],
    make: ([pattern = ""]) => {
      const test = regexp(ascii(pattern));
      return ({ host }) => test(host);
    },
  },
  Path: {
    counts: [1],
    make: ([path = ""]) => {
      const wanted = toBytes(rooted(path));
      return (seen) => seen.path === wanted;
    },
  },
  PathPrefix: {
    counts: [1],
    make: ([path = ""]) => {
      const wanted = toBytes(rooted(path));
      return (seen) => seen.path?.startsWith(wanted) ?? false;
    },
  },
  PathRegexp: {
    counts: [1],
    make: ([pattern = ""]) => {
      const test = regexp(pattern);
      return ({ path }) => path !== null && test(fromBytes(path));
    },
  },
  Header: {
    counts: [2],
    make: ([name = "", value = ""]) => {
      const key = name.toLowerCase();
      return ({ headers }) => has(headers.get(key), (one) => one === value);
    },
  },
  HeaderRegexp: {
    counts: [2],
    make: ([name = "", pattern = ""]) => {
      const key = name.toLowerCase();
      const test = regexp(pattern);
      return ({ headers }) => has(headers.get(key), test);
    },
  },
  Query: {
    counts: [1, 2],
    make: ([name = "", value = ""]) => {
      const key = toBytes(name);
      const wanted = toBytes(value);
      return ({ query }) => has(query.get(key), (one) => one === wanted);
    },
  },
  QueryRegexp: {
    counts: [1, 2],
    make: ([name = "", pattern]) => {
      const key = toBytes(name);
      if (pattern === undefined) return ({ query }) => has(query.get(key), (one) => one === "");
      const test = regexp(pattern);
      return ({ query }) => has(query.get(key), (one) => test(fromBytes(one)));
    },
  },
};

type Greeted = Omit<Connection, "remoteIp"> & { readonly ip: Uint8Array | null };
const tcpMatchers: Readonly<Record<string, Matcher<Greeted>>> = {
  ClientIP: {
    counts: [1],
    make: ([network = ""]) => {
      const test = addressTest(network);
      return ({ ip }) => test(ip);
    },
  },
  HostSNI: {
    counts: [1],
    make: ([host = ""]) => {
      if (host !== "*" && !/^[\w.\-:*]+$/.test(host)) refuse(`"${host}" is no host name`);
      const test = hostTest(host);
      return ({ serverName }) => host === "*" || test(serverName);
    },
  },
  HostSNIRegexp: {
    counts: [1],
    make: ([pattern = ""]) => {
      const test = regexp(ascii(pattern));
      return ({ serverName }) => test(serverName);
    },
  },
  ALPN: {
    counts: [1],
    make: ([protocol = ""]) => {
      if (protocol === "acme-tls/1") refuse("acme-tls/1 is Traefik's own");
      return ({ alpn }) => alpn.includes(protocol);
    },
  },
};

function compile<T>(tree: Tree, matchers: Readonly<Record<string, Matcher<T>>>): Test<T> {
  if ("left" in tree) {
    const left = compile(tree.left, matchers);
    const right = compile(tree.right, matchers);
    return tree.matcher === "and" ? (seen) => left(seen) && right(seen) : (seen) => left(seen) || right(seen);
  }
  const { matcher, value, not } = tree;
  if (value.length === 0) refuse(`${matcher} wants a value`);
  if (value.some((one) => one === "")) refuse(`${matcher} has an empty value`);
  const known = matchers[matcher] ?? refuse(`there is no matcher ${matcher}`);
  if (!known.counts.includes(value.length)) refuse(`${matcher} wants ${known.counts.join(" or ")} values`);
  const test = known.make(value);
  return not ? (seen) => !test(seen) : test;
}

/** A host without its port, in lower case, as the matchers see it. */
export function canonicalHost(host: string): string {
  const bare = (() => {
    if (!host.includes(":")) return host;
    const split = hostOfAddress(host);
    if (split !== null) return split;
    return host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
  })();
  return bare.trim().toLowerCase();
}

/** As url.ParseQuery: a part with a semicolon, or with a broken escape, is left out. */
function queryOf(query: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const decoded = (text: string): string | null => {
    if (/%(?![0-9a-fA-F]{2})/.test(text)) return null;
    return toBytes(text)
      .replaceAll("+", " ")
      .replace(/%([0-9a-fA-F]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
  };
  for (const part of query.split("&")) {
    if (part === "" || part.includes(";")) continue;
    const cut = part.indexOf("=");
    const name = decoded(cut < 0 ? part : part.slice(0, cut));
    const value = decoded(cut < 0 ? "" : part.slice(cut + 1));
    if (name === null || value === null) continue;
    found.set(name, [...(found.get(name) ?? []), value]);
  }
  return found;
}

/** A peer's address without port and zone. */
const peerOf = (address: string): Uint8Array | null =>
  parseIp((hostOfAddress(address) ?? address).split("%")[0] ?? "");

export function seenOf({ method, host, path, query, headers, remoteAddr }: HttpRequest): Seen {
  const came = escapedPath(toBytes(path));
  const values = new Map<string, string[]>();
  for (const [name, all] of Object.entries(headers)) {
    const key = name.toLowerCase();
    values.set(key, [...(values.get(key) ?? []), ...all]);
  }
  return {
    method,
    host: canonicalHost(host),
    path: came === null ? null : routingPath(came),
    query: queryOf(query),
    headers: values,
    ip: peerOf(remoteAddr),
  };
}

/** What a rule says of an HTTP request. Throws RuleError where Traefik refuses the rule. */
export function httpRule(rule: string): Test<Seen> {
  return compile(httpTree(rule), httpMatchers);
}

/** A rule as a tree. Throws RuleError where it is no expression of matchers that there are. */
export const httpTree = (rule: string): Tree => parseRule(rule, Object.keys(httpMatchers));

/** A matcher of a rule as it stands there, with what it says alone. */
export type Part = { readonly text: string; readonly test: (seen: Seen) => boolean };

/** The matchers of a rule, each alone: which of them is why. Throws RuleError. */
export function httpParts(rule: string): Part[] {
  const leaves = (tree: Tree): Part[] => {
    if ("left" in tree) return [...leaves(tree.left), ...leaves(tree.right)];
    const values = tree.value.map((one) => (one.includes("`") ? JSON.stringify(one) : `\`${one}\``));
    const text = `${tree.not ? "!" : ""}${tree.matcher}(${values.join(", ")})`;
    return [{ text, test: compile(tree, httpMatchers) }];
  };
  return leaves(httpTree(rule));
}

/** What a rule says of a TCP connection. Throws RuleError. */
export function tcpRule(rule: string): (connection: Connection) => boolean {
  const test = compile(parseRule(rule, Object.keys(tcpMatchers)), tcpMatchers);
  return ({ serverName, remoteIp, alpn }) =>
    test({ serverName: serverName.trim().toLowerCase(), alpn, ip: peerOf(remoteIp) });
}

/** The hosts that a rule names, for certificates. Throws RuleError where the rule is no expression. */
export const hostsOf = (rule: string): string[] =>
  valuesOf(httpTree(rule), ["Host"]).map((host) => host.toLowerCase());
/** The server names that a TCP rule names. Throws RuleError. */
export const serverNamesOf = (rule: string): string[] =>
  valuesOf(parseRule(rule, Object.keys(tcpMatchers)), ["HostSNI"]).map((host) => host.toLowerCase());

const utf8 = new TextEncoder();
/** The priority of a rule that names none: as long as it is, in bytes. */
export const httpPriority = (rule: string): number => utf8.encode(rule).length;
/** The same of a TCP rule; one that takes everything comes last. */
export const tcpPriority = (rule: string): number => {
  const tree = parseRule(rule, Object.keys(tcpMatchers));
  return !("left" in tree) && tree.matcher === "HostSNI" && tree.value[0] === "*" ? -1 : httpPriority(rule);
};
