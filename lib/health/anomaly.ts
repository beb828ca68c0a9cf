// What is usual at this time of the day, and what is not: a hint beside a chart, not an alert. Pure; times are seconds.

/** The baseline's grain: means of five minutes. */
export const slotS = 300;
const dayS = 86_400;
/** The days before that a moment is compared with, and the time around it in each of them. */
export const baselineDays = 7;
export const aroundS = 1800;
const highest = 3.5;
/** How long it must last. */
export const heldS = 300;
/** A standard deviation from the median absolute deviation, of what is distributed normally. */
const ofMad = 1.4826;
/** Where the past hardly differs, a difference of some percent is none. */
const leastShare = 0.05;
/** Of the 91 figures before; fewer say nothing. */
const leastFigures = 46;

export type Sample = { readonly at: number; readonly value: number | null };
/** Between `low` and `high` a figure is usual. `flows`: there was something at this time, also on this day of the week. */
export type Usual = { readonly low: number; readonly high: number; readonly flows: boolean };
export type Unusual = {
  readonly from: number;
  /** The last moment at which it was so. */
  readonly to: number;
  readonly direction: "above" | "below" | "none";
};

const medianOf = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? 0) + upper) / 2;
};

/** |z| of the bounds is `highest`; a figure is never below zero. Nothing can be measured by a past of nothing. */
function boundsOf(before: readonly number[]): { median: number; low: number; high: number } | null {
  const median = medianOf(before);
  const mad = medianOf(before.map((value) => Math.abs(value - median)));
  const scale = Math.max(ofMad * mad, leastShare * Math.abs(median));
  if (scale === 0) return null;
  return { median, low: Math.max(0, median - highest * scale), high: median + highest * scale };
}

/**
 * Reads a baseline (means of five minutes, at multiples of `slotS`): what is usual at a moment; null while there are not seven days
 * before it ("learning"), and where too much of them is missing. Usual is what the seven days say, or the same day a week ago:
 * five working days outvote a weekend, which would be unusual each time.
 */
export function baselineOf(history: readonly Sample[]): (at: number) => Usual | null {
  const known = new Map<number, number>();
  let oldest = Number.POSITIVE_INFINITY;
  for (const { at, value } of history) {
    if (value === null) continue;
    known.set(at, value);
    oldest = Math.min(oldest, at);
  }
  const kept = new Map<number, Usual | null>();
  const around = (middle: number): number[] => {
    const values: number[] = [];
    for (let at = middle - aroundS; at <= middle + aroundS; at += slotS) {
      const value = known.get(at);
      if (value !== undefined) values.push(value);
    }
    return values;
  };
  const look = (slot: number): Usual | null => {
    if (oldest > slot - baselineDays * dayS) return null;
    const all: number[] = [];
    let week: number[] = [];
    for (let day = 1; day <= baselineDays; day++) {
      week = around(slot - day * dayS);
      all.push(...week);
    }
    if (all.length < leastFigures) return null;
    const usual = boundsOf(all);
    if (usual === null) return null;
    // Nothing known of that day says nothing; that there was nothing on it does.
    const weekly = week.length === 0 ? usual : boundsOf(week);
    return {
      low: Math.min(usual.low, weekly?.low ?? 0),
      high: Math.max(usual.high, weekly?.high ?? 0),
      flows: usual.median > 0 && weekly !== null && weekly.median > 0,
    };
  };
  return (at) => {
    const slot = Math.floor(at / slotS) * slotS;
    let usual = kept.get(slot);
    if (usual === undefined) {
      usual = look(slot);
      kept.set(slot, usual);
    }
    return usual;
  };
}

/**
 * When `samples` (means of the five minutes before, oldest first) were not usual for five minutes on end. `traffic`: a mean of zero
 * where there is traffic otherwise is told at once, however much the past differed: five minutes are in it already.
 */
export function unusualOf(
  samples: readonly Sample[],
  usualAt: (at: number) => Usual | null,
  traffic: boolean,
): Unusual[] {
  const found: Unusual[] = [];
  let run: { from: number; direction: Unusual["direction"]; told: boolean } | null = null;
  for (const { at, value } of samples) {
    const usual = value === null ? null : usualAt(at);
    const silent = traffic && value === 0 && usual?.flows === true;
    const direction =
      value === null || usual === null
        ? null
        : silent
          ? "none"
          : value > usual.high
            ? "above"
            : value < usual.low
              ? "below"
              : null;
    if (direction === null) {
      run = null;
      continue;
    }
    // From few to none, and back to few, is one course of things: "none" is what was nothing as long as it was told.
    if (run === null || (run.direction === "above") !== (direction === "above"))
      run = { from: at, direction, told: false };
    else if (run.direction !== direction) run.direction = run.told ? "below" : direction;
    if (!silent && !run.told && at - run.from < heldS) continue;
    run.told = true;
    const last = found.at(-1);
    const told = { from: run.from, to: at, direction: run.direction };
    if (last?.from === run.from) found[found.length - 1] = told;
    else found.push(told);
  }
  return found;
}
