"use client";
// Revisions of a Traefik's files: who, why, when, which is in force; two of them side by side; and the way to put one in force.
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useSearchParams } from "next/navigation";
import { useTranslations } from "next-intl";
import { useState } from "react";
import { addressAt } from "@/components/ui/address-at";
import { AddressSelect } from "@/components/ui/address-filter";
import { useSay } from "@/components/ui/say";
import { Empty, Failure, Skeleton } from "@/components/ui/states";
import { Status } from "@/components/ui/status";
import { query } from "@/lib/api/client";
import type { FileRevisionRow } from "@/lib/routing/files/contract";
import { compareAddress, editAddress } from "./addresses";
import { ApplyDialog } from "./apply-dialog";
import { LazyYamlDiff } from "./lazy";
import { useFiles } from "./use-files";

const address = addressAt("/routing/revisions");
const refreshMs = 10_000;

function RevisionLine({
  row,
  before,
  traefik,
  onApply,
}: {
  readonly row: FileRevisionRow;
  /** What it can be compared with: what it was made from, else the one before it. Null: it is the first one. */
  readonly before: number | null;
  readonly traefik: string;
  readonly onApply: () => void;
}) {
  const t = useTranslations();
  const say = useSay();
  return (
    <li className="border-t border-line px-3 py-2.5 first:border-0">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <b className="num font-semibold">r{row.number}</b>
        <span className="min-w-0 break-words">
          {row.origin === "found" ? t("routing.files.found") : (row.reason ?? t("vcl.noReason"))}
        </span>
        {row.inForce && <Status tone="up">{t("routing.files.standing.inForce")}</Status>}
        <span className="ml-auto flex flex-wrap gap-x-3">
          {before !== null && (
            <Link className="link tap" href={compareAddress(traefik, before, row.number)}>
              {t("vcl.compare", { number: before })}
            </Link>
          )}
          <Link className="link tap" href={editAddress(traefik, row.number)}>
            {t("vcl.open")}
          </Link>
          <button type="button" className="link tap" onClick={onApply}>
            {t("routing.files.apply", { number: row.number })}
          </button>
        </span>
      </div>
      <p className="mt-0.5 flex flex-wrap gap-x-3 text-xs text-mute">
        {row.origin === "saved" && <span>{row.author}</span>}
        <time dateTime={row.at} title={say.utc(row.at)}>
          {say.time(row.at)}
        </time>
        <span>{t("routing.files.fileCount", { count: row.files })}</span>
        <span>{say.bytes(row.bytes)}</span>
        {row.applied !== null && (
          <Link className="link" href={`/history/${row.applied.change}`}>
            {t("routing.files.applied", { by: row.applied.by, time: say.time(row.applied.at) })}
          </Link>
        )}
      </p>
    </li>
  );
}

function Compared({
  traefik,
  before,
  after,
}: {
  readonly traefik: string;
  readonly before: string;
  readonly after: string;
}) {
  const t = useTranslations();
  const one = useFiles(traefik, before);
  const other = useFiles(traefik, after);
  const label = (from: string) =>
    from === "now" ? t("routing.files.now") : t("vcl.revision", { number: Number(from) });
  return (
    <section aria-label={t("vcl.compareTitle", { before: label(before), after: label(after) })}>
      {[one, other].map(
        ({ error, again }, index) =>
          // biome-ignore lint/suspicious/noArrayIndexKey: one before, one after
          error && <Failure key={index} error={error} onRetry={again} />,
      )}
      {one.source === null || other.source === null ? (
        one.error === null && other.error === null && <Skeleton rows={8} />
      ) : (
        <LazyYamlDiff
          before={one.source.files}
          after={other.source.files}
          beforeLabel={label(before)}
          afterLabel={label(after)}
        />
      )}
    </section>
  );
}

export function RevisionsPage() {
  const t = useTranslations();
  const params = useSearchParams();
  const traefik = params.get("traefik") ?? "";
  const [before, after] = [params.get("before") ?? "", params.get("after") ?? ""];
  const asked = Number(params.get("apply"));
  const [chosen, setChosen] = useState(Number.isInteger(asked) && asked > 0 ? asked : null);
  const revisions = useQuery({
    ...query.routing.revisions.queryOptions({ input: { traefik } }),
    refetchInterval: refreshMs,
    enabled: traefik !== "",
  });
  const options = [
    { value: "now", label: t("routing.files.now") },
    ...(revisions.data ?? []).map(({ number }) => ({
      value: String(number),
      label: t("vcl.revision", { number }),
    })),
  ];
  return (
    <div className="mx-auto max-w-6xl px-3 py-4 sm:px-5">
      <p className="mb-1 text-mute">
        <Link className="link tap" href="/routing">
          {t("rooms.routing")}
        </Link>
      </p>
      <h1 className="mb-3">{t("routing.files.revisionsOf", { traefik })}</h1>
      {revisions.error && <Failure error={revisions.error} onRetry={() => void revisions.refetch()} />}
      {traefik !== "" && !revisions.data && !revisions.error && <Skeleton rows={6} />}
      {revisions.data?.length === 0 && <Empty title={t("routing.files.noRevisions")} />}
      {revisions.data !== undefined && revisions.data.length > 0 && (
        <>
          <section className="card mb-4 min-w-0">
            <h2>{t("vcl.revisions")}</h2>
            <ul>
              {revisions.data.map((row, index, rows) => (
                <RevisionLine
                  key={row.number}
                  row={row}
                  before={row.parent ?? rows[index + 1]?.number ?? null}
                  traefik={traefik}
                  onApply={() => setChosen(row.number)}
                />
              ))}
            </ul>
          </section>
          <h2 className="mb-2">{t("routing.files.compareTwo")}</h2>
          <search className="mb-3 flex flex-wrap gap-2">
            <AddressSelect
              name="before"
              label={t("routing.files.compareBefore")}
              any={t("routing.files.compareBefore")}
              options={options}
              address={address}
            />
            <AddressSelect
              name="after"
              label={t("routing.files.compareAfter")}
              any={t("routing.files.compareAfter")}
              options={options}
              address={address}
            />
          </search>
        </>
      )}
      {before !== "" && after !== "" && <Compared traefik={traefik} before={before} after={after} />}
      {chosen !== null && <ApplyDialog traefik={traefik} number={chosen} onClose={() => setChosen(null)} />}
    </div>
  );
}
