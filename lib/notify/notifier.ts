// Notices on their way: written down before anything is sent, tried again until they are taken or given up, never made twice.

import type { Delivery } from "@/generated/prisma/client";
import type { Config } from "../config/schema";
import { db } from "../db/client";
import { toAppError } from "../errors/app-error";
import { log } from "../runtime/log";
import type { NoticeEvent } from "./contract";

const longestWaitMs = 6 * 3_600_000;
/** Ms until the next try, by how many there were. */
const backoff = [5_000, 15_000, 60_000, 5 * 60_000, 15 * 60_000, 60 * 60_000] as const;
/** A notice that waits for an earlier one of its incident is looked at so long after that one is. */
const afterEarlierMs = 100;
/** The longest it sleeps: what another part of the process wrote is found then at the latest. */
const idleMs = 30_000;
const atOnce = 20;
/** Trying again helps against these; anything else is refused again tomorrow. */
const passing = new Set([
  "UNREACHABLE",
  "TIMEOUT",
  "UPSTREAM_LIMIT",
  "BAD_ANSWER",
  "DATABASE",
  "INTERNAL",
  "CANCELLED",
]);

export type Channel = Config["notify"]["channels"][number];
export type Due = {
  readonly id: number;
  readonly channel: string;
  readonly event: NoticeEvent;
  readonly incidentId: number | null;
  readonly changeId: number | null;
};
/** "suppressed": there is nothing to tell any more. */
export type Sent = "sent" | "suppressed";

/** `To`: where notices go; each has a name of its own. */
export type NotifierOptions<To> = {
  readonly settings: () => { readonly channels: readonly To[]; readonly give_up: number };
  /** Hands one over. Throws AppError when it is not taken. */
  readonly send: (due: Due, channel: To, attempts: number) => Promise<Sent>;
  readonly onSent?: (due: Due) => Promise<void>;
};

export type NewNotice = {
  readonly channel: string;
  readonly event: NoticeEvent;
  readonly incidentId?: number;
  readonly changeId?: number;
  readonly title: string;
  /** The same text is one notice for a channel, however often it is asked for. */
  readonly dedupe: string;
  readonly delayMs?: number;
};

export class Notifier<To extends { readonly name: string } = Channel> {
  readonly #options: NotifierOptions<To>;
  readonly #attempting = new Set<number>();
  readonly #busy = new Map<string, Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  /** When it last looked for what is due, ms since the epoch; 0 before the first time. */
  lookedAt = 0;

  constructor(options: NotifierOptions<To>) {
    this.#options = options;
  }

  start(): void {
    this.#stopped = false;
    this.wake();
  }

  /** Resolves when what is being sent is done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await Promise.all(this.#busy.values());
  }

  /** Writes it down. Returns its id, or null where the same one is there already. */
  async add({
    channel,
    event,
    incidentId,
    changeId,
    title,
    dedupe,
    delayMs = 0,
  }: NewNotice): Promise<number | null> {
    const where = { channel_dedupe: { channel, dedupe } };
    if ((await db().delivery.findUnique({ where, select: { id: true } })) !== null) return null;
    const made = await db().delivery.create({
      data: {
        channel,
        event,
        incidentId: incidentId ?? null,
        changeId: changeId ?? null,
        dedupe,
        payload: JSON.stringify({ title }),
        state: "waiting",
        nextAttemptAt: new Date(Date.now() + delayMs),
      },
      select: { id: true },
    });
    this.wake(delayMs);
    return made.id;
  }

