// The usual acts on Traefik's files.
import type { Metadata } from "next";
import { getTranslations } from "next-intl/server";
import { ActsPage } from "@/components/routing/acts/acts-page";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations())("routing.acts.title") };
}

export default function Page() {
  return <ActsPage />;
}
