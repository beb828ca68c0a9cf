// Marks changes in Grafana: when one begins, and how it ended. What is to be told is on disk; telling it never holds a change up.
import type { ChangeRow } from "../changes/contract";
import { activeStates, rowColumns, toRow } from "../changes/rows";
import type { Config } from "../config/schema";
import { db } from "../db/client";
import { toAppError } from "../errors/app-error";
import { log } from "../runtime/log";
import { createAnnotation, findAnnotation, updateAnnotation } from "../systems/grafana/annotations";
import { isMarked, markOf, tagOf, verdictOf } from "./mark";

export type AnnotatorOptions = {
  readonly config: () => Config;
  /** Wait after the first failure, in ms; it doubles with each. */
  readonly firstWaitMs?: number;
  /** Times that one change is tried to be told. */
  readonly mostAttempts?: number;
};

type Grafana = Config["systems"]["grafana"][number];
type Row = {
  readonly changeId: number;
  readonly grafana: string | null;
  readonly grafanaId: number | null;
  readonly revision: number;
  readonly attempts: number;
};

const longestWaitMs = 60_000;
/** What could not be told for so long is of no use to anybody who looks at a dashboard. */
const oldMs = 24 * 3_600_000;
const activeState: ReadonlySet<string> = new Set(activeStates);

export class Annotator {
  readonly #config: () => Config;
  readonly #firstWaitMs: number;
  readonly #mostAttempts: number;
  /** Changes whose beginning is noted: their progress needs no look at the database. */
  readonly #begun = new Set<number>();
  readonly #stopped = new AbortController();
  /** Notes are written in the order of what happened. */
  #noting: Promise<void> = Promise.resolve();
  #telling: Promise<void> | null = null;
  #again = false;
  #timer: NodeJS.Timeout | undefined;
  /** Failures in a row, whichever change they were about. */
  #failures = 0;
  #restUntil = 0;

  constructor({ config, firstWaitMs = 1000, mostAttempts = 20 }: AnnotatorOptions) {
    this.#config = config;
    this.#firstWaitMs = firstWaitMs;
    this.#mostAttempts = mostAttempts;
  }

  /** Takes up what an earlier process left: ends it did not see, and marks of which it did not learn whether they were made. */
  async open(): Promise<void> {
    await db().annotation.updateMany({
      where: { pending: true, grafanaId: null },
      data: { attempts: { increment: 1 } },
    });
    await db().annotation.updateMany({
      where: {
        pending: false,
        told: { in: [...activeStates] },
        change: { state: { notIn: [...activeStates] } },
      },
      data: { pending: true, attempts: 0, nextAttemptAt: new Date(), revision: { increment: 1 } },
    });
    this.wake();
  }

