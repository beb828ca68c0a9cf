"use client";
// What was typed before React was awake stands in its field, and no event told of it.
import { type RefObject, useEffect, useRef } from "react";

/** Hands the text that stands in `field` to `take` once, as the page wakes up. */
export function useEarlyText(
  field: RefObject<HTMLInputElement | HTMLTextAreaElement | null>,
  take: (text: string) => void,
): void {
  const latest = useRef(take);
  latest.current = take;
  useEffect(() => {
    if (field.current !== null) latest.current(field.current.value);
  }, [field]);
}
