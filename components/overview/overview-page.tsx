"use client";
// The first page: is it broken, where, since when, what changed; before any chart, in plain sentences, worst first.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import Link from "next/link";
import { useTranslations } from "next-intl";
import { useCallback, useMemo } from "react";
import { uncoveredOf, useAlerts } from "@/components/alerts/words";
import { Outcome } from "@/components/history/outcome";
import { useSay } from "@/components/ui/say";
import { Failure, Skeleton } from "@/components/ui/states";
import { Status, StatusShape } from "@/components/ui/status";
import { query } from "@/lib/api/client";
import type { ChangeRow } from "@/lib/changes/contract";
import type { Component, StateChange } from "@/lib/health/contract";
import { useChangeUpdates, useLive } from "@/lib/live/client";
import { Course, type Mark } from "./course";
import { River } from "./river";
import { healthAddress, type Need, needsOf, partsOf, stateTone, visitorsOf } from "./words";

const refreshMs = 10_000;
const shownEvents = 12;

function NeedLine({ need: { component, affected } }: { readonly need: Need }) {
  const t = useTranslations();
  const say = useSay();
  const { problem } = component;
  const incident = useLive().incidents.find(({ cause }) => cause === component.key);
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1.5 border-b border-line px-3 py-2.5 last:border-0">
      <StatusShape tone={stateTone[component.state]} size={17} />
      <p className="min-w-0 flex-1 basis-64">
        <b className="font-semibold">
          {t(`overview.is.${component.state}`, {
            name: component.name,
            kind: say.key("systems", component.kind),
          })}
        </b>{" "}
        <time className="text-mute" dateTime={component.since} title={say.utc(component.since)}>
          {t("overview.since", { time: say.time(component.since) })}
        </time>
        {problem !== null && (
          <span className="block text-mute">{say.key("problems", problem.problem, problem.params)}</span>
        )}
        {affected.length > 0 && (
          <span className="block text-mute">
            {t("overview.becauseOfIt", { names: say.list(affected.map(({ name }) => name)) })}
          </span>
        )}
      </p>
      {incident !== undefined && (
        <Link className="btn" href={`/incidents/${incident.id}`}>
          {t("frame.incident", { id: incident.id })}
        </Link>
      )}
      <Link className="btn" href={healthAddress(component)}>
        {t("overview.look")}
        <span className="sr-only">{component.name}</span>
      </Link>
    </li>
  );
}

type Happening =
  | { readonly at: string; readonly change: ChangeRow }
  | { readonly at: string; readonly state: StateChange };

function HappeningLine({ one }: { readonly one: Happening }) {
  const t = useTranslations();
  const say = useSay();
  const time = (
    <time dateTime={one.at} title={say.utc(one.at)} className="num w-11 shrink-0 text-faint">
      {say.clock(one.at).slice(0, 5)}
    </time>
  );
  if ("change" in one)
    return (
      <li className="border-b border-line last:border-0">
        <Link href={`/history/${one.change.id}`} className="flex gap-2 py-1.5 hover:bg-wash">
          {time}
          <span className="min-w-0">
            <span className="text-mute">{say.kind(one.change.kind)}</span>{" "}
            <b className="font-medium break-words">{one.change.title}</b>
            <span className="block text-xs">
              <Outcome row={one.change} /> <span className="text-mute">· {one.change.actor.name}</span>
            </span>
          </span>
        </Link>
      </li>
    );
  const part = partsOf(one.state.component);
  return (
    <li className="border-b border-line last:border-0">
      <Link href={healthAddress(part)} className="flex gap-2 py-1.5 hover:bg-wash">
        {time}
        <span className="min-w-0">
          <Status tone={stateTone[one.state.state]}>
            {t(`overview.is.${one.state.state}`, { name: part.name, kind: say.key("systems", part.kind) })}
          </Status>
        </span>
      </Link>
    </li>
  );
}

/** Changes and changes of health as one list, newest first. */
function useHappenings(): { readonly all: Happening[]; readonly error: unknown; readonly ready: boolean } {
  const queries = useQueryClient();
  const changes = useQuery(query.changes.list.queryOptions({ input: { limit: shownEvents } }));
  const states = useQuery({ ...query.health.events.queryOptions(), refetchInterval: refreshMs });
  useChangeUpdates(
    useCallback(() => void queries.invalidateQueries({ queryKey: query.changes.list.key() }), [queries]),
  );
  const all = [
    ...(changes.data?.rows ?? []).map((change): Happening => ({ at: change.createdAt, change })),
    ...(states.data ?? []).map((state): Happening => ({ at: state.at, state })),
  ]
    .sort((a, b) => b.at.localeCompare(a.at))
    .slice(0, shownEvents);
  return { all, error: changes.error ?? states.error, ready: changes.isSuccess && states.isSuccess };
}

