// What happens on an engine: containers that start, die, turn unhealthy, go.
import * as z from "zod";
import { openStream } from "./engine";
import { jsonLines } from "./json-lines";
import type { DockerEngine } from "./target";

/** Those that tell something; health checks alone emit three `exec_*` events each time. */
export const eventNames = [
  "create",
  "start",
  "die",
  "stop",
  "kill",
  "oom",
  "destroy",
  "rename",
  "restart",
  "pause",
  "unpause",
  "update",
  "health_status",
] as const;
export type EventName = (typeof eventNames)[number];

const answer = z.object({
  Type: z.string(),
  Action: z.string(),
  Actor: z.object({ ID: z.string(), Attributes: z.record(z.string(), z.string()).nullish() }),
  time: z.number(),
  timeNano: z.number().nullish(),
});

/** One event of a container. `at`: ms since the epoch by the engine's clock. */
export type ContainerEvent = {
  readonly id: string;
  readonly name: string;
  readonly event: EventName;
  /** Of a `die`: how it ended. Of `health_status`: "healthy" or "unhealthy". Of `kill`: the signal. */
  readonly detail: string | null;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly at: number;
};

/** An engine's own words as an event, or null for what tells nothing. */
export function eventOf(raw: unknown): ContainerEvent | null {
  const read = answer.safeParse(raw);
  if (!read.success || read.data.Type !== "container") return null;
  const { Action, Actor, time, timeNano } = read.data;
  const [word = "", rest] = Action.split(/:\s*/, 2);
  const event = eventNames.find((one) => one === word);
  if (event === undefined) return null;
  const attributes = Actor.Attributes ?? {};
  const { name = "", image = "", exitCode, signal, ...labels } = attributes;
  const detail = event === "die" ? exitCode : event === "kill" ? signal : rest;
  return {
    id: Actor.ID,
    name,
    event,
    detail: detail ?? null,
    image,
    labels,
    at: timeNano ? timeNano / 1e6 : time * 1000,
  };
}

/**
 * What happens from now on, or from `sinceMs` (the engine's clock) as far as its backlog of 256 goes; until `signal` aborts.
 * The first value is null: the engine listens. Throws as `openStream`.
 */
export async function* watchEvents(
  engine: DockerEngine,
  signal: AbortSignal,
  sinceMs?: number,
): AsyncGenerator<ContainerEvent | null, void> {
  const filters = JSON.stringify({ type: ["container"], event: eventNames });
  const stream = await openStream(
    engine,
    (docker, abortSignal) =>
      docker.getEvents({
        filters,
        abortSignal,
        ...(sinceMs === undefined ? {} : { since: (sinceMs / 1000).toFixed(9) }),
      } as object),
    signal,
  );
  yield null;
  for await (const raw of jsonLines(stream, 1024 * 1024)) {
    const event = eventOf(raw);
    if (event !== null) yield event;
  }
}
