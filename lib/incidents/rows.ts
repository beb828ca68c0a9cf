// An incident as the database keeps it, and as everybody else sees it.
import * as z from "zod";
import type {
  Incident,
  IncidentComponent,
  Maintenance,
  IncidentEntry as StoredEntry,
} from "@/generated/prisma/client";
import { db } from "../db/client";
import {
  entryTypes,
  type IncidentEntry,
  type IncidentRow,
  incidentSeverities,
  incidentStates,
  incidentTicket,
  type MaintenanceRow,
} from "./contract";

/** An incident without its evidence, which may be large. */
export type StoredIncident = Omit<Incident, "evidence"> & { components: IncidentComponent[] };
export const withComponents = { include: { components: true }, omit: { evidence: true } } as const;

const iso = (at: Date | null): string | null => at?.toISOString() ?? null;
const data = z.record(z.string(), z.union([z.string(), z.number()])).catch({});

const tickets = z.array(incidentTicket).catch([]);

export const toRow = (one: StoredIncident): IncidentRow => ({
  id: one.id,
  title: one.title,
  state: z.enum(incidentStates).catch("closed").parse(one.state),
  severity: z.enum(incidentSeverities).catch("critical").parse(one.severity),
  cause: one.cause,
  openedBy: one.openedBy,
  openedAt: one.openedAt.toISOString(),
  acknowledgedBy: one.acknowledgedBy,
  acknowledgedAt: iso(one.acknowledgedAt),
  assignee: one.assignee,
  closedBy: one.closedBy,
  closedAt: iso(one.closedAt),
  components: one.components
    .map(({ component, since, until, beside }) => ({
      component,
      since: since.toISOString(),
      until: iso(until),
      beside,
    }))
    .sort((a, b) => a.since.localeCompare(b.since)),
  tickets: one.ticket === null ? [] : tickets.parse(JSON.parse(one.ticket)),
});

export const toEntry = (one: StoredEntry): IncidentEntry => ({
  id: one.id,
  at: one.at.toISOString(),
  type: z.enum(entryTypes).catch("note").parse(one.type),
  actor: one.actor,
  text: one.text,
  data: data.parse(one.data === null ? {} : JSON.parse(one.data)),
});

export const toMaintenance = (one: Maintenance): MaintenanceRow => ({
  id: one.id,
  title: one.title,
  components: z.array(z.string()).catch([]).parse(JSON.parse(one.components)),
  startsAt: one.startsAt.toISOString(),
  endsAt: one.endsAt.toISOString(),
  endedAt: iso(one.endedAt),
  createdBy: one.createdBy,
});

export type NewEntry = {
  readonly type: IncidentEntry["type"];
  readonly at?: Date;
  readonly actor?: string | null;
  readonly text?: string | null;
  readonly data?: IncidentEntry["data"];
};

/** Adds to an incident's timeline. */
export async function addEntry(incidentId: number, entry: NewEntry): Promise<void> {
  await db().incidentEntry.create({
    data: {
      incidentId,
      at: entry.at ?? new Date(),
      type: entry.type,
      actor: entry.actor ?? null,
      text: entry.text ?? null,
      data: entry.data === undefined ? null : JSON.stringify(entry.data),
    },
  });
}
