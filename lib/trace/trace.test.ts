// One address at small servers that answer as each layer does: who answered, and where a fault begins.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { configSource } from "../config/load";
import { AppError } from "../errors/app-error";
import { forgetSingleton } from "../runtime/singleton";
import { closeServers, pages, web } from "../systems/test-server";
import { trace as shape, type Trace, type TraceRequest } from "./contract";
import { headersOf, shownHeaders } from "./headers";
import { traceUrl } from "./service";
import { type Seen, verdictOf } from "./verdict";

const directory = mkdtempSync(join(tmpdir(), "sluice-trace-"));
const dead = "http://127.0.0.1:9";
afterEach(closeServers);
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true, force: true });
});

type Says = { status?: number; headers?: Record<string, string | string[]>; body?: string };
/** A layer that always says the same; `seen` gets what it was asked. */
const says =
  ({ status = 200, headers = {}, body = "page" }: Says, seen: IncomingMessage[] = []): RequestListener =>
  (request, response) => {
    seen.push(request);
    response.writeHead(status, headers).end(body);
  };

const api = (rule: string, up = true) =>
  pages({
    "/api/version": { Version: "3.7.9" },
    "/api/entrypoints": [{ name: "web", address: ":80" }],
    "/api/http/routers": [
      {
        ...{ name: "site@file", provider: "file", rule, entryPoints: ["web"], service: "varnish" },
        ...{ middlewares: ["auth@file"], priority: 20, status: "enabled" },
      },
    ],
    "/api/http/services": [{ name: "varnish@file", serverStatus: { "http://varnish": up ? "UP" : "DOWN" } }],
    ...Object.fromEntries(
      [
        "tcp/routers",
        "udp/routers",
        "tcp/services",
        "udp/services",
        "http/middlewares",
        "tcp/middlewares",
      ].map((list) => [`/api/${list}`, []]),
    ),
  });

type House = { edge: string; api?: string; web?: string; varnish?: string[]; origin?: string };
function configure({ edge, api: url, web: point, varnish = [], origin }: House, site: object = {}): void {
  const file = join(directory, "sluice.yaml");
  const names = varnish.map((_, index) => `varnish-${index + 1}`);
  const systems = {
    ...(url === undefined
      ? {}
      : { traefik: [{ name: "traefik", url, entry_points: point === undefined ? {} : { web: point } }] }),
    varnish: varnish.map((address, index) => ({ name: names[index], url: address })),
  };
  const own = { name: "site", addresses: ["http://www.example.org"], edge, caches: { varnish: names } };
  const sites = [{ ...own, ...(origin === undefined ? {} : { origin }), ...site }];
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({ systems, sites }));
  vi.stubEnv("SLUICE_CONFIG", file);
  forgetSingleton("config");
  expect(configSource().state.error).toBeNull();
}
const ask = async (more: Partial<TraceRequest> = {}): Promise<Trace> =>
  shape.parse(await traceUrl({ url: "http://www.example.org/en?b=1", method: "GET", ...more }, null));
/** The verdict, with the layers' kinds instead of their places. */
const verdict = ({ verdict: { key, layer, behind, params }, layers }: Trace) => ({
  key,
  layer: layer === null ? null : layers[layer]?.kind,
  behind: behind === null ? null : layers[behind]?.kind,
  params,
});
const rule = "Host(`www.example.org`)";
const fromCache = { "x-varnish": "7 5", age: "12", "x-served-by": "varnish-1" };
const fetched = { "x-varnish": "7", "x-cache": "MISS", age: "0" };

