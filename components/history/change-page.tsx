"use client";
// One change: in words what came of it, then the proof layer by layer, what it was made of, who and why, its log.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { useTranslations } from "next-intl";
import { type ReactNode, useCallback } from "react";
import { BackupProof } from "@/components/backup/backup-proof";
import { useMe } from "@/components/frame/me";
import { isFinished, usePurge } from "@/components/purge/use-purge";
import { CopyButton } from "@/components/ui/copy-button";
import { AgainIcon, UndoIcon } from "@/components/ui/icons";
import { useSay } from "@/components/ui/say";
import { Failure, Skeleton } from "@/components/ui/states";
import { Status, StatusShape, type Tone } from "@/components/ui/status";
import { useToasts } from "@/components/ui/toast";
import { api, query } from "@/lib/api/client";
import type { ChangeDetail, ChangeRow } from "@/lib/changes/contract";
import { useChangeUpdates } from "@/lib/live/client";
import { ActProof } from "./act-proof";
import { AlertProof } from "./alert-proof";
import { DeployProof } from "./deploy-proof";
import { outcomeOf } from "./outcome";
import { PurgeProofCards } from "./purge-proof";
import { SwarmProof } from "./swarm-proof";
import { TraefikProof } from "./traefik-proof";
import { VclProof } from "./vcl-proof";
import { ZoneProof } from "./zone-proof";

const steps = ["planned", "applied", "secondPass", "proved"] as const;

/** How far a purge came, step by step. */
export function stepTones(
  row: Pick<ChangeRow, "state" | "outcome" | "progress">,
): Record<(typeof steps)[number], Tone> {
  const step = row.progress?.step ?? "";
  const applying = row.state === "running" && step !== "wait" && step !== "again";
  const second = row.state === "running" && !applying;
  const tone = { planned: "up", applied: "up", secondPass: "up", proved: "up" } as Record<
    (typeof steps)[number],
    Tone
  >;
  if (row.state === "planned")
    return { planned: "run", applied: "unknown", secondPass: "unknown", proved: "unknown" };
  if (applying) return { ...tone, applied: "run", secondPass: "unknown", proved: "unknown" };
  if (second) return { ...tone, secondPass: "run", proved: "unknown" };
  if (row.state === "verifying") return { ...tone, proved: "run" };
  if (row.state === "done")
    return {
      ...tone,
      proved: row.outcome === "stale" ? "down" : row.outcome === "unknown" ? "unknown" : "up",
    };
  if (row.state === "failed" && row.outcome !== null)
    return { ...tone, proved: row.outcome === "stale" ? "down" : "unknown" };
  return {
    ...tone,
    applied: "unknown",
    secondPass: "unknown",
    proved: row.state === "failed" ? "down" : "unknown",
  };
}

