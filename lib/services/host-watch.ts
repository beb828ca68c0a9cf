// One engine, watched always: its containers listed and inspected once, then its events; what they use while somebody looks.
import { isDeepStrictEqual } from "node:util";
import { AppError, toAppError } from "../errors/app-error";
import { each } from "../runtime/each";
import { log } from "../runtime/log";
import {
  type ContainerRow,
  type Inspected,
  inspectContainer,
  listContainers,
} from "../systems/docker/containers";
import { readInfo, readVersion, whereOf } from "../systems/docker/engine";
import { type ContainerEvent, watchEvents } from "../systems/docker/events";
import { readLog } from "../systems/docker/logs";
import { readStats, watchStats } from "../systems/docker/stats";
import type { DockerEngine } from "../systems/docker/target";
import type { HostRow } from "./contract";
import { Watched } from "./watched";

/** How many calls of one kind are under way at once. */
const width = 8;
/** The list is read again so often: an event stream can die without a word, and an event can be missed. */
const compareMs = 30_000;
/** An event is at most so much later than what it tells of. */
const eventMs = 2000;
/** Without viewers a container's use is looked at so often, to keep its hour. */
const quietMs = 30_000;
/** Lines kept of a container's death. */
export const keptLines = 50;
const backoffMs = (failures: number): number =>
  Math.min(15_000, 500 * 2 ** failures) * (0.75 + Math.random() / 2);

export type Death = {
  readonly watched: Watched;
  readonly event: ContainerEvent;
  readonly requested: boolean;
  readonly oom: boolean;
};
export type HostHooks = {
  /** The host's own state changed. */
  host(): void;
  row(watched: Watched): void;
  /** A container is seen for the first time, and had been restarted before. */
  met(watched: Watched): void;
  /** A container is seen for the first time, and had ended badly before anybody watched. */
  found(watched: Watched): void;
  gone(watched: Watched): void;
  death(death: Death): void;
};

