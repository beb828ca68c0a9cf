// The process's notices: who is told what of incidents and changes, what became of it, and the sign of life to the outside.
import type { ChangeRow } from "../changes/contract";
import { engine } from "../changes/engine";
import type { Actor } from "../changes/kind";
import { rowColumns, toRow } from "../changes/rows";
import { config } from "../config/load";
import { db } from "../db/client";
import { AppError, toAppError } from "../errors/app-error";
import { health } from "../health/service";
import type { IncidentTicket } from "../incidents/contract";
import type { IncidentEvent } from "../incidents/keeper";
import { addEntry } from "../incidents/rows";
import { findIncident, incidentDetail, incidents } from "../incidents/service";
import { suspectsOf } from "../incidents/suspects";
import { log } from "../runtime/log";
import { singleton } from "../runtime/singleton";
import { signOfLife } from "../systems/notices/notices";
import { checkTracker, fileTicket, type TrackerConfig, trackersFor } from "../tickets/file";
import { type ChannelRow, type DeliveryRow, deliveryStates, noticeEvents } from "./contract";
import { type Channel, type Due, Notifier, type Sent } from "./notifier";
import { channelsForChange, channelsForIncident } from "./rules";
import { send } from "./send";
import type { Notice } from "./words";

const page = 50;
/** Kept so long after their end. */
const keepMs = 90 * 86_400_000;
const pruneEveryMs = 24 * 3_600_000;
/** What ended so short a time before a start may have had no time to be written down. */
const catchUpMs = 15 * 60_000;
/** Without a look for so long the notifier hangs: then there is no sign of life. */
const hangsMs = 120_000;
const dayMs = 86_400_000;

/** Who reads an incident's suspects for a notice: everybody who gets it may. */
const reader: Actor = {
  type: "system",
  id: null,
  name: "Sluice",
  role: "viewer",
  sites: null,
  scopes: null,
};

/** Who is told: a channel, or a tracker that makes a ticket of it. */
type Told = Channel | TrackerConfig;
const isTracker = (told: Told): told is TrackerConfig => "severity" in told;
const allTold = (): Told[] => [...config().notify.channels, ...config().tickets];

export const notifier = (): Notifier<Told> =>
  singleton(
    "notifier",
    () =>
      new Notifier<Told>({
        settings: () => ({ channels: allTold(), give_up: config().notify.give_up }),
        send: deliver,
        onSent: noted,
      }),
  );

/** What there is to say now: an incident's cause may have been found since the notice was written down. */
async function deliver(due: Due, channel: Told, attempts: number): Promise<Sent> {
  const notice = await noticeOf(due);
  // Over before anybody was told; then nobody need hear that it is mended either.
  if (due.event === "opened" && attempts === 0 && notice.incident?.state === "closed") return "suppressed";
  if ((due.event === "closed" || due.event === "acknowledged") && !(await wasTold(due))) return "suppressed";
  if (isTracker(channel)) return deliverTicket(due, channel);
  await send(due.id, notice, channel, config());
  return "sent";
}

/** Whether a channel was told that an incident is open; one that refused it was meant to be. */
async function wasTold({ channel, incidentId }: Due): Promise<boolean> {
  const told = await db().delivery.count({
    where: { channel, incidentId, event: { in: ["opened", "reopened"] }, state: { not: "suppressed" } },
  });
  return told > 0;
}

/** A ticket is a notice of its own kind: what it is told comes from the incident as it is now. */
async function deliverTicket({ id, incidentId, event }: Due, tracker: TrackerConfig): Promise<Sent> {
  if (incidentId === null || event === "change" || event === "test") {
    await checkTracker(tracker);
    return "sent";
  }
  const { createdAt } = await db().delivery.findUniqueOrThrow({ where: { id }, select: { createdAt: true } });
  const incident = await incidentDetail(incidentId, reader);
  const ticket = await fileTicket(tracker, {
    id,
    event,
    incident,
    at: createdAt,
    link: `${config().server.url}/incidents/${incidentId}`,
  });
  if (ticket === null) return tracker.type === "webhook" ? "sent" : "suppressed";
  const known = incident.tickets.find((one) => one.tracker === tracker.name);
  if (known?.url !== ticket.url) await keepTicket(incidentId, ticket);
  return "sent";
}

async function keepTicket(incidentId: number, ticket: IncidentTicket): Promise<void> {
  await incidents().change(incidentId, async () => {
    const { tickets } = await findIncident(incidentId);
    const others = tickets.filter(({ tracker }) => tracker !== ticket.tracker);
    await db().incident.update({
      where: { id: incidentId },
      data: { ticket: JSON.stringify([...others, ticket]) },
    });
    await addEntry(incidentId, { type: "ticket", data: { ticket: ticket.key } });
  });
}

