// The images of what runs, and newer ones.
import type { Metadata } from "next";
import { getTranslations } from "next-intl/server";
import { ImagesPage } from "@/components/services/images-page";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations())("services.images") };
}

export default function Page() {
  return <ImagesPage />;
}
