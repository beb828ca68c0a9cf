// All engines, watched once for everybody: what is known of every container, and the streams of those who look.
import { setTimeout as sleep } from "node:timers/promises";
import { config, onConfig } from "../config/load";
import type { Config } from "../config/schema";
import { AppError } from "../errors/app-error";
import { log } from "../runtime/log";
import { isOwn, ownContainer } from "../systems/docker/self";
import { engineNow, skewOf } from "./clock";
import type { HostRow, ServiceRef, ServiceRow, ServicesEvent, ServicesSnapshot } from "./contract";
import { type Death, HostWatch } from "./host-watch";
import { loopWindowMs } from "./judge";
import { stepMs } from "./ring";
import type { Watched } from "./watched";

export type CollectorOptions = {
  readonly config?: () => Pick<Config, "systems">;
  /** How long statistics go on after the last viewer left, ms. */
  readonly lingerMs?: number;
  readonly onDeath?: (host: HostWatch, death: Death) => void;
  /** A container had ended badly before this process watched. */
  readonly onFound?: (host: HostWatch, watched: Watched) => void;
  /** When a container died, as it was kept before this process began; ms by the engine's clock, as `from`. */
  readonly deathsSince?: (host: string, container: string, from: number) => Promise<number[]>;
  /** What is known of newer images, by host and container. */
  readonly updateOf?: (host: string, watched: Watched) => ServiceRow["update"];
};

type Entry = { readonly host: HostWatch; readonly identity: string };

/** Changes are told at most so often, and what is used so often. */
const rowsMs = 250;
const usageMs = 2000;
/** Containers that went are told to those who were not asked yet, this many. */
const maxGone = 2000;

export class ServicesCollector {
  readonly #config: () => Pick<Config, "systems">;
  readonly #lingerMs: number;
  readonly #onDeath: (host: HostWatch, death: Death) => void;
  readonly #onFound: (host: HostWatch, watched: Watched) => void;
  readonly #deathsSince: NonNullable<CollectorOptions["deathsSince"]>;
  readonly #updateOf: (host: string, watched: Watched) => ServiceRow["update"];
  readonly #entries = new Map<string, Entry>();
  readonly #own = ownContainer();
  readonly #gone: { readonly id: string; readonly revision: number }[] = [];
  readonly #stopped = new AbortController();
  #revision = 1;
  #hostsRevision = 1;
  #viewers = 0;
  #linger: NodeJS.Timeout | undefined;
  #watching = false;

  constructor(options: CollectorOptions = {}) {
    this.#config = options.config ?? config;
    this.#lingerMs = options.lingerMs ?? 60_000;
    this.#onDeath = options.onDeath ?? (() => {});
    this.#onFound = options.onFound ?? (() => {});
    this.#deathsSince = options.deathsSince ?? (async () => []);
    this.#updateOf = options.updateOf ?? (() => null);
  }

