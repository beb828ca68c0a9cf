"use client";
// The services as they change: one stream while a page shows them, from all hosts.
import { useEffect, useSyncExternalStore } from "react";
import { problemOf } from "@/components/ui/problem";
import { api } from "@/lib/api/client";
import { keepListening } from "@/lib/live/client";
import type { HostRow, ServiceRow, ServicesEvent } from "@/lib/services/contract";

export type ServicesState = {
  /** "connecting" until the first word; "broken" while it is connecting anew. */
  readonly stream: "connecting" | "live" | "broken";
  readonly error: unknown;
  readonly hosts: readonly HostRow[];
  readonly rows: ReadonlyMap<string, ServiceRow>;
};

const nothing: ServicesState = { stream: "connecting", error: null, hosts: [], rows: new Map() };

/** The state after one event. A container's use is kept in its row. */
export function applied(state: ServicesState, event: ServicesEvent): ServicesState {
  switch (event.type) {
    case "snapshot":
      return {
        stream: "live",
        error: null,
        hosts: event.hosts,
        rows: new Map(event.rows.map((row) => [row.id, row])),
      };
    case "rows": {
      const rows = new Map(state.rows);
      for (const id of event.gone) rows.delete(id);
      for (const row of event.rows) rows.set(row.id, row);
      return { ...state, stream: "live", hosts: event.hosts.length > 0 ? event.hosts : state.hosts, rows };
    }
    case "usage": {
      const rows = new Map(state.rows);
      for (const [id, usage] of Object.entries(event.usage)) {
        const row = rows.get(id);
        if (row !== undefined) rows.set(id, { ...row, usage });
      }
      for (const [id, value] of Object.entries(event.spark)) {
        const row = rows.get(id);
        if (row !== undefined) rows.set(id, { ...row, ...sparkAfter(row, event.step, value) });
      }
      return { ...state, stream: "live", rows };
    }
  }
}

/** The line moved on to `step`, whose last whole one was `value`; steps that nobody told of are gaps. */
function sparkAfter({ spark, sparkStep }: ServiceRow, step: number, value: number) {
  const moved = Math.min(spark.length, step - sparkStep);
  if (moved <= 0) return { spark, sparkStep };
  return { spark: [...spark.slice(moved), ...Array(moved - 1).fill(-1), value], sparkStep: step };
}

class ServicesStore {
  #state = nothing;
  #watchers = new Set<() => void>();
  #stop: AbortController | null = null;

  readonly state = () => this.#state;
  readonly watch = (watcher: () => void) => {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  };

  open(): () => void {
    const stop = new AbortController();
    this.#stop?.abort();
    this.#stop = stop;
    void keepListening((signal) => api.services.watch(undefined, { signal }), stop.signal, {
      event: (event) => this.#set(applied(this.#state, event)),
      broken: (_failures, error) => {
        this.#set({ ...this.#state, stream: "broken", error });
        return problemOf(error).code !== "FORBIDDEN";
      },
    });
    return () => stop.abort();
  }

  #set(state: ServicesState) {
    this.#state = state;
    for (const watcher of this.#watchers) watcher();
  }
}

const store = new ServicesStore();

/** Keeps the stream open while the caller is mounted. What was seen last stays between two pages. */
export function useServices(): ServicesState {
  useEffect(() => store.open(), []);
  return useSyncExternalStore(store.watch, store.state, () => nothing);
}
