"use client";
// What became of the containers of an act: before, and as the engine says now.
import Link from "next/link";
import { useTranslations } from "next-intl";
import { serviceAddress } from "@/components/services/words";
import { useSay } from "@/components/ui/say";
import { Status } from "@/components/ui/status";
import type { ChangeDetail } from "@/lib/changes/contract";
import { actEvidence, actPlan } from "@/lib/services/acts/contract";

export function ActProof({ detail }: { readonly detail: ChangeDetail }) {
  const t = useTranslations();
  const say = useSay();
  const plan = actPlan.safeParse(detail.plan);
  const evidence = actEvidence.safeParse(detail.evidence);
  if (!plan.success) return null;
  const { host, containers } = plan.data;
  const state = (word: string) => say.key("services.states", word);
  return (
    <section className="card">
      <h2>{t("services.proofTitle")}</h2>
      <ul>
        {containers.map((planned) => {
          const seen = evidence.success
            ? evidence.data.containers.find(({ id }) => id === planned.id)
            : undefined;
          return (
            <li key={planned.id} className="row flex-wrap">
              {seen?.after === "gone" ? (
                <span className="min-w-40 flex-1">{planned.name}</span>
              ) : (
                <Link className="link min-w-40 flex-1" href={serviceAddress({ host, name: planned.name })}>
                  {planned.name}
                </Link>
              )}
              <span className="text-mute">{state(planned.state)}</span>
              <span aria-hidden="true" className="text-faint">
                →
              </span>
              {seen === undefined ? (
                <Status tone="unknown">{t("services.verdicts.unknown")}</Status>
              ) : (
                <Status tone={seen.ok ? "up" : "down"}>
                  {[
                    state(seen.after),
                    seen.health === null ? null : say.key("services.reasons", seen.health),
                    seen.exitCode === null ? null : `(${seen.exitCode})`,
                  ]
                    .filter(Boolean)
                    .join(" ")}
                </Status>
              )}
              {seen?.startedAt != null && (
                <time
                  className="num text-xs text-mute"
                  dateTime={seen.startedAt}
                  title={say.utc(seen.startedAt)}
                >
                  {t("services.runsSince", { time: say.time(seen.startedAt) })}
                </time>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}
