// What scrolls sideways must be reachable by the keyboard: one place for it.
import type { ReactNode } from "react";

/** A named region that scrolls sideways by itself, so that the page never does. */
export function Scroll({
  label,
  className = "",
  children,
}: {
  readonly label: string;
  readonly className?: string;
  readonly children: ReactNode;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls is moved by the arrow keys once it has the focus
    <section className={`overflow-x-auto ${className}`} aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
