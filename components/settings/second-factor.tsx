"use client";
// The second factor: a picture for the app, its first code as proof, and the backup codes. Drawn here, sent nowhere.
import { useRouter } from "next/navigation";
import { useTranslations } from "next-intl";
import { toDataURL } from "qrcode";
import { useState } from "react";
import { beginSecondFactor, confirmSecondFactor, endSecondFactor } from "@/components/entry/auth-calls";
import { fieldText, useForm } from "@/components/entry/form";
import { useMe } from "@/components/frame/me";
import { CopyButton } from "@/components/ui/copy-button";
import { Field, FieldError } from "@/components/ui/field";
import { Status } from "@/components/ui/status";
import { useToasts } from "@/components/ui/toast";
import { Section } from "./section";

type Begun = { readonly picture: string; readonly secret: string; readonly backupCodes: readonly string[] };

export function SecondFactor() {
  const t = useTranslations();
  const me = useMe();
  const router = useRouter();
  const toasts = useToasts();
  const [begun, setBegun] = useState<Begun | null>(null);
  const form = useForm(["password", "code"]);
  return (
    <Section title={t("account.secondFactor")} text={t("account.secondFactorText")}>
      {me.twoFactorEnabled ? (
        <form
          className="grid gap-3 sm:max-w-sm"
          onSubmit={form.run(async (values) => {
            await endSecondFactor(fieldText(values, "password"));
            toasts.tell(t("account.secondFactorEnded"), "warn");
            router.refresh();
          })}
        >
          <p>
            <Status tone="up">{t("account.secondFactorOn")}</Status>
          </p>
          <Field
            label={t("account.current")}
            name="password"
            type="password"
            required
            autoComplete="current-password"
            error={form.errorAt("password")}
          />
          {form.errorElsewhere && <FieldError>{form.errorElsewhere}</FieldError>}
          <div>
            <button type="submit" className="btn" disabled={form.busy}>
              {t("account.endSecondFactor")}
            </button>
          </div>
        </form>
      ) : begun === null ? (
        <form
          className="grid gap-3 sm:max-w-sm"
          onSubmit={form.run(async (values) => {
            const { uri, backupCodes } = await beginSecondFactor(fieldText(values, "password"));
            setBegun({
              picture: await toDataURL(uri, { margin: 1, width: 220 }),
              secret: new URL(uri).searchParams.get("secret") ?? "",
              backupCodes,
            });
          })}
        >
          <Field
            label={t("account.current")}
            name="password"
            type="password"
            required
            autoComplete="current-password"
            error={form.errorAt("password")}
          />
          {form.errorElsewhere && <FieldError>{form.errorElsewhere}</FieldError>}
          <div>
            <button type="submit" className="btn" disabled={form.busy}>
              {t("account.beginSecondFactor")}
            </button>
          </div>
        </form>
      ) : (
        <div className="grid gap-4">
          <div className="flex flex-wrap gap-4">
            {/* biome-ignore lint/performance/noImgElement: a picture made in this browser */}
            <img
              src={begun.picture}
              width={220}
              height={220}
              alt={t("account.picture")}
              className="rounded-md border border-line"
            />
            <div className="min-w-56 flex-1">
              <p>{t("account.scan")}</p>
              <p className="mt-2 text-mute">{t("account.orType")}</p>
              <code className="mt-1 block break-all">{begun.secret}</code>
              <form
                className="mt-4 grid gap-3"
                onSubmit={form.run(async (values) => {
                  await confirmSecondFactor(fieldText(values, "code"));
                  toasts.tell(t("account.secondFactorOn"));
                  setBegun(null);
                  router.refresh();
                })}
              >
                <Field
                  label={t("signIn.code")}
                  name="code"
                  required
                  inputMode="numeric"
                  autoComplete="one-time-code"
                  className="font-mono"
                  error={form.errorAt("code")}
                />
                {form.errorElsewhere && <FieldError>{form.errorElsewhere}</FieldError>}
                <div>
                  <button type="submit" className="btn btn-primary" disabled={form.busy}>
                    {t("account.confirmSecondFactor")}
                  </button>
                </div>
              </form>
            </div>
          </div>
          <div className="card p-3">
            <p className="font-semibold">{t("account.backupCodes")}</p>
            <p className="text-mute">{t("account.backupText")}</p>
            <ul className="mt-2 grid grid-cols-2 gap-1 sm:grid-cols-3">
              {begun.backupCodes.map((code) => (
                <li key={code}>
                  <code>{code}</code>
                </li>
              ))}
            </ul>
            <CopyButton className="mt-3" text={begun.backupCodes.join("\n")} />
          </div>
        </div>
      )}
    </Section>
  );
}