function Sentences({
  components,
  waiting,
  firing,
}: {
  readonly components: readonly Component[];
  readonly waiting: number;
  /** Alerts that no incident covers. */
  readonly firing: number;
}) {
  const t = useTranslations();
  const needs = useMemo(() => needsOf(components), [components]);
  const count = needs.length + (waiting > 0 ? 1 : 0) + (firing > 0 ? 1 : 0);
  return (
    <section aria-labelledby="overview-title">
      <h1 id="overview-title" className="mb-2.5">
        {t(`overview.visitorsAre.${visitorsOf(components)}`)} {t("overview.wantLook", { count })}
      </h1>
      {count > 0 && (
        <ul className="card" aria-live="polite">
          {needs.map((need) => (
            <NeedLine key={need.component.key} need={need} />
          ))}
          {firing > 0 && (
            <li className="flex items-center gap-3 border-b border-line px-3 py-2.5 last:border-0">
              <StatusShape tone="warn" size={17} />
              <p className="flex-1">{t("overview.alertsFire", { count: firing })}</p>
              <Link className="btn" href="/incidents/alerts">
                {t("overview.look")}
                <span className="sr-only">{t("alerts.title")}</span>
              </Link>
            </li>
          )}
          {waiting > 0 && (
            <li className="flex items-center gap-3 px-3 py-2.5">
              <StatusShape tone="warn" size={17} />
              <p className="flex-1">{t("overview.purgesWait", { count: waiting })}</p>
              <Link className="btn" href="/settings/connections">
                {t("overview.look")}
              </Link>
            </li>
          )}
        </ul>
      )}
    </section>
  );
}

export function OverviewPage() {
  const t = useTranslations();
  const say = useSay();
  const live = useLive();
  const river = useQuery({ ...query.health.river.queryOptions(), refetchInterval: refreshMs });
  // Before the stream's first word the page asks once, so that it is not empty meanwhile.
  const first = useQuery({ ...query.health.list.queryOptions(), enabled: live.heardAt === null });
  const { all, error, ready } = useHappenings();
  const components = live.heardAt === null ? (first.data?.components ?? null) : live.components;
  const waiting = live.outbox.reduce((sum, node) => sum + node.waiting, 0);
  const firing = uncoveredOf(useAlerts().data?.alerts ?? []);
  const marks: Mark[] = all.map((one) =>
    "change" in one
      ? { at: Date.parse(one.at), title: one.change.title, bad: one.change.state === "failed" }
      : { at: Date.parse(one.at), title: one.state.component, bad: one.state.state === "down" },
  );
  const hour = river.data?.hour;
  return (
    <div className="mx-auto grid max-w-7xl gap-x-6 gap-y-4 px-3 py-4 sm:px-5 xl:grid-cols-[minmax(0,1fr)_316px]">
      <div className="grid min-w-0 content-start gap-4">
        {components === null ? (
          first.error ? (
            <Failure error={first.error} onRetry={() => void first.refetch()} />
          ) : (
            <Skeleton rows={3} />
          )
        ) : (
          <Sentences components={components} waiting={waiting} firing={firing} />
        )}
        {river.error && !river.data && <Failure error={river.error} onRetry={() => void river.refetch()} />}
        {river.isLoading && <Skeleton rows={8} />}
        {river.data && river.data.gates.length > 0 && (
          <River river={river.data} components={components ?? []} />
        )}
        {river.data?.gates.length === 0 && (
          <p className="card p-4 text-mute">
            {t("overview.nothing")}{" "}
            <Link className="link" href="/settings/connections">
              {t("settings.connections")}
            </Link>
          </p>
        )}
        {hour?.requests.some((one) => one !== null) && (
          <section className="card grid gap-5 p-4 sm:grid-cols-3" aria-label={t("overview.lastHour")}>
            {(
              [
                ["requests", (value: number) => t("overview.perSecond", { value: say.number(value, 1) }), 1],
                ["cached", (value: number) => say.percent(value), 1],
                ["errors", (value: number) => say.percent(value, 2), 0.01],
              ] as const
            ).map(([name, write, top]) => (
              <Course
                key={name}
                title={t(`overview.courses.${name}`)}
                values={hour[name]}
                stepMs={hour.stepMs}
                end={Date.parse(hour.end)}
                say={write}
                top={top}
                marks={marks}
              />
            ))}
          </section>
        )}
      </div>
      <aside className="min-w-0 xl:border-l xl:border-line xl:pl-5" aria-labelledby="overview-changed">
        <h2 id="overview-changed" className="mb-1.5 text-mute">
          {t("overview.changed")}
        </h2>
        {error !== null && error !== undefined && <Failure error={error} />}
        {!ready && !error && <Skeleton rows={6} />}
        {ready && all.length === 0 && <p className="text-mute">{t("overview.nothingChanged")}</p>}
        <ul>
          {all.map((one) => (
            <HappeningLine
              key={"change" in one ? `change ${one.change.id}` : `state ${one.state.id}`}
              one={one}
            />
          ))}
        </ul>
      </aside>
    </div>
  );
}
