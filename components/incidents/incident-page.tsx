"use client";
// One incident: what is broken since when, what may be why and its way back, what happened by the clock, what was seen at the onset.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { useTranslations } from "next-intl";
import { type ReactNode, useEffect, useId, useState } from "react";
import { useMe } from "@/components/frame/me";
import { Outcome } from "@/components/history/outcome";
import { healthAddress, partsOf } from "@/components/overview/words";
import { Confirm, Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { UndoIcon } from "@/components/ui/icons";
import { saveText } from "@/components/ui/save-text";
import { useSay } from "@/components/ui/say";
import { Failure, Skeleton } from "@/components/ui/states";
import { Status, StatusShape } from "@/components/ui/status";
import { useToasts } from "@/components/ui/toast";
import { useAgain } from "@/components/ui/use-again";
import { api, query } from "@/lib/api/client";
import {
  type IncidentDetail,
  type IncidentEntry,
  isCauseWell,
  isNamedByCause,
  type Suspect,
} from "@/lib/incidents/contract";
import { useLive } from "@/lib/live/client";
import { Evidence } from "./evidence";
import { entryTone, incidentTone, type Moment, momentsOf, useIncidentState, useOthers } from "./words";

const tickMs = 1000;

function Card({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section className="card min-w-0">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function ComponentLink({ of }: { readonly of: string }) {
  const part = partsOf(of);
  return (
    <Link className="link" href={healthAddress(part)}>
      {part.name}
    </Link>
  );
}

/** How long it lasts or lasted; counts on while it is open. */
function Lasting({ incident }: { readonly incident: IncidentDetail }) {
  const t = useTranslations();
  const say = useSay();
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (incident.closedAt !== null) return;
    const timer = setInterval(() => setNow(Date.now()), tickMs);
    return () => clearInterval(timer);
  }, [incident.closedAt]);
  const end = incident.closedAt === null ? now : Date.parse(incident.closedAt);
  const time = say.duration(Math.max(0, end - Date.parse(incident.openedAt)));
  return incident.closedAt === null ? t("incidents.lasts", { time }) : t("incidents.lasted", { time });
}

function Others({ incident }: { readonly incident: IncidentDetail }) {
  const others = useOthers(incident);
  return <span className="text-mute">{others.map((words) => ` · ${words}`).join("")}</span>;
}

/** How a component of it is, or how that ended. */
function HowIt({
  of,
  entries,
}: {
  readonly of: IncidentDetail["components"][number];
  readonly entries: readonly IncidentEntry[];
}) {
  const t = useTranslations();
  const say = useSay();
  const { component, since, until } = of;
  if (until === null) return <Status tone="down">{t("incidents.stillFails")}</Status>;
  const last = entries.findLast(
    ({ type, data }) => ["well", "gone", "moved"].includes(type) && data.component === component,
  );
  if (last?.type === "gone" || last?.type === "moved")
    return <Status tone="unknown">{t(`incidents.endedBy.${last.type}`)}</Status>;
  const time = say.duration(Date.parse(until) - Date.parse(since));
  return <Status tone="up">{t("incidents.wellAfter", { time })}</Status>;
}

function SuspectLine({ suspect }: { readonly suspect: Suspect }) {
  const t = useTranslations();
  const say = useSay();
  const router = useRouter();
  const toasts = useToasts();
  const [asked, setAsked] = useState(false);
  const { change, minutesBefore, where, undo } = suspect;
  const back = useMutation({
    mutationFn: () => api.changes.undo({ id: change.id }),
    onSuccess: (row) => router.push(`/history/${row.id}`),
    onError: (error: unknown) => {
      setAsked(false);
      toasts.fail(error);
    },
  });
  return (
    <li className="row flex-wrap items-center">
      <div className="min-w-0 flex-1 basis-56">
        <Link className="link font-medium break-words" href={`/history/${change.id}`}>
          {say.kind(change.kind)} {change.title}
        </Link>
        <p className="text-xs text-mute">
          {t("incidents.before", { time: say.duration(minutesBefore * 60_000) })} · {change.actor.name} ·{" "}
          <Outcome row={change} />
          {where !== null && ` · ${t(`incidents.where.${where}`)}`}
        </p>
      </div>
      {undo && (
        <button type="button" className="btn" onClick={() => setAsked(true)}>
          <UndoIcon />
          {t("incidents.takeBack")}
          <span className="sr-only">{change.title}</span>
        </button>
      )}
      <Confirm
        open={asked}
        title={t("incidents.takeBackAsk", { title: change.title })}
        verb={t("incidents.takeBack")}
        busy={back.isPending}
        onConfirm={() => back.mutate()}
        onClose={() => setAsked(false)}
      >
        <p>{t("incidents.takeBackText")}</p>
      </Confirm>
    </li>
  );
}

/** What an entry says, without who and when. */
function EntryWords({ entry }: { readonly entry: IncidentEntry }) {
  const t = useTranslations();
  const name = typeof entry.data.component === "string" ? partsOf(entry.data.component).name : "";
  return (
    <Status tone={entry.data.state === "resolved" ? "up" : entryTone[entry.type]}>
      {t(`incidents.entries.${entry.type}`, {
        name,
        assignee: String(entry.data.assignee ?? ""),
        channel: String(entry.data.channel ?? ""),
        ticket: String(entry.data.ticket ?? ""),
        alert: String(entry.data.name ?? ""),
        state: String(entry.data.state ?? ""),
      })}
    </Status>
  );
}

function MomentLine({ moment }: { readonly moment: Moment }) {
  const t = useTranslations();
  const say = useSay();
  return (
    <li className="row flex-wrap">
      <time dateTime={moment.at} title={say.utc(moment.at)} className="num w-32 shrink-0 text-mute">
        {say.time(moment.at)}
      </time>
      <div className="min-w-0 flex-1 basis-56">
        {"entry" in moment && (
          <>
            <EntryWords entry={moment.entry} />
            {moment.entry.actor !== null && <span className="text-mute"> · {moment.entry.actor}</span>}
            {moment.entry.text !== null && (
              <p className="mt-0.5 break-words whitespace-pre-wrap">{moment.entry.text}</p>
            )}
          </>
        )}
        {"change" in moment && (
          <Link className="hover:underline" href={`/history/${moment.change.id}`}>
            <span className="text-mute">{say.kind(moment.change.kind)}</span>{" "}
            <span className="break-words">{moment.change.title}</span>{" "}
            <span className="text-xs">
              <Outcome row={moment.change} /> <span className="text-mute">· {moment.change.actor.name}</span>
            </span>
          </Link>
        )}
        {"death" in moment && (
          <Link
            className="hover:underline"
            href={`/services/${encodeURIComponent(moment.death.host)}/${moment.death.container}`}
          >
            <Status tone={moment.death.requested ? "unknown" : "down"}>
              {t(moment.death.oom ? "incidents.diedOfMemory" : "incidents.died", {
                name: moment.death.name,
                code: moment.death.exitCode,
              })}
            </Status>
          </Link>
        )}
      </div>
    </li>
  );
}

function NoteForm({ id }: { readonly id: number }) {
  const t = useTranslations();
  const field = useId();
  const queries = useQueryClient();
  const toasts = useToasts();
  const [text, setText] = useState("");
  const note = useMutation({
    mutationFn: () => api.incidents.note({ id, text: text.trim() }),
    onSuccess: async () => {
      setText("");
      await queries.invalidateQueries({ queryKey: query.incidents.get.key() });
    },
    onError: toasts.fail,
  });
  return (
    <form
      className="border-t border-line p-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim() !== "") note.mutate();
      }}
    >
      <label htmlFor={field} className="mb-1 block font-medium">
        {t("incidents.note")}
      </label>
      <textarea
        id={field}
        className="input min-h-20 w-full"
        maxLength={5000}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <button type="submit" className="btn mt-2" disabled={text.trim() === "" || note.isPending}>
        {t("incidents.addNote")}
      </button>
    </form>
  );
}

