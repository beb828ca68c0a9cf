"use client";
// "Try it in my browser": a revision that only one person gets from the real nodes; how that browser gets it, and its end.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { useTranslations } from "next-intl";
import { useId, useState } from "react";
import { CopyButton } from "@/components/ui/copy-button";
import { Confirm } from "@/components/ui/dialog";
import { problemOf } from "@/components/ui/problem";
import { useSay } from "@/components/ui/say";
import { Failure, Skeleton } from "@/components/ui/states";
import { Status } from "@/components/ui/status";
import { api, query } from "@/lib/api/client";

const refreshMs = 5000;
const minutes = [15, 60, 240, 1440] as const;

/** The trial that a cluster has now; nothing where it has none. */
export function TryPanel({ cluster }: { readonly cluster: string }) {
  const t = useTranslations();
  const say = useSay();
  const client = useQueryClient();
  const options = query.vcl.trial.queryOptions({ input: { cluster } });
  const trial = useQuery({ ...options, refetchInterval: refreshMs });
  const end = useMutation({
    mutationFn: (change: number) => api.vcl.endTry({ cluster, change }),
    onSettled: () => client.invalidateQueries({ queryKey: options.queryKey }),
  });
  const now = trial.data;
  if (trial.error) return <Failure error={trial.error} onRetry={() => void trial.refetch()} />;
  if (!now) return null;
  return (
    <section className="card min-w-0" aria-label={t("vcl.try.title")}>
      <h2 className="flex flex-wrap items-center gap-2">
        {t("vcl.try.title")}
        <button
          type="button"
          className="btn ml-auto"
          disabled={end.isPending}
          onClick={() => end.mutate(now.change)}
        >
          {t("vcl.try.end")}
        </button>
      </h2>
      <div className="row flex-wrap gap-x-3">
        <Status tone="run">{t("vcl.try.runs", { number: now.revision, by: now.by })}</Status>
        <span>
          {t("vcl.try.until")}{" "}
          <time dateTime={now.endsAt} title={say.utc(now.endsAt)}>
            {say.time(now.endsAt)}
          </time>
        </span>
        <Link className="link" href={`/history/${now.change}`}>
          {t("vcl.try.proof")}
        </Link>
      </div>
      {now.secret === null ? (
        <p className="row text-mute">{t("vcl.try.others")}</p>
      ) : (
        <>
          <p className="row text-mute">{t("vcl.try.enterHelp")}</p>
          <ul>
            {now.secret.sites.map(({ site, enter, leave }) => (
              <li key={enter} className="row flex-wrap gap-x-3">
                <b className="min-w-0 flex-1 font-semibold break-all">{site}</b>
                <a className="link tap" href={enter} target="_blank" rel="noreferrer noopener">
                  {t("vcl.try.enter")}
                </a>
                <a className="link tap" href={leave} target="_blank" rel="noreferrer noopener">
                  {t("vcl.try.leave")}
                </a>
              </li>
            ))}
          </ul>
          <div className="row flex-wrap gap-2">
            <span className="min-w-0 flex-1">{t("vcl.try.header", { name: now.secret.header.name })}</span>
            <CopyButton text={`${now.secret.header.name}: ${now.secret.header.value}`} />
          </div>
          <p className="row text-mute">{t("vcl.try.inFront")}</p>
        </>
      )}
      {end.error && (
        <p className="row" role="alert">
          <Status tone="down">{say.problem(problemOf(end.error))}</Status>
        </p>
      )}
    </section>
  );
}

/** Asks for how long a revision is tried, and says what stays as it is. */
export function TryDialog({
  cluster,
  number,
  onClose,
}: {
  readonly cluster: string;
  readonly number: number;
  readonly onClose: () => void;
}) {
  const t = useTranslations();
  const say = useSay();
  const router = useRouter();
  const id = useId();
  const [time, setTime] = useState<number>(60);
  const input = { cluster, revision: number, minutes: time };
  const plan = useQuery({
    ...query.vcl.planTry.queryOptions({ input }),
    ...{ staleTime: 0, gcTime: 0, retry: false, refetchOnWindowFocus: false },
  });
  const act = useMutation({
    mutationFn: () =>
      api.vcl.try({
        ...input,
        expected: Object.fromEntries((plan.data?.nodes ?? []).map(({ node, before }) => [node, before.hash])),
      }),
    onSuccess: (row) => router.push(`/history/${row.id}`),
  });
  return (
    <Confirm
      open
      title={t("vcl.try.ask", { number })}
      verb={t("vcl.try.verb", { number })}
      busy={plan.data === undefined || act.isPending}
      onConfirm={() => act.mutate()}
      onClose={onClose}
    >
      <div className="grid gap-3">
        <p>{t("vcl.try.what")}</p>
        <div>
          <label htmlFor={id} className="mb-1 block font-medium text-ink">
            {t("vcl.try.time")}
          </label>
          <select
            id={id}
            className="input"
            value={time}
            onChange={(event) => setTime(Number(event.target.value))}
          >
            {minutes.map((one) => (
              <option key={one} value={one}>
                {say.duration(one * 60_000)}
              </option>
            ))}
          </select>
        </div>
        {plan.error && <Failure error={plan.error} onRetry={() => void plan.refetch()} />}
        {!plan.data && !plan.error && <Skeleton rows={2} />}
        {plan.data && (
          <ul className="grid gap-1">
            {plan.data.nodes.map(({ node, before }) => (
              <li key={node}>
                <b className="font-semibold text-ink">{node}</b>{" "}
                {t("vcl.try.stays", { what: before.revision === null ? before.name : `r${before.revision}` })}
              </li>
            ))}
          </ul>
        )}
        {plan.data && plan.data.without.length > 0 && (
          <Status tone="warn">{t("vcl.try.without", { nodes: say.list(plan.data.without) })}</Status>
        )}
      </div>
      {act.error && (
        <p className="mt-3" role="alert">
          <Status tone="down">{say.problem(problemOf(act.error))}</Status>
        </p>
      )}
    </Confirm>
  );
}
