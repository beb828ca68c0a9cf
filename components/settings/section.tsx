// One matter of a settings page: what it is beside what one does about it.
import type { ReactNode } from "react";

export function Section({
  id,
  title,
  text,
  children,
}: {
  readonly id?: string;
  readonly title: string;
  readonly text?: string | undefined;
  readonly children: ReactNode;
}) {
  return (
    <section
      {...(id === undefined ? {} : { id })}
      className="grid gap-x-8 gap-y-3 border-b border-line py-6 last:border-0 md:grid-cols-[240px_minmax(0,1fr)]"
    >
      <div>
        <h2>{title}</h2>
        {text !== undefined && <p className="mt-1 text-mute">{text}</p>}
      </div>
      <div className="min-w-0">{children}</div>
    </section>
  );
}
