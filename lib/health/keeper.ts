// The health of every component, judged from the looks at its system, with every change of state kept.
import type { Config } from "../config/schema";
import { db } from "../db/client";
import { type AppError, tellProblem } from "../errors/app-error";
import type { ToldProblem } from "../errors/contract";
import { log } from "../runtime/log";
import type { Probed } from "../systems/system";
import { type Component, type HealthState, layers } from "./contract";
import { below, causeOf, graphOf, layerOf, type Node, type Standing } from "./graph";
import { type Judged, judge, type Look, unknownSince } from "./judge";
import { Rates } from "./rates";
import { readProblem, readState } from "./rows";

/** What is looked at, as the collector of connections tells it. */
export type Looked = {
  readonly target: { readonly kind: string; readonly name: string; readonly retries: number };
  readonly probed: Probed;
};
export type HealthChange = { readonly component: Component; readonly before: HealthState };

type Entry = {
  judged: Judged;
  /** When the row of looks that fail began. */
  failingSince: number | null;
  retries: number;
  probed: Probed | null;
  answered: Answered | null;
  cause: string | null;
};
/** What a component told of itself when it last answered; `at` in ms. */
type Answered = { readonly at: number; readonly facts: Component["facts"]; readonly alone: boolean };

/** Sluice was away for less than this, and all is as it was: nothing happened. */
const shortMs = 120_000;
const watchId = 1;
const layerOrder = new Map(layers.map((layer, index) => [layer, index]));

export class HealthKeeper {
  readonly rates = new Rates();
  readonly #config: () => Config;
  readonly #entries = new Map<string, Entry>();
  readonly #listeners = new Set<(change: HealthChange) => void>();
  readonly #onUpdate = new Set<(component: Component) => void>();
  readonly #onGone = new Set<(key: string) => void>();
  readonly #exporters = new Map<string, boolean>();
  #nodes: ReadonlyMap<string, Node> = new Map();
  /** Rows are written one after the other, in the order of what happened. */
  #writing: Promise<void> = Promise.resolve();

  constructor(config: () => Config) {
    this.#config = config;
  }

  /** Takes up what was known when Sluice stopped: what happened since then is unknown, unless it was away for a moment only. */
  async open(now = Date.now()): Promise<void> {
    const watch = await db().healthWatch.findUnique({ where: { id: watchId } });
    const last = await db().$queryRaw<
      { component: string; state: string; since: Date; problem: string | null }[]
    >`
      SELECT "component", "state", "since", "problem" FROM "HealthState"
      WHERE "id" IN (SELECT max("id") FROM "HealthState" GROUP BY "component")`;
    for (const row of last) {
      const state = readState(row.state);
      const judged: Judged = {
        ...unknownSince(new Date(row.since).getTime()),
        state,
        problem: readProblem(row.problem),
      };
      const gone = watch === null ? judged.since : watch.at.getTime();
      if (now - gone < shortMs || state === "unknown") {
        this.#entries.set(row.component, entryOf(judged));
        continue;
      }
      const lost = unknownSince(gone);
      this.#entries.set(row.component, entryOf(lost));
      this.#keep(row.component, lost, state);
    }
    await this.watched(now);
  }

  /** Marks until when Sluice watched; ms since the epoch. */
  async watched(now = Date.now()): Promise<void> {
    const at = new Date(now);
    await db().healthWatch.upsert({ where: { id: watchId }, create: { id: watchId, at }, update: { at } });
  }

  /** Resolves when everything that was seen is in the database. */
  settled(): Promise<void> {
    return this.#writing;
  }

