// A component's signals over a range, from Prometheus: each with its state in a word, what is usual, and the changes as marks.

import type * as z from "zod";
import type { Actor } from "../changes/kind";
import { config } from "../config/load";
import type { Config } from "../config/schema";
import { AppError, tellProblem } from "../errors/app-error";
import { dashboardLink, exploreLink } from "../systems/grafana/links";
import type { PrometheusTarget, Queried, Series } from "../systems/prometheus/prometheus";
import { aroundS, baselineDays, baselineOf, heldS, slotS, unusualOf } from "./anomaly";
import type { Signal, SignalState, Signals, signalsAsk } from "./contract";
import { marksIn } from "./marks";
import { filled, type KindQueries, type Signal as Query } from "./queries";
import { type Range, rangeOf } from "./range";
import { labelsOf, matchersOf, queriesFor } from "./selector";
import { health } from "./service";
import { sharedRange } from "./shared";

const dayS = 86_400;
const hourS = 3600;
const mostLines = 5;
/** A longer range is not compared with the days before: what lasts minutes is not seen in it. It begins up to a step early. */
const usualUpToS = 7 * dayS + 2 * hourS;
/** Up to here the unusual is looked for minute by minute, else by the baseline's own five. */
const minutelyUpToS = dayS + hourS;

const iso = (seconds: number): string => new Date(seconds * 1000).toISOString();

export type Line = {
  readonly name: string | null;
  readonly points: (number | null)[];
  /** The last step is within a window of the line's beginning: its rate is not one yet. */
  readonly warming: boolean;
  /** The last step has a sample, which is no number: a share of nothing. */
  readonly undefined: boolean;
};

/**
 * A line on the grid of its range. After a beginning, or a gap, Prometheus measures a rate over less than its window and tells too
 * little: those steps are gaps too.
 */
export function lineOf(
  { labels, samples }: Series,
  range: Range,
  by: string | undefined,
  rate: boolean,
): Line {
  const { start, end, step, window } = range;
  const known = new Map(samples.map(({ at, value }) => [Math.round(at), value]));
  const points: (number | null)[] = [];
  let good = Number.NEGATIVE_INFINITY;
  let before = true;
  let warming = false;
  for (let at = start - leadOf(range); at <= end; at += step) {
    const there = known.has(at);
    // What was there when the question begins is taken to have been there before.
    if (there && !before && rate) good = at + window;
    else if (there && at === start - leadOf(range)) good = at;
    before = there;
    warming = there && at < good;
    if (at >= start) points.push(warming ? null : (known.get(at) ?? null));
  }
  return {
    name: by === undefined ? null : (labels[by] ?? ""),
    points,
    warming,
    undefined: known.get(end) === null,
  };
}

/** So much before the range is asked for as well, to see where lines begin. */
export const leadOf = ({ step, window }: Pick<Range, "step" | "window">): number =>
  Math.ceil(window / step + 1) * step;

/** What Prometheus says of the way to a component: whether it is scraped, and whether its exporter reaches it; null: nothing. */
type Way = { readonly scraped: boolean | null; readonly up: boolean | null };

/** The one word for what lines say; `unusual`: they are not as on other days; `learning`: that is not known yet. */
export function stateOf(
  lines: readonly Line[],
  { scraped, up }: Way,
  { unusual, learning }: { readonly unusual: boolean; readonly learning: boolean },
): SignalState {
  if (scraped === false) return "scrapeFailing";
  if (up === false) return "unreached";
  const last = lines.map(({ points }) => points.at(-1) ?? null);
  if (last.every((value) => value === null)) {
    if (lines.some(({ warming }) => warming)) return "warmingUp";
    return lines.some((line) => line.undefined) ? "idle" : "noData";
  }
  if (unusual) return "unusual";
  if (last.every((value) => value === null || value === 0)) return "zero";
  return learning ? "learning" : "ok";
}

type Asked = {
  readonly target: PrometheusTarget;
  readonly matchers: string;
  readonly range: Range;
};

/** As it was at the range's end. */
async function wayOf({ target, matchers, range }: Asked, { scraped, up }: KindQueries): Promise<Way> {
  const at = { start: range.until, end: range.until, step: slotS };
  const says = async (promql: string | null): Promise<boolean | null> => {
    if (promql === null) return null;
    try {
      const { series } = await sharedRange(target, filled(promql, matchers, "5m"), at);
      const value = series[0]?.samples[0]?.value ?? null;
      return value === null ? null : value > 0;
    } catch {
      // The signals themselves say what fails.
      return null;
    }
  };
  const [one, other] = await Promise.all([says(scraped), says(up)]);
  return { scraped: one, up: other };
}

type Usual = {
  readonly usual: NonNullable<Signal["usual"]> | null;
  readonly learning: boolean;
  /** At the range's end it is not usual. */
  readonly unusual: boolean;
};
const notTold: Usual = { usual: null, learning: false, unusual: false };

