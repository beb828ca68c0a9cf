// How long a component was up, from the changes of its state. Time in which nobody watched counts for nothing.
import type { HealthState } from "./contract";

export type Span = { readonly state: HealthState; readonly from: number; readonly to: number };

const dayMs = 86_400_000;
/** Answering, however: visitors are served. */
const good = new Set<HealthState>(["up", "warn", "disagree"]);

/** Changes of state, oldest first, as spans up to `now`; all in ms since the epoch. */
export function spansOf(
  changes: readonly { readonly state: HealthState; readonly since: number }[],
  now: number,
): Span[] {
  return changes
    .map(({ state, since }, index) => ({ state, from: since, to: changes[index + 1]?.since ?? now }))
    .filter(({ from, to }) => to > from);
}

/** Of the time between `from` and `to`: how much was watched, and how much of that it was down (ms). */
export function within(
  spans: readonly Span[],
  from: number,
  to: number,
): { watchedMs: number; downMs: number } {
  let watchedMs = 0;
  let downMs = 0;
  for (const span of spans) {
    const ms = Math.min(span.to, to) - Math.max(span.from, from);
    if (ms <= 0 || span.state === "unknown") continue;
    watchedMs += ms;
    if (!good.has(span.state)) downMs += ms;
  }
  return { watchedMs, downMs };
}

/** The last `count` days of UTC, oldest first, today (up to `now`) last. */
export function daysOf(
  spans: readonly Span[],
  now: number,
  count = 90,
): { day: string; up: number | null; downMs: number; watchedMs: number }[] {
  const today = Math.floor(now / dayMs) * dayMs;
  return Array.from({ length: count }, (_, index) => {
    const from = today - (count - 1 - index) * dayMs;
    const { watchedMs, downMs } = within(spans, from, Math.min(from + dayMs, now));
    return {
      day: new Date(from).toISOString().slice(0, 10),
      up: watchedMs === 0 ? null : 1 - downMs / watchedMs,
      downMs,
      watchedMs,
    };
  });
}
