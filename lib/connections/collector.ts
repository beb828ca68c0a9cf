// Looks at every system in turn, whoever watches: one probe per system, less often while it is down.
import { config, onConfig } from "../config/load";
import type { Config } from "../config/schema";
import { AppError, toAppError } from "../errors/app-error";
import { liveHub, publish } from "../live/hub";
import { onOutbox, outboxState } from "../purge/owed";
import { log } from "../runtime/log";
import { onServiceState } from "../runtime/service-states";
import { type Discovered, discover } from "../systems/docker/discover";
import { systemKinds } from "../systems/registry";
import type { Probed } from "../systems/system";
import type { Connection } from "./contract";
import { addressesOf, canonical, type Target, targetsOf } from "./targets";

export type CollectorOptions = {
  readonly config?: () => Config;
  /** Time between two looks at a system that is up (instead of the configured one), and the longest one at a system that is down, in ms. */
  readonly intervalMs?: number;
  readonly maxIntervalMs?: number;
};

/** What a look found, for those who judge it. */
export type Looked = { readonly target: Target; readonly probed: Probed };

type Watched = {
  readonly target: Target;
  probed: Probed | null;
  /** Failed looks in a row. */
  failures: number;
  lastGood: number | null;
  timer: NodeJS.Timeout | undefined;
  looking: Promise<void> | null;
  /** When the look at work, or the next one, should have ended at the latest. */
  dueAt: number;
};

/** A failure that is not yet believed is looked at again so soon. */
const doubtMs = 2000;
const doctorKinds = new Set(["varnish", "cloudflare"]);
const discoverEveryMs = 30_000;
/** A busy machine may be so late. */
const lateMs = 15_000;

export class Collector {
  readonly #config: () => Config;
  readonly #intervalMs: number | null;
  readonly #maxIntervalMs: number;
  readonly #onLook = new Set<(looked: Looked) => void>();
  readonly #onTargets = new Set<() => void>();
  readonly #watched = new Map<string, Watched>();
  #discovered: readonly Discovered[] = [];
  #waiting: ReadonlyMap<string, number> = new Map();
  #running = false;

  constructor(options: CollectorOptions = {}) {
    this.#config = options.config ?? config;
    this.#intervalMs = options.intervalMs ?? null;
    this.#maxIntervalMs = options.maxIntervalMs ?? 30_000;
  }

  /** Tells of every look at a system that is watched. Returns the way to stop. */
  onLook(listener: (looked: Looked) => void): () => void {
    this.#onLook.add(listener);
    return () => this.#onLook.delete(listener);
  }

  /** Tells when other systems are watched than before. Returns the way to stop. */
  onTargets(listener: () => void): () => void {
    this.#onTargets.add(listener);
    return () => this.#onTargets.delete(listener);
  }

