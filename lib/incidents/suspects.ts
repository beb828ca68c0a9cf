// Which changes before the onset may be why: what was done to the thing itself first, then what was done last.

import type { ChangeRow } from "../changes/contract";
import { engine } from "../changes/engine";
import type { Actor } from "../changes/kind";
import { rowColumns, toRow } from "../changes/rows";
import { db } from "../db/client";
import { health } from "../health/service";
import { placesOf, touches } from "./containers";
import type { IncidentDetail, IncidentRow, Suspect } from "./contract";

const beforeMs = 60 * 60_000;
const deathsBeforeMs = 15 * 60_000;
const maxSuspects = 5;
const maxDeaths = 50;
const maxChanges = 50;

/** As in history: who has sites of their own sees the changes of these. */
const ofSites = ({ sites }: Actor) => (sites === null ? {} : { site: { in: [...sites] } });

/** How likely a change is the reason, from what it was done to, how it ended, and how long before. */
export function weightOf(
  change: Pick<ChangeRow, "state" | "outcome">,
  where: "own" | "near" | null,
  minutesBefore: number,
): number {
  const failed = change.state === "failed" || change.outcome === "rolledBack";
  return (
    (where === "own" ? 60 : where === "near" ? 40 : 0) + (failed ? 10 : 0) + Math.max(0, 60 - minutesBefore)
  );
}

/** The changes in the hour before an incident, most likely first. Purges are many, and break nothing. */
export async function suspectsOf(
  incident: Pick<IncidentRow, "openedAt" | "cause" | "components">,
  actor: Actor,
): Promise<Suspect[]> {
  const openedAt = Date.parse(incident.openedAt);
  const rows = await db().change.findMany({
    where: {
      createdAt: { gte: new Date(openedAt - beforeMs), lte: new Date(openedAt) },
      NOT: { kind: { startsWith: "purge" } },
      ...ofSites(actor),
    },
    orderBy: { id: "desc" },
    take: maxChanges,
    select: { ...rowColumns, targets: { select: { target: true } } },
  });
  const keys = [incident.cause, ...incident.components.map(({ component }) => component)].filter(
    (one) => one !== null,
  );
  const own = placesOf(keys);
  const near = placesOf(keys.flatMap((key) => health().get(key)?.dependsOn ?? []));
  const weighed = rows
    .map(({ targets, ...stored }) => {
      const change = toRow(stored);
      const minutesBefore = (openedAt - stored.createdAt.getTime()) / 60_000;
      const done = targets.map(({ target }) => target);
      const where = touches(done, own) ? "own" : touches(done, near) ? "near" : null;
      return { change, minutesBefore, where, weight: weightOf(change, where, minutesBefore) } as const;
    })
    .sort((a, b) => b.weight - a.weight)
    .slice(0, maxSuspects);
  return Promise.all(
    weighed.map(async ({ change, minutesBefore, where }) => ({
      change,
      minutesBefore,
      where,
      undo: (await engine().can(change.id, actor)).undo,
    })),
  );
}

/** Containers that died while it lasted, or shortly before. */
export async function deathsDuring(incident: IncidentRow): Promise<IncidentDetail["deaths"]> {
  const rows = await db().containerDeath.findMany({
    where: {
      at: {
        gte: new Date(Date.parse(incident.openedAt) - deathsBeforeMs),
        ...(incident.closedAt === null ? {} : { lte: new Date(incident.closedAt) }),
      },
    },
    orderBy: { at: "desc" },
    take: maxDeaths,
    omit: { lines: true, image: true },
  });
  return rows.map((row) => ({ ...row, at: row.at.toISOString() }));
}

/** What else was done between an incident's beginning and its end. */
export async function changesDuring(incident: IncidentRow, actor: Actor): Promise<ChangeRow[]> {
  const rows = await db().change.findMany({
    where: {
      createdAt: {
        gt: new Date(incident.openedAt),
        ...(incident.closedAt === null ? {} : { lte: new Date(incident.closedAt) }),
      },
      ...ofSites(actor),
    },
    orderBy: { id: "desc" },
    take: maxChanges,
    select: rowColumns,
  });
  return rows.map(toRow);
}
