// Every rule case of Traefik v3.7.9's own test tables (MIT): what it refuses, what matches, which router is taken.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { contains, hostOfAddress, parseIp, parseNetwork } from "./address";
import { parseRule, valuesOf } from "./expression";
import {
  canonicalHost,
  type HttpRequest,
  hostsOf,
  httpRule,
  seenOf,
  serverNamesOf,
  tcpPriority,
  tcpRule,
} from "./match";
import {
  fromBytes,
  normalizedPath,
  routingPath,
  sanitizedPath,
  throughEntryPoint,
  toBytes,
  unescaped,
} from "./path";
import { type Router, routerFor } from "./routers";

const request = z.object({
  method: z.string().default("GET"),
  host: z.string().default(""),
  rawPath: z.string().default(""),
  rawQuery: z.string().default(""),
  headers: z.record(z.string(), z.array(z.string())).default({}),
  remoteAddr: z.string().default(""),
  raw: z.string().optional(),
});
const router = z.object({
  name: z.string().default(""),
  rule: z.string(),
  priority: z.number().default(0),
  provider: z.string().default(""),
});
const oneCase = z.object({
  id: z.string(),
  kind: z.string(),
  suite: z.string(),
  rule: z.string().default(""),
  host: z.string().default(""),
  ip: z.string().default(""),
  cidrs: z.array(z.string()).default([]),
  remoteAddr: z.string().default(""),
  matchers: z.array(z.string()).optional(),
  parseMatchersFilter: z.array(z.string()).default([]),
  goOnlyRawHeaderKey: z.boolean().default(false),
  integration: z.boolean().default(false),
  entryPoint: z
    .object({
      sanitizePath: z.boolean().optional(),
      deniedEncodedPathCharacters: z.array(z.string()).optional(),
    })
    .optional(),
  denied: z.array(z.string()).default([]),
  request: request.optional(),
  connection: z
    .object({
      serverName: z.string().default(""),
      remoteAddr: z.string().optional(),
      remoteIP: z.string().optional(),
      alpn: z.array(z.string()).default([]),
    })
    .optional(),
  routers: z.union([z.array(router), z.record(z.string(), z.unknown())]).optional(),
  providersPrecedence: z.array(z.string()).default([]),
  expected: z.record(z.string(), z.unknown()),
});
type Case = z.infer<typeof oneCase>;
const { cases } = z
  .object({ cases: z.array(oneCase) })
  .parse(JSON.parse(readFileSync(new URL("./traefik-rule-cases.json", import.meta.url), "utf8")));
const of = (kind: string, suite?: string): Case[] => {
  const found = cases.filter((one) => one.kind === kind && (suite === undefined || one.suite === suite));
  expect(found.length, kind).toBeGreaterThan(0);
  return found;
};

/** What came over the wire: a request line and headers. */
function fromRaw(raw: string): HttpRequest {
  const [line = "", ...rest] = raw.split("\r\n");
  const [method = "", target = ""] = line.split(" ");
  const headers: Record<string, string[]> = {};
  for (const one of rest.filter((each) => each.includes(":"))) {
    const [name = "", ...value] = one.split(":");
    headers[name] = [...(headers[name] ?? []), value.join(":").trim()];
  }
  const absolute = /^https?:\/\/(?:[^/@]*@)?([^/]*)(\/.*)?$/.exec(target);
  const [path = "", query = ""] = (absolute === null ? target : (absolute[2] ?? "/")).split("?");
  return {
    method,
    host: absolute?.[1] || (headers.Host?.[0] ?? ""),
    path,
    query: query.replaceAll(";", "&"),
    headers,
    remoteAddr: "",
  };
}
function requestOf(one: Case): HttpRequest {
  const asked = one.request;
  if (asked === undefined) throw new Error(`${one.id} asks for nothing`);
  if (asked.raw !== undefined) return fromRaw(asked.raw);
  const { method, host, rawPath, rawQuery, headers, remoteAddr } = asked;
  return { method, host, path: rawPath, query: rawQuery, headers, remoteAddr };
}
const connectionOf = (one: Case) => ({
  serverName: one.connection?.serverName ?? "",
  remoteIp: one.connection?.remoteIP ?? one.connection?.remoteAddr ?? "",
  alpn: one.connection?.alpn ?? [],
});

