// A time range and its step, as Grafana makes them: so that a figure here is the figure there, and many viewers ask for the same.
import { AppError } from "../errors/app-error";
import { rangeFault } from "./contract";

/** All in seconds since the epoch; start and end are multiples of the step. */
export type Range = {
  readonly start: number;
  readonly end: number;
  /** What was asked for ends here, less than a step after `end`. */
  readonly until: number;
  readonly step: number;
  /** Of a rate: Grafana's $__rate_interval. */
  readonly window: number;
};

/** Prometheus refuses more points than that. */
const mostPoints = 11_000;

/** [below this many seconds, this step]: Grafana's rounding (rangeutil.roundInterval), from its least interval of use here. */
const rounded: readonly (readonly [below: number, step: number])[] = [
  [1.5, 1],
  [3.5, 2],
  [7.5, 5],
  [12.5, 10],
  [17.5, 15],
  [25, 20],
  [45, 30],
  [90, 60],
  [210, 120],
  [450, 300],
  [750, 600],
  [1050, 900],
  [1500, 1200],
  [2700, 1800],
  [5400, 3600],
  [9000, 7200],
  [16_200, 10_800],
  [32_400, 21_600],
  [86_400, 43_200],
];

/**
 * `from`, `to` and `now` in ms since the epoch; `scrapeS`: how often Prometheus looks. What is not over yet ends now. Throws AppError
 * INVALID_INPUT for a range that cannot be meant.
 */
export function rangeOf(
  { from, to, points }: { readonly from: number; readonly to: number; readonly points: number },
  scrapeS: number,
  now: number,
): Range {
  const fault = rangeFault({ from, to }, now);
  if (fault !== null) {
    const { problem, params, field } = fault;
    throw new AppError("INVALID_INPUT", "This range cannot be shown.", { problem, params, field });
  }
  const length = (to - from) / 1000;
  const wanted = length / points;
  const round = rounded.find(([below]) => wanted < below)?.[1] ?? 86_400;
  const step = Math.max(round, scrapeS, Math.ceil(length / mostPoints));
  const aligned = (ms: number) => Math.floor(ms / 1000 / step) * step;
  return {
    start: aligned(from),
    end: aligned(Math.min(to, now)),
    // By the minute, so that many ask the same.
    until: Math.max(aligned(Math.min(to, now)), Math.floor(Math.min(to, now) / 60_000) * 60),
    step,
    window: Math.max(step + scrapeS, 4 * scrapeS),
  };
}
