"use client";
// One lock of a repository: who holds it, since when, and whether they are still there.
import { useTranslations } from "next-intl";
import { useSay } from "@/components/ui/say";
import { Status } from "@/components/ui/status";
import type { Lock } from "@/lib/backup/contract";

export function LockLine({ lock }: { readonly lock: Lock }) {
  const t = useTranslations();
  const say = useSay();
  return (
    <li className="row flex-wrap">
      <Status tone={lock.stale ? "warn" : "run"}>
        {t(lock.stale ? "backup.lock.stale" : "backup.lock.alive")}
      </Status>
      <span className="min-w-0 flex-1 basis-40 break-words text-ink">
        {t("backup.lock.holder", { user: lock.user, host: lock.host, pid: String(lock.pid) })}
        {lock.exclusive && <> · {t("backup.lock.exclusive")}</>}
      </span>
      <time className="num text-xs text-mute" dateTime={lock.since} title={say.utc(lock.since)}>
        {t("backup.lock.since", { time: say.time(lock.since) })}
      </time>
    </li>
  );
}
