"use client";
// Language and theme, one button each.
import { useRouter } from "next/navigation";
import { useLocale, useTranslations } from "next-intl";
import { useEffect, useState } from "react";
import { MoonIcon, ScreenIcon, SunIcon } from "@/components/ui/icons";
import { localeCookie, localeNames } from "@/lib/i18n/locales";
import { isTheme, type Theme, themeCookie } from "@/lib/i18n/theme";
import { keepChoice } from "./preferences";

/** Switches to the other language, at once and for the next visits. */
export function LanguageSwitch() {
  const locale = useLocale();
  const router = useRouter();
  const t = useTranslations();
  const other = locale === "fr" ? "en" : "fr";
  return (
    <button
      type="button"
      lang={other}
      title={localeNames[other]}
      className="btn btn-quiet px-2 uppercase"
      onClick={() => {
        keepChoice(localeCookie, other);
        router.refresh();
      }}
    >
      <span aria-hidden="true">{other}</span>
      <span className="sr-only">{`${t("frame.language")} ${localeNames[other]}`}</span>
    </button>
  );
}

type Choice = Theme | "system";
const icons = { system: ScreenIcon, light: SunIcon, dark: MoonIcon };
const next: Record<Choice, Choice> = { system: "light", light: "dark", dark: "system" };

/** System, light, dark, and round again. */
export function ThemeSwitch() {
  const t = useTranslations();
  const [choice, setChoice] = useState<Choice>("system");
  useEffect(() => {
    const current = document.documentElement.dataset.theme;
    setChoice(isTheme(current) ? current : "system");
  }, []);
  const Icon = icons[choice];
  const label = t("frame.theme", { theme: t(`frame.themes.${choice}`) });
  return (
    <button
      type="button"
      title={label}
      className="btn btn-quiet px-2"
      onClick={() => {
        const chosen = next[choice];
        if (chosen === "system") delete document.documentElement.dataset.theme;
        else document.documentElement.dataset.theme = chosen;
        keepChoice(themeCookie, chosen === "system" ? null : chosen);
        setChoice(chosen);
      }}
    >
      <Icon />
      <span className="sr-only">{label}</span>
    </button>
  );
}