describe("Traefik's cases", () => {
  test.each(of("parseError", "http"))("$id: $rule is refused", ({ rule }) => {
    expect(() => httpRule(rule)).toThrow();
  });
  test.each(of("parseError", "tcp"))("$id: $rule is refused", ({ rule }) => {
    expect(() => tcpRule(rule)).toThrow();
  });

  // A header's name that is not canonical cannot come over the wire.
  test.each(of("match", "http").filter((one) => !one.goOnlyRawHeaderKey))("$id: $rule", (one) => {
    expect(httpRule(one.rule)(seenOf(requestOf(one)))).toBe(one.expected.match);
  });
  test.each(of("match", "tcp"))("$id: $rule", (one) => {
    expect(tcpRule(one.rule)(connectionOf(one))).toBe(one.expected.match);
  });
  test.each(of("catchAll"))("$id: $rule takes everything", (one) => {
    expect(tcpRule(one.rule)(connectionOf(one))).toBe(true);
    expect(tcpPriority(one.rule)).toBe(-1);
  });
  test.each(of("rulePriority"))("$id: $rule", (one) => {
    expect(tcpPriority(one.rule)).toBe(one.expected.priority);
  });

  const routersOf = (one: Case): Router[] =>
    z
      .array(router)
      .parse(one.routers)
      .map(({ name, rule, priority, provider }) => ({
        name: name || rule,
        rule,
        priority: BigInt(priority),
        provider,
      }));
  test.each([...of("priority", "http"), ...of("route", "http")])("$id: the router is the one", (one) => {
    const asked = requestOf(one);
    const options = {
      denied: one.entryPoint?.deniedEncodedPathCharacters ?? [],
      sanitizePath: one.entryPoint?.sanitizePath ?? true,
    };
    const path = one.integration ? throughEntryPoint(toBytes(asked.path), options) : asked.path;
    if (one.expected.status === 400) return expect(path).toBeNull();
    const found = routerFor(routersOf(one), { ...asked, path: path ?? "" }, one.providersPrecedence);
    return expect(found.winner?.name).toBe(one.expected.router);
  });

  test.each(of("tree"))("$id: $rule", ({ rule, matchers = [], parseMatchersFilter, expected }) => {
    if (expected.error === true) return expect(() => parseRule(rule, matchers)).toThrow();
    const tree = parseRule(rule, matchers);
    const bare = (one: unknown): unknown => {
      const { checkError: _, not = false, left, right, ...rest } = one as Record<string, unknown>;
      return left === undefined ? { ...rest, not } : { ...rest, left: bare(left), right: bare(right) };
    };
    expect(tree).toEqual(bare(expected.tree));
    return expect(valuesOf(tree, parseMatchersFilter)).toEqual(expected.parseMatchers);
  });
  test.each(of("domains", "http"))("$id: $rule names hosts", ({ rule, expected }) => {
    expect(hostsOf(rule)).toEqual(expected.domains);
  });
  test.each(of("domains", "tcp"))("$id: $rule names server names", ({ rule, expected }) => {
    if (expected.error === true) expect(() => serverNamesOf(rule)).toThrow();
    else expect(serverNamesOf(rule)).toEqual(expected.domains);
  });

  test.each(of("canonicalHost"))("$id", (one) => {
    expect(canonicalHost(one.request?.host ?? "")).toBe(one.expected.host);
  });
  test.each(of("parseHost"))("$id: $host", ({ host, expected }) => {
    expect(canonicalHost(host)).toBe(expected.host);
  });
  test.each(of("routingPath"))("$id", (one) => {
    expect(routingPath(one.request?.rawPath ?? "")).toBe(one.expected.routingPath);
  });
  test.each(of("sanitizePath"))("$id", (one) => {
    expect(sanitizedPath(one.request?.rawPath ?? "")).toBe(one.expected.path);
  });
  test.each(of("pathOperations"))("$id", (one) => {
    const path = throughEntryPoint(toBytes(one.request?.rawPath ?? ""));
    expect(path).toBe(one.expected.escapedPath);
    expect(fromBytes(unescaped(path ?? "") ?? "")).toBe(one.expected.path);
  });
  test.each(of("denyEncoded"))("$id", (one) => {
    expect(throughEntryPoint(one.request?.rawPath ?? "", { denied: one.denied }) === null).toBe(
      one.expected.status === 400,
    );
  });

  test.each(of("ipContains"))("$id: $ip in $cidrs", ({ ip, cidrs, expected }) => {
    const address = parseIp(ip.split("%")[0] ?? "");
    if (expected.error === true) return expect(address).toBeNull();
    const networks = cidrs.map((one) => parseNetwork(one));
    return expect(networks.some((one) => one !== null && address !== null && contains(one, address))).toBe(
      expected.match,
    );
  });
  test.each(of("ipNew"))("$id: $cidrs", ({ cidrs }) => {
    expect(cidrs.map((one) => parseNetwork(one))).toContain(null);
  });
  test.each(of("ipAuthorized"))("$id: $remoteAddr", ({ remoteAddr, expected }) => {
    expect(parseIp(hostOfAddress(remoteAddr) ?? "") !== null).toBe(expected.match);
  });
});