/** What was usual in the range, and when it was not so. Throws as `queryRange`. */
async function usualOf({ target, matchers, range }: Asked, { key, promql }: Query): Promise<Usual> {
  const { start, end, until, step } = range;
  if (until - start > usualUpToS) return notTold;
  const mean = filled(promql, matchers, `${slotS}s`);
  const one = ({ series }: Queried) => series[0]?.samples ?? [];
  const slot = (at: number) => Math.floor(at / slotS) * slotS;
  const history = one(
    await sharedRange(
      target,
      mean,
      {
        // By the hour, so that a range that moves on asks the same.
        start: Math.floor((start - baselineDays * dayS - aroundS) / hourS) * hourS,
        end: slot(until),
        step: slotS,
      },
      true,
    ),
  );
  const usualAt = baselineOf(history);
  const minute = 60;
  const begin = start - 2 * heldS;
  const samples =
    until - start <= minutelyUpToS
      ? one(
          await sharedRange(target, mean, {
            start: Math.floor(begin / minute) * minute,
            end: Math.floor(until / minute) * minute,
            step: minute,
          }),
        )
      : history.filter(({ at }) => at >= begin);
  const bounds: ReturnType<typeof usualAt>[] = [];
  for (let at = start; at <= end; at += step) bounds.push(usualAt(at));
  if (bounds.every((one) => one === null)) return { ...notTold, learning: true };
  const unusual = unusualOf(samples, usualAt, key === "requests").filter(({ to }) => to >= start);
  return {
    usual: {
      low: bounds.map((one) => one?.low ?? null),
      high: bounds.map((one) => one?.high ?? null),
      unusual: unusual.map(({ from, to, direction }) => ({
        from: iso(Math.max(from, start)),
        to: iso(to),
        direction,
      })),
    },
    learning: bounds.at(-1) === null,
    unusual: unusual.at(-1)?.to === samples.at(-1)?.at && unusual.length > 0,
  };
}

async function signalOf(
  asked: Asked,
  query: Query,
  way: Promise<Way>,
  explore: (promql: string) => string | null,
): Promise<Signal> {
  const { target, matchers, range } = asked;
  const promql = filled(query.promql, matchers, `${range.window}s`);
  const told = { key: query.key, unit: query.unit, promql, explore: explore(promql) };
  const rate = query.promql.includes("$window");
  try {
    const [answer, usual, onWay] = await Promise.all([
      sharedRange(target, promql, { ...range, start: range.start - leadOf(range) }),
      // Without the usual a chart is still a chart.
      query.season === true ? usualOf(asked, query).catch(() => notTold) : notTold,
      way,
    ]);
    const lines = answer.series
      .map((series) => lineOf(series, range, query.by, rate))
      .toSorted((a, b) => (a.name ?? "").localeCompare(b.name ?? ""));
    return {
      ...told,
      state: stateOf(lines, onWay, usual),
      problem: null,
      series: lines.slice(0, mostLines).map(({ name, points }) => ({ name, points })),
      more: Math.max(0, lines.length - mostLines),
      usual: usual.usual,
    };
  } catch (error) {
    const says = (error instanceof Error ? error.message : String(error)).slice(0, 300);
    return {
      ...told,
      state: "failed",
      problem: tellProblem(error, { problem: "health.failed", params: { says } }),
      series: [],
      more: 0,
      usual: null,
    };
  }
}

/** Where a component's figures come from, or why there are none. */
function sourceOf(
  settings: Config,
  kind: string,
  name: string,
):
  | { readonly source: "none" | "ambiguous" | "unknown" }
  | {
      readonly source: "prometheus";
      readonly target: Config["systems"]["prometheus"][number];
      readonly queries: KindQueries;
      readonly matchers: string;
    } {
  const queries = queriesFor(settings, kind, name);
  if (queries === null) return { source: "unknown" };
  const [target] = settings.systems.prometheus;
  if (target === undefined) return { source: "none" };
  const labels = labelsOf(settings, kind, name);
  if (labels === null) return { source: "ambiguous" };
  return { source: "prometheus", target, queries, matchers: matchersOf(labels) };
}

/**
 * Everything that the charts of a component show. One signal that fails says so itself. Throws AppError NOT_FOUND (no such component)
 * and INVALID_INPUT (a range that cannot be meant).
 */
export async function signalsOf(
  { kind, name, from, to, points }: z.output<typeof signalsAsk>,
  actor: Pick<Actor, "sites">,
  now = Date.now(),
): Promise<Signals> {
  const key = `${kind}/${name}`;
  if (health().get(key) === null)
    throw new AppError("NOT_FOUND", `There is no component ${key.slice(0, 100)}.`, {
      problem: "health.notFound",
      params: { key: key.slice(0, 100) },
    });
  const settings = config();
  const found = sourceOf(settings, kind, name);
  const scrapeMs = settings.systems.prometheus[0]?.scrape_interval ?? 15_000;
  const range = rangeOf(
    { from: Date.parse(from), to: Date.parse(to), points },
    Math.ceil(scrapeMs / 1000),
    now,
  );
  const linked = { from: range.start * 1000, to: range.until * 1000 };
  const [grafana] = settings.systems.grafana;
  const home = grafana === undefined ? null : { url: grafana.public_url ?? grafana.url, org: grafana.org };
  const dashboard = grafana?.dashboards[kind];
  const explore = (promql: string): string | null =>
    home === null || grafana?.datasource === undefined
      ? null
      : exploreLink(home, grafana.datasource, promql, linked);
  const [marks, signals] = await Promise.all([
    marksIn({ key, from: range.start * 1000, to: Math.min(now, Date.parse(to)) }, actor),
    found.source === "prometheus" ? signalsFrom({ ...found, range }, found.queries, explore) : [],
  ]);
  return {
    source: found.source,
    from: iso(range.start),
    to: iso(range.until),
    stepMs: range.step * 1000,
    windowMs: range.window * 1000,
    signals,
    marks,
    links: {
      dashboard:
        home === null || dashboard === undefined
          ? null
          : dashboardLink(
              home,
              dashboard,
              { kind, name, labels: labelsOf(settings, kind, name) ?? {} },
              linked,
            ),
    },
  };
}

function signalsFrom(
  asked: Asked,
  queries: KindQueries,
  explore: (promql: string) => string | null,
): Promise<Signal[]> {
  const way = wayOf(asked, queries);
  return Promise.all(queries.signals.map((query) => signalOf(asked, query, way, explore)));
}
