"use client";
// Files by a part of their name, over every snapshot that is in the index.
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useTranslations } from "next-intl";
import { useSay } from "@/components/ui/say";
import { Empty, Failure, Skeleton } from "@/components/ui/states";
import { query } from "@/lib/api/client";
import { fileHistoryAddress, folderAddress, parentOf, shownName } from "./addresses";

export function FoundFiles({ text }: { readonly text: string }) {
  const t = useTranslations();
  const say = useSay();
  const found = useQuery({
    ...query.backup.search.queryOptions({ input: { text, limit: 100 } }),
    placeholderData: (before) => before,
    retry: false,
  });
  return (
    <section className="mb-6 min-w-0" aria-live="polite">
      <h2 className="mb-2">{t("backup.found", { text })}</h2>
      {found.data !== undefined && found.data.unindexed > 0 && (
        <p className="mb-2 text-mute">{t("backup.unindexed", { count: found.data.unindexed })}</p>
      )}
      <div className="card" aria-busy={found.isFetching}>
        {found.error && <Failure error={found.error} onRetry={() => void found.refetch()} />}
        {!found.data && !found.error && <Skeleton rows={4} />}
        {found.data?.hits.length === 0 && <Empty title={t("backup.noFile")} />}
        <ol>
          {found.data?.hits.map((hit) => (
            <li
              key={`${hit.repository} ${hit.path}`}
              className="flex flex-wrap items-baseline gap-x-3 gap-y-0.5 border-t border-line px-3 py-2 first:border-0"
            >
              <Link
                data-row
                className="link min-w-0 flex-1 basis-60 font-medium break-all"
                href={fileHistoryAddress(hit.repository, hit.path)}
              >
                {shownName(hit.path)}
              </Link>
              {hit.type === "file" && <span className="num text-mute">{say.bytes(hit.size)}</span>}
              <Link
                className="link tap"
                href={folderAddress(
                  hit.repository,
                  hit.last.id,
                  hit.type === "dir" ? hit.path : parentOf(hit.path),
                )}
              >
                {t("backup.openFolder")}
              </Link>
              <span className="w-full text-xs text-mute">
                {hit.repository} ·{" "}
                {t("backup.inSnapshots", {
                  count: hit.snapshots,
                  first: say.date(hit.first.time),
                  last: say.date(hit.last.time),
                })}
              </span>
            </li>
          ))}
        </ol>
      </div>
      {found.data?.complete === false && <p className="mt-2 text-mute">{t("backup.more")}</p>}
    </section>
  );
}
