"use client";
// Every service of the stack, worst first; the filters live in the address, and only what is seen is drawn.
import { useVirtualizer } from "@tanstack/react-virtual";
import dynamic from "next/dynamic";
import Link from "next/link";
import { usePathname, useRouter, useSearchParams } from "next/navigation";
import { useTranslations } from "next-intl";
import { useMemo, useRef, useState } from "react";
import { useMe } from "@/components/frame/me";
import { AddressSearch, AddressSelect } from "@/components/ui/address-filter";
import { useSay } from "@/components/ui/say";
import { Empty, Failure, Skeleton } from "@/components/ui/states";
import { Status } from "@/components/ui/status";
import { type HostRow, type ServiceRow, verdicts } from "@/lib/services/contract";
import type { AskedAct } from "./act-dialog";
import { ServiceLine, useWide } from "./service-line";
import { useServices } from "./use-services";
import { columns, type Group, grouped, logsAddress, sorts, verdictTone, viewOf, withWord } from "./words";

const ActDialog = dynamic(() => import("./act-dialog").then((module) => module.ActDialog), { ssr: false });

type Item = { readonly group: Group } | { readonly row: ServiceRow };

function Columns() {
  const t = useTranslations();
  const params = useSearchParams();
  const router = useRouter();
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
                router.replace(withWord(params, "hide", next.join(",")), { scroll: false });
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

function GroupLine({ group, onAct }: { readonly group: Group; readonly onAct: (asked: AskedAct) => void }) {
  const t = useTranslations();
  const me = useMe();
  const { project, host } = group;
  return (
    <div className="flex min-h-11 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line bg-bg px-3 py-1.5">
      <h2 className="min-w-0 truncate">{project ?? t("services.alone")}</h2>
      <Status tone={verdictTone[group.worst]}>
        {group.worst === "up" || group.worst === "idle"
          ? t("services.allWell", { count: group.rows.length })
          : t("services.someBad", {
              count: group.rows.filter((row) => row.verdict === group.worst).length,
              total: group.rows.length,
              state: t(`services.verdicts.${group.worst}`),
            })}
      </Status>
      <span className="ml-auto flex gap-2">
        <Link className="btn btn-quiet" href={logsAddress(group.rows.slice(0, 20))}>
          {t("services.logs")}
        </Link>
        {project !== null && me.may.operate && (
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

export function ServicesRoom() {
  const t = useTranslations();
  const me = useMe();
  const params = useSearchParams();
  const path = usePathname();
  const state = useServices();
  const wide = useWide();
  const [asked, setAsked] = useState<AskedAct | null>(null);
  const view = useMemo(() => viewOf(new URLSearchParams(params)), [params]);
  const groups = useMemo(() => grouped(state.rows.values(), view), [state.rows, view]);
  const items = useMemo<Item[]>(
    () => groups.flatMap((group) => [{ group }, ...group.rows.map((row) => ({ row }))]),
    [groups],
  );
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => ("group" in (items[index] ?? {}) ? 45 : wide ? 41 : 118),
    getItemKey: (index) => {
      const item = items[index];
      return item === undefined ? index : "group" in item ? item.group.key : item.row.id;
    },
    overscan: 12,
  });
  const projects = [...new Set([...state.rows.values()].flatMap(({ project }) => project ?? []))].sort();
  const filtered = ["q", "state", "host", "project"].some((name) => params.has(name));
  const worker = [...state.rows.values()].find(
    (row) =>
      (view.host === null || row.host === view.host) &&
      (view.project === null || row.project === view.project) &&
      /(^|[-_])workers?([-_]|$)/.test(row.service ?? row.name),
  );
  return (
    <div className="mx-auto flex h-full max-w-7xl flex-col px-3 py-4 sm:px-5">
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <h1 className="mr-auto">{t("rooms.services")}</h1>
        {me.may.operate && worker !== undefined && (
          <button
            type="button"
            className="btn"
            onClick={() =>
              setAsked({
                host: worker.host,
                act: "restart",
                target: { by: "workers", ...(view.project === null ? {} : { project: view.project }) },
              })
            }
          >
            {t("services.restartWorkers")}
          </button>
        )}
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
      <search className="mb-3 flex flex-wrap items-center gap-2">
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
      {state.hosts.map((host) => (
        <HostNotice key={host.name} host={host} />
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
                  <GroupLine group={item.group} onAct={setAsked} />
                ) : (
                  <ServiceLine row={item.row} hidden={view.hidden} wide={wide} onAct={setAsked} />
                )}
              </div>
            );
          })}
        </div>
      </div>
      {asked !== null && <ActDialog asked={asked} onClose={() => setAsked(null)} />}
    </div>
  );
}
