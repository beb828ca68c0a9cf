"use client";
// One component's health: its state and since when, what it hangs on, what it says of itself, its ninety days.
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useTranslations } from "next-intl";
import { type ReactNode, useEffect } from "react";
import { ComponentAlerts } from "@/components/alerts/component-alerts";
import { ZoneSettings, ZoneTraffic } from "@/components/cloudflare/zone-cards";
import { Signals } from "@/components/health/signals";
import { useSay } from "@/components/ui/say";
import { Scroll } from "@/components/ui/scroll";
import { Failure, Skeleton } from "@/components/ui/states";
import { Status } from "@/components/ui/status";
import { query } from "@/lib/api/client";
import type { Component, ComponentHistory } from "@/lib/health/contract";
import { useLive } from "@/lib/live/client";
import { healthAddress, partsOf, stateTone } from "./words";

function Card({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section className="card min-w-0">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function Links({ title, keys, all }: { title: string; keys: readonly string[]; all: readonly Component[] }) {
  const t = useTranslations();
  if (keys.length === 0) return null;
  return (
    <Card title={title}>
      <ul>
        {keys.map((key) => {
          const state = all.find((one) => one.key === key)?.state ?? "unknown";
          const part = partsOf(key);
          return (
            <li key={key} className="row items-center">
              <Link className="link flex-1" href={healthAddress(part)}>
                {part.name}
              </Link>
              <Status tone={stateTone[state]}>{t(`overview.states.${state}`)}</Status>
            </li>
          );
        })}
      </ul>
    </Card>
  );
}

/** A share of a whole as percent that never rounds an outage away: 99.97 %, not 100 %. */
function useShare() {
  const say = useSay();
  return (share: number) => say.percent(Math.floor(share * 100_000) / 100_000, share === 1 ? 0 : 3);
}

function Days({ days, budget }: Pick<ComponentHistory, "days" | "budget">) {
  const t = useTranslations();
  const say = useSay();
  const write = useShare();
  const toneOf = (up: number | null) =>
    up === null
      ? "var(--line)"
      : up === 1
        ? "var(--up)"
        : up >= budget.objective
          ? "var(--warn)"
          : "var(--down)";
  const left = budget.allowedMs - budget.downMs;
  const said = days.filter(({ watchedMs }) => watchedMs > 0);
  return (
    <Card title={t("health.days")}>
      <div className="p-3">
        <div aria-hidden="true" className="flex h-8 items-end gap-px">
          {days.map(({ day, up }) => (
            <span
              key={day}
              title={`${say.date(`${day}T12:00:00Z`)}: ${up === null ? t("health.notWatched") : write(up)}`}
              className="h-full flex-1 rounded-sm"
              style={{ background: toneOf(up) }}
            />
          ))}
        </div>
        <p className="mt-2">
          {budget.up === null
            ? t("health.notWatched")
            : t("health.month", {
                up: write(budget.up),
                watched: say.duration(budget.watchedMs),
                objective: write(budget.objective),
              })}{" "}
          {budget.up !== null && (
            <span className={left < 0 ? "text-down-ink" : "text-mute"}>
              {left < 0
                ? t("health.budgetSpent", { time: say.duration(-left) })
                : t("health.budgetLeft", { time: say.duration(left) })}
            </span>
          )}
        </p>
        <details className="mt-1">
          <summary className="tap text-mute">{t("overview.table")}</summary>
          <Scroll label={t("health.days")}>
            <table className="num text-left">
              <thead className="text-xs text-mute">
                <tr>
                  <th className="py-1 pr-6 font-normal">{t("health.day")}</th>
                  <th className="py-1 pr-6 font-normal">{t("health.up")}</th>
                  <th className="py-1 font-normal">{t("health.downTime")}</th>
                </tr>
              </thead>
              <tbody>
                {said.toReversed().map(({ day, up, downMs }) => (
                  <tr key={day} className="border-t border-line">
                    <td className="py-1 pr-6">{say.date(`${day}T12:00:00Z`)}</td>
                    <td className="py-1 pr-6">{up === null ? "–" : write(up)}</td>
                    <td className="py-1">{downMs === 0 ? "–" : say.duration(downMs)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroll>
        </details>
      </div>
    </Card>
  );
}

export function ComponentPage({ kind, name }: { readonly kind: string; readonly name: string }) {
  const t = useTranslations();
  const say = useSay();
  const live = useLive();
  const history = useQuery({
    ...query.health.get.queryOptions({ input: { kind, name } }),
    refetchInterval: 60_000,
    retry: false,
  });
  const { refetch } = history;
  const told = live.components.find((one) => one.key === `${kind}/${name}`);
  const state = told?.state;
  // A change of its state is told at once; its history has a row more then.
  useEffect(() => {
    if (state !== undefined) void refetch();
  }, [state, refetch]);
  if (history.error && !history.data)
    return <Failure error={history.error} onRetry={() => void history.refetch()} />;
  if (!history.data) return <Skeleton rows={8} />;
  const { states, days, budget } = history.data;
  const one = told ?? history.data.component;
  const seen = live.connections.find((each) => each.kind === kind && each.name === name);
  const facts = Object.entries(seen?.facts ?? one.facts);
  const neededBy = live.components
    .filter(({ dependsOn }) => dependsOn.includes(one.key))
    .map(({ key }) => key);
  return (
    <div className="mx-auto max-w-6xl px-3 py-4 sm:px-5">
      <header className="mb-4 flex flex-wrap items-center gap-x-4 gap-y-2">
        <div>
          <h1>{one.name}</h1>
          <p className="text-mute">
            {[say.key("systems", kind), seen?.version ?? one.version].filter(Boolean).join(" · ")}
          </p>
        </div>
        <Status tone={stateTone[one.state]} size={18}>
          <b className="font-semibold">{t(`overview.states.${one.state}`)}</b>{" "}
          <time dateTime={one.since} title={say.utc(one.since)}>
            {t("overview.since", { time: say.time(one.since) })}
          </time>
        </Status>
        {one.failing > 0 && one.state !== "down" && <Status tone="run">{t("health.doubt")}</Status>}
        <Link className="btn ml-auto" href="/settings/connections">
          {t("settings.connections")}
        </Link>
      </header>
      {one.problem !== null && (
        <p role="alert" className="card mb-4 p-3">
          {say.key("problems", one.problem.problem, one.problem.params)}
        </p>
      )}
      {one.concerns.slice(one.state === "disagree" ? 0 : 1).map((concern) => (
        <p key={concern.problem} className="card mb-4 p-3">
          {say.key("problems", concern.problem, concern.params)}
        </p>
      ))}
      {one.cause !== null && (
        <p className="mb-4">
          {t("health.cause")}{" "}
          <Link className="link font-medium" href={healthAddress(partsOf(one.cause))}>
            {partsOf(one.cause).name}
          </Link>
        </p>
      )}
      <Signals kind={kind} name={name} />
      <div className="grid items-start gap-4 lg:grid-cols-2">
        <div className="grid min-w-0 gap-4">
          {kind === "cloudflare" && (
            <>
              <ZoneSettings name={name} since={one.since} />
              <ZoneTraffic name={name} since={one.since} />
            </>
          )}
          <Days days={days} budget={budget} />
          <Card title={t("health.states")}>
            <ol>
              {states.map((row) => (
                <li key={row.since} className="row flex-wrap">
                  <time
                    dateTime={row.since}
                    title={say.utc(row.since)}
                    className="num w-36 shrink-0 text-mute"
                  >
                    {say.time(row.since)}
                  </time>
                  <Status tone={stateTone[row.state]}>{t(`overview.states.${row.state}`)}</Status>
                  <span className="num ml-auto text-mute">
                    {row.until === null
                      ? t("health.now")
                      : say.duration(Date.parse(row.until) - Date.parse(row.since))}
                  </span>
                  {row.problem !== null && (
                    <span className="w-full text-mute">
                      {say.key("problems", row.problem.problem, row.problem.params)}
                    </span>
                  )}
                </li>
              ))}
            </ol>
          </Card>
        </div>
        <div className="grid min-w-0 gap-4">
          {facts.length > 0 && (
            <Card title={t("health.facts")}>
              <dl>
                {facts.map(([key, value]) => (
                  <div key={key} className="row">
                    <dt className="w-40 shrink-0 text-mute">{say.key("facts", key)}</dt>
                    <dd className="num min-w-0 break-words">{say.fact(key, value)}</dd>
                  </div>
                ))}
              </dl>
            </Card>
          )}
          <ComponentAlerts of={one.key} />
          <Links title={t("health.needs")} keys={one.dependsOn} all={live.components} />
          <Links title={t("health.neededBy")} keys={neededBy} all={live.components} />
        </div>
      </div>
    </div>
  );
}
