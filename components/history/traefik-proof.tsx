"use client";
import Link from "next/link";
// What became of Traefik's files: whether Traefik shows them, what pages answered before and after, and how it was watched.
import { useTranslations } from "next-intl";
import { revisionsAddress } from "@/components/routing/files/addresses";
import { Differences, GuardedRouters } from "@/components/routing/files/effects";
import { useSay } from "@/components/ui/say";
import { Scroll } from "@/components/ui/scroll";
import { Status } from "@/components/ui/status";
import type { ChangeDetail } from "@/lib/changes/contract";
import { type ApplyEvidence, applyEvidence, applyPlan } from "@/lib/routing/files/contract";

function Probes({ probes }: Pick<ApplyEvidence, "probes">) {
  const t = useTranslations();
  return (
    <section className="card min-w-0">
      <h2>{t("routing.proof.probes")}</h2>
      <Scroll label={t("routing.proof.probes")}>
        <table className="table">
          <thead>
            <tr>
              <th scope="col">{t("routing.proof.address")}</th>
              <th scope="col">{t("routing.proof.before")}</th>
              <th scope="col">{t("routing.proof.after")}</th>
              <th scope="col">{t("routing.proof.result")}</th>
            </tr>
          </thead>
          <tbody>
            {probes.map(({ url, before, after, ok }) => (
              <tr key={url}>
                <td>
                  <code className="break-all">{url}</code>
                </td>
                <td className="num">{before ?? t("routing.proof.noAnswer")}</td>
                <td className="num">{after ?? t("routing.proof.noAnswer")}</td>
                <td>
                  <Status tone={ok ? "up" : "down"}>
                    {t(ok ? "routing.proof.fine" : "routing.proof.worse")}
                  </Status>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}

function Watched({ watched }: { readonly watched: NonNullable<ApplyEvidence["watched"]> }) {
  const t = useTranslations();
  const say = useSay();
  return (
    <section className="card">
      <h2>{t("routing.proof.watched", { seconds: watched.seconds })}</h2>
      <div className="row">
        {t("routing.proof.counters", { requests: watched.requests, errors: watched.errors })}
      </div>
      {watched.share !== null && (
        <div className="row">
          {t("routing.proof.share", {
            now: say.percent(watched.share, 1),
            before: watched.shareBefore === null ? "–" : say.percent(watched.shareBefore, 1),
          })}
        </div>
      )}
    </section>
  );
}

export function TraefikProof({ detail }: { readonly detail: ChangeDetail }) {
  const t = useTranslations();
  const say = useSay();
  const plan = applyPlan.safeParse(detail.plan).data;
  const seen = applyEvidence.safeParse(detail.evidence).data;
  if (plan === undefined) return null;
  const before = seen?.before ?? plan.before.revision;
  return (
    <>
      <section className="card min-w-0">
        <h2>{t("routing.proof.title", { traefik: plan.traefik })}</h2>
        <div className="row flex-wrap">
          <Link className="link font-semibold" href={revisionsAddress(plan.traefik)}>
            {before === null ? t("routing.proof.foreign") : `r${before}`} <span aria-hidden="true">→</span> r
            {plan.revision}
          </Link>
          <span className="ml-auto">
            {seen === undefined ? (
              <Status tone="unknown">{t("vcl.proof.notProved")}</Status>
            ) : (
              <Status tone={seen.shown ? "up" : "down"}>
                {t(seen.shown ? "routing.proof.shown" : "routing.proof.notShown")}
              </Status>
            )}
          </span>
        </div>
        {seen !== undefined && seen.tookMs !== null && (
          <div className="row">{t("routing.proof.took", { time: say.duration(seen.tookMs) })}</div>
        )}
        {seen !== undefined && (
          <div className="row">
            <Status tone={seen.files === "same" ? "up" : seen.files === "other" ? "down" : "unknown"}>
              {t(`routing.proof.files.${seen.files}`)}
            </Status>
          </div>
        )}
        {seen?.faults.map(({ name, says }) => (
          <div key={`${name} ${says}`} className="row flex-wrap">
            <Status tone="down">{t("routing.proof.fault", { name })}</Status>
            <code className="break-words text-mute">{says}</code>
          </div>
        ))}
        {seen?.problem != null && (
          <div className="row text-down-ink">
            {say.key("problems", seen.problem.problem, seen.problem.params)}
          </div>
        )}
      </section>
      {seen !== undefined && seen.probes.length > 0 && <Probes probes={seen.probes} />}
      {seen !== undefined && seen.watched !== null && <Watched watched={seen.watched} />}
      {plan.guarded.length > 0 && (
        <section className="card min-w-0">
          <h2>{t("routing.files.guarded.title")}</h2>
          <div className="px-3 py-2.5">
            <GuardedRouters guarded={plan.guarded} />
          </div>
        </section>
      )}
      <section className="card min-w-0">
        <h2>{t("routing.files.differences")}</h2>
        <Differences differences={plan.differences} />
      </section>
    </>
  );
}
