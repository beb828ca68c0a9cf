// A one-time password is changed before anything else.
import type { Metadata } from "next";
import { headers } from "next/headers";
import { redirect } from "next/navigation";
import { getTranslations } from "next-intl/server";
import { FirstPassword } from "@/components/entry/first-password";
import { identityOf } from "@/lib/auth/session";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations())("password.title") };
}

export default async function Page() {
  const identity = await identityOf(await headers());
  if (identity === null) redirect("/sign-in");
  if (!identity.user.mustChangePassword) redirect("/");
  return <FirstPassword email={identity.user.email} />;
}
