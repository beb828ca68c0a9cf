// Two VCLs side by side.
import type { Metadata } from "next";
import { getTranslations } from "next-intl/server";
import { ComparePage } from "@/components/vcl/compare-page";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations())("vcl.difference") };
}

export default function Page() {
  return <ComparePage />;
}
