"use client";
// How a deploy ended: what runs now, what was watched, and the last words of one that was not good.
import Link from "next/link";
import { useTranslations } from "next-intl";
import type { ReactNode } from "react";
import { LastLines } from "@/components/services/last-lines";
import { serviceAddress } from "@/components/services/words";
import { useSay } from "@/components/ui/say";
import { Status } from "@/components/ui/status";
import type { ChangeDetail } from "@/lib/changes/contract";
import { deployEvidence, deployPlan } from "@/lib/services/deploy/contract";

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div className="row">
      <dt className="w-36 shrink-0 text-mute">{name}</dt>
      <dd className="min-w-0 flex-1">{children}</dd>
    </div>
  );
}

export function DeployProof({ detail }: { readonly detail: ChangeDetail }) {
  const t = useTranslations();
  const say = useSay();
  const plan = deployPlan.safeParse(detail.plan);
  const evidence = deployEvidence.safeParse(detail.evidence);
  if (!plan.success) return null;
  const { host, container, from, to } = plan.data;
  const seen = evidence.data;
  return (
    <section className="card">
      <h2>{t("services.proofTitle")}</h2>
      <dl>
        <Fact name={t("deploy.service")}>
          <Link className="link" href={serviceAddress({ host, name: container.name })}>
            {container.name}
          </Link>{" "}
          <span className="text-mute">{host}</span>
        </Fact>
        <Fact name={t("deploy.from")}>
          <code>{from.image}</code> <code className="text-mute">{from.imageId.slice(7, 19)}</code>
        </Fact>
        <Fact name={t("deploy.to")}>
          <code>{to.image}</code>{" "}
          <code className="text-mute">{(to.imageId ?? to.digest ?? "").slice(7, 19)}</code>
        </Fact>
        {seen !== undefined && (
          <>
            {seen.reason !== null && (
              <Fact name={t("deploy.why")}>
                <Status tone="down">
                  {say.key("services.bad", seen.reason, { detail: seen.detail ?? "" })}
                </Status>
              </Fact>
            )}
            <Fact name={t("deploy.now")}>
              {seen.container === null ? (
                <Status tone="down">{t("services.states.gone")}</Status>
              ) : (
                <>
                  <Status tone={seen.container.state === "running" ? "up" : "down"}>
                    {[
                      say.key("services.states", seen.container.state),
                      seen.container.health === null
                        ? null
                        : say.key("services.reasons", seen.container.health),
                    ]
                      .filter(Boolean)
                      .join(", ")}
                  </Status>
                  <code className="block text-mute">
                    {seen.container.image} {seen.container.imageId.slice(7, 19)}
                  </code>
                </>
              )}
            </Fact>
            {seen.downMs !== null && (
              <Fact name={t("deploy.away")}>
                <span className="num">{say.duration(seen.downMs)}</span>
              </Fact>
            )}
            <Fact name={t("deploy.watched")}>
              <span className="num">{say.duration(seen.watchedMs)}</span>{" "}
              <span className="text-mute">
                {t("deploy.errors", { count: seen.errors, before: seen.errorsBefore })}
              </span>
            </Fact>
            <Fact name={t("deploy.settings")}>
              {seen.differs.length === 0 ? (
                <Status tone="up">{t("deploy.kept")}</Status>
              ) : (
                <Status tone="warn">{t("deploy.differs", { names: seen.differs.join(", ") })}</Status>
              )}
            </Fact>
          </>
        )}
      </dl>
      {seen !== undefined && seen.lines.length > 0 && (
        <>
          <h3 className="border-t border-line px-3 py-2 font-medium">{t("deploy.lastWords")}</h3>
          <LastLines lines={seen.lines} label={t("deploy.lastWords")} />
        </>
      )}
    </section>
  );
}
