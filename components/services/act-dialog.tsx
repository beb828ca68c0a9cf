"use client";
// An act on containers: its plan from the server, then the button that says what it does.
import { useMutation, useQuery } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useTranslations } from "next-intl";
import { Confirm } from "@/components/ui/dialog";
import { problemOf } from "@/components/ui/problem";
import { useSay } from "@/components/ui/say";
import { Failure, Skeleton } from "@/components/ui/states";
import { Status } from "@/components/ui/status";
import { api, query } from "@/lib/api/client";
import type { ActInput } from "@/lib/services/acts/contract";

export type AskedAct = Pick<ActInput, "host" | "act" | "target">;

export function ActDialog({ asked, onClose }: { readonly asked: AskedAct; readonly onClose: () => void }) {
  const t = useTranslations();
  const say = useSay();
  const router = useRouter();
  const plan = useQuery({
    ...query.services.planAct.queryOptions({ input: asked }),
    staleTime: 0,
    gcTime: 0,
    retry: false,
    refetchOnWindowFocus: false,
  });
  const act = useMutation({
    mutationFn: (confirmation: string) =>
      api.services.act({
        ...asked,
        // What differs from what is shown here is refused.
        expected: Object.fromEntries(
          (plan.data?.containers ?? []).map(({ id, name, state, imageId, startedAt, restarts }) => [
            id,
            { name, state, imageId, startedAt, restarts },
          ]),
        ),
        ...(plan.data?.confirmation === null ? {} : { confirmation }),
      }),
    onSuccess: (row) => router.push(`/history/${row.id}`),
  });
  const count = plan.data?.containers.length ?? 1;
  const verb = t(`services.verbs.${asked.act}`, { count, name: plan.data?.title ?? "" });
  return (
    <Confirm
      open
      title={t(`services.asks.${asked.act}`, { count, name: plan.data?.title ?? "" })}
      verb={verb}
      typed={plan.data?.confirmation ?? null}
      danger={plan.data?.level === "destructive"}
      busy={!plan.data || act.isPending}
      onConfirm={(typed) => act.mutate(typed)}
      onClose={onClose}
    >
      {plan.error && <Failure error={plan.error} onRetry={() => void plan.refetch()} />}
      {!plan.data && !plan.error && <Skeleton rows={3} />}
      {plan.data && (
        <div className="grid gap-3">
          <p>{t(`services.effects.${asked.act}`)}</p>
          <ol className="card max-h-60 overflow-auto">
            {plan.data.containers.map((one) => (
              <li key={one.id} className="row">
                <b className="min-w-0 flex-1 font-medium text-ink">{one.name}</b>
                <span>{t(`services.states.${one.state}`)}</span>
                {one.already && <span className="text-faint">{t("services.already")}</span>}
              </li>
            ))}
          </ol>
          {plan.data.neededBy.length > 0 && (
            <p>
              <Status tone="warn">
                {t("services.neededBy", {
                  names: say.list(plan.data.neededBy),
                  count: plan.data.neededBy.length,
                })}
              </Status>
            </p>
          )}
          {plan.data.self !== null && (
            <p>
              <Status tone="warn">{t("services.leftOut", { name: plan.data.self })}</Status>
            </p>
          )}
          {plan.data.idle.length > 0 && (
            <p>
              <Status tone="unknown">
                {t("services.idleLeftOut", {
                  names: say.list(plan.data.idle),
                  count: plan.data.idle.length,
                })}
              </Status>
            </p>
          )}
          {plan.data.way !== null && (
            <p>
              <Status tone="warn">{t("services.wayLeftOut", { name: plan.data.way })}</Status>
            </p>
          )}
        </div>
      )}
      {act.error && (
        <p className="mt-3" role="alert">
          <Status tone="down">{say.problem(problemOf(act.error))}</Status>
        </p>
      )}
    </Confirm>
  );
}
