// An address that leads nowhere.
import Link from "next/link";
import { getTranslations } from "next-intl/server";

export default async function NotFound() {
  const t = await getTranslations();
  return (
    <main className="mx-auto max-w-[420px] px-4 py-[16dvh]">
      <h1 className="text-2xl">{t("notFound.title")}</h1>
      <p className="mt-2 text-base text-mute">{t("notFound.text")}</p>
      <Link href="/" className="btn btn-primary btn-large mt-5">
        {t("notFound.home")}
      </Link>
    </main>
  );
}
