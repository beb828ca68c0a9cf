// Everything that was changed, and by whom.
import type { Metadata } from "next";
import { getTranslations } from "next-intl/server";
import { HistoryList } from "@/components/history/history-list";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations())("rooms.history") };
}

export default function Page() {
  return <HistoryList />;
}
