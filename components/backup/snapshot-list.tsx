"use client";
// A repository's snapshots, newest first, by host, tag and path.
import { useInfiniteQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useSearchParams } from "next/navigation";
import { useTranslations } from "next-intl";
import { addressAt } from "@/components/ui/address-at";
import { AddressSelect } from "@/components/ui/address-filter";
import { Older } from "@/components/ui/older";
import { useSay } from "@/components/ui/say";
import { Empty, Failure, Skeleton } from "@/components/ui/states";
import { query } from "@/lib/api/client";
import type { Snapshot } from "@/lib/backup/contract";
import { folderAddress, repositoryAddress, shownName } from "./addresses";
import { When } from "./when";

const address = addressAt("/backups");
const filters = ["host", "tag", "path"] as const;

function SnapshotLine({ repository, one }: { readonly repository: string; readonly one: Snapshot }) {
  const t = useTranslations();
  const say = useSay();
  return (
    <li className="border-t border-line first:border-0">
      <Link
        data-row
        href={folderAddress(repository, one.id, "/")}
        className="flex flex-wrap items-baseline gap-x-3 gap-y-0.5 px-3 py-2 hover:bg-wash"
      >
        <When at={one.time} className="font-medium" />
        <code className="text-xs text-mute">{one.id.slice(0, 8)}</code>
        <span>{one.host}</span>
        <span className="min-w-0 flex-1 basis-40 break-all">{one.paths.map(shownName).join(", ")}</span>
        {one.tags.map((tag) => (
          <span key={tag} className="rounded bg-wash px-1.5 text-xs">
            {tag}
          </span>
        ))}
        {one.bytes !== null && <span className="num text-mute">{say.bytes(one.bytes)}</span>}
        {!one.indexed && <span className="text-xs text-mute">{t("backup.notIndexed")}</span>}
      </Link>
    </li>
  );
}

export function SnapshotList({ repository }: { readonly repository: string }) {
  const t = useTranslations();
  const params = useSearchParams();
  const filter = Object.fromEntries(
    filters.flatMap((name) => {
      const value = params.get(name);
      return value === null ? [] : [[name, value]];
    }),
  );
  const list = useInfiniteQuery({
    ...query.backup.snapshots.infiniteOptions({
      input: (after: string | undefined) => ({
        ...{ repository, limit: 100 },
        ...filter,
        ...(after === undefined ? {} : { after }),
      }),
      initialPageParam: undefined as string | undefined,
      getNextPageParam: (last) => last.next ?? undefined,
    }),
    placeholderData: (before) => before,
    refetchInterval: 30_000,
    retry: false,
  });
  const [first] = list.data?.pages ?? [];
  const rows = list.data?.pages.flatMap(({ snapshots }) => snapshots);
  const filtered = filters.some((name) => params.has(name));
  const options = (values: readonly string[] = []) =>
    values.map((value) => ({ value, label: shownName(value) }));
  return (
    <section className="min-w-0">
      <h2 className="mb-2">{t("backup.snapshotsOf", { repository, count: first?.total ?? 0 })}</h2>
      <search className="mb-3 flex flex-wrap items-center gap-2">
        <AddressSelect
          {...{ address, name: "host", label: t("backup.host"), any: t("backup.anyHost") }}
          options={options(first?.hosts)}
        />
        <AddressSelect
          {...{ address, name: "tag", label: t("backup.tag"), any: t("backup.anyTag") }}
          options={options(first?.tags)}
        />
        <AddressSelect
          {...{ address, name: "path", label: t("backup.path"), any: t("backup.anyPath") }}
          options={options(first?.paths)}
        />
        {filtered && (
          <Link className="btn btn-quiet" href={repositoryAddress(repository)}>
            {t("history.clear")}
          </Link>
        )}
      </search>
      <div className="card" aria-busy={list.isFetching && !rows}>
        {list.error && <Failure error={list.error} onRetry={() => void list.refetch()} />}
        {!rows && !list.error && <Skeleton rows={5} />}
        {rows?.length === 0 && <Empty title={t(filtered ? "history.noMatch" : "backup.noSnapshots")} />}
        {rows && rows.length > 0 && (
          <ol>
            {rows.map((one) => (
              <SnapshotLine key={one.id} repository={repository} one={one} />
            ))}
          </ol>
        )}
      </div>
      <Older list={list} />
    </section>
  );
}