describe("who answered", () => {
  test("a Varnish node from its cache; each layer is asked where sluice.yaml says, with the person's headers", async () => {
    const seen: IncomingMessage[] = [];
    const varnish = await web(says({ headers: fromCache }, seen));
    const point = await web(says({ headers: fromCache }));
    const origin = await web(says({ headers: { "x-powered-by": "PHP/8.3", xkey: "page-1" } }));
    configure(
      { edge: point, api: await api(rule), web: point, varnish: [varnish], origin },
      { strip_query: ["^b$"] },
    );
    const told = await ask({ headers: "Cookie: PHPSESSID=abcdefgh\nAccept-Encoding: br" });
    expect(verdict(told)).toEqual({
      ...{ key: "cached", layer: "varnish", behind: null },
      params: { status: 200, ageS: 12 },
    });
    expect(told.layers.map(({ kind, state }) => [kind, state])).toEqual([
      ["edge", "answered"],
      ["traefik", "answered"],
      ["varnish", "answered"],
      ["nginx", "unasked"],
      ["origin", "answered"],
      ["application", "answered"],
    ]);
    expect(told.layers[1]?.route).toMatchObject({
      ...{ state: "taken", router: "site@file", middlewares: ["auth@file"] },
      servers: [{ url: "http://varnish", up: true }],
    });
    expect(told.layers[2]).toMatchObject({ cache: "hit", status: 200 });
    expect(told.layers[5]?.facts).toContainEqual({ key: "tags", value: "page-1" });
    expect(told.compared).toMatchObject({ state: "same", truth: 4 });
    // Asked as a browser would: no header but the person's and the usual ones. (Node's server knows no PEEK.)
    expect(seen.map(({ method, url }) => `${method} ${url}`)).toEqual(["GET /en?b=1"]);
    expect(seen[0]?.headers).toMatchObject({ host: "www.example.org", cookie: "PHPSESSID=abcdefgh" });
    expect(seen[0]?.headers["accept-encoding"]).toBe("br");
    expect(Object.keys(seen[0]?.headers ?? {}).some((name) => name.startsWith("x-sluice"))).toBe(false);
    expect(told.key).toBe("/en");
  });

  test("the edge from its own cache; nobody; a page made anew; a redirect, which is not followed", async () => {
    const varnish = [await web(says({ headers: fetched }))];
    const edge = await web(says({ headers: { ...fromCache, "cf-cache-status": "HIT", "cf-ray": "1-CDG" } }));
    configure({ edge, varnish });
    const told = await ask();
    expect(verdict(told)).toMatchObject({ key: "cached", layer: "edge" });
    expect(told.layers[0]?.facts).toContainEqual({ key: "ray", value: "1-CDG" });

    // One that had to ask further in needed the layers below it.
    for (const [word, key] of [
      ["STALE", "stale"],
      ["REVALIDATED", "revalidated"],
      ["UPDATING", "cachedSome"],
      ["DYNAMIC", "unsaid"],
    ] as const) {
      configure({ edge: await web(says({ headers: { "cf-cache-status": word } })), varnish });
      expect(verdict(await ask())).toMatchObject({ key, layer: "edge" });
    }
    configure({ edge: await web(says({})), varnish });
    expect(verdict(await ask())).toMatchObject({ key: "unsaid" });

    configure({ edge: varnish[0] ?? "", varnish });
    expect(verdict(await ask({ method: "HEAD" }))).toMatchObject({ key: "made", layer: "varnish" });

    const away: IncomingMessage[] = [];
    const elsewhere = await web(says({}, away));
    const moved = await web(says({ status: 301, headers: { location: `${elsewhere}/there?token=geheim1` } }));
    configure({ edge: moved, varnish: [moved], origin: await web(says({})) });
    const redirect = await ask();
    expect(verdict(redirect)).toMatchObject({ key: "redirect", layer: "varnish", behind: "origin" });
    expect(redirect.verdict.params.location).toMatch(/\/there\?token=•••$/);
    expect(away).toEqual([]);
  });

  test("two nodes, and none of them named in the answer: no node is named", async () => {
    const varnish = [await web(says({ headers: fromCache })), await web(says({ headers: fromCache }))];
    configure({ edge: await web(says({ headers: { "x-varnish": "7 5" } })), varnish });
    expect(verdict(await ask())).toMatchObject({ key: "cachedNodeSome", layer: null });
  });
});

