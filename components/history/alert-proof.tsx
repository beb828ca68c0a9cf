"use client";
// What a silence reached, and whether Alertmanager says that it is silent.
import { useTranslations } from "next-intl";
import { writtenMatcher } from "@/components/alerts/words";
import { useSay } from "@/components/ui/say";
import { Status } from "@/components/ui/status";
import { silenceEvidence, silencePlan, unsilencePlan } from "@/lib/alerts/contract";
import type { ChangeDetail } from "@/lib/changes/contract";

export function AlertProof({ detail }: { readonly detail: ChangeDetail }) {
  const t = useTranslations();
  const say = useSay();
  const ended = detail.kind === "alert.unsilence";
  const plan = (ended ? unsilencePlan : silencePlan).safeParse(detail.plan);
  const evidence = silenceEvidence.safeParse(detail.evidence);
  if (!plan.success) return null;
  const { matchers, endsAt, createdBy } = plan.data;
  return (
    <section className="card">
      <h2>{t("alerts.proofTitle")}</h2>
      <div className="row flex-wrap">
        <code className="min-w-0 flex-1 break-all">{matchers.map(writtenMatcher).join(", ")}</code>
        <span className="text-xs text-mute">
          {t("alerts.by", { name: createdBy })} ·{" "}
          <time dateTime={endsAt} title={say.utc(endsAt)}>
            {t("alerts.until", { time: say.time(endsAt) })}
          </time>
        </span>
      </div>
      {evidence.success && (
        <ul>
          {evidence.data.alerts.length === 0 && <li className="row text-mute">{t("alerts.proofNone")}</li>}
          {evidence.data.alerts.map(({ id, name, silenced }) => (
            <li key={id} className="row">
              <span className="min-w-0 flex-1 break-words">{name}</span>
              <Status tone={silenced ? "up" : "down"}>
                {t(silenced ? "outcomes.silenced" : "alerts.speaks")}
              </Status>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
