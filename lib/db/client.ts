// The database of this process: one Prisma client on one SQLite connection.
import { PrismaClient } from "@/generated/prisma/client";
import { forgetSingleton, singleton } from "../runtime/singleton";
import { OrderedSqlite } from "./adapter";
import { databaseFile, ensureDataDirectory } from "./location";

const key = "db.client";

/** The database. Its schema is brought up to date by `migrate()`, which the runtime calls first. */
export function db(): PrismaClient {
  return singleton(key, () => {
    ensureDataDirectory();
    return new PrismaClient({
      adapter: new OrderedSqlite(databaseFile()),
      transactionOptions: { maxWait: 10_000, timeout: 15_000 },
    });
  });
}

/** Closes the connection; the next `db()` opens a new one (tests, and a runtime that stops). */
export async function closeDatabase(): Promise<void> {
  const client = db();
  forgetSingleton(key);
  await client.$disconnect();
}
