// Whose guard a draft takes away, beside what other providers have, and who takes recent requests then.
import { expect, test } from "vitest";
import type { LoggedRequest } from "../../systems/traefik/access-log";
import type { ListedRouter, TraefikOverview } from "../../systems/traefik/overview";
import { judgeDirectory } from "../validate/validate";
import { guardedOf } from "./guard";
import { replayed } from "./impact";
import { modelOf } from "./model";
import { knownOf, type Route, type Surroundings, withFiles } from "./situation";

const point = (name: string, more: Partial<TraefikOverview["entryPoints"][number]> = {}) => ({
  ...{ name, address: ":80", asDefault: false, tls: false, middlewares: [] },
  ...more,
});
const nothing: TraefikOverview = {
  version: "3.7.9",
  entryPoints: [
    point("web"),
    point("websecure", { tls: true }),
    point("traefik"),
    point("dns", { address: ":53/udp" }),
  ],
  routers: [],
  services: [],
  middlewares: [],
  certificates: null,
};
const docker = (name: string, rule: string, middlewares: readonly string[]): ListedRouter => ({
  ...{ protocol: "http", name: `${name}@docker`, source: `${name}@docker`, provider: "docker" },
  ...{ status: "enabled", rule, old: false, entryPoints: ["web"], service: `${name}@docker`, middlewares },
  ...{ priority: 0n, tls: false, faults: [] },
});

type Written = {
  readonly routers?: object;
  readonly services?: object;
  readonly middlewares?: object;
  readonly tls?: object;
  readonly tcp?: object;
};
const services = { s: { loadBalancer: { servers: [{ url: "http://10.0.0.1" }] } } };
const files = ({ tls, tcp, ...http }: Written) => [
  { name: "a.yml", text: JSON.stringify({ http: { services, ...http }, tls, tcp }) },
];
const routesOf = (http: Written, current: Written, surroundings: Surroundings): Route[] =>
  withFiles(
    modelOf(files(http)),
    judgeDirectory(files(http), knownOf(surroundings)).stopped,
    modelOf(files(current)),
    surroundings,
  );
const guarded = (
  before: Written,
  after: Written,
  overview: TraefikOverview | null = nothing,
  provider = "file",
) => {
  const surroundings = { provider, overview };
  return guardedOf(routesOf(before, before, surroundings), routesOf(after, before, surroundings));
};

const auth = { basicAuth: { users: ["a:$2y$05$abcdefghijklmnopqrstuv"] } };
const site = { rule: "Host(`a.example`)", service: "s", entryPoints: ["web"] };
const admin = {
  rule: "Host(`a.example`) && PathPrefix(`/admin`)",
  service: "s",
  entryPoints: ["web"],
  middlewares: ["auth"],
};
const before: Written = { routers: { site, admin }, middlewares: { auth } };

test("nothing is said of what stays guarded", () => {
  expect(guarded(before, before)).toEqual([]);
  const renamed = {
    routers: { site, admin: { ...admin, middlewares: ["other"] } },
    middlewares: { other: auth },
  };
  expect(guarded(before, renamed)).toEqual([]);
  const chained = {
    routers: { site, admin: { ...admin, middlewares: ["all"] } },
    middlewares: { auth, all: { chain: { middlewares: ["auth"] } } },
  };
  expect(guarded(before, chained)).toEqual([]);
});

test("a broken middleware takes its router away, and the broader one has the requests", () => {
  const row = {
    ...{ router: "admin@file", how: "disabled", middlewares: ["auth@file"], falls: "site@file" },
    ...{ example: "http://a.example/admin", refused: true },
  };
  expect(guarded(before, { ...before, middlewares: { auth: { basicAuth: { users: ["nobody"] } } } })).toEqual(
    [row],
  );
  expect(guarded(before, { routers: { site, admin } })).toEqual([row]);
  const within = (middlewares: object): Written => ({
    routers: { site, admin: { ...admin, middlewares: ["all"] } },
    middlewares,
  });
  const all = { chain: { middlewares: ["auth"] } };
  expect(guarded(within({ auth, all }), within({ all }))).toEqual([row]);
});

