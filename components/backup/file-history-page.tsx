"use client";
// One path over time: each version of it, from which snapshot to which, to be taken away.
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useSearchParams } from "next/navigation";
import { useTranslations } from "next-intl";
import { useSay } from "@/components/ui/say";
import { Empty, Failure, Skeleton } from "@/components/ui/states";
import { useRowKeys } from "@/components/ui/use-row-keys";
import { query } from "@/lib/api/client";
import { downloadAddress, folderAddress, isForeign, parentOf, shownName } from "./addresses";
import { useMoment, When } from "./when";

export function FileHistoryPage({ repository }: { readonly repository: string }) {
  const t = useTranslations();
  const say = useSay();
  const moment = useMoment();
  const path = useSearchParams().get("path") ?? "/";
  const history = useQuery({
    ...query.backup.history.queryOptions({ input: { repository, path } }),
    retry: false,
  });
  useRowKeys();
  return (
    <div className="mx-auto max-w-5xl px-3 py-4 sm:px-5">
      <h1 className="mb-1 break-all">{shownName(path)}</h1>
      <p className="mb-3 text-mute">{t("backup.historyLead", { repository })}</p>
      {history.data !== undefined && history.data.unindexed > 0 && (
        <p className="mb-2 text-mute">{t("backup.unindexed", { count: history.data.unindexed })}</p>
      )}
      <div className="card" aria-busy={history.isFetching}>
        {history.error && <Failure error={history.error} onRetry={() => void history.refetch()} />}
        {!history.data && !history.error && <Skeleton rows={4} />}
        {history.data?.versions.length === 0 && <Empty title={t("backup.noVersion")} />}
        <ol>
          {history.data?.versions.map((one) => {
            const at = new Date(one.mtimeMs).toISOString();
            return (
              <li
                key={`${one.first.id} ${one.last.id}`}
                className="flex flex-wrap items-baseline gap-x-3 gap-y-0.5 border-t border-line px-3 py-2 first:border-0"
              >
                <When at={at} className="font-medium" />
                {one.type === "file" ? (
                  <span className="num">{say.bytes(one.size)}</span>
                ) : (
                  <span className="text-mute">{t(`backup.types.${one.type}`)}</span>
                )}
                <span className="min-w-0 flex-1 basis-52 text-mute">
                  {one.last.host} ·{" "}
                  {t("backup.inSnapshots", {
                    count: one.snapshots,
                    first: say.date(one.first.time),
                    last: say.date(one.last.time),
                  })}
                </span>
                {one.type === "file" && !isForeign(path) && (
                  <a
                    className="link tap"
                    href={downloadAddress(repository, one.last.id, path)}
                    aria-label={t("backup.downloadOf", { name: moment(at) })}
                    download
                  >
                    {t("backup.download")}
                  </a>
                )}
                <Link
                  data-row
                  className="link tap"
                  href={folderAddress(repository, one.last.id, one.type === "dir" ? path : parentOf(path))}
                >
                  {t("backup.openFolder")}
                </Link>
              </li>
            );
          })}
        </ol>
      </div>
    </div>
  );
}