  /** Tells of every change of a state. Returns the way to stop. */
  onChange(listener: (change: HealthChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells of everything that is worth showing anew: also another reason, or another cause. Returns the way to stop. */
  onUpdate(listener: (component: Component) => void): () => void {
    this.#onUpdate.add(listener);
    return () => this.#onUpdate.delete(listener);
  }

  /** Tells of a component that is no longer watched. Returns the way to stop. */
  onGone(listener: (key: string) => void): () => void {
    this.#onGone.add(listener);
    return () => this.#onGone.delete(listener);
  }

  /** The components are `targets` now: others are forgotten (what is kept of them stays), new ones are unknown. */
  follow(targets: readonly Looked["target"][], now = Date.now()): void {
    const graph = new Map(graphOf(this.#config()).map((node) => [node.key, node]));
    const nodes = new Map<string, Node>();
    for (const target of targets) {
      const key = keyOf(target);
      nodes.set(
        key,
        graph.get(key) ?? { key, layer: layerOf(target.kind), dependsOn: [], guessed: true, alone: false },
      );
      const entry = this.#entries.get(key) ?? entryOf(unknownSince(now));
      entry.retries = target.retries;
      this.#entries.set(key, entry);
    }
    for (const [key, { judged }] of this.#entries) {
      if (nodes.has(key)) continue;
      this.#entries.delete(key);
      // From now on nobody looks at it.
      if (judged.state !== "unknown") this.#keep(key, unknownSince(now), judged.state);
      for (const tell of this.#onGone) tell(key);
    }
    this.#nodes = nodes;
    this.rates.forget((key) => nodes.has(key));
    this.#findCauses();
  }

  /** Judges what a look found. */
  see({ target, probed }: Looked): void {
    const key = keyOf(target);
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    entry.probed = probed;
    if (probed.state === "up") {
      entry.answered = {
        at: probed.at,
        facts: { ...probed.data.facts },
        alone: probed.data.alone === true,
      };
      if (probed.data.counters !== undefined) this.rates.add(key, probed.at, probed.data.counters);
    }
    const look = lookOf(probed);
    entry.failingSince = look.up ? null : (entry.failingSince ?? look.at);
    this.#take(
      key,
      entry,
      judge(entry.judged, look, entry.retries, this.#exporterSays(key), entry.failingSince ?? look.at),
    );
  }

  /** What the exporters in Prometheus say of the components; one that is not named has none. Judged with the next look. */
  exportersSay(up: ReadonlyMap<string, boolean>): void {
    this.#exporters.clear();
    for (const [key, value] of up) this.#exporters.set(key, value);
  }

  #exporterSays(key: string): boolean | null {
    const up = this.#exporters.get(key) ?? null;
    // It reads Varnish's shared memory, which stays when the server hangs.
    return up === true && key.startsWith("varnish/") ? null : up;
  }

  /** Every component, from the visitors inwards. */
  all(): Component[] {
    return [...this.#nodes.keys()]
      .map((key) => this.#describe(key))
      .filter((one) => one !== null)
      .sort((a, b) => (layerOrder.get(a.layer) ?? 0) - (layerOrder.get(b.layer) ?? 0));
  }

  get(key: string): Component | null {
    return this.#nodes.has(key) ? this.#describe(key) : null;
  }

  /** What it told when it last answered this process; null when it never did. */
  lastAnswer(key: string): Answered | null {
    return this.#entries.get(key)?.answered ?? null;
  }

  /** Whether that it is down is no fault of what is below it, as far as its last answer tells. */
  isAlone(key: string): boolean {
    const node = this.#nodes.get(key);
    return (
      node?.alone === true || (node?.guessed === true && this.#entries.get(key)?.answered?.alone === true)
    );
  }

  /** Whether `upper` depends on `lower`, over any number of steps. */
  isBelow(upper: string, lower: string): boolean {
    return below(upper, this.#nodes).includes(lower);
  }

  #take(key: string, entry: Entry, judged: Judged): void {
    const before = entry.judged;
    entry.judged = judged;
    const changed = before.state !== judged.state;
    if (changed) {
      this.#keep(key, judged, before.state);
      this.#findCauses();
    }
    const shown = ({ state, problem, concerns, failing }: Judged) =>
      JSON.stringify([state, problem, concerns, failing > 0]);
    if (shown(before) === shown(judged)) return;
    const component = this.#describe(key);
    if (component === null) return;
    for (const tell of this.#onUpdate) tell(component);
    if (changed) for (const tell of this.#listeners) tell({ component, before: before.state });
  }

  #keep(component: string, { state, since, problem }: Judged, before: HealthState): void {
    const row = {
      component,
      state,
      before,
      since: new Date(since),
      problem: problem === null ? null : JSON.stringify(problem),
    };
    this.#writing = this.#writing
      .then(async () => {
        await db().healthState.create({ data: row });
      })
      .catch((error: unknown) =>
        log.error({ err: error, component }, "a change of health could not be kept"),
      );
  }

  #findCauses(): void {
    for (const [key, entry] of this.#entries) {
      const before = entry.cause;
      entry.cause =
        entry.judged.state === "up" ? null : causeOf(key, this.#nodes, (one) => this.#standing(one), before);
      if (before === entry.cause) continue;
      const component = this.#describe(key);
      if (component !== null) for (const tell of this.#onUpdate) tell(component);
    }
  }

  #standing(key: string): Standing {
    const { state, since } = this.#entries.get(key)?.judged ?? unknownSince(0);
    return { state, since, alone: this.isAlone(key) };
  }

  #describe(key: string): Component | null {
    const node = this.#nodes.get(key);
    const entry = this.#entries.get(key);
    if (node === undefined || entry === undefined) return null;
    const { judged, probed, cause } = entry;
    const [kind = "", name = ""] = key.split("/");
    const seen = probed?.state === "up" ? probed : null;
    return {
      key,
      kind,
      name,
      layer: node.layer,
      state: judged.state,
      since: new Date(judged.since).toISOString(),
      problem: judged.problem,
      concerns: [...judged.concerns],
      failing: judged.failing,
      latencyMs: seen?.latencyMs ?? null,
      version: seen?.data.version ?? null,
      facts: { ...seen?.data.facts },
      dependsOn: [...node.dependsOn],
      cause,
    };
  }
}

const keyOf = ({ kind, name }: Looked["target"]): string => `${kind}/${name}`;
const entryOf = (judged: Judged): Entry => ({
  judged,
  failingSince: null,
  retries: 0,
  probed: null,
  answered: null,
  cause: null,
});

/** What failed in words: an error without a message of its own is told by what it says, in English. */
function problemOf(error: AppError): ToldProblem {
  return tellProblem(error, { problem: "health.failed", params: { says: error.message.slice(0, 300) } });
}

function lookOf(probed: Probed): Look {
  if (probed.state === "up") return { up: true, at: probed.at, concerns: probed.data.concerns ?? [] };
  const problem = problemOf(probed.error);
  // It answers, and does not let us look: that wants a look, but is no outage.
  return probed.error.code === "UPSTREAM_AUTH"
    ? { up: true, at: probed.at, concerns: [problem] }
    : { up: false, at: probed.at, problem };
}
