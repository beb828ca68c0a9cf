"use client";
// The images of what runs: where each is used, its age and size, and whether its registry has a newer one.
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import Link from "next/link";
import { useTranslations } from "next-intl";
import { useState } from "react";
import { useMe } from "@/components/frame/me";
import { useSay } from "@/components/ui/say";
import { Empty, Failure, Skeleton } from "@/components/ui/states";
import { Status } from "@/components/ui/status";
import { useToasts } from "@/components/ui/toast";
import { api, query } from "@/lib/api/client";
import type { ImageRow } from "@/lib/services/contract";
import { serviceAddress } from "./words";

function Update({ row }: { readonly row: ImageRow }) {
  const t = useTranslations();
  const say = useSay();
  const { update } = row;
  if (update === null) return <Status tone="unknown">{t("services.updateNotYet")}</Status>;
  const at = (
    <time className="block text-xs text-mute" dateTime={update.checkedAt} title={say.utc(update.checkedAt)}>
      {t("services.checkedAt", { time: say.time(update.checkedAt) })}
    </time>
  );
  const words = {
    newer: (
      <Status tone="run">
        {t("services.updateNewer")}
        {update.tags.length > 0 && ` · ${t("services.updateTags", { tags: say.list(update.tags) })}`}
      </Status>
    ),
    tags: <Status tone="run">{t("services.updateTags", { tags: say.list(update.tags) })}</Status>,
    same: <Status tone="up">{t("services.updateNone")}</Status>,
    unknown: (
      <Status tone="unknown">
        {update.problem !== null && say.key("problems", update.problem.problem, update.problem.params)}
      </Status>
    ),
  } satisfies Record<typeof update.state, unknown>;
  return (
    <>
      {words[update.state]}
      {update.problem?.problem !== "oci.builtHere" && at}
    </>
  );
}

/** What else the repository has, asked for when it is opened, five at a time. */
function Tags({ row }: { readonly row: ImageRow }) {
  const t = useTranslations();
  const say = useSay();
  const [open, setOpen] = useState(false);
  const { host, image } = row;
  const tags = useInfiniteQuery({
    ...query.services.imageTags.infiniteOptions({
      input: (from: number) => ({ host, image, from }),
      initialPageParam: 0,
      getNextPageParam: (last, all) => {
        const seen = all.reduce((sum, page) => sum + page.tags.length, 0);
        return seen < last.total ? seen : null;
      },
    }),
    enabled: open,
    staleTime: 60_000,
    retry: false,
  });
  const total = tags.data?.pages[0]?.total;
  return (
    <details className="lg:col-span-full" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="tap w-fit text-mute">
        {total === undefined ? t("services.tags") : t("services.tagsOf", { count: total })}
        <span className="sr-only">{row.repository}</span>
      </summary>
      {tags.error && <Failure error={tags.error} onRetry={() => void tags.refetch()} />}
      {tags.isLoading && <Skeleton rows={3} />}
      {tags.data && (
        <table className="mt-1 w-full max-w-3xl text-left">
          <thead className="text-xs text-mute">
            <tr>
              <th className="py-1 pr-4 font-normal">{t("services.tag")}</th>
              <th className="py-1 pr-4 font-normal">{t("services.tagSize")}</th>
              <th className="py-1 font-normal">{t("services.tagDate")}</th>
            </tr>
          </thead>
          <tbody>
            {tags.data.pages
              .flatMap((page) => page.tags)
              .map((one) => (
                <tr key={one.tag} className="border-t border-line align-baseline">
                  <td className="py-1 pr-4 break-all">
                    <code title={one.digest ?? undefined}>{one.tag}</code>{" "}
                    {one.newer && <span className="text-run-ink">{t("services.tagNewer")}</span>}
                    {one.tag === row.tag && <span className="text-mute">{t("services.tagInUse")}</span>}
                  </td>
                  {one.problem === null ? (
                    <>
                      <td className="num py-1 pr-4 text-mute">
                        {one.size === null ? "–" : say.bytes(one.size)}
                      </td>
                      <td className="num py-1 text-mute">
                        {one.createdAt === null ? (
                          "–"
                        ) : (
                          <time dateTime={one.createdAt} title={say.utc(one.createdAt)}>
                            {say.date(one.createdAt)}
                          </time>
                        )}
                      </td>
                    </>
                  ) : (
                    <td className="py-1 text-mute" colSpan={2}>
                      {say.key("problems", one.problem.problem, one.problem.params)}
                    </td>
                  )}
                </tr>
              ))}
          </tbody>
        </table>
      )}
      {tags.hasNextPage && (
        <button
          type="button"
          className="btn mt-2"
          disabled={tags.isFetchingNextPage}
          onClick={() => void tags.fetchNextPage()}
        >
          {t("services.moreTags")}
        </button>
      )}
    </details>
  );
}

