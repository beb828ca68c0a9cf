"use client";
// Notices: the channels with a test for each, and what was told, tried again by hand where it failed.
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import Link from "next/link";
import { useTranslations } from "next-intl";
import { Older } from "@/components/ui/older";
import { problemOf } from "@/components/ui/problem";
import { useSay } from "@/components/ui/say";
import { Empty, Failure, Skeleton } from "@/components/ui/states";
import { Status, type Tone } from "@/components/ui/status";
import { useToasts } from "@/components/ui/toast";
import { api, query } from "@/lib/api/client";
import type { ChannelRow, DeliveryRow } from "@/lib/notify/contract";

const pageSize = 50;
const refreshMs = 5000;
const tones: Record<DeliveryRow["state"], Tone> = {
  waiting: "run",
  sent: "up",
  failed: "down",
  suppressed: "unknown",
};

function useReload() {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ queryKey: query.notices.key() });
}

function ChannelLine({ channel }: { readonly channel: ChannelRow }) {
  const t = useTranslations();
  const say = useSay();
  const reload = useReload();
  const send = useMutation({
    mutationFn: () => api.notices.test({ channel: channel.name }),
    onSettled: reload,
  });
  const { last } = channel;
  return (
    <li className="row flex-wrap items-center">
      <div className="min-w-0 flex-1 basis-56">
        <b className="font-medium">{channel.name}</b>{" "}
        <span className="text-mute">
          {t(`notices.types.${channel.type}`)}
          {channel.tickets && ` (${t("notices.tickets")})`} · <span className="break-all">{channel.to}</span>
        </span>
        <p className="text-xs">
          {last === null ? (
            <span className="text-mute">{t("notices.never")}</span>
          ) : (
            <>
              <Status tone={tones[last.state]} size={13}>
                {t(`notices.states.${last.state}`)}
              </Status>{" "}
              <time className="text-mute" dateTime={last.createdAt} title={say.utc(last.createdAt)}>
                {say.time(last.sentAt ?? last.createdAt)}
              </time>
            </>
          )}
          {channel.waiting > 0 && (
            <span className="text-mute"> · {t("notices.waits", { count: channel.waiting })}</span>
          )}
        </p>
        {/* What the test found, in place. */}
        <div aria-live="polite">
          {send.data?.state === "sent" && (
            <p>
              <Status tone="up">{t(channel.tickets ? "notices.checked" : "notices.tested")}</Status>
            </p>
          )}
          {send.data?.state === "failed" && (
            <p className="break-words">
              <Status tone="down">{send.data.error ?? t("notices.states.failed")}</Status>
            </p>
          )}
          {send.error && (
            <p>
              <Status tone="down">{say.problem(problemOf(send.error))}</Status>
            </p>
          )}
        </div>
      </div>
      <button type="button" className="btn" disabled={send.isPending} onClick={() => send.mutate()}>
        {t(channel.tickets ? "notices.check" : "notices.sendTest")}
        <span className="sr-only">{channel.name}</span>
      </button>
    </li>
  );
}

function DeliveryLine({ row }: { readonly row: DeliveryRow }) {
  const t = useTranslations();
  const say = useSay();
  const toasts = useToasts();
  const reload = useReload();
  const retry = useMutation({
    mutationFn: () => api.notices.retry({ id: row.id }),
    onSettled: reload,
    onError: toasts.fail,
  });
  const about =
    row.incident !== null
      ? `/incidents/${row.incident}`
      : row.change !== null
        ? `/history/${row.change}`
        : null;
  return (
    <li className="row flex-wrap items-center">
      <time dateTime={row.createdAt} title={say.utc(row.createdAt)} className="num w-32 shrink-0 text-mute">
        {say.time(row.createdAt)}
      </time>
      <div className="min-w-0 flex-1 basis-56">
        <span className="text-mute">{row.channel} · </span>
        {t(`notices.events.${row.event}`)}{" "}
        {about !== null && (
          <Link className="link break-words" href={about}>
            {row.title || about}
          </Link>
        )}
        {row.error !== null && <p className="text-xs break-words text-mute">{row.error}</p>}
      </div>
      <span className="text-right">
        <Status tone={tones[row.state]}>{t(`notices.states.${row.state}`)}</Status>
        {(row.attempts > 1 || row.nextAttemptAt !== null) && (
          <span className="block text-xs text-mute">
            {t("notices.tries", { count: row.attempts })}
            {row.nextAttemptAt !== null &&
              ` · ${t("notices.next", { time: say.clock(row.nextAttemptAt).slice(0, 8) })}`}
          </span>
        )}
      </span>
      {row.state === "failed" && (
        <button type="button" className="btn" disabled={retry.isPending} onClick={() => retry.mutate()}>
          {t("notices.retry")}
          <span className="sr-only">{row.title}</span>
        </button>
      )}
    </li>
  );
}

export function NoticesPage() {
  const t = useTranslations();
  const channels = useQuery({ ...query.notices.channels.queryOptions(), refetchInterval: refreshMs });
  const list = useInfiniteQuery({
    ...query.notices.list.infiniteOptions({
      input: (before: number | undefined) => (before === undefined ? {} : { before }),
      initialPageParam: undefined as number | undefined,
      getNextPageParam: (last) => (last.length < pageSize ? undefined : last.at(-1)?.id),
    }),
    refetchInterval: refreshMs,
  });
  const rows = list.data?.pages.flat();
  return (
    <div className="mx-auto max-w-6xl px-3 py-4 sm:px-5">
      <h1 className="mb-3">{t("notices.title")}</h1>
      <section className="card mb-4" aria-labelledby="channels">
        <h2 id="channels">{t("notices.channels")}</h2>
        {channels.error && !channels.data && (
          <Failure error={channels.error} onRetry={() => void channels.refetch()} />
        )}
        {!channels.data && !channels.error && <Skeleton rows={2} />}
        {channels.data?.length === 0 && (
          <Empty title={t("notices.noChannels")}>
            <p>{t("notices.noChannelsText")}</p>
          </Empty>
        )}
        <ul>
          {channels.data?.map((channel) => (
            <ChannelLine key={channel.name} channel={channel} />
          ))}
        </ul>
      </section>
      <section className="card" aria-labelledby="told">
        <h2 id="told">{t("notices.log")}</h2>
        {list.error && !rows && <Failure error={list.error} onRetry={() => void list.refetch()} />}
        {!rows && !list.error && <Skeleton rows={6} />}
        {rows?.length === 0 && <p className="p-3 text-mute">{t("notices.none")}</p>}
        <ol>
          {rows?.map((row) => (
            <DeliveryLine key={row.id} row={row} />
          ))}
        </ol>
      </section>
      <Older list={list} />
    </div>
  );
}