async function noticeOf(due: Due): Promise<Notice> {
  const incident = due.incidentId === null ? null : await findIncident(due.incidentId);
  const change = due.changeId === null ? null : await changeRow(due.changeId);
  const opens = due.event === "opened" || due.event === "reopened";
  const [suspect = null] = incident !== null && opens ? await suspectsOf(incident, reader) : [];
  return {
    event: due.event,
    incident,
    problem: incident?.cause && opens ? (health().get(incident.cause)?.problem ?? null) : null,
    suspect,
    change,
    channel: due.channel,
  };
}

async function changeRow(id: number): Promise<ChangeRow> {
  return toRow(await db().change.findUniqueOrThrow({ where: { id }, select: rowColumns }));
}

async function noted({ incidentId, channel, event }: Due): Promise<void> {
  // A ticket has an entry of its own.
  if (incidentId === null || config().tickets.some(({ name }) => name === channel)) return;
  await incidents().change(incidentId, () =>
    addEntry(incidentId, { type: "notified", data: { channel, event } }),
  );
}

/** An incident's event, to whom the rules say. Asked twice, it is told once. */
async function tellIncident({ event, incident }: IncidentEvent): Promise<void> {
  const settings = config().notify;
  const at = new Date();
  const trackers = trackersFor(config().tickets, incident);
  const rulesAt = (time: Date) => channelsForIncident(settings, event, incident, time);
  // It may end at an hour of which a rule does not speak: who heard of the beginning hears of that.
  const byRules =
    event === "closed" ? [...rulesAt(at), ...rulesAt(new Date(incident.openedAt))] : rulesAt(at);
  const wanted = [...new Set([...byRules, ...trackers])];
  const heard = new Set(
    (
      await db().delivery.findMany({
        where: {
          incidentId: incident.id,
          event: { in: ["opened", "reopened"] },
          state: { not: "suppressed" },
        },
        select: { channel: true },
      })
    ).map(({ channel }) => channel),
  );
  // Who was never told that it is broken need not hear that it is mended.
  const told = event === "opened" || event === "reopened" ? wanted : wanted.filter((one) => heard.has(one));
  // It may open and close again and again: each time is its own entry on the timeline.
  const entry =
    event === "opened"
      ? null
      : await db().incidentEntry.findFirst({
          where: { incidentId: incident.id, type: event },
          orderBy: { id: "desc" },
          select: { id: true },
        });
  const turn = entry === null ? "" : ` ${entry.id}`;
  for (const channel of told)
    await notifier().add({
      channel,
      event,
      incidentId: incident.id,
      title: incident.title,
      dedupe: `incident ${incident.id} ${event}${turn}`,
      // A ticket comes first: where it is stands in the notices then.
      delayMs: event !== "opened" ? 0 : trackers.includes(channel) ? settings.delay / 2 : settings.delay,
    });
}

const ended = new Set<ChangeRow["state"]>(["done", "failed", "interrupted"]);
async function tellChange(row: ChangeRow): Promise<void> {
  if (!ended.has(row.state)) return;
  for (const channel of channelsForChange(config().notify, row, new Date()))
    await notifier().add({
      channel,
      event: "change",
      changeId: row.id,
      title: row.title,
      dedupe: `change ${row.id}`,
    });
}

/** What happened while Sluice went down may not have been written down: what was is not told twice. */
async function catchUp(): Promise<void> {
  for (const incident of await incidents().current()) {
    if (Date.now() - Date.parse(incident.openedAt) < dayMs) await tellIncident({ event: "opened", incident });
    const again = await db().incidentEntry.findFirst({
      where: { incidentId: incident.id, type: "reopened", at: { gte: new Date(Date.now() - catchUpMs) } },
      select: { id: true },
    });
    if (again !== null) await tellIncident({ event: "reopened", incident });
  }
  const closed = await db().incident.findMany({
    where: { state: "closed", closedAt: { gte: new Date(Date.now() - catchUpMs) } },
    select: { id: true },
  });
  for (const { id } of closed) await tellIncident({ event: "closed", incident: await findIncident(id) });
  const rows = await db().change.findMany({
    where: { finishedAt: { gte: new Date(Date.now() - catchUpMs) } },
    select: rowColumns,
  });
  for (const row of rows) await tellChange(toRow(row));
}

const toDelivery = (one: Awaited<ReturnType<typeof deliveries>>[number]): DeliveryRow => ({
  id: one.id,
  channel: one.channel,
  event: noticeEvents.find((known) => known === one.event) ?? "test",
  title: titleOf(one.payload),
  incident: one.incidentId,
  change: one.changeId,
  state: deliveryStates.find((known) => known === one.state) ?? "failed",
  attempts: one.attempts,
  error: one.lastError,
  createdAt: one.createdAt.toISOString(),
  nextAttemptAt: one.state === "waiting" ? one.nextAttemptAt.toISOString() : null,
  sentAt: one.sentAt?.toISOString() ?? null,
});
const titleOf = (payload: string): string => {
  const { title } = JSON.parse(payload) as { title?: unknown };
  return typeof title === "string" ? title : "";
};
const deliveries = (where: object, take: number) =>
  db().delivery.findMany({ where, orderBy: { id: "desc" }, take });

