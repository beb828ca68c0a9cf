// A component's signals from a real Prometheus, whose past was written: nine days cannot be waited for.
import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type House, openHouse } from "../auth/house.fixture";
import { db } from "../db/client";
import { closeConnections } from "../systems/exchange";
import { query } from "../systems/prometheus/prometheus";
import { startTestPrometheus, type TestPrometheus } from "../systems/prometheus/test-prometheus";
import type { Signals } from "./contract";
import { filled, kindQueries } from "./queries";
import { health } from "./service";
import { signalsOf } from "./signals";

const hourS = 3600;
const dayS = 24 * hourS;
const stepS = 60;
const lastS = Math.floor(Date.now() / 1000 / stepS) * stepS;
const names = ["busy", "apart", "mute", "young", "absent", "quiet"];
/** The busy one fell silent then. */
const silentS = lastS - 20 * 60;

/** `names` as exporters would have told of them, once a minute. */
function past(): string {
  const families = new Map<string, string[]>();
  const tell = (metric: string, instance: string, forS: number, value: (at: number) => number, more = "") => {
    const lines = families.get(metric) ?? [];
    for (let at = lastS - forS; at <= lastS; at += stepS)
      lines.push(`${metric}{instance="${instance}",job="varnish"${more}} ${value(at)} ${at}`);
    families.set(metric, lines);
  };
  const client = "varnish_main_client_req";
  const since = (at: number) => at - (lastS - 9 * dayS);
  // Ten a second, and a little more in the second half of each hour.
  const grown = (at: number) => 10 * since(Math.min(at, silentS)) + ((at % hourS) / hourS) * 60;
  tell(client, "busy", 9 * dayS, (at) => (at < silentS ? grown(at) : grown(silentS)));
  for (const name of ["busy", "mute", "young", "quiet"]) tell("up", name, 2 * hourS, () => 1);
  tell("up", "apart", 2 * hourS, (at) => (at < lastS - 1800 ? 1 : 0));
  for (const name of ["busy", "apart", "quiet"]) tell("varnish_up", name, 2 * hourS, () => 1);
  tell("varnish_up", "mute", 2 * hourS, () => 0);
  tell("varnish_up", "young", 2 * 60, () => 1);
  tell(client, "young", 2 * 60, (at) => at - lastS + 600);
  tell(client, "quiet", 2 * hourS, () => 7);
  for (const metric of ["varnish_main_cache_hit", "varnish_main_cache_miss"])
    tell(metric, "quiet", 2 * hourS, () => 7);
  for (const backend of ["a", "b", "c", "d", "e", "f", "g"])
    tell("varnish_backend_up", "busy", hourS, () => (backend === "b" ? 0 : 1), `,backend="${backend}"`);
  return [
    ...[...families].flatMap(([metric, lines]) => [`# TYPE ${metric} unknown`, ...lines]),
    "# EOF",
    "",
  ].join("\n");
}

const yaml = (url: string) => `
health:
  queries: { varnish: { nuked: 'sum(rate(x{$labels}[$window])' } }
systems:
  prometheus: [{ name: prometheus, url: "${url}", scrape_interval: 60s }]
  grafana: [{ name: g, url: "http://g", datasource: prom, dashboards: { varnish: { uid: v, vars: { at: "{labels.instance}" } } } }]
  varnish: [${names.map((name) => `{ name: ${name}, url: "http://v", labels: { instance: ${name} } }`).join(", ")}]
  nginx: [{ name: one, url: "http://n" }, { name: two, url: "http://n" }]
  tcp: [{ name: port, address: "t:1" }]
`;

const viewer = { sites: null };
const there = spawnSync("prometheus", ["--version"]).status === 0;