  /** Takes no more, and leaves what is not told for the next start. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    clearTimeout(this.#timer);
    await this.#noting;
    await this.#telling;
  }

  /** Notes what a change has become. Returns at once. */
  see(row: ChangeRow): void {
    const grafana = this.#grafana();
    if (grafana === null || row.startedAt === null || !isMarked(row.kind, grafana.annotate)) return;
    if (activeState.has(row.state)) {
      if (this.#begun.has(row.id)) return;
      this.#begun.add(row.id);
    } else this.#begun.delete(row.id);
    this.#noting = this.#noting
      .then(() => this.#note(row.id, verdictOf(row)))
      .then(() => this.wake())
      .catch((error: unknown) => log.warn({ err: error, changeId: row.id }, "a mark could not be noted"));
  }

  /** Tells what is due now. */
  wake(): void {
    if (this.#stopped.signal.aborted) return;
    this.#again = true;
    this.#telling ??= this.#tellAll()
      .catch((error: unknown) => log.error({ err: error }, "changes could not be marked in Grafana"))
      .finally(() => {
        this.#telling = null;
        // Woken between its last look and now.
        if (this.#again) this.wake();
      });
  }

  /** Only with credentials: nobody else may make annotations. */
  #grafana(): Grafana | null {
    const [grafana] = this.#config().systems.grafana;
    return grafana !== undefined && (grafana.token !== undefined || grafana.username !== undefined)
      ? grafana
      : null;
  }

  /** Nothing, where Grafana shows it so already: only its log or its proof has grown. */
  async #note(changeId: number, verdict: string): Promise<void> {
    const due = { pending: true, attempts: 0, nextAttemptAt: new Date() };
    const noted = await db().annotation.findUnique({ where: { changeId }, select: { told: true } });
    if (noted === null) await db().annotation.create({ data: { changeId, ...due } });
    else if (noted.told !== verdict)
      await db().annotation.update({ where: { changeId }, data: { ...due, revision: { increment: 1 } } });
  }

  async #tellAll(): Promise<void> {
    clearTimeout(this.#timer);
    while (this.#again && !this.#stopped.signal.aborted) {
      this.#again = false;
      const grafana = this.#grafana();
      if (grafana === null) return;
      for (;;) {
        const now = Date.now();
        if (this.#stopped.signal.aborted || now < this.#restUntil) break;
        const row = await db().annotation.findFirst({
          where: { pending: true, nextAttemptAt: { lte: new Date(now) } },
          orderBy: [{ nextAttemptAt: "asc" }, { changeId: "asc" }],
        });
        if (row === null) break;
        await this.#tell(grafana, row);
      }
    }
    await this.#sleep();
  }

  async #sleep(): Promise<void> {
    const next = await db().annotation.findFirst({
      where: { pending: true },
      orderBy: { nextAttemptAt: "asc" },
      select: { nextAttemptAt: true },
    });
    if (next === null || this.#stopped.signal.aborted) return;
    const at = Math.max(next.nextAttemptAt.getTime(), this.#restUntil);
    this.#timer = setTimeout(() => this.wake(), Math.max(0, at - Date.now())).unref();
  }

  async #tell(grafana: Grafana, row: Row): Promise<void> {
    const { changeId } = row;
    try {
      const { id, verdict } = await this.#send(grafana, row);
      // In one statement: what was noted meanwhile stays to be told.
      await db().$executeRaw`
        UPDATE "Annotation" SET "grafana" = ${grafana.url}, "grafanaId" = ${id}, "told" = ${verdict},
          "attempts" = 0, "pending" = ("revision" <> ${row.revision}) WHERE "changeId" = ${changeId}`;
      if (this.#failures > 0) log.info({ system: grafana.name }, "Grafana takes the marks of changes again");
      this.#failures = 0;
    } catch (thrown) {
      if (this.#stopped.signal.aborted) return;
      await this.#failed(grafana, row, thrown);
    }
  }

  /** Makes the mark, or writes it anew: Grafana's id of it, and how it shows the change. */
  async #send(grafana: Grafana, row: Row): Promise<{ id: number; verdict: string }> {
    const { signal } = this.#stopped;
    const stored = await db().change.findUniqueOrThrow({ where: { id: row.changeId }, select: rowColumns });
    const change = toRow(stored);
    const verdict = verdictOf(change);
    const mark = markOf(change, this.#config().server.url);
    let id = row.grafana === grafana.url ? row.grafanaId : null;
    // What was tried before may be there all the same: only the answer was lost.
    if (id === null && (row.attempts > 0 || row.revision > 1))
      id = await findAnnotation(grafana, tagOf(row.changeId), signal);
    if (id === null) return { id: await createAnnotation(grafana, mark, signal), verdict };
    // Somebody may have taken it away: then it stays away.
    await updateAnnotation(grafana, id, mark, signal);
    return { id, verdict };
  }

  async #failed(grafana: Grafana, row: Row, thrown: unknown): Promise<void> {
    const { code, message } = toAppError(thrown);
    const { changeId } = row;
    if (this.#failures === 0)
      log.warn({ code, changeId, system: grafana.name }, `changes are not marked in Grafana: ${message}`);
    const attempts = row.attempts + 1;
    // A refusal is about this one, and will be the same the next time.
    const givenUp = code === "REFUSED" || attempts >= this.#mostAttempts;
    const wait = (failures: number) => Math.min(this.#firstWaitMs * 2 ** (failures - 1), longestWaitMs);
    if (code !== "REFUSED") {
      this.#failures++;
      this.#restUntil = Date.now() + wait(this.#failures);
    }
    await db().annotation.updateMany({
      where: { changeId, revision: row.revision },
      data: { attempts, pending: !givenUp, nextAttemptAt: new Date(Date.now() + wait(attempts)) },
    });
    await db().annotation.updateMany({
      where: { pending: true, change: { createdAt: { lt: new Date(Date.now() - oldMs) } } },
      data: { pending: false },
    });
  }
}
