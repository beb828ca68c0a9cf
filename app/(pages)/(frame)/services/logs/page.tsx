// Logs of one or several services, merged in time order.
import type { Metadata } from "next";
import { getTranslations } from "next-intl/server";
import { LogsPage } from "@/components/services/logs-page";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations())("services.logs") };
}

export default function Page() {
  return <LogsPage />;
}
