// The tables of an index, and its file: made when there is none, made anew when it is damaged or of another schema.
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import Sqlite, { type Database } from "better-sqlite3";
import { AppError, toAppError } from "../../errors/app-error";

/** Raised with every change of the tables: an index of another one is made anew. */
const schemaVersion = 1;
/** "SlIx": an SQLite file of something else is not taken for ours. */
const applicationId = 0x536c4978;

/** The node "/". */
export const rootId = 1;

// A snapshot has an ordinal by when it was indexed, whatever its time is. A version of a node is held by the ordinals
// from `since` to before `until` that are of its line (snapshots of one host and set of paths); `until` is null while
// the last one indexed of the line holds it. So an unchanged file costs nothing, and a snapshot that is being indexed,
// or was left half-way, cannot be seen from the ordinals before it. A node's parent always has the smaller id.
const tables = `
CREATE TABLE line (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE);
CREATE TABLE snapshot (
  ordinal INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, line INTEGER NOT NULL,
  time TEXT NOT NULL, time_ms INTEGER NOT NULL, host TEXT NOT NULL, ready INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX snapshot_line ON snapshot (line, ordinal);
CREATE TABLE node (
  id INTEGER PRIMARY KEY, dir INTEGER NOT NULL, leaf INTEGER NOT NULL, name TEXT NOT NULL, UNIQUE (dir, leaf, name)
);
CREATE TABLE version (
  node INTEGER NOT NULL, line INTEGER NOT NULL, since INTEGER NOT NULL, until INTEGER,
  type INTEGER NOT NULL, size INTEGER NOT NULL, mtime INTEGER NOT NULL, mode INTEGER NOT NULL,
  PRIMARY KEY (node, line, since)
) WITHOUT ROWID;
CREATE TABLE due (sweep INTEGER PRIMARY KEY);
CREATE VIRTUAL TABLE trigram USING fts5 (name, tokenize = 'trigram', content = '', detail = none, columnsize = 0);
INSERT INTO node (id, dir, leaf, name) VALUES (${rootId}, 0, 0, '');
`;

/** Fail where the tables, or the pages they begin with, are not what they should be. */
const probes = [
  "SELECT ordinal FROM snapshot",
  `SELECT n.id FROM node n LEFT JOIN version v ON v.node = n.id WHERE n.id = ${rootId}`,
  `SELECT rowid FROM trigram WHERE trigram MATCH '"aaa"' LIMIT 1`,
];

export type Connections = {
  readonly write: Database;
  /** Sees what was committed, also while `write` is in the middle of something. */
  readonly read: Database;
  /** Whether a file was there that could not be used. */
  readonly remade: boolean;
};

/** Opens the file. Throws AppError DATABASE when it cannot be written, DISK_FULL. */
export function connect(file: string): Connections {
  try {
    mkdirSync(dirname(file), { recursive: true });
    const kept = openKept(file);
    if (typeof kept !== "string") return kept;
    discard(file);
    return { ...openBoth(file, true), remade: kept === "unusable" };
  } catch (error) {
    throw toAppError(translate(error, file));
  }
}

/** Removes the file and what SQLite keeps beside it. */
export function discard(file: string): void {
  for (const suffix of ["", "-wal", "-shm", "-journal"]) rmSync(file + suffix, { force: true });
}

/** SQLite's error as AppError; any other is left as it is. */
export function translate(error: unknown, file: string): unknown {
  if (!(error instanceof Sqlite.SqliteError)) return error;
  const { code } = error;
  if (code === "SQLITE_FULL") return toAppError(error);
  if (isDamage(error)) {
    return new AppError("DATABASE", `The index ${file} is damaged (${code}) and is built anew.`, {
      problem: "backup.indexDamaged",
      cause: error,
    });
  }
  return new AppError("DATABASE", `The index ${file} cannot be used (${code}).`, {
    problem: "backup.indexUnusable",
    params: { code },
    cause: error,
  });
}

/** Whether SQLite says that the file's contents are wrong. */
export function isDamage(error: unknown): boolean {
  if (!(error instanceof Sqlite.SqliteError)) return false;
  // Our statements are right, so a table that is missing means a file that is not ours any more.
  return (
    /^SQLITE_(CORRUPT|NOTADB)/.test(error.code) ||
    /^(no such (table|column)|vtable constructor failed)/.test(error.message)
  );
}

function openKept(file: string): Connections | "none" | "unusable" {
  let connections: Omit<Connections, "remade"> | undefined;
  let kept = false;
  try {
    connections = openBoth(file, false);
    const { write } = connections;
    if (write.pragma("page_count", { simple: true }) === 0) return "none";
    kept =
      write.pragma("application_id", { simple: true }) === applicationId &&
      write.pragma("user_version", { simple: true }) === schemaVersion &&
      probes.every((probe) => write.prepare(probe).all() !== undefined);
    return kept ? { ...connections, remade: false } : "unusable";
  } catch (error) {
    if (isDamage(error)) return "unusable";
    throw error;
  } finally {
    if (!kept) for (const one of [connections?.read, connections?.write]) one?.close();
  }
}

function openBoth(file: string, make: boolean): Omit<Connections, "remade"> {
  const write = new Sqlite(file);
  try {
    // Names of files may be secrets.
    chmodSync(file, 0o600);
    if (make) {
      write.pragma("auto_vacuum = INCREMENTAL");
      write.pragma("journal_mode = WAL");
      write.transaction(() => {
        write.exec(tables);
        write.pragma(`application_id = ${applicationId}`);
        write.pragma(`user_version = ${schemaVersion}`);
      })();
    }
    write.pragma("synchronous = NORMAL");
    write.pragma("cache_size = -24000");
    write.pragma("journal_size_limit = 16000000");
    return { write, read: new Sqlite(file, { readonly: true }) };
  } catch (error) {
    write.close();
    throw error;
  }
}