function Card({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section className="card">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function Headline({
  detail,
  freshAfterMs,
  count,
}: {
  readonly detail: ChangeDetail;
  readonly freshAfterMs: number | null;
  readonly count: number | null;
}) {
  const t = useTranslations();
  const say = useSay();
  const { tone, word } = outcomeOf(detail);
  const tones = stepTones(detail);
  const stepTone: Record<Tone, string> = {
    up: "text-up-ink",
    down: "text-down-ink",
    run: "text-run-ink",
    warn: "text-warn-ink",
    unknown: "text-mute",
  };
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-3">
      <StatusShape tone={tone} size={34} />
      <div className="min-w-0 flex-1 basis-64">
        <h1>
          {detail.outcome === "fresh" && freshAfterMs !== null
            ? t("proof.fresh", { time: say.duration(freshAfterMs) })
            : detail.outcome !== null && isFinished(detail.state)
              ? t.has(`proof.${detail.outcome}`)
                ? t(`proof.${detail.outcome}`)
                : t(word)
              : t(`proof.states.${detail.state}`)}
        </h1>
        <p className="mt-0.5 font-mono text-xs text-mute">
          {detail.title === "everything" ? t("history.everything") : detail.title}
          {count !== null && count > 1 && (
            <span className="font-sans text-sm">{` ${t("proof.andRelated", { count: count - 1 })}`}</span>
          )}
        </p>
      </div>
      {detail.kind === "purge" && (
        <ol className="flex flex-wrap overflow-hidden rounded-md border border-line bg-pane text-xs">
          {steps.map((step) => (
            <li
              key={step}
              className={`flex items-center gap-1.5 border-l border-line px-3 py-1.5 first:border-0 ${stepTone[tones[step]]}`}
            >
              <StatusShape tone={tones[step]} size={13} />
              {t(`proof.steps.${step}`)}
              <span className="sr-only">{t(`tones.${tones[step]}`)}</span>
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}

/** Where the same purge can be asked for again. */
export function againAddress(detail: Pick<ChangeDetail, "id" | "kind" | "input">): string | null {
  if (detail.kind !== "purge") return null;
  const target = (detail.input as { target?: { by?: string; urls?: string[] } } | null)?.target;
  if (target?.by === "url") {
    const [only, ...others] = target.urls ?? [];
    return only !== undefined && others.length === 0
      ? `/purge?url=${encodeURIComponent(only)}`
      : `/purge?by=urls&again=${detail.id}`;
  }
  return target?.by === undefined ? null : `/purge?by=${target.by}&again=${detail.id}`;
}

function Actions({ detail }: { readonly detail: ChangeDetail }) {
  const t = useTranslations();
  const me = useMe();
  const router = useRouter();
  const queries = useQueryClient();
  const toasts = useToasts();
  const reload = () =>
    queries.invalidateQueries({ queryKey: query.changes.get.key({ input: { id: detail.id } }) });
  const cancel = useMutation({
    mutationFn: () => api.changes.cancel({ id: detail.id }),
    onSuccess: reload,
    onError: toasts.fail,
  });
  const undo = useMutation({
    mutationFn: () => api.changes.undo({ id: detail.id }),
    onSuccess: (row) => router.push(`/history/${row.id}`),
    onError: toasts.fail,
  });
  const again = againAddress(detail);
  return (
    <div className="flex flex-wrap gap-2">
      {detail.can.cancel && (
        <button type="button" className="btn" disabled={cancel.isPending} onClick={() => cancel.mutate()}>
          {t("act.cancelChange")}
        </button>
      )}
      {detail.can.undo && (
        <button type="button" className="btn" disabled={undo.isPending} onClick={() => undo.mutate()}>
          <UndoIcon />
          {t("act.undo")}
        </button>
      )}
      {again !== null && me.may.purgePages && isFinished(detail.state) && (
        <Link href={again} className="btn">
          <AgainIcon />
          {t("act.purgeAgain")}
        </Link>
      )}
      <CopyButton text={() => location.href} label={t("act.copyLink")} />
    </div>
  );
}

function Log({ detail }: { readonly detail: ChangeDetail }) {
  const t = useTranslations();
  const say = useSay();
  const tone: Record<ChangeDetail["log"][number]["level"], Tone> = {
    info: "unknown",
    warn: "warn",
    error: "down",
  };
  return (
    <Card title={t("proof.log")}>
      {detail.log.length === 0 && <p className="p-3 text-mute">{t("proof.noLog")}</p>}
      <ol>
        {detail.log.map((line, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the log only grows
          <li key={index} className="row">
            <time
              className="num text-xs whitespace-nowrap text-mute"
              dateTime={line.at}
              title={say.utc(line.at)}
            >
              {say.time(line.at)}
            </time>
            {line.level === "info" ? (
              <span>{say.key("log", line.message, line.params)}</span>
            ) : (
              <Status tone={tone[line.level]}>{say.key("log", line.message, line.params)}</Status>
            )}
          </li>
        ))}
      </ol>
    </Card>
  );
}

function WhoAndWhy({ detail, children }: { readonly detail: ChangeDetail; readonly children?: ReactNode }) {
  const t = useTranslations();
  const say = useSay();
  return (
    <Card title={t("proof.who")}>
      <div className="row">
        <span>{detail.actor.name}</span>
        {detail.site !== null && (
          <small className="ml-auto text-xs text-mute">{t("proof.site", { site: detail.site })}</small>
        )}
      </div>
      <div className="row">
        <span>{t(`proof.from.${detail.origin}`)}</span>
        <time
          className="num ml-auto text-xs text-mute"
          dateTime={detail.createdAt}
          title={say.utc(detail.createdAt)}
        >
          {say.time(detail.createdAt)}
        </time>
      </div>
      {detail.reason !== null && <div className="row">{t("proof.reason", { reason: detail.reason })}</div>}
      {detail.undoOf !== null && (
        <div className="row">
          <Link className="link" href={`/history/${detail.undoOf}`}>
            {t("proof.undoOf", { id: detail.undoOf })}
          </Link>
        </div>
      )}
      {detail.undoneBy !== null && (
        <div className="row">
          <Link className="link" href={`/history/${detail.undoneBy}`}>
            {t("proof.undoneBy", { id: detail.undoneBy })}
          </Link>
        </div>
      )}
      {children}
    </Card>
  );
}

function PurgeChange({ detail }: { readonly detail: ChangeDetail }) {
  const t = useTranslations();
  const say = useSay();
  const purge = usePurge(detail.id);
  const proof = purge.data?.proof ?? null;
  const allowance = proof?.cloudflare ?? null;
  return (
    <>
      <Headline
        detail={detail}
        freshAfterMs={proof?.freshAfterMs ?? null}
        count={purge.data?.plan.objectCount ?? null}
      />
      <div className="mt-5 grid gap-4 lg:grid-cols-[minmax(0,1fr)_320px] lg:items-start">
        <div className="grid gap-4">
          {purge.error && <Failure error={purge.error} onRetry={() => void purge.refetch()} />}
          {purge.data ? (
            <PurgeProofCards id={detail.id} plan={purge.data.plan} proof={proof} />
          ) : (
            !purge.error && <Skeleton rows={8} />
          )}
          <Log detail={detail} />
        </div>
        <div className="grid gap-4">
          <WhoAndWhy detail={detail}>
            {allowance !== null && (
              <div className="row">
                <span className="text-mute">{t("proof.allowance")}</span>
                <small className="num ml-auto text-xs text-mute">
                  {t(allowance.fullInMs > 0 ? "proof.allowanceLeft" : "proof.allowanceFull", {
                    left: say.number(allowance.left),
                    size: say.number(allowance.size),
                    time: say.duration(allowance.fullInMs),
                  })}
                </small>
              </div>
            )}
          </WhoAndWhy>
          <Actions detail={detail} />
        </div>
      </div>
    </>
  );
}

/** What was seen, by the kind of the change; as it is kept for a kind that has no picture of its own. */
function Evidence({ detail }: { readonly detail: ChangeDetail }) {
  const t = useTranslations();
  if (!detail.shown) return <p className="text-mute">{t("proof.notShown")}</p>;
  if (detail.kind === "service.deploy") return <DeployProof detail={detail} />;
  if (detail.kind.startsWith("swarm.")) return <SwarmProof detail={detail} />;
  if (detail.kind.startsWith("cloudflare.")) return <ZoneProof detail={detail} />;
  if (detail.kind.startsWith("vcl.")) return <VclProof detail={detail} />;
  if (detail.kind.startsWith("traefik.")) return <TraefikProof detail={detail} />;
  if (detail.kind.startsWith("backup.")) return <BackupProof detail={detail} />;
  if (detail.kind.startsWith("alert.")) return <AlertProof detail={detail} />;
  if (detail.kind.startsWith("service.")) return <ActProof detail={detail} />;
  return (
    <Card title={t("proof.evidence")}>
      <pre className="overflow-auto p-3">{JSON.stringify(detail.evidence ?? detail.plan, null, 2)}</pre>
    </Card>
  );
}

export function ChangePage({ id }: { readonly id: number }) {
  const say = useSay();
  const queries = useQueryClient();
  const change = useQuery({
    ...query.changes.get.queryOptions({ input: { id } }),
    refetchInterval: (state) => (state.state.data && isFinished(state.state.data.state) ? false : 1000),
  });
  const follow = useCallback(
    (row: ChangeRow) => {
      if (row.id === id)
        void queries.invalidateQueries({ queryKey: query.changes.get.key({ input: { id } }) });
    },
    [queries, id],
  );
  useChangeUpdates(follow);
  const detail = change.data;
  return (
    <div className="mx-auto max-w-6xl px-3 py-5 sm:px-5">
      {!detail &&
        (change.error ? (
          <Failure error={change.error} onRetry={() => void change.refetch()} />
        ) : (
          <Skeleton rows={8} />
        ))}
      {detail?.error && (
        <p className="mb-3">
          <Status tone="down">
            {say.problem({
              ...detail.error,
              field: null,
              problems: [],
              requestId: null,
            })}
          </Status>
          <code className="ml-5 block text-mute">{detail.error.message}</code>
        </p>
      )}
      {detail &&
        (detail.kind === "purge" ? (
          <PurgeChange detail={detail} />
        ) : (
          <>
            <Headline detail={detail} freshAfterMs={null} count={null} />
            <div className="mt-5 grid gap-4 lg:grid-cols-[minmax(0,1fr)_320px] lg:items-start">
              <div className="grid gap-4">
                <Evidence detail={detail} />
                {detail.shown && <Log detail={detail} />}
              </div>
              <div className="grid gap-4">
                <WhoAndWhy detail={detail} />
                <Actions detail={detail} />
              </div>
            </div>
          </>
        ))}
    </div>
  );
}
