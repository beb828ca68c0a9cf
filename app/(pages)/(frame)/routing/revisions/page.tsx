// Revisions of Traefik's files.
import type { Metadata } from "next";
import { getTranslations } from "next-intl/server";
import { RevisionsPage } from "@/components/routing/files/revisions-page";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations())("vcl.revisions") };
}

export default function Page() {
  return <RevisionsPage />;
}
