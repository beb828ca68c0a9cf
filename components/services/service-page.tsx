"use client";
// One service: how it is and why, what it uses, how it died, how it is set up.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import Link from "next/link";
import { usePathname, useSearchParams } from "next/navigation";
import { useTranslations } from "next-intl";
import { type ReactNode, useEffect, useState } from "react";
import { useMe } from "@/components/frame/me";
import { useSay } from "@/components/ui/say";
import { Empty, Failure, Skeleton } from "@/components/ui/states";
import { Status } from "@/components/ui/status";
import { query } from "@/lib/api/client";
import type { ServiceAct } from "@/lib/services/acts/contract";
import {
  type DeathRow,
  type ServiceDetail,
  type ServiceRow,
  type UsageRange,
  usageRanges,
} from "@/lib/services/contract";
import type { AskedAct } from "./act-dialog";
import { LastLines } from "./last-lines";
import { ServiceStatus } from "./service-line";
import { useServices } from "./use-services";
import { logsAddress } from "./words";

const ActDialog = dynamic(() => import("./act-dialog").then((module) => module.ActDialog), { ssr: false });
const DeployDialog = dynamic(() => import("./deploy-dialog").then((module) => module.DeployDialog), {
  ssr: false,
});
const UsageCharts = dynamic(() => import("./usage-charts").then((module) => module.UsageCharts), {
  ssr: false,
  loading: () => <Skeleton rows={5} />,
});

function Card({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section className="card min-w-0">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div className="row">
      <dt className="w-32 shrink-0 text-mute">{name}</dt>
      <dd className="min-w-0 flex-1 break-words">{children}</dd>
    </div>
  );
}

/** The acts that make sense in this state, the usual one first. */
function actsFor(row: ServiceRow): ServiceAct[] {
  // Sluice's own container is restarted, and nothing else.
  if (row.self) return ["restart"];
  if (row.state === "paused") return ["unpause", "stop", "kill"];
  if (row.state === "running" || row.state === "restarting")
    return ["restart", "stop", "pause", "kill", "remove"];
  return ["start", "remove"];
}

function Acts({ row, onAct }: { readonly row: ServiceRow; readonly onAct: (asked: AskedAct) => void }) {
  const t = useTranslations();
  const me = useMe();
  if (!me.may.operate || row.verdict === "unknown") return null;
  // A Swarm puts another in a task's place: its service has the acts.
  if (row.task)
    return (
      <Link className="btn" href={`/services/swarm?host=${encodeURIComponent(row.host)}`}>
        {t("services.swarmService")}
      </Link>
    );
  return (
    <div className="flex flex-wrap gap-2">
      {actsFor(row)
        .filter((act) => act !== "remove" || me.may.administer)
        .map((act, index) => (
          <button
            key={act}
            type="button"
            className={`btn ${index === 0 ? "btn-primary" : ""}`}
            onClick={() => onAct({ host: row.host, act, target: { by: "containers", ids: [row.id] } })}
          >
            {t(`services.acts.${act}`)}
          </button>
        ))}
    </div>
  );
}

/** What an exit code says by itself (128 + the signal, by convention). */
function useExit() {
  const t = useTranslations();
  return (code: number, oom: boolean, asked: boolean): string => {
    if (oom) return t("services.exit.oom");
    if (code === 0) return t(asked ? "services.exit.stopped" : "services.exit.clean");
    const known = {
      125: "engine",
      126: "notExecutable",
      127: "notFound",
      137: "killed",
      139: "segfault",
      143: "terminated",
    }[code];
    return known === undefined ? t("services.exit.code", { code }) : t(`services.exit.${known}`, { code });
  };
}

