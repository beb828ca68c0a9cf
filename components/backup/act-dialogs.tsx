"use client";
// Before a repository's locks are taken away, or it is made: what the server says would happen.
import { useMutation, useQuery } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useTranslations } from "next-intl";
import { useState } from "react";
import { Confirm } from "@/components/ui/dialog";
import { problemOf } from "@/components/ui/problem";
import { useSay } from "@/components/ui/say";
import { Failure, Skeleton } from "@/components/ui/states";
import { Status } from "@/components/ui/status";
import { api, query } from "@/lib/api/client";
import { LockLine } from "./lock-line";

/** A plan is of the moment. */
const fresh = { staleTime: 0, gcTime: 0, retry: false, refetchOnWindowFocus: false } as const;

function ActError({ error }: { readonly error: unknown }) {
  const say = useSay();
  return (
    <p className="mt-3" role="alert">
      <Status tone="down">{say.problem(problemOf(error))}</Status>
    </p>
  );
}

export function UnlockDialog({
  repository,
  onClose,
}: {
  readonly repository: string;
  readonly onClose: () => void;
}) {
  const t = useTranslations();
  const router = useRouter();
  const [all, setAll] = useState(false);
  const plan = useQuery({
    ...query.backup.planUnlock.queryOptions({ input: { repository, all } }),
    ...fresh,
  });
  const act = useMutation({
    mutationFn: (confirmation: string) =>
      api.backup.unlock({ repository, all, ...(confirmation === "" ? {} : { confirmation }) }),
    onSuccess: (row) => router.push(`/history/${row.id}`),
  });
  const locks = plan.data?.locks ?? [];
  const taken = locks.filter(({ stale }) => all || stale);
  return (
    <Confirm
      open
      title={t("backup.unlock.title", { repository })}
      verb={t("backup.unlock.verb", { count: taken.length })}
      typed={plan.data?.confirmation ?? null}
      danger={plan.data?.confirmation != null}
      busy={!plan.data || act.isPending}
      onConfirm={(typed) => act.mutate(typed)}
      onClose={onClose}
    >
      <div className="grid gap-3">
        <p>{t(all ? "backup.unlock.effectAll" : "backup.unlock.effect")}</p>
        {plan.error && <Failure error={plan.error} onRetry={() => void plan.refetch()} />}
        {!plan.data && !plan.error && <Skeleton rows={2} />}
        {locks.length > 0 && (
          <ul className="card">
            {locks.map((lock) => (
              <LockLine key={lock.id} lock={lock} />
            ))}
          </ul>
        )}
        <label className="tap flex items-center gap-1.5">
          <input type="checkbox" checked={all} onChange={(event) => setAll(event.target.checked)} />
          {t("backup.unlock.all")}
        </label>
      </div>
      {act.error && <ActError error={act.error} />}
    </Confirm>
  );
}

export function InitDialog({
  repository,
  onClose,
}: {
  readonly repository: string;
  readonly onClose: () => void;
}) {
  const t = useTranslations();
  const router = useRouter();
  const plan = useQuery({ ...query.backup.planInit.queryOptions({ input: { repository } }), ...fresh });
  const act = useMutation({
    mutationFn: () => api.backup.init({ repository }),
    onSuccess: (row) => router.push(`/history/${row.id}`),
  });
  return (
    <Confirm
      open
      title={t("backup.init.title", { repository })}
      verb={t("backup.init.verb")}
      busy={!plan.data || act.isPending}
      onConfirm={() => act.mutate()}
      onClose={onClose}
    >
      <div className="grid gap-3">
        {plan.error && <Failure error={plan.error} onRetry={() => void plan.refetch()} />}
        {!plan.data && !plan.error && <Skeleton rows={2} />}
        {plan.data && (
          <p>
            {t("backup.init.effect", { version: plan.data.version })}{" "}
            <code className="break-all text-ink">{plan.data.address}</code>
          </p>
        )}
        <p>{t("backup.init.password")}</p>
      </div>
      {act.error && <ActError error={act.error} />}
    </Confirm>
  );
}
