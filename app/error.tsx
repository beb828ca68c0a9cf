"use client";
// A page that broke: say so, name it, and offer the way on.
import { useTranslations } from "next-intl";

export default function PageError({
  error,
  reset,
}: {
  error: Error & { digest?: string };
  reset: () => void;
}) {
  const t = useTranslations();
  return (
    <main className="mx-auto max-w-[420px] px-4 py-[16dvh]">
      <h1 className="text-2xl">{t("broken.title")}</h1>
      <p className="mt-2 text-base text-mute">{t("broken.text")}</p>
      {error.digest && <code className="mt-2 block text-mute">{error.digest}</code>}
      <button type="button" className="btn btn-primary btn-large mt-5" onClick={reset}>
        {t("act.retry")}
      </button>
    </main>
  );
}
