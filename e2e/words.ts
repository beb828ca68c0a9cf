// What the interface says, by key: the tests ask for the same words that people read, in either language.
import { readFileSync } from "node:fs";
import { createTranslator } from "next-intl";

export type Locale = "en" | "fr";

const messages = (locale: Locale): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL(`../messages/${locale}.json`, import.meta.url), "utf8"));

type Words = (key: string, values?: Record<string, string | number>) => string;

/** `words("fr")("purge.button")`; a key that is not there fails the test. */
export function words(locale: Locale): Words {
  // The keys' types are the application's own; here a wrong one throws.
  return createTranslator({
    locale,
    messages: messages(locale),
    onError: (error) => {
      throw error;
    },
  }) as unknown as Words;
}

export const en = words("en");
export const fr = words("fr");
