// Opens an incident when something breaks, folds what fails for the same cause into it, and closes it when all is well again.
import { db } from "../db/client";
import { type Component, type HealthState, isSilent } from "../health/contract";
import { graduallyMs, togetherMs } from "../health/graph";
import { log } from "../runtime/log";
import { type FiringAlert, type HeldAlert, loadAlerts } from "./alerts";
import { type IncidentRow, isNamedByCause, nameOf } from "./contract";
import { type Fold, foldOf, type Relations } from "./fold";
import { addEntry, type StoredIncident, toEntry, toMaintenance, toRow, withComponents } from "./rows";

/** All must have been well for so long before it is closed. */
const calmMs = 15_000;
/** What breaks again so soon after is the same incident. */
const againMs = 10 * 60_000;

/** Whether `key`, which fails for `root`, stands as that in an incident already. */
function standsIn({ cause, components }: IncidentRow, key: string, root: string): boolean {
  const fails = (one: string) =>
    components.find(({ component, until }) => component === one && until === null);
  if (key === root && fails(key)?.beside) return true;
  return cause === root && fails(root) !== undefined && fails(key)?.beside === false;
}

/** The health that incidents are made of. */
export type Health = {
  get(key: string): Component | null;
} & Omit<Relations, "isDown">;
export type IncidentEvent = {
  readonly event: "opened" | "reopened" | "acknowledged" | "closed";
  readonly incident: IncidentRow;
};
export type KeeperOptions = { readonly calmMs?: number; readonly againMs?: number };

export class IncidentKeeper {
  readonly #health: Health;
  readonly #calmMs: number;
  readonly #againMs: number;
  readonly #onEvent = new Set<(event: IncidentEvent) => void>();
  readonly #onUpdate = new Set<(incident: IncidentRow) => void>();
  readonly #onTurn = new Set<(incident: IncidentRow) => void>();
  /** What failed during announced work: looked at again when that ends. */
  readonly #silenced = new Set<string>();
  readonly #calming = new Map<number, NodeJS.Timeout>();
  /** When an incident was opened again, in ms: what breaks with it then is the same. */
  readonly #againAt = new Map<number, number>();
  /** Alerts that fire and stand on an incident's timeline, by their id; null: not read from the database yet. */
  #alerts: Map<string, HeldAlert> | null = null;
  /** One thing after the other: two failures at the same moment must not open two incidents. */
  #work: Promise<void> = Promise.resolve();

  constructor(health: Health, options: KeeperOptions = {}) {
    this.#health = health;
    this.#calmMs = options.calmMs ?? calmMs;
    this.#againMs = options.againMs ?? againMs;
  }

  /** Tells what somebody should hear of. Returns the way to stop. */
  onEvent(listener: (event: IncidentEvent) => void): () => void {
    this.#onEvent.add(listener);
    return () => this.#onEvent.delete(listener);
  }

  /** Tells of everything that is worth showing anew. Returns the way to stop. */
  onUpdate(listener: (incident: IncidentRow) => void): () => void {
    this.#onUpdate.add(listener);
    return () => this.#onUpdate.delete(listener);
  }

  /** Tells when there is something new to look at: it broke (again), or what it fails for was found. Returns the way to stop. */
  onTurn(listener: (incident: IncidentRow) => void): () => void {
    this.#onTurn.add(listener);
    return () => this.#onTurn.delete(listener);
  }

  /** Takes up what is open, at a start. */
  async open(): Promise<void> {
    this.#alerts = await loadAlerts();
    for (const one of await this.current()) {
      this.#tell(one);
      await this.#calm(one.id);
    }
  }

  /** Incidents that are not closed, the newest first. */
  async current(): Promise<IncidentRow[]> {
    const rows = await db().incident.findMany({
      where: { state: { not: "closed" } },
      ...withComponents,
      orderBy: { id: "desc" },
    });
    return rows.map(toRow);
  }

  /** Resolves when everything that was seen is dealt with. */
  settled(): Promise<void> {
    return this.#work;
  }