function Acts({ incident }: { readonly incident: IncidentDetail }) {
  const t = useTranslations();
  const me = useMe();
  const queries = useQueryClient();
  const toasts = useToasts();
  const [dialog, setDialog] = useState<"assign" | "close" | null>(null);
  const [assignee, setAssignee] = useState("");
  const done = async () => {
    setDialog(null);
    await queries.invalidateQueries({ queryKey: query.incidents.key() });
  };
  const { id } = incident;
  const take = useMutation({
    mutationFn: () => api.incidents.acknowledge({ id }),
    onSuccess: done,
    onError: toasts.fail,
  });
  const assign = useMutation({
    mutationFn: () => api.incidents.assign({ id, assignee: assignee.trim() }),
    onSuccess: done,
    onError: toasts.fail,
  });
  const close = useMutation({
    mutationFn: () => api.incidents.close({ id }),
    onSuccess: done,
    onError: toasts.fail,
  });
  const write = useMutation({
    mutationFn: () => api.incidents.postMortem({ id }),
    onSuccess: ({ markdown }) => saveText(`incident-${id}.md`, markdown, "text/markdown"),
    onError: toasts.fail,
  });
  const open = incident.state !== "closed";
  const failing = incident.components.filter(({ until }) => until === null).length;
  return (
    <div className="ml-auto flex flex-wrap gap-2">
      {me.may.operate && incident.state === "open" && (
        <button
          type="button"
          className="btn btn-primary"
          disabled={take.isPending}
          onClick={() => take.mutate()}
        >
          {t("incidents.acknowledge")}
        </button>
      )}
      {me.may.operate && open && (
        <>
          <button
            type="button"
            className="btn"
            onClick={() => {
              setAssignee(incident.assignee ?? me.name);
              setDialog("assign");
            }}
          >
            {t("incidents.assign")}
          </button>
          <button type="button" className="btn" onClick={() => setDialog("close")}>
            {t("incidents.close")}
          </button>
        </>
      )}
      <button type="button" className="btn" disabled={write.isPending} onClick={() => write.mutate()}>
        {t("incidents.postMortem")}
      </button>
      <Dialog open={dialog === "assign"} title={t("incidents.assign")} onClose={() => setDialog(null)}>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (assignee.trim() !== "") assign.mutate();
          }}
        >
          <Field
            label={t("incidents.assignee")}
            required
            maxLength={100}
            value={assignee}
            onChange={(event) => setAssignee(event.target.value)}
          />
          <div className="mt-4 flex justify-end gap-2">
            <button type="button" className="btn" onClick={() => setDialog(null)}>
              {t("act.cancel")}
            </button>
            <button type="submit" className="btn btn-primary" disabled={assign.isPending}>
              {t("incidents.assign")}
            </button>
          </div>
        </form>
      </Dialog>
      <Confirm
        open={dialog === "close"}
        title={t("incidents.closeAsk")}
        verb={t("incidents.close")}
        busy={close.isPending}
        onConfirm={() => close.mutate()}
        onClose={() => setDialog(null)}
      >
        <p>{t("incidents.closeText", { count: failing })}</p>
      </Confirm>
    </div>
  );
}

