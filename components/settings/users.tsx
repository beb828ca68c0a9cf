"use client";
// Who may do what: roles, an editor's sites, one-time passwords.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { type FormEvent, useId, useState } from "react";
import { useMe } from "@/components/frame/me";
import { CopyButton } from "@/components/ui/copy-button";
import { Confirm, Dialog } from "@/components/ui/dialog";
import { Field, FieldError } from "@/components/ui/field";
import { problemOf } from "@/components/ui/problem";
import { useSay } from "@/components/ui/say";
import { Failure, Skeleton } from "@/components/ui/states";
import { Status } from "@/components/ui/status";
import { useToasts } from "@/components/ui/toast";
import { api, query } from "@/lib/api/client";
import type { UserRow } from "@/lib/users/contract";

const roles = ["viewer", "editor", "operator", "admin"] as const;
type Shown = { readonly name: string; readonly password: string };

function UserForm({
  user,
  onClose,
  onMade,
}: {
  readonly user: UserRow | null;
  readonly onClose: () => void;
  readonly onMade: (shown: Shown) => void;
}) {
  const t = useTranslations();
  const say = useSay();
  const id = useId();
  const queries = useQueryClient();
  const [name, setName] = useState(user?.name ?? "");
  const [email, setEmail] = useState(user?.email ?? "");
  const [role, setRole] = useState<UserRow["role"]>(user?.role ?? "editor");
  const [sites, setSites] = useState<readonly string[]>(user?.sites ?? []);
  const known = useQuery(query.purges.sites.queryOptions());
  const save = useMutation({
    mutationFn: async (): Promise<Shown | null> => {
      const values = { name: name.trim(), role, sites: role === "editor" ? [...sites] : [] };
      if (user !== null) {
        await api.users.update({ id: user.id, ...values });
        return null;
      }
      const made = await api.users.create({ ...values, email: email.trim() });
      return { name: made.user.name, password: made.password };
    },
    onSuccess: async (shown) => {
      await queries.invalidateQueries({ queryKey: query.users.list.key() });
      onClose();
      if (shown) onMade(shown);
    },
  });
  const problem = save.error ? problemOf(save.error) : null;
  const at = (field: string) => (problem?.field === field ? say.problem(problem) : null);
  const choices = [...new Set([...(known.data?.map((site) => site.name) ?? []), ...sites])];
  return (
    <Dialog
      open
      title={user === null ? t("users.new") : t("users.edit", { name: user.name })}
      onClose={onClose}
    >
      <form
        className="grid gap-4"
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <Field
          label={t("users.name")}
          required
          maxLength={100}
          value={name}
          onChange={(event) => setName(event.target.value)}
          error={at("name")}
        />
        {user === null && (
          <Field
            label={t("signIn.email")}
            type="email"
            required
            value={email}
            onChange={(event) => setEmail(event.target.value)}
            error={at("email")}
          />
        )}
        <fieldset>
          <legend className="mb-1 font-medium">{t("users.role")}</legend>
          <div className="grid gap-1">
            {roles.map((one) => (
              <label
                key={one}
                htmlFor={`${id}-${one}`}
                className="flex items-start gap-2 rounded-md border border-line px-2.5 py-2 has-checked:border-deep has-checked:bg-wash"
              >
                <input
                  id={`${id}-${one}`}
                  type="radio"
                  name="role"
                  className="mt-0.5 size-4 accent-[var(--deep)]"
                  checked={role === one}
                  onChange={() => setRole(one)}
                />
                <span>
                  <b className="font-semibold">{t(`roles.${one}`)}</b>
                  <span className="block text-xs text-mute">{t(`rolesText.${one}`)}</span>
                </span>
              </label>
            ))}
          </div>
        </fieldset>
        {role === "editor" && (
          <fieldset>
            <legend className="mb-1 font-medium">{t("users.sites")}</legend>
            {choices.length === 0 && <p className="text-mute">{t("wide.noSites")}</p>}
            <div className="flex flex-wrap gap-x-4">
              {choices.map((site) => (
                <label
                  key={site}
                  htmlFor={`${id}-site-${site}`}
                  className="tap inline-flex items-center gap-2"
                >
                  <input
                    id={`${id}-site-${site}`}
                    type="checkbox"
                    className="size-4 accent-[var(--deep)]"
                    checked={sites.includes(site)}
                    onChange={(event) =>
                      setSites(event.target.checked ? [...sites, site] : sites.filter((one) => one !== site))
                    }
                  />
                  {site}
                </label>
              ))}
            </div>
          </fieldset>
        )}
        {problem !== null && at("name") === null && at("email") === null && (
          <FieldError>{say.problem(problem)}</FieldError>
        )}
        <div className="flex justify-end gap-2">
          <button type="button" className="btn" onClick={onClose}>
            {t("act.cancel")}
          </button>
          <button type="submit" className="btn btn-primary" disabled={save.isPending}>
            {user === null ? t("users.make") : t("act.save")}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

export function Users() {
  const t = useTranslations();
  const say = useSay();
  const me = useMe();
  const toasts = useToasts();
  const queries = useQueryClient();
  const users = useQuery(query.users.list.queryOptions());
  const [form, setForm] = useState<UserRow | "new" | null>(null);
  const [removing, setRemoving] = useState<UserRow | null>(null);
  const [resetting, setResetting] = useState<UserRow | null>(null);
  const [shown, setShown] = useState<Shown | null>(null);
  const reload = () => queries.invalidateQueries({ queryKey: query.users.list.key() });
  const remove = useMutation({
    mutationFn: (id: string) => api.users.remove({ id }),
    onSuccess: reload,
    onError: toasts.fail,
    onSettled: () => setRemoving(null),
  });
  const ban = useMutation({
    mutationFn: (user: UserRow) => api.users.update({ id: user.id, banned: !user.banned }),
    onSuccess: reload,
    onError: toasts.fail,
  });
  const reset = useMutation({
    mutationFn: async (user: UserRow) => ({
      name: user.name,
      password: (await api.users.resetPassword({ id: user.id })).password,
    }),
    onSuccess: setShown,
    onError: toasts.fail,
    onSettled: () => setResetting(null),
  });
  return (
    <>
      <div className="mb-4 flex flex-wrap items-center gap-2">
        <h1 className="mr-auto">{t("settings.users")}</h1>
        {me.may.administer && (
          <button type="button" className="btn btn-primary" onClick={() => setForm("new")}>
            {t("users.new")}
          </button>
        )}
      </div>
      <div className="card">
        {users.error && <Failure error={users.error} onRetry={() => void users.refetch()} />}
        {users.isPending && <Skeleton rows={5} />}
        <ul>
          {users.data?.map((user) => (
            <li
              key={user.id}
              className="flex flex-wrap items-center gap-x-4 gap-y-1.5 border-b border-line p-3 last:border-0"
            >
              <div className="min-w-48 flex-1">
                <b className="font-semibold">{user.name}</b> <span className="text-mute">{user.email}</span>
                <p className="text-xs text-mute">
                  {t(`roles.${user.role}`)}
                  {user.role === "editor" &&
                    ` · ${user.sites.length === 0 ? t("users.noSites") : user.sites.join(", ")}`}
                  {" · "}
                  {user.lastSeenAt === null
                    ? t("users.neverSeen")
                    : t("users.seen", { time: say.time(user.lastSeenAt) })}
                </p>
              </div>
              {user.twoFactorEnabled && <Status tone="up">{t("users.twoFactor")}</Status>}
              {user.banned && <Status tone="down">{t("users.banned")}</Status>}
              <div className="flex flex-wrap gap-1.5">
                <button type="button" className="btn" onClick={() => setForm(user)}>
                  {t("act.edit")}
                </button>
                {user.id !== me.id && (
                  <>
                    <button type="button" className="btn" onClick={() => setResetting(user)}>
                      {t("users.reset")}
                    </button>
                    <button
                      type="button"
                      className="btn"
                      disabled={ban.isPending}
                      onClick={() => ban.mutate(user)}
                    >
                      {user.banned ? t("users.unban") : t("users.ban")}
                    </button>
                    <button type="button" className="btn" onClick={() => setRemoving(user)}>
                      {t("act.remove")}
                    </button>
                  </>
                )}
              </div>
            </li>
          ))}
        </ul>
      </div>
      {form !== null && (
        <UserForm user={form === "new" ? null : form} onClose={() => setForm(null)} onMade={setShown} />
      )}
      <Confirm
        open={removing !== null}
        title={t("users.removeTitle", { name: removing?.name ?? "" })}
        verb={t("users.removeVerb")}
        typed={removing?.email ?? null}
        danger
        busy={remove.isPending}
        onClose={() => setRemoving(null)}
        onConfirm={() => removing && remove.mutate(removing.id)}
      >
        {t("users.removeText")}
      </Confirm>
      <Confirm
        open={resetting !== null}
        title={t("users.resetTitle", { name: resetting?.name ?? "" })}
        verb={t("users.resetVerb")}
        busy={reset.isPending}
        onClose={() => setResetting(null)}
        onConfirm={() => resetting && reset.mutate(resetting)}
      >
        {t("users.resetText")}
      </Confirm>
      <Dialog
        open={shown !== null}
        title={t("users.passwordFor", { name: shown?.name ?? "" })}
        onClose={() => setShown(null)}
      >
        <p className="text-mute">{t("users.passwordText")}</p>
        <div className="mt-3 flex flex-wrap items-center gap-2">
          <code className="rounded-md border border-line bg-bg px-2.5 py-2 text-sm">{shown?.password}</code>
          <CopyButton text={shown?.password ?? ""} />
        </div>
      </Dialog>
    </>
  );
}
