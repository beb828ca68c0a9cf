"use client";
// A password that an administrator gave is changed before anything else.
import { useTranslations } from "next-intl";
import { Field, FieldError } from "@/components/ui/field";
import { changePassword, signOut } from "./auth-calls";
import { fieldText, useForm } from "./form";

export function FirstPassword({ email }: { readonly email: string }) {
  const t = useTranslations();
  const form = useForm(["password", "newPassword"]);
  return (
    <>
      <h1 className="text-2xl">{t("password.title")}</h1>
      <p className="mt-1.5 text-base text-mute">{t("password.text")}</p>
      <form
        className="mt-5 grid gap-4"
        onSubmit={form.run(async (values) => {
          await changePassword(fieldText(values, "password"), fieldText(values, "newPassword"));
          location.assign("/");
        })}
      >
        <input type="hidden" name="email" autoComplete="username" value={email} />
        <Field
          label={t("password.given")}
          name="password"
          type="password"
          required
          autoComplete="current-password"
          className="input-large"
          error={form.errorAt("password")}
        />
        <Field
          label={t("password.new")}
          name="newPassword"
          type="password"
          required
          autoComplete="new-password"
          className="input-large"
          help={t("password.help")}
          error={form.errorAt("newPassword")}
        />
        {form.errorElsewhere && <FieldError>{form.errorElsewhere}</FieldError>}
        <button type="submit" className="btn btn-primary btn-large" disabled={form.busy}>
          {t("password.button")}
        </button>
        <button
          type="button"
          className="link tap justify-self-center"
          onClick={() => void signOut().then(() => location.assign("/sign-in"))}
        >
          {t("act.signOut")}
        </button>
      </form>
    </>
  );
}