test("so does an entry point's middleware; a Traefik that does not answer is no hindrance", () => {
  const overview = { ...nothing, entryPoints: [point("web", { middlewares: ["auth@file"] })] };
  expect(
    guarded({ routers: { site }, middlewares: { auth } }, { routers: { site } }, overview),
  ).toMatchObject([{ router: "site@file", how: "disabled", falls: null }]);
  expect(guarded(before, { routers: { site, admin } }, null)).toMatchObject([
    { router: "admin@file", how: "disabled", falls: "site@file" },
  ]);
});

test("also a router that guards nothing is told when it is switched off", () => {
  expect(guarded(before, { ...before, routers: { admin, site: { ...site, service: "none" } } })).toEqual([
    {
      ...{ router: "site@file", how: "disabled", middlewares: [], falls: null },
      ...{ example: "http://a.example/", refused: true },
    },
  ]);
});

test("a guard that is left out, replaced by what guards nothing, or taken away with its router", () => {
  const open = { ...admin, middlewares: [] };
  const row = {
    router: "admin@file",
    middlewares: ["auth@file"],
    refused: false,
    example: "http://a.example/admin",
  };
  expect(guarded(before, { ...before, routers: { site, admin: open } })).toEqual([
    { ...row, how: "unguarded", falls: "admin@file" },
  ]);
  expect(guarded(before, { ...before, middlewares: { auth: { compress: {} } } })).toEqual([
    { ...row, how: "unguarded", falls: "admin@file" },
  ]);
  expect(guarded(before, { ...before, routers: { site } })).toEqual([
    { ...row, how: "removed", falls: "site@file" },
  ]);
  expect(guarded(before, { routers: {} })).toEqual([]);
});

test("a guard stands and no longer sees the requests", () => {
  const typo = { ...admin, rule: "Host(`a.example`) && PathPrefix(`/admni`)" };
  expect(guarded(before, { ...before, routers: { site, admin: typo } })).toMatchObject([
    { router: "admin@file", how: "unguarded", falls: "site@file", example: "http://a.example/admin" },
  ]);
  expect(guarded(before, { ...before, routers: { site: { ...site, priority: 1000 }, admin } })).toMatchObject(
    [{ router: "admin@file", how: "unguarded", falls: "site@file" }],
  );
  // One of its alternatives only.
  const either = { ...admin, rule: "Host(`a.example`) && (PathPrefix(`/admin`) || PathPrefix(`/ops`))" };
  expect(guarded({ ...before, routers: { site, admin: either } }, before)).toMatchObject([
    { router: "admin@file", how: "unguarded", falls: "site@file", example: "http://a.example/ops" },
  ]);
});

test("a maintenance page that breaks is told, one that is taken away is not", () => {
  const closed = { loadBalancer: { servers: [] } };
  const page = { ...admin, rule: "Host(`a.example`) && PathPrefix(`/`)", service: "closed", middlewares: [] };
  const shut = { routers: { site, page }, services: { ...services, closed } };
  expect(guarded(shut, { routers: { site } })).toEqual([]);
  expect(guarded(shut, { routers: { site, page } })).toMatchObject([
    { router: "page@file", how: "disabled", middlewares: ["closed@file"], falls: "site@file" },
  ]);
});

test("routers of other providers lose what they use of the files", () => {
  const overview = {
    ...nothing,
    routers: [docker("shop", "Host(`a.example`) && PathPrefix(`/shop`)", ["auth@file"])],
  };
  const row = {
    router: "shop@docker",
    how: "disabled",
    middlewares: ["auth@file"],
    falls: "site@file",
    refused: true,
  };
  const current = { routers: { site }, middlewares: { auth } };
  expect(guarded(current, current, overview)).toEqual([]);
  expect(guarded(current, { routers: { site } }, overview)).toMatchObject([row]);
  expect(
    guarded(current, { routers: { site }, middlewares: { auth: { basicAuth: { users: ["x"] } } } }, overview),
  ).toMatchObject([row]);
  expect(
    guarded(current, { routers: { site }, middlewares: { auth: { compress: {} } } }, overview),
  ).toMatchObject([{ router: "shop@docker", how: "unguarded", falls: "shop@docker", refused: false }]);
  // Of an HTTP provider the names are others.
  expect(guarded(current, { routers: { site } }, overview, "http")).toEqual([]);
});

