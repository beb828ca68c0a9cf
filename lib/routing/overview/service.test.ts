// What is said of Traefiks that the stack has none of: older ones, ones with many parts, ones that count nothing by router.
import { afterEach, expect, test, vi } from "vitest";
import { type Config, configSchema } from "../../config/schema";
import { closeServers, web } from "../../systems/test-server";
import { traefiks } from "./service";

afterEach(closeServers);
const settings = (systems: Record<string, unknown>): Config => configSchema.parse({ systems });

type Told = { readonly version?: string; readonly lists?: Readonly<Record<string, readonly unknown[]>> };
async function traefik({ version = "3.7.9", lists = {} }: Told): Promise<string> {
  return web((request, response) => {
    const { pathname } = new URL(request.url ?? "", "http://x");
    if (pathname === "/api/version") response.end(JSON.stringify({ Version: version }));
    else if (pathname === "/api/entrypoints") response.end('[{"name":"web","address":":80"}]');
    else response.end(JSON.stringify(lists[pathname.slice(5)] ?? []));
  });
}
const router = (name: string, rule: string, priority: number, more: Record<string, unknown> = {}) => ({
  name: `${name}@file`,
  provider: "file",
  rule,
  priority,
  entryPoints: ["web"],
  service: name,
  status: "enabled",
  ...more,
});
const seenOf = async (told: Told) => {
  const [seen] = await traefiks(settings({ traefik: [{ name: "edge", url: await traefik(told) }] }));
  if (seen?.now == null) throw new Error(JSON.stringify(seen));
  return seen.now;
};

test("wildcards are judged from 3.7 on, rules of Traefik 2 never", async () => {
  const lists = {
    "http/routers": [router("all", "Host(`*.example`)", 20), router("one", "Host(`a.example`)", 10)],
  };
  const kinds = async (version: string) =>
    (await seenOf({ version, lists })).conflicts.map(({ kind, router }) => `${kind} ${router}`);
  expect(await kinds("v3.7.0")).toEqual(["shadowed one@file"]);
  expect(await kinds("v4.0.0")).toEqual(["shadowed one@file"]);
  expect(await kinds("v3.6.24")).toEqual([]);
  expect(await kinds("v2.11.0")).toEqual([]);
});

test("parents that lead to children of their own tie", async () => {
  const parent = (name: string, rule: string) => router(name, rule, 9, { service: "" });
  const lists = { "http/routers": [parent("a", "Host(`a.example`)"), parent("b", "Path(`/`)")] };
  expect((await seenOf({ lists })).conflicts.map(({ kind }) => kind)).toEqual(["tie"]);
});

test("an example has the client and the headers that it hangs on, and no others", async () => {
  const tie = async (rule: string, more: string) => {
    const lists = { "http/routers": [router("a", rule, 9), router("b", more, 9)] };
    return (await seenOf({ lists })).conflicts.map(({ example }) => example);
  };
  expect(await tie("Host(`a.example`)", "ClientIP(`10.1.0.0/16`) && Header(`X-A`, `1`)")).toEqual([
    { method: "GET", url: "http://a.example/", headers: "x-a: 1", client: "10.1.0.0" },
  ]);
  expect(await tie("Host(`a.example`)", "Method(`PURGE`)")).toEqual([
    { method: "PURGE", url: "http://a.example/", headers: "", client: "" },
  ]);
});

test("of too many routers that are like each other it is told that not all were looked at, and they are looked at once", async () => {
  const many = Array.from({ length: 300 }, (_, index) =>
    router(`r${index}`, `Header(\`X-${index}\`, \`1\`)`, 9),
  );
  const systems = { traefik: [{ name: "edge", url: await traefik({ lists: { "http/routers": many } }) }] };
  const conflicts = async () => {
    const [seen] = await traefiks(settings(systems));
    return seen?.now ?? null;
  };
  const first = await conflicts();
  expect(first?.unseenConflicts).toBe(true);
  expect(first?.conflicts).toHaveLength(200);
  const again = await conflicts();
  // The very same: nobody made them anew.
  expect(again?.conflicts[0]).toBe(first?.conflicts[0]);
  expect((await seenOf({ lists: { "http/routers": many.slice(0, 2) } })).conflicts).toHaveLength(1);
});

