"use client";
// Every service of the stack, worst first; the filters live in the address, and only what is seen is drawn.
import { useQueries, useQuery } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import dynamic from "next/dynamic";
import Link from "next/link";
import { usePathname, useSearchParams } from "next/navigation";
import { useTranslations } from "next-intl";
import { useMemo, useRef, useState } from "react";
import { useMe } from "@/components/frame/me";
import { AddressSearch, AddressSelect, replaceAddress } from "@/components/ui/address-filter";
import { problemOf } from "@/components/ui/problem";
import { useSay } from "@/components/ui/say";
import { Empty, Failure, Skeleton } from "@/components/ui/states";
import { Status } from "@/components/ui/status";
import { useRowKeys } from "@/components/ui/use-row-keys";
import { query } from "@/lib/api/client";
import { type HostRow, type ServiceRow, verdicts } from "@/lib/services/contract";
import type { SwarmState } from "@/lib/services/swarm/contract";
import type { AskedAct } from "./act-dialog";
import { ServiceLine, useWide } from "./service-line";
import { useServices } from "./use-services";
import {
  columns,
  type Group,
  grouped,
  logsAddress,
  type SwarmRow,
  serviceAddress,
  shortImage,
  sorts,
  swarmRows,
  verdictTone,
  viewOf,
  withWord,
} from "./words";

const ActDialog = dynamic(() => import("./act-dialog").then((module) => module.ActDialog), { ssr: false });

type Item = { readonly group: Group } | { readonly row: ServiceRow } | { readonly service: SwarmRow };

function Columns() {
  const t = useTranslations();
  const params = useSearchParams();
  const { hidden } = viewOf(params);
  return (
    <details className="relative hidden lg:block">
      <summary className="btn list-none">{t("services.columns")}</summary>
      <div className="card absolute right-0 z-20 mt-1 grid w-44 gap-1 p-2">
        {columns.map((column) => (
          <label key={column} className="flex items-center gap-2 rounded px-1.5 py-1 hover:bg-wash">
            <input
              type="checkbox"
              checked={!hidden.has(column)}
              onChange={() => {
                const next = columns.filter((one) => (one === column ? !hidden.has(one) : hidden.has(one)));
                replaceAddress(withWord(params, "hide", next.join(",")));
              }}
            />
            {t(`services.column.${column}`)}
          </label>
        ))}
      </div>
    </details>
  );
}

/** A host that does not answer, or whose clock is off: said before anything else. */
function HostNotice({ host }: { readonly host: HostRow }) {
  const t = useTranslations();
  const say = useSay();
  if (host.state === "down")
    return (
      <div role="alert" className="card mb-3 p-3">
        <Status tone="down">{t("services.hostDown", { host: host.name })}</Status>
        <p className="ml-5 text-mute">
          {host.error !== null && <code className="block">{host.error.message}</code>}
          {host.lastGood !== null && t("services.lastGood", { time: say.time(host.lastGood) })}
        </p>
      </div>
    );
  const skew = host.clockSkewMs ?? 0;
  if (Math.abs(skew) < 5000) return null;
  return (
    <p className="mb-3">
      <Status tone="warn">
        {t(skew > 0 ? "services.clockAhead" : "services.clockBehind", {
          host: host.name,
          time: say.duration(Math.abs(skew)),
        })}
      </Status>
    </p>
  );
}

