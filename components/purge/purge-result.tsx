"use client";
// What became of a purge, told to the person who pressed: first that it runs, then the proof in plain words.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import Link from "next/link";
import { useTranslations } from "next-intl";
import { useEffect, useRef } from "react";
import { useSay } from "@/components/ui/say";
import { Failure, Skeleton } from "@/components/ui/states";
import { Status, StatusShape, type Tone } from "@/components/ui/status";
import { useToasts } from "@/components/ui/toast";
import { api, query } from "@/lib/api/client";
import type { ChangeRow } from "@/lib/changes/contract";
import { isFinished, usePurge } from "./use-purge";
import { answersByLayer, type LayerAnswer } from "./words";

const answerTone: Record<LayerAnswer["verdict"], Tone> = {
  fresh: "up",
  stale: "down",
  unknown: "unknown",
  waiting: "warn",
};

function Running({ id, progress }: { readonly id: number; readonly progress: ChangeRow["progress"] }) {
  const t = useTranslations();
  const say = useSay();
  const toasts = useToasts();
  const cancel = useMutation({ mutationFn: () => api.changes.cancel({ id }), onError: toasts.fail });
  const step = progress === null ? t("steps.planned") : say.key("steps", progress.step);
  return (
    <div aria-live="polite">
      <StatusShape tone="run" size={52} />
      <h1 className="mt-3 text-2xl">{t("result.running")}</h1>
      <p className="mt-1.5 text-base text-mute">
        {step}
        {progress !== null &&
          progress.total > 1 &&
          ` · ${t("result.progress", { done: progress.done, total: progress.total })}`}
      </p>
      <progress
        className="mt-4 h-2 w-full accent-[var(--deep)]"
        aria-label={step}
        {...(progress !== null && progress.total > 1 ? { value: progress.done, max: progress.total } : {})}
      />
      <button type="button" className="btn mt-5" disabled={cancel.isPending} onClick={() => cancel.mutate()}>
        {t("act.cancelChange")}
      </button>
    </div>
  );
}

export function PurgeResult({ id, again }: { readonly id: number; readonly again: string }) {
  const t = useTranslations();
  const say = useSay();
  const queries = useQueryClient();
  const purge = usePurge(id);
  const heading = useRef<HTMLHeadingElement>(null);
  const state = purge.data?.state;
  const finished = state !== undefined && isFinished(state);
  useEffect(() => {
    if (!finished) return;
    // The answer is what the person waits for: a screen reader begins there.
    heading.current?.focus();
    void queries.invalidateQueries({ queryKey: query.changes.list.key() });
  }, [finished, queries]);
  if (!purge.data)
    return purge.error ? <Failure error={purge.error} onRetry={() => void purge.refetch()} /> : <Skeleton />;
  const { plan, proof, progress, error } = purge.data;
  if (!finished) return <Running id={id} progress={progress} />;

  const cancelled = state === "cancelled" || state === "interrupted";
  const answers = proof === null ? [] : answersByLayer(proof);
  const waiting = answers.some((answer) => answer.verdict === "waiting");
  const verdict = cancelled
    ? "cancelled"
    : proof === null
      ? "failed"
      : proof.verdict === "unknown" && waiting
        ? "waiting"
        : proof.verdict;
  const tone: Record<typeof verdict, Tone> = {
    fresh: "up",
    stale: "down",
    unknown: "unknown",
    waiting: "warn",
    cancelled: "unknown",
    failed: "down",
  };
  const one = plan.target.by === "url" && plan.pages === 1;
  const page = plan.objects.find((object) => object.label === "page" && object.type === "url");
  const pasted = plan.target.by === "url" ? plan.target.urls[0] : undefined;
  const open = one && page ? publicAddress(pasted, page.host, page.value) : null;
  const subject = one ? "One" : "Many";
  return (
    <>
      <StatusShape tone={tone[verdict]} size={52} />
      <h1 ref={heading} tabIndex={-1} className="mt-3 text-2xl outline-none">
        {verdict === "fresh" && one
          ? t("purge.freshTitle")
          : t(`result.${verdict}${subject}`, { count: plan.pages })}
      </h1>
      <p className="mt-1.5 text-base text-mute">
        {verdict === "fresh" && proof !== null && proof.freshAfterMs !== null
          ? t("result.freshAfter", { time: say.duration(proof.freshAfterMs) })
          : t(`result.${verdict}Text`)}
      </p>
      {error !== null && (
        <p className="mt-3">
          <Status tone="down">
            {say.problem({
              code: error.code,
              message: error.message,
              problem: null,
              params: {},
              field: null,
              problems: [],
              requestId: null,
            })}
          </Status>
        </p>
      )}
      {answers.length > 0 && (
        <ul className="mt-4 text-base">
          {answers.map((answer) => (
            <li key={answer.layer} className="flex items-center gap-2.5 border-b border-line py-3">
              <StatusShape tone={answerTone[answer.verdict]} size={18} />
              <span>
                {answer.systems > 1
                  ? t("result.layerOf", {
                      layer: t(`plainLayers.${answer.layer}`),
                      fresh: answer.fresh,
                      of: answer.systems,
                    })
                  : t(`plainLayers.${answer.layer}`)}
              </span>
              <span className="ml-auto text-right text-sm text-mute">
                {t(
                  answer.layer === "redis" && answer.verdict === "fresh"
                    ? "answers.emptied"
                    : `answers.${answer.verdict}`,
                )}
              </span>
            </li>
          ))}
        </ul>
      )}
      {verdict === "fresh" && one && <p className="mt-4 text-mute">{t("result.browser")}</p>}
      {proof?.warmed && (
        <p className="mt-4 text-mute">
          {t("result.warmed", { done: proof.warmed.done, of: proof.warmed.of })}
        </p>
      )}
      <div className="mt-4 grid gap-2">
        {open !== null && verdict !== "cancelled" && (
          <a href={open} target="_blank" rel="noreferrer" className="btn btn-primary btn-large">
            {t("result.open")}
          </a>
        )}
        <Link
          href={again}
          className={open === null ? "btn btn-primary btn-large" : "link tap justify-self-center p-2"}
        >
          {one ? t("result.another") : t("result.anotherWide")}
        </Link>
        <Link href={`/history/${id}`} className="link tap justify-self-center p-2 text-mute">
          {t("result.proof")}
        </Link>
      </div>
    </>
  );
}

/** The page's address to open: with the scheme and port that were pasted, where they were. */
function publicAddress(pasted: string | undefined, host: string, value: string): string {
  try {
    const given = new URL(/^https?:\/\//i.test(pasted ?? "") ? (pasted ?? "") : `https://${pasted ?? ""}`);
    if (given.hostname === host) return `${given.origin}${value}`;
  } catch {
    // What was pasted is not an address by itself; the key's own host is.
  }
  return `https://${host}${value}`;
}
