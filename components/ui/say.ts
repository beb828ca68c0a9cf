"use client";
// Times, durations and problems in the reader's own words.
import { useFormatter, useLocale, useTranslations } from "next-intl";
import { useMemo } from "react";
import type { Problem } from "./problem";

/** The formatters the pages share; all in the reader's language and time zone. */
export function useSay() {
  const t = useTranslations();
  const format = useFormatter();
  const locale = useLocale();
  return useMemo(() => {
    const zone = typeof window === "undefined" ? "UTC" : Intl.DateTimeFormat().resolvedOptions().timeZone;
    const number = (value: number, digits = 0) => format.number(value, { maximumFractionDigits: digits });
    /** Milliseconds as "84 ms", "0.84 s", "12 s", "3 min". */
    const duration = (ms: number): string => {
      if (ms < 100) return t("units.ms", { value: number(Math.round(ms)) });
      if (ms < 10_000) return t("units.s", { value: number(ms / 1000, ms < 2000 ? 2 : 1) });
      if (ms < 120_000) return t("units.s", { value: number(Math.round(ms / 1000)) });
      if (ms < 7_200_000) return t("units.min", { value: number(Math.round(ms / 60_000)) });
      if (ms < 172_800_000) return t("units.h", { value: number(Math.round(ms / 3_600_000)) });
      return t("units.d", { value: number(Math.round(ms / 86_400_000)) });
    };
    return {
      number,
      duration,
      /** Bytes as "512 B", "1.5 kB", "640 MB": thousands, as disks and networks are sold. */
      bytes(value: number): string {
        const units = ["B", "kB", "MB", "GB", "TB"] as const;
        const step = value < 1000 ? 0 : Math.min(4, Math.floor(Math.log10(value) / 3));
        const scaled = value / 1000 ** step;
        return t(`units.${units[step] ?? "B"}`, { value: number(scaled, step > 0 && scaled < 100 ? 1 : 0) });
      },
      /** A share of one as "42 %". */
      percent: (share: number, digits = 0) =>
        format.number(share, { style: "percent", maximumFractionDigits: digits }),
      /** Day and time to the second, in the reader's time zone. */
      time(iso: string): string {
        return format.dateTime(new Date(iso), {
          timeZone: zone,
          day: "numeric",
          month: "short",
          hour: "2-digit",
          minute: "2-digit",
          second: "2-digit",
          hourCycle: "h23",
        });
      },
      /** Time of the day with milliseconds, 24 hours: "14:03:07.412". */
      clock(iso: string): string {
        const at = new Date(iso);
        return `${new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(at)}.${String(at.getMilliseconds()).padStart(3, "0")}`;
      },
      date(iso: string): string {
        return format.dateTime(new Date(iso), {
          timeZone: zone,
          day: "numeric",
          month: "short",
          year: "numeric",
        });
      },
      utc(iso: string): string {
        return `${iso.replace("T", " ").replace(/\.\d+Z$|Z$/, "")} UTC`;
      },
      list: (words: readonly string[]) => format.list(words, { type: "conjunction" }),
      language(tag: string): string {
        return new Intl.DisplayNames([locale], { type: "language" }).of(tag) ?? tag;
      },
      /** A problem in words: its own message where there is one, else that of its code. */
      problem(problem: Problem): string {
        if (problem.problem !== null && t.has(`problems.${problem.problem}`)) {
          return t(`problems.${problem.problem}`, { ...problem.params });
        }
        if (problem.code === "INVALID_INPUT" && problem.message !== "") return problem.message;
        return t.has(`errors.${problem.code}`) ? t(`errors.${problem.code}`) : t("errors.INTERNAL");
      },
      /** A fact that a system tells of itself; times are in seconds. */
      fact(key: string, value: string | number): string {
        if (typeof value === "string") return value;
        return key === "uptime" ? duration(value * 1000) : number(value, 2);
      },
      /** What a kind of change is called: "purge.gateway" stands under kinds.purge-gateway. */
      kind(kind: string): string {
        const path = `kinds.${kind.replaceAll(".", "-")}`;
        return t.has(path) ? t(path) : kind;
      },
      /** A message under `space.key`, or the key itself where nobody has written one yet. */
      key(space: string, key: string, params: Readonly<Record<string, string | number>> = {}): string {
        const path = `${space}.${key}`;
        return t.has(path) ? t(path, { ...params }) : key;
      },
    };
  }, [t, format, locale]);
}