const request = (path: string, more: Partial<LoggedRequest> = {}): LoggedRequest => ({
  ...{ entryPoint: "web", tls: false, method: "GET", host: "a.example", path, query: "" },
  ...{ client: "192.0.2.1:1", router: null, status: 200, at: new Date("2026-11-27T10:00:00Z") },
  ...more,
});
const replay = (requests: readonly LoggedRequest[], from: Written, to: Written) => {
  const surroundings = { provider: "file", overview: nothing };
  return replayed(requests, routesOf(from, from, surroundings), routesOf(to, from, surroundings));
};

const lost = (name: string, by = "admin@file") => [
  { router: by, how: "unguarded", middlewares: [name], refused: false },
];
/** The admin router behind this middleware alone. */
const behind = (m: object): Written => ({
  routers: { site, admin: { ...admin, middlewares: ["m"] } },
  middlewares: { m },
});

test("a new router takes requests of one that guards", () => {
  const with_ = (rule: string, middlewares: readonly string[] = []): Written => ({
    ...before,
    routers: { site, admin, added: { ...site, rule: `Host(\`a.example\`) && ${rule}`, middlewares } },
  });
  for (const rule of ["PathPrefix(`/admin/export`)", "PathPrefix(`/admin`) && Method(`POST`)"])
    expect(guarded(before, with_(rule)), rule).toMatchObject([
      { ...lost("auth@file")[0], falls: "added@file" },
    ]);
  expect(guarded(before, with_("PathPrefix(`/admin/export`)", ["auth"]))).toEqual([]);
  expect(guarded(before, with_("PathPrefix(`/shop`)"))).toEqual([]);
  // What was open before is nobody's loss.
  const open = with_("PathPrefix(`/admin/export`)");
  expect(guarded(open, open)).toEqual([]);
  // A hole in what is guarded as a whole.
  const whole = { ...site, middlewares: ["auth"] };
  const hole = { ...site, rule: "Host(`a.example`) && PathPrefix(`/api`)" };
  expect(guarded({ ...before, routers: { whole } }, { ...before, routers: { whole, hole } })).toMatchObject([
    { ...lost("auth@file", "whole@file")[0], falls: "hole@file", example: "http://a.example/api" },
  ]);
});

test("another guard of the same kind is none for it; the same one with other users is", () => {
  const user = (name: string) => `${name}:$2y$05$abcdefghijklmnopqrstuuWUlS/s3mHjcHjYdpY2yqTOAFzFPHbq`;
  const basic = (...names: string[]) => ({ basicAuth: { users: names.map(user) } });
  const other: Written = {
    routers: { site, admin: { ...admin, middlewares: ["preview"] } },
    middlewares: { m: basic("a"), preview: basic("b") },
  };
  expect(guarded(behind(basic("a")), other)).toMatchObject(lost("m@file"));
  expect(guarded(behind(basic("a")), behind({ digestAuth: { users: ["a:b:c"] } }))).toMatchObject(
    lost("m@file"),
  );
  expect(guarded(behind(basic("a")), behind(basic("a", "b")))).toEqual([]);
  expect(guarded(behind(basic("a", "b")), behind(basic("b")))).toEqual([]);
  const forward = (address: string) => behind({ forwardAuth: { address } });
  expect(guarded(forward("http://auth"), forward("http://yes"))).toMatchObject(lost("m@file"));
  const rate = (average: number) => behind({ rateLimit: { average } });
  expect(guarded(rate(10), rate(1000))).toEqual([]);
});

test("a list of addresses may get narrower, not wider", () => {
  const list = (sourceRange: readonly string[], more: object = {}) =>
    behind({ ipAllowList: { sourceRange, ...more } });
  const ten = list(["10.0.0.0/8", "2001:db8::/32"]);
  for (const fine of [["10.1.0.0/16"], ["10.0.0.7", "2001:db8:1::/48"], ["2001:db8::/32", "10.0.0.0/8"]])
    expect(guarded(ten, list(fine)), fine.join()).toEqual([]);
  for (const wide of [["0.0.0.0/0"], ["10.0.0.0/7"], ["10.0.0.0/8", "192.0.2.1"], ["::/0"]])
    expect(guarded(ten, list(wide)), wide.join()).toMatchObject(lost("m@file"));
  expect(guarded(list(["10.0.0.0/8"]), list(["10.0.0.0/8"], { ipStrategy: { depth: 1 } }))).toMatchObject(
    lost("m@file"),
  );
});

