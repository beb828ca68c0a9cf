// Who may do what.
import type { Metadata } from "next";
import { getTranslations } from "next-intl/server";
import { Users } from "@/components/settings/users";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations())("settings.users") };
}

export default function Page() {
  return <Users />;
}
