"use client";
// An act on a Swarm: what it is, what it will be, and the button that says so.
import { keepPreviousData, useMutation, useQuery } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useTranslations } from "next-intl";
import { useId, useState } from "react";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { problemOf } from "@/components/ui/problem";
import { useSay } from "@/components/ui/say";
import { Status } from "@/components/ui/status";
import { useSettled } from "@/components/ui/use-settled";
import { api, query } from "@/lib/api/client";
import { imageOf } from "@/lib/services/deploy/contract";
import type { SwarmInput, SwarmPlan } from "@/lib/services/swarm/contract";
import { ImageChoices, ImageDifference, TagList } from "./image-choices";
import { shortImage, unpinned } from "./words";

export type AskedSwarm =
  | { readonly act: "scale"; readonly name: string; readonly replicas: number }
  | { readonly act: "deploy"; readonly name: string; readonly image: string }
  | { readonly act: "restart"; readonly name: string }
  | {
      readonly act: "availability";
      readonly name: string;
      readonly availability: "active" | "drain";
      readonly label: string;
    };

/** What was written, or the change before which it shall be as it was. */
type Chosen = { readonly text: string; readonly kept: number | null };

const inputOf = (host: string, asked: AskedSwarm, { text, kept }: Chosen): SwarmInput => {
  switch (asked.act) {
    case "scale":
      return { host, act: "scale", name: asked.name, replicas: Number(text) };
    case "deploy":
      return { host, act: "deploy", name: asked.name, image: text, ...(kept === null ? {} : { kept }) };
    case "restart":
      return { host, act: "restart", name: asked.name };
    case "availability":
      return { host, act: "availability", name: asked.name, availability: asked.availability };
  }
};

function SwarmDifference({ plan }: { readonly plan: SwarmPlan }) {
  const t = useTranslations();
  const say = useSay();
  return (
    <div className="grid gap-3">
      {plan.target !== null && (
        <ImageDifference
          from={plan.from}
          fromId={null}
          to={plan.target}
          env={plan.env}
          labels={plan.labels}
        />
      )}
      {plan.target?.local && <Status tone="warn">{t("deploy.unpinned")}</Status>}
      {plan.from === plan.to && <Status tone="warn">{t("deploy.anew")}</Status>}
      {plan.differs.length > 0 && (
        <p className="text-mute">{t("deploy.specDiffers", { names: say.list(plan.differs) })}</p>
      )}
    </div>
  );
}

export function SwarmDialog({
  host,
  asked,
  onClose,
}: {
  readonly host: string;
  readonly asked: AskedSwarm;
  readonly onClose: () => void;
}) {
  const t = useTranslations();
  const say = useSay();
  const router = useRouter();
  const id = useId();
  const [chosen, setChosen] = useState<Chosen>({
    text:
      asked.act === "scale" ? String(asked.replicas) : asked.act === "deploy" ? unpinned(asked.image) : "",
    kept: null,
  });
  const write = (text: string) => setChosen({ text, kept: null });
  const settled = useSettled(chosen, 300);
  const choices = useQuery({
    ...query.swarm.choices.queryOptions({ input: { host, name: asked.name } }),
    enabled: asked.act === "deploy",
    retry: false,
    staleTime: 30_000,
  });
  const name = asked.act === "availability" ? asked.label : asked.name;
  const input = inputOf(host, asked, { ...settled, text: settled.text.trim() });
  const plan = useQuery({
    ...query.swarm.plan.queryOptions({ input }),
    enabled: asked.act !== "scale" && asked.act !== "deploy" ? true : settled.text.trim() !== "",
    placeholderData: keepPreviousData,
    staleTime: 0,
    gcTime: 0,
    retry: false,
    refetchOnWindowFocus: false,
  });
  const act = useMutation({
    // What somebody else changed since this was shown is refused.
    mutationFn: () => {
      const shown = plan.data;
      const expected = shown === undefined ? {} : { expected: shown.version };
      if (input.act !== "deploy") return api.swarm.act({ ...input, ...expected });
      const target = shown?.target ?? null;
      return api.swarm.act({
        ...input,
        ...expected,
        ...(target === null ? {} : { expectedImage: imageOf(target) }),
      });
    },
    onSuccess: (row) => router.push(`/history/${row.id}`),
  });
  const problem = plan.error ? say.problem(problemOf(plan.error)) : null;
  const ready = plan.data !== undefined && problem === null && settled === chosen && !plan.isPlaceholderData;
  const title =
    asked.act === "availability"
      ? t(`swarm.asks.${asked.availability}`, { name })
      : t(`swarm.asks.${asked.act}`, { name });
  return (
    <Dialog open wide={asked.act === "deploy"} title={title} onClose={onClose}>
      <form
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (ready && !act.isPending) act.mutate();
        }}
      >
        {asked.act === "scale" && (
          <Field
            label={t("swarm.replicas")}
            type="number"
            min={0}
            max={1000}
            error={problem}
            value={chosen.text}
            onChange={(event) => write(event.target.value)}
          />
        )}
        {asked.act === "deploy" && (
          <Field
            label={t("deploy.image")}
            help={t("deploy.imageHelp")}
            list={`${id}-tags`}
            className="font-mono"
            autoComplete="off"
            spellCheck={false}
            error={problem}
            value={chosen.text}
            onChange={(event) => write(event.target.value)}
          />
        )}
        <TagList id={`${id}-tags`} choices={choices.data} />
        {choices.data !== undefined && (
          <ImageChoices
            choices={choices.data}
            onTag={write}
            earlier={choices.data.earlier.map(({ kept, at, image }) => ({
              key: kept,
              at,
              image,
              choose: () => setChosen({ text: image, kept }),
            }))}
          />
        )}
        <p className="text-mute">
          {asked.act === "availability"
            ? t(`swarm.effects.${asked.availability}`)
            : t(`swarm.effects.${asked.act}`)}
        </p>
        {plan.data && problem === null && (
          <p>
            {plan.data.from !== plan.data.to && plan.data.target === null && (
              <>
                <code>{unpinned(plan.data.from)}</code> → <code>{unpinned(plan.data.to)}</code>{" "}
              </>
            )}
            <span className="text-mute">{t("swarm.tasksNow", { count: plan.data.tasks })}</span>
          </p>
        )}
        {plan.data && problem === null && asked.act === "deploy" && <SwarmDifference plan={plan.data} />}
        {(asked.act === "restart" || asked.act === "availability") && problem !== null && (
          <Status tone="down">{problem}</Status>
        )}
        {act.error && (
          <p role="alert">
            <Status tone="down">{say.problem(problemOf(act.error))}</Status>
          </p>
        )}
        <div className="flex flex-wrap justify-end gap-2">
          <button type="button" className="btn" onClick={onClose}>
            {t("act.cancel")}
          </button>
          <button type="submit" className="btn btn-primary" disabled={!ready || act.isPending}>
            {asked.act === "availability"
              ? t(`swarm.verbs.${asked.availability}`, { name })
              : t(`swarm.verbs.${asked.act}`, { name, to: shortImage(plan.data?.to ?? "") })}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
