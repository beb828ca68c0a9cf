"use client";
// API keys: made with a scope, shown once, revoked.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { type FormEvent, useId, useState } from "react";
import { CopyButton } from "@/components/ui/copy-button";
import { Confirm, Dialog } from "@/components/ui/dialog";
import { Field, FieldError } from "@/components/ui/field";
import { problemOf } from "@/components/ui/problem";
import { useSay } from "@/components/ui/say";
import { Failure, Skeleton } from "@/components/ui/states";
import { useToasts } from "@/components/ui/toast";
import { api, query } from "@/lib/api/client";
import { Section } from "./section";

const scopes = ["purge", "read", "all"] as const;
const lifetimes = [30, 90, 365, 0] as const;

export function ApiKeys() {
  const t = useTranslations();
  const say = useSay();
  const id = useId();
  const toasts = useToasts();
  const queries = useQueryClient();
  const keys = useQuery(query.users.keys.queryOptions());
  const [name, setName] = useState("");
  const [scope, setScope] = useState<(typeof scopes)[number]>("purge");
  const [days, setDays] = useState(365);
  const [made, setMade] = useState<string | null>(null);
  const [revoking, setRevoking] = useState<{ id: string; name: string } | null>(null);
  const reload = () => queries.invalidateQueries({ queryKey: query.users.keys.key() });
  const make = useMutation({
    mutationFn: () =>
      api.users.createKey({ name: name.trim(), scope, ...(days === 0 ? {} : { expiresInDays: days }) }),
    onSuccess: async ({ key }) => {
      setMade(key);
      setName("");
      await reload();
    },
  });
  const revoke = useMutation({
    mutationFn: (key: string) => api.users.removeKey({ id: key }),
    onSuccess: reload,
    onError: toasts.fail,
    onSettled: () => setRevoking(null),
  });
  return (
    <Section id="keys" title={t("account.keys")} text={t("account.keysText")}>
      <form
        className="grid gap-3 sm:grid-cols-[minmax(0,1fr)_150px_150px_auto] sm:items-end"
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          make.mutate();
        }}
      >
        <Field
          label={t("keysPage.name")}
          required
          maxLength={80}
          placeholder={t("keysPage.placeholder")}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <div>
          <label htmlFor={`${id}-scope`} className="mb-1 block font-medium">
            {t("keysPage.scope")}
          </label>
          <select
            id={`${id}-scope`}
            className="input"
            value={scope}
            onChange={(event) => setScope(scopes.find((one) => one === event.target.value) ?? "purge")}
          >
            {scopes.map((one) => (
              <option key={one} value={one}>
                {t(`scopes.${one}`)}
              </option>
            ))}
          </select>
        </div>
        <div>
          <label htmlFor={`${id}-days`} className="mb-1 block font-medium">
            {t("keysPage.expires")}
          </label>
          <select
            id={`${id}-days`}
            className="input"
            value={days}
            onChange={(event) => setDays(Number(event.target.value))}
          >
            {lifetimes.map((one) => (
              <option key={one} value={one}>
                {one === 0 ? t("keysPage.never") : t("keysPage.days", { count: one })}
              </option>
            ))}
          </select>
        </div>
        <button type="submit" className="btn" disabled={make.isPending}>
          {t("keysPage.make")}
        </button>
      </form>
      {make.error && <FieldError>{say.problem(problemOf(make.error))}</FieldError>}
      <div className="card mt-4">
        {keys.isPending && <Skeleton rows={2} />}
        {keys.error && <Failure error={keys.error} onRetry={() => void keys.refetch()} />}
        {keys.data?.length === 0 && <p className="p-3 text-mute">{t("keysPage.none")}</p>}
        <ul>
          {keys.data?.map((key) => (
            <li
              key={key.id}
              className="flex flex-wrap items-center gap-x-4 gap-y-1 border-b border-line p-3 last:border-0"
            >
              <div className="min-w-40 flex-1">
                <b className="font-semibold">{key.name}</b> <code className="text-mute">{key.start}…</code>
                <p className="text-xs text-mute">
                  {t(`scopes.${key.scope}`)}
                  {" · "}
                  {key.expiresAt === null
                    ? t("keysPage.never")
                    : t("keysPage.until", { date: say.date(key.expiresAt) })}
                  {" · "}
                  {key.lastUsedAt === null
                    ? t("keysPage.unused")
                    : t("keysPage.used", { time: say.time(key.lastUsedAt) })}
                </p>
              </div>
              <button
                type="button"
                className="btn"
                onClick={() => setRevoking({ id: key.id, name: key.name })}
              >
                {t("keysPage.revoke")}
              </button>
            </li>
          ))}
        </ul>
      </div>
      <Dialog open={made !== null} title={t("keysPage.madeTitle")} onClose={() => setMade(null)}>
        <p className="text-mute">{t("keysPage.madeText")}</p>
        <code className="mt-3 block rounded-md border border-line bg-bg px-2.5 py-2 break-all">{made}</code>
        <CopyButton className="mt-3" text={made ?? ""} />
      </Dialog>
      <Confirm
        open={revoking !== null}
        title={t("keysPage.revokeTitle", { name: revoking?.name ?? "" })}
        verb={t("keysPage.revoke")}
        danger
        busy={revoke.isPending}
        onClose={() => setRevoking(null)}
        onConfirm={() => revoking && revoke.mutate(revoking.id)}
      >
        {t("keysPage.revokeText")}
      </Confirm>
    </Section>
  );
}
