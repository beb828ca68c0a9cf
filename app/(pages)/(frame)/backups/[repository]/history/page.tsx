// One file over all snapshots.
import type { Metadata } from "next";
import { getTranslations } from "next-intl/server";
import { FileHistoryPage } from "@/components/backup/file-history-page";

type Props = { params: Promise<{ repository: string }> };

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations())("backup.history") };
}

export default async function Page({ params }: Props) {
  const { repository } = await params;
  return <FileHistoryPage repository={decodeURIComponent(repository)} />;
}
