// The changes in a range as marks on its charts: each by itself, but purges, of which there are many, by the piece of the range.
import type { Actor } from "../changes/kind";
import { db } from "../db/client";
import { type Places, placesOf, touches } from "../incidents/containers";
import type { Mark } from "./contract";

const mostChanges = 60;
const mostPurges = 2000;
/** Purges within one such part of the range are one mark. */
const parts = 30;

type Row = {
  readonly id: number;
  readonly kind: string;
  readonly title: string;
  readonly state: string;
  readonly createdAt: Date;
  readonly targets: readonly { readonly target: string }[];
};

const isPurge = ({ kind }: Row): boolean => kind.startsWith("purge");

/** Rows of the history, any order, as marks, oldest first. `from` and `to` are in ms since the epoch. */
export function marksOf(
  rows: readonly Row[],
  { places, from, to }: { readonly places: Places; readonly from: number; readonly to: number },
): Mark[] {
  const partMs = Math.max(1, (to - from) / parts);
  const purges = new Map<number, Mark>();
  const marks: Mark[] = [];
  for (const row of rows.toSorted((a, b) => a.id - b.id)) {
    const mark: Mark = {
      id: row.id,
      kind: row.kind,
      title: row.title,
      at: row.createdAt.toISOString(),
      count: 1,
      own: touches(
        row.targets.map(({ target }) => target),
        places,
      ),
      failed: row.state === "failed",
    };
    if (!isPurge(row)) {
      marks.push(mark);
      continue;
    }
    const part = Math.floor((row.createdAt.getTime() - from) / partMs);
    const before = purges.get(part);
    purges.set(part, {
      ...mark,
      count: (before?.count ?? 0) + 1,
      failed: mark.failed || (before?.failed ?? false),
    });
  }
  return [...marks, ...purges.values()].sort((a, b) => a.at.localeCompare(b.at));
}

/** The changes that an actor may see, as in history; of very many the newest. */
export async function marksIn(
  { key, from, to }: { readonly key: string; readonly from: number; readonly to: number },
  { sites }: Pick<Actor, "sites">,
): Promise<Mark[]> {
  const find = (purges: boolean, take: number) =>
    db().change.findMany({
      where: {
        createdAt: { gte: new Date(from), lte: new Date(to) },
        ...(purges ? { kind: { startsWith: "purge" } } : { NOT: { kind: { startsWith: "purge" } } }),
        ...(sites === null ? {} : { site: { in: [...sites] } }),
      },
      orderBy: { id: "desc" },
      take,
      select: {
        id: true,
        kind: true,
        title: true,
        state: true,
        createdAt: true,
        // What a purge empties is a page, not a component.
        targets: purges ? { select: { target: true }, take: 0 } : { select: { target: true } },
      },
    });
  const [others, purges] = await Promise.all([find(false, mostChanges), find(true, mostPurges)]);
  return marksOf([...others, ...purges], { places: placesOf([key]), from, to });
}
