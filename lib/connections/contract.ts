// Connections as the browser sees them: each system, its state, and why it is not connected.
import * as z from "zod";

export const connection = z.object({
  kind: z.string(),
  /** Null for a kind of which nothing is configured or discovered. */
  name: z.string().nullable(),
  source: z.enum(["config", "discovered", "none"]),
  state: z.enum(["up", "down", "checking", "not_connected"]),
  latencyMs: z.number().nullable(),
  version: z.string().nullable(),
  facts: z.record(z.string(), z.union([z.string(), z.number()])),
  /** UTC of the last look, and of the last good one. */
  at: z.iso.datetime().nullable(),
  lastGood: z.iso.datetime().nullable(),
  /** Code and English message of the failure; `fix` is the line of sluice.yaml that would connect it. */
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  fix: z.string().nullable(),
  /** Purges waiting for this node. */
  waiting: z.int(),
  doctor: z.boolean(),
});
export type Connection = z.infer<typeof connection>;
