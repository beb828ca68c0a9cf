// Takes asks in for the gateway: durable in groups before anyone is told "accepted", coalesced, handed on in batches.
import { db } from "@/lib/db/client";
import { log } from "@/lib/runtime/log";
import type { Item } from "./operations";

export type Cause = { readonly client: string; readonly agent: string; readonly header: string };
export type IntakeOptions = {
  /** How long asks are gathered into one batch, ms; read anew for each. */
  readonly windowMs: () => number;
  /** Hands on the durable rows after `from` up to `upTo`. Resolves when the batch is a change of its own. */
  readonly hand: (from: number, upTo: number, counts: ReadonlyMap<string, Counted>) => Promise<void>;
  /** Whether another batch may begin now; while not, the window stays open and the asks in it coalesce. */
  readonly room: () => boolean;
};
export type Counted = { readonly item: Item; readonly cause: Cause; count: number };

type Entry = Counted & { kept: Promise<void> };
type Write = {
  readonly item: Item;
  readonly cause: Cause;
  readonly kept: () => void;
  readonly lost: (error: unknown) => void;
};

/** Asks waiting to be written; more is answered "busy", so that none is lost silently. */
const mostWaiting = 10_000;
/** Targets in one window. */
const mostInWindow = 50_000;
const rowsPerWrite = 1000;
/** Under load writes are this far apart, so that many asks share one fsync; a lone ask does not wait. */
const gatherMs = 3;

const idOf = (item: Item) => `${item.type}\n${item.host}\n${item.value}\n${item.soft}`;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Thrown when there is no room: the client is to try again. */
export class Busy extends Error {}

/** One statement with one parameter: one transaction and one fsync for all, and nothing that grows with the rows but the text. */
async function keepAsks(asks: readonly { readonly item: Item; readonly cause: Cause }[]): Promise<void> {
  const rows = JSON.stringify(
    asks.map(({ item, cause }) => [
      item.type,
      item.site,
      item.host,
      item.value,
      item.soft ? 1 : 0,
      JSON.stringify(cause),
    ]),
  );
  const now = new Date().toISOString().replace("Z", "+00:00");
  await db().$executeRaw`
    INSERT INTO "PurgeItem" ("type", "site", "host", "value", "soft", "cause", "count", "acceptedAt")
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, 1, ${now} FROM json_each(${rows}) ORDER BY key`;
}

export class Intake {
  readonly #options: IntakeOptions;
  #window = new Map<string, Entry>();
  #windowAt = 0;
  #writes: Write[] = [];
  #working: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #lastWriteAt = 0;
  /** Rows up to here belong to earlier batches. */
  #handed = 0;
  #stopped = false;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /**
   * Resolves when all items are on the disk. The same target again within a window is one purge: it has not been sent yet, so
   * it covers the later ask too. Throws Busy, or the database's error.
   */
  async take(items: readonly Item[], cause: Cause): Promise<void> {
    if (
      this.#stopped ||
      this.#writes.length + items.length > mostWaiting ||
      this.#window.size + items.length > mostInWindow
    )
      throw new Busy();
    if (this.#window.size === 0) this.#windowAt = Date.now();
    const waits = items.map((item) => {
      const id = idOf(item);
      const known = this.#window.get(id);
      if (known) {
        known.count++;
        return known.kept;
      }
      const kept = new Promise<void>((resolve, reject) => {
        this.#writes.push({ item, cause, kept: resolve, lost: reject });
      });
      const entry: Entry = { item, cause, count: 1, kept };
      // A failed write must not make the next ask for the same target fail: it is forgotten and written anew.
      kept.catch(() => {
        if (this.#window.get(id) === entry) this.#window.delete(id);
      });
      this.#window.set(id, entry);
      return kept;
    });
    this.#wake();
    await Promise.all(waits);
  }

  /** Hands on what an earlier process took in and did not hand on. */
  async recover(): Promise<number> {
    const left = await db().purgeItem.aggregate({
      where: { changeId: null },
      _max: { id: true },
      _count: true,
    });
    if (left._max.id !== null) {
      await this.#options.hand(0, left._max.id, new Map());
      this.#handed = left._max.id;
    }
    return left._count;
  }

  /** Writes what waits, hands on the last batch, and takes nothing more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#working;
    // What is in an open window is durable; the next start hands it on.
  }

  #wake(): void {
    this.#working ??= this.#work().finally(() => {
      this.#working = null;
      if (this.#writes.length > 0) this.#wake();
      else this.#arm();
    });
  }

  /** Looks again when the window is over. */
  #arm(): void {
    if (this.#window.size === 0 || this.#stopped) return;
    clearTimeout(this.#timer);
    const left = this.#windowAt + this.#options.windowMs() - Date.now();
    this.#timer = setTimeout(() => this.#wake(), Math.max(left, this.#options.room() ? 1 : 25));
  }

  async #work(): Promise<void> {
    for (;;) {
      if (this.#writes.length > 0) await this.#write();
      if (this.#due()) await this.#rotate();
      if (this.#writes.length === 0) return;
    }
  }

  #due(): boolean {
    return (
      this.#window.size > 0 && Date.now() - this.#windowAt >= this.#options.windowMs() && this.#options.room()
    );
  }

  async #write(): Promise<void> {
    const since = Date.now() - this.#lastWriteAt;
    if (since < gatherMs && this.#writes.length < rowsPerWrite) await sleep(gatherMs - since);
    const writes = this.#writes.splice(0, rowsPerWrite);
    try {
      await keepAsks(writes);
      for (const write of writes) write.kept();
    } catch (error) {
      for (const write of writes) write.lost(error);
    }
    this.#lastWriteAt = Date.now();
  }

  /** Nothing is being written here, so every row after the last batch belongs to this window. */
  async #rotate(): Promise<void> {
    const window = this.#window;
    // From here on an ask for the same target is a new purge.
    this.#window = new Map();
    const { _max } = await db()
      .purgeItem.aggregate({ where: { changeId: null, id: { gt: this.#handed } }, _max: { id: true } })
      .catch(() => ({ _max: { id: null } }));
    this.#windowAt = Date.now();
    if (_max.id === null) return;
    const from = this.#handed;
    this.#handed = _max.id;
    void this.#handOn(from, _max.id, window);
  }

  /** Beside the writes, so that nobody waits for it. The rows are on the disk: it is tried until it works, or by the next start. */
  async #handOn(from: number, upTo: number, window: ReadonlyMap<string, Counted>): Promise<void> {
    while (!this.#stopped) {
      try {
        return await this.#options.hand(from, upTo, window);
      } catch (error) {
        log.error({ err: error }, "a batch of the purge gateway could not be begun; it is tried again");
        await sleep(1000);
      }
    }
  }
}
