"use client";
// The tabs of Settings.
import Link from "next/link";
import { usePathname } from "next/navigation";
import { useTranslations } from "next-intl";
import { useMe } from "@/components/frame/me";
import { settingsPages } from "@/components/frame/rooms";

export function SettingsTabs() {
  const t = useTranslations();
  const me = useMe();
  const path = usePathname();
  return (
    <nav
      aria-label={t("rooms.settings")}
      className="flex gap-1 overflow-x-auto border-b border-line px-3 sm:px-5"
    >
      {settingsPages
        .filter((page) => !page.admin || me.may.administer)
        .map((page) => {
          const here = path === page.href;
          return (
            <Link
              key={page.href}
              href={page.href}
              aria-current={here ? "page" : undefined}
              className={`tap border-b-2 px-2.5 py-2 font-medium whitespace-nowrap ${here ? "border-deep text-ink" : "border-transparent text-mute hover:text-ink"}`}
            >
              {t(page.label)}
            </Link>
          );
        })}
    </nav>
  );
}
