"use client";
// What became of a roll-out: node by node what ran and what runs by its own word, and how the first one was watched.
import Link from "next/link";
import { useTranslations } from "next-intl";
import { useSay } from "@/components/ui/say";
import { Status } from "@/components/ui/status";
import { nodeAddress } from "@/components/vcl/addresses";
import type { ChangeDetail } from "@/lib/changes/contract";
import { type CanarySignals, rolloutEvidence, rolloutPlan } from "@/lib/vcl/contract";
import { TryProof } from "./try-proof";

function Canary({ node, signals }: { readonly node: string; readonly signals: CanarySignals }) {
  const t = useTranslations();
  const say = useSay();
  const { pages, counters, seconds } = signals;
  return (
    <section className="card">
      <h2>{t("vcl.proof.canary", { node, seconds })}</h2>
      {pages !== null && (
        <div className="row">{t("vcl.proof.pages", { asked: pages.asked, failed: pages.failed })}</div>
      )}
      {counters !== null && (
        <div className="row">
          {t("vcl.proof.counters", {
            requests: counters.requests,
            vclFail: counters.vclFail,
            fetchFailed: counters.fetchFailed,
          })}
        </div>
      )}
      {counters !== null && counters.hitRatio !== null && (
        <div className="row">
          {t("vcl.proof.hitRatio", {
            now: say.percent(counters.hitRatio),
            before: counters.hitRatioBefore === null ? "–" : say.percent(counters.hitRatioBefore),
          })}
        </div>
      )}
      {pages === null && counters === null && <div className="row">{t("vcl.proof.nothingTold")}</div>}
    </section>
  );
}

/** What an act on VCL came to. */
export function VclProof({ detail }: { readonly detail: ChangeDetail }) {
  return detail.kind === "vcl.rollout" ? <RolloutProof detail={detail} /> : <TryProof detail={detail} />;
}

function RolloutProof({ detail }: { readonly detail: ChangeDetail }) {
  const t = useTranslations();
  const say = useSay();
  const plan = rolloutPlan.safeParse(detail.plan).data;
  const seen = rolloutEvidence.safeParse(detail.evidence).data;
  if (plan === undefined) return null;
  return (
    <>
      <section className="card">
        <h2>{t("vcl.proof.title", { cluster: plan.cluster })}</h2>
        <ul>
          {plan.nodes.map((node) => {
            const now = seen?.nodes.find((one) => one.node === node.node);
            const before = now?.before ?? node.before.revision;
            return (
              <li key={node.node} className="border-t border-line px-3 py-2.5 first:border-0">
                <div className="flex flex-wrap items-baseline gap-x-3">
                  <Link className="link font-semibold" href={nodeAddress(node.node)}>
                    {node.node}
                  </Link>
                  <span>
                    {before === null ? node.before.name : `r${before}`} <span aria-hidden="true">→</span> r
                    {node.revision}
                  </span>
                  <span className="ml-auto">
                    {now === undefined ? (
                      <Status tone="unknown">{t("vcl.proof.notProved")}</Status>
                    ) : (
                      <Status tone={now.ok ? "up" : "down"}>
                        {t(now.ok ? "vcl.proof.runs" : "vcl.proof.runsNot")}
                      </Status>
                    )}
                  </span>
                </div>
                {now !== undefined && now.active !== null && (
                  <p className="text-xs break-all text-mute">
                    {t("vcl.proof.evidence", { name: now.active, hash: (now.hash ?? "").slice(0, 12) })}{" "}
                    {t(`vcl.proof.files.${now.file}`)}
                  </p>
                )}
                {now?.problem != null && (
                  <p className="text-down-ink">
                    {say.key("problems", now.problem.problem, now.problem.params)}
                  </p>
                )}
              </li>
            );
          })}
        </ul>
        {seen !== undefined && seen.tests !== null && seen.tests > 0 && (
          <p className="row">{t("vcl.proof.tests", { count: seen.tests })}</p>
        )}
        {plan.without.length > 0 && (
          <p className="row">
            <Status tone="warn">{t("vcl.roll.without", { nodes: say.list(plan.without) })}</Status>
          </p>
        )}
      </section>
      {seen?.canary != null && plan.canary !== null && <Canary node={plan.canary} signals={seen.canary} />}
    </>
  );
}
