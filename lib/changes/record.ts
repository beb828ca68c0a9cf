// The durable row of one change at work: its state at once, its progress and log in batches.

import type * as z from "zod";
import type { Prisma, PrismaClient } from "@/generated/prisma/client";
import type { ChangeRow, changeProgress } from "./contract";
import { rowColumns, toRow } from "./rows";
import { Throttle } from "./throttle";

export type Progress = z.infer<typeof changeProgress>;
export type LogEntry = {
  readonly level: "info" | "warn" | "error";
  /** Key under `log.` in messages. */
  readonly message: string;
  readonly params?: Readonly<Record<string, string | number>>;
};

/** Progress is saved (and told) at most twice a second. */
const saveIntervalMs = 500;
/** A change that has more to say than this is not read line by line; the rest is counted only. */
const maxLogRows = 1000;

export class ChangeRecord {
  readonly id: number;
  readonly #database: () => PrismaClient;
  readonly #tell: (row: ChangeRow) => void;
  readonly #throttle: Throttle;
  #progress: Progress | null = null;
  #log: (LogEntry & { readonly at: Date })[] = [];
  #logged = 0;

  constructor(database: () => PrismaClient, id: number, tell: (row: ChangeRow) => void) {
    this.id = id;
    this.#database = database;
    this.#tell = tell;
    this.#throttle = new Throttle(saveIntervalMs, () => this.#saveBuffered());
  }

  /** Writes columns now, and tells the row. */
  async save(data: Prisma.ChangeUpdateInput): Promise<ChangeRow> {
    const stored = await this.#database().change.update({ where: { id: this.id }, data, select: rowColumns });
    const row = toRow(stored);
    this.#tell(row);
    return row;
  }

  progress(progress: Progress): void {
    this.#progress = progress;
    this.#throttle.soon();
  }

  log(entry: LogEntry): void {
    this.#logged++;
    if (this.#logged > maxLogRows + 1) return;
    const at = new Date();
    this.#log.push(
      this.#logged > maxLogRows ? { at, level: "warn", message: "change.truncated" } : { at, ...entry },
    );
    this.#throttle.soon();
  }

  /** Durable when it resolves: a resumed change begins from here. */
  async saveCheckpoint(value: unknown): Promise<void> {
    await this.#database().change.update({
      where: { id: this.id },
      data: { checkpoint: JSON.stringify(value) },
      select: { id: true },
    });
  }

  /** Resolves when all progress and log given so far is saved. */
  flush(): Promise<void> {
    return this.#throttle.now();
  }

  async #saveBuffered(): Promise<void> {
    const progress = this.#progress;
    const entries = this.#log;
    if (progress === null && entries.length === 0) return;
    this.#progress = null;
    this.#log = [];
    try {
      await this.save({
        ...(progress === null ? {} : { progress: JSON.stringify(progress) }),
        ...(entries.length === 0
          ? {}
          : {
              log: {
                createMany: {
                  data: entries.map(({ at, level, message, params }) => ({
                    at,
                    level,
                    message,
                    params: params === undefined ? null : JSON.stringify(params),
                  })),
                },
              },
            }),
      });
    } catch (error) {
      this.#progress ??= progress;
      this.#log = [...entries, ...this.#log];
      throw error;
    }
  }
}
