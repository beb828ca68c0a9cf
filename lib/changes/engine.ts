// The one engine behind every act: plan, apply, verify, undo, with a durable row from before the first step to the proof.

import type * as z from "zod";
import type { PrismaClient } from "@/generated/prisma/client";
import { db } from "../db/client";
import { AppError, toAppError } from "../errors/app-error";
import { log } from "../runtime/log";
import { singleton } from "../runtime/singleton";
import type { ChangeRow, changeOrigin } from "./contract";
import { type Actor, type ChangeKind, notTakenBack, type RunContext, type Verdict } from "./kind";
import { TargetLocks } from "./locks";
import { ChangeRecord, type LogEntry } from "./record";
import { activeStates, rowColumns, toRow } from "./rows";

export type Origin = z.infer<typeof changeOrigin>;
type AnyKind = ChangeKind<unknown, unknown, unknown>;
export type Description = ReturnType<AnyKind["describe"]>;

export type StartRequest = {
  readonly kind: string;
  readonly input: unknown;
  readonly actor: Actor;
  readonly origin: Origin;
  readonly reason?: string | null;
  /** What was typed; must equal the description's `confirmation` when the level is destructive. */
  readonly confirmation?: string | null;
  readonly requestId?: string | null;
  /** A plan that this server made just now (never one that a client sent); without it a new one is made. */
  readonly plan?: unknown;
};

export type EngineOptions = {
  readonly database?: () => PrismaClient;
  /** How many changes run at once. */
  readonly concurrency?: number;
};

/** A change in this process, waiting or at work. */
type Run = {
  readonly record: ChangeRecord;
  readonly actor: Actor;
  readonly abort: AbortController;
  phase: "waiting" | "applying" | "committed" | "verifying";
  /** Who cancelled it. */
  cancelledBy: string | null;
  /** Lets it begin: its targets are free, or it is to end before it began. */
  readonly begin: () => void;
  finished: Promise<void>;
};

const isCancellable = ({ phase }: Run): boolean => phase === "waiting" || phase === "applying";

const rank = { viewer: 0, editor: 1, operator: 2, admin: 3 } as const;
const maxSearchLength = 2000;

export class ChangeEngine {
  readonly #database: () => PrismaClient;
  readonly #kinds = new Map<string, AnyKind>();
  readonly #runs = new Map<number, Run>();
  readonly #locks: TargetLocks;
  readonly #listeners = new Set<(row: ChangeRow) => void>();
  readonly #onEnd = new Set<(row: ChangeRow, evidence: unknown) => void>();
  readonly #undoing = new Set<number>();
  #stopping = false;

  constructor(options: EngineOptions = {}) {
    this.#database = options.database ?? db;
    this.#locks = new TargetLocks(options.concurrency ?? 16);
  }

  /** Makes a kind known; the same name again replaces it (a module loaded anew in development). */
  register<I, P, E>(kind: ChangeKind<I, P, E>): void {
    this.#kinds.set(kind.kind, kind);
  }

