"use client";
// A revision before it is put in force: what it changes for whom, who must agree to it, and how it is watched.
import { keepPreviousData, useMutation, useQuery } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useTranslations } from "next-intl";
import { useId, useState } from "react";
import { Dialog } from "@/components/ui/dialog";
import { Field, FieldError } from "@/components/ui/field";
import { problemOf } from "@/components/ui/problem";
import { useSay } from "@/components/ui/say";
import { Failure, Skeleton } from "@/components/ui/states";
import { Status } from "@/components/ui/status";
import { useSettled } from "@/components/ui/use-settled";
import { api, query } from "@/lib/api/client";
import { type ApplyPlan, applyInput } from "@/lib/routing/files/contract";
import { Differences, GuardedRouters, ImpactWords } from "./effects";

/** A plan is of the moment: what is shown is what is refused when it has changed. */
const fresh = { staleTime: 0, gcTime: 0, retry: false, refetchOnWindowFocus: false } as const;
const seconds = [0, 10, 30, 60, 120, 300, 600] as const;
const settleMs = 600;

/** Addresses, one a line. */
const addressesOf = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

function Planned({
  plan,
  accepted,
  onAccepted,
}: {
  readonly plan: ApplyPlan;
  readonly accepted: readonly string[];
  readonly onAccepted: (accepted: readonly string[]) => void;
}) {
  const t = useTranslations();
  const say = useSay();
  return (
    <div className="grid gap-3">
      {plan.already && <Status tone="unknown">{t("routing.apply.already")}</Status>}
      {plan.writes.length > 0 && (
        <p className="break-all">{t("routing.apply.writes", { files: say.list(plan.writes) })}</p>
      )}
      {plan.removes.length > 0 && (
        <p className="break-all">
          <Status tone="warn">{t("routing.apply.removes", { files: say.list(plan.removes) })}</Status>
        </p>
      )}
      {plan.guarded.length > 0 && (
        <section>
          <h3 className="mb-1 font-medium text-ink">{t("routing.files.guarded.title")}</h3>
          <GuardedRouters guarded={plan.guarded} accepted={accepted} onAccepted={onAccepted} />
        </section>
      )}
      <section className="card min-w-0 text-ink">
        <h3 className="card-head font-semibold">{t("routing.files.differences")}</h3>
        <Differences differences={plan.differences} />
      </section>
      <section className="card min-w-0 text-ink">
        <h3 className="card-head font-semibold">{t("routing.files.impact.title")}</h3>
        <ImpactWords impact={plan.impact} />
      </section>
      <p>
        {plan.probes.length === 0
          ? t("routing.apply.noProbes")
          : t("routing.apply.probed", { count: plan.probes.length })}
      </p>
      {plan.probes.length > 0 && (
        <ul className="text-xs">
          {plan.probes.map((url) => (
            <li key={url}>
              <code className="break-all">{url}</code>
            </li>
          ))}
        </ul>
      )}
      {plan.expects503 && <p>{t("routing.apply.expects503")}</p>}
      {plan.watchS === 0 ? (
        <Status tone="warn">{t("routing.apply.unwatched")}</Status>
      ) : (
        <Status tone={plan.counters ? "up" : "warn"}>
          {t(plan.counters ? "routing.apply.counters" : "routing.apply.noCounters", { seconds: plan.watchS })}
        </Status>
      )}
    </div>
  );
}

