// What flows through the gates, gathered once for all viewers: from Prometheus where it knows a component, else from its own counters;
// of a zone, from Cloudflare.

import { zoneRates } from "../cloudflare/traffic";
import { config } from "../config/load";
import type { Config } from "../config/schema";
import { AppError } from "../errors/app-error";
import { log } from "../runtime/log";
import { singleton } from "../runtime/singleton";
import { type PrometheusTarget, query } from "../systems/prometheus/prometheus";
import type { Gate, River } from "./contract";
import type { HealthKeeper } from "./keeper";
import { filled, type KindQueries } from "./queries";
import { labelsOf, matchersOf, queriesFor } from "./selector";
import { health } from "./service";

const everyMs = 10_000;
/** A rate over less would jump at each look. */
const windowMs = 60_000;
const hourStepMs = 60_000;
const hourSteps = 60;

type Figures = Pick<Gate, "source" | "asOf" | "requests" | "absorbed" | "errors" | "p95">;
const none: Figures = {
  source: null,
  asOf: null,
  requests: null,
  absorbed: null,
  errors: null,
  p95: null,
};

const failedShare = (failed: number, requests: number): number =>
  requests === 0 ? 0 : Math.min(1, failed / requests);

/** By Cloudflare's analytics, some minutes old. */
export function zoneFigures(zone: string, now: number): Figures {
  const rates = zoneRates(zone, now);
  if (rates === null) return none;
  return {
    source: "cloudflare",
    asOf: new Date(rates.asOf).toISOString(),
    requests: rates.requests,
    absorbed: rates.cached,
    errors: failedShare(rates.failed, rates.requests),
    p95: null,
  };
}

/** By the server's own counters. */
export function ownFigures(keeper: HealthKeeper, key: string, now: number): Figures {
  const rate = (counter: string) => keeper.rates.perSecond(key, counter, windowMs, now);
  const [kind] = key.split("/");
  const requests = rate(kind === "redis" ? "commands" : kind === "mariadb" ? "queries" : "requests");
  if (requests === null) return none;
  const behind = rate("backendRequests");
  const failed = rate("failed");
  return {
    source: "counters",
    asOf: null,
    requests,
    absorbed: behind === null ? null : Math.max(0, requests - behind),
    errors: failed === null ? null : failedShare(failed, requests),
    p95: null,
  };
}

/** What Prometheus says of one component, and of its exporter; null where it knows nothing of it. Throws as `query`. */
async function askedFigures(
  prometheus: PrometheusTarget,
  { up: upQuery, signals }: KindQueries,
  matchers: string,
): Promise<{ figures: Figures; up: boolean | null } | null> {
  const value = async (promql: string | null | undefined) =>
    promql == null
      ? null
      : ((await query(prometheus, filled(promql, matchers, "1m"))).series[0]?.samples[0]?.value ?? null);
  const of = (key: string) => value(signals.find((one) => one.key === key)?.promql);
  const up = await value(upQuery);
  const requests = await of("requests");
  if (requests === null) return up === null ? null : { figures: none, up: up === 1 };
  const [offload, errors, p95] = await Promise.all(["offload", "errors", "p95"].map(of));
  return {
    figures: {
      source: "prometheus",
      asOf: null,
      requests,
      // A share of no requests is not a number.
      absorbed:
        requests === 0 ? (signals.some(({ key }) => key === "offload") ? 0 : null) : times(requests, offload),
      errors: errors ?? null,
      p95: p95 ?? null,
    },
    up: up === null ? null : up === 1,
  };
}

const times = (requests: number, share: number | null | undefined): number | null =>
  share == null ? null : requests * share;

const flowing = new Set(["edge", "router", "cache", "web", "app", "store"]);

/**
 * The last hour from the servers' own counters: requests of the outermost layer that counts them, what failed of the outermost that
 * counts that, what was cached of the layer that has a backend. A router in front of the cache knows nothing of the latter.
 */
