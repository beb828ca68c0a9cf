// A Swarm: its nodes, its services, their tasks.
import type { Metadata } from "next";
import { getTranslations } from "next-intl/server";
import { SwarmPage } from "@/components/services/swarm-page";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations())("swarm.title") };
}

export default function Page() {
  return <SwarmPage />;
}
