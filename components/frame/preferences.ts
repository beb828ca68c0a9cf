// What a visitor chooses for this browser: language, theme, folded sidebar. Kept in cookies so that the server's first byte has it.

/** Keeps a choice for a year; null forgets it. */
export function keepChoice(cookie: string, value: string | null): void {
  const age = value === null ? 0 : 31_536_000;
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser yet
  document.cookie = `${cookie}=${value ?? ""}; path=/; max-age=${age}; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;
}

export const foldCookie = "sluice-folded";
