// Every service of the stack, live.
import type { Metadata } from "next";
import { getTranslations } from "next-intl/server";
import { ServicesRoom } from "@/components/services/services-room";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations())("rooms.services") };
}

export default function Page() {
  return <ServicesRoom />;
}
