// One's own name, password, second factor and keys.
import type { Metadata } from "next";
import { getTranslations } from "next-intl/server";
import { Account } from "@/components/settings/account";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations())("settings.account") };
}

export default function Page() {
  return <Account />;
}
