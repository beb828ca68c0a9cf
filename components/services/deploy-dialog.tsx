"use client";
// Another image for a service: chosen from its registry or from what it ran before, with what differs, then watched.
import { keepPreviousData, useMutation, useQuery } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useTranslations } from "next-intl";
import { useId, useState } from "react";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { problemOf } from "@/components/ui/problem";
import { useSay } from "@/components/ui/say";
import { Skeleton } from "@/components/ui/states";
import { Status } from "@/components/ui/status";
import { useSettled } from "@/components/ui/use-settled";
import { api, query } from "@/lib/api/client";
import type { ServiceRow } from "@/lib/services/contract";
import type { DeployPlan } from "@/lib/services/deploy/contract";

type Chosen = { readonly image: string; readonly imageId?: string };
const watches = [10, 30, 60, 300, 600] as const;

/** What another image changes, in words. */
function Differs({ plan }: { readonly plan: DeployPlan }) {
  const t = useTranslations();
  const say = useSay();
  const names = (all: DeployPlan["env"], what: string) =>
    (all ?? []).filter((one) => one.what === what).map(({ name }) => name);
  const line = (label: string, all: DeployPlan["env"]) => (
    <div className="row">
      <dt className="w-28 shrink-0 text-mute">{label}</dt>
      <dd className="min-w-0 flex-1">
        {all === null && t("deploy.notKnown")}
        {all?.length === 0 && t("deploy.noChange")}
        {(["added", "changed", "removed"] as const).map((what) => {
          const some = names(all, what);
          return (
            some.length > 0 && (
              <span key={what} className="block">
                {t(`deploy.${what}`)} <code>{some.join(", ")}</code>
              </span>
            )
          );
        })}
      </dd>
    </div>
  );
  return (
    <dl className="card text-ink">
      <div className="row">
        <dt className="w-28 shrink-0 text-mute">{t("deploy.from")}</dt>
        <dd className="min-w-0 flex-1">
          <code>{plan.from.image}</code> <code className="text-mute">{plan.from.imageId.slice(7, 19)}</code>
        </dd>
      </div>
      <div className="row">
        <dt className="w-28 shrink-0 text-mute">{t("deploy.to")}</dt>
        <dd className="min-w-0 flex-1">
          <code>{plan.to.image}</code>{" "}
          <code className="text-mute">{(plan.to.imageId ?? plan.to.digest ?? "").slice(7, 19)}</code>
          <span className="block text-mute">
            {[
              plan.to.createdAt === null ? null : t("deploy.made", { date: say.date(plan.to.createdAt) }),
              plan.to.size === null ? null : say.bytes(plan.to.size),
              plan.to.local ? t("deploy.local") : t("deploy.pulled"),
            ]
              .filter(Boolean)
              .join(" · ")}
          </span>
          {plan.to.imageId === plan.from.imageId && <Status tone="warn">{t("deploy.same")}</Status>}
        </dd>
      </div>
      {line(t("services.env"), plan.env)}
      {line(t("deploy.labels"), plan.labels)}
    </dl>
  );
}

