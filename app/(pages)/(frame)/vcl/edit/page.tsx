// A VCL being written.
import type { Metadata } from "next";
import { getTranslations } from "next-intl/server";
import { EditPage } from "@/components/vcl/edit-page";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations())("vcl.edit") };
}

export default function Page() {
  return <EditPage />;
}
