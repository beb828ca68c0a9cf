"use client";
// How an act on a Swarm ended: what the Swarm says, how many tasks run, and why tasks failed.
import { useTranslations } from "next-intl";
import { useSay } from "@/components/ui/say";
import { Status } from "@/components/ui/status";
import type { ChangeDetail } from "@/lib/changes/contract";
import { swarmEvidence, swarmPlan } from "@/lib/services/swarm/contract";

export function SwarmProof({ detail }: { readonly detail: ChangeDetail }) {
  const t = useTranslations();
  const say = useSay();
  const plan = swarmPlan.safeParse(detail.plan);
  const evidence = swarmEvidence.safeParse(detail.evidence);
  if (!plan.success) return null;
  const seen = evidence.data;
  const good = seen?.outcome === "asWanted" || seen?.outcome === "deployed";
  return (
    <section className="card">
      <h2>{t("swarm.proof")}</h2>
      <dl>
        <div className="row">
          <dt className="w-36 shrink-0 text-mute">{plan.data.name}</dt>
          <dd className="min-w-0 flex-1">
            <code>{plan.data.from}</code>
            {plan.data.from !== plan.data.to && (
              <>
                {" → "}
                <code>{plan.data.to}</code>
              </>
            )}
          </dd>
        </div>
        {seen !== undefined && (
          <>
            <div className="row">
              <dt className="w-36 shrink-0 text-mute">{t("deploy.now")}</dt>
              <dd className="min-w-0 flex-1">
                <Status tone={good ? "up" : "down"}>{seen.now}</Status>
                {seen.message !== "" && <span className="block text-mute">{seen.message}</span>}
              </dd>
            </div>
            {plan.data.act !== "availability" && (
              <div className="row">
                <dt className="w-36 shrink-0 text-mute">{t("swarm.tasks")}</dt>
                <dd>{t("swarm.running", { running: seen.running, desired: seen.desired })}</dd>
              </div>
            )}
          </>
        )}
      </dl>
      {seen !== undefined && seen.errors.length > 0 && (
        <ul className="border-t border-line p-3">
          {seen.errors.map((one) => (
            <li key={one.task} className="flex flex-wrap gap-x-3">
              <span className="text-mute">{one.node}</span>
              <span className="text-down-ink">{one.error}</span>
              {one.exitCode !== null && <span className="text-mute">{say.number(one.exitCode)}</span>}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
