// What the reference stack's Prometheus answers to queries.ts, beside the servers' own counters over the same seconds.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { sluiceYaml } from "@/lab/sluice-yaml.mjs";
import { parseConfig } from "../config/parse";
import type { Config } from "../config/schema";
import { exchange } from "../systems/exchange";
import { probe as probeMariadb } from "../systems/mariadb/probe";
import { probe as probeNginx } from "../systems/nginx/http";
import { probe as probePhpFpm } from "../systems/php-fpm/status";
import { query } from "../systems/prometheus/prometheus";
import { probe as probeMessenger } from "../systems/redis/messenger";
import { probe as probeRedis } from "../systems/redis/redis";
import type { Probed } from "../systems/system";
import { stackUrl, testStack, until } from "../systems/test-stack";
import { probe as probeTraefik } from "../systems/traefik/traefik";
import { HealthKeeper } from "./keeper";
import { filled, kindQueries } from "./queries";
import { Rates } from "./rates";
import { gatherRiver } from "./river";
import { labelsOf, matchersOf, queriesFor } from "./selector";

const exec = promisify(execFile);
const stack = testStack();
const stackFile = process.env.SLUICE_STACK ?? ".lab/dev/stack.json";
/** Of both rates. Prometheus sees a counter every five seconds, so that it is at most that much behind. */
const windowS = 25;
/** Of the larger of both; below one a second a single request would already be more. */
const tolerance = 0.2;
const leastPerS = 1;
const requestsPerS = 10;

/** Asks the edge at an even pace until stopped: one half finds nothing in any cache, the other is kept by Varnish; a part of the first searches. */
function load(edge: string) {
  const first = Date.now() % 20_000;
  const most = 900;
  const inFlight = new Set<Promise<unknown>>();
  const statuses = new Set<number>();
  let sent = 0;
  const timer = setInterval(() => {
    if (sent >= most || inFlight.size >= 8) return;
    sent += 1;
    // Varnish does not look at utm_…, the edge does.
    const path =
      sent % 4 === 0
        ? "/fr/recherche?q=concert"
        : sent % 2 === 0
          ? `/fr/archive/${1 + ((first + sent) % 20_000)}`
          : `/fr/archive/1?utm_source=${first}-${sent}`;
    const one = exchange({ base: edge, host: "site.localhost", path, timeoutMs: 10_000 })
      .then(({ status }) => statuses.add(status))
      .catch(() => statuses.add(0))
      .finally(() => inFlight.delete(one));
    inFlight.add(one);
  }, 1000 / requestsPerS);
  return {
    statuses,
    async stop() {
      clearInterval(timer);
      await Promise.all(inFlight);
    },
  };
}

type Counters = Readonly<Record<string, number>>;
const counted = (seen: Probed): Counters => {
  if (seen.state !== "up") throw seen.error;
  return seen.data.counters ?? {};
};

