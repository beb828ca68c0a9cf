// The door.
import type { Metadata } from "next";
import { headers } from "next/headers";
import { redirect } from "next/navigation";
import { getTranslations } from "next-intl/server";
import { SignIn } from "@/components/entry/sign-in";
import { actorOf } from "@/lib/auth/session";
import { signInOptions } from "@/lib/auth/sign-in-options";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations())("signIn.title") };
}

export default async function Page() {
  const options = await signInOptions();
  if (options.setupNeeded) redirect("/setup");
  if ((await actorOf(await headers())) !== null) redirect("/");
  return <SignIn providers={options.providers} />;
}
