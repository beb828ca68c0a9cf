// Which router takes a request.
import type { Metadata } from "next";
import { getTranslations } from "next-intl/server";
import { RoutingPage } from "@/components/routing/routing-page";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations())("rooms.routing") };
}

export default function Page() {
  return <RoutingPage />;
}