function GroupLine({
  group,
  whole,
  onAct,
}: {
  readonly group: Group;
  /** Nothing is missing from the list: else "nothing wrong" would say too much. */
  readonly whole: boolean;
  readonly onAct: (asked: AskedAct) => void;
}) {
  const t = useTranslations();
  const me = useMe();
  const { project, host } = group;
  const all = [...group.rows, ...group.swarm];
  return (
    <div className="flex min-h-11 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line bg-bg px-3 py-1.5">
      <h2 className="min-w-0 truncate">{project ?? t("services.alone")}</h2>
      <Status tone={verdictTone[group.worst]}>
        {group.worst === "up" || group.worst === "idle"
          ? t(whole ? "services.allWell" : "services.allShownWell", { count: all.length })
          : t("services.someBad", {
              count: all.filter((row) => row.verdict === group.worst).length,
              total: all.length,
              state: t(`services.verdicts.${group.worst}`),
            })}
      </Status>
      <span className="ml-auto flex gap-2">
        {group.rows.length > 0 && (
          <Link className="btn btn-quiet" href={logsAddress(group.rows)}>
            {t("services.logs")}
          </Link>
        )}
        {/* A stack's services are restarted one by one: a Swarm knows no order among them. */}
        {project !== null && me.may.operate && !all.some((one) => "replicas" in one || one.task) && (
          <button
            type="button"
            className="btn btn-quiet"
            onClick={() => onAct({ host, act: "restart", target: { by: "project", project } })}
          >
            {t("services.restartAll")}
          </button>
        )}
      </span>
    </div>
  );
}

/** A Swarm's service among the containers, also one that has none. */
function SwarmLine({ service }: { readonly service: SwarmRow }) {
  const t = useTranslations();
  const failed = service.tasks.find(({ error }) => error !== null)?.error ?? null;
  return (
    <div className="flex min-h-10 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-3 py-1.5 hover:bg-wash">
      <span className="w-36 shrink-0 truncate xl:w-44">
        <Status tone={verdictTone[service.verdict]}>
          {t("swarm.running", { running: service.running, desired: service.desired })}
        </Status>
      </span>
      <Link
        data-row
        className="link font-medium"
        href={`/services/swarm?host=${encodeURIComponent(service.host)}`}
      >
        {service.name}
      </Link>
      <span className="text-xs text-mute">{t("services.swarmService")}</span>
      {service.verdict !== "up" && failed !== null && (
        <span className="min-w-0 truncate text-down-ink">{failed}</span>
      )}
      <code className="ml-auto min-w-0 truncate text-mute" title={service.image}>
        {shortImage(service.image)}
      </code>
    </div>
  );
}

/** What died and was taken away: its last words are kept, and read here. */
function Gone() {
  const t = useTranslations();
  const say = useSay();
  const gone = useQuery({ ...query.services.gone.queryOptions(), refetchInterval: 60_000 });
  if (!gone.data || gone.data.length === 0) return null;
  return (
    <details className="card mt-3 shrink-0">
      <summary className="px-3 py-2">{t("services.gone", { count: gone.data.length })}</summary>
      <ul className="max-h-40 overflow-auto border-t sm:max-h-56 border-line">
        {gone.data.map((one) => (
          <li key={one.id} className="row flex-wrap">
            <Link className="link" href={serviceAddress(one)}>
              {one.name}
            </Link>
            <span className="text-mute">{one.host}</span>
            <Status tone={one.exitCode === 0 ? "unknown" : "down"}>
              {one.oom ? t("services.exit.oom") : t("services.exit.code", { code: one.exitCode })}
            </Status>
            <time className="num ml-auto text-xs text-mute" dateTime={one.at} title={say.utc(one.at)}>
              {say.time(one.at)}
            </time>
          </li>
        ))}
      </ul>
    </details>
  );
}

type Swarms = {
  readonly rows: SwarmRow[];
  /** Those that cannot be read now. */
  readonly unread: readonly { readonly host: string; readonly error: unknown }[];
};

/** The Swarms' services; a manager that does not answer leaves its containers, and is told. */
function useSwarms(hosts: readonly HostRow[]): Swarms {
  const names = hosts.filter(({ swarm, state }) => swarm && state === "up").map(({ name }) => name);
  const { states, errors } = useQueries({
    queries: names.map((host) => ({
      ...query.swarm.get.queryOptions({ input: { host } }),
      refetchInterval: 5000,
      retry: false,
    })),
    combine: stateOfSwarms,
  });
  const rows = useMemo(() => swarmRows(states), [states]);
  const unread = errors.flatMap((error, index) =>
    error === null ? [] : { host: names[index] ?? "", error },
  );
  return { rows, unread };
}
const stateOfSwarms = (
  asked: readonly { readonly data: SwarmState | undefined; readonly error: unknown }[],
) => ({
  states: asked.flatMap(({ data }) => data ?? []),
  errors: asked.map(({ error }) => error),
});

