// History: list, detail, export, retention. Every question is answered from an index, by cursor, newest first.

import * as z from "zod";
import { Prisma } from "@/generated/prisma/client";
import { db } from "../db/client";
import { AppError } from "../errors/app-error";
import type { ChangeDetail, ChangeFilter, ChangeRow } from "./contract";
import { engine } from "./engine";
import type { Actor } from "./kind";
import { activeStates, rowColumns, toRow } from "./rows";

const maxLimit = 200;
const exportPage = 500;
const prunePage = 500;
/** FTS5's trigrams find nothing shorter. */
const shortestIndexedSearch = 3;
const logParams = z.record(z.string(), z.union([z.string(), z.number()]));

export type ChangePage = {
  readonly rows: ChangeRow[];
  /** Give it as `cursor` for the next page; null at the end. */
  readonly next: number | null;
};

/**
 * One page of history. `cursor` is the `next` of the page before (null: the newest), `limit` at most 200.
 * `sites` limits to changes of these sites (null: all).
 */
export async function listChanges(
  filter: ChangeFilter,
  cursor: number | null,
  limit: number,
  sites: readonly string[] | null = null,
): Promise<ChangePage> {
  const size = Math.min(Math.max(1, limit), maxLimit);
  const ids = await matchingIds(filter, cursor, size + 1, sites);
  const page = ids.slice(0, size);
  const stored = await db().change.findMany({
    where: { id: { in: page } },
    select: rowColumns,
    orderBy: { id: "desc" },
  });
  return { rows: stored.map(toRow), next: ids.length > size ? (page.at(-1) ?? null) : null };
}

/**
 * A change with its plan, evidence and log, and what `actor` may do with it. To an actor whom its kind does not show them, they are
 * left out. Throws NOT_FOUND.
 */
export async function changeDetail(id: number, actor: Actor | null = null): Promise<ChangeDetail> {
  const stored = await db().change.findUnique({
    where: { id },
    include: { targets: { orderBy: { target: "asc" } }, log: { orderBy: { id: "asc" } } },
  });
  if (stored === null) {
    throw new AppError("NOT_FOUND", `There is no change ${id}.`, {
      problem: "change.notFound",
      params: { id },
    });
  }
  const shown = actor === null || engine().shows(stored.kind, actor);
  const json = (text: string | null) => (text === null || !shown ? null : z.json().parse(JSON.parse(text)));
  return {
    ...toRow(stored),
    targets: stored.targets.map(({ target }) => target),
    shown,
    input: json(stored.input),
    plan: json(stored.plan),
    evidence: json(stored.evidence),
    log: (shown ? stored.log : []).map(({ at, level, message, params }) => ({
      at: at.toISOString(),
      level: z.enum(["info", "warn", "error"]).parse(level),
      message,
      params: params === null ? {} : logParams.parse(JSON.parse(params)),
    })),
    can: await engine().can(id, actor),
  };
}

/** Every change that matches, newest first, read page by page. */
export async function* exportChanges(
  filter: ChangeFilter,
  sites: readonly string[] | null = null,
): AsyncGenerator<ChangeRow, void> {
  let cursor: number | null = null;
  do {
    const ids: number[] = await matchingIds(filter, cursor, exportPage, sites);
    const stored = await db().change.findMany({
      where: { id: { in: ids } },
      select: rowColumns,
      orderBy: { id: "desc" },
    });
    for (const row of stored) yield toRow(row);
    cursor = ids.length === exportPage ? (ids.at(-1) ?? null) : null;
  } while (cursor !== null);
}

/** Takes away changes that ended before `olderThan` and owe nothing to a node; returns how many. */
export async function pruneChanges(olderThan: Date): Promise<number> {
  let pruned = 0;
  for (;;) {
    // In pages, so that nobody waits long for the database.
    const old = await db().change.findMany({
      where: { createdAt: { lt: olderThan }, state: { notIn: [...activeStates] }, owed: { none: {} } },
      orderBy: { createdAt: "asc" },
      take: prunePage,
      select: { id: true },
    });
    if (old.length === 0) return pruned;
    const { count } = await db().change.deleteMany({ where: { id: { in: old.map(({ id }) => id) } } });
    pruned += count;
  }
}