test("routers that lead the same way do not tie; what is switched off is in nobody's way", async () => {
  const tie = (more: Record<string, unknown>) => ({
    "http/routers": [router("a", "Host(`a.example`)", 9), router("b", "Path(`/`)", 9, more)],
  });
  expect((await seenOf({ lists: tie({}) })).conflicts).toMatchObject([
    { kind: "tie", example: { method: "GET", url: "http://a.example/", headers: "" } },
  ]);
  expect((await seenOf({ lists: tie({ service: "a" }) })).conflicts).toEqual([]);
  expect((await seenOf({ lists: tie({ service: "a", middlewares: ["m@file"] }) })).conflicts).toHaveLength(1);
  expect((await seenOf({ lists: tie({ status: "disabled" }) })).conflicts).toEqual([]);
});

test("of long lists the faulty ones come first, and the rest is counted", async () => {
  const many = Array.from({ length: 1100 }, (_, index) => router(`r${index}`, `Host(\`h${index}\`)`, 0));
  const bad = router("bad", "Path(`/`", 0, { status: "disabled", error: ["something new"] });
  const services = [
    { name: "up@file", status: "enabled", serverStatus: { "http://a": "UP" } },
    { name: "down@file", status: "enabled", serverStatus: { "http://b": "DOWN" } },
  ];
  const { routers, services: told } = await seenOf({
    lists: {
      "http/routers": [...many, bad],
      "http/services": services,
      "tcp/routers": [router("db", "HostSNI(`db`)", 0)],
    },
  });
  expect(routers.rows[0]).toMatchObject({ name: "bad@file", faults: [{ kind: "other" }] });
  expect([routers.rows.length, routers.more]).toEqual([1000, 102]);
  expect(routers.rows[1]).toMatchObject({ protocol: "tcp" });
  expect(told.rows.map(({ name }) => name)).toEqual(["down@file", "up@file"]);
});

test("certificates: the first to end first, days counted down below zero", async () => {
  const inDays = (days: number) => new Date(Date.now() + (days + 0.5) * 86_400_000).toISOString();
  const { certificates } = await seenOf({
    lists: {
      certificates: [
        { name: "1", commonName: "later", notAfter: inDays(60) },
        { name: "2", commonName: "over", notAfter: inDays(-2) },
        { name: "3", commonName: "odd", notAfter: "the day after tomorrow" },
      ],
    },
  });
  expect(certificates?.rows.map(({ commonName, days }) => [commonName, days])).toEqual([
    ["over", -2],
    ["later", 60],
  ]);
});

