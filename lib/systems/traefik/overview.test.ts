// What Traefik does now: pages of lists, its errors in a word, names of parts, and no password of any kind.
import { afterEach, expect, test } from "vitest";
import en from "@/messages/en.json";
import fr from "@/messages/fr.json";
import { closeServers, type Pages, pages, web } from "../test-server";
import { faultKeys, faultOf } from "./faults";
import { overviewOf, sourceOf } from "./overview";
import { httpRouters } from "./routers";

afterEach(closeServers);
const at = (url: string) => ({ name: "edge", url, tls_days: 14, timeout: 1000 });
const hash = "$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/";
const well: Pages = {
  "/api/version": { Version: "v3.7.9", Codename: "cheddar" },
  "/api/entrypoints": [{ name: "web", address: ":80" }],
  "/api/http/routers": [],
  "/api/tcp/routers": [],
  "/api/udp/routers": [],
  "/api/http/services": [],
  "/api/tcp/services": [],
  "/api/udp/services": [],
  "/api/http/middlewares": [],
  "/api/tcp/middlewares": [],
  "/api/certificates": [],
};

test("what it tells, in our words", async () => {
  const url = await pages({
    ...well,
    "/api/http/routers": [
      {
        name: "api@internal",
        provider: "internal",
        rule: "PathPrefix(`/api`)",
        entryPoints: ["traefik"],
        service: "api@internal",
        priority: 2 ** 63,
        priorityStr: "9223372036854775806",
        status: "enabled",
      },
      { name: "old@docker", provider: "docker", rule: "Path(`/{x}`)", ruleSyntax: "v2", status: "later" },
    ],
    "/api/tcp/routers": [
      { name: "db@file", rule: "HostSNI(`db`)", tls: { passthrough: true }, priority: -1, status: "warning" },
    ],
    "/api/http/services": [
      {
        name: "site@file",
        type: "loadbalancer",
        status: "enabled",
        usedBy: ["site@file"],
        serverStatus: { "http://10.0.0.2": "UP", "http://admin:geheim@10.0.0.3": "DOWN" },
      },
    ],
    "/api/certificates": [
      {
        name: "ab12",
        commonName: "a.example",
        sans: null,
        issuerCN: "R11",
        notAfter: "2027-01-02T03:04:05Z",
        status: "enabled",
      },
    ],
  });
  const seen = await overviewOf(at(url));
  expect(seen).toMatchObject({
    version: "3.7.9",
    routers: [
      { protocol: "http", name: "api@internal", priority: 9223372036854775806n, tls: false, old: false },
      { name: "old@docker", old: true, status: "enabled", middlewares: [] },
      { protocol: "tcp", name: "db@file", tls: true, priority: -1n, status: "warning" },
    ],
    services: [
      {
        servers: [
          { url: "http://10.0.0.2", up: true },
          { url: "http://admin:•••@10.0.0.3", up: false },
        ],
      },
    ],
    certificates: [
      {
        id: "ab12",
        commonName: "a.example",
        sans: [],
        issuer: "R11",
        notAfter: new Date("2027-01-02T03:04:05Z"),
      },
    ],
  });
});

test("all pages are read; no certificates are told where there is no such list", async () => {
  const asked: string[] = [];
  const all = Array.from({ length: 250 }, (_, index) => ({ name: `r${index}@file`, status: "enabled" }));
  const url = await web((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://x");
    const page = Number(searchParams.get("page"));
    if (pathname === "/api/http/routers") {
      asked.push(String(searchParams));
      response.setHeader("X-Next-Page", page < 3 ? String(page + 1) : "1");
      response.end(JSON.stringify(all.slice((page - 1) * 100, page * 100)));
    } else if (pathname === "/api/certificates") response.writeHead(404).end("404 page not found");
    else response.end(JSON.stringify(well[pathname]));
  });
  const { routers, certificates } = await overviewOf(at(url));
  expect(routers.map(({ name }) => name)).toEqual(all.map(({ name }) => name));
  expect(asked).toEqual(["per_page=100&page=1", "per_page=100&page=2", "per_page=100&page=3"]);
  expect(certificates).toBeNull();
});

test("of a middleware nothing but its name, kind, state and use; of a bad user no hash", async () => {
  const bad = `error parsing BasicUser: nobody ${hash}`;
  const url = await pages({
    ...well,
    "/api/http/middlewares": [
      {
        name: "auth@file",
        provider: "file",
        type: "basicauth",
        status: "disabled",
        usedBy: ["site@file"],
        basicAuth: { users: [`admin:${hash}`], headerField: "X-User" },
        error: [bad],
      },
      { name: "digest@file", digestAuth: { users: ["admin:realm:0f2ab6"] }, type: "digestauth" },
      { name: "out@file", forwardAuth: { address: "http://geheim@auth" }, type: "forwardauth" },
    ],
    "/api/http/routers": [{ name: "site@file", status: "disabled", error: [bad] }],
    "/api/http/services": [{ name: "site@file", status: "disabled", error: [bad] }],
  });
  const seen = await overviewOf(at(url));
  expect(seen.middlewares[0]).toEqual({
    protocol: "http",
    name: "auth@file",
    provider: "file",
    type: "basicauth",
    status: "disabled",
    usedBy: ["site@file"],
  });
  expect(seen.routers[0]?.faults).toEqual([
    { kind: "badUser", about: "", says: "error parsing BasicUser: •••" },
  ]);
  expect((await httpRouters(at(url)))[0]?.errors).toEqual(["error parsing BasicUser: •••"]);
  const text = JSON.stringify(seen, (_, value) => (typeof value === "bigint" ? String(value) : value));
  for (const secret of [hash, "apr1", "realm", "0f2ab6", "geheim", "X-User"])
    expect(text).not.toContain(secret);
});

