// Brings the database up to the program's schema before anything else opens it.
import { createHash, randomUUID } from "node:crypto";
import type { Database } from "better-sqlite3";
import { AppError } from "../errors/app-error";

export type Migration = { readonly name: string; readonly sql: string };

/** Prisma's own table, so that its tools understand the database. */
const historyTable = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
  "id" TEXT PRIMARY KEY NOT NULL,
  "checksum" TEXT NOT NULL,
  "finished_at" DATETIME,
  "migration_name" TEXT NOT NULL,
  "logs" TEXT,
  "rolled_back_at" DATETIME,
  "started_at" DATETIME NOT NULL DEFAULT current_timestamp,
  "applied_steps_count" INTEGER UNSIGNED NOT NULL DEFAULT 0
)`;

/**
 * Applies the migrations that are pending, each in a transaction of its own, and returns their names.
 * Throws AppError DATABASE for a database that a newer or another program made; nothing is changed then.
 */
export function migrate(connection: Database, migrations: readonly Migration[]): string[] {
  checkHistory(connection, migrations);
  // Prisma's table changes copy and drop tables: the references are checked once, at the end of each.
  connection.pragma("foreign_keys = OFF");
  const applied: string[] = [];
  for (const { name, sql } of migrations) {
    const apply = connection.transaction(() => {
      connection.exec(historyTable);
      // Looked at inside the transaction: another process may have been quicker.
      if (
        connection.prepare('SELECT 1 FROM "_prisma_migrations" WHERE "migration_name" = ?').get(name) !==
        undefined
      )
        return;
      connection.exec(sql);
      const broken = connection.pragma("foreign_key_check") as unknown[];
      if (broken.length > 0)
        throw new AppError("DATABASE", `The migration ${name} would break references; nothing was changed.`);
      const now = Date.now();
      connection
        .prepare(
          'INSERT INTO "_prisma_migrations" ("id", "checksum", "migration_name", "started_at", "finished_at", "applied_steps_count") VALUES (?, ?, ?, ?, ?, 1)',
        )
        .run(randomUUID(), checksum(sql), name, now, now);
      applied.push(name);
    });
    apply.immediate();
  }
  connection.pragma("foreign_keys = ON");
  return applied;
}

/** Refuses a database whose history this program does not know. */
function checkHistory(connection: Database, migrations: readonly Migration[]): void {
  const there = connection
    .prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '_prisma_migrations'")
    .get();
  if (there === undefined) return;
  const rows = connection
    .prepare(
      'SELECT "migration_name" AS name, "checksum" FROM "_prisma_migrations" WHERE "rolled_back_at" IS NULL ORDER BY "migration_name"',
    )
    .all() as { name: string; checksum: string }[];
  const known = new Map(migrations.map(({ name, sql }) => [name, checksum(sql)]));
  for (const row of rows) {
    const expected = known.get(row.name);
    if (expected === undefined) {
      throw new AppError(
        "DATABASE",
        `The database ${connection.name} was made by a newer Sluice (it has the migration ${row.name}). ` +
          "Start that version again, or restore the backup from before the upgrade. Nothing was changed.",
        { problem: "data.newer", params: { migration: row.name } },
      );
    }
    if (expected !== row.checksum) {
      throw new AppError(
        "DATABASE",
        `The database ${connection.name} was made by another build of Sluice (the migration ${row.name} differs). ` +
          "Start that build, or name another data directory in SLUICE_DATA. Nothing was changed.",
        { problem: "data.otherBuild", params: { migration: row.name } },
      );
    }
  }
}

function checksum(sql: string): string {
  return createHash("sha256").update(sql).digest("hex");
}