test("a chain of another provider may be a guard", () => {
  const chain = {
    protocol: "http",
    name: "all@docker",
    provider: "docker",
    status: "enabled",
    type: "chain",
  } as const;
  const overview = { ...nothing, middlewares: [{ ...chain, usedBy: [] }] };
  const by = (...middlewares: string[]): Written => ({ routers: { site: { ...site, middlewares } } });
  expect(guarded(by("all@docker"), by(), overview)).toMatchObject(lost("all@docker", "site@file"));
  expect(guarded(by("all@docker"), by("all@docker"), overview)).toEqual([]);
});

test("a client's certificate is a guard", () => {
  const secure = (name: string, options?: string) => ({
    [name]: { ...site, entryPoints: ["websecure"], tls: options === undefined ? {} : { options } },
  });
  const ask = (clientAuthType: string, ...caFiles: string[]) => ({ clientAuth: { clientAuthType, caFiles } });
  const all = "RequireAndVerifyClientCert";
  const mtls = (routers: object, options: object = { mtls: ask(all, "/ca.pem") }): Written => ({
    routers,
    tls: { options },
  });
  const now = mtls(secure("site", "mtls"));
  const gone = lost("mtls@file", "site@file");
  expect(guarded(now, now)).toEqual([]);
  expect(guarded(now, mtls(secure("site")))).toMatchObject(gone);
  expect(
    guarded(now, mtls(secure("site", "mtls"), { mtls: ask("RequestClientCert", "/ca.pem") })),
  ).toMatchObject(gone);
  expect(guarded(now, mtls(secure("site", "mtls"), { mtls: ask(all, "/ca.pem", "/any.pem") }))).toMatchObject(
    gone,
  );
  // Another router of the host, with other options: both get the default ones.
  const second = {
    b: { ...site, rule: "Host(`a.example`) && Path(`/b`)", entryPoints: ["websecure"], tls: {} },
  };
  expect(guarded(now, mtls({ ...secure("site", "mtls"), ...second }))).toMatchObject(gone);
  const byDefault = mtls(secure("site"), { default: ask(all, "/ca.pem") });
  expect(guarded(byDefault, mtls(secure("site"), {}))).toMatchObject(lost("default", "site@file"));
});

test("a TCP router takes the connections of one that guards", () => {
  const tcp = (rule: string, tls?: object) => ({
    routers: { t: { rule, service: "t", entryPoints: [tls === undefined ? "web" : "websecure"], tls } },
    services: { t: { loadBalancer: { servers: [{ address: "10.0.0.1:443" }] } } },
  });
  const passthrough = { passthrough: true };
  const taken = [{ ...lost("auth@file", "any@file")[0], falls: "t@file" }];
  const any = (more: object, rule = "PathPrefix(`/`)"): Written => ({
    routers: { any: { ...site, rule, middlewares: ["auth"], ...more } },
    middlewares: { auth },
  });
  const secure = any({ entryPoints: ["websecure"], tls: {} });
  const named = any({ entryPoints: ["websecure"], tls: {} }, "Host(`a.example`)");
  const sni = "HostSNI(`a.example`)";
  expect(guarded(any({}), { ...any({}), tcp: tcp("HostSNI(`*`)") })).toMatchObject(taken);
  expect(guarded(secure, { ...secure, tcp: tcp("HostSNIRegexp(`.*`)", passthrough) })).toMatchObject(taken);
  expect(guarded(secure, { ...secure, tcp: tcp(sni, passthrough) })).toMatchObject([
    { ...taken[0], example: "https://a.example/" },
  ]);
  // Traefik asks HTTP routers first that name the host, and then all others before HostSNI(`*`).
  expect(guarded(named, { ...named, tcp: tcp(sni, passthrough) })).toEqual([]);
  expect(guarded(secure, { ...secure, tcp: tcp("HostSNI(`*`)", passthrough) })).toEqual([]);
  expect(guarded(named, { middlewares: { auth }, routers: {}, tcp: tcp(sni, passthrough) })).toMatchObject([
    { router: "any@file", how: "removed", falls: "t@file", middlewares: ["auth@file"] },
  ]);
});