export function DeployDialog({ row, onClose }: { readonly row: ServiceRow; readonly onClose: () => void }) {
  const t = useTranslations();
  const say = useSay();
  const router = useRouter();
  const id = useId();
  const input = { host: row.host, id: row.name };
  const [chosen, setChosen] = useState<Chosen>({ image: row.image });
  const [seconds, setSeconds] = useState<number>(30);
  const settled = useSettled(chosen, 400);
  const choices = useQuery({
    ...query.services.choices.queryOptions({ input }),
    retry: false,
    staleTime: 30_000,
  });
  const asked = { ...input, ...settled, watchMs: seconds * 1000 };
  const plan = useQuery({
    ...query.services.planDeploy.queryOptions({ input: asked }),
    enabled: settled.image.trim() !== "",
    placeholderData: keepPreviousData,
    staleTime: 0,
    gcTime: 0,
    retry: false,
    refetchOnWindowFocus: false,
  });
  const start = useMutation({
    mutationFn: () => {
      const { container } = plan.data as DeployPlan;
      const { name, state, imageId, startedAt, restarts } = container;
      return api.services.deploy({ ...asked, expected: { name, state, imageId, startedAt, restarts } });
    },
    onSuccess: (change) => router.push(`/history/${change.id}`),
  });
  const ready = plan.data !== undefined && !plan.isPlaceholderData && !plan.error && settled === chosen;
  const problem = plan.error ? say.problem(problemOf(plan.error)) : null;
  return (
    <Dialog open wide title={t("deploy.title", { name: row.name })} onClose={onClose}>
      <form
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (ready && !start.isPending) start.mutate();
        }}
      >
        <Field
          label={t("deploy.image")}
          help={t("deploy.imageHelp")}
          error={problem}
          className="font-mono"
          autoComplete="off"
          spellCheck={false}
          list={`${id}-tags`}
          value={chosen.image}
          onChange={(event) => setChosen({ image: event.target.value })}
        />
        <datalist id={`${id}-tags`}>
          {choices.data?.tags.map((tag) => (
            <option key={tag} value={`${choices.data.image}:${tag}`} />
          ))}
        </datalist>
        {choices.data !== undefined && (
          <div className="grid gap-2">
            {choices.data.newer.length > 0 && (
              <p className="flex flex-wrap items-center gap-2">
                <span className="text-mute">{t("deploy.newer")}</span>
                {choices.data.newer.slice(0, 5).map((tag) => (
                  <button
                    key={tag}
                    type="button"
                    className="btn"
                    onClick={() => setChosen({ image: `${choices.data.image}:${tag}` })}
                  >
                    {tag}
                  </button>
                ))}
              </p>
            )}
            {choices.data.earlier.length > 0 && (
              <p className="flex flex-wrap items-center gap-2">
                <span className="text-mute">{t("deploy.earlier")}</span>
                {choices.data.earlier.slice(0, 5).map((one) => (
                  <button
                    key={one.imageId}
                    type="button"
                    className="btn"
                    title={one.imageId}
                    onClick={() => setChosen({ image: one.image, imageId: one.imageId })}
                  >
                    {one.image.split("/").at(-1)} <span className="text-mute">{say.time(one.at)}</span>
                  </button>
                ))}
              </p>
            )}
            {choices.data.problem !== null && (
              <p className="text-mute">
                {t("deploy.noTags")}{" "}
                {say.key("problems", choices.data.problem.problem, choices.data.problem.params)}
              </p>
            )}
          </div>
        )}
        {plan.isLoading && <Skeleton rows={4} />}
        {plan.data !== undefined && problem === null && (
          <div className={`grid gap-3 ${ready ? "" : "opacity-60"}`}>
            <Differs plan={plan.data} />
            {plan.data.neededBy.length > 0 && (
              <Status tone="warn">
                {t("services.neededBy", {
                  names: say.list(plan.data.neededBy),
                  count: plan.data.neededBy.length,
                })}
              </Status>
            )}
            {plan.data.compose && (
              <Status tone="warn">{t("deploy.compose", { image: plan.data.to.image })}</Status>
            )}
            {!plan.data.container.healthCheck && <Status tone="warn">{t("deploy.noHealth")}</Status>}
          </div>
        )}
        <div>
          <label htmlFor={`${id}-watch`} className="mb-1 block font-medium">
            {t("deploy.watch")}
          </label>
          <select
            id={`${id}-watch`}
            className="input w-auto!"
            value={seconds}
            onChange={(event) => setSeconds(Number(event.target.value))}
          >
            {watches.map((one) => (
              <option key={one} value={one}>
                {say.duration(one * 1000)}
              </option>
            ))}
          </select>
          <p className="mt-1 text-xs text-mute">{t("deploy.watchHelp")}</p>
        </div>
        {start.error && (
          <p role="alert">
            <Status tone="down">{say.problem(problemOf(start.error))}</Status>
          </p>
        )}
        <div className="flex flex-wrap justify-end gap-2">
          <button type="button" className="btn" onClick={onClose}>
            {t("act.cancel")}
          </button>
          <button type="submit" className="btn btn-primary" disabled={!ready || start.isPending}>
            {t("deploy.verb", { image: (plan.data?.to.image ?? chosen.image).split("/").at(-1) ?? "" })}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