  stop(): void {
    for (const timer of this.#calming.values()) clearTimeout(timer);
    this.#calming.clear();
  }

  /** A component changed its state. Never throws. */
  see(component: Component, before: HealthState): void {
    this.#queue(() => this.#see(component, before));
  }

  /** A component was taken out of the configuration: nobody can say when it is well again. Never throws. */
  forget(key: string, at = new Date()): void {
    this.#queue(() => this.#end(key, at, "gone"));
  }

  /** What health knows and incidents may not, after a restart or an error: what is down and in none, what is well and still stands in one. Never throws. */
  takeUp(components: readonly Component[]): void {
    this.#queue(async () => {
      for (const component of components) {
        if (!isSilent(component)) {
          await this.#see(component, "down");
          continue;
        }
        // What stands in an incident, or in one that somebody closed meanwhile, stays there.
        const stands = await db().incidentComponent.findFirst({
          where: { component: component.key, until: null },
        });
        if (stands === null) await this.#failed(component, new Date(component.since), "down");
      }
    });
  }

  /** Announced work may be over: what still fails is told now. Never throws. */
  afterWork(): void {
    for (const key of this.#silenced) {
      const component = this.#health.get(key);
      if (component === null || component.state === "up" || component.state === "unknown")
        this.#silenced.delete(key);
      else this.see(component, component.state);
    }
  }

  /** The alerts that fire now. `complete`: one that is missing is over; else nothing is known of it. Never throws. */
  seeAlerts(firing: readonly FiringAlert[], complete: boolean): void {
    this.#queue(() => this.#seeAlerts(firing, complete));
  }

  /** The incidents on whose timelines alerts that fire stand, by the alerts' ids. */
  heldAlerts(): ReadonlyMap<string, HeldAlert> {
    return this.#alerts ?? new Map();
  }

  /** Does `act` on an incident, tells of it, and answers with it as it is then. */
  async change(id: number, act: () => Promise<void>, event?: IncidentEvent["event"]): Promise<IncidentRow> {
    await act();
    const row = await this.#row(id);
    this.#tell(row);
    if (event !== undefined) this.#emit({ event, incident: row });
    return row;
  }

  #queue(act: () => Promise<void>): void {
    this.#work = this.#work
      .then(act)
      .catch((error: unknown) => log.error({ err: error }, "an incident could not be kept"));
  }

  async #see(component: Component, before: HealthState): Promise<void> {
    const { key, state } = component;
    const at = new Date(component.since);
    if (isSilent(component)) {
      // That its exporter contradicts is nothing new.
      if (!(state === "disagree" && before === "down")) await this.#failed(component, at, "down");
    }
    // It answers, and badly, for something below it.
    else if (state === "warn" && this.#suffers(component)) await this.#failed(component, at, "degraded");
    // What wants a look for a reason of its own is as well as it was.
    else if (state === "warn") await this.#well(key, new Date(), before);
    else if (state !== "unknown") await this.#well(key, at, before);
  }

  #isIll(key: string): boolean {
    const one = this.#health.get(key);
    return one !== null && (isSilent(one) || (one.state === "warn" && this.#suffers(one)));
  }

  /** Whether it is ill because of what it depends on: it was not before that was. */
  #suffers({ cause, since }: Component): boolean {
    const below = cause === null ? null : this.#health.get(cause);
    return below !== null && Date.parse(since) >= Date.parse(below.since) - togetherMs;
  }

  /** `isAlert`: it is an alert that fires, of something that may answer; so may what the others are about. */
  #fold(key: string, root: string, at: Date, open: readonly IncidentRow[], isAlert = false): Fold {
    const ms = (iso: string | null) => (iso === null ? null : Date.parse(iso));
    const below = root === key ? null : this.#health.get(root);
    return foldOf(
      key,
      root,
      below === null ? at.getTime() : Date.parse(below.since),
      open.map(({ id, cause, openedAt, components }) => ({
        id,
        cause,
        brokeAt: this.#againAt.get(id) ?? Date.parse(openedAt),
        components: components.map(({ component, until }) => ({ component, until: ms(until) })),
      })),
      {
        isBelow: (upper, lower) => this.#health.isBelow(upper, lower),
        isAlone: (one) => this.#health.isAlone(one),
        isDown: (one) => {
          const seen = this.#health.get(one);
          return isAlert || (seen !== null && isSilent(seen));
        },
      },
    );
  }

  async #failed({ key, cause }: Component, at: Date, type: "down" | "degraded"): Promise<void> {
    const root = cause ?? key;
    const open = await this.current();
    const standing = open.find((one) => standsIn(one, key, root));
    if (standing !== undefined) return this.#worsen(standing.id, key, at, type);
    // It has failed since somebody closed its incident: that is known.
    if (await this.#wasClosedOn(key, type)) return;
    const fold = this.#fold(key, root, at, open);
    if (fold.act === "open") {
      // What only suffers opens none: its cause does.
      if (type === "degraded") return;
      if (await this.#isAnnounced(key)) {
        this.#silenced.add(key);
        return;
      }
    }
    this.#silenced.delete(key);
    const { id, event } =
      fold.act === "open"
        ? await this.#open({ cause: fold.cause, title: nameOf(fold.cause), openedBy: "probe", at })
        : { id: fold.id, event: null };
    if (fold.act === "join") await this.#nameCause(id, root, fold.cause);
    const beside = fold.act === "join" && fold.beside;
    await this.#join(id, key, { at, type, beside: beside && root === key });
    // Its cause may have been found down before the incident knew of it.
    if (root !== key) {
      const below = this.#health.get(root);
      if (below?.state === "down")
        await this.#join(id, root, { at: new Date(below.since), type: "down", beside });
    }
    await this.#leave(open, id, key);
    await this.#changed(id, event, event !== null || (fold.act === "join" && fold.cause !== null));
  }

  /** It only suffered until now. */
  async #worsen(id: number, key: string, at: Date, type: "down" | "degraded"): Promise<void> {
    if (type === "degraded" || !(await this.#onlySuffered(id, key))) return;
    await addEntry(id, { type, at, data: { component: key } });
    await this.#changed(id, null, false);
  }

  /** Whether it failed as much when somebody closed an incident of it, and has not been well since. */
  async #wasClosedOn(component: string, type: "down" | "degraded"): Promise<boolean> {
    const row = await db().incidentComponent.findFirst({
      where: { component, until: null, incident: { state: "closed" } },
      orderBy: { incidentId: "desc" },
    });
    return row !== null && (type === "degraded" || !(await this.#onlySuffered(row.incidentId, component)));
  }

  /** Whether the last that an incident says of it is that it suffers, not that it is down. */
  async #onlySuffered(incidentId: number, component: string): Promise<boolean> {
    const entries = await db().incidentEntry.findMany({
      where: { incidentId, type: { in: ["down", "degraded"] } },
      orderBy: { id: "desc" },
    });
    return entries.map(toEntry).find(({ data }) => data.component === component)?.type === "degraded";
  }

  /** It fails for another reason now: in incidents whose cause is well it does not fail any more. */
  async #leave(open: readonly IncidentRow[], joined: number, key: string): Promise<void> {
    for (const one of open) {
      if (one.id === joined || one.cause === null || one.cause === key) continue;
      if (this.#health.get(one.cause)?.state === "down") continue;
      if (one.components.some(({ component, until }) => component === key && until === null))
        await this.#endIn(one.id, key, new Date(), "moved");
    }
  }

  /** Something of it fails: it does not end now. Tells of it. `turns`: there is something new to look at. */
  async #changed(id: number, event: IncidentEvent["event"] | null, turns: boolean): Promise<void> {
    clearTimeout(this.#calming.get(id));
    this.#calming.delete(id);
    const row = await this.#row(id);
    this.#tell(row);
    if (event !== null) this.#emit({ event, incident: row });
    if (turns) for (const tell of this.#onTurn) tell(row);
  }

  async #seeAlerts(firing: readonly FiringAlert[], complete: boolean): Promise<void> {
    this.#alerts ??= await loadAlerts();
    const held = this.#alerts;
    for (const alert of firing) if (!held.has(alert.id)) await this.#alertFires(alert, held);
    if (!complete) return;
    const now = new Set(firing.map(({ id }) => id));
    for (const [id, { incident, name }] of held) {
      if (now.has(id)) continue;
      held.delete(id);
      await addEntry(incident, { type: "alert", data: { alert: id, name, state: "resolved" } });
      const row = await this.#row(incident);
      if (row.state === "closed") continue;
      this.#tell(row);
      await this.#calm(incident);
    }
  }

  async #alertFires(alert: FiringAlert, held: Map<string, HeldAlert>): Promise<void> {
    const { name, component } = alert;
    const at = new Date(alert.since);
    const place = await this.#placeOf(alert);
    if (place === null) return;
    const { id, event } =
      "id" in place
        ? { id: place.id, event: null }
        : await this.#open({ cause: place.cause, title: name, openedBy: "alert", at });
    held.set(alert.id, { incident: id, name });
    await addEntry(id, {
      type: "alert",
      at,
      data: { alert: alert.id, name, state: "firing", ...(component === null ? {} : { component }) },
    });
    await this.#changed(id, event, event !== null);
  }

  /** The incident that an alert belongs to, the cause of a new one, or null: then it is on no timeline. */
  async #placeOf({
    name,
    component,
    since,
    opens,
  }: FiringAlert): Promise<{ id: number } | { cause: string | null } | null> {
    const open = await this.current();
    const own = open.find(({ cause, components, openedBy, title }) =>
      component === null
        ? // Thirty machines with the same alert are one incident.
          cause === null && openedBy === "alert" && title === name
        : cause === component || components.some((one) => one.component === component),
    );
    if (own !== undefined) return { id: own.id };
    if (!opens) return null;
    const root = component === null ? null : (this.#health.get(component)?.cause ?? component);
    const fold =
      component === null || root === null ? null : this.#fold(component, root, new Date(since), open, true);
    // It says nothing of what is down: the incident's cause stays what it was.
    if (fold?.act === "join") return { id: fold.id };
    return (await this.#isAnnounced(component)) ? null : { cause: fold?.cause ?? null };
  }

  /** A new incident, or the last one of this cause (of this name, where none is known) when that was closed a moment ago. */
  async #open(made: {
    readonly cause: string | null;
    readonly title: string;
    readonly openedBy: "probe" | "alert";
    readonly at: Date;
  }): Promise<{ id: number; event: "opened" | "reopened" }> {
    const { cause, title, openedBy, at } = made;
    const last = await db().incident.findFirst({
      where: {
        // Another component of it that breaks may do so for another reason: a change that was made since.
        ...(cause === null ? { cause, title, openedBy } : { cause }),
        state: "closed",
        // What began before the end is not that again.
        closedAt: { gte: new Date(at.getTime() - this.#againMs), lte: at },
      },
      orderBy: { id: "desc" },
    });
    if (last !== null) {
      await db().incident.update({
        where: { id: last.id },
        // Who acknowledged the first time need not know of this one.
        data: {
          state: "open",
          closedAt: null,
          closedBy: null,
          acknowledgedAt: null,
          acknowledgedBy: null,
          title,
        },
      });
      // What got well while it was closed (by hand) was told to nobody.
      for (const { component } of await db().incidentComponent.findMany({
        where: { incidentId: last.id, until: null },
      }))
        if (!this.#isIll(component))
          await db().incidentComponent.update({
            where: { incidentId_component: { incidentId: last.id, component } },
            data: { until: at },
          });
      await addEntry(last.id, { type: "reopened", at });
      this.#againAt.set(last.id, at.getTime());
      return { id: last.id, event: "reopened" };
    }
    const { id } = await db().incident.create({
      data: { title, state: "open", severity: "critical", cause, openedBy, openedAt: at },
    });
    await addEntry(id, { type: "opened", at, ...(cause === null ? {} : { data: { component: cause } }) });
    return { id, event: "opened" };
  }

  /** It is called by what is down: `deeper` where that was found only now, or its own cause, which an alert told of before. */
  async #nameCause(id: number, root: string, deeper: string | null): Promise<void> {
    const row = await this.#row(id);
    if (deeper !== null) {
      await db().incident.update({ where: { id }, data: { cause: deeper, title: nameOf(deeper) } });
      await addEntry(id, { type: "cause", data: { component: deeper } });
    } else if (row.cause === root && !isNamedByCause(row))
      await db().incident.update({ where: { id }, data: { title: nameOf(root) } });
  }

  async #join(
    id: number,
    component: string,
    { at, type, beside }: { readonly at: Date; readonly type: "down" | "degraded"; readonly beside: boolean },
  ): Promise<void> {
    const where = { incidentId_component: { incidentId: id, component } };
    const known = await db().incidentComponent.findUnique({ where });
    if (known !== null && known.until === null && (beside || !known.beside)) return;
    await db().incidentComponent.upsert({
      where,
      create: { incidentId: id, component, since: at, beside },
      // Once it was known to fail for the cause, it does.
      update: { until: null, beside: beside && (known?.beside ?? true) },
    });
    // It stood beside the cause until now.
    if (known !== null && known.until === null) return;
    await addEntry(id, { type, at, data: { component } });
    const { openedAt } = await db().incident.findUniqueOrThrow({ where: { id }, select: { openedAt: true } });
    // Seen later, and ill before: but what was ill for hours says nothing of when this began.
    if (at >= openedAt || openedAt.getTime() - at.getTime() > graduallyMs) return;
    await db().incident.update({ where: { id }, data: { openedAt: at } });
    await db().incidentEntry.updateMany({ where: { incidentId: id, type: "opened" }, data: { at } });
  }

  async #well(component: string, at: Date, before: HealthState): Promise<void> {
    if (before !== "up") await this.#end(component, at, "well");
  }

  /** It fails no more in any incident that is not closed. */
  async #end(component: string, at: Date, type: "well" | "gone"): Promise<void> {
    // What was closed while it failed is over as well, and nobody needs to hear of it.
    await db().incidentComponent.updateMany({
      where: { component, until: null, incident: { state: "closed" } },
      data: { until: at },
    });
    const rows = await db().incidentComponent.findMany({ where: { component, until: null } });
    for (const { incidentId } of rows) await this.#endIn(incidentId, component, at, type);
  }

  async #endIn(id: number, component: string, at: Date, type: "well" | "gone" | "moved"): Promise<void> {
    await db().incidentComponent.update({
      where: { incidentId_component: { incidentId: id, component } },
      data: { until: at },
    });
    await addEntry(id, { type, at, data: { component } });
    this.#tell(await this.#row(id));
    await this.#calm(id);
  }

  /** Closes it after a while in which all stayed well. One that was opened by hand is closed by hand. */
  async #calm(id: number): Promise<void> {
    clearTimeout(this.#calming.get(id));
    this.#calming.delete(id);
    const row = await this.#row(id);
    if ((row.cause === null && row.openedBy !== "alert") || this.#fails(row)) return;
    const timer = setTimeout(() => {
      this.#calming.delete(id);
      this.#queue(() => this.#close(id));
    }, this.#calmMs).unref();
    this.#calming.set(id, timer);
  }

  /** A component of it is not well, or an alert on its timeline fires. */
  #fails({ id, components }: IncidentRow): boolean {
    return (
      components.some(({ until }) => until === null) ||
      [...this.heldAlerts().values()].some(({ incident }) => incident === id)
    );
  }

  async #close(id: number): Promise<void> {
    const row = await this.#row(id);
    if (row.state === "closed" || this.#fails(row)) return;
    // What fails unheard (during announced work) is not well: it is looked at again.
    if (await this.#failsUnheard(row)) return this.#calm(id);
    const lastAlert = await db().incidentEntry.findFirst({
      where: { incidentId: id, type: "alert" },
      orderBy: { id: "desc" },
    });
    const ends = row.components.map(({ until }) => Date.parse(until ?? row.openedAt));
    const at = new Date(Math.max(lastAlert?.at.getTime() ?? 0, ...ends));
    const closedBy = row.components.length === 0 ? "alert" : (await this.#isMended(row)) ? "probe" : "sluice";
    await db().incident.update({ where: { id }, data: { state: "closed", closedAt: at, closedBy } });
    await addEntry(id, { type: "closed", at });
    const closed = await this.#row(id);
    this.#tell(closed);
    this.#emit({ event: "closed", incident: closed });
  }

  /** Whether something of it is ill that stands in no other incident. */
  async #failsUnheard(row: IncidentRow): Promise<boolean> {
    const others = (await this.current()).filter(({ id }) => id !== row.id);
    const elsewhere = (key: string) =>
      others.some(({ components }) => components.some((one) => one.component === key && one.until === null));
    return row.components.some(({ component }) => this.#isIll(component) && !elsewhere(component));
  }

  /** Whether its cause was seen well in the end, and not only looked at no more. */
  async #isMended({ id, cause }: IncidentRow): Promise<boolean> {
    const entries = await db().incidentEntry.findMany({
      where: { incidentId: id, type: { in: ["well", "gone", "moved"] } },
      orderBy: { id: "desc" },
    });
    const last = entries.map(toEntry).find(({ data }) => cause === null || data.component === cause);
    return last === undefined || last.type === "well";
  }

  /** Null: only what is announced for everything. */
  async #isAnnounced(key: string | null): Promise<boolean> {
    const now = new Date();
    const rows = await db().maintenance.findMany({
      where: { startsAt: { lte: now }, endsAt: { gte: now }, endedAt: null },
    });
    return rows
      .map(toMaintenance)
      .some(
        ({ components }) =>
          components.length === 0 ||
          (key !== null && components.some((one) => one === key || this.#health.isBelow(key, one))),
      );
  }

  async #row(id: number): Promise<IncidentRow> {
    const one: StoredIncident = await db().incident.findUniqueOrThrow({ where: { id }, ...withComponents });
    return toRow(one);
  }

  #tell(row: IncidentRow): void {
    for (const tell of this.#onUpdate) tell(row);
  }

  #emit(event: IncidentEvent): void {
    for (const tell of this.#onEvent) tell(event);
  }
}
