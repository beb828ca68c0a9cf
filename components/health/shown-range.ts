// The range that the charts show, as it stands in the address, and the ways from one to the next.
import { shortestRangeMs as leastMs, longestRangeDays } from "@/lib/health/contract";

export const presets = {
  "15m": 15 * 60_000,
  "1h": 3_600_000,
  "6h": 6 * 3_600_000,
  "24h": 24 * 3_600_000,
  "7d": 7 * 86_400_000,
} as const;
export type Preset = keyof typeof presets;
export const presetNames = Object.keys(presets) as Preset[];
const usual: Preset = "1h";

/** ms since the epoch. */
export type Span = { readonly from: number; readonly to: number };
/** Up to now, or a piece of the past. */
export type Shown = Preset | Span;

const mostMs = longestRangeDays * 86_400_000;

/** Whether the address names a range that cannot be read: a time that is none, one without the other, an unknown preset. */
export function isUnreadable(params: URLSearchParams): boolean {
  const own = [params.get("from"), params.get("to")];
  if (own.some((one) => one !== null)) return own.some((one) => Number.isNaN(Date.parse(one ?? "")));
  const preset = params.get("range");
  return preset !== null && !presetNames.some((one) => one === preset);
}

/** What the address asks for; what cannot be read is the last hour. A range that makes no sense stays as it is: it is refused by name. */
export function shownOf(params: URLSearchParams): Shown {
  const from = Date.parse(params.get("from") ?? "");
  const to = Date.parse(params.get("to") ?? "");
  if (!Number.isNaN(from) && !Number.isNaN(to)) return { from, to };
  const preset = params.get("range");
  return presetNames.find((one) => one === preset) ?? usual;
}

/** The address's query with another range. */
export function withShown(params: URLSearchParams, shown: Shown): string {
  const next = new URLSearchParams(params);
  for (const name of ["range", "from", "to"]) next.delete(name);
  if (typeof shown === "string") {
    if (shown !== usual) next.set("range", shown);
  } else {
    next.set("from", new Date(shown.from).toISOString());
    next.set("to", new Date(shown.to).toISOString());
  }
  return next.toString();
}

export const spanOf = (shown: Shown, now: number): Span =>
  typeof shown === "string" ? { from: now - presets[shown], to: now } : shown;

/** Not into the future, not shorter than a minute, whole seconds. */
function possible({ from, to }: Span, now: number): Span {
  const length = Math.min(mostMs, Math.max(leastMs, to - from));
  const end = Math.min(to, now);
  const second = (ms: number) => Math.round(ms / 1000) * 1000;
  return { from: second(end - length), to: second(end) };
}

/** As wide as `share` of it, about its middle. */
export function scaled({ from, to }: Span, share: number, now: number): Span {
  const middle = (from + to) / 2;
  const half = ((to - from) * share) / 2;
  return possible({ from: middle - half, to: Math.max(middle + half, middle - half + leastMs) }, now);
}

/** Moved by a share of itself; below zero: to the past. */
export function moved({ from, to }: Span, share: number, now: number): Span {
  const by = (to - from) * share;
  return possible({ from: from + by, to: to + by }, now);
}

/** What was dragged over, in either direction; null where that is a click. */
export function selected(a: number, b: number, stepMs: number, now: number): Span | null {
  const [from, to] = a < b ? [a, b] : [b, a];
  if (to - from < stepMs) return null;
  return possible({ from, to: Math.max(to, from + leastMs) }, now);
}

/** A time of the reader's own zone for <input type="datetime-local">, to the second. */
export function localInput(at: number): string {
  const date = new Date(at);
  return new Date(at - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

/** The way back; null for what is no time. */
export function fromInput(text: string): number | null {
  const at = new Date(text).getTime();
  return Number.isNaN(at) ? null : at;
}
