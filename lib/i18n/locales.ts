// The languages Sluice speaks, and which one a visitor gets: their own choice first, then what the browser asks for.

export const locales = ["en", "fr"] as const;
export type Locale = (typeof locales)[number];
export const defaultLocale: Locale = "en";
/** Cookie with the visitor's own choice; it outlives the session so that the sign-in page speaks it too. */
export const localeCookie = "sluice-locale";
/** Each language in its own words, for the switcher. */
export const localeNames: Record<Locale, string> = { en: "English", fr: "Français" };

/** True for a language Sluice has messages in. */
export function isLocale(value: string | undefined): value is Locale {
  return locales.some((locale) => locale === value);
}

/** The best language for an `Accept-Language` header, by its q values; the default when none matches. */
export function negotiateLocale(header: string | null): Locale {
  const wanted = (header ?? "")
    .split(",")
    .map((part) => {
      const [tag = "", ...parameters] = part.trim().toLowerCase().split(";");
      const weight = parameters.map((text) => /^\s*q=([\d.]+)\s*$/.exec(text)?.[1]).find(Boolean);
      return { language: tag.split("-")[0] ?? "", weight: weight === undefined ? 1 : Number(weight) };
    })
    .filter((choice) => choice.weight > 0)
    .sort((a, b) => b.weight - a.weight);
  for (const { language } of wanted) if (isLocale(language)) return language;
  return defaultLocale;
}
