"use client";
// Of each Traefik whose files Sluice may write: what is in force, by whom, and whether Traefik goes by it.
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useTranslations } from "next-intl";
import { useSay } from "@/components/ui/say";
import { Failure, Skeleton } from "@/components/ui/states";
import { Status, type Tone } from "@/components/ui/status";
import { query } from "@/lib/api/client";
import type { TraefikFiles } from "@/lib/routing/files/contract";
import { actsAddress, compareAddress, editAddress, revisionsAddress } from "./addresses";
import { FileProblems } from "./problems";

const refreshMs = 10_000;

/** How the files of a Traefik stand, in one word: the worst first. */
function standing(of: TraefikFiles): { readonly tone: Tone; readonly word: string } {
  if (of.by === "none") return { tone: "unknown", word: "none" };
  if (of.rejected.length > 0) return { tone: "down", word: "rejected" };
  if (of.state === "down") return { tone: "down", word: "down" };
  if (of.state !== "up") return { tone: "unknown", word: "checking" };
  if (of.driftSince !== null) return { tone: "warn", word: "drift" };
  if (of.served === false) return { tone: "warn", word: "notServed" };
  if (of.expected === null) return { tone: "unknown", word: "unmanaged" };
  return of.served === null ? { tone: "unknown", word: "untold" } : { tone: "up", word: "inForce" };
}

/** The revision that is in force, by whom and when. */
function InForce({ of }: { readonly of: TraefikFiles }) {
  const t = useTranslations();
  const say = useSay();
  const revisions = useQuery({
    ...query.routing.revisions.queryOptions({ input: { traefik: of.traefik } }),
    refetchInterval: refreshMs,
  });
  const row = revisions.data?.find(({ inForce }) => inForce);
  if (of.expected === null) return <span className="text-mute">{t("routing.files.neverApplied")}</span>;
  return (
    <span>
      {t("vcl.revision", { number: of.expected })}{" "}
      {row?.applied != null && (
        <Link className="link" href={`/history/${row.applied.change}`}>
          {t("routing.files.applied", { by: row.applied.by, time: say.time(row.applied.at) })}
        </Link>
      )}
    </span>
  );
}

function TraefikCard({ of }: { readonly of: TraefikFiles }) {
  const t = useTranslations();
  const say = useSay();
  const { tone, word } = standing(of);
  if (of.by === "none")
    return (
      <li className="border-t border-line px-3 py-2.5 first:border-0">
        <b className="font-semibold">{of.traefik}</b>{" "}
        <Status tone="unknown">{t("routing.files.noDirectory")}</Status>
      </li>
    );
  return (
    <li className="border-t border-line px-3 py-2.5 first:border-0">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <Status tone={tone}>{t(`routing.files.standing.${word}`)}</Status>
        <b className="font-semibold">{of.traefik}</b>
        <InForce of={of} />
        <span className="flex flex-wrap gap-2 sm:ml-auto">
          <Link className="btn" href={editAddress(of.traefik)}>
            {t("routing.files.edit")}
          </Link>
          <Link className="btn" href={actsAddress(of.traefik, "route")}>
            {t("routing.acts.title")}
          </Link>
          <Link className="btn" href={revisionsAddress(of.traefik)}>
            {t("vcl.revisions")}
          </Link>
        </span>
      </div>
      {of.maintenances.map(({ name, until }) => (
        <p key={name} className="mt-1 flex flex-wrap items-center gap-x-3">
          <Status tone="warn">
            {until === null
              ? t("routing.files.maintenance", { name })
              : t("routing.files.maintenanceUntil", { name, time: say.time(until) })}
          </Status>
          <Link className="link tap" href={actsAddress(of.traefik, "maintenance")}>
            {t("routing.files.maintenanceEnd")}
          </Link>
        </p>
      ))}
      {of.by === "http" && <p className="mt-1 text-xs text-mute">{t("routing.files.byHttp")}</p>}
      {of.problem !== null && (
        <p className="mt-1 text-down-ink">{say.key("problems", of.problem.problem, of.problem.params)}</p>
      )}
      {of.driftSince !== null && (
        <p className="mt-1 text-warn-ink">
          {t("routing.files.driftSince", { time: say.time(of.driftSince) })}{" "}
          {of.expected !== null && (
            <Link className="link" href={compareAddress(of.traefik, of.expected, "now")}>
              {t("routing.files.difference")}
            </Link>
          )}
        </p>
      )}
      {of.served === false && of.rejected.length === 0 && (
        <p className="mt-1 text-warn-ink">{t("routing.files.notServed")}</p>
      )}
      {of.rejected.length > 0 && (
        <div className="mt-1">
          <p className="mb-1 text-down-ink">{t("routing.files.rejectedWhy")}</p>
          <FileProblems problems={of.rejected} />
        </div>
      )}
      {of.newest !== null && of.newest !== of.expected && (
        <p className="mt-1 text-xs text-mute">{t("routing.files.newest", { number: of.newest })}</p>
      )}
    </li>
  );
}

export function TraefikDirectories() {
  const t = useTranslations();
  const found = useQuery({ ...query.routing.directories.queryOptions(), refetchInterval: refreshMs });
  if (found.data?.length === 0) return null;
  return (
    <section className="card mb-5 min-w-0" aria-labelledby="routing-files">
      <h2 id="routing-files">{t("routing.files.title")}</h2>
      {found.error && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      {!found.data && !found.error && <Skeleton rows={2} />}
      <ul>
        {found.data?.map((one) => (
          <TraefikCard key={one.traefik} of={one} />
        ))}
      </ul>
    </section>
  );
}
