// The first administrator, by the code on the console.
import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { getTranslations } from "next-intl/server";
import { Setup } from "@/components/entry/setup";
import { signInOptions } from "@/lib/auth/sign-in-options";

export const dynamic = "force-dynamic";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations())("setup.title") };
}

export default async function Page() {
  if (!(await signInOptions()).setupNeeded) redirect("/sign-in");
  return <Setup />;
}
