// One bus for everything that changes by itself: collectors and the engine publish, every open tab listens.
import type * as z from "zod";
import type { ChangeRow } from "../changes/contract";
import type { Connection } from "../connections/contract";
import type { Component } from "../health/contract";
import type { IncidentRow } from "../incidents/contract";
import type { outboxNode } from "../purge/contract";
import { singleton } from "../runtime/singleton";
import { version } from "../runtime/version";
import type { LiveEvent } from "./contract";

type OutboxNode = z.infer<typeof outboxNode>;

/** What is published, by topic. */
export type Topics = {
  change: ChangeRow;
  connection: Connection;
  component: Component;
  incident: IncidentRow;
  /** All nodes that are owed something now. */
  outbox: readonly OutboxNode[];
};
export type Topic = keyof Topics;
export type Payload = { [T in Topic]: { readonly topic: T; readonly payload: Topics[T] } }[Topic];

export type SubscribeOptions = {
  readonly topics?: readonly Topic[];
  /** What this listener may see; everything when not given. */
  readonly visible?: (item: Payload) => boolean;
};

/** Events a listener may leave unread. After that they are thrown away and it begins afresh with a snapshot. */
const maxUnread = 500;
const tickMs = 5000;
const active = new Set(["planned", "running", "verifying"]);

export class LiveHub {
  readonly #version: string;
  readonly #tickMs: number;
  readonly #listeners = new Set<Listener>();
  /** The last of each, for the snapshot. */
  readonly #running = new Map<number, ChangeRow>();
  readonly #connections = new Map<string, Connection>();
  readonly #components = new Map<string, Component>();
  /** Those that are not closed. */
  readonly #incidents = new Map<number, IncidentRow>();
  #outbox: readonly OutboxNode[] = [];
  #ticking: NodeJS.Timeout | undefined;

  constructor(options: { readonly version: string; readonly tickMs?: number }) {
    this.#version = options.version;
    this.#tickMs = options.tickMs ?? tickMs;
  }

