"use client";
// The images of what runs: where each is used, its age and size, and whether its registry has a newer one.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import Link from "next/link";
import { useTranslations } from "next-intl";
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
    newer: <Status tone="run">{t("services.updateNewer")}</Status>,
    tags: <Status tone="run">{t("services.updateTags", { tags: say.list(update.tags) })}</Status>,
    same: <Status tone="up">{t("services.updateNone")}</Status>,
    unknown: (
      <Status tone="unknown">
        {say.key("problems", update.problem ?? "oci.failed", {
          registry: row.repository,
          says: "",
          image: row.image,
        })}
      </Status>
    ),
  } satisfies Record<typeof update.state, unknown>;
  return (
    <>
      {words[update.state]}
      {update.problem !== "oci.builtHere" && at}
    </>
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
