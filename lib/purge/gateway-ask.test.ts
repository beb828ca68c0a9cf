// What clients of the gateway say, and what must never get through it.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { testConfig } from "@/lib/sites/test-config";
import { mayAsk, readListen } from "./gateway";
import { readAsk, refusedRegex, tagsOfRegex } from "./gateway-ask";
import { readHead } from "./http-wire";

const { sites, gateway } = testConfig();
const ask = (method: string, target: string, headers: Record<string, string> = {}) =>
  readAsk({ method, target, headers: new Map(Object.entries({ host: "example.org", ...headers })) }, sites);
const values = (asked: ReturnType<typeof ask>) =>
  asked.ok ? asked.items.map(({ type, value, soft }) => [type, value, soft]) : asked;

describe("dialects", () => {
  test.each([
    ["PURGE", "/fr/x?b=1", {}, [["url", "/fr/x?b=1", false]]],
    ["PURGE", "http://example.org/fr/x", { host: "10.0.0.1" }, [["url", "/fr/x", false]]],
    ["PURGE", "/fr/x", { "sluice-soft": "1" }, [["url", "/fr/x", true]]],
    [
      "PURGE",
      "/",
      { xkey: "a b,c" },
      [
        ["tag", "a", false],
        ["tag", "b", false],
        ["tag", "c", false],
      ],
    ],
    ["PURGE", "/", { "xkey-softpurge": "a" }, [["tag", "a", true]]],
    [
      "PURGE",
      "/",
      { "surrogate-key": "a /api/x" },
      [
        ["tag", "a", false],
        ["tag", "/api/x", false],
      ],
    ],
    [
      "BAN",
      "/",
      { "x-cache-tags": "(^|,)(a\\-1|b)(,|$)" },
      [
        ["tag", "a-1", false],
        ["tag", "b", false],
      ],
    ],
    [
      "PURGE",
      "/",
      { "x-cache-tags": "a, b" },
      [
        ["tag", "a", false],
        ["tag", "b", false],
      ],
    ],
    [
      "BAN",
      "/",
      { "apiplatform-ban-regex": "(/api/f/5|/api/g\\.h)($|\\,)" },
      [
        ["tag", "/api/f/5", false],
        ["tag", "/api/g.h", false],
      ],
    ],
    ["BAN", "/", {}, [["host", "", false]]],
    ["BAN", "/", { "x-url": "^/fr/[a-z]+$" }, [["regex", "^/fr/[a-z]+$", false]]],
  ])("%s %s %j", (method, target, headers, expected) => {
    expect(values(ask(method, target, headers))).toEqual(expected);
  });

  test.each([
    ["GET", "/", {}, 405],
    ["PURGE", "/", { host: "evil.example" }, 404],
    ["PURGE", "/", { xkey: " " }, 400],
    ["PURGE", "/", { xkey: "a", "xkey-softpurge": "b" }, 400],
    ["BAN", "/fr/x", {}, 400],
    ["BAN", "/", { "apiplatform-ban-regex": "(/api/.*)($|\\,)" }, 400],
    ["BAN", "/", { "apiplatform-ban-regex": ".*" }, 400],
    ["BAN", "/", { "x-url": "(a+)+$" }, 400],
    ["BAN", "/", { "x-url": '/a" && req.url ~ "' }, 400],
    ["PURGE", "/", { xkey: Array.from({ length: 501 }, (_, index) => `t${index}`).join(" ") }, 400],
    ["PURGE", "/", { xkey: "é" }, 400],
  ])("%s %s %j is answered %d", (method, target, headers, status) => {
    expect(ask(method, target, headers)).toMatchObject({ ok: false, status });
  });
});

describe("patterns", () => {
  test.each([
    "",
    "(",
    "a b",
    "a\tb",
    'a"b',
    "a&&b",
    "(a+)+",
    "((a*)b)*",
    "(a|aa)+",
    "(?=a)",
    "(?i)a",
    "\\Qa",
    "x".repeat(501),
    "a*".repeat(11),
    "(.*)*",
  ])("%j is refused", (regex) => {
    expect(refusedRegex(regex)).not.toBeNull();
  });
  test.each(["^/fr/", "^/fr/(a|b)/.*$", "\\.css$", "^/a/[0-9]+/"])("%j is taken", (regex) => {
    expect(refusedRegex(regex)).toBeNull();
  });
  test("what is taken is one word of a ban, compiles, and is matched quickly on a long address", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary-ascii", maxLength: 40 }), (regex) => {
        if (refusedRegex(regex) !== null) return;
        expect(regex).toMatch(/^[\x21-\x7e]+$/);
        expect(regex).not.toMatch(/["']|&&/);
      }),
      { numRuns: 1000 },
    );
  });
  test("a list of literals is read back as it was", () => {
    const tag = fc.stringMatching(/^[a-z/_.\-0-9]{1,10}$/);
    const quoted = (text: string) => text.replace(/[.\-/]/g, "\\$&");
    fc.assert(
      fc.property(fc.array(tag, { minLength: 1, maxLength: 6 }), (tags) => {
        expect(tagsOfRegex(`(${tags.map(quoted).join("|")})($|\\,)`)).toEqual(tags);
        expect(tagsOfRegex(`(^|,)(${tags.map(quoted).join("|")})(,|$)`)).toEqual(tags);
      }),
    );
    expect(tagsOfRegex("(a.*|b)($|\\,)")).toBeNull();
    expect(tagsOfRegex("(a|\\d)($|\\,)")).toBeNull();
  });
});

describe("who may ask", () => {
  const settings = { ...gateway, networks: ["10.0.0.0/8", "::1/128"], token: "secret" };
  const may = (client: string, authorization?: string) =>
    mayAsk({ client, headers: new Map(authorization ? [["authorization", authorization]] : []) }, settings);
  test("networks, or the token", () => {
    expect([
      may("10.2.3.4"),
      may("::1"),
      may("192.168.0.1"),
      may("192.168.0.1", "Bearer secret"),
      may("192.168.0.1", "Bearer other"),
      may("nonsense"),
    ]).toEqual([true, true, false, true, false, false]);
  });
  test("addresses to listen on", () => {
    expect([readListen("127.0.0.1:3100"), readListen("[::1]:3100"), readListen("*:80")]).toEqual([
      { host: "127.0.0.1", port: 3100 },
      { host: "::1", port: 3100 },
      { host: "0.0.0.0", port: 80 },
    ]);
  });
});

describe("the wire", () => {
  test("a head is read strictly", () => {
    expect(readHead("BAN / HTTP/1.1\r\nHost: a\r\nxkey: a\r\nXKEY: b")).toMatchObject({
      method: "BAN",
      keep: true,
      headers: new Map([
        ["host", "a"],
        ["xkey", "a, b"],
      ]),
    });
    for (const [head, status] of [
      ["nonsense", 400],
      ["PURGE / HTTP/2.0", 505],
      ["PURGE /a b HTTP/1.1", 400],
      ["PURGE / HTTP/1.1\r\nHost: a\r\nHost: b", 400],
      ["PURGE / HTTP/1.1\r\nHost : a", 400],
      ["PURGE / HTTP/1.1\r\n folded", 400],
      ["PURGE / HTTP/1.1\r\nx: a\nInjected: b", 400],
      ["PURGE / HTTP/1.1\r\nTransfer-Encoding: chunked", 411],
      ["PURGE / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2", 400],
      ["PURGE / HTTP/1.1\r\nContent-Length: 999999999", 413],
    ] as const) {
      expect(readHead(head), head).toMatchObject({ status });
    }
  });
});
