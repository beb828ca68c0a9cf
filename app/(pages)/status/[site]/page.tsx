// A site's status, for everybody or for those who have the site. Who may not see it sees what there is where nothing is.
import type { Metadata } from "next";
import { headers } from "next/headers";
import { notFound } from "next/navigation";
import { getTranslations } from "next-intl/server";
import { StatusPage } from "@/components/status/status-page";
import { mayBeIndexed, statusFor } from "@/lib/status/service";

type Props = { readonly params: Promise<{ site: string }> };

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const { site } = await params;
  const page = await statusFor(site, await headers());
  if (page === null) return {};
  const t = await getTranslations();
  return {
    title: { absolute: t("status.of", { site: page.title }) },
    description: null,
    ...(mayBeIndexed(site) ? { robots: { index: true, follow: false } } : {}),
  };
}

export default async function Page({ params }: Props) {
  const page = await statusFor((await params).site, await headers());
  if (page === null) notFound();
  return <StatusPage page={page} />;
}
