// Health as the browser sees it: each component of the stack, its state, since when, why, and what it hangs on.
import * as z from "zod";
import { toldProblem } from "../errors/contract";

/**
 * Worst first. "disagree": our own look says one thing, its exporter in Prometheus another. "unknown": not looked at yet, or Sluice
 * was not there. "warn": it answers, and something about it wants a look.
 */
export const healthStates = ["down", "disagree", "unknown", "warn", "up"] as const;
export const healthState = z.enum(healthStates);
export type HealthState = z.infer<typeof healthState>;

/** Where a component stands on the requests' way, from the visitors inwards; "side": beside it. */
export const layers = ["site", "edge", "router", "cache", "web", "app", "store", "side"] as const;
export const layer = z.enum(layers);
export type Layer = z.infer<typeof layer>;

export const component = z.object({
  /** kind/name, such as "redis/redis". */
  key: z.string(),
  kind: z.string(),
  name: z.string(),
  layer,
  state: healthState,
  /** UTC from when on it is in this state. */
  since: z.iso.datetime(),
  /** Why it is not up: the first thing to know. */
  problem: toldProblem.nullable(),
  /** What is wrong although it answers. */
  concerns: z.array(toldProblem),
  /** Looks that failed in a row; below its retries it is not said to be down yet. */
  failing: z.int(),
  latencyMs: z.number().nullable(),
  version: z.string().nullable(),
  facts: z.record(z.string(), z.union([z.string(), z.number()])),
  /** Keys of what it cannot do without. */
  dependsOn: z.array(z.string()),
  /** The deepest component below it that is down, while it is not well itself: what to mend first. */
  cause: z.string().nullable(),
});
export type Component = z.infer<typeof component>;

/** The problem of one that does not answer us, and does answer its exporter. */
export const exporterSaysUp = "health.exporterSaysUp";
/** Whether it does not answer our own looks, whatever others say of it. */
export const isSilent = ({ state, problem }: Pick<Component, "state" | "problem">): boolean =>
  state === "down" || (state === "disagree" && problem?.problem === exporterSaysUp);

export const healthSnapshot = z.object({ at: z.iso.datetime(), components: z.array(component) });

/** One day of one component, shares of the time that it was watched; null where nobody watched. */
export const uptimeDay = z.object({
  /** UTC, "2026-11-25". */
  day: z.iso.date(),
  up: z.number().nullable(),
  downMs: z.number(),
  watchedMs: z.number(),
});

export const componentHistory = z.object({
  component,
  /** Newest first. */
  states: z.array(
    z.object({
      state: healthState,
      since: z.iso.datetime(),
      until: z.iso.datetime().nullable(),
      problem: toldProblem.nullable(),
    }),
  ),
  /** The last ninety days, oldest first. */
  days: z.array(uptimeDay),
  /** Of the last thirty days. */
  budget: z.object({
    /** Share of the time that it should be up. */
    objective: z.number(),
    /** Share that it was; null where nobody watched. */
    up: z.number().nullable(),
    watchedMs: z.number(),
    allowedMs: z.number(),
    downMs: z.number(),
  }),
});
export type ComponentHistory = z.infer<typeof componentHistory>;

/** What flows through one component. Null: nobody tells. */
export const gate = component
  .pick({ key: true, kind: true, name: true, layer: true, dependsOn: true })
  .extend({
    /** Who tells: Prometheus, Cloudflare's analytics, or the server's own counters; null where nobody does. */
    source: z.enum(["prometheus", "cloudflare", "counters"]).nullable(),
    /** UTC as of when the figures are, where that is some minutes ago. */
    asOf: z.iso.datetime().nullable(),
    /** Per second; of a store what it is asked (queries, commands). */
    requests: z.number().nullable(),
    /** Per second, answered by itself: they go no further in. */
    absorbed: z.number().nullable(),
    /** Share of its requests that failed. */
    errors: z.number().nullable(),
    /** ms within which 95 of 100 were answered. */
    p95: z.number().nullable(),
  });
export type Gate = z.infer<typeof gate>;

/** A figure over the last hour, oldest first; null where nobody told. */
const course = z.array(z.number().nullable());
export const river = z.object({
  at: z.iso.datetime(),
  gates: z.array(gate),
  /** Prometheus is configured and does not answer: figures are the servers' own. */
  prometheusAway: z.boolean(),
  hour: z.object({
    stepMs: z.int(),
    /** UTC of the last step's end. */
    end: z.iso.datetime(),
    requests: course,
    /** Share that the caches answered. */
    cached: course,
    errors: course,
  }),
});
export type River = z.infer<typeof river>;

