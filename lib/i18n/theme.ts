// Light or dark: the visitor's own choice in a cookie (so that the server's first byte has it: no flash), else the system's.

export const themes = ["light", "dark"] as const;
export type Theme = (typeof themes)[number];
export const themeCookie = "sluice-theme";

/** True for a theme one can choose. */
export function isTheme(value: string | undefined): value is Theme {
  return themes.some((theme) => theme === value);
}
