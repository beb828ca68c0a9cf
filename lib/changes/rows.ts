// A change as the database keeps it, and as everybody else sees it.

import type { Change } from "@/generated/prisma/client";
import {
  actorType,
  type ChangeRow,
  changeError,
  changeLevel,
  changeOrigin,
  changeProgress,
  changeState,
} from "./contract";

/** The columns a row of history needs; the large ones (input, plan, evidence) stay in the database. */
export const rowColumns = {
  id: true,
  kind: true,
  title: true,
  state: true,
  outcome: true,
  level: true,
  site: true,
  actorType: true,
  actorName: true,
  origin: true,
  reason: true,
  progress: true,
  error: true,
  undoOf: true,
  undoneBy: true,
  createdAt: true,
  startedAt: true,
  finishedAt: true,
} as const satisfies Partial<Record<keyof Change, true>>;

/** A row of the database as the contract's. */
export function toRow(stored: Pick<Change, keyof typeof rowColumns>): ChangeRow {
  return {
    id: stored.id,
    kind: stored.kind,
    title: stored.title,
    state: changeState.parse(stored.state),
    outcome: stored.outcome,
    level: changeLevel.parse(stored.level),
    site: stored.site,
    actor: { type: actorType.parse(stored.actorType), name: stored.actorName },
    origin: changeOrigin.parse(stored.origin),
    reason: stored.reason,
    progress: stored.progress === null ? null : changeProgress.parse(JSON.parse(stored.progress)),
    error: stored.error === null ? null : changeError.parse(JSON.parse(stored.error)),
    undoOf: stored.undoOf,
    undoneBy: stored.undoneBy,
    createdAt: stored.createdAt.toISOString(),
    startedAt: stored.startedAt?.toISOString() ?? null,
    finishedAt: stored.finishedAt?.toISOString() ?? null,
  };
}

/** States in which a change is still at work. */
export const activeStates = ["planned", "running", "verifying"] as const;
