"use client";
// Whether the screen is as a media query says, now and when it changes.
import { useCallback, useSyncExternalStore } from "react";

/** True while the query matches; for what is drawn in the browser only. */
export function useMedia(query: string): boolean {
  const watch = useCallback(
    (told: () => void) => {
      const media = matchMedia(query);
      media.addEventListener("change", told);
      return () => media.removeEventListener("change", told);
    },
    [query],
  );
  return useSyncExternalStore(
    watch,
    () => matchMedia(query).matches,
    () => false,
  );
}
