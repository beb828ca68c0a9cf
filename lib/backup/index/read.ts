// Reads an index: a folder of a snapshot, names over all snapshots, the history of one path.
import type { Database } from "better-sqlite3";
import { rootId } from "./schema";
import {
  type FolderPage,
  type HistoryVersion,
  nodeTypes,
  type Paging,
  type SearchHit,
  type SearchQuestion,
  type SearchResult,
  type SnapshotRef,
  type Version,
} from "./shapes";

const searchBudgetMs = 200;
/** Candidates looked at, or ids scanned, between two looks at the clock. */
const candidatesPerStep = 250;
const idsPerStep = 10_000;
/** More pieces of a long text make the question dearer, not sharper: every hit is compared with the whole text. */
const piecesAsked = 12;

export type VersionRow = { type: number; size: number; mtime: number; mode: number };
export type Held = { readonly ordinal: number; readonly line: number };
type NodeRow = { id: number; dir: number; leaf: number; name: string };
type SpanRow = VersionRow & { line: number; since: number; until: number | null };
type Snapshot = SnapshotRef & Held & { readonly timeMs: number };

export function createReader(db: Database) {
  const heldOf = db.prepare<[string], Held>("SELECT ordinal, line FROM snapshot WHERE id = ? AND ready = 1");
  const allIds = db
    .prepare<[], string>("SELECT id FROM snapshot WHERE ready = 1 ORDER BY time_ms, id")
    .pluck();
  const allSnapshots = db.prepare<[], Snapshot>(
    `SELECT id, time, host, ordinal, line, time_ms AS timeMs FROM snapshot WHERE ready = 1
     ORDER BY time_ms, id`,
  );
  const childOf = db
    .prepare<[number, number, string], number>("SELECT id FROM node WHERE dir = ? AND leaf = ? AND name = ?")
    .pluck();
  const children = db.prepare<[number, number, number, number, number, string, number], VersionRow & NodeRow>(
    `SELECT n.name, n.leaf, v.type, v.size, v.mtime, v.mode FROM node n CROSS JOIN version v
     ON v.node = n.id AND v.line = ? AND v.since <= ? AND (v.until IS NULL OR v.until > ?)
     WHERE n.dir = ? AND (n.leaf, n.name) > (?, ?) ORDER BY n.leaf, n.name LIMIT ?`,
  );
  const versionAt = db.prepare<[number, number, number, number], VersionRow>(
    `SELECT type, size, mtime, mode FROM version
     WHERE node = ? AND line = ? AND since <= ? AND (until IS NULL OR until > ?)`,
  );
  const spans = db.prepare<[number], SpanRow>(
    "SELECT line, since, until, type, size, mtime, mode FROM version WHERE node = ?",
  );
  const nodeOf = db.prepare<[number], NodeRow>("SELECT id, dir, leaf, name FROM node WHERE id = ?");
  const lastNode = db.prepare<[], number>("SELECT max(id) FROM node").pluck();
  const withPieces = db.prepare<[string, number, number], NodeRow>(
    `SELECT n.id, n.dir, n.leaf, n.name FROM
     (SELECT rowid AS id FROM trigram WHERE trigram MATCH ? AND rowid > ? ORDER BY rowid LIMIT ?) t
     CROSS JOIN node n ON n.id = t.id ORDER BY n.id`,
  );
  const withText = db.prepare<[number, number, string], NodeRow>(
    "SELECT id, dir, leaf, name FROM node WHERE id > ? AND id <= ? AND name LIKE ?",
  );
  const nodesOf = db.prepare<[number, number, string, number], NodeRow>(
    `SELECT id, dir, leaf, name FROM node WHERE dir = ? AND (leaf, name) > (?, ?) ORDER BY leaf, name LIMIT ?`,
  );
  const nodesIn = db.prepare<[number, number], NodeRow>(
    "SELECT id, dir, leaf, name FROM node WHERE id > ? AND id <= ?",
  );

  /** Where that snapshot stands; undefined when the index does not have it. */
  const held = (snapshotId: string): Held | undefined => heldOf.get(snapshotId);

  /** The ids of all snapshots, oldest first. */
  const ids = (): string[] => allIds.all();

  /** The id of the folder of that path, in whatever snapshot; undefined when there is none. */
  function folderId(path: string): number | undefined {
    let id: number | undefined = rootId;
    for (const name of path.split("/")) {
      if (name !== "" && id !== undefined) id = childOf.get(id, 0, name);
    }
    return id;
  }

  /** A page of a folder, folders first, then by the bytes of the names; null when the snapshot has no such folder. */
  function folder(snapshotId: string, path: string, { after, limit }: Paging): FolderPage | null {
    const at = held(snapshotId);
    const id = at && folderId(path);
    if (at === undefined || id === undefined) return null;
    const { line, ordinal } = at;
    if (id !== rootId && versionAt.get(id, line, ordinal, ordinal) === undefined) return null;
    const [leaf, name] = readCursor(after);
    const rows = children.all(line, ordinal, ordinal, id, leaf, name, limit + 1);
    return {
      entries: rows.slice(0, limit).map((row) => ({ name: row.name, ...toVersion(row) })),
      next: nextCursor(rows, limit),
    };
  }

  /**
   * Files and folders whose name has the text in it, in capitals or not; of a text with "/" in it the last part
   * begins the name, and the others are the end of the folder's path. Names that are the text itself come first,
   * otherwise they are in the order of their paths.
   */
  function search(
    text: string,
    { limit, snapshotId, budgetMs = searchBudgetMs }: SearchQuestion,
  ): SearchResult {
    const needle = text.toLowerCase();
    // "media/2026/photo": above the name stands "media/2026/", and what is named so has children named "photo…".
    const bare = needle.replace(/\/$/, "");
    const above = bare.slice(0, bare.lastIndexOf("/") + 1);
    const inName = bare.slice(above.length);
    const folderName = above.split("/").at(-2) ?? "";
    const only = snapshotId === undefined ? undefined : held(snapshotId);
    if (inName === "" || (snapshotId !== undefined && only === undefined)) {
      return { hits: [], complete: true };
    }
    const isHeld = (id: number) =>
      only === undefined || versionAt.get(id, only.line, only.ordinal, only.ordinal) !== undefined;
    const deadline = performance.now() + budgetMs;
    const snapshots = allSnapshots.all();
    const paths = new Map<number, string>([[rootId, ""]]);
    const hits: SearchHit[] = [];
    let complete = true;
    looking: for (const candidates of folderName === "" ? candidatesFor(inName) : childrenOf(folderName)) {
      for (const node of candidates) {
        if (!node.name.toLowerCase().includes(inName) || !isHeld(node.id)) continue;
        const folder = `${pathOf(node.dir, paths)}/`;
        const path = folder + node.name;
        const nameAt = folder.toLowerCase().length;
        const whole = `${path}${node.leaf ? "" : "/"}`.toLowerCase();
        const found =
          above === "" ? whole.includes(needle, nameAt) : whole.startsWith(needle, nameAt - above.length);
        if (!found) continue;
        const hit = hitOf(node, path, snapshots, only);
        if (hit === null) continue;
        if (hits.length === limit) {
          complete = false;
          break looking;
        }
        hits.push(hit);
      }
      if (performance.now() > deadline) {
        complete = false;
        break;
      }
    }
    const exact = ({ name }: SearchHit) => (name.toLowerCase() === inName ? 0 : 1);
    hits.sort((one, other) => exact(one) - exact(other) || compareBytes(one.path, other.path));
    return { hits, complete };
  }

  /** What is in the folders whose names end with the lower-case text, in steps. */
  function* childrenOf(text: string): Generator<NodeRow[]> {
    for (const candidates of candidatesFor(text)) {
      // Also where there are none: the caller looks at the clock.
      yield [];
      for (const { id, leaf, name } of candidates) {
        if (leaf === 1 || !name.toLowerCase().endsWith(text)) continue;
        for (let last: NodeRow | undefined, size = candidatesPerStep; size === candidatesPerStep; ) {
          const rows = nodesOf.all(id, last?.leaf ?? 0, last?.name ?? "", candidatesPerStep);
          yield rows;
          size = rows.length;
          last = rows.at(-1);
        }
      }
    }
  }

  /** Nodes that may have the lower-case text in their names, in steps. */
  function* candidatesFor(text: string): Generator<NodeRow[]> {
    const letters = [...text];
    if (letters.length >= 3) {
      const pieces = letters.slice(2).map((_, at) => letters.slice(at, at + 3).join(""));
      const question = [...new Set(pieces)]
        .slice(0, piecesAsked)
        .map((piece) => `"${piece.replaceAll('"', '""')}"`)
        .join(" AND ");
      let wanted = candidatesPerStep;
      for (let after = 0, found = wanted; found === wanted; ) {
        // The first hits fill a page mostly; where they do not, every question anew has its price.
        if (after > 0) wanted = Math.min(wanted * 2, idsPerStep);
        const rows = withPieces.all(question, after, wanted);
        yield rows;
        found = rows.length;
        after = rows.at(-1)?.id ?? after;
      }
      return;
    }
    // LIKE knows the capitals of ASCII only, and "_" and "%" as any letter: the caller looks at the names itself.
    const last = lastNode.get() ?? 0;
    const ascii = /^[\x20-\x7e]*$/.test(text);
    for (let after = 0; after < last; after += idsPerStep) {
      yield ascii
        ? withText.all(after, after + idsPerStep, `%${text}%`)
        : nodesIn.all(after, after + idsPerStep);
    }
  }

  /** The path of a folder, without "/" at its end. */
  function pathOf(id: number, paths: Map<number, string>): string {
    const names: string[] = [];
    const passed: number[] = [];
    let above = paths.get(id);
    for (let at = id; above === undefined; above = paths.get(at)) {
      const node = nodeOf.get(at);
      if (node === undefined) return "";
      names.push(node.name);
      passed.push(at);
      at = node.dir;
    }
    let path = above;
    while (passed.length > 0) {
      path += `/${names.pop() ?? ""}`;
      paths.set(passed.pop() ?? 0, path);
    }
    return path;
  }

  function hitOf(
    node: NodeRow,
    path: string,
    snapshots: readonly Snapshot[],
    only: Held | undefined,
  ): SearchHit | null {
    const rows = spans.all(node.id);
    const holding = snapshots.filter((snapshot) => rows.some((row) => covers(row, snapshot)));
    const [first] = holding;
    const last = holding.at(-1);
    const shown = rows.find((row) => last !== undefined && covers(row, only ?? last));
    if (first === undefined || last === undefined || shown === undefined) return null;
    return {
      path,
      name: node.name,
      ...toVersion(shown),
      first: toRef(first),
      last: toRef(last),
      snapshots: holding.length,
    };
  }

  /** How the path was in all snapshots, newest first: one row for neighbouring ones of a line that hold it unchanged. */
  function history(path: string): HistoryVersion[] {
    const at = path.replace(/\/+$/, "").lastIndexOf("/");
    const dir = folderId(path.slice(0, Math.max(at, 0)));
    const name = path.replace(/\/+$/, "").slice(at + 1);
    if (dir === undefined || name === "") return [];
    const rows = [0, 1].flatMap((leaf) => {
      const id = childOf.get(dir, leaf, name);
      return id === undefined ? [] : spans.all(id);
    });
    const runs: { version: Version; first: Snapshot; last: Snapshot; snapshots: number }[] = [];
    const current = new Map<number, (typeof runs)[number] | null>();
    for (const snapshot of rows.length === 0 ? [] : allSnapshots.all()) {
      const row = rows.find((row) => covers(row, snapshot));
      const run = current.get(snapshot.line);
      if (row === undefined) {
        current.set(snapshot.line, null);
      } else if (run && isSame(run.version, toVersion(row))) {
        run.last = snapshot;
        run.snapshots += 1;
      } else {
        const begun = { version: toVersion(row), first: snapshot, last: snapshot, snapshots: 1 };
        runs.push(begun);
        current.set(snapshot.line, begun);
      }
    }
    return runs.reverse().map(({ version, first, last, snapshots }) => ({
      ...version,
      first: toRef(first),
      last: toRef(last),
      snapshots,
    }));
  }

  return { held, ids, folderId, folder, search, history };
}