  /** Looks for what is due within `ms`. */
  wake(ms = 0): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(), Math.min(ms, idleMs)).unref();
  }

  async #look(): Promise<void> {
    try {
      const due = await db().delivery.findMany({
        where: { state: "waiting", nextAttemptAt: { lte: new Date() } },
        orderBy: { id: "asc" },
        distinct: ["channel"],
        take: atOnce,
        select: { channel: true },
      });
      for (const { channel } of due) this.#work(channel);
      // Only now: a database that cannot be read is no sign of life.
      this.lookedAt = Date.now();
      const next = await db().delivery.findFirst({
        where: { state: "waiting", channel: { notIn: [...this.#busy.keys()] } },
        orderBy: { nextAttemptAt: "asc" },
        select: { nextAttemptAt: true },
      });
      this.wake(next === null ? idleMs : Math.max(100, next.nextAttemptAt.getTime() - Date.now()));
    } catch (error) {
      log.error({ err: error }, "notices that are due could not be read");
      this.wake(idleMs);
    }
  }

  /** One after the other for each channel: a mail that says "well again" does not overtake the one that says "down". */
  #work(channel: string): void {
    if (this.#busy.has(channel)) return;
    const working = this.#workThrough(channel)
      .catch((error: unknown) => log.error({ err: error, channel }, "a notice could not be dealt with"))
      .finally(() => {
        this.#busy.delete(channel);
        this.wake(100);
      });
    this.#busy.set(channel, working);
  }

  async #workThrough(channel: string): Promise<void> {
    while (!this.#stopped) {
      const one = await db().delivery.findFirst({
        where: { state: "waiting", channel, nextAttemptAt: { lte: new Date() } },
        orderBy: { id: "asc" },
      });
      if (one === null) return;
      if (!(await this.#waitsForEarlier(one))) await this.attempt(one.id);
    }
  }

  /** "Well again" waits as long as "it is down" is not taken: both are of one incident. Others need not wait for it. */
  async #waitsForEarlier({ id, channel, incidentId }: Delivery): Promise<boolean> {
    if (incidentId === null) return false;
    const earlier = await db().delivery.findFirst({
      where: { state: "waiting", channel, incidentId, id: { lt: id } },
      orderBy: { nextAttemptAt: "desc" },
      select: { nextAttemptAt: true },
    });
    if (earlier === null) return false;
    const nextAttemptAt = new Date(Math.max(earlier.nextAttemptAt.getTime(), Date.now()) + afterEarlierMs);
    await db().delivery.update({ where: { id }, data: { nextAttemptAt } });
    return true;
  }

  /** Tries one now; one that is being tried already is not tried twice. */
  async attempt(id: number): Promise<void> {
    if (this.#attempting.has(id)) return;
    this.#attempting.add(id);
    try {
      await this.#attempt(id);
    } finally {
      this.#attempting.delete(id);
    }
  }

  async #attempt(id: number): Promise<void> {
    const one = await db().delivery.findUnique({ where: { id } });
    if (one === null || one.state !== "waiting") return;
    const { channels, give_up } = this.#options.settings();
    const channel = channels.find(({ name }) => name === one.channel);
    if (channel === undefined) {
      await this.#end(id, "failed", one.attempts, "This channel is not in sluice.yaml any more.");
      return;
    }
    const due: Due = { ...one, event: one.event as NoticeEvent };
    const attempts = one.attempts + 1;
    try {
      const state = await this.#options.send(due, channel, one.attempts);
      await this.#end(id, state, attempts, null);
      if (state === "sent") await this.#options.onSent?.(due);
    } catch (thrown) {
      const error = toAppError(thrown);
      if (error.code === "INTERNAL") log.error({ err: error, channel: channel.name }, "a notice failed");
      const late = Date.now() - one.createdAt.getTime() > give_up;
      const says = error.message.slice(0, 500);
      if (late || !passing.has(error.code)) {
        await this.#end(id, "failed", attempts, says);
        log.warn({ channel: channel.name, code: error.code }, "a notice was given up");
        return;
      }
      // Who wants us to wait for days is asked sooner all the same.
      const asked = Math.min(error.detail.retryAfterMs ?? 0, longestWaitMs);
      const wait = Math.max(backoff[Math.min(attempts, backoff.length) - 1] ?? 0, asked);
      const nextAttemptAt = new Date(Date.now() + wait);
      await db().delivery.update({ where: { id }, data: { attempts, lastError: says, nextAttemptAt } });
    }
  }

  async #end(
    id: number,
    state: "sent" | "failed" | "suppressed",
    attempts: number,
    lastError: string | null,
  ) {
    await db().delivery.update({
      where: { id },
      data: { state, attempts, lastError, ...(state === "sent" ? { sentAt: new Date() } : {}) },
    });
  }
}
