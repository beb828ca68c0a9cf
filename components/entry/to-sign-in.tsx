"use client";
// Sends a stranger to the door, with the way back: a bookmarklet's address survives the sign-in.
import { useTranslations } from "next-intl";
import { useEffect } from "react";

/** The door, with the page one is on as the way back. */
export function doorFor(path: string): string {
  return path === "/overview" ? "/sign-in" : `/sign-in?next=${encodeURIComponent(path)}`;
}

export function ToSignIn() {
  const t = useTranslations();
  useEffect(() => location.replace(doorFor(location.pathname + location.search)), []);
  return (
    <main className="p-6 text-mute">
      <a className="link" href="/sign-in">
        {t("signIn.title")}
      </a>
    </main>
  );
}