function Death({
  death,
  names,
  first,
}: {
  readonly death: DeathRow;
  readonly names: string;
  readonly first: boolean;
}) {
  const t = useTranslations();
  const say = useSay();
  const exit = useExit();
  return (
    <details className="border-b border-line last:border-0" open={first}>
      <summary className="flex flex-wrap items-baseline gap-x-3 px-3 py-2 hover:bg-wash">
        <Status tone={death.requested || death.exitCode === 0 ? "unknown" : "down"}>
          {exit(death.exitCode, death.oom, death.requested)}
        </Status>
        {death.requested && <span className="text-mute">{t("services.askedFor")}</span>}
        <time className="num ml-auto text-mute" dateTime={death.at} title={say.utc(death.at)}>
          {say.time(death.at)}
        </time>
      </summary>
      {death.before.length > 0 && (
        <div className="px-3 pb-2">
          <h3 className="mb-1 font-medium">{t("services.before")}</h3>
          <ul className="text-mute">
            {death.before.map((one) => (
              <li key={`${one.at}${one.what}`} className="flex gap-3">
                <time className="num shrink-0" dateTime={one.at} title={say.utc(one.at)}>
                  {say.time(one.at)}
                </time>
                {one.change === null ? (
                  <span>
                    {say.key("services.events", one.what)} {one.detail}
                  </span>
                ) : (
                  <Link className="link" href={`/history/${one.change}`}>
                    {say.kind(one.what)} {one.detail}
                  </Link>
                )}
              </li>
            ))}
          </ul>
        </div>
      )}
      <LastLines lines={death.lines} label={t("services.lastLines", { name: names })} />
    </details>
  );
}

function Settings({ detail }: { readonly detail: ServiceDetail }) {
  const t = useTranslations();
  const { row } = detail;
  return (
    <>
      <Card title={t("services.setUp")}>
        <dl>
          <Fact name={t("services.column.image")}>
            <code>{row.image}</code>
            {detail.imageDigest !== null && <code className="block text-mute">{detail.imageDigest}</code>}
          </Fact>
          <Fact name={t("services.command")}>
            <code>{detail.command || "–"}</code>
          </Fact>
          <Fact name={t("services.policy")}>{detail.restartPolicy}</Fact>
          {detail.user !== "" && <Fact name={t("services.user")}>{detail.user}</Fact>}
          {detail.needs.length > 0 && <Fact name={t("services.needs")}>{detail.needs.join(", ")}</Fact>}
          {detail.neededBy.length > 0 && (
            <Fact name={t("services.neededByShort")}>{detail.neededBy.join(", ")}</Fact>
          )}
          <Fact name="id">
            <code>{row.id.slice(0, 12)}</code>
          </Fact>
        </dl>
      </Card>
      <Card title={t("services.ports")}>
        {detail.ports.length === 0 && <p className="p-3 text-mute">{t("services.none")}</p>}
        <dl>
          {detail.ports.map((port) => (
            <Fact key={port.container} name={port.container}>
              <code>{port.host.join(", ") || t("services.notPublished")}</code>
            </Fact>
          ))}
        </dl>
      </Card>
      <Card title={t("services.networks")}>
        <dl>
          {detail.networks.map((network) => (
            <Fact key={network.name} name={network.name}>
              <code>{network.ip ?? "–"}</code>{" "}
              {network.fixed && <span className="text-mute">{t("services.fixed")}</span>}
              <code className="block text-mute">{network.aliases.join(", ")}</code>
            </Fact>
          ))}
        </dl>
      </Card>
      <Card title={t("services.mounts")}>
        {detail.mounts.length === 0 && <p className="p-3 text-mute">{t("services.none")}</p>}
        <ul>
          {detail.mounts.map((mount) => (
            <li key={mount.destination} className="row flex-wrap">
              <code className="min-w-0">{mount.destination}</code>
              <span className="ml-auto text-xs text-mute">
                {mount.type}
                {mount.readOnly && ` · ${t("services.readOnly")}`}
              </span>
              <code className="w-full text-mute">{mount.source}</code>
            </li>
          ))}
        </ul>
      </Card>
      <Card title={t("services.env")}>
        <p className="px-3 pt-2 text-mute">{t("services.envText")}</p>
        <p className="flex flex-wrap gap-1.5 p-3">
          {detail.env.map((name) => (
            <code key={name} className="rounded bg-wash px-1.5 py-0.5">
              {name}
            </code>
          ))}
        </p>
      </Card>
      <details className="card">
        <summary className="px-3 py-2.5 font-semibold">
          {t("services.labels", { count: Object.keys(detail.labels).length })}
        </summary>
        <dl>
          {Object.entries(detail.labels).map(([name, value]) => (
            <div key={name} className="row flex-wrap">
              <dt>
                <code>{name}</code>
              </dt>
              <dd className="w-full text-mute">
                <code>{value}</code>
              </dd>
            </div>
          ))}
        </dl>
      </details>
    </>
  );
}

