// A toy act for the engine's tests: it counts in a file, as slowly as it is told to, and can be resumed.
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { AppError } from "../errors/app-error";
import { type ChangeKind, notTakenBack } from "./kind";

export const toyInput = z.object({
  file: z.string(),
  from: z.int(),
  to: z.int(),
  stepMs: z.int().default(0),
  targets: z.array(z.string()).default(["toy"]),
  level: z.enum(["reversible", "disruptive", "destructive"]).default("reversible"),
  ends: z.enum(["well", "unproven", "throws", "notTakenBack"]).default("well"),
  /** Goes on although it is told to stop. */
  deaf: z.boolean().default(false),
  /** The number from which on it cannot be cancelled. */
  commitsAt: z.int().optional(),
});
export type ToyInput = z.infer<typeof toyInput>;
const toyEvidence = z.object({ counted: z.int() });

export function toyKind(
  afterCrash: "resume" | "interrupted",
  name = "toy",
): ChangeKind<ToyInput, ToyInput, z.infer<typeof toyEvidence>> {
  return {
    kind: name,
    input: toyInput,
    plan: toyInput,
    evidence: toyEvidence,
    afterCrash,
    permit(_input, actor) {
      if (actor.role === "viewer") throw new AppError("FORBIDDEN", "Viewers look only.");
    },
    makePlan: async (input) => input,
    describe: (plan) => ({
      title: `Count to ${plan.to}`,
      site: null,
      level: plan.level,
      ...(plan.level === "destructive" ? { confirmation: "count" } : {}),
      targets: plan.targets,
    }),
    async apply(plan, context) {
      const start = z.int().nullable().parse(context.checkpoint) ?? plan.from;
      for (let n = start; n < plan.to; n++) {
        if (n === plan.commitsAt) context.commit();
        if (plan.ends === "notTakenBack" && context.signal.aborted)
          throw new AppError("UNREACHABLE", "It could not be counted back.", { problem: notTakenBack });
        if (!plan.deaf) context.signal.throwIfAborted();
        appendFileSync(plan.file, `${n}\n`);
        await context.saveCheckpoint(n + 1);
        context.progress("counting", n + 1 - plan.from, plan.to - plan.from);
        context.log("info", "toy.counted", { n });
        if (plan.stepMs > 0) await sleep(plan.stepMs);
      }
      if (plan.ends === "throws")
        throw new AppError("UNREACHABLE", "The abacus is gone.", {
          problem: "change.notFound",
          params: { id: plan.to },
        });
    },
    verify: async (plan) => ({
      ok: plan.ends === "well",
      outcome: plan.ends === "well" ? "counted" : "miscounted",
      evidence: { counted: plan.to - plan.from },
    }),
    undo: ({ input }) => ({ kind: name, input: { ...input, from: -input.to, to: -input.from } }),
  };
}