describe("where a fault begins", () => {
  test("Traefik has no server that is up; Varnish, asked directly, answers", async () => {
    const varnish = [await web(says({ headers: fetched }))];
    const bad = await web(says({ status: 503, body: "no available server" }));
    configure({ edge: bad, api: await api(rule, false), web: bad, varnish });
    expect(verdict(await ask())).toEqual({
      ...{ key: "noServer", layer: "traefik", behind: null },
      params: { status: 503, service: "varnish" },
    });
    // The same where its entry points are not known to Sluice.
    configure({ edge: bad, api: await api(rule, false), varnish });
    expect(verdict(await ask())).toMatchObject({ key: "noServer", layer: "traefik" });
    configure({ edge: bad, api: await api(rule), varnish });
    expect(verdict(await ask())).toMatchObject({ key: "between", behind: "varnish" });
    configure({ edge: bad, api: await api(rule), web: bad, varnish });
    expect(verdict(await ask())).toMatchObject({ key: "faultAt", layer: "traefik", behind: "varnish" });
  });

  test("no router takes it, whatever is wrong further in", async () => {
    const none = await web(says({ status: 404, body: "404 page not found" }));
    configure({ edge: none, api: await api("Host(`other.example`)"), web: none, origin: none });
    expect(verdict(await ask())).toMatchObject({ key: "noRouter", layer: "traefik" });
    configure({ edge: none, api: await api("Host(`other.example`)"), origin: await web(says({})) });
    expect(verdict(await ask())).toMatchObject({ key: "noRouter", layer: "traefik" });
  });

  test("the origin is down behind a Varnish that says 503; the application itself says 404", async () => {
    const failing = await web(says({ status: 503, headers: fetched }));
    configure({ edge: failing, varnish: [failing], origin: dead });
    const told = await ask();
    expect(verdict(told)).toMatchObject({ key: "silentAt", layer: "origin" });
    expect(told.layers.find(({ kind }) => kind === "origin")).toMatchObject({
      state: "silent",
      problem: { problem: "http.connectionRefused" },
    });
    const missing = await web(says({ status: 404, headers: { ...fetched, "x-debug-token": "a1b2c3" } }));
    configure({ edge: missing, varnish: [missing], origin: missing });
    expect(verdict(await ask())).toMatchObject({ key: "faultApplication", layer: "origin" });
    const plain = await web(says({ status: 404 }));
    configure({ edge: plain, origin: plain });
    expect(verdict(await ask())).toMatchObject({ key: "faultInside", layer: "origin" });
  });

  test("a 404 that a node keeps, while the origin has the page", async () => {
    const kept = await web(says({ status: 404, headers: fromCache }));
    configure({ edge: kept, varnish: [kept], origin: await web(says({})) });
    expect(verdict(await ask())).toMatchObject({ key: "faultAt", layer: "varnish", behind: "origin" });
  });

  test("nothing at the public address, at none at all; a dead node does not hide the others", async () => {
    const varnish = await web(says({ headers: fromCache }));
    configure({ edge: dead, varnish: [varnish] });
    expect(verdict(await ask())).toMatchObject({ key: "silentBefore", layer: "edge", behind: "varnish" });
    configure({ edge: dead, varnish: [dead] });
    expect(verdict(await ask())).toMatchObject({ key: "silent", layer: "edge" });
    configure({ edge: varnish, varnish: [varnish, dead] });
    const told = await ask();
    expect(verdict(told)).toMatchObject({ key: "cached", layer: "varnish" });
    expect(told.failing).toEqual([3]);
    expect(told.layers[3]).toMatchObject({ name: "varnish-2", state: "silent" });
  });
});

test("a time-out is explained by one further in, a refused connection by nothing", () => {
  const seen = (kind: Seen["kind"], code: "TIMEOUT" | "UNREACHABLE" | null): Seen => ({
    ...{ kind, name: kind, route: null, before: null, page: null },
    error: code === null ? null : new AppError(code, "no answer"),
    answer: code === null ? { status: 200, headers: {}, body: new Uint8Array(), ms: 1 } : null,
  });
  const origin = seen("origin", null);
  const slow = seen("varnish", "TIMEOUT");
  expect(verdictOf([seen("edge", "TIMEOUT"), slow, origin], {})).toMatchObject({
    ...{ key: "silentBefore", layer: slow, behind: origin },
  });
  const closed = seen("edge", "UNREACHABLE");
  expect(verdictOf([closed, slow, origin], {})).toMatchObject({ layer: closed, behind: origin });
});