test("figures by router are missed only where services have some", async () => {
  const prometheus = (answer: (promql: string) => unknown[]) =>
    web((request, response) => {
      const promql = new URL(request.url ?? "", "http://x").searchParams.get("query") ?? "";
      const data = { resultType: "vector", result: answer(promql) };
      response.end(JSON.stringify({ status: "success", data }));
    });
  const url = await traefik({
    lists: {
      "http/routers": [router("shop", "Host(`a`)", 1)],
      "http/services": [{ name: "shop@file", status: "enabled" }],
    },
  });
  const live = async (answer: (promql: string) => unknown[], more: Record<string, unknown> = {}) => {
    const [seen] = await traefiks(
      settings({
        traefik: [{ name: "edge", url, ...more }],
        prometheus: [{ name: "p", url: await prometheus(answer), scrape_interval: "2m" }],
      }),
    );
    return seen?.now;
  };
  const asked: string[] = [];
  const value = (by: string, number: string) => ({ metric: { [by]: "shop@file" }, value: [1, number] });
  const counts = (promql: string) => {
    asked.push(promql);
    if (promql.includes("quantile")) return [value("service", "NaN")];
    return [value("service", promql.includes("5..") ? "0.5" : "2")];
  };
  const services = await live((promql) => (promql.includes("_service_") ? counts(promql) : []), {
    labels: { job: 'a"b' },
  });
  expect(services?.live).toEqual({ state: "told", problem: null, windowMs: 480_000, routersMissing: true });
  expect(services?.services.rows[0]?.figures).toEqual({ perSecond: 2, errors: 0.25, p95Ms: null });
  expect(services?.routers.rows[0]?.figures).toBeNull();
  expect(asked).toContain(
    'sum by (service) (rate(traefik_service_requests_total{code=~"5..",job="a\\"b"}[480s]))',
  );
  const both = await live((promql) =>
    promql.includes("_router_") ? [value("router", "3")] : counts(promql),
  );
  expect(both?.live.routersMissing).toBe(false);
  expect(both?.routers.rows[0]?.figures).toMatchObject({ perSecond: 3 });
  expect((await live(() => []))?.live).toMatchObject({ state: "quiet", routersMissing: false });
});

test("who looks at about the same time sees the same; a changed configuration is looked at anew", async () => {
  const systems = { traefik: [{ name: "edge", url: await traefik({}) }] };
  const own = settings(systems);
  const first = traefiks(own);
  expect(traefiks(own)).toBe(first);
  expect(traefiks(settings(systems))).not.toBe(first);
});

test("a Traefik that does not come to an end is given up, beside one that is told", async () => {
  let asked = 0;
  const endless = await web((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://x");
    if (pathname === "/api/version") response.end('{"Version":"3.7.9"}');
    else if (pathname !== "/api/http/routers") response.end("[]");
    else {
      asked += 1;
      // The third page never comes.
      if (asked === 3) return;
      response.setHeader("X-Next-Page", String(Number(searchParams.get("page")) + 1));
      response.end("[]");
    }
  });
  const systems = {
    traefik: [
      { name: "endless", url: endless, timeout: "1m" },
      { name: "edge", url: await traefik({}) },
    ],
  };
  const [first, second] = await traefiks(settings(systems), 500);
  expect(first?.problem).toMatchObject({ problem: "http.timeout", params: { address: endless, ms: 500 } });
  expect(second?.now).not.toBeNull();
  expect(asked).toBe(3);
});

test("nobody asks anew while an answer is on its way", async () => {
  const held: (() => void)[] = [];
  const url = await web((request, response) => {
    if (request.url === "/api/version") held.push(() => response.end('{"Version":"3.7.9"}'));
    else response.end("[]");
  });
  const own = settings({ traefik: [{ name: "edge", url, timeout: "1m" }] });
  const clock = vi.spyOn(Date, "now");
  try {
    const first = traefiks(own);
    await vi.waitFor(() => expect(held).toHaveLength(1));
    clock.mockReturnValue(Date.now() + 60_000);
    expect(traefiks(own)).toBe(first);
    held[0]?.();
    await first;
    expect(traefiks(own)).toBe(first);
    clock.mockReturnValue(Date.now() + 60_000);
    const second = traefiks(own);
    expect(second).not.toBe(first);
    await vi.waitFor(() => expect(held).toHaveLength(2));
    held[1]?.();
    await second;
  } finally {
    clock.mockRestore();
  }
});

test("a certificate ends soon by the days that are set", async () => {
  const soon = async (more: Record<string, unknown>) => {
    const [seen] = await traefiks(settings({ traefik: [{ name: "edge", url: await traefik({}), ...more }] }));
    return seen?.now?.soonDays;
  };
  expect(await soon({})).toBe(14);
  expect(await soon({ tls_days: 60 })).toBe(60);
});