  publish<T extends Topic>(topic: T, payload: Topics[T]): void {
    const item = { topic, payload } as Payload;
    this.#remember(item);
    for (const listener of this.#listeners) listener.offer(item);
  }

  /** Takes a system that is no longer configured out of the snapshot, and tells every listener to begin afresh. */
  forgetConnections(keep: (connection: Connection) => boolean): void {
    let gone = false;
    for (const [key, connection] of this.#connections) {
      if (keep(connection)) continue;
      this.#connections.delete(key);
      gone = true;
    }
    if (gone) for (const listener of this.#listeners) listener.restart();
  }

  /** Takes components that are no longer there out of the snapshot. Whoever listens is told by `forgetConnections`. */
  forgetComponents(keep: (component: Component) => boolean): void {
    for (const [key, component] of this.#components) if (!keep(component)) this.#components.delete(key);
  }

  /** At a start: the open ones are told anew. */
  forgetIncidents(): void {
    this.#incidents.clear();
  }

  /** A snapshot, then what changes, until `signal` aborts. A listener that reads too slowly gets a fresh snapshot instead. */
  async *subscribe(signal: AbortSignal, options: SubscribeOptions = {}): AsyncGenerator<LiveEvent, void> {
    const listener = new Listener(options);
    const wake = (): void => listener.wake();
    signal.addEventListener("abort", wake);
    this.#add(listener);
    try {
      while (!signal.aborted) {
        const next = listener.take();
        if (next === null) await listener.more();
        else if (next === "snapshot") yield this.#snapshot(options);
        else yield next;
      }
    } finally {
      signal.removeEventListener("abort", wake);
      this.#remove(listener);
    }
  }

  /** How many listen now. */
  get listeners(): number {
    return this.#listeners.size;
  }

  #snapshot({ topics, visible }: SubscribeOptions): LiveEvent {
    const wanted = (item: Payload): boolean =>
      (topics?.includes(item.topic) ?? true) && (visible?.(item) ?? true);
    return {
      type: "snapshot",
      at: new Date().toISOString(),
      version: this.#version,
      connections: [...this.#connections.values()].filter((payload) =>
        wanted({ topic: "connection", payload }),
      ),
      components: [...this.#components.values()].filter((payload) => wanted({ topic: "component", payload })),
      incidents: [...this.#incidents.values()].filter((payload) => wanted({ topic: "incident", payload })),
      running: [...this.#running.values()].filter((payload) => wanted({ topic: "change", payload })),
      outbox: wanted({ topic: "outbox", payload: this.#outbox }) ? [...this.#outbox] : [],
    };
  }

  #remember(item: Payload): void {
    if (item.topic === "outbox") this.#outbox = item.payload;
    else if (item.topic === "connection") this.#connections.set(connectionKey(item.payload), item.payload);
    else if (item.topic === "incident") {
      if (item.payload.state === "closed") this.#incidents.delete(item.payload.id);
      else this.#incidents.set(item.payload.id, item.payload);
    } else if (item.topic === "component") this.#components.set(item.payload.key, item.payload);
    else if (active.has(item.payload.state)) this.#running.set(item.payload.id, item.payload);
    else this.#running.delete(item.payload.id);
  }

  #add(listener: Listener): void {
    this.#listeners.add(listener);
    this.#ticking ??= setInterval(() => {
      for (const each of this.#listeners) each.tick();
    }, this.#tickMs).unref();
  }

  #remove(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    clearInterval(this.#ticking);
    this.#ticking = undefined;
  }
}

/** What one tab has not read yet: of each thing the newest only. */
class Listener {
  readonly #options: SubscribeOptions;
  #unread = new Map<string, LiveEvent>();
  #snapshotDue = true;
  #tickDue = false;
  #wake: (() => void) | null = null;

  constructor(options: SubscribeOptions) {
    this.#options = options;
  }

  offer(item: Payload): void {
    if (this.#snapshotDue) return;
    const { topics, visible } = this.#options;
    if (topics?.includes(item.topic) === false || visible?.(item) === false) return;
    const key = unreadKey(item);
    // To the end again: order by last change.
    this.#unread.delete(key);
    this.#unread.set(key, toEvent(item));
    if (this.#unread.size > maxUnread) this.restart();
    this.wake();
  }

  tick(): void {
    this.#tickDue = true;
    this.wake();
  }

  restart(): void {
    this.#unread.clear();
    this.#snapshotDue = true;
    this.wake();
  }

  take(): LiveEvent | "snapshot" | null {
    if (this.#snapshotDue) {
      this.#snapshotDue = false;
      return "snapshot";
    }
    for (const [key, event] of this.#unread) {
      this.#unread.delete(key);
      return event;
    }
    if (!this.#tickDue) return null;
    this.#tickDue = false;
    return { type: "tick", at: new Date().toISOString() };
  }

  /** Resolves at the next wake. */
  more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  wake(): void {
    this.#wake?.();
    this.#wake = null;
  }
}

function connectionKey(connection: Connection): string {
  return `${connection.kind} ${connection.name ?? ""}`;
}

function unreadKey(item: Payload): string {
  if (item.topic === "change") return `change ${item.payload.id}`;
  if (item.topic === "connection") return `connection ${connectionKey(item.payload)}`;
  if (item.topic === "component") return `component ${item.payload.key}`;
  if (item.topic === "incident") return `incident ${item.payload.id}`;
  return "outbox";
}

function toEvent(item: Payload): LiveEvent {
  if (item.topic === "change") return { type: "change", row: item.payload };
  if (item.topic === "connection") return { type: "connection", connection: item.payload };
  if (item.topic === "component") return { type: "component", component: item.payload };
  if (item.topic === "incident") return { type: "incident", incident: item.payload };
  return { type: "outbox", outbox: [...item.payload] };
}

/** The process's hub. */
export function liveHub(): LiveHub {
  return singleton("live.hub", () => new LiveHub({ version: version() }));
}

/** Tells every listener of `topic`. */
export function publish<T extends Topic>(topic: T, payload: Topics[T]): void {
  liveHub().publish(topic, payload);
}

/** A snapshot, then what changes, until `signal` aborts. */
export function subscribe(
  topics: readonly Topic[],
  signal: AbortSignal,
  visible?: (item: Payload) => boolean,
): AsyncGenerator<LiveEvent, void> {
  return liveHub().subscribe(signal, visible === undefined ? { topics } : { topics, visible });
}