export class HostWatch {
  readonly engine: DockerEngine;
  readonly containers = new Map<string, Watched>();
  readonly #hooks: HostHooks;
  readonly #times: { readonly compareMs: number; readonly eventMs: number };
  readonly #stop = new AbortController();
  readonly #dirty = new Set<string>();
  /** Something happened to them, and the look at it failed. */
  readonly #unseen = new Set<string>();
  readonly #early = new Map<string, ContainerEvent[]>();
  readonly #tails = new Set<string>();
  readonly #streams = new Map<string, AbortController>();
  #working: Promise<void> = Promise.resolve();
  #refreshing: Promise<void> | null = null;
  #watching = false;
  #state: HostRow["state"] = "connecting";
  #error: AppError | null = null;
  #lastGood: number | null = null;
  #facts: Pick<HostRow, "version" | "api" | "cpus" | "memory" | "clockSkewMs" | "swarm"> = {
    version: null,
    api: null,
    cpus: null,
    memory: null,
    clockSkewMs: null,
    swarm: false,
  };
  /** The engine's clock at the last event: where a new connection takes up. */
  #heardAt: number | undefined;
  #last: ContainerEvent | null = null;
  /** When that was, by our own clock. */
  #eventAt = 0;

  /** `times`: ms between two comparisons, and how late an event may be. */
  constructor(engine: DockerEngine, hooks: HostHooks, times = { compareMs, eventMs }) {
    this.engine = engine;
    this.#hooks = hooks;
    this.#times = times;
  }

  start(): void {
    this.#working = Promise.all([this.#work(), this.#keepHour()]).then(() => {});
  }

  /** Resolves when nothing of it is left. */
  async stop(): Promise<void> {
    this.#stop.abort();
    for (const stream of this.#streams.values()) stream.abort();
    await this.#working;
    await this.#refreshing;
  }

  row(): HostRow {
    return {
      name: this.engine.name,
      where: whereOf(this.engine),
      state: this.#state,
      error: this.#error === null ? null : { code: this.#error.code, message: this.#error.message },
      lastGood: this.#lastGood === null ? null : new Date(this.#lastGood).toISOString(),
      ...this.#facts,
    };
  }

  get up(): boolean {
    return this.#state === "up";
  }

  /** Whether somebody looks: then every running container's statistics are streamed, one stream each for all who look. */
  watch(on: boolean): void {
    this.#watching = on;
    for (const watched of this.containers.values()) this.#followStats(watched);
  }

  /** Looks at one container now, as after an act of ours, and tells its row. */
  async refresh(id: string): Promise<void> {
    this.#dirty.add(id);
    await this.#refreshDirty();
  }

  async #work(): Promise<void> {
    const { signal } = this.#stop;
    for (let failures = 0; !signal.aborted; ) {
      const connection = new AbortController();
      const stop = () => connection.abort();
      signal.addEventListener("abort", stop, { once: true });
      try {
        await this.#connected(connection, () => {
          failures = 0;
        });
        throw new Error("the engine closed its event stream");
      } catch (error) {
        if (signal.aborted) return;
        this.#lost(error);
        failures++;
        await pause(backoffMs(failures), signal);
      } finally {
        connection.abort();
        signal.removeEventListener("abort", stop);
      }
    }
  }

  /** Listens first and lists then, so that nothing falls between. */
  async #connected(connection: AbortController, onUp: () => void): Promise<void> {
    const events = watchEvents(this.engine, connection.signal, this.#heardAt);
    await events.next();
    await this.#readFacts();
    await this.#compare(true);
    this.#state = "up";
    this.#error = null;
    this.#hooks.host();
    onUp();
    let failed: unknown = null;
    const comparing = setInterval(() => {
      this.#compare(false).catch((error: unknown) => {
        failed = error;
        connection.abort();
      });
    }, this.#times.compareMs).unref();
    try {
      for await (const event of events) if (event !== null) this.#heard(event);
    } catch (error) {
      throw failed ?? error;
    } finally {
      clearInterval(comparing);
    }
  }

  #lost(error: unknown): void {
    const known = toAppError(error);
    this.#error = known;
    this.#state = "down";
    for (const stream of this.#streams.values()) stream.abort();
    this.#streams.clear();
    log.warn({ engine: this.engine.name, code: known.code, message: known.message }, "engine lost");
    this.#hooks.host();
  }

  async #readFacts(): Promise<void> {
    const { version, api } = await readVersion(this.engine);
    const { cpus, memory, clockSkewMs, manager } = await readInfo(this.engine);
    this.#facts = { version, api, cpus, memory, clockSkewMs, swarm: manager };
  }

  /** Reads the list, inspects what is new or differs (everything with `all`), and drops what is gone. */
  async #compare(all: boolean): Promise<void> {
    const begun = Date.now();
    const listed = await listContainers(this.engine, true);
    this.#lastGood = Date.now();
    const ids = new Set(listed.map(({ Id }) => Id));
    for (const id of this.containers.keys()) if (!ids.has(id)) this.#forget(id);
    const missed = listed.filter((one) => {
      const known = this.containers.get(one.Id);
      return !this.#unseen.has(one.Id) && (known === undefined || differs(known.inspected, one));
    });
    for (const { Id } of all ? listed : missed) this.#dirty.add(Id);
    for (const id of this.#unseen) if (ids.has(id)) this.#dirty.add(id);
    this.#unseen.clear();
    await this.#refreshDirty();
    if (!all && missed.length > 0) await this.#requireEvents(begun);
    // Deaths age out of the window, and uptime does not stand still: rows are judged anew.
    for (const watched of this.containers.values()) this.#hooks.row(watched);
    this.#hooks.host();
  }

  /** A change that the comparison saw had its event a moment before, or gets it now: else the stream is dead. Throws AppError UNREACHABLE. */
  async #requireEvents(comparedAt: number): Promise<void> {
    await pause(this.#times.eventMs, this.#stop.signal);
    if (this.#stop.signal.aborted || this.#eventAt >= comparedAt - this.#times.eventMs) return;
    throw new AppError(
      "UNREACHABLE",
      "The event stream is silent, and a container changed: it is opened anew.",
    );
  }

  #heard(event: ContainerEvent): void {
    // A new connection begins with what was heard last.
    if (event.at < (this.#heardAt ?? 0) || isDeepStrictEqual(event, this.#last)) return;
    this.#last = event;
    this.#eventAt = Date.now();
    this.#heardAt = event.at;
    this.#lastGood = Date.now();
    const watched = this.containers.get(event.id);
    if (watched !== undefined) this.#take(watched, event);
    // A container may live and die before the first look at it.
    else this.#early.set(event.id, [...(this.#early.get(event.id) ?? []), event]);
    if (event.event === "destroy") {
      this.#forget(event.id);
      return;
    }
    this.#dirty.add(event.id);
    void this.#refreshDirty();
  }

  #take(watched: Watched, event: ContainerEvent): void {
    const death = watched.heard(event);
    if (death !== null) this.#hooks.death({ watched, event, ...death });
  }

  #forget(id: string): void {
    this.#early.delete(id);
    this.#unseen.delete(id);
    const watched = this.containers.get(id);
    this.#streams.get(id)?.abort();
    this.#streams.delete(id);
    this.#dirty.delete(id);
    if (watched === undefined) return;
    this.containers.delete(id);
    this.#hooks.gone(watched);
  }

  /** Inspects what is marked, a few at a time; what is marked meanwhile too. */
  async #refreshDirty(): Promise<void> {
    while (this.#dirty.size > 0 || this.#refreshing !== null) {
      this.#refreshing ??= this.#refreshBatch().finally(() => {
        this.#refreshing = null;
      });
      await this.#refreshing;
    }
  }

  async #refreshBatch(): Promise<void> {
    // Events come in bursts (kill, die, stop): one look answers them all.
    await new Promise((resolve) => setTimeout(resolve, 20));
    const ids = [...this.#dirty];
    this.#dirty.clear();
    await each(ids, width, async (id) => {
      if (this.#stop.signal.aborted) return;
      try {
        this.#saw(await inspectContainer(this.engine, id));
      } catch (error) {
        if (toAppError(error).code === "NOT_FOUND") this.#forget(id);
        // The next comparison looks again, and says that the engine is down if it is.
        else this.#unseen.add(id);
      }
    });
  }

  #saw(inspected: Awaited<ReturnType<typeof inspectContainer>>): void {
    const known = this.containers.get(inspected.Id);
    const watched = known ?? new Watched(inspected);
    watched.inspected = inspected;
    if (known === undefined) {
      this.containers.set(inspected.Id, watched);
      const early = this.#early.get(watched.id) ?? [];
      for (const event of early) this.#take(watched, event);
      const { Status, ExitCode } = inspected.State;
      if (
        (Status === "exited" || Status === "dead") &&
        ExitCode !== 0 &&
        !early.some(({ event }) => event === "die")
      )
        this.#hooks.found(watched);
      this.#early.delete(watched.id);
      if (inspected.RestartCount > 0) this.#hooks.met(watched);
    }
    if (!watched.running) watched.usage = null;
    this.#followStats(watched);
    if (inspected.HostConfig.AutoRemove && watched.running && !this.#tails.has(watched.id))
      void this.#followTail(watched);
    this.#hooks.row(watched);
  }

  async #followTail(watched: Watched): Promise<void> {
    this.#tails.add(watched.id);
    const options = { tty: watched.inspected.Config.Tty === true, follow: true, tail: keptLines };
    try {
      for await (const lines of readLog(this.engine, watched.id, options, this.#stop.signal)) {
        watched.tail.push(...lines.slice(-keptLines));
        watched.tail.splice(0, watched.tail.length - keptLines);
      }
    } catch {
      // What was heard is kept.
    } finally {
      this.#tails.delete(watched.id);
    }
  }

  #followStats(watched: Watched): void {
    const wanted = this.#watching && watched.running && !this.#stop.signal.aborted;
    const stream = this.#streams.get(watched.id);
    if (wanted === (stream !== undefined)) return;
    if (stream !== undefined) {
      this.#streams.delete(watched.id);
      stream.abort();
      return;
    }
    const control = new AbortController();
    this.#streams.set(watched.id, control);
    void this.#readStream(watched, control);
  }

  async #readStream(watched: Watched, control: AbortController): Promise<void> {
    try {
      for await (const counters of watchStats(this.engine, watched.id, control.signal))
        watched.sample(counters, Date.now());
    } catch {
      // The container or the engine is gone, and both are told of elsewhere.
    }
    if (this.#streams.get(watched.id) !== control) return;
    // It ended by itself. Should the container still run, it is taken up again, not at once: the engine may be unwell.
    await pause(2000, this.#stop.signal);
    if (this.#streams.get(watched.id) !== control) return;
    this.#streams.delete(watched.id);
    if (this.#state === "up" && this.containers.has(watched.id)) this.#followStats(watched);
  }

  /** Nobody looks: one sample now and then keeps the hour, at a thirtieth of the cost. */
  async #keepHour(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const begun = Date.now();
      if (!this.#watching && this.#state === "up") {
        const running = [...this.containers.values()].filter((watched) => watched.running);
        await each(running, width / 2, async (watched) => {
          if (this.#watching || signal.aborted) return;
          const counters = await readStats(this.engine, watched.id).catch(() => null);
          if (counters !== null) watched.sample(counters, Date.now());
        });
      }
      await pause(Math.max(1000, quietMs - (Date.now() - begun)), signal);
    }
  }
}

/** Whether the list tells another state or health of a container than its last look. */
function differs({ State }: Inspected, { State: listed, Status }: ContainerRow): boolean {
  if (State.Status !== listed) return true;
  const told = /\((healthy|unhealthy|health: starting)\)$/.exec(Status ?? "")?.[1];
  const health = told === "health: starting" ? "starting" : told;
  return health !== undefined && State.Health != null && health !== State.Health.Status;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}
