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
import { type DeployPlan, imageOf } from "@/lib/services/deploy/contract";
import { ImageChoices, ImageDifference, TagList } from "./image-choices";
import { shortImage } from "./words";

type Chosen = { readonly image: string; readonly imageId?: string; readonly digest?: string };
const watches = [10, 30, 60, 300, 600] as const;

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
      const { container, to } = plan.data as DeployPlan;
      const { name, state, imageId, startedAt, restarts } = container;
      return api.services.deploy({
        ...asked,
        expected: { name, state, imageId, startedAt, restarts },
        expectedImage: imageOf(to),
      });
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
        <TagList id={`${id}-tags`} choices={choices.data} />
        {choices.data !== undefined && (
          <ImageChoices
            choices={choices.data}
            onTag={(image) => setChosen({ image })}
            earlier={choices.data.earlier.map((one) => ({
              key: one.imageId,
              image: one.image,
              at: one.at,
              choose: () =>
                setChosen({
                  image: one.image,
                  imageId: one.imageId,
                  ...(one.digest === null ? {} : { digest: one.digest }),
                }),
            }))}
          />
        )}
        {plan.isLoading && <Skeleton rows={4} />}
        {plan.data !== undefined && problem === null && (
          <div className={`grid gap-3 ${ready ? "" : "opacity-60"}`}>
            <ImageDifference
              from={plan.data.from.image}
              fromId={plan.data.from.imageId}
              to={plan.data.to}
              env={plan.data.env}
              labels={plan.data.labels}
            />
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
            {plan.data.container.state !== "running" && <Status tone="warn">{t("deploy.notRunning")}</Status>}
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
            {t("deploy.verb", { image: shortImage(plan.data?.to.image ?? chosen.image) })}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
