"use client";
// The bottom strip: is every system up, what runs, what waits, and how old what you read is.
import Link from "next/link";
import { useTranslations } from "next-intl";
import { useEffect, useState } from "react";
import { useSay } from "@/components/ui/say";
import { Status, type Tone } from "@/components/ui/status";
import type { Connection } from "@/lib/connections/contract";
import { type StreamState, useLive } from "@/lib/live/client";

const streamTone: Record<StreamState, Tone> = {
  connecting: "unknown",
  live: "up",
  reconnecting: "warn",
  offline: "down",
};

/** Seconds since the server last spoke, counted here. */
function useAge(heardAt: number | null): number | null {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return heardAt === null ? null : Math.max(0, now - heardAt);
}

/** What the strip says of the systems, worst first: each one that is down, then how many are up, then what is not connected. */
export function stripChips(connections: readonly Connection[]) {
  const configured = connections.filter((one) => one.name !== null);
  return {
    down: configured
      .filter((one) => one.state === "down")
      .map((one) => ({ kind: one.kind, name: one.name ?? one.kind })),
    up: configured.filter((one) => one.state === "up").length,
    checking: configured.filter((one) => one.state === "checking").length,
    notConnected: connections
      .filter((one) => one.state === "not_connected")
      .map((one) => one.name ?? one.kind),
  };
}

export function StatusStrip() {
  const t = useTranslations();
  const say = useSay();
  const live = useLive();
  const age = useAge(live.heardAt);
  const chips = stripChips(live.connections);
  const waiting = live.outbox.reduce((sum, node) => sum + node.waiting, 0);
  const shownDown = chips.down.slice(0, 3);
  return (
    <footer className="col-start-1 flex h-8 items-center gap-4 overflow-hidden border-t border-line px-3 text-xs whitespace-nowrap text-mute sm:px-5 lg:col-start-2">
      <Link
        href="/settings/connections"
        className="flex min-w-0 items-center gap-3.5 overflow-hidden hover:text-ink"
      >
        {/* Before the first word there is nothing to show, but a link has a name. */}
        {live.heardAt === null && <span className="sr-only">{t("settings.connections")}</span>}
        {chips.up > 0 && (
          <Status tone="up" size={13}>
            {t("strip.up", { count: chips.up })}
          </Status>
        )}
        {shownDown.map((one) => (
          <Status key={`${one.kind}/${one.name}`} tone="down" size={13}>
            {t("strip.down", { name: one.name })}
          </Status>
        ))}
        {chips.down.length > shownDown.length && (
          <Status tone="down" size={13}>
            {t("strip.moreDown", { count: chips.down.length - shownDown.length })}
          </Status>
        )}
        {chips.checking > 0 && (
          <Status tone="run" size={13}>
            {t("strip.checking", { count: chips.checking })}
          </Status>
        )}
        {chips.notConnected.length > 0 && (
          <span className="hidden md:inline">
            <Status tone="unknown" size={13}>
              {chips.notConnected.length === 1
                ? t("strip.notConnectedOne", { name: say.key("systems", chips.notConnected[0] ?? "") })
                : t("strip.notConnected", { count: chips.notConnected.length })}
            </Status>
          </span>
        )}
        {live.heardAt !== null && live.connections.length === 0 && (
          <Status tone="unknown" size={13}>
            {t("strip.nothing")}
          </Status>
        )}
      </Link>
      {live.running.length > 0 && (
        <Link href="/history?state=running" className="hover:text-ink">
          <Status tone="run" size={13}>
            {t("strip.running", { count: live.running.length })}
          </Status>
        </Link>
      )}
      {live.heardAt !== null && (
        <span
          className={waiting > 0 ? "" : "hidden md:inline"}
          title={live.outbox.map((node) => `${node.node}: ${node.waiting}`).join("\n")}
        >
          {waiting > 0 ? (
            <Status tone="warn" size={13}>
              {t("strip.waiting", { count: waiting })}
            </Status>
          ) : (
            t("strip.waiting", { count: 0 })
          )}
        </span>
      )}
      <span className="num ml-auto flex items-center gap-1" data-stream={live.stream}>
        <Status tone={streamTone[live.stream]} size={13}>
          {t(`strip.${live.stream}`)}
        </Status>
        {age !== null && (
          <span className="hidden sm:inline">
            {t("strip.age", { age: t("units.s", { value: say.number(Math.floor(age / 1000)) }) })}
          </span>
        )}
      </span>
    </footer>
  );
}
