// One address through all layers.
import type { Metadata } from "next";
import { getTranslations } from "next-intl/server";
import { TracePage } from "@/components/trace/trace-page";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations())("trace.title") };
}

export default function Page() {
  return <TracePage />;
}