/** The hour that is kept here, or longer from Prometheus; in the address, so that it can be passed on. */
function RangeChoice({ range }: { readonly range: UsageRange | null }) {
  const t = useTranslations();
  const path = usePathname();
  return (
    <nav className="flex flex-wrap gap-1 px-3 pt-2" aria-label={t("services.range")}>
      {[null, ...usageRanges].map((one) => (
        <Link
          key={one ?? "1h"}
          className={`btn ${one === range ? "" : "btn-quiet"}`}
          aria-current={one === range ? "true" : undefined}
          href={one === null ? path : `${path}?range=${one}`}
          replace
          scroll={false}
        >
          {t(`services.usageRanges.${one ?? "1h"}`)}
        </Link>
      ))}
    </nav>
  );
}

/** None of that name is there (any more): what is kept of how it died. */
function GonePage({
  host,
  name,
  deaths,
}: {
  readonly host: string;
  readonly name: string;
  readonly deaths: readonly DeathRow[];
}) {
  const t = useTranslations();
  return (
    <div className="mx-auto max-w-6xl px-3 py-5 sm:px-5">
      <h1 className="truncate">{name}</h1>
      <p className="mb-4 flex flex-wrap items-baseline gap-x-3 text-mute">
        <Status tone="unknown">{t("services.isGone")}</Status>
        <span>{host}</span>
      </p>
      <Card title={t("services.deaths")}>
        {deaths.length === 0 && <Empty title={t("services.noDeaths")} />}
        {deaths.map((death, index) => (
          <Death key={death.id} death={death} names={name} first={index === 0} />
        ))}
      </Card>
    </div>
  );
}