  /** The systems that are watched. */
  targets(): Target[] {
    return [...this.#watched.values()].map(({ target }) => target);
  }

  /** How many systems should have been looked at by now and were not: something keeps this process from it. */
  overdue(now = Date.now()): number {
    return [...this.#watched.values()].filter(({ dueAt }) => now > dueAt + lateMs).length;
  }

  /** Begins to look; resolves at once. Returns the way to stop. */
  start(): () => Promise<void> {
    this.#running = true;
    this.follow();
    void this.#discoverAll();
    const discovery = setInterval(() => void this.#discoverAll(), discoverEveryMs).unref();
    const stopConfig = onConfig(() => {
      this.follow();
      void this.#discoverAll();
    });
    const stopServices = onServiceState(() => this.follow());
    const stopOutbox = onOutbox(() => void this.#countWaiting());
    void this.#countWaiting();
    return async () => {
      this.#running = false;
      clearInterval(discovery);
      stopConfig();
      stopServices();
      stopOutbox();
      for (const { timer } of this.#watched.values()) clearTimeout(timer);
      await Promise.all([...this.#watched.values()].map(({ looking }) => looking));
    };
  }

  /** Takes the configuration in force: new systems are looked at now, old ones no more. */
  follow(): void {
    const targets = new Map(
      targetsOf(this.#config()).map((target) => [keyOf(target.kind, target.name), target]),
    );
    for (const [key, watched] of this.#watched) {
      if (targets.get(key)?.identity === watched.target.identity) continue;
      clearTimeout(watched.timer);
      this.#watched.delete(key);
    }
    for (const [key, target] of targets) {
      if (this.#watched.has(key)) continue;
      const watched: Watched = {
        target,
        probed: null,
        failures: 0,
        lastGood: null,
        timer: undefined,
        looking: null,
        dueAt: Date.now() + target.deadlineMs,
      };
      this.#watched.set(key, watched);
      void this.#look(watched);
    }
    this.#tellAll();
    for (const tell of this.#onTargets) tell();
  }

  /** Every configured system, then discovered ones, then the kinds of which there is none. */
  all(): Connection[] {
    const own = [...this.#watched.values()].map((watched) => this.#describe(watched));
    const found = this.#discovered.map(describeDiscovered);
    const seen = new Set([...own, ...found].map(({ kind }) => kind));
    const none = systemKinds
      .filter(({ kind, optional }) => !optional && !seen.has(kind))
      .map(({ kind, exampleLine }) => notConnected(kind, null, "none", exampleLine, null));
    return [...own, ...found, ...none];
  }

  /** Looks at one system now. Throws NOT_FOUND. */
  async test(kind: string, name: string): Promise<Connection> {
    const watched = this.#watched.get(keyOf(kind, name));
    if (watched === undefined) {
      throw new AppError("NOT_FOUND", `No ${kind.slice(0, 50)} called ${name.slice(0, 100)} is configured.`, {
        problem: "connections.notFound",
        params: { name: name.slice(0, 100) },
      });
    }
    await this.#look(watched);
    return this.#describe(watched);
  }

  /** One look at a time: who asks meanwhile gets the same answer. */
  #look(watched: Watched): Promise<void> {
    watched.looking ??= this.#lookOnce(watched).finally(() => {
      watched.looking = null;
    });
    return watched.looking;
  }

  async #lookOnce(watched: Watched): Promise<void> {
    clearTimeout(watched.timer);
    watched.dueAt = Date.now() + watched.target.deadlineMs;
    const probed = await withDeadline(watched.target);
    watched.probed = probed;
    watched.failures = probed.state === "up" ? 0 : watched.failures + 1;
    if (probed.state === "up") watched.lastGood = probed.at;
    if (!this.#isWatched(watched)) return;
    for (const tell of this.#onLook) tell({ target: watched.target, probed });
    publish("connection", this.#describe(watched));
    if (!this.#running) return;
    const wait = this.#waitOf(watched);
    watched.dueAt = Date.now() + wait + watched.target.deadlineMs;
    watched.timer = setTimeout(() => void this.#look(watched), wait).unref();
  }

  /** ms until the next look: soon after a failure that may be none, ever later while it stays down. */
  #waitOf({ target, failures }: Watched): number {
    const interval = this.#intervalMs ?? target.intervalMs;
    if (failures === 0) return interval;
    if (failures <= target.retries) return Math.min(interval, doubtMs);
    return Math.min(interval * 2 ** (failures - target.retries - 1), Math.max(interval, this.#maxIntervalMs));
  }

  /** False once the configuration has another system in its place. */
  #isWatched(watched: Watched): boolean {
    return this.#watched.get(keyOf(watched.target.kind, watched.target.name)) === watched;
  }

  async #discoverAll(): Promise<void> {
    const settings = this.#config();
    const known = addressesOf(settings);
    const found: Discovered[] = [];
    for (const engine of settings.systems.docker) {
      try {
        found.push(...(await discover(engine)));
      } catch (error) {
        // The engine's own connection says that it is down.
        log.debug({ err: error, system: engine.name }, "containers could not be listed");
      }
    }
    const names = new Set(targetsOf(settings).map(({ kind, name }) => keyOf(kind, name)));
    const fresh = found.filter(
      ({ kind, name, address }) =>
        !names.has(keyOf(kind, name)) && (address === null || !known.has(canonical(address))),
    );
    if (JSON.stringify(fresh) === JSON.stringify(this.#discovered)) return;
    this.#discovered = fresh;
    this.#tellAll();
  }

  async #countWaiting(): Promise<void> {
    try {
      const waiting = new Map((await outboxState()).map((node) => [node.node, node.waiting]));
      const before = this.#waiting;
      this.#waiting = waiting;
      for (const watched of this.#watched.values()) {
        const { name } = watched.target;
        if (before.get(name) !== waiting.get(name)) publish("connection", this.#describe(watched));
      }
    } catch (error) {
      log.warn({ err: error }, "the outbox could not be counted");
    }
  }

  #tellAll(): void {
    const all = this.all();
    const keys = new Set(all.map(({ kind, name }) => keyOf(kind, name ?? "")));
    liveHub().forgetConnections(({ kind, name }) => keys.has(keyOf(kind, name ?? "")));
    for (const connection of all) publish("connection", connection);
  }

  #describe({ target, probed, lastGood }: Watched): Connection {
    const common = {
      kind: target.kind,
      name: target.name,
      source: "config" as const,
      lastGood: isoTime(lastGood),
      fix: null,
      waiting: this.#waiting.get(target.name) ?? 0,
      doctor: doctorKinds.has(target.kind),
    };
    const nothing = { latencyMs: null, version: null, facts: {}, at: null, error: null };
    if (probed === null) return { ...common, ...nothing, state: "checking" };
    const at = isoTime(probed.at);
    if (probed.state === "down") {
      const { code, message } = probed.error;
      return { ...common, ...nothing, state: "down", at, error: { code, message } };
    }
    const { version, facts } = probed.data;
    return {
      ...common,
      state: "up",
      latencyMs: probed.latencyMs,
      version,
      facts: { ...facts },
      at,
      error: null,
    };
  }
}

async function withDeadline(target: Target): Promise<Probed> {
  const begun = Date.now();
  let timer: NodeJS.Timeout | undefined;
  const down = (error: AppError): Probed => ({ state: "down", error, at: Date.now(), lastGood: null });
  const late = new Promise<Probed>((resolve) => {
    timer = setTimeout(
      () =>
        resolve(down(new AppError("TIMEOUT", `${target.name} gave no answer in ${Date.now() - begun} ms.`))),
      target.deadlineMs,
    );
  });
  try {
    return await Promise.race([target.probe(), late]);
  } catch (error) {
    return down(toAppError(error));
  } finally {
    clearTimeout(timer);
  }
}

function describeDiscovered(found: Discovered): Connection {
  return notConnected(found.kind, found.name, "discovered", found.line, {
    code: "NOT_CONFIGURED",
    message: found.why.message,
  });
}

function notConnected(
  kind: string,
  name: string | null,
  source: "discovered" | "none",
  fix: string,
  error: Connection["error"],
): Connection {
  return {
    kind,
    name,
    source,
    state: "not_connected",
    latencyMs: null,
    version: null,
    facts: {},
    at: null,
    lastGood: null,
    error,
    fix,
    waiting: 0,
    doctor: false,
  };
}

function keyOf(kind: string, name: string): string {
  return `${kind} ${name}`;
}

function isoTime(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