  /** Begins to watch every engine of the configuration. Returns the way to stop. */
  start(): () => Promise<void> {
    this.follow();
    const stopConfig = onConfig(() => this.follow());
    return async () => {
      stopConfig();
      this.#stopped.abort();
      clearTimeout(this.#linger);
      await Promise.all([...this.#entries.values()].map(({ host }) => host.stop()));
    };
  }

  /** Takes the configuration in force: new engines are watched, old ones no more. */
  follow(): void {
    const wanted = new Map(
      this.#config().systems.docker.map((engine) => [
        engine.name,
        { engine, identity: JSON.stringify(engine) },
      ]),
    );
    for (const [name, { host, identity }] of this.#entries) {
      if (wanted.get(name)?.identity === identity) continue;
      this.#entries.delete(name);
      for (const { id } of host.containers.values()) this.#forget(id);
      void host.stop();
      this.#hostsChanged();
    }
    for (const [name, { engine, identity }] of wanted) {
      if (this.#entries.has(name)) continue;
      const host: HostWatch = new HostWatch(engine, {
        host: () => this.#hostsChanged(),
        row: (watched) => {
          watched.revision = ++this.#revision;
        },
        gone: (watched) => this.#forget(watched.id),
        death: (death) => this.#onDeath(host, death),
        found: (watched) => this.#onFound(host, watched),
        met: (watched) => {
          this.#deathsSince(name, watched.id, engineNow(host) - loopWindowMs)
            .then((deaths) => {
              watched.remember(deaths);
              this.touch(watched);
            })
            .catch((error: unknown) => log.warn({ err: error }, "earlier deaths are not known"));
        },
      });
      this.#entries.set(name, { host, identity });
      host.start();
      host.watch(this.#watching);
      this.#hostsChanged();
    }
  }

  /** Everything as it is known now. */
  snapshot(): ServicesSnapshot {
    return { hosts: this.#hostRows(), rows: this.#rowsSince(0) };
  }

  hosts(): HostWatch[] {
    return [...this.#entries.values()].map(({ host }) => host);
  }

  /** The engine of this name. Throws AppError NOT_FOUND. */
  host(name: string): HostWatch {
    const entry = this.#entries.get(name);
    if (entry !== undefined) return entry.host;
    const known = [...this.#entries.keys()].join(", ");
    throw new AppError(
      "NOT_FOUND",
      `No Docker Engine is called ${name.slice(0, 100)}; there is: ${known || "none"}.`,
      {
        problem: "services.noHost",
        params: { host: name.slice(0, 100), known: known || "-" },
        field: "host",
      },
    );
  }

  /**
   * A container by full id, the beginning of it (12 digits or more) or its name. Throws AppError NOT_FOUND (saying on which host
   * it is, if it is on another), UNREACHABLE while nothing is known of the host yet.
   */
  find(ref: ServiceRef): { host: HostWatch; watched: Watched } {
    const host = this.host(ref.host);
    const watched = among(host, ref.id);
    if (watched !== null) return { host, watched };
    const other = this.hosts().find((one) => one !== host && among(one, ref.id) !== null);
    if (other !== undefined)
      throw new AppError(
        "NOT_FOUND",
        `${ref.id} is a container of ${other.engine.name}, not of ${ref.host}.`,
        {
          problem: "services.otherHost",
          params: { container: ref.id, host: ref.host, other: other.engine.name },
          field: "id",
        },
      );
    if (!host.up && host.containers.size === 0)
      throw new AppError("UNREACHABLE", `${ref.host} has not answered yet.`, {
        problem: "services.hostDown",
        params: { host: ref.host },
      });
    throw new AppError("NOT_FOUND", `${ref.host} has no container ${ref.id}.`, {
      problem: "services.noContainer",
      params: { container: ref.id, host: ref.host },
      field: "id",
    });
  }

  rowOf(host: HostWatch, watched: Watched): ServiceRow {
    const row = watched.row(
      host.engine.name,
      isOwn(watched.id, this.#own),
      this.#updateOf(host.engine.name, watched),
      Date.now(),
      skewOf(host),
    );
    // What an engine that does not answer said last is not how things are.
    return host.up ? row : { ...row, verdict: "unknown", reasons: ["hostDown"], usage: null };
  }

  /** Tells every viewer this container's row again (its update is known now). */
  touch(watched: Watched): void {
    watched.revision = ++this.#revision;
  }

  /** How many look now. */
  get viewers(): number {
    return this.#viewers;
  }

  /** A snapshot, then what changes, until `signal` aborts. However slowly it is read, only the newest state is told. */
  async *watch(signal: AbortSignal): AsyncGenerator<ServicesEvent, void> {
    this.#enter();
    const ended = AbortSignal.any([signal, this.#stopped.signal]);
    try {
      let seen = this.#revision;
      let hostsSeen = this.#hostsRevision;
      yield { type: "snapshot", at: new Date().toISOString(), ...this.snapshot() };
      let usageAt = 0;
      let stepTold = Math.floor(Date.now() / stepMs);
      for (;;) {
        await sleep(rowsMs, undefined, { signal: ended }).catch(() => {});
        if (ended.aborted) return;
        if (this.#revision !== seen || this.#hostsRevision !== hostsSeen) {
          const since = seen;
          const hosts = this.#hostsRevision === hostsSeen ? [] : this.#hostRows();
          // A host that goes or comes changes the verdict of all its containers.
          const rows = this.#rowsSince(hosts.length > 0 ? 0 : since);
          seen = this.#revision;
          hostsSeen = this.#hostsRevision;
          const gone = this.#gone.filter(({ revision }) => revision > since).map(({ id }) => id);
          yield { type: "rows", hosts, rows, gone };
        }
        if (Date.now() - usageAt >= usageMs) {
          usageAt = Date.now();
          const step = Math.floor(usageAt / stepMs);
          const spark = step === stepTold ? {} : this.#sparkNow(usageAt);
          stepTold = step;
          // Empty too: a page takes silence for a dead line.
          yield { type: "usage", at: new Date(usageAt).toISOString(), usage: this.#usageNow(), step, spark };
        }
      }
    } finally {
      this.#leave();
    }
  }

  #usageNow() {
    const all: Record<string, NonNullable<ServiceRow["usage"]>> = {};
    for (const { host } of this.#entries.values())
      if (host.up)
        for (const watched of host.containers.values())
          if (watched.usage !== null && watched.running) all[watched.id] = watched.usage;
    return all;
  }

  #sparkNow(now: number): Record<string, number> {
    return Object.fromEntries(
      this.hosts().flatMap((host) =>
        host.up
          ? [...host.containers.values()].map((watched) => [watched.id, watched.spark(1, now)[0] ?? -1])
          : [],
      ),
    );
  }

  #enter(): void {
    this.#viewers++;
    clearTimeout(this.#linger);
    this.#watchAll(true);
  }

  #leave(): void {
    this.#viewers--;
    if (this.#viewers > 0 || this.#stopped.signal.aborted) return;
    this.#linger = setTimeout(() => this.#watchAll(false), this.#lingerMs).unref();
  }

  #watchAll(on: boolean): void {
    if (this.#watching === on) return;
    this.#watching = on;
    for (const { host } of this.#entries.values()) host.watch(on);
  }

  #hostRows(): HostRow[] {
    return this.hosts().map((host) => host.row());
  }

  #rowsSince(revision: number): ServiceRow[] {
    return this.hosts().flatMap((host) =>
      [...host.containers.values()]
        .filter((watched) => watched.revision > revision)
        .map((watched) => this.rowOf(host, watched)),
    );
  }

  #hostsChanged(): void {
    this.#hostsRevision++;
  }

  #forget(id: string): void {
    this.#gone.push({ id, revision: ++this.#revision });
    if (this.#gone.length > maxGone) this.#gone.shift();
  }
}

function among(host: HostWatch, id: string): Watched | null {
  const exact = host.containers.get(id);
  if (exact !== undefined) return exact;
  const all = [...host.containers.values()];
  const named = all.find((watched) => watched.name === id);
  if (named !== undefined) return named;
  if (!/^[0-9a-f]{12,64}$/.test(id)) return null;
  const begun = all.filter((watched) => watched.id.startsWith(id));
  return begun.length === 1 ? (begun[0] ?? null) : null;
}
