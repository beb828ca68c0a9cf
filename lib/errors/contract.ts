// A problem as data: the key of a message with the values that fill it, for what is answered or kept and shown later.
import * as z from "zod";

export const toldProblem = z.object({
  /** Key under `problems.` in messages/*.json. */
  problem: z.string(),
  params: z.record(z.string(), z.union([z.string(), z.number()])),
});
export type ToldProblem = z.infer<typeof toldProblem>;
