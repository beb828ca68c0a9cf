// A queue of Symfony Messenger's Redis transport: a stream with a group, a sorted set of what is delayed, a stream of what failed.
import type { Redis } from "ioredis";
import * as z from "zod";
import { AppError } from "../../errors/app-error";
import type { ToldProblem } from "../../errors/contract";
import { look } from "../look";
import type { Probed } from "../system";
import { run } from "./redis";

/** One queue, as sluice.yaml has it. */
export type MessengerQueue = {
  readonly name: string;
  /** redis:// or rediss://, with the database as its path. */
  readonly url: string;
  readonly password?: string | undefined;
  readonly stream: string;
  readonly group: string;
  /** Stream of the failure transport, where that is in Redis too. */
  readonly failed?: string | undefined;
  /** Failed messages that are nothing new. */
  readonly max_failed: number;
  /** Milliseconds a message may wait before it wants a look. */
  readonly max_wait: number;
  /** Milliseconds to connect, and for one command. */
  readonly timeout: number;
};

/** Symfony hands a message to another worker after redeliver_timeout, an hour by default: what is held longer, nobody works on. */
const stuckMs = 3_600_000;

const group = z.object({
  name: z.string(),
  consumers: z.number(),
  pending: z.number(),
  "last-delivered-id": z.string(),
  /** Since Redis 7; null where a deletion made it unknowable. */
  lag: z.number().nullish(),
  "entries-read": z.number().nullish(),
});
const heldRow = z.tuple([z.string(), z.string(), z.number(), z.number()]);
const entry = z.tuple([z.string(), z.unknown()]);

/** Redis' flat list of names and values as one object. */
const named = (flat: unknown): Record<string, unknown> => {
  const all = Array.isArray(flat) ? flat : [];
  return Object.fromEntries(all.flatMap((name, at) => (at % 2 === 0 ? [[String(name), all[at + 1]]] : [])));
};

const garbled = (queue: MessengerQueue) =>
  new AppError("BAD_ANSWER", `${queue.name}: Redis' answer about ${queue.stream} is not understood.`, {
    problem: "messenger.answer",
    params: { system: queue.name, stream: queue.stream },
  });

/** Redis' refusal where the key is there but is no stream; other errors are the caller's. */
function wrongType(queue: MessengerQueue, error: unknown): unknown {
  if (!(error instanceof Error) || !error.message.startsWith("WRONGTYPE")) return error;
  return new AppError("BAD_ANSWER", `${queue.name}: ${queue.stream} in Redis is not a queue of Messenger.`, {
    problem: "messenger.noStream",
    params: { system: queue.name, stream: queue.stream },
  });
}

const delayedKey = (queue: MessengerQueue) => `${queue.stream}__queue`;

type Group = z.infer<typeof group>;

/** The groups of a stream; none while no worker or sender has made one. */
async function groupsOf(client: Redis, queue: MessengerQueue, stream: string): Promise<Group[]> {
  let answer: unknown;
  try {
    answer = await client.xinfo("GROUPS", stream);
  } catch (error) {
    if (error instanceof Error && /no such key/i.test(error.message)) return [];
    throw error;
  }
  const read = z.array(group).safeParse(Array.isArray(answer) ? answer.map(named) : answer);
  if (!read.success) throw garbled(queue);
  return read.data;
}

/** Bodies come with their ids: no more are read to be counted. */
const mostCounted = 100;

/**
 * Messages that no worker has taken. A stream keeps what is done where delete_after_ack is off (Symfony's default before 6), so that
 * its length tells nothing; the lag is Redis 7's, and without one they are counted, up to `mostCounted`.
 */
async function waitingOf(client: Redis, stream: string, one: Group): Promise<number> {
  if (one.lag != null) return one.lag;
  return (await client.xrange(stream, `(${one["last-delivered-id"]}`, "+", "COUNT", mostCounted)).length;
}

