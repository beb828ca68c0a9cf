"use client";
// One's own name, password, second factor, browsers and API keys.
import { useMutation, useQuery } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { useRouter } from "next/navigation";
import { useTranslations } from "next-intl";
import { changePassword, rename, sessions, signOutElsewhere } from "@/components/entry/auth-calls";
import { fieldText, useForm } from "@/components/entry/form";
import { useMe } from "@/components/frame/me";
import { Field, FieldError } from "@/components/ui/field";
import { useSay } from "@/components/ui/say";
import { Failure, Skeleton } from "@/components/ui/states";
import { useToasts } from "@/components/ui/toast";
import { ApiKeys } from "./api-keys";
import { Section } from "./section";

const SecondFactor = dynamic(() => import("./second-factor").then((module) => module.SecondFactor), {
  ssr: false,
});

function Name() {
  const t = useTranslations();
  const me = useMe();
  const toasts = useToasts();
  const router = useRouter();
  const form = useForm(["name"]);
  return (
    <Section title={t("account.name")} text={me.email ?? undefined}>
      <form
        className="flex flex-wrap items-end gap-2"
        onSubmit={form.run(async (values) => {
          await rename(fieldText(values, "name").trim());
          toasts.tell(t("account.saved"));
          router.refresh();
        })}
      >
        <div className="min-w-60 flex-1 sm:max-w-sm">
          <Field
            label={t("users.name")}
            name="name"
            required
            maxLength={100}
            autoComplete="name"
            defaultValue={me.name}
            error={form.errorAt("name") ?? form.errorElsewhere}
          />
        </div>
        <button type="submit" className="btn" disabled={form.busy}>
          {t("act.save")}
        </button>
      </form>
    </Section>
  );
}

function Password() {
  const t = useTranslations();
  const toasts = useToasts();
  const form = useForm(["password", "newPassword"]);
  return (
    <Section title={t("account.password")} text={t("account.passwordText")}>
      <form
        className="grid gap-3 sm:max-w-sm"
        onSubmit={(event) => {
          const element = event.currentTarget;
          void form.run(async (values) => {
            await changePassword(fieldText(values, "password"), fieldText(values, "newPassword"));
            element.reset();
            toasts.tell(t("account.passwordChanged"));
          })(event);
        }}
      >
        <Field
          label={t("account.current")}
          name="password"
          type="password"
          required
          autoComplete="current-password"
          error={form.errorAt("password")}
        />
        <Field
          label={t("password.new")}
          name="newPassword"
          type="password"
          required
          autoComplete="new-password"
          help={t("password.help")}
          error={form.errorAt("newPassword")}
        />
        {form.errorElsewhere && <FieldError>{form.errorElsewhere}</FieldError>}
        <div>
          <button type="submit" className="btn" disabled={form.busy}>
            {t("account.changePassword")}
          </button>
        </div>
      </form>
    </Section>
  );
}

/** "Firefox, Linux" of a User-Agent header; the header itself where it says nothing known. */
export function browserOf(userAgent: string): string {
  const browser = /(Edg|OPR|Firefox|Chrome|Safari)(?:iOS)?\//.exec(userAgent)?.[1];
  const system = /(Windows|Android|iPhone|iPad|Mac OS X|CrOS|Linux)/.exec(userAgent)?.[1];
  const names: Record<string, string> = { Edg: "Edge", OPR: "Opera", "Mac OS X": "macOS", CrOS: "ChromeOS" };
  const known = [browser, system].filter((one) => one !== undefined).map((one) => names[one] ?? one);
  return known.length === 0 ? userAgent.slice(0, 40) : known.join(", ");
}

function Browsers() {
  const t = useTranslations();
  const say = useSay();
  const toasts = useToasts();
  const list = useQuery({ queryKey: ["sessions"], queryFn: sessions });
  const out = useMutation({
    mutationFn: signOutElsewhere,
    onSuccess: async () => {
      await list.refetch();
      toasts.tell(t("account.signedOutElsewhere"));
    },
    onError: toasts.fail,
  });
  return (
    <Section title={t("account.sessions")} text={t("account.sessionsText")}>
      <div className="card">
        {list.isPending && <Skeleton rows={2} />}
        {list.error && <Failure error={list.error} onRetry={() => void list.refetch()} />}
        <ul>
          {list.data?.map((session) => (
            <li key={session.token} className="row">
              <span>{browserOf(session.userAgent)}</span>
              <small className="num ml-auto text-right text-xs text-mute">
                {session.ipAddress} {session.createdAt !== "" && say.time(session.createdAt)}
              </small>
            </li>
          ))}
        </ul>
      </div>
      <button
        type="button"
        className="btn mt-3"
        disabled={out.isPending || (list.data?.length ?? 0) < 2}
        onClick={() => out.mutate()}
      >
        {t("account.signOutElsewhere")}
      </button>
    </Section>
  );
}

export function Account() {
  const t = useTranslations();
  return (
    <>
      <h1>{t("settings.account")}</h1>
      <Name />
      <Password />
      <SecondFactor />
      <Browsers />
      <ApiKeys />
    </>
  );
}