/** The part of `after` that a statement needs: whether it is no folder, and the name. */
export function readCursor(after: string | undefined): [leaf: number, name: string] {
  return after === undefined ? [0, ""] : [after.startsWith("1") ? 1 : 0, after.slice(1)];
}

/** The cursor behind the last row of a page that was asked for with one row more than `limit`. */
export function nextCursor(rows: readonly { leaf: number; name: string }[], limit: number): string | null {
  const last = rows[limit - 1];
  return rows.length > limit && last !== undefined ? `${last.leaf}${last.name}` : null;
}

export function toVersion({ type, size, mtime, mode }: VersionRow): Version {
  return { type: nodeTypes[type] ?? "other", size, mtimeMs: mtime, mode };
}

function covers({ line, since, until }: SpanRow, at: Held): boolean {
  return line === at.line && since <= at.ordinal && (until === null || until > at.ordinal);
}

function isSame(one: Version, other: Version): boolean {
  return (
    one.type === other.type &&
    one.size === other.size &&
    one.mtimeMs === other.mtimeMs &&
    one.mode === other.mode
  );
}

function toRef({ id, time, host }: SnapshotRef): SnapshotRef {
  return { id, time, host };
}

/** By UTF-8 bytes, as SQLite and restic sort. */
function compareBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