describe.skipIf(!there)("signals, from Prometheus", () => {
  let prometheus: TestPrometheus;
  let house: House;
  const ask = (name: string, seconds = hourS, kind = "varnish"): Promise<Signals> =>
    signalsOf(
      {
        kind,
        name,
        from: new Date((lastS - seconds) * 1000).toISOString(),
        to: new Date(lastS * 1000).toISOString(),
        points: 240,
      },
      viewer,
    );
  const of = (told: Signals, key: string) => {
    const found = told.signals.find((one) => one.key === key);
    if (found === undefined) throw new Error(`no signal ${key}`);
    return found;
  };

  beforeAll(async () => {
    prometheus = await startTestPrometheus(past());
    house = await openHouse(yaml(prometheus.url));
    health().follow([
      ...names.map((name) => ({ kind: "varnish", name, retries: 1 })),
      { kind: "nginx", name: "one", retries: 1 },
      { kind: "tcp", name: "port", retries: 1 },
    ]);
  }, 120_000);
  afterAll(async () => {
    await closeConnections();
    await house?.close();
    await prometheus?.stop();
  }, 60_000);

  test("every query of the table is PromQL, with labels and without", async () => {
    const target = { name: "p", url: prometheus.url, timeout: 5000 };
    for (const [kind, { up, scraped, signals }] of Object.entries(kindQueries))
      for (const promql of [up, scraped, ...signals.map((one) => one.promql)])
        for (const labels of ["", 'instance="a",job="b"'])
          if (promql !== null) {
            const refused = await query(target, filled(promql, labels, "75s")).then(
              () => null,
              (error: Error) => error.message,
            );
            expect([kind, promql, refused]).toEqual([kind, promql, null]);
          }
  });

  test("a rate on its grid; the silence after nine days is not usual", async () => {
    const told = await ask("busy");
    expect(told).toMatchObject({ source: "prometheus", stepMs: 60_000, windowMs: 240_000 });
    const requests = of(told, "requests");
    expect(requests.series[0]?.points).toHaveLength(61);
    expect(requests.series[0]?.points[10]).toBeCloseTo(10, 0);
    expect(requests.series[0]?.points.at(-1)).toBe(0);
    expect(requests.state).toBe("unusual");
    expect(requests.usual?.low.at(-1)).toBeGreaterThan(5);
    const [unusual] = requests.usual?.unusual ?? [];
    expect(unusual?.direction).toBe("none");
    const late = (Date.parse(unusual?.from ?? "") / 1000 - silentS) / 60;
    expect(late).toBeGreaterThanOrEqual(0);
    expect(late).toBeLessThanOrEqual(6);
    // The same in the coarser steps of a week.
    expect(of(await ask("busy", 7 * dayS), "requests").usual?.unusual.at(-1)?.direction).toBe("none");
  });

  test("five of seven lines, by the name of each", async () => {
    const backends = of(await ask("busy"), "backends_up");
    expect(backends.series.map(({ name, points }) => [name, points.at(-1)])).toEqual([
      ["a", 1],
      ["b", 0],
      ["c", 1],
      ["d", 1],
      ["e", 1],
    ]);
    expect(backends.more).toBe(2);
  });

  test.each([
    ["apart", "requests", "scrapeFailing"],
    ["mute", "requests", "unreached"],
    ["young", "requests", "warmingUp"],
    ["absent", "requests", "noData"],
    ["quiet", "requests", "zero"],
    ["quiet", "hit_ratio", "idle"],
    ["busy", "backends_up", "ok"],
  ])("%s: %s is %s", async (name, key, state) => {
    const { state: said, problem } = of(await ask(name), key);
    expect([said, problem]).toEqual([state, null]);
  });

  test("a query that Prometheus does not understand says where, and the others are there", async () => {
    const told = await ask("busy");
    expect(of(told, "nuked")).toMatchObject({
      state: "failed",
      promql: 'sum(rate(x{instance="busy"}[240s])',
      problem: {
        problem: "prometheus.parse",
        params: { line: 1, column: 35, says: expect.stringContaining("unclosed left parenthesis") },
      },
    });
    expect(told.signals.filter(({ state }) => state === "failed")).toHaveLength(1);
  });

  test("links to the same range in Grafana", async () => {
    const told = await ask("busy");
    const dashboard = new URL(told.links.dashboard ?? "");
    expect(dashboard.pathname).toBe("/d/v");
    expect(dashboard.searchParams.get("var-at")).toBe("busy");
    expect(dashboard.searchParams.get("from")).toBe(`${Date.parse(told.from)}`);
    expect(of(told, "requests").explore).toContain("/explore?schemaVersion=1");
  });

  test("a hundred viewers cost Prometheus what one does", async () => {
    const asked = async () => {
      const text = await (await fetch(`${prometheus.url}/metrics`)).text();
      const lines = text.match(/^prometheus_http_requests_total\{.*handler="\/api\/v1\/query.*$/gm) ?? [];
      return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
    };
    const before = await asked();
    await ask("busy", 3 * hourS);
    const one = (await asked()) - before;
    // Another component, so that nothing is known of it yet.
    await Promise.all(Array.from({ length: 100 }, () => ask("quiet", 3 * hourS)));
    expect(one).toBeGreaterThan(5);
    expect((await asked()) - before - one).toBeLessThanOrEqual(one);
  });

  test("changes in the range are marks", async () => {
    await db().change.create({
      data: {
        kind: "service.restart",
        title: "Restart busy",
        state: "done",
        level: "disruptive",
        actorType: "user",
        actorName: "Ada",
        origin: "page",
        input: "{}",
        plan: "{}",
        search: "",
        createdAt: new Date((lastS - 600) * 1000),
        targets: { create: { target: "varnish:busy" } },
      },
    });
    expect((await ask("busy")).marks).toMatchObject([{ kind: "service.restart", own: true, count: 1 }]);
    expect((await ask("quiet")).marks).toMatchObject([{ own: false }]);
    expect((await ask("busy", 120)).marks).toEqual([]);
  });

  test("why there are no charts", async () => {
    expect(await ask("one", hourS, "nginx")).toMatchObject({ source: "ambiguous", signals: [] });
    expect(await ask("port", hourS, "tcp")).toMatchObject({ source: "unknown", signals: [] });
    await expect(ask("nobody")).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(ask("busy", -hourS)).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });
});
