"use client";
// A folder of a snapshot: what is in it, with sizes and dates; each file, or the folder as one file, to be taken away.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useSearchParams } from "next/navigation";
import { useTranslations } from "next-intl";
import { Fragment } from "react";
import { Older } from "@/components/ui/older";
import { useSay } from "@/components/ui/say";
import { Empty, Failure, Skeleton } from "@/components/ui/states";
import { useRowKeys } from "@/components/ui/use-row-keys";
import { query } from "@/lib/api/client";
import type { Folder, Snapshot } from "@/lib/backup/contract";
import {
  childOf,
  differenceAddress,
  downloadAddress,
  fileHistoryAddress,
  folderAddress,
  isForeign,
  shownName,
} from "./addresses";
import { useMoment, When } from "./when";

type Place = { readonly repository: string; readonly snapshot: string; readonly path: string };

function Crumbs({ repository, snapshot, path }: Place) {
  const t = useTranslations();
  const parts = path === "/" ? [] : path.slice(1).split("/");
  return (
    <nav aria-label={t("backup.way")} className="mb-3 flex flex-wrap items-baseline gap-x-1 break-all">
      <Link className="link tap" href={folderAddress(repository, snapshot, "/")}>
        {t("backup.top")}
      </Link>
      {parts.map((part, at) => {
        const here = `/${parts.slice(0, at + 1).join("/")}`;
        return (
          <Fragment key={here}>
            <span aria-hidden="true" className="text-faint">
              /
            </span>
            {here === path ? (
              <span aria-current="page" className="font-medium">
                {shownName(part)}
              </span>
            ) : (
              <Link className="link tap" href={folderAddress(repository, snapshot, here)}>
                {shownName(part)}
              </Link>
            )}
          </Fragment>
        );
      })}
    </nav>
  );
}

function EntryLine({ entry, place }: { readonly entry: Folder["entries"][number]; readonly place: Place }) {
  const t = useTranslations();
  const say = useSay();
  const { repository, snapshot } = place;
  const path = childOf(place.path, entry.name);
  const at = new Date(entry.mtimeMs).toISOString();
  const foreign = isForeign(path);
  const name = shownName(entry.name);
  return (
    <li className="flex flex-wrap items-baseline gap-x-3 gap-y-0.5 border-t border-line px-3 py-1.5 first:border-0">
      {entry.type === "dir" && !foreign ? (
        <Link
          data-row
          className="link min-w-0 flex-1 basis-52 font-medium break-all"
          href={folderAddress(repository, snapshot, path)}
        >
          {name}/
        </Link>
      ) : (
        <span className="min-w-0 flex-1 basis-52 break-all">
          {name}
          {entry.type !== "file" && (
            <span className="ml-2 text-xs text-mute">{t(`backup.types.${entry.type}`)}</span>
          )}
        </span>
      )}
      {entry.type === "file" && <span className="num text-mute">{say.bytes(entry.size)}</span>}
      <When at={at} className="text-xs text-mute" />
      {foreign ? (
        <span className="text-xs text-mute">{t("backup.foreign")}</span>
      ) : (
        <span className="flex gap-x-3">
          {entry.type === "file" && (
            <a
              className="link tap"
              href={downloadAddress(repository, snapshot, path)}
              aria-label={t("backup.downloadOf", { name })}
              download
            >
              {t("backup.download")}
            </a>
          )}
          <Link
            className="link tap"
            href={fileHistoryAddress(repository, path)}
            aria-label={t("backup.historyOf", { name })}
          >
            {t("backup.history")}
          </Link>
        </span>
      )}
    </li>
  );
}

/** The one before it of the same host and paths: what it is compared with. */
function before(all: readonly Snapshot[], one: Snapshot): Snapshot | undefined {
  const same = (other: Snapshot) =>
    other.host === one.host && other.paths.join("\n") === one.paths.join("\n");
  return all.slice(all.indexOf(one) + 1).find(same);
}

export function FolderPage({ repository, snapshot }: Omit<Place, "path">) {
  const t = useTranslations();
  const moment = useMoment();
  const path = useSearchParams().get("path") ?? "/";
  const place = { repository, snapshot, path };
  useRowKeys();
  const snapshots = useQuery({
    ...query.backup.snapshots.queryOptions({ input: { repository, limit: 1000 } }),
    retry: false,
  });
  const list = useInfiniteQuery({
    ...query.backup.folder.infiniteOptions({
      input: (after: string | undefined) => ({
        ...place,
        limit: 200,
        ...(after === undefined ? {} : { after }),
      }),
      initialPageParam: undefined as string | undefined,
      getNextPageParam: (last) => last.next ?? undefined,
    }),
    // What is in a snapshot never changes.
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  const all = snapshots.data?.snapshots ?? [];
  const one = all.find(({ id }) => id === snapshot);
  const earlier = one === undefined ? undefined : before(all, one);
  const entries = list.data?.pages.flatMap((page) => page.entries);
  return (
    <div className="mx-auto max-w-5xl px-3 py-4 sm:px-5">
      <div className="mb-2 flex flex-wrap items-center gap-2">
        <h1 className="mr-auto">
          {one === undefined ? t("backup.snapshot", { id: snapshot.slice(0, 8) }) : moment(one.time)}
        </h1>
        {earlier !== undefined && (
          <Link className="btn" href={differenceAddress(repository, earlier.id, snapshot, path)}>
            {t("backup.changes")}
          </Link>
        )}
        {!isForeign(path) &&
          (["tar", "zip"] as const).map((archive) => (
            <a
              key={archive}
              className="btn"
              href={downloadAddress(repository, snapshot, path, archive)}
              download
            >
              {t("backup.folderAs", { archive })}
            </a>
          ))}
      </div>
      <p className="mb-2 flex flex-wrap gap-x-3 text-mute">
        <span>{repository}</span>
        <code>{snapshot.slice(0, 8)}</code>
        {one !== undefined && <span>{one.host}</span>}
      </p>
      <Crumbs {...place} />
      {list.data?.pages[0]?.indexed === false && <p className="mb-2 text-mute">{t("backup.live")}</p>}
      <div className="card" aria-busy={list.isFetching}>
        {list.error && <Failure error={list.error} onRetry={() => void list.refetch()} />}
        {!entries && !list.error && <Skeleton rows={8} />}
        {entries?.length === 0 && <Empty title={t("backup.emptyFolder")} />}
        <ol>
          {entries?.map((entry) => (
            <EntryLine key={entry.name} entry={entry} place={place} />
          ))}
        </ol>
      </div>
      <Older list={list} />
    </div>
  );
}