export function hourOf(
  keeper: Pick<HealthKeeper, "rates">,
  gates: readonly Pick<Gate, "key" | "layer">[],
  now: number,
): River["hour"] {
  const counting = (counter: string): readonly string[] => {
    const counts = ({ key }: Pick<Gate, "key">) =>
      keeper.rates.perSecond(key, counter, windowMs, now) !== null;
    const layer = ["router", "cache", "web", "app"].find((one) =>
      gates.some((gate) => gate.layer === one && counts(gate)),
    );
    return gates.filter((gate) => gate.layer === layer).map(({ key }) => key);
  };
  const summed = (keys: readonly string[], counter: string): (number | null)[] => {
    const courses = keys.map((key) => keeper.rates.course(key, counter, hourStepMs, hourSteps, now));
    return Array.from({ length: hourSteps }, (_, index) => {
      const known = courses.map((course) => course[index] ?? null).filter((one) => one !== null);
      return known.length === 0 ? null : known.reduce((sum, one) => sum + one, 0);
    });
  };
  /** How much of a layer's requests a counter of the same layer is, step by step; null where there were none. */
  const shares = (counter: string): (number | null)[] => {
    const keys = counting(counter);
    const whole = summed(keys, "requests");
    return summed(keys, counter).map((part, index) => {
      const requests = whole[index] ?? null;
      return part === null || requests === null || requests === 0
        ? null
        : Math.min(1, Math.max(0, part / requests));
    });
  };
  return {
    stepMs: hourStepMs,
    end: new Date(now).toISOString(),
    requests: summed(counting("requests"), "requests"),
    cached: shares("backendRequests").map((passed) => (passed === null ? null : 1 - passed)),
    errors: shares("failed"),
  };
}

/** Looks once at everything. Never throws: what Prometheus does not tell, the servers do. */
export async function gatherRiver(keeper: HealthKeeper, settings: Config, now = Date.now()): Promise<River> {
  const [prometheus] = settings.systems.prometheus;
  const exporters = new Map<string, boolean>();
  let prometheusAway = false;
  const gates = await Promise.all(
    keeper
      .all()
      .filter(({ layer }) => flowing.has(layer))
      .map(async ({ key, kind, name, layer, dependsOn }): Promise<Gate> => {
        const gate = { key, kind, name, layer, dependsOn };
        const labels = labelsOf(settings, kind, name);
        const queries = queriesFor(settings, kind, name);
        if (prometheus !== undefined && labels !== null && queries !== null) {
          try {
            const asked = await askedFigures(prometheus, queries, matchersOf(labels));
            if (asked !== null && asked.up !== null) exporters.set(key, asked.up);
            if (asked !== null && asked.figures.requests !== null) return { ...gate, ...asked.figures };
          } catch (error) {
            log.debug({ err: error, component: key }, "Prometheus did not tell of a component");
            // A query of sluice.yaml that it refuses: it is there, and the component's page says what is wrong with the query.
            if (!(error instanceof AppError && error.code === "REFUSED")) prometheusAway = true;
          }
        }
        const own = kind === "cloudflare" ? zoneFigures(name, now) : ownFigures(keeper, key, now);
        return { ...gate, ...own };
      }),
  );
  keeper.exportersSay(exporters);
  return { at: new Date(now).toISOString(), gates, prometheusAway, hour: hourOf(keeper, gates, now) };
}

const empty: River = {
  at: new Date(0).toISOString(),
  gates: [],
  prometheusAway: false,
  hour: { stepMs: hourStepMs, end: new Date(0).toISOString(), requests: [], cached: [], errors: [] },
};
const kept = () => singleton("health.river", () => ({ river: empty }));

/** As it was gathered last. */
export const river = (): River => kept().river;

/** For lib/runtime/services.ts: gathers every ten seconds, whoever looks. */
export const riverService = {
  name: "river",
  async start(): Promise<() => Promise<void>> {
    let gathering: Promise<void> | null = null;
    const gather = () => {
      gathering ??= gatherRiver(health(), config())
        .then((one) => {
          kept().river = one;
        })
        .catch((error: unknown) => log.error({ err: error }, "the river could not be gathered"))
        .finally(() => {
          gathering = null;
        });
    };
    gather();
    const timer = setInterval(gather, everyMs).unref();
    return async () => {
      clearInterval(timer);
      await gathering;
    };
  },
};