/** What lies in the failure transport: nobody took it yet, or somebody who did not settle it. */
async function failedOf(client: Redis, queue: MessengerQueue, stream: string): Promise<number> {
  const groups = await groupsOf(client, queue, stream);
  const own = groups.find(({ name }) => name === queue.group) ?? groups[0];
  return own === undefined ? client.xlen(stream) : (await waitingOf(client, stream, own)) + own.pending;
}

/** When an entry was put in: the first half of its id, in ms since the epoch. */
const bornAt = (id: string): number => Number.parseInt(id, 10);

/** Ages in milliseconds; null when there is none. */
async function oldestOf(
  client: Redis,
  queue: MessengerQueue,
  lastDelivered: string,
  now: number,
): Promise<{ waiting: number | null; held: number | null }> {
  const [next, held] = await Promise.all([
    client.xrange(queue.stream, `(${lastDelivered}`, "+", "COUNT", 1),
    client.xpending(queue.stream, queue.group, "-", "+", 1),
  ]);
  const first = z.array(entry).safeParse(next);
  const oldest = z.array(heldRow).safeParse(held);
  if (!first.success || !oldest.success) throw garbled(queue);
  const id = first.data[0]?.[0];
  return {
    // Its clock and ours need not agree to the millisecond.
    waiting: id === undefined ? null : Math.max(0, now - bornAt(id)),
    held: oldest.data[0]?.[2] ?? null,
  };
}

async function see(client: Redis, queue: MessengerQueue) {
  const system = queue.name;
  const [seconds, micros] = await client.time();
  const now = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
  const [groups, length, delayed, overdue, failed] = await Promise.all([
    groupsOf(client, queue, queue.stream),
    client.xlen(queue.stream),
    client.zcard(delayedKey(queue)),
    client.zcount(delayedKey(queue), "-inf", now - queue.max_wait),
    queue.failed === undefined ? null : failedOf(client, queue, queue.failed),
  ]);
  const found = groups.find(({ name }) => name === queue.group);
  const concerns: ToldProblem[] = [];
  const facts: Record<string, string | number> = {};
  const counters: Record<string, number> = {};
  if (found === undefined) {
    facts.waiting = length;
    // A group is made with the first message or worker: nothing is wrong while nothing was sent.
    if (length > 0) concerns.push({ problem: "messenger.noGroup", params: { system, group: queue.group } });
  } else {
    const waiting = await waitingOf(client, queue.stream, found);
    const oldest = await oldestOf(client, queue, found["last-delivered-id"], now);
    facts.waiting = found.lag == null && waiting === mostCounted ? `${waiting}+` : waiting;
    facts.pending = found.pending;
    facts.workers = found.consumers;
    if (oldest.waiting !== null) facts.oldest = Math.round(oldest.waiting / 1000);
    if (found["entries-read"] != null) counters.handled = found["entries-read"];
    if (oldest.waiting !== null && oldest.waiting > queue.max_wait)
      concerns.push({
        problem: "messenger.waits",
        params: { system, waiting, minutes: Math.round(oldest.waiting / 60_000) },
      });
    if (oldest.held !== null && oldest.held > stuckMs)
      concerns.push({
        problem: "messenger.stuck",
        params: { system, minutes: Math.round(oldest.held / 60_000) },
      });
  }
  facts.delayed = delayed;
  if (overdue > 0) concerns.push({ problem: "messenger.overdue", params: { system, overdue } });
  if (failed !== null) {
    facts.failed = failed;
    if (failed > queue.max_failed) concerns.push({ problem: "messenger.failed", params: { system, failed } });
  }
  return { version: null, facts, counters, concerns };
}

/** What waits, what is being worked on, what is delayed and what failed. Facts in messages; `oldest` in seconds. */
export const probe = (queue: MessengerQueue): Promise<Probed> =>
  look(`messenger:${queue.name}`, () =>
    // A name of its own: a Redis of the same name keeps its connection.
    run({ ...queue, name: `messenger/${queue.name}` }, async (client) => {
      try {
        return await see(client, queue);
      } catch (error) {
        throw wrongType(queue, error);
      }
    }),
  );
