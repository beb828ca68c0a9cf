// Prisma's driver for our one SQLite connection, made durable and put in order.
import { PrismaBetterSqlite3 } from "@prisma/adapter-better-sqlite3";
import type { SqlDriverAdapter, SqlDriverAdapterFactory, Transaction } from "@prisma/driver-adapter-utils";

/**
 * What every connection to the database is opened with.
 * synchronous=FULL: in WAL mode NORMAL would lose the last commits when the power fails, and a purge that was
 * answered "accepted" must survive that. It costs one fsync per commit, which group commits share.
 */
export const pragmas = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";
/** How long a statement waits for another process's write, in ms. */
export const busyTimeoutMs = 5000;

/**
 * The adapter that Prisma ships lets statements from outside run on the connection while a transaction is open on it:
 * they would be committed late, or rolled back with it, although their caller was told that they are kept.
 * Here they wait until it has ended. Inside `$transaction(async (tx) => …)` therefore use `tx` only.
 */
export class OrderedSqlite implements SqlDriverAdapterFactory {
  readonly provider = "sqlite";
  readonly adapterName = "sluice-sqlite";
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  async connect(): Promise<SqlDriverAdapter> {
    const inner = await new PrismaBetterSqlite3({ url: this.#file, timeout: busyTimeoutMs }).connect();
    await inner.executeScript(pragmas);
    /** Resolves when the last transaction asked for so far has ended. Statements run within one tick, so they need no turn of their own. */
    let ended: Promise<void> = Promise.resolve();

    const startTransaction: SqlDriverAdapter["startTransaction"] = async (isolationLevel) => {
      const before = ended;
      let end = () => {};
      ended = new Promise((resolve) => {
        end = resolve;
      });
      await before;
      try {
        const transaction = await inner.startTransaction(isolationLevel);
        return endingWith(transaction, end);
      } catch (error) {
        end();
        throw error;
      }
    };

    return {
      provider: inner.provider,
      adapterName: inner.adapterName,
      queryRaw: async (query) => {
        await ended;
        return inner.queryRaw(query);
      },
      executeRaw: async (query) => {
        await ended;
        return inner.executeRaw(query);
      },
      executeScript: async (script) => {
        await ended;
        return inner.executeScript(script);
      },
      startTransaction,
      dispose: () => inner.dispose(),
    };
  }
}

/** The same transaction, calling `end` once it is committed or rolled back. */
function endingWith(transaction: Transaction, end: () => void): Transaction {
  const { commit, rollback } = transaction;
  transaction.commit = () => commit.call(transaction).finally(end);
  transaction.rollback = () => rollback.call(transaction).finally(end);
  return transaction;
}
