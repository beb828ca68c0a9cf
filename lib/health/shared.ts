// What Prometheus is asked, once for all who ask the same at about the same time: a hundred viewers cost it what one does.
import { singleton } from "../runtime/singleton";
import { type PrometheusTarget, type Queried, queryRange } from "../systems/prometheus/prometheus";

const keptMs = 10_000;
/** A baseline of seven days: its key changes with each five minutes. */
const longKeptMs = 300_000;
/** A refusal is not asked for again by each viewer, and not believed for long. */
const failureKeptMs = 3000;
const mostKept = 200;

type Kept = { until: number; readonly answer: Promise<Queried> };

/** Answers by what was asked; the oldest ones are dropped. */
export class Shared {
  readonly #kept = new Map<string, Kept>();

  get(key: string, ask: () => Promise<Queried>, forMs: number, now = Date.now()): Promise<Queried> {
    for (const [old, { until }] of this.#kept)
      if (until <= now || this.#kept.size >= mostKept) this.#kept.delete(old);
    const there = this.#kept.get(key);
    if (there !== undefined) return there.answer;
    const kept: Kept = { until: Number.POSITIVE_INFINITY, answer: ask() };
    this.#kept.set(key, kept);
    kept.answer.then(
      () => {
        kept.until = Date.now() + forMs;
      },
      () => {
        kept.until = Date.now() + failureKeptMs;
      },
    );
    return kept.answer;
  }
}

const shared = () => singleton("health.shared", () => new Shared());

/**
 * `queryRange`, shared. No viewer's signal goes along: who leaves must not take the answer from the others. The target's own time-out
 * ends each call.
 */
export function sharedRange(
  target: PrometheusTarget,
  promql: string,
  range: { readonly start: number; readonly end: number; readonly step: number },
  long = false,
): Promise<Queried> {
  const { start, end, step } = range;
  const key = JSON.stringify([target, promql, start, end, step]);
  return shared().get(
    key,
    () => queryRange(target, promql, { start, end, step }),
    long ? longKeptMs : keptMs,
  );
}
