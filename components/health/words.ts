// How a signal's figures and states are said.
import { useTranslations } from "next-intl";
import { useCallback, useMemo } from "react";
import { useSay } from "@/components/ui/say";
import type { Tone } from "@/components/ui/status";
import type { Mark, Signal, SignalState, SignalUnit } from "@/lib/health/contract";
import type { Span } from "./shown-range";

export const signalTone = {
  failed: "down",
  scrapeFailing: "down",
  unreached: "down",
  noData: "unknown",
  warmingUp: "unknown",
  idle: "unknown",
  unusual: "warn",
  zero: "unknown",
  learning: "unknown",
  ok: "up",
} satisfies Record<SignalState, Tone>;

/** A state that all signals have for one reason: the way to them, or Prometheus itself. One of them says it for all. */
export function commonTo(signals: readonly Signal[]): Signal | null {
  const reason = ({ state, problem }: Signal): string | null =>
    state === "scrapeFailing" || state === "unreached" || state === "noData"
      ? state
      : state === "failed" && problem?.problem !== "prometheus.parse"
        ? JSON.stringify(problem)
        : null;
  // A query that is wrong by itself stands apart.
  const others = signals.filter(({ problem }) => problem?.problem !== "prometheus.parse");
  const [one] = others;
  if (one === undefined) return null;
  const said = reason(one);
  return said !== null && others.every((other) => reason(other) === said) ? one : null;
}

/** A figure with its unit. */
export function useFigure(): (unit: SignalUnit, value: number) => string {
  const t = useTranslations();
  const say = useSay();
  return useCallback(
    (unit, value) => {
      const size = Math.abs(value);
      const small = size < 0.1 ? 3 : size < 10 ? 2 : size < 100 ? 1 : 0;
      switch (unit) {
        case "share":
          return say.percent(value, Math.abs(value) < 0.1 || value > 0.99 ? 1 : 0);
        case "ms":
          return say.duration(value);
        case "seconds":
          return say.duration(value * 1000);
        case "days":
          return t("units.d", { value: say.number(value, small > 1 ? 1 : 0) });
        case "bytes":
          return say.bytes(value);
        case "bytesPerSecond":
          return t("overview.perSecond", { value: say.bytes(value) });
        case "perSecond":
          return t("overview.perSecond", { value: say.number(value, small) });
        default:
          return say.number(value, small);
      }
    },
    [t, say],
  );
}

/** Times as the range needs them: of the day; with the day, where it is not today's alone. */
export function useTimes({ from, to }: Span) {
  const say = useSay();
  const today = new Date(from).toDateString() === new Date().toDateString();
  const days = to - from > 1.5 * 86_400_000;
  return useMemo(() => {
    const iso = (at: number) => new Date(at).toISOString();
    return {
      exactly: (at: number) => (today ? say.clock(iso(at)).slice(0, 8) : say.time(iso(at))),
      /** For an axis. */
      tick: (at: number) =>
        days ? say.date(iso(at)).replace(/,?\s*\d{4}$/, "") : say.clock(iso(at)).slice(0, 5),
    };
  }, [say, today, days]);
}

/** What a mark is: "Restart: web", "12 purges, the last one: /fr". */
export function useMarkTitle(): (mark: Mark) => string {
  const t = useTranslations();
  const say = useSay();
  return useCallback(
    ({ kind, title, count, failed }) =>
      [
        kind.startsWith("purge") && count > 1 ? t("signals.purges", { count }) : `${say.kind(kind)}:`,
        title,
        failed ? `(${t("signals.failed")})` : "",
      ]
        .filter(Boolean)
        .join(" "),
    [t, say],
  );
}
