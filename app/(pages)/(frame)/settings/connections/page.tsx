// Every system, and why one is not connected.
import type { Metadata } from "next";
import { getTranslations } from "next-intl/server";
import { Connections } from "@/components/settings/connections";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations())("settings.connections") };
}

export default function Page() {
  return <Connections />;
}
