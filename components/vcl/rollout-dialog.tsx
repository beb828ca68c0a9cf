"use client";
// A roll-out before it is one: which nodes, which of them first and how it is watched; what each runs now and will run.
import { useMutation, useQuery } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useTranslations } from "next-intl";
import { useId, useState } from "react";
import { Confirm } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { problemOf } from "@/components/ui/problem";
import { useSay } from "@/components/ui/say";
import { Failure, Skeleton } from "@/components/ui/states";
import { Status } from "@/components/ui/status";
import { api, query } from "@/lib/api/client";
import type { Cluster, RolloutPlan } from "@/lib/vcl/contract";

/** A plan is of the moment: what is shown is what is refused when it has changed. */
const fresh = { staleTime: 0, gcTime: 0, retry: false, refetchOnWindowFocus: false } as const;
const seconds = [0, 10, 30, 60, 120, 300, 600] as const;

function Planned({ plan }: { readonly plan: RolloutPlan }) {
  const t = useTranslations();
  const say = useSay();
  const forgets = plan.nodes.filter(({ keeps }) => !keeps).map(({ node }) => node);
  return (
    <div className="grid gap-2">
      <ul className="grid gap-1">
        {plan.nodes.map(({ node, before, revision, already }) => (
          <li key={node}>
            <b className="font-semibold text-ink">{node}</b>{" "}
            {already ? (
              t("vcl.roll.already", { number: revision })
            ) : (
              <>
                {before.revision === null
                  ? t("vcl.roll.foreign", { name: before.name })
                  : `r${before.revision}`}{" "}
                <span aria-hidden="true">→</span> <b className="font-semibold text-ink">r{revision}</b>
              </>
            )}
          </li>
        ))}
      </ul>
      {plan.canary !== null && (
        <p>
          {t("vcl.roll.watched", { node: plan.canary, seconds: plan.watchS })}{" "}
          {plan.watched.pages.length > 0 && t("vcl.roll.byPages", { pages: say.list(plan.watched.pages) })}{" "}
          {plan.watched.counters && t("vcl.roll.byCounters")}
        </p>
      )}
      {plan.canary !== null && plan.watched.pages.length === 0 && !plan.watched.counters && (
        <Status tone="warn">{t("vcl.roll.byNothing")}</Status>
      )}
      {plan.canary === null && <Status tone="warn">{t("vcl.roll.unwatched")}</Status>}
      {plan.tests > 0 && <p>{t("vcl.roll.tests", { count: plan.tests })}</p>}
      {forgets.length > 0 && (
        <Status tone="warn">{t("vcl.roll.forgets", { nodes: say.list(forgets) })}</Status>
      )}
      {plan.without.length > 0 && (
        <Status tone="warn">{t("vcl.roll.without", { nodes: say.list(plan.without) })}</Status>
      )}
    </div>
  );
}

export function RolloutDialog({
  cluster,
  number,
  onTry,
  onClose,
}: {
  readonly cluster: Cluster;
  readonly number: number;
  readonly onTry: () => void;
  readonly onClose: () => void;
}) {
  const t = useTranslations();
  const say = useSay();
  const router = useRouter();
  const id = useId();
  const able = cluster.nodes.filter(({ state }) => state !== "none").map(({ node }) => node);
  const [nodes, setNodes] = useState<readonly string[]>(able);
  const [first, setFirst] = useState(able[0] ?? "");
  const [watchS, setWatchS] = useState<number>(30);
  const [reason, setReason] = useState("");
  const canary = watchS === 0 ? null : nodes.includes(first) ? first : (nodes[0] ?? null);
  const input = {
    cluster: cluster.name,
    revisions: Object.fromEntries(nodes.map((node) => [node, number])),
    canary,
    watchS,
  };
  const plan = useQuery({
    ...query.vcl.planRollout.queryOptions({ input }),
    ...fresh,
    enabled: nodes.length > 0,
  });
  const act = useMutation({
    mutationFn: () =>
      api.vcl.rollout({
        ...input,
        ...(reason.trim() === "" ? {} : { reason: reason.trim() }),
        ...(plan.data === undefined
          ? {}
          : { expected: Object.fromEntries(plan.data.nodes.map(({ node, before }) => [node, before.hash])) }),
      }),
    onSuccess: (row) => router.push(`/history/${row.id}`),
  });
  const nothing = plan.data?.nodes.every(({ already, keeps }) => already && !keeps) === true;
  return (
    <Confirm
      open
      title={t("vcl.roll.title", { number })}
      verb={t("vcl.roll.verb", { number, count: nodes.length })}
      busy={plan.data === undefined || nothing || act.isPending || nodes.length === 0}
      onConfirm={() => act.mutate()}
      onClose={onClose}
    >
      <div className="grid gap-3">
        <button type="button" className="link tap justify-self-start" onClick={onTry}>
          {t("vcl.try.first")}
        </button>
        <fieldset>
          <legend className="mb-1 font-medium text-ink">{t("vcl.roll.nodes")}</legend>
          <div className="flex flex-wrap gap-x-4">
            {able.map((node) => (
              <label key={node} className="tap flex items-center gap-1.5">
                <input
                  type="checkbox"
                  checked={nodes.includes(node)}
                  onChange={(event) =>
                    setNodes(
                      able.filter((one) => (one === node ? event.target.checked : nodes.includes(one))),
                    )
                  }
                />
                {node}
              </label>
            ))}
          </div>
        </fieldset>
        <div className="grid gap-3 sm:grid-cols-2">
          <div>
            <label htmlFor={`${id}-watch`} className="mb-1 block font-medium text-ink">
              {t("vcl.roll.watch")}
            </label>
            <select
              id={`${id}-watch`}
              className="input"
              value={watchS}
              onChange={(event) => setWatchS(Number(event.target.value))}
            >
              {seconds.map((one) => (
                <option key={one} value={one}>
                  {one === 0 ? t("vcl.roll.atOnce") : say.duration(one * 1000)}
                </option>
              ))}
            </select>
          </div>
          {watchS > 0 && (
            <div>
              <label htmlFor={`${id}-first`} className="mb-1 block font-medium text-ink">
                {t("vcl.roll.first")}
              </label>
              <select
                id={`${id}-first`}
                className="input"
                value={canary ?? ""}
                onChange={(event) => setFirst(event.target.value)}
              >
                {nodes.map((node) => (
                  <option key={node} value={node}>
                    {node}
                  </option>
                ))}
              </select>
            </div>
          )}
        </div>
        <Field
          label={t("vcl.roll.reason")}
          maxLength={500}
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
        {nodes.length > 0 && plan.error && <Failure error={plan.error} onRetry={() => void plan.refetch()} />}
        {nodes.length > 0 && !plan.data && !plan.error && <Skeleton rows={2} />}
        {plan.data && <Planned plan={plan.data} />}
      </div>
      {act.error && (
        <p className="mt-3" role="alert">
          <Status tone="down">{say.problem(problemOf(act.error))}</Status>
        </p>
      )}
    </Confirm>
  );
}
