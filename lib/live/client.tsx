"use client";
// One event stream per tab, shared by everything on the page: a snapshot, then changes; reconnects by itself.
import { createContext, type ReactNode, useContext, useEffect, useMemo, useSyncExternalStore } from "react";
import type { ChangeRow } from "../changes/contract";
import type { Connection } from "../connections/contract";
import type { Component } from "../health/contract";
import type { IncidentRow } from "../incidents/contract";
import type { OutboxNode } from "../purge/contract";
import type { LiveEvent } from "./contract";

export type StreamState = "connecting" | "live" | "reconnecting" | "offline";

export type LiveState = {
  readonly stream: StreamState;
  /** When the server last said anything, ms since the epoch by this browser's clock; null before the first word. */
  readonly heardAt: number | null;
  readonly version: string | null;
  readonly connections: readonly Connection[];
  readonly components: readonly Component[];
  /** Those that are not closed, the newest first. */
  readonly incidents: readonly IncidentRow[];
  readonly running: readonly ChangeRow[];
  readonly outbox: readonly OutboxNode[];
};

const atFirst: LiveState = {
  stream: "connecting",
  heardAt: null,
  version: null,
  connections: [],
  components: [],
  incidents: [],
  running: [],
  outbox: [],
};
const finished = new Set(["done", "failed", "cancelled", "undone", "interrupted"]);

/** The state after one event. */
export function applied(state: LiveState, event: LiveEvent, now: number): LiveState {
  const heard = { ...state, stream: "live" as const, heardAt: now };
  switch (event.type) {
    case "snapshot":
      return {
        ...heard,
        version: event.version,
        connections: event.connections,
        components: event.components,
        incidents: event.incidents,
        running: event.running,
        outbox: event.outbox,
      };
    case "change": {
      const others = heard.running.filter((row) => row.id !== event.row.id);
      return { ...heard, running: finished.has(event.row.state) ? others : [event.row, ...others] };
    }
    case "connection": {
      const same = (one: Connection) =>
        one.kind === event.connection.kind && one.name === event.connection.name;
      const known = heard.connections.some(same);
      return {
        ...heard,
        connections: known
          ? heard.connections.map((one) => (same(one) ? event.connection : one))
          : [...heard.connections, event.connection],
      };
    }
    case "component": {
      const same = ({ key }: Component) => key === event.component.key;
      return {
        ...heard,
        components: heard.components.some(same)
          ? heard.components.map((one) => (same(one) ? event.component : one))
          : [...heard.components, event.component],
      };
    }
    case "incident": {
      const others = heard.incidents.filter(({ id }) => id !== event.incident.id);
      return {
        ...heard,
        incidents:
          event.incident.state === "closed"
            ? others
            : [event.incident, ...others].sort((a, b) => b.id - a.id),
      };
    }
    case "outbox":
      return { ...heard, outbox: event.outbox };
    case "tick":
      return heard;
  }
}

type Connect = (signal: AbortSignal) => Promise<AsyncIterable<LiveEvent>>;

class LiveStore {
  #state = atFirst;
  readonly #watchers = new Set<() => void>();
  readonly #changeListeners = new Set<(row: ChangeRow) => void>();

  readonly state = () => this.#state;
  readonly watch = (watcher: () => void) => {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  };
  readonly onChange = (listener: (row: ChangeRow) => void) => {
    this.#changeListeners.add(listener);
    return () => {
      this.#changeListeners.delete(listener);
    };
  };

  #set(state: LiveState) {
    this.#state = state;
    for (const watcher of this.#watchers) watcher();
  }

  /** Listens until the signal aborts. */
  listen(connect: Connect, signal: AbortSignal): Promise<void> {
    return keepListening(connect, signal, {
      event: (event) => {
        this.#set(applied(this.#state, event, Date.now()));
        if (event.type === "change") for (const listener of this.#changeListeners) listener(event.row);
      },
      broken: (failures) => {
        this.#set({ ...this.#state, stream: navigator.onLine && failures < 4 ? "reconnecting" : "offline" });
        return true;
      },
    });
  }
}

/** The server says something at least every 5 s: silence for so long is a dead line that no error told us of. */
const silenceMs = 15_000;

/**
 * Reads an event stream until the signal aborts; after a break it connects anew after 0.5 s, then longer, at most 15 s, and at
 * once when the network is back. `broken` is told how often in a row it failed, and why; it answers whether to go on.
 */
export async function keepListening<E>(
  connect: (signal: AbortSignal) => Promise<AsyncIterable<E>>,
  signal: AbortSignal,
  on: {
    readonly event: (event: E) => void;
    readonly broken: (failures: number, error: unknown) => boolean;
  },
): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    const attempt = new AbortController();
    const stop = () => attempt.abort();
    signal.addEventListener("abort", stop, { once: true });
    let silence = setTimeout(stop, silenceMs);
    let reason: unknown = null;
    try {
      for await (const event of await connect(attempt.signal)) {
        clearTimeout(silence);
        silence = setTimeout(stop, silenceMs);
        failures = 0;
        on.event(event);
      }
    } catch (error) {
      reason = error;
    } finally {
      clearTimeout(silence);
      attempt.abort();
      signal.removeEventListener("abort", stop);
    }
    if (signal.aborted) return;
    failures += 1;
    if (!on.broken(failures, reason)) return;
    await pause(Math.min(15_000, 500 * 2 ** (failures - 1)), signal);
  }
}

/** Waits, but wakes at once when the network is back. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      window.removeEventListener("online", wake);
      signal.removeEventListener("abort", wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    window.addEventListener("online", wake);
    signal.addEventListener("abort", wake);
  });
}

const LiveContext = createContext<LiveStore | null>(null);

/** Keeps the stream open while it is mounted. `connect` must be stable. */
export function LiveProvider({
  connect,
  children,
}: {
  readonly connect: Connect;
  readonly children: ReactNode;
}) {
  const store = useMemo(() => new LiveStore(), []);
  useEffect(() => {
    const stop = new AbortController();
    void store.listen(connect, stop.signal);
    return () => stop.abort();
  }, [store, connect]);
  return <LiveContext value={store}>{children}</LiveContext>;
}

const never = () => () => undefined;
const first = () => atFirst;

/** The whole live state; changes at each event. */
export function useLive(): LiveState {
  const store = useContext(LiveContext);
  return useSyncExternalStore(store?.watch ?? never, store?.state ?? first, first);
}

/** Calls `listener` for every change row the stream tells of. `listener` must be stable. */
export function useChangeUpdates(listener: (row: ChangeRow) => void): void {
  const store = useContext(LiveContext);
  useEffect(() => store?.onChange(listener), [store, listener]);
}