export function ServicesRoom() {
  useRowKeys();
  const t = useTranslations();
  const me = useMe();
  const say = useSay();
  const params = useSearchParams();
  const path = usePathname();
  const [folded, setFolded] = useState(true);
  const state = useServices();
  const wide = useWide();
  const [asked, setAsked] = useState<AskedAct | null>(null);
  const view = useMemo(() => viewOf(new URLSearchParams(params)), [params]);
  const swarm = useSwarms(state.hosts);
  const groups = useMemo(
    () => grouped(state.rows.values(), view, swarm.rows),
    [state.rows, view, swarm.rows],
  );
  const items = useMemo(
    () =>
      groups.flatMap((group): Item[] => [
        { group },
        ...group.swarm.map((service) => ({ service })),
        ...group.rows.map((row) => ({ row })),
      ]),
    [groups],
  );
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => ("group" in (items[index] ?? {}) ? 45 : wide ? 41 : 118),
    getItemKey: (index) => {
      const item = items[index];
      if (item === undefined) return index;
      if ("group" in item) return item.group.key;
      return "row" in item ? item.row.id : item.service.id;
    },
    overscan: 12,
  });
  const projects = [...new Set([...state.rows.values()].flatMap(({ project }) => project ?? []))].sort();
  const hosts = state.hosts.map(({ name }) => name);
  // Known once the list is there.
  const unknown =
    state.stream === "live"
      ? [
          ...(view.host === null || hosts.includes(view.host) ? [] : [`host=${view.host}`]),
          ...(view.project === null || projects.includes(view.project) ? [] : [`project=${view.project}`]),
        ]
      : [];
  const filtered = ["q", "state", "host", "project"].some((name) => params.has(name));
  const workersOn = new Set(
    [...state.rows.values()].flatMap((row) =>
      row.worker &&
      !row.task &&
      (view.host === null || row.host === view.host) &&
      (view.project === null || row.project === view.project)
        ? [row.host]
        : [],
    ),
  );
  return (
    <div className="mx-auto flex h-full max-w-7xl flex-col px-3 py-4 sm:px-5">
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <h1 className="mr-auto">{t("rooms.services")}</h1>
        <button
          type="button"
          className="btn lg:hidden"
          aria-expanded={!folded}
          onClick={() => setFolded(!folded)}
        >
          {t("services.filters")}
        </button>
        <div className={`flex flex-wrap items-center gap-2 ${folded ? "max-lg:hidden" : ""}`}>
          {me.may.operate &&
            [...workersOn].sort().map((host) => (
              <button
                key={host}
                type="button"
                className="btn"
                onClick={() =>
                  setAsked({
                    host,
                    act: "restart",
                    target: { by: "workers", ...(view.project === null ? {} : { project: view.project }) },
                  })
                }
              >
                {workersOn.size === 1
                  ? t("services.restartWorkers")
                  : t("services.restartWorkersOn", { host })}
              </button>
            ))}
          {state.hosts.some(({ swarm }) => swarm) && (
            <Link className="btn" href="/services/swarm">
              {t("swarm.title")}
            </Link>
          )}
          <Link className="btn" href="/services/images">
            {t("services.images")}
          </Link>
          <Columns />
        </div>
      </div>
      <search
        className={`mb-3 flex flex-wrap items-center gap-2 ${folded && !filtered ? "max-lg:hidden" : ""}`}
      >
        <AddressSearch name="q" label={t("services.search")} address={withWord} />
        <AddressSelect
          address={withWord}
          name="state"
          label={t("services.state")}
          any={t("services.anyState")}
          options={verdicts.map((value) => ({ value, label: t(`services.verdicts.${value}`) }))}
        />
        {projects.length > 1 && (
          <AddressSelect
            address={withWord}
            name="project"
            label={t("services.project")}
            any={t("services.anyProject")}
            options={projects.map((value) => ({ value, label: value }))}
          />
        )}
        {state.hosts.length > 1 && (
          <AddressSelect
            address={withWord}
            name="host"
            label={t("services.host")}
            any={t("services.anyHost")}
            options={state.hosts.map(({ name }) => ({ value: name, label: name }))}
          />
        )}
        <AddressSelect
          address={withWord}
          name="sort"
          label={t("services.sort")}
          any={t("services.sorts.worst")}
          options={sorts.slice(1).map((value) => ({ value, label: t(`services.sorts.${value}`) }))}
        />
        {filtered && (
          <Link href={path} className="btn btn-quiet">
            {t("history.clear")}
          </Link>
        )}
      </search>
      {view.ignored.length > 0 && (
        <p className="mb-3" role="alert">
          <Status tone="warn">
            {t("services.ignored", {
              what: view.ignored.slice(0, 5).join(", "),
              states: verdicts.join(", "),
              sorts: sorts.join(", "),
              columns: columns.join(", "),
            })}
          </Status>
        </p>
      )}
      {unknown.length > 0 && (
        <p className="mb-3" role="alert">
          <Status tone="warn">
            {t("services.unknownFilter", {
              what: unknown.join(", "),
              hosts: hosts.join(", ") || "–",
              projects: projects.slice(0, 20).join(", ") || "–",
            })}
          </Status>
        </p>
      )}
      {state.hosts.map((host) => (
        <HostNotice key={host.name} host={host} />
      ))}
      {swarm.unread.map(({ host, error }) => (
        <p key={host} className="mb-3" role="alert">
          <Status tone="unknown">
            {t("services.swarmUnread", { host })} {say.problem(problemOf(error))}
          </Status>
        </p>
      ))}
      {state.error !== null && state.stream === "broken" && state.rows.size === 0 && (
        <Failure error={state.error} />
      )}
      <div
        ref={scroller}
        className={`card min-h-64 flex-1 overflow-auto ${state.stream === "broken" ? "opacity-60" : ""}`}
        aria-busy={state.stream === "connecting"}
      >
        {state.stream === "connecting" && <Skeleton rows={9} />}
        {state.stream !== "connecting" &&
          items.length === 0 &&
          (state.hosts.length === 0 ? (
            <Empty title={t("services.noHost")}>
              <p>{t("services.noHostText")}</p>
              <pre className="mt-2 text-left">
                {'systems:\n  docker: [{ name: local, socket: "/var/run/docker.sock" }]'}
              </pre>
            </Empty>
          ) : filtered ? (
            <Empty title={t("services.noMatch")}>
              <Link className="btn mt-2" href={path}>
                {t("history.clear")}
              </Link>
            </Empty>
          ) : (
            <Empty title={t("services.nothing")}>
              <p>{t("services.nothingText")}</p>
            </Empty>
          ))}
        <div className="relative" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, key, start }) => {
            const item = items[index];
            if (item === undefined) return null;
            return (
              <div
                key={key}
                data-index={index}
                ref={virtual.measureElement}
                className="absolute inset-x-0 top-0"
                style={{ transform: `translateY(${start}px)` }}
              >
                {"group" in item ? (
                  <GroupLine group={item.group} whole={swarm.unread.length === 0} onAct={setAsked} />
                ) : "service" in item ? (
                  <SwarmLine service={item.service} />
                ) : (
                  <ServiceLine row={item.row} hidden={view.hidden} wide={wide} onAct={setAsked} />
                )}
              </div>
            );
          })}
        </div>
      </div>
      <Gone />
      {asked !== null && <ActDialog asked={asked} onClose={() => setAsked(null)} />}
    </div>
  );
}
