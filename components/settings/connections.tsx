"use client";
// Every system: its state, and where it is not connected, the exact lines that would connect it.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { useTranslations } from "next-intl";
import { useState } from "react";
import { useMe } from "@/components/frame/me";
import { CopyButton } from "@/components/ui/copy-button";
import { useSay } from "@/components/ui/say";
import { Scroll } from "@/components/ui/scroll";
import { Failure, Skeleton } from "@/components/ui/states";
import { Status, type Tone } from "@/components/ui/status";
import { useToasts } from "@/components/ui/toast";
import { api, query } from "@/lib/api/client";
import type { Connection } from "@/lib/connections/contract";
import { useLive } from "@/lib/live/client";

const Doctor = dynamic(() => import("./doctor").then((module) => module.Doctor), { ssr: false });

const tone = { up: "up", down: "down", checking: "run", not_connected: "unknown" } satisfies Record<
  Connection["state"],
  Tone
>;
const order: Record<Connection["state"], number> = { down: 0, checking: 1, up: 2, not_connected: 3 };

/** Worst first; within a state as the server has them. */
export function worstFirst(connections: readonly Connection[]): readonly Connection[] {
  return [...connections].sort((a, b) => order[a.state] - order[b.state]);
}

function Row({
  connection,
  onDoctor,
}: {
  readonly connection: Connection;
  readonly onDoctor: (one: { kind: "varnish" | "cloudflare"; name: string }) => void;
}) {
  const t = useTranslations();
  const say = useSay();
  const me = useMe();
  const toasts = useToasts();
  const queries = useQueryClient();
  const { kind, name } = connection;
  const test = useMutation({
    mutationFn: () => api.connections.test({ kind, name: name ?? "" }),
    onSuccess: () => queries.invalidateQueries({ queryKey: query.connections.list.key() }),
    onError: toasts.fail,
  });
  const doctorKind = kind === "varnish" || kind === "cloudflare" ? kind : null;
  const facts = Object.entries(connection.facts);
  return (
    <li className="border-b border-line p-3 last:border-0">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
        <div className="min-w-40 flex-1">
          <b className="font-semibold">{name ?? say.key("systems", kind)}</b>
          <span className="ml-2 text-xs text-mute">
            {[
              name === null ? null : say.key("systems", kind),
              connection.version,
              connection.source === "discovered" ? t("connections.discovered") : null,
            ]
              .filter(Boolean)
              .join(" · ")}
          </span>
        </div>
        <Status tone={tone[connection.state]}>{t(`connections.states.${connection.state}`)}</Status>
        {connection.latencyMs !== null && (
          <span className="num text-mute">{say.duration(connection.latencyMs)}</span>
        )}
        {connection.waiting > 0 && (
          <Status tone="warn">{t("strip.waiting", { count: connection.waiting })}</Status>
        )}
        {name !== null && me.may.operate && (
          <div className="flex gap-2">
            {connection.doctor && doctorKind !== null && (
              <button type="button" className="btn" onClick={() => onDoctor({ kind: doctorKind, name })}>
                {t("doctorPage.button")}
              </button>
            )}
            <button type="button" className="btn" disabled={test.isPending} onClick={() => test.mutate()}>
              {test.isPending ? t("connections.testing") : t("connections.test")}
            </button>
          </div>
        )}
      </div>
      {connection.error !== null && (
        <p className="mt-2">
          {t.has(`errors.${connection.error.code}`)
            ? t(`errors.${connection.error.code}`)
            : t("errors.INTERNAL")}
          <code className="block text-mute">{connection.error.message}</code>
        </p>
      )}
      {connection.state === "down" && connection.lastGood !== null && (
        <p className="mt-1 text-xs text-mute">
          {t("connections.lastGood", { time: say.time(connection.lastGood) })}
        </p>
      )}
      {connection.fix !== null && connection.state !== "up" && (
        <div className="mt-2">
          <p className="text-mute">{t("connections.fix")}</p>
          <div className="mt-1 flex flex-wrap items-start gap-2">
            <Scroll
              label={t("connections.fix")}
              className="min-w-0 flex-1 rounded-md border border-line bg-bg px-2.5 py-2"
            >
              <pre>{connection.fix}</pre>
            </Scroll>
            <CopyButton text={connection.fix} />
          </div>
        </div>
      )}
      {facts.length > 0 && (
        <dl className="mt-1.5 flex flex-wrap gap-x-4 gap-y-0.5 text-xs text-mute">
          {facts.map(([fact, value]) => (
            <div key={fact} className="flex gap-1">
              <dt>{say.key("facts", fact)}</dt>
              <dd className="num text-ink">{say.fact(fact, value)}</dd>
            </div>
          ))}
        </dl>
      )}
    </li>
  );
}

export function Connections() {
  const t = useTranslations();
  const live = useLive();
  const [doctor, setDoctor] = useState<{ kind: "varnish" | "cloudflare"; name: string } | null>(null);
  const asked = useQuery({
    ...query.connections.list.queryOptions(),
    refetchInterval: live.stream === "live" ? 30_000 : 10_000,
  });
  const fresh = live.stream === "live" && live.connections.length > 0 ? live.connections : asked.data;
  return (
    <>
      <h1>{t("settings.connections")}</h1>
      <p className="mt-1 mb-4 max-w-2xl text-mute">{t("connections.text")}</p>
      {live.outbox.map((node) => (
        <p key={node.node} className="mb-2">
          <Status tone="warn">{t("connections.owed", { node: node.node, count: node.waiting })}</Status>
          {node.lastError !== null && <code className="ml-5 block text-mute">{node.lastError}</code>}
        </p>
      ))}
      <div className="card">
        {asked.error && <Failure error={asked.error} onRetry={() => void asked.refetch()} />}
        {fresh ? (
          <ul>
            {worstFirst(fresh).map((connection) => (
              <Row
                key={`${connection.kind}/${connection.name ?? ""}`}
                connection={connection}
                onDoctor={setDoctor}
              />
            ))}
          </ul>
        ) : (
          !asked.error && <Skeleton rows={6} />
        )}
      </div>
      {doctor !== null && <Doctor kind={doctor.kind} name={doctor.name} onClose={() => setDoctor(null)} />}
    </>
  );
}
