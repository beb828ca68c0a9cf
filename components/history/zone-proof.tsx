"use client";
// What became of a zone's setting: before, and as Cloudflare says now.
import Link from "next/link";
import { useTranslations } from "next-intl";
import type { ReactNode } from "react";
import { healthAddress } from "@/components/overview/words";
import { useSay } from "@/components/ui/say";
import { Status } from "@/components/ui/status";
import type { ChangeDetail } from "@/lib/changes/contract";
import {
  developmentEvidence,
  developmentPlan,
  securityEvidence,
  securityPlan,
} from "@/lib/cloudflare/contract";

function Row({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div className="row">
      <dt className="w-36 shrink-0 text-mute">{name}</dt>
      <dd className="min-w-0 flex-1">{children}</dd>
    </div>
  );
}

type Told = {
  readonly what: string;
  readonly name: string;
  readonly before: string;
  readonly wanted: string;
  readonly now: string | null;
  /** A sentence on its end. */
  readonly ends: string | null;
  readonly sites: readonly string[];
};

/** Both kinds as the same rows; null for a plan that this version cannot read. */
function useTold(): (detail: ChangeDetail) => Told | null {
  const t = useTranslations();
  const say = useSay();
  return (detail) => {
    if (detail.kind === "cloudflare.security") {
      const plan = securityPlan.safeParse(detail.plan).data;
      const seen = securityEvidence.safeParse(detail.evidence).data;
      if (plan === undefined) return null;
      const word = (level: typeof plan.level) => t(`zone.levels.${level}`);
      return {
        what: t("zone.level"),
        name: plan.name,
        before: word(plan.before),
        wanted: word(plan.level),
        now: seen === undefined ? null : word(seen.level),
        ends:
          plan.until === null || plan.backTo === null
            ? null
            : t("zone.then", { time: say.time(plan.until), level: word(plan.backTo) }),
        sites: plan.sites,
      };
    }
    const plan = developmentPlan.safeParse(detail.plan).data;
    const seen = developmentEvidence.safeParse(detail.evidence).data;
    if (plan === undefined) return null;
    return {
      what: t("zone.development"),
      name: plan.name,
      before: t(`zone.${plan.before}`),
      wanted: t(`zone.${plan.value}`),
      now: seen === undefined ? null : t(`zone.${seen.value}`),
      ends: seen?.until == null ? null : t("zone.developmentThen", { time: say.time(seen.until) }),
      sites: plan.sites,
    };
  };
}

export function ZoneProof({ detail }: { readonly detail: ChangeDetail }) {
  const t = useTranslations();
  const say = useSay();
  const told = useTold()(detail);
  if (told === null) return null;
  const good = detail.state === "done" || detail.state === "undone";
  return (
    <section className="card">
      <h2>{told.what}</h2>
      <dl>
        <Row name="Cloudflare">
          <Link className="link" href={healthAddress({ kind: "cloudflare", name: told.name })}>
            {told.name}
          </Link>
        </Row>
        <Row name={t("proof.before")}>{told.before}</Row>
        <Row name={t("zone.wanted")}>{told.wanted}</Row>
        <Row name={t("proof.nowTitle")}>
          {told.now === null ? (
            <Status tone="unknown">{t("tones.unknown")}</Status>
          ) : (
            <Status tone={good ? "up" : "down"}>{told.now}</Status>
          )}
        </Row>
        {told.ends !== null && <Row name={t("zone.end")}>{told.ends}</Row>}
        <Row name={t("zone.affected")}>
          {told.sites.length === 0 ? t("zone.noSites") : say.list(told.sites)}
        </Row>
      </dl>
    </section>
  );
}