async function matchingIds(
  filter: ChangeFilter,
  cursor: number | null,
  limit: number,
  sites: readonly string[] | null,
): Promise<number[]> {
  const rows = await db().$queryRaw<{ id: number }[]>(matchingQuery(filter, cursor, limit, sites));
  return rows.map(({ id }) => id);
}

/**
 * The ids of a page. Raw, because Prisma knows no FTS5 and would sort by id only after reading every match. The order
 * by id comes with each index (SQLite appends the row's id), so a page reads about as many entries as it shows.
 */
export function matchingQuery(
  filter: ChangeFilter,
  cursor: number | null,
  limit: number,
  sites: readonly string[] | null,
): Prisma.Sql {
  const where: Prisma.Sql[] = [];
  if (cursor !== null) where.push(Prisma.sql`c."id" < ${cursor}`);
  if (filter.kind !== undefined) where.push(Prisma.sql`c."kind" = ${filter.kind}`);
  if (filter.actor !== undefined) where.push(Prisma.sql`c."actorName" = ${filter.actor}`);
  if (filter.site !== undefined) where.push(Prisma.sql`c."site" = ${filter.site}`);
  if (filter.state !== undefined) where.push(Prisma.sql`c."state" = ${filter.state}`);
  if (filter.outcome !== undefined) where.push(Prisma.sql`c."outcome" = ${filter.outcome}`);
  if (sites !== null) {
    where.push(sites.length === 0 ? Prisma.sql`0` : Prisma.sql`c."site" IN (${Prisma.join([...sites])})`);
  }
  // Ids grow with time: the bounds in time become bounds of the id, which is the order asked for.
  if (filter.from !== undefined) {
    where.push(
      Prisma.sql`c."id" >= (SELECT coalesce(min(f."id"), 9e15) FROM (SELECT "id" FROM "Change" WHERE "createdAt" >= ${new Date(filter.from)} ORDER BY "createdAt" LIMIT 1) f)`,
    );
  }
  if (filter.to !== undefined) {
    where.push(
      Prisma.sql`c."id" <= (SELECT coalesce(max(t."id"), -1) FROM (SELECT "id" FROM "Change" WHERE "createdAt" <= ${new Date(filter.to)} ORDER BY "createdAt" DESC LIMIT 1) t)`,
    );
  }
  if (filter.target !== undefined) {
    where.push(
      Prisma.sql`c."id" IN (SELECT "changeId" FROM "ChangeTarget" WHERE "target" = ${filter.target})`,
    );
  }
  const search = filter.search?.trim().toLowerCase() ?? "";
  const words = search.split(/\s+/).filter((word) => word !== "");
  const indexed = words.filter((word) => [...word].length >= shortestIndexedSearch);
  for (const word of words) {
    // Shorter than the index's trigrams: read, from the newest on.
    if (!indexed.includes(word)) where.push(Prisma.sql`instr(c."search", ${word}) > 0`);
  }
  const condition = where.length === 0 ? Prisma.empty : Prisma.sql`WHERE ${Prisma.join(where, " AND ")}`;
  if (indexed.length === 0) {
    return Prisma.sql`SELECT c."id" AS "id" FROM "Change" c ${condition} ORDER BY c."id" DESC LIMIT ${limit}`;
  }
  // Each word as a string of FTS5: nothing in it is an operator. FTS5 hands its rows out by id, newest first.
  const match = indexed.map((word) => `"${word.replaceAll('"', '""')}"`).join(" AND ");
  const newestFirst = cursor === null ? Prisma.empty : Prisma.sql`AND s.rowid < ${cursor}`;
  return Prisma.sql`SELECT c."id" AS "id" FROM (SELECT s.rowid AS "id" FROM "ChangeSearch" s WHERE "ChangeSearch" MATCH ${match} ${newestFirst} ORDER BY s.rowid DESC) m CROSS JOIN "Change" c ON c."id" = m."id" ${condition} ORDER BY m."id" DESC LIMIT ${limit}`;
}
