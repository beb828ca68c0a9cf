// The REST API, readable.
import type { Metadata } from "next";
import { getTranslations } from "next-intl/server";
import { ApiReference } from "@/components/settings/api-reference";
import { openApiDocument } from "@/lib/api/openapi";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations())("settings.api") };
}

export default async function Page() {
  return <ApiReference document={await openApiDocument()} />;
}
