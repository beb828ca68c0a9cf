"use client";
// The first administrator: whoever can read the console has the code.
import { useTranslations } from "next-intl";
import { Field, FieldError } from "@/components/ui/field";
import { setUp } from "./auth-calls";
import { fieldText, useForm } from "./form";

export function Setup() {
  const t = useTranslations();
  const form = useForm(["code", "name", "email", "password"]);
  return (
    <>
      <h1 className="text-2xl">{t("setup.title")}</h1>
      <p className="mt-1.5 text-base text-mute">{t("setup.text")}</p>
      <form
        className="mt-5 grid gap-4"
        onSubmit={form.run(async (values) => {
          const value = (name: string) => fieldText(values, name);
          await setUp({
            code: value("code").trim(),
            name: value("name").trim(),
            email: value("email").trim(),
            password: value("password"),
          });
          location.assign("/");
        })}
      >
        <Field
          label={t("setup.code")}
          name="code"
          required
          autoComplete="off"
          spellCheck={false}
          className="input-large font-mono"
          help={t("setup.codeHelp")}
          error={form.errorAt("code")}
        />
        <Field
          label={t("setup.name")}
          name="name"
          required
          maxLength={100}
          autoComplete="name"
          className="input-large"
          error={form.errorAt("name")}
        />
        <Field
          label={t("signIn.email")}
          name="email"
          type="email"
          required
          autoComplete="username"
          className="input-large"
          error={form.errorAt("email")}
        />
        <Field
          label={t("signIn.password")}
          name="password"
          type="password"
          required
          autoComplete="new-password"
          className="input-large"
          help={t("password.help")}
          error={form.errorAt("password")}
        />
        {form.errorElsewhere && <FieldError>{form.errorElsewhere}</FieldError>}
        <button type="submit" className="btn btn-primary btn-large" disabled={form.busy}>
          {t("setup.button")}
        </button>
      </form>
    </>
  );
}
