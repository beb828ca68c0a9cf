// What differs between two snapshots, as a tree: counted once into a table of the reader's own, then read by pages.
import type { Database } from "better-sqlite3";
import { startPace } from "./pace";
import { type Held, nextCursor, readCursor, toVersion } from "./read";
import { rootId } from "./schema";
import type { DifferenceEntry, DifferencePage, DifferenceSums, Version } from "./shapes";

const idsPerStep = 10_000;

const alive = (version: string, side: string) =>
  `${version}.line = $${side}Line AND ${version}.since <= $${side} AND (${version}.until IS NULL OR ${version}.until > $${side})`;

type Row = { [Key in keyof DifferenceSums]: number } & {
  leaf: number;
  name: string;
} & { [Key in `${"before" | "after"}${"Type" | "Size" | "Mtime" | "Mode"}`]: number | null };
type Sides = {
  readonly before: number;
  readonly beforeLine: number;
  readonly after: number;
  readonly afterLine: number;
};

/** A counted difference; its table is dropped by `forget`. */
export type Tree = {
  /** The sums and a page of the children of the folder with that id. */
  readonly page: (folder: number, after: string | undefined, limit: number) => DifferencePage;
  readonly forget: () => void;
};

/** Counts the difference into a temporary table named by `number`: costs one pass over the index, in short steps. */
export async function countDifference(
  db: Database,
  number: number,
  before: Held,
  after: Held,
  signal: AbortSignal,
): Promise<Tree> {
  const table = `temp.difference${number}`;
  const sides: Sides = {
    before: before.ordinal,
    beforeLine: before.line,
    after: after.ordinal,
    afterLine: after.line,
  };
  db.exec(`CREATE TABLE ${table} (
    dir INTEGER NOT NULL, leaf INTEGER NOT NULL, name TEXT NOT NULL,
    beforeType INTEGER, beforeSize INTEGER, beforeMtime INTEGER, beforeMode INTEGER,
    afterType INTEGER, afterSize INTEGER, afterMtime INTEGER, afterMode INTEGER,
    added INTEGER, addedBytes INTEGER, removed INTEGER, removedBytes INTEGER,
    changed INTEGER, changedFrom INTEGER, changedTo INTEGER,
    PRIMARY KEY (dir, leaf, name)
  ) WITHOUT ROWID`);
  const forget = () => {
    if (db.open) db.exec(`DROP TABLE ${table}`);
  };
  try {
    await fill(db, table, sides, signal);
  } catch (error) {
    forget();
    throw error;
  }

  const sumsOf = db.prepare<[number], DifferenceSums>(
    `SELECT d.added, d.addedBytes, d.removed, d.removedBytes, d.changed, d.changedFrom, d.changedTo
     FROM node n JOIN ${table} d ON d.dir = n.dir AND d.leaf = n.leaf AND d.name = n.name WHERE n.id = ?`,
  );
  const children = db.prepare<[number, number, string, number], Row>(
    `SELECT * FROM ${table} WHERE dir = ? AND (leaf, name) > (?, ?) ORDER BY leaf, name LIMIT ?`,
  );
  return {
    forget,
    page(folder, after, limit) {
      const rows = children.all(folder, ...readCursor(after), limit + 1);
      return {
        sums: sumsOf.get(folder) ?? none,
        entries: rows.slice(0, limit).map(toEntry),
        next: nextCursor(rows, limit),
      };
    },
  };
}

const none: DifferenceSums = {
  added: 0,
  addedBytes: 0,
  removed: 0,
  removedBytes: 0,
  changed: 0,
  changedFrom: 0,
  changedTo: 0,
};
const sumNames = Object.keys(none);

