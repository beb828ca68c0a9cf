"use client";
// A question is asked again when something else says that its answer is old.
import { useEffect, useRef } from "react";

/** Calls `ask` whenever `sign` is another than before; not for the first one, with which the page asks anyway. `ask` must be stable. */
export function useAgain(sign: unknown, ask: () => unknown): void {
  const before = useRef(sign);
  useEffect(() => {
    if (before.current === sign) return;
    before.current = sign;
    void ask();
  }, [sign, ask]);
}
