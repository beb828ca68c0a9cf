// The first look at the database: is it ours, is it free, is its schema ours; only then may the rest use it.
import { chmodSync } from "node:fs";
import Sqlite, { type Database } from "better-sqlite3";
import { migrations } from "@/generated/migrations";
import { AppError } from "../errors/app-error";
import { busyTimeoutMs, pragmas } from "./adapter";
import { type Lease, takeLease } from "./lease";
import { databaseFile, ensureDataDirectory } from "./location";
import { migrate } from "./migrate";

/**
 * Makes the database where there is none, takes the lease and applies pending migrations.
 * Throws AppError DATABASE, DISK_FULL, or CONFLICT (another Sluice runs on it), with what to do.
 */
export async function openDatabase(): Promise<{ lease: Lease; migrated: readonly string[] }> {
  ensureDataDirectory();
  const file = databaseFile();
  let connection: Database | undefined;
  try {
    connection = new Sqlite(file, { timeout: busyTimeoutMs });
    // Sessions and password hashes are in it; its -wal and -shm take the same mode.
    chmodSync(file, 0o600);
    connection.exec(pragmas);
    // Before the schema is touched: an older program may still be running on it.
    const held = await takeLease(connection);
    const migrated = migrate(connection, migrations);
    const lease = held ?? (await takeLease(connection));
    if (lease === null) throw new AppError("INTERNAL", "The migrations make no lease table.");
    return { lease, migrated };
  } catch (error) {
    throw translate(error, file);
  } finally {
    connection?.close();
  }
}

/** SQLite's errors in words. */
function translate(error: unknown, file: string): AppError {
  if (error instanceof AppError) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
  const said = (message: string) =>
    new AppError("DATABASE", message, { problem: "data.database", params: { code }, cause: error });
  if (code === "SQLITE_FULL" || code === "ENOSPC") {
    return new AppError("DISK_FULL", `The disk of ${file} is full: free some space and start again.`, {
      cause: error,
    });
  }
  if (code === "SQLITE_NOTADB" || code.startsWith("SQLITE_CORRUPT")) {
    return said(
      `${file} is damaged, or not a database (${code}). Restore it from a backup, or move it away to begin anew.`,
    );
  }
  if (
    code.startsWith("SQLITE_CANTOPEN") ||
    code.startsWith("SQLITE_READONLY") ||
    code === "EACCES" ||
    code === "EPERM"
  ) {
    return said(`${file} cannot be opened for writing (${code}): give it to the user Sluice runs as.`);
  }
  if (code.startsWith("SQLITE_BUSY"))
    return said(`${file} is locked by another program (${code}): close it and start again.`);
  return said(`${file} cannot be used (${code}): ${error instanceof Error ? error.message : String(error)}`);
}