async function fill(db: Database, table: string, sides: Sides, signal: AbortSignal): Promise<void> {
  const pace = startPace(signal);
  const last = db.prepare<[], number>("SELECT max(id) FROM node").pluck().get() ?? 0;
  const differing = db.prepare<[Sides & { from: number; to: number }]>(`
    INSERT INTO ${table}
    SELECT n.dir, n.leaf, n.name, v.type, v.size, v.mtime, v.mode, w.type, w.size, w.mtime, w.mode, 0, 0,
      n.leaf AND w.node IS NULL, iif(n.leaf AND w.node IS NULL, v.size, 0),
      n.leaf AND w.node IS NOT NULL, iif(n.leaf AND w.node IS NOT NULL, v.size, 0),
      iif(n.leaf AND w.node IS NOT NULL, w.size, 0)
    FROM version v CROSS JOIN node n ON n.id = v.node LEFT JOIN version w ON w.node = v.node AND ${alive("w", "after")}
    WHERE v.node > $from AND v.node <= $to AND ${alive("v", "before")} AND NOT (${alive("v", "after")})
      AND (w.node IS NULL OR v.mode <> w.mode
        OR n.leaf AND (v.type <> w.type OR v.size <> w.size OR v.mtime <> w.mtime))`);
  const added = db.prepare<[Sides & { from: number; to: number }]>(`
    INSERT INTO ${table}
    SELECT n.dir, n.leaf, n.name, NULL, NULL, NULL, NULL, w.type, w.size, w.mtime, w.mode,
      n.leaf, iif(n.leaf, w.size, 0), 0, 0, 0, 0, 0
    FROM version w CROSS JOIN node n ON n.id = w.node
    WHERE w.node > $from AND w.node <= $to AND ${alive("w", "after")} AND NOT (${alive("w", "before")})
      AND NOT EXISTS (SELECT 1 FROM version v WHERE v.node = w.node AND ${alive("v", "before")})`);
  for (let from = 0; from < last; from += idsPerStep) {
    const range = { ...sides, from, to: from + idsPerStep };
    differing.run(range);
    await pace.rest();
    added.run(range);
    await pace.rest();
  }

  const sums = new Map<number, number[]>();
  const directly = db
    .prepare<[number, number], number[]>(
      `SELECT dir, ${sumNames.map((name) => `sum(${name})`).join()} FROM ${table}
       WHERE dir > ? AND dir <= ? GROUP BY dir`,
    )
    .raw();
  for (let from = 0; from < last; from += idsPerStep) {
    for (const [dir = 0, ...values] of directly.all(from, from + idsPerStep)) sums.set(dir, values);
    await pace.rest();
  }

  const parentOf = db.prepare<[number], number>("SELECT dir FROM node WHERE id = ?").pluck();
  const parents = new Map<number, number>();
  for (const dir of [...sums.keys()]) {
    for (let at = dir; at !== rootId && !parents.has(at); at = parents.get(at) ?? rootId) {
      parents.set(at, parentOf.get(at) ?? rootId);
    }
    await pace.rest();
  }
  const write = db.prepare<[Record<string, number>]>(`
    INSERT INTO ${table}
    SELECT n.dir, n.leaf, n.name, v.type, v.size, v.mtime, v.mode, w.type, w.size, w.mtime, w.mode,
      ${sumNames.map((name) => `$${name}`).join()}
    FROM node n LEFT JOIN version v ON v.node = n.id AND ${alive("v", "before")}
      LEFT JOIN version w ON w.node = n.id AND ${alive("w", "after")}
    WHERE n.id = $id
    ON CONFLICT DO UPDATE SET ${sumNames.map((name) => `${name} = excluded.${name}`).join()}`);
  // From the greatest id on: a folder's own sums are whole before they are added to its parent's.
  for (const dir of [...new Set([rootId, ...parents.keys()])].sort((one, other) => other - one)) {
    const values = sums.get(dir) ?? sumNames.map(() => 0);
    write.run({
      ...sides,
      id: dir,
      ...Object.fromEntries(sumNames.map((name, at) => [name, values[at] ?? 0])),
    });
    if (dir !== rootId) {
      const parent = parents.get(dir) ?? rootId;
      const above = sums.get(parent);
      sums.set(parent, above === undefined ? values : above.map((value, at) => value + (values[at] ?? 0)));
    }
    await pace.rest();
  }
}

function toEntry(row: Row): DifferenceEntry {
  const { leaf, name, added, addedBytes, removed, removedBytes, changed, changedFrom, changedTo } = row;
  return {
    name,
    folder: leaf === 0,
    before: version(row.beforeType, row.beforeSize, row.beforeMtime, row.beforeMode),
    after: version(row.afterType, row.afterSize, row.afterMtime, row.afterMode),
    sums: { added, addedBytes, removed, removedBytes, changed, changedFrom, changedTo },
  };
}

function version(
  type: number | null,
  size: number | null,
  mtime: number | null,
  mode: number | null,
): Version | null {
  if (type === null || size === null || mtime === null || mode === null) return null;
  return toVersion({ type, size, mtime, mode });
}