export function IncidentPage({ id }: { readonly id: number }) {
  const t = useTranslations();
  const say = useSay();
  const me = useMe();
  const live = useLive();
  const stateOf = useIncidentState();
  const incident = useQuery({
    ...query.incidents.get.queryOptions({ input: { id } }),
    refetchInterval: (state) => (state.state.data?.state === "closed" ? false : 10_000),
    retry: false,
  });
  const told = live.incidents.find((one) => one.id === id);
  // Its components, its state: told at once; the rest of it is asked for then.
  useAgain(told, incident.refetch);
  if (incident.error && !incident.data)
    return (
      <div className="mx-auto max-w-6xl px-3 py-4 sm:px-5">
        <h1 className="sr-only">{t("frame.incident", { id })}</h1>
        <Failure error={incident.error} onRetry={() => void incident.refetch()} />
      </div>
    );
  if (!incident.data) return <Skeleton rows={8} />;
  const row = incident.data;
  return (
    <div className="mx-auto max-w-6xl px-3 py-4 sm:px-5">
      <header className="mb-4 flex flex-wrap items-start gap-x-4 gap-y-3">
        <StatusShape tone={incidentTone(row)} size={30} />
        <div className="min-w-0 flex-1 basis-64">
          <h1 className="break-words">
            {isNamedByCause(row)
              ? t(isCauseWell(row) ? "incidents.wasDown" : "incidents.isDown", { name: row.title })
              : row.title}
          </h1>
          <p className="text-mute">
            {stateOf(row)}
            {row.assignee !== null && ` · ${t("incidents.assignedTo", { name: row.assignee })}`} ·{" "}
            <time dateTime={row.openedAt} title={say.utc(row.openedAt)}>
              {t("overview.since", { time: say.time(row.openedAt) })}
            </time>{" "}
            · <Lasting incident={row} />
          </p>
          {row.cause !== null && (
            <p className="mt-1">
              {t("incidents.cause")} <ComponentLink of={row.cause} />
              <Others incident={row} />
            </p>
          )}
          {row.tickets.length > 0 && (
            <p className="mt-1">
              {row.tickets.map(({ tracker, key, url }) => (
                <a key={tracker} className="link tap mr-3" href={url} rel="noreferrer">
                  {t("incidents.ticket", { key })}
                </a>
              ))}
            </p>
          )}
        </div>
        <Acts incident={row} />
      </header>
      <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_340px]">
        <div className="grid min-w-0 gap-4">
          <Card title={t("incidents.suspects")}>
            {row.suspects.length === 0 ? (
              <p className="p-3 text-mute">{t("incidents.noSuspects")}</p>
            ) : (
              <ol>
                {row.suspects.map((one) => (
                  <SuspectLine key={one.change.id} suspect={one} />
                ))}
              </ol>
            )}
          </Card>
          <Card title={t("incidents.timeline")}>
            <ol>
              {momentsOf(row).map((moment) => (
                <MomentLine
                  key={
                    "entry" in moment
                      ? `entry ${moment.entry.id}`
                      : "change" in moment
                        ? `change ${moment.change.id}`
                        : `death ${moment.death.id}`
                  }
                  moment={moment}
                />
              ))}
            </ol>
            {me.may.operate && <NoteForm id={id} />}
          </Card>
          {row.evidence.map((one) => (
            <Evidence key={one.at} evidence={one} />
          ))}
        </div>
        <div className="grid min-w-0 gap-4">
          <Card title={t("incidents.components")}>
            {row.components.length === 0 && <p className="p-3 text-mute">{t("incidents.noComponents")}</p>}
            <ul>
              {row.components.map((one) => (
                <li key={one.component} className="row flex-wrap">
                  <span className="min-w-0 flex-1">
                    <ComponentLink of={one.component} />
                  </span>
                  <HowIt of={one} entries={row.entries} />
                </li>
              ))}
            </ul>
          </Card>
        </div>
      </div>
    </div>
  );
}