test("another page is told from which layer on; what is always another is not; what the site ignores is none", async () => {
  const page = async (body: string) => web(says({ body }));
  const origin = await page("new <i>1</i>");
  const old = await page("old <i>1</i>");
  configure({ edge: old, varnish: [old, await page("new <i>2</i>")], origin }, { ignore: ["<i>\\d+</i>"] });
  const told = await ask();
  expect(told.compared).toEqual({ state: "differs", truth: 5, differing: [2, 0] });
  expect(told.layers.map(({ page: its }) => its)).toEqual([
    "differs",
    null,
    "differs",
    "same",
    null,
    null,
    null,
  ]);
  let count = 0;
  const unsteady = await web((_, response) => response.end(String(count++)));
  configure({ edge: old, varnish: [old], origin: unsteady });
  expect((await ask()).compared).toMatchObject({ state: "unsteady", differing: [] });
  expect((await ask({ method: "HEAD" })).compared).toMatchObject({ state: "none" });
});

describe("what is refused", () => {
  test("an address of no site, or of somebody else's; a header that says where to; one that is none", async () => {
    configure({ edge: dead });
    const refused = (url: string, headers = "", allowed: string[] | null = null) =>
      expect(traceUrl({ url, method: "GET", headers }, allowed)).rejects;
    await refused("http://169.254.169.254/latest").toMatchObject({
      ...{ code: "INVALID_INPUT", detail: { problem: "trace.foreignHost", field: "url" } },
    });
    await refused("ftp://www.example.org/").toMatchObject({ detail: { problem: "trace.scheme" } });
    await refused("http://www.example.org/", "", []).toMatchObject({
      detail: { problem: "trace.foreignHost" },
    });
    for (const name of ["Host", "connection", "Transfer-Encoding", "Proxy-Authorization"])
      await refused("http://www.example.org/", `${name}: x`).toMatchObject({
        detail: { problem: "trace.ownHeader" },
      });
    await refused("http://www.example.org/", "no header").toMatchObject({
      detail: { problem: "routing.header" },
    });
    await refused("http://www.example.org/", "X-A: \u0001").toMatchObject({ detail: { field: "headers" } });
  });
});

describe("secrets", () => {
  test("that were sent are hidden in facts and in the verdict, too", async () => {
    const headers = {
      ...{ location: "http://www.example.org/x?sid=geheimnis", "x-powered-by": "PHP for geheimnis" },
      ...{ "x-cache": "MISS geheimnis", server: "geheimnis" },
    };
    const moved = await web(says({ status: 302, headers }));
    configure({ edge: moved, varnish: [moved], origin: moved });
    const told = await ask({ headers: "Cookie: PHPSESSID=geheimnis" });
    expect(told.verdict).toMatchObject({
      key: "redirect",
      params: { location: "http://www.example.org/x?sid=•••" },
    });
    const facts = told.layers.flatMap((layer) => layer.facts.map(({ value }) => value));
    expect(facts).toContain("PHP for •••");
    expect(facts).toContain("MISS •••");
    expect(JSON.stringify(told)).not.toContain("geheimnis");
  });

  test("are hidden in what comes back", () => {
    const sent = headersOf(
      "Cookie: a=geheimnis; b=zweites1\nAuthorization: Bearer drittes1\nX-Plain: fuenftes",
    );
    const shown = shownHeaders(
      {
        "set-cookie": "sid=abc; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/, other=def; HttpOnly",
        "x-echo": "geheimnis and zweites1 and drittes1 and fuenftes",
        "x-csrf-token": "viertes",
        "x-debug-token": "a1b2c3",
        location: "https://u:pw@example.org/?token=sechstes",
        authorization: "Basic abc",
      },
      sent,
    );
    expect(Object.fromEntries(shown.map(({ name, value }) => [name, value]))).toEqual({
      "set-cookie": "sid=•••, other=•••",
      "x-echo": "••• and ••• and ••• and fuenftes",
      "x-csrf-token": "•••",
      "x-debug-token": "a1b2c3",
      location: "https://u:•••@example.org/?token=•••",
      authorization: "•••",
    });
  });
});
