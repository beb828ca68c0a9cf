"use client";
// What became of a repository's locks, or of a new repository: as it was seen afterwards.
import Link from "next/link";
import { useTranslations } from "next-intl";
import { Status } from "@/components/ui/status";
import { initEvidence, initPlan, unlockEvidence, unlockPlan } from "@/lib/backup/contract";
import type { ChangeDetail } from "@/lib/changes/contract";
import { repositoryAddress } from "./addresses";
import { LockLine } from "./lock-line";

export function BackupProof({ detail }: { readonly detail: ChangeDetail }) {
  const t = useTranslations();
  const made = initPlan.safeParse(detail.plan);
  const begun = initEvidence.safeParse(detail.evidence);
  const unlocked = unlockPlan.safeParse(detail.plan);
  const seen = unlockEvidence.safeParse(detail.evidence);
  const repository = unlocked.data?.repository ?? made.data?.repository;
  if (repository === undefined) return null;
  return (
    <section className="card">
      <h2>{t(unlocked.success ? "backup.proof.locks" : "backup.proof.made")}</h2>
      <ul>
        {unlocked.success &&
          !seen.success &&
          unlocked.data.locks.map((one) => <LockLine key={one.id} lock={one} />)}
        {unlocked.success && seen.success && (
          <li className="row">
            <Status tone={seen.data.gone.length > 0 ? "up" : "warn"}>
              {t("backup.proof.gone", { count: seen.data.gone.length })}
            </Status>
          </li>
        )}
        {seen.success && seen.data.left.map((one) => <LockLine key={one.id} lock={one} />)}
        {made.success && (
          <li className="row flex-wrap">
            <Status tone={begun.success ? "up" : "unknown"}>
              {t(begun.success ? "outcomes.made" : "backup.proof.notSeen")}
            </Status>
            <code className="min-w-0 break-all text-mute">{made.data.address}</code>
          </li>
        )}
      </ul>
      <Link className="link row" href={repositoryAddress(repository)}>
        {t("backup.proof.toPage")}
      </Link>
    </section>
  );
}
