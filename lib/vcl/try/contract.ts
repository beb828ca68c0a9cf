// A revision served to one browser only, as the browser of Sluice sees it: what is asked for, planned, proved, and what runs now.
import * as z from "zod";
import { toldProblem } from "../../errors/contract";
import { clusterName, revisionNumber } from "../contract";

export const mostMinutes = 24 * 60;

export const tryInput = z.object({
  cluster: clusterName,
  revision: revisionNumber,
  /** It ends by itself after so long. */
  minutes: z.int().min(1).max(mostMinutes).default(60),
  /** From the plan that was shown: hashes of what each node ran. What runs now and differs is refused. */
  expected: z.record(z.string(), z.string()).optional(),
});
export type TryInput = z.infer<typeof tryInput>;
export const tryRequest = tryInput.extend({ reason: z.string().trim().max(500).optional() });

export const tryPlan = z.object({
  cluster: z.string(),
  revision: revisionNumber,
  minutes: z.int(),
  nodes: z.array(
    z.object({
      node: z.string(),
      /** What everybody else goes on getting. */
      before: z.object({ name: z.string(), hash: z.string(), revision: revisionNumber.nullable() }),
    }),
  ),
  /** Nodes without a management address: they serve everybody the same. */
  without: z.array(z.string()),
});
export type TryPlan = z.infer<typeof tryPlan>;

/** A node's answers to one page: which revision its header names, with the trial's secret and without. */
export const tryEvidence = z.object({
  change: z.int(),
  nodes: z.array(
    z.object({
      node: z.string(),
      ok: z.boolean(),
      page: z.string(),
      with: z.object({ status: z.int(), revision: z.string().nullable() }).nullable(),
      without: z.object({ status: z.int(), revision: z.string().nullable() }).nullable(),
      problem: toldProblem.nullable(),
    }),
  ),
});
export type TryEvidence = z.infer<typeof tryEvidence>;

/** Why it ends: somebody wants it to, its time is over, or a node serves something else by now. */
export const tryEndReason = z.enum(["hand", "time", "replaced"]);

export const tryEndInput = z.object({
  cluster: clusterName,
  /** The change that began it: never another one than was looked at. */
  change: z.int().min(1),
  why: tryEndReason.default("hand"),
});
export type TryEndInput = z.infer<typeof tryEndInput>;
export const tryEndPlan = tryEndInput.extend({ revision: revisionNumber, nodes: z.array(z.string()) });
export type TryEndPlan = z.infer<typeof tryEndPlan>;
export const tryEndEvidence = z.object({
  nodes: z.array(
    z.object({
      node: z.string(),
      /** Whether it serves everybody the same again. */
      ok: z.boolean(),
      active: z.string().nullable(),
      problem: toldProblem.nullable(),
    }),
  ),
});
export type TryEndEvidence = z.infer<typeof tryEndEvidence>;

/** The trial of a cluster that runs now. */
export const vclTrial = z.object({
  change: z.int(),
  cluster: z.string(),
  revision: revisionNumber,
  by: z.string(),
  startedAt: z.iso.datetime(),
  endsAt: z.iso.datetime(),
  /** For who began it, and nobody else: the header that gets the draft, and where the browser gets its cookie. */
  secret: z
    .object({
      header: z.object({ name: z.string(), value: z.string() }),
      sites: z.array(z.object({ site: z.string(), enter: z.url(), leave: z.url() })),
    })
    .nullable(),
});
export type VclTrial = z.infer<typeof vclTrial>;