describe("what Go does", () => {
  test("an address of IPv4 is in no network of IPv6, and none of IPv6 in one of IPv4", () => {
    const within = (network: string, address: string): boolean => {
      const [known, ip] = [parseNetwork(network), parseIp(address)];
      if (known === null || ip === null) throw new Error("an address that is none");
      return contains(known, ip);
    };
    expect(within("::/0", "10.0.0.1")).toBe(false);
    expect(within("::/0", "2001:db8::1")).toBe(true);
    expect(within("::ffff:0:0/90", "10.0.0.1")).toBe(false);
    expect(within("::ffff:10.0.0.0/104", "10.0.0.1")).toBe(true);
    expect(within("::ffff:10.0.0.1", "10.0.0.1")).toBe(true);
    expect(within("0.0.0.0/0", "10.0.0.1")).toBe(true);
    expect(within("0.0.0.0/0", "::1")).toBe(false);
    const clientIs = (remoteAddr: string) =>
      httpRule("ClientIP(`::/0`)")(
        seenOf({ method: "GET", host: "a", path: "/", query: "", headers: {}, remoteAddr }),
      );
    expect(clientIs("192.0.2.1:1")).toBe(false);
    expect(clientIs("[2001:db8::1]:1")).toBe(true);
  });
  test("Host(`*`) takes a request without a host, and no other Host does", () => {
    const nameless = seenOf({ method: "GET", host: "", path: "/", query: "", headers: {}, remoteAddr: "" });
    expect(httpRule("Host(`*`)")(nameless)).toBe(true);
    expect(httpRule("!Host(`*`)")(nameless)).toBe(false);
    expect(httpRule("Host(`a.example`)")(nameless)).toBe(false);
    expect(httpRule("Host(`*.example`)")(nameless)).toBe(false);
  });
  test("priorities beyond a double's whole numbers are told apart", () => {
    const most = 2n ** 63n - 1n;
    const one = (name: string, priority: bigint): Router => ({
      name,
      rule: "PathPrefix(`/`)",
      priority,
      provider: "internal",
    });
    const request = { method: "GET", host: "a", path: "/", query: "", headers: {}, remoteAddr: "" };
    const { winner, ties } = routerFor([one("dashboard", most - 2n), one("api", most - 1n)], request);
    expect(winner?.name).toBe("api");
    expect(ties).toEqual([]);
  });
  test("a new line ends an expression where something could end", () => {
    expect(() => httpRule("Host(`a`)\n&& Path(`/`)")).toThrow();
    expect(httpRule("Host(`a`) &&\n Path(`/`)\n")).toBeTypeOf("function");
    expect(() => httpRule("Host(`a`\n)")).toThrow();
    expect(httpRule("Host(`a`,\n)")).toBeTypeOf("function");
  });
  test("strings between double quotes have escapes", () => {
    expect(parseRule('m("\\x41\\u00e9\\n\\101")', ["m"])).toMatchObject({ value: ["Aé\nA"] });
    expect(() => parseRule('m("\\q")', ["m"])).toThrow();
  });
  test("a path with a character that should have been encoded is encoded anew, its slashes too", () => {
    expect(normalizedPath("/a%2fb%41")).toBe("/a%2FbA");
    expect(throughEntryPoint("/a%2Fb{c}")).toBe("/a/b%7Bc%7D");
    expect(throughEntryPoint("/a%zz")).toBeNull();
    expect(fromBytes(routingPath(throughEntryPoint(toBytes("/é")) ?? "") ?? "")).toBe("/é");
  });
});
