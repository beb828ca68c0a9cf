// A draft that is not saved yet, kept in this browser: a closed tab or a reload loses nothing.
import type * as z from "zod";

/** Takes every draft of this browser away: who signs out may leave it to somebody else. */
export function dropAllDrafts(): void {
  try {
    for (const key of Object.keys(localStorage))
      if (/^sluice\.[\w-]+\.draft /.test(key)) localStorage.removeItem(key);
  } catch {}
}

/** Drafts of one kind: `kind` is theirs alone, `key` tells one from another. */
export function draftsOf<T>(kind: string, shape: z.ZodType<T>) {
  const keyOf = (key: string): string => `sluice.${kind}.draft ${key}`;
  return {
    /** The draft, or null where there is none that can be read. */
    read(key: string): T | null {
      try {
        return shape.safeParse(JSON.parse(localStorage.getItem(keyOf(key)) ?? "null")).data ?? null;
      } catch {
        return null;
      }
    },
    /** Keeps it; a browser without room for it keeps nothing, and the page still has it. */
    keep(key: string, draft: T): void {
      try {
        localStorage.setItem(keyOf(key), JSON.stringify(draft));
      } catch {}
    },
    drop(key: string): void {
      try {
        localStorage.removeItem(keyOf(key));
      } catch {}
    },
  };
}
