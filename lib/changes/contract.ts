// The Change as the browser sees it: states, levels, rows and filters.
import * as z from "zod";

export const changeStates = [
  "planned",
  "running",
  "verifying",
  "done",
  "failed",
  "cancelled",
  "undone",
  "interrupted",
] as const;
export const changeState = z.enum(changeStates);
export type ChangeState = z.infer<typeof changeState>;
/** How dangerous an act is: done at once, a dialog with its effect, or a typed name. The server checks it too. */
export const changeLevel = z.enum(["reversible", "disruptive", "destructive"]);
export type ChangeLevel = z.infer<typeof changeLevel>;
export const changeOrigin = z.enum(["page", "bookmarklet", "api", "gateway", "replay", "schedule"]);
export const actorType = z.enum(["user", "apikey", "gateway", "system"]);

export const changeProgress = z.object({
  /** Step in the kind's own words, a key under `steps.` in messages. */
  step: z.string(),
  done: z.int(),
  total: z.int(),
});

/** Why a change failed: in English, and as a problem of messages with its values (null: it has none). */
export const changeError = z.object({
  code: z.string(),
  message: z.string(),
  problem: z.string().nullable().default(null),
  params: z.record(z.string(), z.union([z.string(), z.number()])).default({}),
});

export const changeRow = z.object({
  id: z.int(),
  kind: z.string(),
  title: z.string(),
  state: changeState,
  outcome: z.string().nullable(),
  level: changeLevel,
  site: z.string().nullable(),
  actor: z.object({ type: actorType, name: z.string() }),
  origin: changeOrigin,
  reason: z.string().nullable(),
  progress: changeProgress.nullable(),
  error: changeError.nullable(),
  undoOf: z.int().nullable(),
  undoneBy: z.int().nullable(),
  /** UTC, ISO 8601. */
  createdAt: z.iso.datetime(),
  startedAt: z.iso.datetime().nullable(),
  finishedAt: z.iso.datetime().nullable(),
});
export type ChangeRow = z.infer<typeof changeRow>;

export const changeDetail = changeRow.extend({
  targets: z.array(z.string()),
  /** False: input, plan, evidence and log are for a higher role; they are null, and the log is empty. */
  shown: z.boolean(),
  input: z.json(),
  plan: z.json(),
  evidence: z.json().nullable(),
  log: z.array(
    z.object({
      at: z.iso.datetime(),
      level: z.enum(["info", "warn", "error"]),
      message: z.string(),
      params: z.record(z.string(), z.union([z.string(), z.number()])),
    }),
  ),
  /** What this person may do with it now. */
  can: z.object({ cancel: z.boolean(), undo: z.boolean() }),
});
export type ChangeDetail = z.infer<typeof changeDetail>;

export const changeFilter = z.object({
  kind: z.string().optional(),
  actor: z.string().optional(),
  target: z.string().optional(),
  site: z.string().optional(),
  state: changeState.optional(),
  outcome: z.string().optional(),
  from: z.iso.datetime().optional(),
  to: z.iso.datetime().optional(),
  search: z.string().max(200).optional(),
});
export type ChangeFilter = z.infer<typeof changeFilter>;
