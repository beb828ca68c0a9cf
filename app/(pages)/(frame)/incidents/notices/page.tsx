// Where notices go, and what became of them.
import type { Metadata } from "next";
import { getTranslations } from "next-intl/server";
import { NoticesPage } from "@/components/incidents/notices-page";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations())("notices.title") };
}

export default function Page() {
  return <NoticesPage />;
}
