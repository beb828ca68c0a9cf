"use client";
// Two snapshots side by side: what was added, taken away and changed in a folder, with the sums of what is below.
import { useInfiniteQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useSearchParams } from "next/navigation";
import { useTranslations } from "next-intl";
import { Older } from "@/components/ui/older";
import { useSay } from "@/components/ui/say";
import { Empty, Failure, Skeleton } from "@/components/ui/states";
import { Status, type Tone } from "@/components/ui/status";
import { useRowKeys } from "@/components/ui/use-row-keys";
import { query } from "@/lib/api/client";
import type { Difference } from "@/lib/backup/contract";
import { childOf, differenceAddress, folderAddress, parentOf, shownName } from "./addresses";

type Entry = Difference["entries"][number];

const standing = ({ before, after }: Entry): { readonly tone: Tone; readonly word: string } =>
  before === null
    ? { tone: "up", word: "added" }
    : after === null
      ? { tone: "down", word: "removed" }
      : { tone: "warn", word: "changed" };

function Sums({ sums }: { readonly sums: Difference["sums"] }) {
  const t = useTranslations();
  const say = useSay();
  return (
    <span className="num flex flex-wrap gap-x-3 text-xs text-mute">
      {sums.added > 0 && (
        <span>{t("backup.sums.added", { count: sums.added, bytes: say.bytes(sums.addedBytes) })}</span>
      )}
      {sums.removed > 0 && (
        <span>{t("backup.sums.removed", { count: sums.removed, bytes: say.bytes(sums.removedBytes) })}</span>
      )}
      {sums.changed > 0 && (
        <span>
          {t("backup.sums.changed", {
            count: sums.changed,
            before: say.bytes(sums.changedFrom),
            after: say.bytes(sums.changedTo),
          })}
        </span>
      )}
    </span>
  );
}

export function DifferencePage({ repository }: { readonly repository: string }) {
  const t = useTranslations();
  const params = useSearchParams();
  const [before, after] = [params.get("before") ?? "", params.get("after") ?? ""];
  const path = params.get("path") ?? "/";
  useRowKeys();
  const list = useInfiniteQuery({
    ...query.backup.difference.infiniteOptions({
      input: (cursor: string | undefined) => ({
        ...{ repository, before, after, path, limit: 200 },
        ...(cursor === undefined ? {} : { cursor }),
      }),
      initialPageParam: undefined as string | undefined,
      getNextPageParam: (last) => last.next ?? undefined,
    }),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  const [first] = list.data?.pages ?? [];
  const entries = list.data?.pages.flatMap((page) => page.entries);
  return (
    <div className="mx-auto max-w-5xl px-3 py-4 sm:px-5">
      <h1 className="mb-1">{t("backup.difference")}</h1>
      <p className="mb-2 flex flex-wrap gap-x-3 text-mute">
        <span>{repository}</span>
        <span>
          <Link className="link" href={folderAddress(repository, before, "/")}>
            <code>{before.slice(0, 8)}</code>
          </Link>{" "}
          <span aria-hidden="true">→</span>{" "}
          <Link className="link" href={folderAddress(repository, after, "/")}>
            <code>{after.slice(0, 8)}</code>
          </Link>
        </span>
      </p>
      <div className="mb-2 flex flex-wrap items-baseline gap-x-3">
        <span className="font-medium break-all">{shownName(path)}</span>
        {path !== "/" && (
          <Link className="link tap" href={differenceAddress(repository, before, after, parentOf(path))}>
            {t("backup.up")}
          </Link>
        )}
        {first !== undefined && <Sums sums={first.sums} />}
      </div>
      <div className="card" aria-busy={list.isFetching}>
        {list.error && <Failure error={list.error} onRetry={() => void list.refetch()} />}
        {!entries && !list.error && <Skeleton rows={6} />}
        {entries?.length === 0 && <Empty title={t("backup.same")} />}
        <ol>
          {entries?.map((entry) => {
            const { tone, word } = standing(entry);
            return (
              <li
                key={entry.name}
                className="flex flex-wrap items-baseline gap-x-3 gap-y-0.5 border-t border-line px-3 py-1.5 first:border-0"
              >
                <Status tone={tone}>{t(`backup.differs.${word}`)}</Status>
                {entry.folder ? (
                  <Link
                    data-row
                    className="link min-w-0 flex-1 basis-52 break-all"
                    href={differenceAddress(repository, before, after, childOf(path, entry.name))}
                  >
                    {shownName(entry.name)}/
                  </Link>
                ) : (
                  <span className="min-w-0 flex-1 basis-52 break-all">{shownName(entry.name)}</span>
                )}
                <Sums sums={entry.sums} />
              </li>
            );
          })}
        </ol>
      </div>
      <Older list={list} />
    </div>
  );
}
