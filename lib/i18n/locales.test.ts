// Which language a visitor gets.
import { describe, expect, it } from "vitest";
import { isLocale, negotiateLocale } from "./locales";

describe("negotiateLocale", () => {
  it.each([
    ["fr-CH, fr;q=0.9, en;q=0.8", "fr"],
    ["en;q=0.4, fr;q=0.6", "fr"],
    ["de, en-GB;q=0.7, fr;q=0.3", "en"],
    ["fr;q=0, en;q=0.1", "en"],
    ["de", "en"],
    ["", "en"],
    [null, "en"],
  ])("%s -> %s", (header, locale) => expect(negotiateLocale(header)).toBe(locale));
});

it("knows its own languages only", () => {
  expect(isLocale("fr")).toBe(true);
  expect(isLocale("../etc")).toBe(false);
  expect(isLocale(undefined)).toBe(false);
});
