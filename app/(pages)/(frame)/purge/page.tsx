// The main job.
import type { Metadata } from "next";
import { getTranslations } from "next-intl/server";
import { PurgeRoom } from "@/components/purge/purge-room";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations())("rooms.purge") };
}

export default function Page() {
  return <PurgeRoom />;
}