test("recent requests are told with who takes them then", async () => {
  const told = await replay(
    [
      request("/admin/x", { at: new Date("2026-11-27T09:00:00Z") }),
      ...["/admin/y", "/"].map((path) => request(path)),
      request("/", { host: "b.example" }),
    ],
    before,
    { ...before, routers: { site } },
  );
  expect(told).toEqual({
    ...{ state: "told", problem: null, requests: 4, untold: 0 },
    ...{ from: "2026-11-27T09:00:00.000Z", to: "2026-11-27T10:00:00.000Z" },
    shifts: [
      {
        ...{ from: "admin@file", to: "site@file", requests: 2, unguarded: ["auth@file"] },
        examples: ["GET http://a.example/admin/x", "GET http://a.example/admin/y"],
      },
    ],
  });
  expect((await replay([], before, before)).state).toBe("empty");
  const gone = await replay([request("/?token=x".slice(0, 1), { query: "token=abcdef" })], before, {
    routers: {},
  });
  expect(gone.shifts).toMatchObject([{ from: "site@file", to: null, requests: 1, unguarded: [] }]);
  expect(gone.shifts[0]?.examples[0]).not.toContain("abcdef");
});

test("TLS and entry points are apart; one router may only lose its guard", async () => {
  const secure = { ...before, routers: { site, admin: { ...admin, entryPoints: ["websecure"] } } };
  const open = {
    ...secure,
    routers: { site, admin: { ...admin, entryPoints: ["websecure"], middlewares: [] } },
  };
  const there = { entryPoint: "websecure", tls: true };
  const told = await replay([request("/admin"), request("/admin", there)], secure, open);
  expect(told.shifts).toMatchObject([
    { from: "admin@file", to: "admin@file", requests: 1, unguarded: ["auth@file"] },
  ]);
});

test("where a rule asks for headers, the log's router tells whether it held; without one it is untold", async () => {
  const preview = { ...site, rule: "Host(`a.example`) && Header(`X-Preview`, `1`)" };
  const other = { ...site, rule: "Host(`a.example`) && Header(`X-Other`, `1`)" };
  const from = { routers: { site, preview } };
  const by = (router: string | null) => [request("/", { router })];
  expect(await replay(by("preview@file"), from, { routers: { site } })).toMatchObject({
    untold: 0,
    shifts: [{ from: "preview@file", to: "site@file" }],
  });
  // It was asked first, and did not match.
  expect(await replay(by("site@file"), from, { routers: { preview } })).toMatchObject({
    untold: 0,
    shifts: [{ from: "site@file", to: null }],
  });
  expect(await replay(by("site@file"), from, { routers: { site, other } })).toMatchObject({
    untold: 1,
    shifts: [],
  });
  expect(await replay(by(null), from, { routers: { site } })).toMatchObject({ untold: 1, shifts: [] });
});

test("20,000 requests through 1,000 routers take seconds, and others have their turn", async () => {
  const many = (more: object): Written => ({
    routers: Object.fromEntries(
      Array.from({ length: 1000 }, (_, index) => [
        `r${index}`,
        {
          ...{ service: "s", entryPoints: ["web"], ...more },
          rule:
            index % 10 === 0
              ? `PathRegexp(\`^/section-${index}/[a-z]+\`)`
              : `Host(\`h${index % 300}.example\`) && PathPrefix(\`/${index}\`)`,
        },
      ]),
    ),
  });
  const requests = Array.from({ length: 20_000 }, (_, index) =>
    request(`/${index % 1000}/page-${index}`, { host: `h${index % 300}.example` }),
  );
  let turns = 0;
  const beat = setInterval(() => {
    turns += 1;
  }, 5);
  const start = process.cpuUsage();
  const told = await replay(requests, many({}), many({ middlewares: [] }));
  clearInterval(beat);
  // Of this process: others have the machine, too.
  expect(process.cpuUsage(start).user / 1e6).toBeLessThan(5);
  expect(turns).toBeGreaterThan(5);
  expect(told).toMatchObject({ requests: 20_000, untold: 0, shifts: [] });
}, 60_000);
