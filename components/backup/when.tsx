"use client";
// A moment of any year: what is saved may be older than what the other pages tell of.
import { useFormatter } from "next-intl";
import { useSay } from "@/components/ui/say";

/** Day, year and minute in the reader's time zone. */
export function useMoment(): (iso: string) => string {
  const format = useFormatter();
  return (iso) =>
    format.dateTime(new Date(iso), {
      ...(typeof window === "undefined"
        ? { timeZone: "UTC" }
        : { timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone }),
      ...{ day: "numeric", month: "short", year: "numeric" },
      ...{ hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
    });
}

export function When({ at, className = "" }: { readonly at: string; readonly className?: string }) {
  const say = useSay();
  const moment = useMoment();
  return (
    <time className={`num ${className}`} dateTime={at} title={say.utc(at)}>
      {moment(at)}
    </time>
  );
}
