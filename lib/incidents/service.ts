// The process's incidents: fed by health, told to every viewer; what people do with one.

import type * as z from "zod";
import type { Actor } from "../changes/kind";
import { db } from "../db/client";
import { AppError } from "../errors/app-error";
import type { HealthKeeper } from "../health/keeper";
import { health } from "../health/service";
import { liveHub, publish } from "../live/hub";
import { singleton } from "../runtime/singleton";
import type { IncidentDetail, IncidentRow, MaintenanceRow, newIncident, newMaintenance } from "./contract";
import { EvidenceKeeper, readEvidence } from "./evidence";
import { IncidentKeeper } from "./keeper";
import { addEntry, toEntry, toMaintenance, toRow, withComponents } from "./rows";
import { changesDuring, deathsDuring, suspectsOf } from "./suspects";

const page = 50;
/** How often it is looked whether announced work is over. */
const afterWorkMs = 5000;
/** How often incidents are compared with health: nothing that is down may be in none. */
const takeUpMs = 60_000;

export const incidents = (): IncidentKeeper => singleton("incidents", () => new IncidentKeeper(health()));

const notFound = (id: number) =>
  new AppError("NOT_FOUND", `There is no incident ${id}.`, { problem: "incident.notFound", params: { id } });

/** Throws AppError NOT_FOUND. */
export async function findIncident(id: number): Promise<IncidentRow> {
  const one = await db().incident.findUnique({ where: { id }, ...withComponents });
  if (one === null) throw notFound(id);
  return toRow(one);
}

/** The newest first; `before`: only older ones than this id. */
export async function listIncidents(before: number | null): Promise<IncidentRow[]> {
  const rows = await db().incident.findMany({
    ...(before === null ? {} : { where: { id: { lt: before } } }),
    ...withComponents,
    orderBy: { id: "desc" },
    take: page,
  });
  return rows.map(toRow);
}

/** An incident with its timeline, what may be why, and what was seen at the onset. Throws AppError NOT_FOUND. */
export async function incidentDetail(id: number, actor: Actor): Promise<IncidentDetail> {
  const row = await findIncident(id);
  const [stored, entries, suspects, changes, deaths] = await Promise.all([
    db().incident.findUnique({ where: { id }, select: { evidence: true } }),
    db().incidentEntry.findMany({ where: { incidentId: id }, orderBy: [{ at: "asc" }, { id: "asc" }] }),
    suspectsOf(row, actor),
    changesDuring(row, actor),
    deathsDuring(row),
  ]);
  return {
    ...row,
    entries: entries.map(toEntry),
    suspects,
    changes,
    deaths,
    evidence: readEvidence(stored?.evidence ?? null),
  };
}

/** Opens one by hand. */
export async function openIncident(input: z.infer<typeof newIncident>, actor: Actor): Promise<IncidentRow> {
  const { title, severity, note } = input;
  const made = await db().incident.create({
    data: { title, severity, state: "open", openedBy: actor.name, openedAt: new Date() },
  });
  await addEntry(made.id, { type: "opened", actor: actor.name, ...(note ? { text: note } : {}) });
  return incidents().change(made.id, async () => {}, "opened");
}

/** Refuses what makes no sense on an incident that has ended. */
async function requireOpen(id: number): Promise<IncidentRow> {
  const row = await findIncident(id);
  if (row.state !== "closed") return row;
  throw new AppError("CONFLICT", `Incident ${id} is closed.`, { problem: "incident.closed", params: { id } });
}

export async function acknowledge(id: number, actor: Actor): Promise<IncidentRow> {
  const row = await requireOpen(id);
  if (row.state === "acknowledged") return row;
  return incidents().change(
    id,
    async () => {
      await db().incident.update({
        where: { id },
        data: { state: "acknowledged", acknowledgedBy: actor.name, acknowledgedAt: new Date() },
      });
      await addEntry(id, { type: "acknowledged", actor: actor.name });
    },
    "acknowledged",
  );
}