export function ServicePage({ host, id }: { readonly host: string; readonly id: string }) {
  const t = useTranslations();
  const say = useSay();
  const queries = useQueryClient();
  const live = useServices();
  const me = useMe();
  const [asked, setAsked] = useState<AskedAct | null>(null);
  const [deploying, setDeploying] = useState(false);
  const input = { host, id };
  const known = [...live.rows.values()].find(
    (one) => one.host === host && (one.name === id || one.id.startsWith(id)),
  );
  // The list tells first whether it is there at all; without the list it is asked for.
  const there = known !== undefined || live.stream === "broken";
  const gone = live.stream === "live" && known === undefined;
  const detail = useQuery({
    ...query.services.get.queryOptions({ input }),
    enabled: there,
    refetchInterval: 30_000,
  });
  const usage = useQuery({
    ...query.services.usage.queryOptions({ input }),
    enabled: there,
    refetchInterval: 10_000,
  });
  const params = useSearchParams();
  const range = usageRanges.find((one) => one === params.get("range")) ?? null;
  const longer = useQuery({
    ...query.services.longerUsage.queryOptions({ input: { ...input, range: range ?? "6h" } }),
    enabled: range !== null,
    refetchInterval: 60_000,
    retry: false,
  });
  const shownUsage = range === null ? usage : longer;
  const name = detail.data?.row.name;
  // The newest container of that name: after a deploy it is another one.
  const row = known ?? [...live.rows.values()].find((one) => one.host === host && one.name === name);
  const moment = row === undefined ? "" : `${row.id} ${row.state} ${row.health} ${row.startedAt}`;
  useEffect(() => {
    // Its state is another: what is told of it too.
    if (moment !== "")
      void queries.invalidateQueries({ queryKey: query.services.get.key({ input: { host, id } }) });
  }, [moment, queries, host, id]);
  const data = detail.data;
  const deaths = useQuery({
    ...query.services.deaths.queryOptions({ input }),
    enabled: gone && row === undefined,
    // An address that is wrong stays wrong.
    retry: false,
  });
  if (gone && row === undefined && deaths.data)
    return <GonePage host={host} name={id} deaths={deaths.data} />;
  if (!data)
    return (
      <div className="mx-auto max-w-6xl px-3 py-5 sm:px-5">
        {detail.error || deaths.error ? (
          <Failure
            error={detail.error ?? deaths.error}
            onRetry={() => void (detail.error ? detail.refetch() : deaths.refetch())}
          />
        ) : (
          <Skeleton rows={9} />
        )}
      </div>
    );
  const shown = row ?? data.row;
  return (
    <div className="mx-auto max-w-6xl px-3 py-5 sm:px-5">
      <div className="mb-4 flex flex-wrap items-center gap-x-4 gap-y-2">
        <div className="min-w-0 flex-1 basis-60">
          <h1 className="truncate">{shown.name}</h1>
          <p className="flex flex-wrap items-baseline gap-x-3 text-mute">
            <ServiceStatus row={shown} />
            {shown.startedAt !== null && shown.state === "running" && (
              <time dateTime={shown.startedAt} title={say.utc(shown.startedAt)}>
                {t("services.runsSince", { time: say.time(shown.startedAt) })}
              </time>
            )}
            {shown.restarts > 0 && <span>{t("services.restarted", { count: shown.restarts })}</span>}
            <span>{host}</span>
            {shown.self && <span>{t("services.self")}</span>}
          </p>
        </div>
        <Link className="btn" href={logsAddress([shown])}>
          {t("services.logs")}
        </Link>
        {me.may.administer && !shown.self && !shown.task && shown.verdict !== "unknown" && (
          <button type="button" className="btn" onClick={() => setDeploying(true)}>
            {t("deploy.button")}
          </button>
        )}
        <Acts row={shown} onAct={setAsked} />
      </div>
      {detail.error && <Failure error={detail.error} onRetry={() => void detail.refetch()} />}
      <div className="grid gap-4 lg:grid-cols-[minmax(0,1fr)_340px] lg:items-start">
        <div className="grid min-w-0 gap-4">
          {data.deaths.length > 0 && (
            <Card title={t("services.deaths")}>
              {data.deaths.map((death, index) => (
                <Death
                  key={death.id}
                  death={death}
                  names={shown.name}
                  first={index === 0 && shown.state !== "running"}
                />
              ))}
            </Card>
          )}
          <Card title={t(range === null ? "services.usage" : "services.usageLonger")}>
            {data.longer && <RangeChoice range={range} />}
            {shownUsage.error && range !== null ? (
              <Failure error={shownUsage.error} onRetry={() => void shownUsage.refetch()} />
            ) : shownUsage.data ? (
              <UsageCharts
                usage={shownUsage.data}
                none={range === null ? t("services.noUsage") : t("services.noLonger", { name: shown.name })}
              />
            ) : (
              <Skeleton rows={5} />
            )}
          </Card>
          {data.healthCheck !== null && (
            <Card title={t("services.healthCheck")}>
              <p className="px-3 py-2 text-mute">
                <code>{data.healthCheck.test}</code>
              </p>
              <ul>
                {data.healthCheck.log.map((one) => (
                  <li key={one.at} className="row">
                    <Status tone={one.exitCode === 0 ? "up" : "down"}>
                      {one.exitCode === 0
                        ? t("services.passed")
                        : t("services.failedWith", { code: one.exitCode })}
                    </Status>
                    <code className="min-w-0 flex-1 text-mute">{one.output.trim().slice(0, 300)}</code>
                    <time className="num text-xs text-mute" dateTime={one.at} title={say.utc(one.at)}>
                      {say.time(one.at)}
                    </time>
                  </li>
                ))}
              </ul>
            </Card>
          )}
          <Card title={t("services.eventsTitle")}>
            {data.events.length === 0 && <Empty title={t("services.noEvents")} />}
            <ul className="max-h-80 overflow-auto">
              {data.events.map((event) => (
                <li key={`${event.at}${event.event}`} className="row">
                  <span>{say.key("services.events", event.event)}</span>
                  <span className="text-mute">{event.detail}</span>
                  <time
                    className="num ml-auto text-xs text-mute"
                    dateTime={event.at}
                    title={say.utc(event.at)}
                  >
                    {say.time(event.at)}
                  </time>
                </li>
              ))}
            </ul>
          </Card>
        </div>
        <div className="grid min-w-0 gap-4">
          <Settings detail={data} />
        </div>
      </div>
      {deploying && <DeployDialog row={shown} onClose={() => setDeploying(false)} />}
      {asked !== null && <ActDialog asked={asked} onClose={() => setAsked(null)} />}
    </div>
  );
}