export function ApplyDialog({
  traefik,
  number,
  onClose,
}: {
  readonly traefik: string;
  readonly number: number;
  readonly onClose: () => void;
}) {
  const t = useTranslations();
  const say = useSay();
  const router = useRouter();
  const id = useId();
  const [probes, setProbes] = useState("");
  const [watchS, setWatchS] = useState<number>(30);
  const [reason, setReason] = useState("");
  const [accepted, setAccepted] = useState<readonly string[]>([]);
  const asked = addressesOf(useSettled(probes, settleMs));
  const wrong = !applyInput.shape.probes.safeParse(addressesOf(probes)).success;
  const input = { traefik, revision: number, probes: wrong ? [] : asked, watchS };
  const plan = useQuery({
    ...query.routing.planApply.queryOptions({ input }),
    ...fresh,
    placeholderData: keepPreviousData,
  });
  const guarded = plan.data?.guarded ?? [];
  const refused = guarded.some((one) => one.refused);
  const unasked = guarded.some((one) => !one.refused && !accepted.includes(one.router));
  const act = useMutation({
    mutationFn: (expected: string) =>
      api.routing.apply({
        ...input,
        accepted: accepted.filter((router) => guarded.some((one) => one.router === router)),
        ...(reason.trim() === "" ? {} : { reason: reason.trim() }),
        expected,
      }),
    onSuccess: (row) => router.push(`/history/${row.id}`),
  });
  const busy =
    plan.data === undefined ||
    plan.isFetching ||
    plan.data.already ||
    wrong ||
    refused ||
    unasked ||
    act.isPending ||
    asked.join("\n") !== addressesOf(probes).join("\n");
  return (
    <Dialog open wide title={t("routing.apply.title", { number, traefik })} onClose={onClose}>
      <form
        className="grid gap-3 text-mute"
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy) act.mutate(plan.data.before.hash);
        }}
      >
        <div className="grid gap-3 text-ink sm:grid-cols-2">
          <div>
            <label htmlFor={`${id}-probes`} className="mb-1 block font-medium">
              {t("routing.apply.probes")}
            </label>
            <textarea
              id={`${id}-probes`}
              className="input font-mono text-xs! max-sm:text-base!"
              rows={3}
              spellCheck={false}
              placeholder="https://www.example.org/en"
              aria-invalid={wrong || undefined}
              aria-describedby={`${id}-probes-help${wrong ? ` ${id}-probes-error` : ""}`}
              value={probes}
              onChange={(event) => setProbes(event.target.value)}
            />
            <p id={`${id}-probes-help`} className="mt-1 text-xs text-mute">
              {t("routing.apply.probesHelp")}
            </p>
            {wrong && <FieldError id={`${id}-probes-error`}>{t("routing.apply.probesWrong")}</FieldError>}
          </div>
          <div className="grid content-start gap-3">
            <div>
              <label htmlFor={`${id}-watch`} className="mb-1 block font-medium">
                {t("routing.apply.watch")}
              </label>
              <select
                id={`${id}-watch`}
                className="input"
                value={watchS}
                onChange={(event) => setWatchS(Number(event.target.value))}
              >
                {seconds.map((one) => (
                  <option key={one} value={one}>
                    {one === 0 ? t("routing.apply.notWatched") : say.duration(one * 1000)}
                  </option>
                ))}
              </select>
            </div>
            <Field
              label={t("routing.apply.reason")}
              maxLength={500}
              value={reason}
              onChange={(event) => setReason(event.target.value)}
            />
          </div>
        </div>
        {plan.error && <Failure error={plan.error} onRetry={() => void plan.refetch()} />}
        {!plan.data && !plan.error && <Skeleton rows={5} />}
        {plan.data && <Planned plan={plan.data} accepted={accepted} onAccepted={setAccepted} />}
        {refused && <Status tone="down">{t("routing.apply.refused")}</Status>}
        {!refused && unasked && <Status tone="warn">{t("routing.apply.unasked")}</Status>}
        {act.error && (
          <p role="alert">
            <Status tone="down">{say.problem(problemOf(act.error))}</Status>
          </p>
        )}
        <div className="mt-2 flex flex-wrap justify-end gap-2">
          <button type="button" className="btn" onClick={onClose}>
            {t("act.cancel")}
          </button>
          <button type="submit" className="btn btn-primary" disabled={busy}>
            {t("routing.apply.verb", { number })}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
