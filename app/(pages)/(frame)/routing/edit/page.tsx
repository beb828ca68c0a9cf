// Traefik's files being written.
import type { Metadata } from "next";
import { getTranslations } from "next-intl/server";
import { EditPage } from "@/components/routing/files/edit-page";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations())("routing.files.edit") };
}

export default function Page() {
  return <EditPage />;
}
