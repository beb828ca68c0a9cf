// A deploy as the browser sees it: another image for a container, with what differs, what was watched and how it ended.
import * as z from "zod";
import { toldProblem } from "../../errors/contract";
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
  /** Where that image can be pulled again when the host has it no more (repository@sha256:…). */
  digest: z.string().max(400).optional(),
  /** From the plan that was shown (`imageOf`): another image behind the same tag by now is refused. */
  expectedImage: z.string().max(100).optional(),
  /** How long it is watched after it is healthy, ms. */
  watchMs: z.int().min(1000).max(600_000).default(30_000),
  expected: fingerprint.optional(),
});
export type DeployInput = z.infer<typeof deployInput>;

/** The image that was asked for, as it was found before anything is done. */
export const imageTarget = z.object({
  image: z.string(),
  /** Known before the pull: of a local image, or where the registry says it. */
  imageId: z.string().nullable(),
  /** Of the tag (an index's, where there is one), and of the image for this platform. */
  digest: z.string().nullable(),
  platformDigest: z.string().nullable().default(null),
  size: z.number().nullable(),
  createdAt: z.iso.datetime().nullable(),
  /** It is on the host already and is not pulled. */
  local: z.boolean(),
  /** What is pulled in its place and then named `image`: the digest of an earlier deploy. */
  pull: z.string().nullable().default(null),
});
export type ImageTarget = z.infer<typeof imageTarget>;
/** One word for the image behind a plan, to be given back as `expectedImage`. */
export const imageOf = ({ digest, imageId }: ImageTarget): string | undefined =>
  digest ?? imageId ?? undefined;

const named = z.object({ name: z.string(), what: z.enum(["added", "removed", "changed"]) });
/** What the image itself brings or takes; of the environment the names only. Null where it is not known before the pull. */
export const imageChanges = { env: z.array(named).nullable(), labels: z.array(named).nullable() };

export const deployPlan = z.object({
  host: z.string(),
  container: fingerprint.extend({
    id: z.string(),
    project: z.string().nullable(),
    service: z.string().nullable(),
    healthCheck: z.boolean(),
  }),
  from: z.object({ image: z.string(), imageId: z.string(), digest: z.string().nullable() }),
  to: imageTarget,
  ...imageChanges,
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
  /** Why there are no tags. */
  problem: toldProblem.nullable(),
  earlier: z.array(
    z.object({
      change: z.int(),
      at: z.iso.datetime(),
      image: z.string(),
      imageId: z.string(),
      digest: z.string().nullable(),
      outcome: z.string().nullable(),
    }),
  ),
});
export type DeployChoices = z.infer<typeof deployChoices>;
