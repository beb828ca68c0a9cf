// What the Varnish nodes run, and the revisions of their VCL.
import type { Metadata } from "next";
import { getTranslations } from "next-intl/server";
import { VclPage } from "@/components/vcl/vcl-page";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations())("rooms.vcl") };
}

export default function Page() {
  return <VclPage />;
}