/** A component that changed its state. */
export const stateChange = z.object({
  id: z.int(),
  component: z.string(),
  state: healthState,
  at: z.iso.datetime(),
  problem: toldProblem.nullable(),
});
export type StateChange = z.infer<typeof stateChange>;

export const signalUnit = z.enum([
  "perSecond",
  "share",
  "ratio",
  "ms",
  "seconds",
  "days",
  "bytes",
  "bytesPerSecond",
  "count",
]);
export type SignalUnit = z.infer<typeof signalUnit>;

/**
 * What is to be said of a signal, most urgent first. "failed": its query was not answered; "scrapeFailing": Prometheus does not reach
 * the exporter; "unreached": the exporter does not reach the server; "noData": Prometheus has none (any more); "idle": nothing
 * happened that there could be a share of; "warmingUp": there is less than the window of a rate; "unusual": not as on the days before
 * at this time; "zero": it is measured, and nothing; "learning": less than the seven days by which the usual is told.
 */
export const signalState = z.enum([
  "failed",
  "scrapeFailing",
  "unreached",
  "noData",
  "warmingUp",
  "idle",
  "unusual",
  "zero",
  "learning",
  "ok",
]);
export type SignalState = z.infer<typeof signalState>;

const points = z.array(z.number().nullable());
export const signal = z.object({
  key: z.string(),
  unit: signalUnit,
  state: signalState,
  /** Why its query failed. */
  problem: toldProblem.nullable(),
  /** What Prometheus was asked; a parse error's column counts in it, from 1. */
  promql: z.string(),
  /** A value for each step, null where there is none. `name`: which one of several lines. */
  series: z.array(z.object({ name: z.string().nullable(), points })),
  /** Lines that there are besides. */
  more: z.int(),
  /** The bounds of the usual at each step, and when it was not so; null where that is not told (yet). */
  usual: z
    .object({
      low: points,
      high: points,
      unusual: z.array(
        z.object({
          from: z.iso.datetime(),
          to: z.iso.datetime(),
          direction: z.enum(["above", "below", "none"]),
        }),
      ),
    })
    .nullable(),
  /** The same query and range in Grafana's Explore. */
  explore: z.url().nullable(),
});
export type Signal = z.infer<typeof signal>;

/** A change in the range; or so many purges, of which it is the last. */
export const mark = z.object({
  id: z.int(),
  kind: z.string(),
  title: z.string(),
  at: z.iso.datetime(),
  count: z.int(),
  /** It was done to this component. */
  own: z.boolean(),
  failed: z.boolean(),
});
export type Mark = z.infer<typeof mark>;

export const signalsAsk = z.object({
  kind: z.string().max(40),
  name: z.string().max(100),
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  /** Points of a chart: half its pixels. */
  points: z.coerce.number().int().min(10).max(400).default(240),
});

/** Of a range that is shown: ms, and days. */
export const shortestRangeMs = 60_000;
export const longestRangeDays = 92;
/** Clocks differ a little. */
const aheadMs = 60_000;

/** Why a range (ms since the epoch) cannot be meant; null when it can. */
export function rangeFault(
  { from, to }: { readonly from: number; readonly to: number },
  now: number,
): (z.infer<typeof toldProblem> & { readonly field: "from" | "to" }) | null {
  if (from >= to) return { problem: "health.rangeBackwards", params: {}, field: "to" };
  if (from > now) return { problem: "health.rangeFuture", params: {}, field: "from" };
  if (to > now + aheadMs) return { problem: "health.rangeFuture", params: {}, field: "to" };
  if (to - from < shortestRangeMs)
    return { problem: "health.rangeShort", params: { seconds: shortestRangeMs / 1000 }, field: "from" };
  if (to - from > longestRangeDays * 86_400_000)
    return { problem: "health.rangeLong", params: { days: longestRangeDays }, field: "from" };
  return null;
}

export const signals = z.object({
  /** "none": no Prometheus is connected; "ambiguous": it cannot tell this one from others; "unknown": it is not asked about this kind. */
  source: z.enum(["prometheus", "none", "ambiguous", "unknown"]),
  /** Of the first point, and of the range's end: less than a step after the last point. */
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  stepMs: z.int(),
  /** Over which a rate is measured. */
  windowMs: z.int(),
  signals: z.array(signal),
  /** Oldest first. */
  marks: z.array(mark),
  links: z.object({ dashboard: z.url().nullable() }),
});
export type Signals = z.infer<typeof signals>;
