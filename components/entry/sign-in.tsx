"use client";
// Sign-in: e-mail and password, then a code where a second factor is on; or a provider of sluice.yaml.
import { useSearchParams } from "next/navigation";
import { useTranslations } from "next-intl";
import { useState } from "react";
import { Field, FieldError } from "@/components/ui/field";
import { signIn, signInCode, signInWith } from "./auth-calls";
import { fieldText, useForm } from "./form";

/** Where to go after signing in: a path of our own, never another site. */
export function ownPath(next: string | null): string {
  return next !== null && /^\/(?![/\\])/.test(next) && !next.startsWith("/sign-in") ? next : "/";
}

export function SignIn({
  providers,
}: {
  readonly providers: readonly { readonly name: string; readonly title: string }[];
}) {
  const t = useTranslations();
  const next = ownPath(useSearchParams().get("next"));
  const [step, setStep] = useState<"password" | "code">("password");
  const form = useForm(["email", "password", "code"]);
  if (step === "code") {
    return (
      <>
        <h1 className="text-2xl">{t("signIn.codeTitle")}</h1>
        <p className="mt-1.5 text-base text-mute">{t("signIn.codeText")}</p>
        <form
          className="mt-5 grid gap-4"
          onSubmit={form.run(async (values) => {
            await signInCode(fieldText(values, "code"));
            location.assign(next);
          })}
        >
          <Field
            label={t("signIn.code")}
            name="code"
            autoComplete="one-time-code"
            inputMode="text"
            required
            autoFocus
            className="input-large font-mono"
            error={form.errorAt("code")}
          />
          {form.errorElsewhere && <FieldError>{form.errorElsewhere}</FieldError>}
          <button type="submit" className="btn btn-primary btn-large" disabled={form.busy}>
            {t("signIn.button")}
          </button>
          <button type="button" className="link tap justify-self-center" onClick={() => setStep("password")}>
            {t("act.back")}
          </button>
        </form>
      </>
    );
  }
  return (
    <>
      <h1 className="text-2xl">{t("signIn.title")}</h1>
      <form
        className="mt-5 grid gap-4"
        onSubmit={form.run(async (values) => {
          const then = await signIn(fieldText(values, "email").trim(), fieldText(values, "password"));
          if (then === "code") setStep("code");
          else location.assign(next);
        })}
      >
        <Field
          label={t("signIn.email")}
          name="email"
          type="email"
          autoComplete="username"
          required
          className="input-large"
          error={form.errorAt("email")}
        />
        <Field
          label={t("signIn.password")}
          name="password"
          type="password"
          autoComplete="current-password"
          required
          className="input-large"
          error={form.errorAt("password")}
        />
        {form.errorElsewhere && <FieldError>{form.errorElsewhere}</FieldError>}
        <button type="submit" className="btn btn-primary btn-large" disabled={form.busy}>
          {form.busy ? t("signIn.busy") : t("signIn.button")}
        </button>
      </form>
      {providers.length > 0 && (
        <div className="mt-6 grid gap-2 border-t border-line pt-5">
          {providers.map((provider) => (
            <form
              key={provider.name}
              onSubmit={form.run(async () => location.assign(await signInWith(provider.name, next)))}
            >
              <button type="submit" className="btn btn-large w-full" disabled={form.busy}>
                {t("signIn.with", { provider: provider.title })}
              </button>
            </form>
          ))}
        </div>
      )}
      <p className="mt-6 text-mute">{t("signIn.help")}</p>
    </>
  );
}
