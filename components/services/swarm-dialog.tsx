"use client";
// An act on a Swarm: what it is, what it will be, and the button that says so.
import { keepPreviousData, useMutation, useQuery } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useTranslations } from "next-intl";
import { useState } from "react";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { problemOf } from "@/components/ui/problem";
import { useSay } from "@/components/ui/say";
import { Status } from "@/components/ui/status";
import { useSettled } from "@/components/ui/use-settled";
import { api, query } from "@/lib/api/client";
import type { SwarmInput } from "@/lib/services/swarm/contract";

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

const inputOf = (host: string, asked: AskedSwarm, text: string): SwarmInput => {
  switch (asked.act) {
    case "scale":
      return { host, act: "scale", name: asked.name, replicas: Number(text) };
    case "deploy":
      return { host, act: "deploy", name: asked.name, image: text };
    case "restart":
      return { host, act: "restart", name: asked.name };
    case "availability":
      return { host, act: "availability", name: asked.name, availability: asked.availability };
  }
};

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
  const [text, setText] = useState(
    asked.act === "scale"
      ? String(asked.replicas)
      : asked.act === "deploy"
        ? asked.image.replace(/@.*$/, "")
        : "",
  );
  const settled = useSettled(text, 300);
  const name = asked.act === "availability" ? asked.label : asked.name;
  const input = inputOf(host, asked, settled.trim());
  const plan = useQuery({
    ...query.swarm.plan.queryOptions({ input }),
    enabled: asked.act !== "scale" && asked.act !== "deploy" ? true : settled.trim() !== "",
    placeholderData: keepPreviousData,
    staleTime: 0,
    gcTime: 0,
    retry: false,
    refetchOnWindowFocus: false,
  });
  const act = useMutation({
    // What somebody else changed since this was shown is refused.
    mutationFn: () => api.swarm.act({ ...input, ...(plan.data ? { expected: plan.data.version } : {}) }),
    onSuccess: (row) => router.push(`/history/${row.id}`),
  });
  const problem = plan.error ? say.problem(problemOf(plan.error)) : null;
  const ready = plan.data !== undefined && problem === null && settled === text && !plan.isPlaceholderData;
  const title =
    asked.act === "availability"
      ? t(`swarm.asks.${asked.availability}`, { name })
      : t(`swarm.asks.${asked.act}`, { name });
  return (
    <Dialog open title={title} onClose={onClose}>
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
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        )}
        {asked.act === "deploy" && (
          <Field
            label={t("deploy.image")}
            className="font-mono"
            autoComplete="off"
            spellCheck={false}
            error={problem}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        )}
        <p className="text-mute">
          {asked.act === "availability"
            ? t(`swarm.effects.${asked.availability}`)
            : t(`swarm.effects.${asked.act}`)}
        </p>
        {plan.data && problem === null && (
          <p>
            {plan.data.from !== plan.data.to && (
              <>
                <code>{plan.data.from}</code> → <code>{plan.data.to}</code>{" "}
              </>
            )}
            <span className="text-mute">{t("swarm.tasksNow", { count: plan.data.tasks })}</span>
          </p>
        )}
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
              : t(`swarm.verbs.${asked.act}`, { name, to: plan.data?.to ?? "" })}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
