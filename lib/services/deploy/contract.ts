// A deploy as the browser sees it: another image for a container, with what differs, what was watched and how it ended.
import * as z from "zod";
import { fingerprint } from "../acts/contract";
import { containerRef, logLine } from "../contract";

export const deployInput = z.object({
  host: z.string().min(1).max(100),
  id: containerRef,
  /** "nginx:1.28", "registry:5000/app@sha256:…"; a tag alone (":1.28" or "1.28") is of the same repository. */
  image: z.string().trim().min(1).max(400),
  /** The image's id (sha256:…), to go back to what ran before: the tag may name another image by now. */
  imageId: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/)
    .optional(),
  /** How long it is watched after it is healthy, ms. */
  watchMs: z.int().min(1000).max(600_000).default(30_000),
  expected: fingerprint.optional(),
});
export type DeployInput = z.infer<typeof deployInput>;

const named = z.object({ name: z.string(), what: z.enum(["added", "removed", "changed"]) });

export const deployPlan = z.object({
  host: z.string(),
  container: fingerprint.extend({
    id: z.string(),
    project: z.string().nullable(),
    service: z.string().nullable(),
    healthCheck: z.boolean(),
  }),
  from: z.object({ image: z.string(), imageId: z.string(), digest: z.string().nullable() }),
  to: z.object({
    image: z.string(),
    /** Known before the pull: of a local image, or where the registry says it. */
    imageId: z.string().nullable(),
    digest: z.string().nullable(),
    size: z.number().nullable(),
    createdAt: z.iso.datetime().nullable(),
    /** It is on the host already and is not pulled. */
    local: z.boolean(),
  }),
  /** What the image itself brings or takes; of the environment the names only. Null where it is not known before the pull. */
  env: z.array(named).nullable(),
  labels: z.array(named).nullable(),
  /** Running containers that need this one. */
  neededBy: z.array(z.string()),
  /** Compose's file names the old image: its next `up` would take this back. */
  compose: z.boolean(),
  watchMs: z.int(),
});
export type DeployPlan = z.infer<typeof deployPlan>;

export const deployEvidence = z.object({
  outcome: z.enum(["deployed", "rolledBack"]),
  /** Why it was rolled back, as a key under `services.bad.`, with what was seen. */
  reason: z.string().nullable(),
  detail: z.string().nullable(),
  container: z
    .object({
      id: z.string(),
      image: z.string(),
      imageId: z.string(),
      state: z.string(),
      health: z.string().nullable(),
      startedAt: z.iso.datetime().nullable(),
    })
    .nullable(),
  /** Settings of the new container that are not those of the old one, by path; empty is what we want. */
  differs: z.array(z.string()),
  /** From the stop of the old one until the new one was started, ms. */
  downMs: z.int().nullable(),
  watchedMs: z.int(),
  /** Error lines it wrote while it was watched, and the old one in the same time before. */
  errors: z.int(),
  errorsBefore: z.int(),
  /** The last words of the one that was not good. */
  lines: z.array(logLine),
});
export type DeployEvidence = z.infer<typeof deployEvidence>;

export const deployRequest = deployInput.extend({ reason: z.string().max(500).optional() });

/** What can be deployed for a container: its repository's tags, and what it ran before. */
export const deployChoices = z.object({
  image: z.string(),
  /** Newer versions of the same shape first, then the others. */
  tags: z.array(z.string()),
  newer: z.array(z.string()),
  whole: z.boolean(),
  /** Why there are no tags, as a key under `problems.`, with its values. */
  problem: z
    .object({ problem: z.string(), params: z.record(z.string(), z.union([z.string(), z.number()])) })
    .nullable(),
  earlier: z.array(
    z.object({
      change: z.int(),
      at: z.iso.datetime(),
      image: z.string(),
      imageId: z.string(),
      outcome: z.string().nullable(),
    }),
  ),
});
export type DeployChoices = z.infer<typeof deployChoices>;
