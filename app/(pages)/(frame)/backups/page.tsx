// Repositories of backups, and what is in them.
import type { Metadata } from "next";
import { getTranslations } from "next-intl/server";
import { BackupsPage } from "@/components/backup/backups-page";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations())("rooms.backups") };
}

export default function Page() {
  return <BackupsPage />;
}
