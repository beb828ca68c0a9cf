"use client";
// Setting a zone's security level or development mode: what it is, what it will be, for whom, and the button that says so.
import { keepPreviousData, useMutation, useQuery } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useTranslations } from "next-intl";
import { useId, useState } from "react";
import { Confirm } from "@/components/ui/dialog";
import { problemOf } from "@/components/ui/problem";
import { useSay } from "@/components/ui/say";
import { Failure, Skeleton } from "@/components/ui/states";
import { Status } from "@/components/ui/status";
import { api, query } from "@/lib/api/client";
import { attackMinutes, type SecurityLevel, securityLevel } from "@/lib/cloudflare/contract";

export type AskedZone =
  | { readonly act: "level"; readonly level: SecurityLevel }
  | { readonly act: "development"; readonly value: "on" | "off" };

type Props<A extends AskedZone["act"]> = {
  readonly name: string;
  /** The zone's plan: not each has every level. */
  readonly plan: string;
  readonly asked: Extract<AskedZone, { act: A }>;
  readonly onClose: () => void;
};

/** A plan is of the moment: what is shown is what is refused when it has changed. */
const fresh = { staleTime: 0, gcTime: 0, retry: false, refetchOnWindowFocus: false } as const;
const choices = [15, 30, attackMinutes.usual, 120, 360, attackMinutes.most] as const;

function Sites({ sites }: { readonly sites: readonly string[] }) {
  const t = useTranslations();
  const say = useSay();
  return <p>{t("zone.sites", { count: sites.length, names: say.list(sites) })}</p>;
}

function From({ before, after }: { readonly before: string; readonly after: string }) {
  return (
    <p>
      <span>{before}</span> <span aria-hidden="true">→</span>{" "}
      <b className="font-semibold text-ink">{after}</b>
    </p>
  );
}

function Trouble({ error }: { readonly error: unknown }) {
  const say = useSay();
  return (
    <p className="mt-3" role="alert">
      <Status tone="down">{say.problem(problemOf(error))}</Status>
    </p>
  );
}

function LevelDialog({ name, plan: zonePlan, asked, onClose }: Props<"level">) {
  const t = useTranslations();
  const say = useSay();
  const router = useRouter();
  const id = useId();
  const [level, setLevel] = useState(asked.level);
  const [minutes, setMinutes] = useState<number>(attackMinutes.usual);
  const input = { name, level, ...(level === "under_attack" ? { minutes } : {}) };
  const plan = useQuery({
    ...query.cloudflare.planSecurity.queryOptions({ input }),
    ...fresh,
    placeholderData: keepPreviousData,
  });
  const shown = plan.isPlaceholderData ? undefined : plan.data;
  const act = useMutation({
    mutationFn: () =>
      api.cloudflare.security({ ...input, ...(plan.data ? { expected: plan.data.before } : {}) }),
    onSuccess: (row) => router.push(`/history/${row.id}`),
  });
  const attack = level === "under_attack";
  const same = shown !== undefined && shown.before === level && !attack;
  const time = say.duration(minutes * 60_000);
  return (
    <Confirm
      open
      title={t("zone.askLevel", { name })}
      verb={attack ? t("zone.doAttack", { time }) : t("zone.doLevel", { level: t(`zone.levels.${level}`) })}
      danger={attack}
      busy={shown === undefined || same || act.isPending || plan.error !== null}
      onConfirm={() => act.mutate()}
      onClose={onClose}
    >
      <div className="grid gap-3">
        <div>
          <label htmlFor={`${id}-level`} className="mb-1 block font-medium text-ink">
            {t("zone.level")}
          </label>
          <select
            id={`${id}-level`}
            className="input"
            value={level}
            onChange={(event) => setLevel(securityLevel.parse(event.target.value))}
          >
            {securityLevel.options
              .filter((one) => one !== "off" || zonePlan === "enterprise")
              .map((one) => (
                <option key={one} value={one}>
                  {t(`zone.levels.${one}`)}
                </option>
              ))}
          </select>
        </div>
        {attack && (
          <div>
            <label htmlFor={`${id}-minutes`} className="mb-1 block font-medium text-ink">
              {t("zone.howLong")}
            </label>
            <select
              id={`${id}-minutes`}
              className="input"
              value={minutes}
              onChange={(event) => setMinutes(Number(event.target.value))}
            >
              {choices.map((one) => (
                <option key={one} value={one}>
                  {say.duration(one * 60_000)}
                </option>
              ))}
            </select>
          </div>
        )}
        {plan.error && <Failure error={plan.error} onRetry={() => void plan.refetch()} />}
        {!plan.data && !plan.error && <Skeleton rows={2} />}
        {plan.data && !plan.error && (
          <>
            <From before={t(`zone.levels.${plan.data.before}`)} after={t(`zone.levels.${level}`)} />
            {same && <Status tone="unknown">{t("zone.already")}</Status>}
            <p>{t(`zone.effects.${level}`)}</p>
            {shown?.until != null && shown.backTo !== null && (
              <p>
                {t("zone.then", { time: say.time(shown.until), level: t(`zone.levels.${shown.backTo}`) })}
              </p>
            )}
            <Sites sites={plan.data.sites} />
          </>
        )}
      </div>
      {act.error && <Trouble error={act.error} />}
    </Confirm>
  );
}

function DevelopmentDialog({ name, asked: { value }, onClose }: Props<"development">) {
  const t = useTranslations();
  const router = useRouter();
  const plan = useQuery({
    ...query.cloudflare.planDevelopment.queryOptions({ input: { name, value } }),
    ...fresh,
  });
  const act = useMutation({
    mutationFn: () =>
      api.cloudflare.development({ name, value, ...(plan.data ? { expected: plan.data.before } : {}) }),
    onSuccess: (row) => router.push(`/history/${row.id}`),
  });
  const same = plan.data?.before === value;
  return (
    <Confirm
      open
      title={t(`zone.askDevelopment.${value}`, { name })}
      verb={t(value === "on" ? "zone.turnOn" : "zone.turnOff")}
      busy={!plan.data || same || act.isPending}
      onConfirm={() => act.mutate()}
      onClose={onClose}
    >
      {plan.error && <Failure error={plan.error} onRetry={() => void plan.refetch()} />}
      {!plan.data && !plan.error && <Skeleton rows={2} />}
      {plan.data && (
        <div className="grid gap-3">
          <From before={t(`zone.${plan.data.before}`)} after={t(`zone.${value}`)} />
          {same && <Status tone="unknown">{t("zone.already")}</Status>}
          <p>{t(`zone.effects.development-${value}`)}</p>
          <Sites sites={plan.data.sites} />
        </div>
      )}
      {act.error && <Trouble error={act.error} />}
    </Confirm>
  );
}

export const ZoneDialog = ({ asked, ...props }: Omit<Props<"level">, "asked"> & { asked: AskedZone }) =>
  asked.act === "level" ? (
    <LevelDialog {...props} asked={asked} />
  ) : (
    <DevelopmentDialog {...props} asked={asked} />
  );
