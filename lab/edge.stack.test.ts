// The part that plays Cloudflare: its cache, its API's refusals, limits and faults, and real purges.
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { ask, json, site, stack, until } from "./test-stack";

const { edge, cloudflareApi, cloudflareControl } = stack.ports;
const token = stack.secrets.cloudflareToken;

type Envelope = {
  success: boolean;
  errors: { code: number; message: string }[];
  result: unknown;
  result_info?: { page: number; total_count: number };
};

async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const answer = await ask(cloudflareApi, `/client/v4${path}`, {
    method,
    headers: {
      host: "127.0.0.1",
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    timeoutMs: 4000,
  });
  return { ...answer, envelope: JSON.parse(answer.body) as Envelope };
}
const control = async (method: string, path: string, body?: unknown) => {
  const answer = await ask(cloudflareControl, path, {
    method,
    ...(body === undefined
      ? {}
      : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  });
  expect(answer.status).toBe(200);
  return JSON.parse(answer.body) as Record<string, unknown>;
};

const zones = (await call("GET", "/zones")).envelope.result as { id: string; name: string }[];
const zone = zones.find((one) => one.name === site)?.id ?? "";
const purge = (body: unknown, verb = "purge_cache") => call("POST", `/zones/${zone}/${verb}`, body);
const status = async (path: string, headers: Record<string, string> = {}) =>
  (await ask(edge, path, { headers })).headers["cf-cache-status"];
async function fill(...paths: string[]) {
  for (const path of paths) {
    await ask(edge, path);
    expect(await status(path), path).toBe("HIT");
  }
}
const code = (answer: { envelope: Envelope }) => answer.envelope.errors[0]?.code;

beforeEach(async () => {
  await control("POST", "/reset", { cache: true });
});
afterAll(async () => {
  await control("POST", "/reset", {});
});

describe("the cache", () => {
  it("says what it did", async () => {
    const first = await ask(edge, "/fr/archive/101");
    expect(first.headers["cf-cache-status"]).toBe("MISS");
    expect(first.headers["cf-ray"]).toMatch(/^[0-9a-f]{16}-LAB$/);
    expect(first.headers["cache-tag"]).toBeUndefined();
    const second = await ask(edge, "/fr/archive/101");
    expect(second.headers["cf-cache-status"]).toBe("HIT");
    expect(second.headers.age).toMatch(/^\d+$/);
    expect(await status("/admin")).toBe("BYPASS");
    expect((await ask(edge, "/fr/archive/101", { method: "POST" })).headers["cf-cache-status"]).toBe(
      "DYNAMIC",
    );
  });

  it("keeps the host without its port, and other origins apart", async () => {
    await fill("/fr/archive/102");
    expect(await status("/fr/archive/102", { host: `${site}:${edge}` })).toBe("HIT");
    expect(await status("/fr/archive/102", { host: "shop.localhost" })).toBe("MISS");
    expect(await status("/fr/archive/102", { origin: "http://other.example" })).toBe("MISS");
  });
});

describe("purges for real", () => {
  it("by address; port and fragment play no part", async () => {
    await fill("/fr/archive/103", "/fr/archive/104", "/fr/archive/104?a=1");
    const answer = await purge({
      files: [`http://${site}:${edge}/fr/archive/103#top`, `http://${site}/fr/archive/104`],
    });
    expect(answer.envelope).toMatchObject({ success: true, errors: [], result: { id: zone } });
    expect(await status("/fr/archive/103")).toBe("MISS");
    expect(await status("/fr/archive/104")).toBe("MISS");
    expect(await status("/fr/archive/104?a=1")).toBe("HIT");
  });

  it("by address and headers: a variant is its own entry", async () => {
    const origin = "http://other.example";
    await fill("/fr/archive/105");
    await ask(edge, "/fr/archive/105", { headers: { origin } });
    await purge({ files: [`http://${site}/fr/archive/105`] });
    expect(await status("/fr/archive/105", { origin })).toBe("HIT");
    await purge({ files: [{ url: `http://${site}/fr/archive/105`, headers: { Origin: origin } }] });
    expect(await status("/fr/archive/105", { origin })).toBe("MISS");
  });

  it("by prefix: whole segments", async () => {
    await fill("/fr/archive/10", "/fr/archive/106", "/en/archive/10", "/fr/archive/10?a=1");
    await purge({ prefixes: [`${site}/fr/archive/10`] });
    expect(await status("/fr/archive/10")).toBe("MISS");
    expect(await status("/fr/archive/10?a=1")).toBe("MISS");
    expect(await status("/fr/archive/106")).toBe("HIT");
    expect(await status("/en/archive/10")).toBe("HIT");
  });

  it("by host and everything: only the zone's own", async () => {
    for (const body of [{ hosts: [site] }, { purge_everything: true }]) {
      await fill("/fr/archive/107");
      await ask(edge, "/fr/archive/107", { headers: { host: "shop.localhost" } });
      await purge(body);
      expect(await status("/fr/archive/107")).toBe("MISS");
      expect(await status("/fr/archive/107", { host: "shop.localhost" })).toBe("HIT");
    }
  });

  it("by tag", async () => {
    await fill("/fr/archive/108", "/en/archive/108", "/fr/archive/109");
    await purge({ tags: ["archive-108"] });
    expect(await status("/fr/archive/108")).toBe("MISS");
    expect(await status("/en/archive/108")).toBe("MISS");
    expect(await status("/fr/archive/109")).toBe("HIT");
  });

  it("softly: serves the old while it fetches the new", async () => {
    await fill("/fr/archive/110");
    expect((await purge({ files: [`http://${site}/fr/archive/110`] }, "invalidate_cache")).status).toBe(200);
    expect(await status("/fr/archive/110")).toMatch(/^(STALE|UPDATING)$/);
    await until("fresh again", async () => (await status("/fr/archive/110")) === "HIT");
  });

  it("purges two thousand entries quickly", async () => {
    const paths = Array.from({ length: 2000 }, (_, index) => `/fr/archive/${1000 + index}`);
    for (let at = 0; at < paths.length; at += 50)
      await Promise.all(paths.slice(at, at + 50).map((path) => ask(edge, path)));
    expect((await control("GET", "/cache")).count).toBe(2000);
    const start = performance.now();
    await purge({ tags: ["archive"] });
    expect(performance.now() - start).toBeLessThan(2000);
    expect((await control("GET", "/cache")).count).toBe(0);
  }, 60_000);
});

describe("the API refuses", () => {
  it.each([
    ["an empty body", {}, 400, 1012],
    ["an empty list", { files: [] }, 400, 1012],
    ["no list", { files: "http://site.localhost/" }, 400, 1014],
    ["two ways at once", { files: ["http://site.localhost/"], tags: ["a"] }, 400, 1092],
    ["numbers", { files: [1] }, 400, 1012],
    [
      "plain addresses among those with headers",
      { files: ["http://site.localhost/", { url: "http://site.localhost/" }] },
      400,
      1012,
    ],
    ["purge_everything: false", { purge_everything: false }, 400, 1012],
    ["a foreign address", { files: ["http://other.example/"] }, 400, 1016],
    ["no address at all", { files: ["/fr/x"] }, 400, 1016],
    [
      "31 addresses",
      { files: Array.from({ length: 31 }, (_, index) => `http://site.localhost/${index}`) },
      400,
      1094,
    ],
    ["101 tags", { tags: Array.from({ length: 101 }, (_, index) => `t${index}`) }, 400, 1094],
    ["a prefix with a scheme", { prefixes: ["http://site.localhost/fr"] }, 400, 1016],
    ["a prefix with a query", { prefixes: ["site.localhost/fr?a=1"] }, 400, 1016],
    ["what is no JSON", "{", 400, 6007],
  ])("%s", async (_what, body, httpStatus, errorCode) => {
    await fill("/fr/archive/111");
    const answer = await purge(body);
    expect([answer.status, code(answer)]).toEqual([httpStatus, errorCode]);
    expect(answer.envelope).toMatchObject({ success: false, result: null, messages: [] });
    expect(await status("/fr/archive/111")).toBe("HIT");
  });

  it("who has no right", async () => {
    const wrong = { authorization: "Bearer wrong" };
    const body = { purge_everything: true };
    const path = `/zones/${zone}/purge_cache`;
    const of = async (headers: Record<string, string>) => {
      const answer = await call("POST", path, body, headers);
      return [answer.status, code(answer)];
    };
    expect(await of(wrong)).toEqual([401, 10000]);
    expect(await of({ authorization: "Basic x" })).toEqual([400, 6003]);
    const verify = await call("GET", "/user/tokens/verify", undefined, wrong);
    expect([verify.status, code(verify)]).toEqual([401, 1000]);
    await control("POST", "/scopes", { scopes: ["zone_read"] });
    expect(await of({})).toEqual([403, 10000]);
    expect((await call("GET", "/zones")).status).toBe(200);
    await control("POST", "/scopes", { scopes: ["cache_purge"] });
    expect((await call("GET", "/zones")).status).toBe(403);
    expect(await of({})).toEqual([200, undefined]);
  });

  it("unknown zones, routes, methods and parameters", async () => {
    const unknown = await call("POST", "/zones/0123456789abcdef0123456789abcdef/purge_cache", {
      purge_everything: true,
    });
    expect([unknown.status, code(unknown)]).toEqual([404, 7003]);
    expect(code(await call("GET", "/nothing"))).toBe(7003);
    expect((await call("GET", `/zones/${zone}/purge_cache`)).status).toBe(405);
    expect((await call("GET", "/zones?page=0")).status).toBe(400);
  });
});

describe("zones and the token", () => {
  it("lists, filters and pages", async () => {
    const named = await call("GET", `/zones?name=${site}`);
    expect((named.envelope.result as { name: string }[]).map((one) => one.name)).toEqual([site]);
    expect((await call("GET", "/zones?name=nothing.example")).envelope.result).toEqual([]);
    const second = await call("GET", "/zones?page=2&per_page=5");
    expect(second.envelope.result).toEqual([]);
    expect(second.envelope.result_info).toMatchObject({ page: 2, total_count: 2 });
    expect((await call("GET", "/user/tokens/verify")).envelope.result).toMatchObject({ status: "active" });
  });
});

describe("limits", () => {
  it("free: 25 lookups at once, then 429 with the wait", async () => {
    await control("POST", "/plan", { plan: "free" });
    let last = await purge({ tags: ["a"] });
    for (let index = 1; index < 25; index += 1) last = await purge({ tags: ["a"] });
    expect(last.status).toBe(200);
    const refused = await purge({ tags: ["a"] });
    expect([refused.status, code(refused)]).toEqual([429, 1134]);
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(5);
    expect(refused.headers.ratelimit).toMatch(/^"default";r=0;t=\d+$/);
    expect((await purge({ files: [`http://${site}/`] })).status).toBe(200);
  });

  it("addresses have a bucket of their own", async () => {
    await control("POST", "/plan", { plan: "free", urls: { rate: 10, capacity: 30 } });
    const files = Array.from({ length: 30 }, (_, index) => `http://${site}/${index}`);
    expect((await purge({ files })).status).toBe(200);
    const refused = await purge({ files });
    expect([refused.status, refused.headers["retry-after"]]).toEqual([429, "3"]);
  });
});

describe("faults", () => {
  const once = (kind: string, more: object = {}) =>
    control("POST", "/fault", { kind, count: 1, path: "purge_cache", ...more });
  const body = { files: [`http://${site}/fr/archive/112`] };

  it("429, 500, and well again", async () => {
    await once("429", { retryAfter: 7 });
    await once("500");
    expect((await purge(body)).headers["retry-after"]).toBe("7");
    expect((await purge(body)).status).toBe(500);
    expect((await purge(body)).status).toBe(200);
  });

  it("garbage, a reset connection, no answer at all", async () => {
    await once("garbage");
    await expect(purge(body)).rejects.toThrow(SyntaxError);
    await once("reset");
    await expect(purge(body)).rejects.toThrow(/ECONNRESET|socket hang up/);
    await once("hang");
    await expect(purge(body)).rejects.toThrow("no answer in time");
    expect((await purge(body)).status).toBe(200);
  });

  it("a lie: 200, and nothing is gone", async () => {
    await fill("/fr/archive/112");
    await once("lie");
    expect((await purge(body)).status).toBe(200);
    expect(await status("/fr/archive/112")).toBe("HIT");
  });

  it("done, but the answer is lost", async () => {
    await fill("/fr/archive/112");
    await once("reset", { after: true });
    await expect(purge(body)).rejects.toThrow();
    expect(await status("/fr/archive/112")).toBe("MISS");
  });

  it("remembers what was asked", async () => {
    await purge(body);
    const { requests } = (await control("GET", "/requests")) as {
      requests: { path: string; body: unknown; status: number }[];
    };
    expect(requests.at(-1)).toMatchObject({
      path: `/client/v4/zones/${zone}/purge_cache`,
      body,
      status: 200,
    });
    expect(JSON.stringify(requests)).not.toContain(token);
  });

  it("a test's mistake is told", async () => {
    expect((await ask(cloudflareControl, "/fault", json({ kind: "typo" }))).status).toBe(400);
  });
});

describe("the analytics", () => {
  type Told = { data: unknown; errors: { message: string; extensions: { code: string } }[] | null };
  const graphql = async (query: string, variables: object = {}) =>
    JSON.parse((await call("POST", "/graphql", { query, variables })).body) as Told;
  const now = Date.now();
  const range = `datetime_geq: "${new Date(now - 60_000).toISOString()}", datetime_lt: "${new Date(now).toISOString()}"`;
  const groups = (fields: string, args = `limit: 10, filter: { ${range} }`) =>
    `{ viewer { zones(filter: { zoneTag: "${zone}" }) { httpRequestsAdaptiveGroups(${args}) { ${fields} } } } }`;

  it("answers what the schema has", async () => {
    expect(await graphql(groups("count dimensions { cacheStatus edgeResponseStatus }"))).toMatchObject({
      errors: null,
      data: { viewer: { zones: [{ httpRequestsAdaptiveGroups: expect.any(Array) }] } },
    });
  });

  it.each([
    ["an unknown field", () => groups("count weather"), 'unknown field "weather"'],
    ["an unknown dimension", () => groups("dimensions { mood }"), 'unknown field "mood"'],
    ["an unknown node", () => groups("count").replace("httpRequests", "ftpRequests"), "unknown field"],
    ["no zoneTag", () => groups("count").replace(/\(filter: \{ zoneTag[^)]*\)/, ""), "zoneTag is needed"],
    ["another's zone", () => groups("count").replace(zone, "0".repeat(32)), "not authorized"],
    ["no limit", () => groups("count", `filter: { ${range} }`), "limit must be"],
    [
      "no time range",
      () => groups("count", 'limit: 1, filter: { cacheStatus: "hit" }'),
      "time range is needed",
    ],
    [
      "an unknown filter",
      () => groups("count", `limit: 1, filter: { ${range}, mood: 1 }`),
      "unknown field mood",
    ],
    [
      "a range too wide",
      () =>
        groups("count", `limit: 1, filter: { datetime_geq: "${new Date(now - 90_000_000).toISOString()}" }`),
      "range is too large",
    ],
    [
      "what is too old",
      () =>
        groups(
          "count",
          'limit: 1, filter: { datetime_geq: "2020-01-01T00:00:00Z", datetime_lt: "2020-01-01T01:00:00Z" }',
        ),
      "cannot request data older",
    ],
    ["a query cut off", () => groups("count").slice(0, -4), "syntax error"],
  ])("refuses %s", async (_, query, says) => {
    const told = await graphql(query());
    expect(told.data).toBeNull();
    expect(told.errors?.[0]?.message).toContain(says);
  });

  it("refuses a wrong token, a variable that is not given, and more than 300 queries", async () => {
    const wrong = await call(
      "POST",
      "/graphql",
      { query: groups("count") },
      { authorization: "Bearer wrong" },
    );
    expect([wrong.status, code(wrong)]).toEqual([400, 10000]);
    const told = await graphql(
      "query A($zoneTag: string!) { viewer { zones(filter: { zoneTag: $zoneTag }) { zoneTag } } }",
    );
    expect(told.errors?.[0]?.message).toContain("must be defined");
    await control("POST", "/queries", { left: 0 });
    const limited = await call("POST", "/graphql", { query: groups("count") });
    expect(limited.status).toBe(429);
    expect(Number(limited.headers["retry-after"])).toBeGreaterThan(0);
  });
});

describe("the settings", () => {
  const setting = (name: string, value?: unknown) =>
    value === undefined
      ? call("GET", `/zones/${zone}/settings/${name}`)
      : call("PATCH", `/zones/${zone}/settings/${name}`, { value });

  it("keep what they are set to, and take no other words", async () => {
    expect((await setting("security_level")).envelope.result).toMatchObject({ value: "medium" });
    expect((await setting("security_level", "under_attack")).status).toBe(200);
    expect((await setting("security_level")).envelope.result).toMatchObject({ value: "under_attack" });
    for (const [name, value] of [
      ["security_level", "extreme"],
      ["security_level", "off"],
      ["development_mode", true],
    ] as const) {
      const answer = await setting(name, value);
      expect([answer.status, code(answer)], `${name} ${value}`).toEqual([400, 1007]);
    }
    expect((await setting("weather")).status).toBe(400);
    await setting("development_mode", "on");
    expect((await setting("development_mode")).envelope.result).toMatchObject({
      value: "on",
      time_remaining: expect.closeTo(10_800, -1),
    });
    await control("POST", "/scopes", { scopes: ["zone_read"] });
    expect((await setting("security_level")).status).toBe(403);
  });
});
