// What differs between two snapshots.
import type { Metadata } from "next";
import { getTranslations } from "next-intl/server";
import { DifferencePage } from "@/components/backup/difference-page";

type Props = { params: Promise<{ repository: string }> };

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations())("backup.difference") };
}

export default async function Page({ params }: Props) {
  const { repository } = await params;
  return <DifferencePage repository={decodeURIComponent(repository)} />;
}
