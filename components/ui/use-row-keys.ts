"use client";
// j and k on every list whose rows are marked with data-row.
import { useEffect } from "react";

/** j and k go through the rows, Enter opens the one that has the focus. */
export function useRowKeys(): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || (event.key !== "j" && event.key !== "k")) return;
      if (event.target instanceof HTMLElement && /^(input|textarea|select)$/i.test(event.target.tagName))
        return;
      const links = [...document.querySelectorAll<HTMLElement>("[data-row]")];
      const at = links.findIndex((link) => link.matches(":focus"));
      links[event.key === "j" ? Math.min(at + 1, links.length - 1) : Math.max(at - 1, 0)]?.focus();
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, []);
}
