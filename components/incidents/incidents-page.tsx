"use client";
// What is broken and what was: open incidents first, then those that ended, and announced work.
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { useTranslations } from "next-intl";
import { type FormEvent, useId, useState } from "react";
import { useMe } from "@/components/frame/me";
import { partsOf } from "@/components/overview/words";
import { Dialog } from "@/components/ui/dialog";
import { Field, FieldError } from "@/components/ui/field";
import { Older } from "@/components/ui/older";
import { problemOf } from "@/components/ui/problem";
import { useSay } from "@/components/ui/say";
import { Empty, Failure, Skeleton } from "@/components/ui/states";
import { StatusShape } from "@/components/ui/status";
import { useToasts } from "@/components/ui/toast";
import { useAgain } from "@/components/ui/use-again";
import { useRowKeys } from "@/components/ui/use-row-keys";
import { api, query } from "@/lib/api/client";
import { type IncidentRow, isCauseWell, isNamedByCause } from "@/lib/incidents/contract";
import { useLive } from "@/lib/live/client";
import { incidentTone, useIncidentState, useOthers } from "./words";

const pageSize = 50;

function Row({ row }: { readonly row: IncidentRow }) {
  const t = useTranslations();
  const say = useSay();
  const stateOf = useIncidentState();
  const others = useOthers(row);
  const lasted =
    row.closedAt === null ? null : say.duration(Date.parse(row.closedAt) - Date.parse(row.openedAt));
  return (
    <li className="border-b border-line last:border-0">
      <Link
        href={`/incidents/${row.id}`}
        data-row
        className="flex flex-wrap items-start gap-x-3 gap-y-1 px-3 py-2.5 hover:bg-wash"
      >
        <span className="pt-0.5">
          <StatusShape tone={incidentTone(row)} size={17} />
        </span>
        <span className="min-w-0 flex-1 basis-56">
          <b className="font-semibold break-words">
            {isNamedByCause(row)
              ? t(isCauseWell(row) ? "incidents.wasDown" : "incidents.isDown", { name: row.title })
              : row.title}
          </b>
          <span className="block text-xs text-mute">
            {stateOf(row)}
            {row.assignee !== null && ` · ${t("incidents.assignedTo", { name: row.assignee })}`}
            {others.map((words) => ` · ${words}`).join("")}
          </span>
        </span>
        <span className="num text-xs text-mute sm:text-right">
          <time dateTime={row.openedAt} title={say.utc(row.openedAt)}>
            {say.time(row.openedAt)}
          </time>
          {lasted !== null && <span className="sm:block"> {t("incidents.lasted", { time: lasted })}</span>}
        </span>
      </Link>
    </li>
  );
}

function OpenDialog({ onClose }: { readonly onClose: () => void }) {
  const t = useTranslations();
  const say = useSay();
  const note = useId();
  const router = useRouter();
  const [title, setTitle] = useState("");
  const [text, setText] = useState("");
  const [critical, setCritical] = useState(false);
  const open = useMutation({
    mutationFn: () =>
      api.incidents.open({
        title: title.trim(),
        severity: critical ? "critical" : "warning",
        ...(text.trim() === "" ? {} : { note: text.trim() }),
      }),
    onSuccess: (row) => router.push(`/incidents/${row.id}`),
  });
  return (
    <Dialog open title={t("incidents.open")} onClose={onClose}>
      <form
        className="grid gap-4"
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          open.mutate();
        }}
      >
        <Field
          label={t("incidents.title")}
          required
          minLength={3}
          maxLength={200}
          value={title}
          onChange={(event) => setTitle(event.target.value)}
        />
        <div>
          <label htmlFor={note} className="mb-1 block font-medium">
            {t("incidents.note")}
          </label>
          <textarea
            id={note}
            className="input min-h-20 w-full"
            maxLength={5000}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </div>
        <label htmlFor={`${note}-critical`} className="flex items-center gap-2">
          <input
            id={`${note}-critical`}
            type="checkbox"
            className="size-4 accent-[var(--deep)]"
            checked={critical}
            onChange={(event) => setCritical(event.target.checked)}
          />
          {t("incidents.critical")}
        </label>
        {open.error && <FieldError>{say.problem(problemOf(open.error))}</FieldError>}
        <div className="flex justify-end gap-2">
          <button type="button" className="btn" onClick={onClose}>
            {t("act.cancel")}
          </button>
          <button type="submit" className="btn btn-primary" disabled={open.isPending}>
            {t("incidents.open")}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** Minutes that announced work may take; more is announced again. */
const lengths = [15, 30, 60, 120, 240, 480] as const;

