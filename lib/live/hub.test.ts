// The hub: snapshot first, then changes; the newest of each thing; a slow listener costs no memory.
import { describe, expect, test } from "vitest";
import type { ChangeRow } from "../changes/contract";
import type { Connection } from "../connections/contract";
import { type LiveEvent, liveEvent } from "./contract";
import { LiveHub } from "./hub";

const row = (id: number, rest: Partial<ChangeRow> = {}): ChangeRow => ({
  id,
  kind: "purge",
  title: `Purge ${id}`,
  state: "running",
  outcome: null,
  level: "reversible",
  site: "example",
  actor: { type: "user", name: "Ada" },
  origin: "page",
  reason: null,
  progress: null,
  error: null,
  undoOf: null,
  undoneBy: null,
  createdAt: "2026-01-01T00:00:00.000Z",
  startedAt: null,
  finishedAt: null,
  ...rest,
});
const connection = (name: string, state: Connection["state"]): Connection => ({
  kind: "varnish",
  name,
  source: "config",
  state,
  latencyMs: 1,
  version: null,
  facts: {},
  at: null,
  lastGood: null,
  error: null,
  fix: null,
  waiting: 0,
  doctor: true,
});

function hub(tickMs = 60_000): LiveHub {
  return new LiveHub({ version: "1", tickMs });
}
async function next(stream: AsyncGenerator<LiveEvent, void>): Promise<LiveEvent> {
  const { value, done } = await stream.next();
  if (done || value === undefined) throw new Error("the stream has ended");
  return liveEvent.parse(value);
}

describe("a listener", () => {
  test("gets what is known first, then what changes", async () => {
    const live = hub();
    live.publish("connection", connection("v1", "up"));
    live.publish("change", row(1));
    live.publish("change", row(2, { state: "done" }));
    live.publish("outbox", [{ node: "v1", waiting: 3, oldestAt: null, attempts: 1, lastError: null }]);
    const stream = live.subscribe(new AbortController().signal);
    const snapshot = await next(stream);
    expect(snapshot).toMatchObject({
      type: "snapshot",
      version: "1",
      connections: [{ name: "v1" }],
      outbox: [{ waiting: 3 }],
    });
    expect(snapshot.type === "snapshot" && snapshot.running.map(({ id }) => id)).toEqual([1]);
    live.publish("connection", connection("v1", "down"));
    expect(await next(stream)).toMatchObject({ type: "connection", connection: { state: "down" } });
    live.publish("change", row(1, { state: "done" }));
    expect(await next(stream)).toMatchObject({ type: "change", row: { state: "done" } });
  });

  test("that waits is woken, and has left when its signal aborts", async () => {
    const live = hub();
    const abort = new AbortController();
    const stream = live.subscribe(abort.signal);
    await next(stream);
    expect(live.listeners).toBe(1);
    const waiting = next(stream);
    live.publish("change", row(7));
    expect(await waiting).toMatchObject({ row: { id: 7 } });
    const end = stream.next();
    abort.abort();
    expect((await end).done).toBe(true);
    expect(live.listeners).toBe(0);
  });

  test("gets only the newest of each thing it has not read", async () => {
    const live = hub();
    const stream = live.subscribe(new AbortController().signal);
    await next(stream);
    for (let done = 0; done <= 1000; done++)
      live.publish("change", row(1, { progress: { step: "s", done, total: 1000 } }));
    live.publish("connection", connection("v1", "up"));
    expect(await next(stream)).toMatchObject({ type: "change", row: { progress: { done: 1000 } } });
    expect(await next(stream)).toMatchObject({ type: "connection" });
  });

  test("that is too slow begins afresh, others are not touched", async () => {
    const live = hub();
    const slow = live.subscribe(new AbortController().signal);
    const quick = live.subscribe(new AbortController().signal);
    await next(slow);
    await next(quick);
    for (let id = 1; id <= 2000; id++) {
      live.publish("change", row(id, { state: id === 2000 ? "running" : "done" }));
      expect(await next(quick)).toMatchObject({ row: { id } });
    }
    const snapshot = await next(slow);
    expect(snapshot.type === "snapshot" && snapshot.running.map(({ id }) => id)).toEqual([2000]);
    live.publish("change", row(3000));
    expect(await next(slow)).toMatchObject({ type: "change", row: { id: 3000 } });
  });

  test("sees only what it may: in the snapshot and after", async () => {
    const live = hub();
    live.publish("change", row(1, { site: "shop" }));
    const stream = live.subscribe(new AbortController().signal, {
      topics: ["change"],
      visible: (item) => item.topic !== "change" || item.payload.site === "example",
    });
    live.publish("connection", connection("v1", "up"));
    expect(await next(stream)).toMatchObject({ type: "snapshot", running: [], connections: [] });
    live.publish("connection", connection("v1", "down"));
    live.publish("change", row(2, { site: "shop" }));
    live.publish("change", row(3));
    expect(await next(stream)).toMatchObject({ type: "change", row: { id: 3 } });
  });

  test("gets a tick while nothing happens", async () => {
    const live = hub(20);
    const stream = live.subscribe(new AbortController().signal);
    await next(stream);
    expect(await next(stream)).toMatchObject({ type: "tick" });
    expect(await next(stream)).toMatchObject({ type: "tick" });
  });

  test("begins afresh when a system is taken out of the configuration", async () => {
    const live = hub();
    live.publish("connection", connection("v1", "up"));
    live.publish("connection", connection("v2", "up"));
    const stream = live.subscribe(new AbortController().signal);
    await next(stream);
    live.forgetConnections(({ name }) => name === "v1");
    expect(await next(stream)).toMatchObject({ type: "snapshot", connections: [{ name: "v1" }] });
  });
});