function Row({ row }: { readonly row: ImageRow }) {
  const t = useTranslations();
  const say = useSay();
  const me = useMe();
  const toasts = useToasts();
  const queries = useQueryClient();
  const check = useMutation({
    mutationFn: () => api.services.checkImage({ host: row.host, image: row.image }),
    onSuccess: () => queries.invalidateQueries({ queryKey: query.services.images.key() }),
    onError: toasts.fail,
  });
  return (
    <li className="grid gap-x-4 gap-y-1 border-b border-line px-3 py-2.5 last:border-0 lg:grid-cols-[minmax(0,1.4fr)_minmax(0,1fr)_130px_minmax(0,1.2fr)_auto] lg:items-start">
      <div className="min-w-0">
        <b className="font-medium break-words">{row.repository}</b>
        {row.tag !== null && <code className="ml-1.5">{row.tag}</code>}
        <code className="block truncate text-mute" title={row.digest ?? row.imageId}>
          {(row.digest ?? row.imageId).slice(7, 19)}
        </code>
      </div>
      <div className="min-w-0 text-mute">
        {row.containers.slice(0, 4).map((name, index) => (
          <span key={name}>
            {index > 0 && ", "}
            <Link className="link" href={serviceAddress({ host: row.host, name })}>
              {name}
            </Link>
          </span>
        ))}
        {row.containers.length > 4 && ` +${row.containers.length - 4}`}
      </div>
      <div className="num text-mute">
        {row.size !== null && say.bytes(row.size)}
        {row.createdAt !== null && (
          <time className="block text-xs" dateTime={row.createdAt} title={say.utc(row.createdAt)}>
            {say.date(row.createdAt)}
          </time>
        )}
      </div>
      <div className="min-w-0">
        <Update row={row} />
      </div>
      {me.may.operate ? (
        <button type="button" className="btn" disabled={check.isPending} onClick={() => check.mutate()}>
          {check.isPending ? t("connections.testing") : t("services.checkNow")}
          <span className="sr-only">{row.image}</span>
        </button>
      ) : (
        <span />
      )}
      {me.may.operate && row.tag !== null && row.update?.problem?.problem !== "oci.builtHere" && (
        <Tags row={row} />
      )}
    </li>
  );
}

export function ImagesPage() {
  const t = useTranslations();
  const images = useQuery({ ...query.services.images.queryOptions(), refetchInterval: 60_000 });
  return (
    <div className="mx-auto max-w-6xl px-3 py-4 sm:px-5">
      <h1>{t("services.images")}</h1>
      <p className="mt-1 mb-4 max-w-2xl text-mute">{t("services.imagesText")}</p>
      <div className="card">
        {images.error && <Failure error={images.error} onRetry={() => void images.refetch()} />}
        {!images.data && !images.error && <Skeleton rows={6} />}
        {images.data?.length === 0 && <Empty title={t("services.nothing")} />}
        {images.data !== undefined && images.data.length > 0 && (
          <ul>
            {images.data.map((row) => (
              <Row key={`${row.host}/${row.image}/${row.imageId}`} row={row} />
            ))}
          </ul>
        )}
      </div>
    </div>
  );
}
