"use client";
// The alerts of one component, on its page; nothing where there are none.
import Link from "next/link";
import { useTranslations } from "next-intl";
import { AlertLine } from "./alert-line";
import { useAlerts } from "./words";

export function ComponentAlerts({ of }: { readonly of: string }) {
  const t = useTranslations();
  // Its own state is what this page is about.
  const all = useAlerts().data?.alerts.filter(
    ({ component, source }) => component === of && source !== "sluice",
  );
  if (all === undefined || all.length === 0) return null;
  return (
    <section className="card min-w-0" aria-labelledby="component-alerts">
      <h2 id="component-alerts">
        <Link className="link" href="/incidents/alerts">
          {t("health.alerts")}
        </Link>
      </h2>
      <ol>
        {all.map((one) => (
          <AlertLine key={one.id} alert={one} onSilence={null} />
        ))}
      </ol>
    </section>
  );
}
