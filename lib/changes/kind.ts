// What a domain gives the engine for each act; everything else about a Change is the engine's.
import type * as z from "zod";
import type { ChangeLevel } from "./contract";

export type Role = "viewer" | "editor" | "operator" | "admin";
/** Who acts. `sites` is null when every site is allowed. `scopes` null: a person; else an API key's. */
export type Actor = {
  readonly type: "user" | "apikey" | "gateway" | "system";
  readonly id: string | null;
  readonly name: string;
  readonly role: Role;
  readonly sites: readonly string[] | null;
  readonly scopes: readonly ("read" | "purge" | "all")[] | null;
};

export type PlanContext = { readonly actor: Actor; readonly signal: AbortSignal };

/** The problem of what `apply` throws when a cancelled or failed act could not be taken back: it never counts as "cancelled". */
export const notTakenBack = "change.notTakenBack";

export type RunContext = {
  readonly changeId: number;
  readonly actor: Actor;
  /** Aborts when somebody cancels or Sluice stops. Look at it between steps. */
  readonly signal: AbortSignal;
  /** What `saveCheckpoint` last kept, in this run or before a crash; or null. */
  readonly checkpoint: unknown;
  /** Saved at most twice a second; the last call always is. */
  progress(step: string, done: number, total: number): void;
  saveCheckpoint(value: unknown): Promise<void>;
  /** From here on it cannot be cancelled: what remains must be done. Throws CANCELLED when somebody was faster. */
  commit(): void;
  log(level: "info" | "warn" | "error", message: string, params?: Record<string, string | number>): void;
};

export type Verdict<E> = {
  /** False fails the change, with `outcome` as the reason in one word. */
  readonly ok: boolean;
  readonly outcome: string;
  readonly evidence: E;
};

export type ChangeKind<I, P, E> = {
  readonly kind: string;
  readonly input: z.ZodType<I>;
  readonly plan: z.ZodType<P>;
  readonly evidence: z.ZodType<E>;
  /** The lowest role that may see its input, plan, evidence and log; a viewer when left out. */
  readonly seen?: Role;
  /** Throws AppError FORBIDDEN when this actor may not do this. */
  permit(input: I, actor: Actor): void;
  makePlan(input: I, context: PlanContext): Promise<P>;
  describe(plan: P): {
    title: string;
    site: string | null;
    level: ChangeLevel;
    /** What must be typed when level is destructive. */
    confirmation?: string;
    /** Locked while it runs, and what history is filtered by. */
    targets: readonly string[];
  };
  apply(plan: P, context: RunContext): Promise<void>;
  verify(plan: P, context: RunContext): Promise<Verdict<E>>;
  /** The input of the change that takes this one back (another change of `kind`), or null when there is none. */
  undo?(change: { input: I; plan: P; evidence: E | null }): { kind: string; input: unknown } | null;
  /** True: runs at once, beside others with the same targets; its acts commute and may be repeated (purges). */
  readonly parallel?: boolean;
  /** After a crash: run apply again (it is idempotent) or mark it interrupted. */
  readonly afterCrash: "resume" | "interrupted";
};
