"use client";
// A Swarm as its manager tells of it: services that lack tasks first, why tasks failed, and the nodes.
import { useQuery } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import Link from "next/link";
import { useSearchParams } from "next/navigation";
import { useTranslations } from "next-intl";
import { useState } from "react";
import { useMe } from "@/components/frame/me";
import { replaceAddress } from "@/components/ui/address-filter";
import { useSay } from "@/components/ui/say";
import { Empty, Failure, Skeleton } from "@/components/ui/states";
import { Status, type Tone } from "@/components/ui/status";
import { query } from "@/lib/api/client";
import type { SwarmState } from "@/lib/services/swarm/contract";
import type { AskedSwarm } from "./swarm-dialog";
import { useServices } from "./use-services";
import { unpinned } from "./words";

const SwarmDialog = dynamic(() => import("./swarm-dialog").then((module) => module.SwarmDialog), {
  ssr: false,
});

type Service = SwarmState["services"][number];
type Node = SwarmState["nodes"][number];

const updateTone: Readonly<Record<string, Tone>> = {
  updating: "run",
  rollback_started: "run",
  completed: "up",
  paused: "down",
  rollback_paused: "down",
  // It went back by itself: a deploy that failed.
  rollback_completed: "down",
};

function ServiceCard({
  host,
  service,
  onAct,
}: {
  readonly host: string;
  readonly service: Service;
  readonly onAct: (asked: AskedSwarm) => void;
}) {
  const t = useTranslations();
  const say = useSay();
  const me = useMe();
  const tone: Tone = service.running >= service.desired ? "up" : service.running === 0 ? "down" : "warn";
  const failed = service.tasks.filter(({ error }) => error !== null).slice(0, 5);
  const { name, image, replicas } = service;
  return (
    <li className="border-b border-line px-3 py-3 last:border-0">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <div className="min-w-0 flex-1 basis-52">
          <b className="font-semibold">{name}</b>
          <code className="block truncate text-mute" title={image}>
            {unpinned(image)}
          </code>
        </div>
        <Status tone={tone}>
          {t("swarm.running", { running: service.running, desired: service.desired })}
        </Status>
        {replicas === null && <span className="text-mute">{t("swarm.global")}</span>}
        <span className="flex flex-wrap gap-2">
          <Link
            className="btn btn-quiet"
            href={`/services/logs?of=${encodeURIComponent(`${host}/swarm:${name}`)}`}
          >
            {t("services.logs")}
            <span className="sr-only">{name}</span>
          </Link>
          {me.may.operate && (
            <>
              {replicas !== null && (
                <button type="button" className="btn" onClick={() => onAct({ act: "scale", name, replicas })}>
                  {t("swarm.scale")}
                  <span className="sr-only">{name}</span>
                </button>
              )}
              <button type="button" className="btn" onClick={() => onAct({ act: "restart", name })}>
                {t("services.acts.restart")}
                <span className="sr-only">{name}</span>
              </button>
            </>
          )}
          {me.may.administer && (
            <button type="button" className="btn" onClick={() => onAct({ act: "deploy", name, image })}>
              {t("deploy.button")}
              <span className="sr-only">{name}</span>
            </button>
          )}
        </span>
      </div>
      {service.update !== null && (
        <p className="mt-1.5">
          <Status tone={updateTone[service.update.state] ?? "unknown"}>
            {say.key("swarm.updates", service.update.state)}
          </Status>
          <span className="ml-2 text-mute">
            {service.update.message}
            {service.update.at !== null && ` · ${say.time(service.update.at)}`}
          </span>
        </p>
      )}
      {failed.length > 0 && (
        <details className="mt-1.5">
          <summary className="tap text-mute">{t("swarm.failedTasks", { count: failed.length })}</summary>
          <ul className="mt-1">
            {failed.map((task) => (
              <li key={task.id} className="flex flex-wrap gap-x-3">
                {task.at !== null && (
                  <time className="num text-mute" dateTime={task.at} title={say.utc(task.at)}>
                    {say.time(task.at)}
                  </time>
                )}
                <span className="text-mute">
                  {task.node} {task.slot !== null && `#${task.slot}`}
                </span>
                <span className="text-down-ink">{task.error}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </li>
  );
}

function NodeLine({ node, onAct }: { readonly node: Node; readonly onAct: (asked: AskedSwarm) => void }) {
  const t = useTranslations();
  const say = useSay();
  const me = useMe();
  const tone: Tone = node.state === "ready" ? (node.availability === "active" ? "up" : "warn") : "down";
  const next = node.availability === "active" ? "drain" : "active";
  return (
    <li className="row flex-wrap items-center!">
      <b className="min-w-0 flex-1 basis-40 font-medium">{node.hostname}</b>
      <Status tone={tone}>
        {say.key("swarm.nodes", node.state)}
        {node.availability !== "active" && `, ${say.key("swarm.availability", node.availability)}`}
      </Status>
      <span className="text-mute">
        {[
          node.leader ? t("swarm.leader") : say.key("swarm.roles", node.role),
          node.engine,
          node.cpus === null ? null : t("swarm.cpus", { count: node.cpus }),
          node.memory === null ? null : say.bytes(node.memory),
        ]
          .filter(Boolean)
          .join(" · ")}
      </span>
      {me.may.operate && (
        <button
          type="button"
          className="btn"
          onClick={() =>
            onAct({ act: "availability", name: node.id, availability: next, label: node.hostname })
          }
        >
          {t(next === "drain" ? "swarm.drain" : "swarm.activate")}
          <span className="sr-only">{node.hostname}</span>
        </button>
      )}
    </li>
  );
}

export function SwarmPage() {
  const t = useTranslations();
  const params = useSearchParams();
  const { hosts, stream } = useServices();
  const managers = hosts.filter(({ swarm }) => swarm);
  const host = params.get("host") ?? managers[0]?.name ?? null;
  const [asked, setAsked] = useState<AskedSwarm | null>(null);
  const state = useQuery({
    ...query.swarm.get.queryOptions({ input: { host: host ?? "" } }),
    enabled: host !== null,
    refetchInterval: 4000,
    // It is asked again anyway.
    retry: false,
  });
  return (
    <div className="mx-auto max-w-6xl px-3 py-4 sm:px-5">
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <h1 className="mr-auto">{t("swarm.title")}</h1>
        {managers.length > 1 && (
          <select
            className="input w-auto!"
            aria-label={t("services.host")}
            value={host ?? ""}
            onChange={(event) =>
              replaceAddress(`/services/swarm?host=${encodeURIComponent(event.target.value)}`)
            }
          >
            {managers.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
      </div>
      {host === null && stream !== "connecting" && (
        <div className="card">
          <Empty title={t("swarm.none")}>
            <p>{t("swarm.noneText")}</p>
          </Empty>
        </div>
      )}
      {state.error && <Failure error={state.error} onRetry={() => void state.refetch()} />}
      {host !== null && !state.data && !state.error && <Skeleton rows={6} />}
      {state.data && (
        <div className="grid gap-4">
          <section className="card">
            <h2>{t("swarm.services")}</h2>
            {state.data.services.length === 0 && <Empty title={t("swarm.noServices")} />}
            <ul>
              {state.data.services.map((service) => (
                <ServiceCard key={service.id} host={state.data.host} service={service} onAct={setAsked} />
              ))}
            </ul>
          </section>
          <section className="card">
            <h2>{t("swarm.nodesTitle")}</h2>
            <ul>
              {state.data.nodes.map((node) => (
                <NodeLine key={node.id} node={node} onAct={setAsked} />
              ))}
            </ul>
          </section>
        </div>
      )}
      {asked !== null && host !== null && (
        <SwarmDialog host={host} asked={asked} onClose={() => setAsked(null)} />
      )}
    </div>
  );
}
