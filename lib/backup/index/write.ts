// Writes snapshots into an index and takes them out: in short steps, each of which leaves the index right.
import type { Database } from "better-sqlite3";
import { startPace } from "./pace";
import { rootId } from "./schema";
import { type IndexedSnapshot, type IndexNode, nodeTypes } from "./shapes";

/** Nodes written by one transaction: enough to make its cost small, few enough to make it short. */
const nodesPerCommit = 10_000;
/** Ids of nodes looked at in one step of a pass over the whole index. */
const idsPerStep = 1_000;
/** Pages of the index of names merged, or of the file given back, in one step. */
const pagesPerMerge = 200;

type Found = { id: number; since: number | null; until: number | null } & Record<
  "type" | "size" | "mtime" | "mode",
  number
>;
type Step = { readonly path: string; readonly id: number; readonly fresh: boolean };

/** What changes an index through `db`. Its functions must not run at the same time. */
export function createWriter(db: Database) {
  const count = db.prepare<[], number>("SELECT max(id) FROM node").pluck();
  const insertLine = db.prepare<[string]>("INSERT INTO line (key) VALUES (?) ON CONFLICT DO NOTHING");
  const lineOf = db.prepare<[string], number>("SELECT id FROM line WHERE key = ?").pluck();
  const known = db.prepare<[string], number>("SELECT ready FROM snapshot WHERE id = ?").pluck();
  const insertSnapshot = db.prepare<[string, number, string, number, string]>(
    "INSERT INTO snapshot (id, line, time, time_ms, host) VALUES (?, ?, ?, ?, ?)",
  );
  const setReady = db.prepare<[number]>("UPDATE snapshot SET ready = 1 WHERE ordinal = ?");
  const find = db.prepare<[number, number, number, string], Found>(
    `SELECT n.id, v.since, v.until, v.type, v.size, v.mtime, v.mode
     FROM node n LEFT JOIN version v ON v.node = n.id AND v.line = ?
     WHERE n.dir = ? AND n.leaf = ? AND n.name = ? ORDER BY v.since DESC LIMIT 1`,
  );
  const insertNode = db.prepare<[number, number, string]>(
    "INSERT INTO node (dir, leaf, name) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
  );
  const insertVersion = db.prepare<[number, number, number, number, number, number, number]>(
    "INSERT INTO version (node, line, since, type, size, mtime, mode) VALUES (?, ?, ?, ?, ?, ?, ?)",
  );
  const correctVersion = db.prepare<[number, number, number, number, number, number, number]>(
    "UPDATE version SET type = ?, size = ?, mtime = ?, mode = ? WHERE node = ? AND line = ? AND since = ?",
  );
  const endVersion = db.prepare<[number, number, number, number]>(
    "UPDATE version SET until = ? WHERE node = ? AND line = ? AND since = ?",
  );
  const openVersions = db.prepare<[number, number, number, number], { node: number; since: number }>(
    "SELECT node, since FROM version WHERE node > ? AND node <= ? AND line = ? AND until IS NULL AND since < ?",
  );
  const indexNames = db.prepare<[number, number]>(
    "INSERT INTO trigram (rowid, name) SELECT id, name FROM node WHERE id > ? AND id <= ?",
  );

  /** Runs `work` in transactions that it may end by calling `commit`. */
  async function transacted(work: (commit: () => void) => Promise<void>): Promise<void> {
    db.exec("BEGIN IMMEDIATE");
    try {
      await work(() => {
        db.exec("COMMIT");
        db.exec("BEGIN IMMEDIATE");
      });
      db.exec("COMMIT");
    } finally {
      if (db.open && db.inTransaction) db.exec("ROLLBACK");
    }
  }

  /** Calls `step` with neighbouring ranges (`after`, `to`] of the ids of all nodes, upwards, each in a transaction. */
  async function eachRange(signal: AbortSignal, step: (after: number, to: number) => void): Promise<void> {
    const pace = startPace(signal);
    const last = count.get() ?? 0;
    const run = db.transaction(step);
    for (let after = 0; after < last; after += idsPerStep) {
      run.immediate(after, Math.min(last, after + idsPerStep));
      await pace.rest();
    }
  }

  /** Ends what a killed or cancelled run left: a snapshot half indexed, a removal half swept. */
  async function tidy(signal: AbortSignal): Promise<void> {
    const unfinished = db.prepare<[], number>("SELECT ordinal FROM snapshot WHERE ready = 0").pluck().all();
    if (unfinished.length > 0) {
      const reopen = db.prepare<[number, number, number]>(
        "UPDATE version SET until = NULL WHERE node > ? AND node <= ? AND until = ?",
      );
      await eachRange(signal, (after, to) => {
        for (const ordinal of unfinished) reopen.run(after, to, ordinal);
      });
      db.transaction(() => {
        db.exec("DELETE FROM snapshot WHERE ready = 0");
        db.exec("INSERT OR IGNORE INTO due (sweep) VALUES (1)");
      })();
    }
    if (db.prepare("SELECT 1 FROM due").get() !== undefined) await sweep(signal);
  }

  /** Deletes the versions that no snapshot holds and the nodes that have none. */
  async function sweep(signal: AbortSignal): Promise<void> {
    const deleteVersions = db.prepare<[number, number]>(
      `DELETE FROM version WHERE node > ? AND node <= ? AND NOT EXISTS (
         SELECT 1 FROM snapshot s WHERE s.line = version.line AND s.ordinal >= version.since
         AND s.ordinal < coalesce(version.until, 9e15))`,
    );
    await eachRange(signal, (after, to) => deleteVersions.run(after, to));
    const bare = db.prepare<[number, number], { id: number; name: string }>(
      `SELECT id, name FROM node WHERE id > ? AND id <= ? AND id <> ${rootId}
       AND NOT EXISTS (SELECT 1 FROM version WHERE node = node.id) ORDER BY id DESC`,
    );
    const hasChild = db.prepare<[number]>("SELECT 1 FROM node WHERE dir = ? LIMIT 1");
    const unindex = db.prepare<[number, string]>(
      "INSERT INTO trigram (trigram, rowid, name) VALUES ('delete', ?, ?)",
    );
    const deleteNode = db.prepare<[number]>("DELETE FROM node WHERE id = ?");
    let deleted = 0;
    const prune = db.transaction((after: number, to: number) => {
      const gone = bare.all(after, to).filter(({ id }) => {
        // Its children are gone already where they had to go: they have greater ids.
        return hasChild.get(id) === undefined && deleteNode.run(id).changes === 1;
      });
      // Upwards: FTS5 writes out what it has collected whenever it gets a smaller id.
      for (const { id, name } of gone.reverse()) unindex.run(id, name);
      deleted += gone.length;
    });
    const pace = startPace(signal);
    for (let to = count.get() ?? 0; to > 0; to -= idsPerStep) {
      prune.immediate(to - idsPerStep, to);
      await pace.rest();
    }
    // A deletion only adds to the trigrams, until what cancels out is merged.
    if (deleted > (count.get() ?? 0) / 10) await mergeNames(pace.rest);
    db.exec("DELETE FROM line WHERE id NOT IN (SELECT line FROM snapshot)");
    const free = () => Number(db.pragma("freelist_count", { simple: true }));
    for (let left = free(); left > 0; left -= pagesPerMerge) {
      db.exec(`PRAGMA incremental_vacuum(${pagesPerMerge})`);
      await pace.rest();
    }
    // The file gets shorter only now.
    db.pragma("wal_checkpoint(TRUNCATE)");
    db.exec("DELETE FROM due");
  }

  /** Merges the parts of the index of names into one. */
  async function mergeNames(rest: () => Promise<void>): Promise<void> {
    const merge = db.prepare<[number]>("INSERT INTO trigram (trigram, rank) VALUES ('merge', ?)");
    const changes = db.prepare<[], number>("SELECT total_changes()").pluck();
    // A negative number begins the merge of all parts, positive ones go on with it: pages at a time.
    for (let pages = -pagesPerMerge, before = -1; (changes.get() ?? 0) - before >= 2; pages = pagesPerMerge) {
      before = changes.get() ?? 0;
      merge.run(pages);
      await rest();
    }
  }

  /** Indexes a snapshot from its nodes in any order (in restic's it is quickest); one that is there already is left. */
  async function add(
    snapshot: IndexedSnapshot,
    nodes: AsyncIterable<IndexNode>,
    signal: AbortSignal,
  ): Promise<void> {
    await tidy(signal);
    if (known.get(snapshot.id) !== undefined) return;
    const key = lineKey(snapshot);
    const line = db.transaction(() => {
      insertLine.run(key);
      return lineOf.get(key) ?? 0;
    })();
    const { id, time, host } = snapshot;
    const ordinal = Number(insertSnapshot.run(id, line, time, Date.parse(time) || 0, host).lastInsertRowid);
    const pace = startPace(signal);
    const seen = new IdSet();
    // The folders from the root to the last one met: restic lists a folder before what is in it.
    const way: Step[] = [{ path: "", id: rootId, fresh: false }];

    function put(dir: Step, leaf: number, name: string, node: Omit<IndexNode, "path">): Step {
      const type = nodeTypes.indexOf(node.type);
      const { size, mode } = node;
      const mtime = Math.trunc(node.mtimeMs);
      const made = dir.fresh ? insertNode.run(dir.id, leaf, name) : null;
      const found = made?.changes === 1 ? undefined : find.get(line, dir.id, leaf, name);
      if (found === undefined) {
        const to = Number((made ?? insertNode.run(dir.id, leaf, name)).lastInsertRowid);
        insertVersion.run(to, line, ordinal, type, size, mtime, mode);
        seen.add(to);
        return { path: `${dir.path}/${name}`, id: to, fresh: true };
      }
      seen.add(found.id);
      const step = { path: `${dir.path}/${name}`, id: found.id, fresh: false };
      const open = found.since !== null && found.until === null;
      if (
        open &&
        found.type === type &&
        found.size === size &&
        found.mtime === mtime &&
        found.mode === mode
      ) {
        return step;
      }
      if (open && found.since === ordinal) {
        correctVersion.run(type, size, mtime, mode, found.id, line, ordinal);
        return step;
      }
      if (open && found.since !== null) endVersion.run(ordinal, found.id, line, found.since);
      insertVersion.run(found.id, line, ordinal, type, size, mtime, mode);
      return step;
    }

    /** The folder of that path; those above it that the listing did not name yet are taken to be there. */
    function folder(path: string): Step {
      let top = way[way.length - 1];
      while (top !== undefined && top.path !== path && !path.startsWith(`${top.path}/`)) {
        way.pop();
        top = way[way.length - 1];
      }
      if (top === undefined) throw new RangeError("a path begins with /");
      for (const name of path.slice(top.path.length + 1).split("/")) {
        if (name === "") continue;
        const found = find.get(line, top.id, 0, name);
        if (found !== undefined && found.since !== null && found.until === null) {
          seen.add(found.id);
          top = { path: `${top.path}/${name}`, id: found.id, fresh: false };
        } else {
          top = put(top, 0, name, { type: "dir", size: 0, mtimeMs: 0, mode: 0 });
        }
        way.push(top);
      }
      return top;
    }

    await transacted(async (commit) => {
      let named = count.get() ?? 0;
      let sinceCommit = 0;
      const commitNames = async () => {
        for (const last = count.get() ?? 0; named < last; named = Math.min(last, named + idsPerStep)) {
          indexNames.run(named, Math.min(last, named + idsPerStep));
          await pace.rest();
        }
        commit();
        sinceCommit = 0;
      };
      for await (const node of nodes) {
        const at = node.path.lastIndexOf("/");
        const name = node.path.slice(at + 1);
        if (name !== "") {
          const parent = folder(node.path.slice(0, Math.max(at, 0)));
          const isFolder = node.type === "dir";
          const step = put(parent, isFolder ? 0 : 1, name, node);
          if (isFolder) way.push(step);
        }
        sinceCommit += 1;
        if (sinceCommit === nodesPerCommit) await commitNames();
        await pace.rest();
      }
      await commitNames();
    });
    await eachRange(signal, (after, to) => {
      for (const { node, since } of openVersions.all(after, to, line, ordinal)) {
        if (!seen.has(node)) endVersion.run(ordinal, node, line, since);
      }
    });
    setReady.run(ordinal);
  }

  /** Takes snapshots out; those that are not there are ignored. They cannot be seen from the first step on. */
  async function remove(ids: readonly string[], signal: AbortSignal): Promise<void> {
    const removeOne = db.prepare<[string]>("DELETE FROM snapshot WHERE id = ? AND ready = 1");
    const removed = db.transaction(() => {
      const removed = ids.filter((id) => removeOne.run(id).changes > 0);
      if (removed.length > 0) db.exec("INSERT OR IGNORE INTO due (sweep) VALUES (1)");
      return removed;
    })();
    if (removed.length > 0) await tidy(signal);
  }

  return { add, remove };
}

/** Snapshots of one host and set of paths share their versions; a container's made-up host name is none. */
function lineKey({ host, paths }: IndexedSnapshot): string {
  return JSON.stringify([/^[0-9a-f]{12}$/.test(host) ? "" : host, ...[...paths].sort()]);
}

/** A set of small integers, one bit each. */
class IdSet {
  #bits = new Uint8Array(1 << 16);

  add(id: number): void {
    const at = id >> 3;
    if (at >= this.#bits.length) {
      const more = new Uint8Array(Math.max(at + 1, this.#bits.length * 2));
      more.set(this.#bits);
      this.#bits = more;
    }
    this.#bits[at] = (this.#bits[at] ?? 0) | (1 << (id & 7));
  }

  has(id: number): boolean {
    return ((this.#bits[id >> 3] ?? 0) & (1 << (id & 7))) !== 0;
  }
}