test("certificates that are odd, or are not told, hide nothing else", async () => {
  const good = { name: "ab12", commonName: "a.example", notAfter: "2027-01-02T03:04:05Z" };
  const odd = [{ ...good, notAfter: "soon" }, { ...good, name: 7 }, null, "x"];
  const mixed = await overviewOf(at(await pages({ ...well, "/api/certificates": [...odd, good] })));
  expect(mixed.certificates?.map(({ id }) => id)).toEqual(["ab12"]);
  for (const answer of [[500, "no"], { certificates: 1 }]) {
    const seen = await overviewOf(at(await pages({ ...well, "/api/certificates": answer })));
    expect(seen.certificates).toBeNull();
    expect(seen.version).toBe("3.7.9");
  }
});

test("who gives up is asked for no more pages", async () => {
  const giveUp = new AbortController();
  let asked = 0;
  const url = await web((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://x");
    if (pathname === "/api/http/routers") {
      asked += 1;
      if (asked === 3) giveUp.abort();
      response.setHeader("X-Next-Page", String(Number(searchParams.get("page")) + 1));
    }
    response.end(JSON.stringify(well[pathname]));
  });
  await expect(overviewOf(at(url), giveUp.signal)).rejects.toMatchObject({ code: "CANCELLED" });
  expect(asked).toBe(3);
});

test("an error's words are without secrets, wherever it is cut", () => {
  for (const says of [
    `cannot use admin:${hash} here`,
    `Error Parsing BASICUSER: nobody ${hash}`,
    `user "bob:$2y$05$IgXLP6ewTrSuBkTrqE8wj/" is not known`,
  ])
    expect(faultOf(says).says, says).not.toMatch(/IgXLP6|H6usk/);
  expect(faultOf(`Error Parsing BASICUSER: nobody ${hash}`).kind).toBe("badUser");
  const long = `${"word ".repeat(396)}http://bob:s3cret${"x".repeat(100)}@10.0.0.1 down`;
  for (let cut = 0; cut < 100; cut += 1) {
    const { says } = faultOf(long.slice(cut));
    expect(says.length).toBeLessThanOrEqual(500);
    expect(faultOf(`${"x".repeat(cut)} ${long}`).says).not.toContain("s3cret");
  }
  // Half of it is behind what is read.
  const half = `http://${"b".repeat(150)}:s3cret${"x".repeat(3000)}@10.0.0.1`;
  expect(faultOf(half).says).toBe("…");
});

test.each([
  ['the service "shop@file" does not exist', "serviceMissing", "shop@file"],
  ['the UDP service "dns@file" does not exist', "serviceMissing", "dns@file"],
  ['middleware "auth@docker" does not exist', "middlewareMissing", "auth@docker"],
  ['entryPoint "wbe" doesn\'t exist', "entryPointMissing", "wbe"],
  ["no valid entryPoint for this router", "noEntryPoint", ""],
  ["building router handler: unknown TLS options: modern@file", "tlsOptionsMissing", "modern@file"],
  ["error while parsing rule Host(: 1:6: expected operand, found 'EOF'", "badRule", ""],
  ['invalid rule: "HostSNI(`a`)" , has HostSNI matcher, but no TLS on router', "sniWithoutTls", ""],
  ['parent router "top@file" does not exist', "parentMissing", "top@file"],
  ['the service "empty@file" does not have any type defined', "serviceEmpty", "empty@file"],
  [
    'invalid middleware "m@file" configuration: invalid middleware type or middleware does not exist',
    "middlewareEmpty",
    "m@file",
  ],
  ["something new", "other", ""],
])("%s", (says, problem, about) => {
  expect(faultOf(says)).toEqual({ kind: problem, about, says });
});

test.each([
  ["en", en],
  ["fr", fr],
])("every word for an error is a sentence in %s", (_, messages) => {
  expect(Object.keys(messages.routing.overview.faults).sort()).toEqual([...faultKeys].sort());
});

test("parts of a router are called by its own name; who is called so by itself keeps it", () => {
  const part = (name: string, ...entryPoints: string[]) => ({ name, entryPoints, rule: "r", service: "s" });
  const split = [part("web-shop@file", "web"), part("websecure-shop@file", "websecure")];
  expect(split.map((one) => sourceOf(one, split))).toEqual(["shop@file", "shop@file"]);
  const half = [part("web-shop@file", "web"), part("shop@file", "other", "another")];
  expect(half.map((one) => sourceOf(one, half))).toEqual(["shop@file", "shop@file"]);
  const alone = part("web-shop@file", "web");
  expect(sourceOf(alone, [alone, { ...part("shop@file", "other"), rule: "another" }])).toBe("web-shop@file");
  const conflicted = [
    part("web-shop@file", "web"),
    part("websecure-conflicted-websecure-shop@file", "websecure"),
  ];
  expect(conflicted.map((one) => sourceOf(one, conflicted))).toEqual(["shop@file", "shop@file"]);
  const single = part("websecure-conflicted-shop@file", "websecure");
  expect(sourceOf(single, [single])).toBe("shop@file");
});

test("what does not answer as Traefik is told", async () => {
  await expect(overviewOf(at(await pages({})))).rejects.toMatchObject({ code: "BAD_ANSWER" });
  const { "/api/tcp/routers": _, ...partly } = well;
  await expect(overviewOf(at(await pages(partly)))).rejects.toMatchObject({ code: "BAD_ANSWER" });
  await expect(overviewOf(at("http://127.0.0.1:9"))).rejects.toMatchObject({ code: "UNREACHABLE" });
});