  /** Calls `listener` with the row after every change of it (progress: at most twice a second). Returns the way to stop. */
  onUpdate(listener: (row: ChangeRow) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls `listener` once for each change that has ended, with its evidence (null: none). Returns the way to stop. */
  onEnd(listener: (row: ChangeRow, evidence: unknown) => void): () => void {
    this.#onEnd.add(listener);
    return () => this.#onEnd.delete(listener);
  }

  /** What the act would do. Throws INVALID_INPUT, FORBIDDEN, and what the kind's planner throws. */
  async plan(
    kind: string,
    input: unknown,
    actor: Actor,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<{ plan: unknown; description: Description }> {
    const known = this.#kind(kind);
    const checked = parseInput(known, input);
    known.permit(checked, actor);
    const plan = await known.makePlan(checked, { actor, signal });
    return { plan, description: known.describe(plan) };
  }

  /**
   * Accepts a change: once this resolves with its id, its row is durable, and it runs as soon as its targets are free.
   * Throws INVALID_INPUT, FORBIDDEN, CONFIRMATION_REQUIRED, CONFLICT (Sluice is stopping), DISK_FULL.
   */
  start(request: StartRequest): Promise<number> {
    return this.#start(request, null);
  }

  async #start(request: StartRequest, undoOf: number | null): Promise<number> {
    this.#refuseWhenStopping();
    const kind = this.#kind(request.kind);
    const { actor } = request;
    const input = parseInput(kind, request.input);
    kind.permit(input, actor);
    const signal = new AbortController().signal;
    const plan =
      request.plan === undefined
        ? await kind.makePlan(input, { actor, signal })
        : kind.plan.parse(request.plan);
    const description = kind.describe(plan);
    checkConfirmation(description, request.confirmation ?? null);
    this.#refuseWhenStopping();

    const targets = [...new Set(description.targets)].sort();
    const words = [description.title, actor.name, description.site ?? "", ...targets];
    const created = await this.#database()
      .change.create({
        data: {
          kind: kind.kind,
          title: description.title,
          state: "planned",
          level: description.level,
          site: description.site,
          actorType: actor.type,
          actorId: actor.id,
          actorName: actor.name,
          origin: request.origin,
          reason: request.reason ?? null,
          input: JSON.stringify(input),
          plan: JSON.stringify(plan),
          undoOf,
          requestId: request.requestId ?? null,
          search: words.join(" ").toLowerCase().slice(0, maxSearchLength),
          targets: { createMany: { data: targets.map((target) => ({ target })) } },
        },
        select: rowColumns,
      })
      .catch((error: unknown) => {
        throw toAppError(error);
      });
    const row = toRow(created);
    this.#tell(row);
    this.#enqueue(kind, row.id, plan, targets, actor, null);
    return row.id;
  }

  /** The row once the change has ended, or as it is after `timeoutMs`. Throws NOT_FOUND. */
  async wait(id: number, timeoutMs: number): Promise<ChangeRow> {
    const run = this.#runs.get(id);
    if (run !== undefined) {
      let timer: NodeJS.Timeout | undefined;
      const timeout = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, timeoutMs);
      });
      await Promise.race([run.finished, timeout]);
      clearTimeout(timer);
    }
    return this.#row(id);
  }

  /**
   * Stops a change that waits or is being applied; what it has done stays done.
   * Throws NOT_FOUND, FORBIDDEN, CONFLICT (it has ended, is past the point of no return, or is already being verified).
   */
  async cancel(id: number, actor: Actor): Promise<void> {
    const stored = await this.#stored(id);
    this.#mayCancel(stored, actor);
    const run = this.#runs.get(id);
    if (run === undefined || !isCancellable(run)) {
      throw new AppError("CONFLICT", `Change ${id} can no longer be cancelled: it is ${stored.state}.`, {
        problem: "change.notCancellable",
        params: { id, state: stored.state },
      });
    }
    if (run.cancelledBy !== null) return;
    run.cancelledBy = actor.name;
    run.abort.abort(new AppError("CANCELLED", `Cancelled by ${actor.name}.`));
    if (run.phase !== "waiting") return;
    this.#locks.release(id);
    run.begin();
    await run.finished;
  }

  /**
   * Starts the change that takes this one back, and returns its id.
   * Throws NOT_FOUND, CONFLICT (nothing to undo, or undone before) and what `start` throws.
   */
  async undo(id: number, actor: Actor, confirmation: string | null = null): Promise<number> {
    if (this.#undoing.has(id)) throw alreadyUndone(id);
    this.#undoing.add(id);
    try {
      const stored = await this.#stored(id);
      const inverse = this.#inverse(stored);
      const other = await this.#database().change.findFirst({
        where: { undoOf: id, state: { in: [...activeStates, "done"] } },
        select: { id: true },
      });
      if (other !== null || stored.undoneBy !== null) throw alreadyUndone(id);
      if (inverse === null) {
        throw new AppError("CONFLICT", `Change ${id} cannot be undone.`, {
          problem: "change.notUndoable",
          params: { id },
        });
      }
      return await this.#start({ ...inverse, actor, origin: "page", confirmation }, id);
    } finally {
      this.#undoing.delete(id);
    }
  }

  /** Whether this actor may see input, plan, evidence and log of changes of a kind. One that is not known is for administrators. */
  shows(name: string, actor: Actor): boolean {
    const kind = this.#kinds.get(name);
    return rank[actor.role] >= rank[kind === undefined ? "admin" : (kind.seen ?? "viewer")];
  }

  /** What this actor may do with a change now (null: what could be done at all). */
  async can(id: number, actor: Actor | null): Promise<{ cancel: boolean; undo: boolean }> {
    const stored = await this.#stored(id);
    const run = this.#runs.get(id);
    const allowed = (check: () => void): boolean => {
      try {
        check();
        return true;
      } catch {
        return false;
      }
    };
    const cancel =
      run !== undefined &&
      isCancellable(run) &&
      run.cancelledBy === null &&
      (actor === null || allowed(() => this.#mayCancel(stored, actor)));
    const inverse = stored.undoneBy === null ? this.#inverse(stored) : null;
    const undo =
      inverse !== null &&
      (actor === null ||
        allowed(() => {
          const kind = this.#kind(inverse.kind);
          kind.permit(parseInput(kind, inverse.input), actor);
        }));
    return { cancel, undo };
  }

  /**
   * Adds what became known after a change ended: a node that got its purge later, a verdict that is better now.
   * Throws NOT_FOUND.
   */
  async amend(
    id: number,
    amendment: { readonly outcome?: string; readonly evidence?: unknown; readonly log?: readonly LogEntry[] },
  ): Promise<void> {
    const stored = await this.#stored(id);
    const kind = this.#kind(stored.kind);
    const evidence =
      amendment.evidence === undefined ? undefined : JSON.stringify(kind.evidence.parse(amendment.evidence));
    const entries = amendment.log ?? [];
    const updated = await this.#database().change.update({
      where: { id },
      data: {
        ...(amendment.outcome === undefined ? {} : { outcome: amendment.outcome }),
        ...(evidence === undefined ? {} : { evidence }),
        ...(entries.length === 0 ? {} : { log: { createMany: { data: entries.map(logColumns) } } }),
      },
      select: rowColumns,
    });
    this.#tell(toRow(updated));
  }

  /**
   * Takes up what an earlier process left: changes whose kind resumes are run again from their checkpoint, the others
   * are marked interrupted. Call it once, after all kinds are registered and while the lease is held.
   */
  async recover(): Promise<{ resumed: number; interrupted: number }> {
    const left = await this.#database().change.findMany({
      where: { state: { in: [...activeStates] }, id: { notIn: [...this.#runs.keys()] } },
      orderBy: { id: "asc" },
      include: { targets: { select: { target: true } } },
    });
    let resumed = 0;
    for (const stored of left) {
      const kind = this.#kinds.get(stored.kind);
      const plan = kind?.plan.safeParse(JSON.parse(stored.plan));
      if (kind?.afterCrash === "resume" && plan?.success) {
        await this.#addLog(stored.id, { level: "warn", message: "change.resumed" });
        const targets = stored.targets.map(({ target }) => target);
        const checkpoint: unknown = stored.checkpoint === null ? null : JSON.parse(stored.checkpoint);
        this.#enqueue(kind, stored.id, plan.data, targets, formerActor(stored), checkpoint);
        resumed++;
      } else {
        await this.#addLog(stored.id, { level: "error", message: "change.interrupted" });
        const updated = await this.#database().change.update({
          where: { id: stored.id },
          data: { state: "interrupted", finishedAt: new Date() },
          select: rowColumns,
        });
        const row = toRow(updated);
        this.#tell(row);
        this.#tellEnd(row, null);
      }
    }
    return { resumed, interrupted: left.length - resumed };
  }

  /** Accepts nothing more, gives what runs `graceMs` to end, then leaves it for the next start. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    for (const [id, run] of this.#runs) if (run.phase === "waiting") this.#locks.release(id);
    const working = [...this.#runs.values()].filter((run) => run.phase !== "waiting");
    const within = (ms: number) =>
      Promise.race([
        Promise.all(working.map((run) => run.finished)),
        new Promise((resolve) => setTimeout(resolve, ms)),
      ]);
    if (working.length > 0) await within(graceMs);
    for (const run of working)
      run.abort.abort(new AppError("CANCELLED", "Sluice is stopping.", { problem: "stopping" }));
    if (working.length > 0) await within(2000);
    this.#runs.clear();
  }

  #enqueue(
    kind: AnyKind,
    id: number,
    plan: unknown,
    targets: readonly string[],
    actor: Actor,
    checkpoint: unknown,
  ): void {
    const record = new ChangeRecord(this.#database, id, (row) => this.#tell(row));
    let begin = () => {};
    const admitted = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const run: Run = {
      record,
      actor,
      abort: new AbortController(),
      phase: "waiting",
      cancelledBy: null,
      begin,
      finished: Promise.resolve(),
    };
    this.#runs.set(id, run);
    run.finished = admitted.then(() => this.#execute(kind, run, plan, checkpoint));
    const go = (): void => {
      run.phase = "applying";
      begin();
    };
    if (kind.parallel) go();
    else this.#locks.acquire(id, targets, go);
  }

  /** Never rejects. */
  async #execute(kind: AnyKind, run: Run, plan: unknown, checkpoint: unknown): Promise<void> {
    const { record } = run;
    let kept = checkpoint;
    const context: RunContext = {
      changeId: record.id,
      actor: run.actor,
      signal: run.abort.signal,
      get checkpoint() {
        return kept;
      },
      progress: (step, done, total) => record.progress({ step, done, total }),
      saveCheckpoint: async (value) => {
        await record.saveCheckpoint(value);
        kept = value;
      },
      commit: () => {
        if (run.cancelledBy !== null) run.abort.signal.throwIfAborted();
        run.phase = "committed";
      },
      log: (level, message, params) =>
        record.log({ level, message, ...(params === undefined ? {} : { params }) }),
    };
    try {
      run.abort.signal.throwIfAborted();
      await record.save({ state: "running", startedAt: new Date() });
      await kind.apply(plan, context);
      run.abort.signal.throwIfAborted();
      await record.flush();
      run.phase = "verifying";
      await record.save({ state: "verifying" });
      const verdict: Verdict<unknown> = await kind.verify(plan, context);
      const evidence = kind.evidence.parse(verdict.evidence);
      await this.#end(run, { state: verdict.ok ? "done" : "failed", outcome: verdict.outcome, evidence });
    } catch (error) {
      // A cancel whose way back failed left things neither as they were nor as they should be: that is a failure.
      const halfway = toAppError(error).detail.problem === notTakenBack;
      if (run.cancelledBy !== null && !halfway) {
        await this.#end(run, { state: "cancelled" });
      } else if (this.#stopping && run.abort.signal.aborted) {
        // Left as it is: the next start resumes it or marks it interrupted.
        await record
          .flush()
          .catch((cause: unknown) => log.warn({ err: cause, changeId: record.id }, "progress not saved"));
      } else {
        const { code, message, detail } = toAppError(error);
        const { problem = null, params = {} } = detail;
        if (code === "INTERNAL")
          log.error({ err: error, changeId: record.id, kind: kind.kind }, "change failed");
        await this.#end(run, { state: "failed", error: JSON.stringify({ code, message, problem, params }) });
      }
    } finally {
      this.#locks.release(record.id);
      this.#runs.delete(record.id);
    }
  }

  /** Writes how a change ended, trying again while the database refuses (a full disk): an ended change must be seen to end. */
  async #end(
    run: Run,
    {
      evidence,
      ...final
    }: { state: "done" | "failed" | "cancelled"; outcome?: string; evidence?: unknown; error?: string },
  ): Promise<void> {
    if (run.cancelledBy !== null) {
      run.record.log({ level: "warn", message: "change.cancelled", params: { by: run.cancelledBy } });
    }
    const finishedAt = new Date();
    for (let attempt = 0; ; attempt++) {
      try {
        await run.record.flush();
        const proof = evidence === undefined ? {} : { evidence: JSON.stringify(evidence) };
        const row = await run.record.save({ ...final, ...proof, finishedAt });
        if (row.undoOf !== null && row.state === "done") await this.#markUndone(row.undoOf, row.id);
        this.#tellEnd(row, evidence ?? null);
        break;
      } catch (error) {
        if (attempt === 0)
          log.error({ err: error, changeId: run.record.id }, "the end of a change could not be saved");
        if (this.#stopping) break;
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
    }
    this.#runs.delete(run.record.id);
  }

  async #markUndone(id: number, by: number): Promise<void> {
    const original = await this.#database().change.update({
      where: { id },
      data: { state: "undone", undoneBy: by },
      select: rowColumns,
    });
    this.#tell(toRow(original));
  }

  #inverse(stored: {
    kind: string;
    state: string;
    startedAt: Date | null;
    input: string;
    plan: string;
    evidence: string | null;
  }) {
    const kind = this.#kinds.get(stored.kind);
    const ended = ["done", "failed", "cancelled", "interrupted"].includes(stored.state);
    if (kind?.undo === undefined || !ended || stored.startedAt === null) return null;
    const evidence: unknown = stored.evidence === null ? null : JSON.parse(stored.evidence);
    return kind.undo({ input: JSON.parse(stored.input), plan: JSON.parse(stored.plan), evidence });
  }

  /** One's own changes, or anybody's for operators; and only where one may do such a thing at all. */
  #mayCancel(
    stored: { id: number; kind: string; input: string; actorType: string; actorId: string | null },
    actor: Actor,
  ): void {
    const kind = this.#kind(stored.kind);
    kind.permit(parseInput(kind, JSON.parse(stored.input)), actor);
    const own = stored.actorType === actor.type && stored.actorId === actor.id && actor.id !== null;
    if (own || rank[actor.role] >= rank.operator) return;
    throw new AppError("FORBIDDEN", "Only who began a change, or an operator, may cancel it.", {
      problem: "change.notYours",
    });
  }

  #kind(name: string): AnyKind {
    const kind = this.#kinds.get(name);
    if (kind === undefined) throw new AppError("NOT_FOUND", `There is no act called ${name}.`);
    return kind;
  }

  async #stored(id: number) {
    const stored = await this.#database().change.findUnique({ where: { id } });
    if (stored === null) throw notFound(id);
    return stored;
  }

  async #row(id: number): Promise<ChangeRow> {
    const stored = await this.#database().change.findUnique({ where: { id }, select: rowColumns });
    if (stored === null) throw notFound(id);
    return toRow(stored);
  }

  async #addLog(id: number, entry: LogEntry): Promise<void> {
    await this.#database().changeLog.create({ data: { changeId: id, ...logColumns(entry) } });
  }

  #refuseWhenStopping(): void {
    if (this.#stopping)
      throw new AppError("CONFLICT", "Sluice is stopping: try again in a moment.", { problem: "stopping" });
  }

  #tell(row: ChangeRow): void {
    for (const listener of this.#listeners) this.#call(row.id, () => listener(row));
  }

  #tellEnd(row: ChangeRow, evidence: unknown): void {
    for (const listener of this.#onEnd) this.#call(row.id, () => listener(row, evidence));
  }

  /** A change does not fail for who listens to it. */
  #call(changeId: number, listener: () => void): void {
    try {
      listener();
    } catch (error) {
      log.error({ err: error, changeId }, "a listener to changes threw");
    }
  }
}