describe.skipIf(!stack)("PromQL on the stack", () => {
  let settings: Config;
  beforeAll(() => {
    const parsed = parseConfig(sluiceYaml(JSON.parse(readFileSync(stackFile, "utf8"))), stackFile, {});
    if (!parsed.ok) throw new Error("the stack's sluice.yaml is not valid");
    settings = parsed.config;
  });

  const ask = async (kind: string, name: string, what: string): Promise<number | null> => {
    const [prometheus] = settings.systems.prometheus;
    const labels = labelsOf(settings, kind, name);
    const queries = queriesFor(settings, kind, name);
    const promql = what === "up" ? queries?.up : queries?.signals.find(({ key }) => key === what)?.promql;
    if (prometheus === undefined || labels === null || promql == null)
      throw new Error(`${kind}/${name} has no ${what}`);
    const { series } = await query(prometheus, filled(promql, matchersOf(labels), `${windowS}s`));
    expect(series.length).toBeLessThanOrEqual(1);
    return series[0]?.samples[0]?.value ?? null;
  };

  /** By varnishstat: the adapter's counters are the exporter's own. */
  const varnishstat = async (name: string): Promise<Counters> => {
    const fields = ["-f", "MAIN.client_req", "-f", "MAIN.backend_req"];
    const args = ["exec", stack?.containers[name] ?? "", "varnishstat", "-n", "/var/lib/varnish", "-1", "-j"];
    const told = JSON.parse((await exec("docker", [...args, ...fields])).stdout);
    const of = (field: string): number => told.counters[field].value;
    return { requests: of("MAIN.client_req"), backendRequests: of("MAIN.backend_req") };
  };
  /** By Solr's own JSON, which the adapter does not ask for: every handler of every core. */
  const solrRequests = async (url: string): Promise<Counters> => {
    const path = "/solr/admin/metrics?wt=json&group=core&regex=.*%5C.requests";
    const { body } = await exchange({ base: url, path, timeoutMs: 5000 });
    const { metrics } = JSON.parse(Buffer.from(body).toString());
    const counts = Object.values<Record<string, unknown>>(metrics).flatMap(Object.entries);
    const own = counts.filter(([name]) => !name.includes("[shard]")).map(([, count]) => Number(count));
    return { requests: own.reduce((sum, count) => sum + count, 0) };
  };
  type Component = {
    readonly kind: string;
    readonly name: string;
    readonly counter: string;
    look(): Promise<Counters>;
  };
  const components = (): Component[] => {
    const { traefik, varnish, nginx, php_fpm, mariadb, redis, solr } = settings.systems;
    return [
      ...traefik.map((one) => ({
        kind: "traefik",
        name: one.name,
        counter: "requests",
        look: async () => counted(await probeTraefik(one)),
      })),
      ...varnish.map(({ name }) => ({
        kind: "varnish",
        name,
        counter: "requests",
        look: () => varnishstat(name),
      })),
      ...nginx.map((one) => ({
        kind: "nginx",
        name: one.name,
        counter: "requests",
        look: async () => counted(await probeNginx(one)),
      })),
      ...php_fpm.map((one) => ({
        kind: "php_fpm",
        name: one.name,
        counter: "requests",
        look: async () => counted(await probePhpFpm(one)),
      })),
      ...mariadb.map((one) => ({
        kind: "mariadb",
        name: one.name,
        counter: "queries",
        look: async () => counted(await probeMariadb(one)),
      })),
      ...redis.map((one) => ({
        kind: "redis",
        name: one.name,
        counter: "commands",
        look: async () => counted(await probeRedis(one)),
      })),
      ...solr.map(({ name, url }) => ({
        kind: "solr",
        name,
        counter: "requests",
        look: () => solrRequests(url),
      })),
    ];
  };

  test("every kind that the stack has is looked at, and its exporter reaches it", async () => {
    // Of those that something tells of.
    const told = Object.entries(kindQueries).filter(([, { up }]) => up !== null);
    expect([...new Set(components().map(({ kind }) => kind))].sort()).toEqual(
      told.map(([kind]) => kind).sort(),
    );
    for (const { kind, name } of components())
      await until(`${kind}/${name} is up`, async () => (await ask(kind, name, "up")) === 1, 20_000);
  });

  test("rates are those of the servers' own counters, within a fifth", async () => {
    if (stack === null) return;
    const rates = new Rates();
    const traffic = load(stackUrl(stack, "edge"));
    const started = Date.now();
    let apart: string[] = [];
    /** A busy server may miss one look: its rate is made of the others. */
    const missed: string[] = [];
    try {
      await until(
        "Prometheus and the servers say the same",
        async () => {
          const now = Date.now();
          await Promise.all(
            components().map(async ({ kind, name, look }) => {
              try {
                const counters = await look();
                rates.add(`${kind}/${name}`, Date.now(), counters);
              } catch (error) {
                missed.push(`${kind}/${name}: ${error}`);
              }
            }),
          );
          // Before that, a part of the window lies before the load.
          if (now - started < (windowS + 5) * 1000) return false;
          apart = [];
          const compare = (what: string, own: number | null, asked: number | null) => {
            const near =
              own !== null &&
              asked !== null &&
              own > 0 &&
              Math.abs(own - asked) <= tolerance * Math.max(own, asked, leastPerS);
            if (!near) apart.push(`${what}: ${own} by its own counters, ${asked} by Prometheus`);
          };
          for (const { kind, name, counter } of components()) {
            const key = `${kind}/${name}`;
            const own = (one: string) => rates.perSecond(key, one, windowS * 1000, Date.now());
            compare(`requests of ${key}`, own(counter), await ask(kind, name, "requests"));
            if (kind !== "varnish") continue;
            const kept = (own("requests") ?? 0) - (own("backendRequests") ?? 0);
            const absorbed =
              ((await ask(kind, name, "offload")) ?? 0) * ((await ask(kind, name, "requests")) ?? 0);
            compare(`absorbed by ${key}`, kept, absorbed);
            const errors = await ask(kind, name, "errors");
            if (errors !== 0) apart.push(`errors of ${key}: ${errors}`);
          }
          return apart.length === 0;
        },
        75_000,
      ).catch((error: unknown) => {
        // What differed says more than that time ran out.
        expect(apart).toEqual([]);
        throw error;
      });
    } finally {
      await traffic.stop();
    }
    expect(missed.slice(2)).toEqual([]);
    expect([...traffic.statuses]).toEqual([200]);
    // Milliseconds of searches that were made just now.
    const slowest = await ask("solr", "solr", "p95");
    expect(slowest).toBeGreaterThan(0);
    expect(slowest).toBeLessThan(10_000);
  }, 100_000);

  test("the river has every gate's figures from it", async () => {
    const keeper = new HealthKeeper(() => settings);
    keeper.follow(components().map(({ kind, name }) => ({ kind, name, retries: 1 })));
    const { gates, prometheusAway } = await gatherRiver(keeper, settings);
    expect(prometheusAway).toBe(false);
    expect(gates.map(({ key, source }) => [key, source]).sort()).toEqual(
      components()
        .map(({ kind, name }) => [`${kind}/${name}`, "prometheus"])
        .sort(),
    );
  });

  test("Messenger's queue: what waits and what is worked on is what Redis says itself", async () => {
    const [queue] = settings.systems.messenger;
    if (queue === undefined) throw new Error("not configured");
    await until(
      "both say the same",
      async () => {
        const seen = await probeMessenger(queue);
        if (seen.state !== "up") return false;
        const { waiting, pending } = seen.data.facts;
        return (
          (await ask("messenger", queue.name, "waiting")) === waiting &&
          (await ask("messenger", queue.name, "in_work")) === pending
        );
      },
      30_000,
    );
  }, 40_000);

  test("what the stack has not is nothing: no zero, and no error", async () => {
    const [prometheus] = settings.systems.prometheus;
    if (prometheus === undefined) throw new Error("not configured");
    const nobody = matchersOf({ instance: "nobody" });
    // Those without labels ask about Prometheus itself, which is there.
    const told = Object.values(kindQueries).flatMap(({ signals }) => signals);
    for (const { promql } of told.filter((one) => one.promql.includes("$labels")))
      expect((await query(prometheus, filled(promql, nobody, "1m"))).series, promql).toEqual([]);
  });

  test("a pool that does not answer is said to be down, though it tells its figures itself", async () => {
    const php = stack?.containers.php ?? "";
    const [pool] = settings.systems.php_fpm;
    const says = (value: number) => async () => (await ask("php_fpm", pool?.name ?? "", "up")) === value;
    await exec("docker", ["pause", php]);
    try {
      await until("Prometheus says that it is down", says(0), 30_000);
    } finally {
      await exec("docker", ["unpause", php]);
    }
    await until("and that it is back", says(1), 30_000);
  }, 90_000);
});
