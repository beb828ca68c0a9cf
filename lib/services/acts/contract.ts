// Acts on containers as the browser sees them: what is asked, what would happen, what came of it.
import * as z from "zod";
import { changeLevel } from "../../changes/contract";
import { containerRef } from "../contract";

export const serviceActs = ["start", "stop", "restart", "pause", "unpause", "kill", "remove"] as const;
export const serviceAct = z.enum(serviceActs);
export type ServiceAct = z.infer<typeof serviceAct>;

/** How a container was when the plan was made. */
export const fingerprint = z.object({
  name: z.string(),
  state: z.string(),
  imageId: z.string(),
  startedAt: z.string(),
  restarts: z.int(),
});
export type Fingerprint = z.infer<typeof fingerprint>;

export const actTarget = z.discriminatedUnion("by", [
  z.object({ by: z.literal("containers"), ids: z.array(containerRef).min(1).max(200) }),
  /** Every container of a Compose project. */
  z.object({ by: z.literal("project"), project: z.string().min(1).max(200) }),
  /** Every container that consumes messages, of one project or of all. */
  z.object({ by: z.literal("workers"), project: z.string().min(1).max(200).optional() }),
]);
export const actInput = z.object({
  host: z.string().min(1).max(100),
  act: serviceAct,
  target: actTarget,
  /** From the plan that was shown, by container id: what differs now is refused. */
  expected: z.record(z.string(), fingerprint).optional(),
});
export type ActInput = z.infer<typeof actInput>;

export const actPlan = z.object({
  host: z.string(),
  act: serviceAct,
  title: z.string(),
  /** In the order in which they are acted on. */
  containers: z.array(
    fingerprint.extend({
      id: z.string(),
      project: z.string().nullable(),
      service: z.string().nullable(),
      /** Nothing is to be done: it is so already. */
      already: z.boolean(),
      healthCheck: z.boolean(),
    }),
  ),
  /** Containers that need one of these, and are not among them. */
  neededBy: z.array(z.string()),
  /** Left out because Sluice itself runs in it. */
  self: z.string().nullable(),
  /** Left out because Sluice reaches the engine through it. */
  way: z.string().nullable().default(null),
  /** Of a group: what does not run, and is therefore not restarted or paused. */
  idle: z.array(z.string()).default([]),
  level: changeLevel,
  confirmation: z.string().nullable(),
});
export type ActPlan = z.infer<typeof actPlan>;

export const actEvidence = z.object({
  containers: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      ok: z.boolean(),
      before: z.string(),
      /** "gone" when there is no such container any more. */
      after: z.string(),
      health: z.string().nullable(),
      exitCode: z.int().nullable(),
      startedAt: z.iso.datetime().nullable(),
    }),
  ),
});
export type ActEvidence = z.infer<typeof actEvidence>;

export const actRequest = actInput.extend({
  confirmation: z.string().max(300).optional(),
  reason: z.string().max(500).optional(),
});
