"use client";
// One repository: whether it is reached, how old its newest snapshot is, its size, its locks, and how far its index is.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import Link from "next/link";
import { useTranslations } from "next-intl";
import { useState } from "react";
import { useSay } from "@/components/ui/say";
import { Status, type Tone } from "@/components/ui/status";
import { api, query } from "@/lib/api/client";
import type { Repository } from "@/lib/backup/contract";
import { InitDialog, UnlockDialog } from "./act-dialogs";
import { repositoryAddress } from "./addresses";
import { LockLine } from "./lock-line";
import { When } from "./when";

/** How it stands, in one word. */
function standing(one: Repository): { readonly tone: Tone; readonly word: string } {
  if (one.state === "checking") return { tone: "unknown", word: "checking" };
  if (one.state !== "up") return { tone: "down", word: one.state };
  if (one.overdue) return { tone: "warn", word: one.newest === null ? "empty" : "overdue" };
  if (one.locks.some(({ stale }) => stale)) return { tone: "warn", word: "staleLock" };
  return { tone: "up", word: "up" };
}

function Fact({ name, children }: { readonly name: string; readonly children: React.ReactNode }) {
  return (
    <div>
      <dt className="text-xs text-mute">{name}</dt>
      <dd className="num">{children}</dd>
    </div>
  );
}

export function RepositoryCard({ one, chosen }: { readonly one: Repository; readonly chosen: boolean }) {
  const t = useTranslations();
  const say = useSay();
  const [asked, setAsked] = useState<"unlock" | "init" | null>(null);
  const queries = useQueryClient();
  const look = useMutation({
    mutationFn: () => api.connections.test({ kind: "restic", name: one.name }),
    onSettled: () => queries.invalidateQueries({ queryKey: query.backup.key() }),
  });
  const { tone, word } = standing(one);
  const { index } = one;
  return (
    <section className="card min-w-0" aria-label={one.name}>
      <div className="px-3 py-2.5">
        <div className="flex flex-wrap items-baseline gap-x-3 gap-y-1">
          <Status tone={tone}>{t(`backup.standing.${word}`)}</Status>
          <h2 className="text-sm">
            <Link
              data-row
              className="link font-semibold"
              href={repositoryAddress(one.name)}
              aria-current={chosen ? "true" : undefined}
            >
              {one.name}
            </Link>
          </h2>
          <code className="min-w-0 text-xs break-all text-mute">{one.address}</code>
          <span className="ml-auto flex flex-wrap gap-2">
            {one.state === "missing" && (
              <button type="button" className="btn" onClick={() => setAsked("init")}>
                {t("backup.init.open")}
              </button>
            )}
            <button
              type="button"
              className="btn"
              disabled={look.isPending}
              aria-label={t("backup.lookAt", { repository: one.name })}
              onClick={() => look.mutate()}
            >
              {t("backup.look")}
            </button>
          </span>
        </div>
        {one.problem !== null && (
          <p className="mt-1 break-words text-down-ink">
            {say.key("problems", one.problem.problem, one.problem.params)}
          </p>
        )}
        <dl className="mt-2 flex flex-wrap gap-x-6 gap-y-2">
          {one.newest !== null && (
            <Fact name={t("backup.newest")}>
              <When at={one.newest} />
            </Fact>
          )}
          {one.snapshots !== null && <Fact name={t("backup.snapshots")}>{say.number(one.snapshots)}</Fact>}
          {one.bytes !== null && <Fact name={t("backup.size")}>{say.bytes(one.bytes)}</Fact>}
          {one.version !== null && <Fact name="restic">{one.version}</Fact>}
          {one.snapshots !== null && (
            <Fact name={t("backup.index")}>
              {t("backup.indexed", { indexed: index.indexed, of: index.of })} · {say.bytes(index.bytes)}
            </Fact>
          )}
          {one.at !== null && (
            <Fact name={t("backup.looked")}>
              <time dateTime={one.at} title={say.utc(one.at)}>
                {say.time(one.at)}
              </time>
            </Fact>
          )}
        </dl>
        {one.appendOnly === true && <p className="mt-2 text-mute">{t("backup.appendOnly")}</p>}
        {index.reading !== null && (
          <p className="mt-2">
            <Status tone="run">{t("backup.reading", { snapshot: index.reading.slice(0, 8) })}</Status>
          </p>
        )}
        {index.problem !== null && (
          <p className="mt-2 break-words text-warn-ink">
            {say.key("problems", index.problem.problem, index.problem.params)}
          </p>
        )}
      </div>
      {one.locks.length > 0 && (
        <div className="border-t border-line">
          <div className="flex flex-wrap items-center gap-x-3 px-3 pt-2">
            <h3 className="font-medium">{t("backup.locks")}</h3>
            <button type="button" className="btn ml-auto" onClick={() => setAsked("unlock")}>
              {t("backup.unlock.open")}
            </button>
          </div>
          <ul>
            {one.locks.map((lock) => (
              <LockLine key={lock.id} lock={lock} />
            ))}
          </ul>
          {one.locks.some(({ stale }) => stale) && (
            <p className="px-3 pb-2.5 text-mute">{t("backup.lock.blocks")}</p>
          )}
        </div>
      )}
      {asked === "unlock" && <UnlockDialog repository={one.name} onClose={() => setAsked(null)} />}
      {asked === "init" && <InitDialog repository={one.name} onClose={() => setAsked(null)} />}
    </section>
  );
}