/** The process's engine. */
export function engine(): ChangeEngine {
  return singleton("changes.engine", () => new ChangeEngine());
}

function parseInput(kind: AnyKind, input: unknown): unknown {
  const checked = kind.input.safeParse(input);
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0];
  throw new AppError("INVALID_INPUT", issue?.message ?? "The input is not valid.", {
    ...(issue === undefined ? {} : { field: issue.path.join(".") }),
    problem: "input.invalid",
    cause: checked.error,
  });
}

function checkConfirmation(description: Description, typed: string | null): void {
  if (description.level !== "destructive") return;
  const { confirmation } = description;
  if (confirmation === undefined || confirmation === "") {
    throw new AppError("INTERNAL", "A destructive change must name what has to be typed.");
  }
  if (typed === confirmation) return;
  throw new AppError("CONFIRMATION_REQUIRED", `Type "${confirmation}" to confirm.`, {
    problem: "confirmation",
    params: { confirmation },
    field: "confirmation",
  });
}

/** Who began a change before the crash. What they may do was checked then; to new questions they are a viewer of nothing. */
function formerActor(stored: { actorType: string; actorId: string | null; actorName: string }): Actor {
  const type = stored.actorType as Actor["type"];
  return { type, id: stored.actorId, name: stored.actorName, role: "viewer", sites: [], scopes: null };
}

function logColumns(entry: LogEntry): { level: string; message: string; params: string | null } {
  return {
    level: entry.level,
    message: entry.message,
    params: entry.params === undefined ? null : JSON.stringify(entry.params),
  };
}

function notFound(id: number): AppError {
  return new AppError("NOT_FOUND", `There is no change ${id}.`, {
    problem: "change.notFound",
    params: { id },
  });
}

function alreadyUndone(id: number): AppError {
  return new AppError("CONFLICT", `Change ${id} is undone already, or being undone.`, {
    problem: "change.alreadyUndone",
    params: { id },
  });
}