export async function assign(id: number, assignee: string, actor: Actor): Promise<IncidentRow> {
  await requireOpen(id);
  return incidents().change(id, async () => {
    await db().incident.update({ where: { id }, data: { assignee } });
    await addEntry(id, { type: "assigned", actor: actor.name, data: { assignee } });
  });
}

/** A note; also after the end: a post-mortem is written later. */
export async function addNote(id: number, text: string, actor: Actor): Promise<IncidentRow> {
  await findIncident(id);
  return incidents().change(id, () => addEntry(id, { type: "note", actor: actor.name, text }));
}

export async function closeIncident(id: number, actor: Actor, note: string | null): Promise<IncidentRow> {
  await requireOpen(id);
  return incidents().change(
    id,
    async () => {
      await db().incident.update({
        where: { id },
        data: { state: "closed", closedAt: new Date(), closedBy: actor.name },
      });
      await addEntry(id, { type: "closed", actor: actor.name, text: note });
    },
    "closed",
  );
}

/** Announced work that is not over, the next one first. */
export async function maintenances(now = new Date()): Promise<MaintenanceRow[]> {
  const rows = await db().maintenance.findMany({
    where: { endsAt: { gte: now }, endedAt: null },
    orderBy: { startsAt: "asc" },
  });
  return rows.map(toMaintenance);
}

export async function announce(input: z.infer<typeof newMaintenance>, actor: Actor): Promise<MaintenanceRow> {
  const unknown = input.components.find((key) => health().get(key) === null);
  if (unknown !== undefined)
    throw new AppError("INVALID_INPUT", `There is no component ${unknown.slice(0, 100)}.`, {
      problem: "health.notFound",
      params: { key: unknown.slice(0, 100) },
      field: "components",
    });
  const made = await db().maintenance.create({
    data: {
      title: input.title,
      components: JSON.stringify(input.components),
      startsAt: new Date(input.startsAt ?? Date.now()),
      endsAt: new Date(input.endsAt),
      createdBy: actor.name,
    },
  });
  return toMaintenance(made);
}

/** Ends it now. Throws AppError NOT_FOUND. */
export async function endMaintenance(id: number): Promise<MaintenanceRow> {
  const one = await db().maintenance.findUnique({ where: { id } });
  if (one === null)
    throw new AppError("NOT_FOUND", `There is no maintenance ${id}.`, {
      problem: "incident.noMaintenance",
      params: { id },
    });
  if (one.endedAt !== null) return toMaintenance(one);
  const ended = await db().maintenance.update({ where: { id }, data: { endedAt: new Date() } });
  incidents().afterWork();
  return toMaintenance(ended);
}

/** Lets incidents hear of health. Returns the ways to stop. */
export const wire = (keeper: IncidentKeeper, from: HealthKeeper): (() => void)[] => [
  from.onChange(({ component, before }) => keeper.see(component, before)),
  from.onGone((key) => keeper.forget(key)),
  // What it fails for may be known a moment later than that it fails.
  from.onUpdate((component) => {
    if (component.state === "warn" || (component.state === "down" && component.cause !== null))
      keeper.see(component, component.state);
  }),
];

/** For lib/runtime/services.ts. */
export const incidentsService = {
  name: "incidents",
  async start(): Promise<() => Promise<void>> {
    const keeper = incidents();
    const evidence = new EvidenceKeeper();
    const stops = [
      keeper.onUpdate((row) => publish("incident", row)),
      ...wire(keeper, health()),
      keeper.onTurn((incident) =>
        evidence.take(incident, async (id) => {
          const row = await findIncident(id);
          return row.state === "closed" ? null : row;
        }),
      ),
    ];
    let takenUpAt = 0;
    const afterWork = setInterval(() => {
      // Health knows its components when the looks begin, which is after this.
      const components = Date.now() - takenUpAt < takeUpMs ? [] : health().all();
      if (components.length > 0) {
        takenUpAt = Date.now();
        keeper.takeUp(components);
      }
      keeper.afterWork();
    }, afterWorkMs);
    liveHub().forgetIncidents();
    await keeper.open();
    return async () => {
      clearInterval(afterWork);
      for (const stop of stops) stop();
      keeper.stop();
      await keeper.settled();
      await evidence.stop();
    };
  },
};