function AnnounceDialog({ onClose }: { readonly onClose: () => void }) {
  const t = useTranslations();
  const say = useSay();
  const id = useId();
  const live = useLive();
  const queries = useQueryClient();
  const [title, setTitle] = useState("");
  const [minutes, setMinutes] = useState<number>(60);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const announce = useMutation({
    mutationFn: () =>
      api.incidents.announce({
        title: title.trim(),
        components: [...chosen],
        endsAt: new Date(Date.now() + minutes * 60_000).toISOString(),
      }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: query.incidents.maintenances.key() });
      onClose();
    },
  });
  return (
    <Dialog open title={t("incidents.announce")} onClose={onClose}>
      <form
        className="grid gap-4"
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          announce.mutate();
        }}
      >
        <p className="text-mute">{t("incidents.announceText")}</p>
        <Field
          label={t("incidents.work")}
          required
          minLength={3}
          maxLength={200}
          value={title}
          onChange={(event) => setTitle(event.target.value)}
        />
        <div>
          <label htmlFor={`${id}-length`} className="mb-1 block font-medium">
            {t("incidents.length")}
          </label>
          <select
            id={`${id}-length`}
            className="input"
            value={minutes}
            onChange={(event) => setMinutes(Number(event.target.value))}
          >
            {lengths.map((one) => (
              <option key={one} value={one}>
                {say.duration(one * 60_000)}
              </option>
            ))}
          </select>
        </div>
        <fieldset>
          <legend className="mb-1 font-medium">{t("incidents.about")}</legend>
          <p className="mb-1 text-xs text-mute">{t("incidents.aboutAll")}</p>
          <div className="flex flex-wrap gap-x-4 gap-y-1">
            {live.components.map(({ key, name, kind }) => (
              <label key={key} htmlFor={`${id}-${key}`} className="flex items-center gap-1.5">
                <input
                  id={`${id}-${key}`}
                  type="checkbox"
                  className="size-4 accent-[var(--deep)]"
                  checked={chosen.has(key)}
                  onChange={(event) => {
                    const next = new Set(chosen);
                    if (event.target.checked) next.add(key);
                    else next.delete(key);
                    setChosen(next);
                  }}
                />
                <span title={say.key("systems", kind)}>{name}</span>
              </label>
            ))}
          </div>
        </fieldset>
        {announce.error && <FieldError>{say.problem(problemOf(announce.error))}</FieldError>}
        <div className="flex justify-end gap-2">
          <button type="button" className="btn" onClick={onClose}>
            {t("act.cancel")}
          </button>
          <button type="submit" className="btn btn-primary" disabled={announce.isPending}>
            {t("incidents.announce")}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function Maintenances() {
  const t = useTranslations();
  const say = useSay();
  const me = useMe();
  const queries = useQueryClient();
  const toasts = useToasts();
  const works = useQuery({ ...query.incidents.maintenances.queryOptions(), refetchInterval: 60_000 });
  const end = useMutation({
    mutationFn: (id: number) => api.incidents.endMaintenance({ id }),
    onSuccess: () => queries.invalidateQueries({ queryKey: query.incidents.maintenances.key() }),
    onError: toasts.fail,
  });
  if (works.error) return <Failure error={works.error} onRetry={() => void works.refetch()} />;
  if (!works.data || works.data.length === 0) return null;
  return (
    <section className="card mb-4" aria-labelledby="works">
      <h2 id="works">{t("incidents.works")}</h2>
      <ul>
        {works.data.map((one) => (
          <li key={one.id} className="row flex-wrap items-center">
            <div className="min-w-0 flex-1 basis-56">
              <b className="font-medium break-words">{one.title}</b>
              <p className="text-xs text-mute">
                {t("incidents.until", { time: say.time(one.endsAt) })} · {one.createdBy} ·{" "}
                {one.components.length === 0
                  ? t("incidents.everything")
                  : say.list(one.components.map((key) => partsOf(key).name))}
              </p>
            </div>
            {me.may.operate && (
              <button
                type="button"
                className="btn"
                disabled={end.isPending}
                onClick={() => end.mutate(one.id)}
              >
                {t("incidents.endWork")}
                <span className="sr-only">{one.title}</span>
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

export function IncidentsPage() {
  const t = useTranslations();
  const me = useMe();
  const live = useLive();
  const [dialog, setDialog] = useState<"open" | "announce" | null>(null);
  const list = useInfiniteQuery({
    ...query.incidents.list.infiniteOptions({
      input: (before: number | undefined) => (before === undefined ? {} : { before }),
      initialPageParam: undefined as number | undefined,
      getNextPageParam: (last) => (last.length < pageSize ? undefined : last.at(-1)?.id),
    }),
    refetchInterval: 60_000,
  });
  useRowKeys();
  // What opens or closes is told at once.
  useAgain(live.incidents, list.refetch);
  const rows = list.data?.pages.flat();
  const open = rows?.filter(({ state }) => state !== "closed") ?? [];
  const ended = rows?.filter(({ state }) => state === "closed") ?? [];
  return (
    <div className="mx-auto max-w-6xl px-3 py-4 sm:px-5">
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <h1 className="mr-auto">
          {rows === undefined ? t("rooms.incidents") : t("incidents.count", { count: open.length })}
        </h1>
        <Link className="btn" href="/incidents/alerts">
          {t("incidents.alertsLink")}
        </Link>
        {me.may.operate && (
          <>
            <Link className="btn" href="/incidents/notices">
              {t("notices.title")}
            </Link>
            <button type="button" className="btn" onClick={() => setDialog("announce")}>
              {t("incidents.announce")}
            </button>
            <button type="button" className="btn" onClick={() => setDialog("open")}>
              {t("incidents.open")}
            </button>
          </>
        )}
      </div>
      <Maintenances />
      {list.error && !rows && <Failure error={list.error} onRetry={() => void list.refetch()} />}
      {!rows && !list.error && <Skeleton rows={6} />}
      {open.length > 0 && (
        <ol className="card mb-4">
          {open.map((row) => (
            <Row key={row.id} row={row} />
          ))}
        </ol>
      )}
      {rows?.length === 0 && (
        <div className="card">
          <Empty title={t("incidents.none")}>
            <p>{t("incidents.noneText")}</p>
          </Empty>
        </div>
      )}
      {ended.length > 0 && (
        <section aria-labelledby="ended">
          <h2 id="ended" className="mb-1.5 text-mute">
            {t("incidents.ended")}
          </h2>
          <ol className="card">
            {ended.map((row) => (
              <Row key={row.id} row={row} />
            ))}
          </ol>
        </section>
      )}
      <Older list={list} />
      {dialog === "open" && <OpenDialog onClose={() => setDialog(null)} />}
      {dialog === "announce" && <AnnounceDialog onClose={() => setDialog(null)} />}
    </div>
  );
}