/** The newest first; `before`: only older ones than this id. */
export async function listDeliveries(before: number | null): Promise<DeliveryRow[]> {
  return (await deliveries(before === null ? {} : { id: { lt: before } }, page)).map(toDelivery);
}

/** Whom a channel reaches, as far as that may be shown: the address of a webhook is its key. */
function addresseeOf(channel: Told): string {
  if (channel.type === "email") return channel.to.join(", ");
  const { host } = new URL(channel.url);
  if ("project" in channel) return `${host}/${channel.project}`;
  if ("repo" in channel) return `${host}/${channel.repo}`;
  return channel.type === "ntfy" ? `${host}/${channel.topic}` : host;
}

export async function listChannels(): Promise<ChannelRow[]> {
  return Promise.all(
    allTold().map(async (channel) => {
      const { name, type } = channel;
      const [last] = await deliveries({ channel: name, state: { in: ["sent", "failed"] } }, 1);
      return {
        name,
        type,
        tickets: isTracker(channel),
        to: addresseeOf(channel),
        last: last === undefined ? null : toDelivery(last),
        waiting: await db().delivery.count({ where: { channel: name, state: "waiting" } }),
      };
    }),
  );
}

const delivery = async (id: number): Promise<DeliveryRow> => {
  const [one] = await deliveries({ id }, 1);
  if (one === undefined)
    throw new AppError("NOT_FOUND", `There is no notice ${id}.`, {
      problem: "notices.notFound",
      params: { id },
    });
  return toDelivery(one);
};

/** Sends a test now, and answers with what became of it. Throws AppError NOT_FOUND for a channel that there is not. */
export async function testChannel(name: string): Promise<DeliveryRow> {
  const channel = allTold().find((one) => one.name === name);
  if (channel === undefined)
    throw new AppError("NOT_FOUND", `There is no channel called ${name.slice(0, 100)}.`, {
      problem: "notices.noChannel",
      params: { channel: name.slice(0, 100) },
      field: "channel",
    });
  const made = await db().delivery.create({
    data: {
      channel: name,
      event: "test",
      dedupe: `test ${Date.now()} ${Math.random()}`,
      payload: JSON.stringify({ title: "" }),
      // It is tried once: who asked sees what came of it.
      state: "failed",
      attempts: 1,
      nextAttemptAt: new Date(),
    },
  });
  const due: Due = { ...made, event: "test" };
  try {
    await deliver(due, channel, 0);
    await db().delivery.update({ where: { id: made.id }, data: { state: "sent", sentAt: new Date() } });
  } catch (error) {
    const lastError = toAppError(error).message.slice(0, 500);
    await db().delivery.update({ where: { id: made.id }, data: { lastError } });
  }
  return delivery(made.id);
}

/** Tries one that failed again. Throws AppError NOT_FOUND, CONFLICT. */
export async function retryDelivery(id: number): Promise<DeliveryRow> {
  const one = await delivery(id);
  if (one.state !== "failed" && one.state !== "waiting")
    throw new AppError("CONFLICT", `Notice ${id} was not refused: it is ${one.state}.`, {
      problem: "notices.notFailed",
      params: { id },
    });
  await db().delivery.update({ where: { id }, data: { state: "waiting", nextAttemptAt: new Date() } });
  await notifier().attempt(id);
  return delivery(id);
}

/** Calls an address outside as long as notices are looked for. Who is called raises the alarm when the calls stop. */
function startSignOfLife(): () => void {
  let timer: NodeJS.Timeout;
  const beat = async () => {
    const { dead_man } = config().notify;
    if (dead_man !== undefined && Date.now() - notifier().lookedAt < hangsMs)
      await signOfLife({ name: "dead_man", url: dead_man.url, timeout: 10_000 }).catch((error: unknown) =>
        log.warn({ code: toAppError(error).code }, "the sign of life of the notices was not taken"),
      );
    timer = setTimeout(() => void beat(), dead_man?.every ?? 60_000).unref();
  };
  timer = setTimeout(() => void beat(), 1000).unref();
  return () => clearTimeout(timer);
}

function startPruning(): () => void {
  const prune = () => {
    const before = new Date(Date.now() - keepMs);
    db()
      .delivery.deleteMany({ where: { createdAt: { lt: before }, state: { not: "waiting" } } })
      .catch((error: unknown) => log.error({ err: error }, "old notices could not be taken away"));
  };
  prune();
  const timer = setInterval(prune, pruneEveryMs).unref();
  return () => clearInterval(timer);
}

/** For lib/runtime/services.ts. */
export const notifyService = {
  name: "notify",
  async start(): Promise<() => Promise<void>> {
    const failed = (error: unknown) => log.error({ err: error }, "a notice could not be written down");
    const stops = [
      incidents().onEvent((event) => void tellIncident(event).catch(failed)),
      engine().onUpdate((row) => void tellChange(row).catch(failed)),
      startSignOfLife(),
      startPruning(),
    ];
    await catchUp();
    notifier().start();
    return async () => {
      for (const stop of stops) stop();
      await notifier().stop();
    };
  },
};
