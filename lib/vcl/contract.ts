// VCL as the browser sees it: clusters and what their nodes run, revisions, what the compiler says, roll-outs.
import * as z from "zod";
import { toldProblem } from "../errors/contract";

const mostText = 1024 * 1024;

/** A file of a VCL. The first one of a revision is the main one; the others are what it includes, by name. */
export const vclFile = z.object({
  name: z
    .string()
    .min(1)
    .max(200)
    .regex(/^[A-Za-z0-9_./-]+$/, "letters, digits, . _ - and /")
    .refine((name) => !name.split("/").includes(".."), "no .."),
  // NUL cannot be said to a node.
  text: z
    .string()
    .max(mostText)
    .refine((text) => !text.includes("\u0000"), "no NUL"),
});
export type VclFile = z.infer<typeof vclFile>;

export const vclFiles = z
  .array(vclFile)
  .min(1)
  .max(50)
  .refine((files) => new Set(files.map(({ name }) => name)).size === files.length, "two files of one name")
  .refine((files) => files.reduce((sum, { text }) => sum + text.length, 0) <= mostText, "over 1 MB");

const headerName = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[!#$%&'*+.^_`|~\w-]+$/, "a header's name");
const headerValue = z
  .string()
  .max(2000)
  .regex(/^[\t\x20-\x7e]*$/, "plain text on one line");

/** A request that is sent twice through a throw-away Varnish, and what the second answer must be. */
export const vclTest = z.object({
  name: z.string().trim().min(1).max(200),
  request: z.object({
    method: z.enum(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE", "BAN", "PEEK"]),
    host: z
      .string()
      .min(1)
      .max(253)
      .regex(/^[\x21-\x7e]+$/, "a host name"),
    /** Path and query. */
    path: z
      .string()
      .max(4000)
      .regex(/^\/[\x21-\x7e]*$/, "a path that begins with /"),
    headers: z
      .array(z.object({ name: headerName, value: headerValue }))
      .max(50)
      .default([]),
  }),
  /** What the backend answers. */
  backend: z
    .object({
      status: z.int().min(200).max(599).default(200),
      headers: z
        .array(z.object({ name: headerName, value: headerValue }))
        .max(50)
        .default([]),
    })
    .prefault({}),
  expect: z.object({
    /** How the second request was answered. */
    cache: z.enum(["hit", "miss", "pass", "synth", "pipe"]).optional(),
    /** The backend's name in the VCL that was asked. */
    backend: z.string().max(200).optional(),
    status: z.int().min(100).max(999).optional(),
    /** Headers of the answer: a value, or null where there must be none. */
    headers: z
      .array(z.object({ name: headerName, value: headerValue.nullable() }))
      .max(50)
      .default([]),
  }),
});
export type VclTest = z.infer<typeof vclTest>;
export const vclTests = z.array(vclTest).max(100);

export const vclTestResult = z.object({
  name: z.string(),
  ok: z.boolean(),
  /** Each thing that was expected, with what was. */
  checks: z.array(z.object({ what: z.string(), expected: z.string(), seen: z.string(), ok: z.boolean() })),
  /** Why it could not be run. */
  problem: toldProblem.nullable(),
});
export type VclTestResult = z.infer<typeof vclTestResult>;

/** Something to be marked in the editor: from one place to another of a file, lines and columns from 1. */
export const vclProblem = z.object({
  severity: z.enum(["error", "warning"]),
  /** Nodes whose compiler says so; empty: Sluice's own warning. */
  nodes: z.array(z.string()),
  file: z.string(),
  line: z.int(),
  column: z.int(),
  endLine: z.int(),
  endColumn: z.int(),
  /** The compiler's own words, in English; null for a warning of ours. */
  says: z.string().nullable(),
  /** A key of messages `vcl.warnings`, for a warning of ours. */
  warning: z.string().nullable(),
});
export type VclProblem = z.infer<typeof vclProblem>;

export const clusterName = z.string().min(1).max(100);
export const revisionNumber = z.int().min(1);

/** A revision without its text. */
export const revisionRow = z.object({
  number: revisionNumber,
  parent: revisionNumber.nullable(),
  author: z.string(),
  reason: z.string().nullable(),
  /** "found": it ran on a node before Sluice rolled anything out, or somebody else brought it there. */
  origin: z.enum(["saved", "found"]),
  /** UTC, ISO 8601. */
  at: z.iso.datetime(),
  bytes: z.int(),
  tests: z.int(),
  /** Nodes that were proved to run it, as far as Sluice knows now. */
  nodes: z.array(z.string()),
  /** The newest roll-out of it that ended well: its change. */
  applied: z.object({ change: z.int(), by: z.string(), at: z.iso.datetime() }).nullable(),
});
export type RevisionRow = z.infer<typeof revisionRow>;
export const revision = revisionRow.extend({ files: vclFiles, tests: vclTests });
export type Revision = z.infer<typeof revision>;

/** What a node runs, compared with what was rolled out to it. */
export const nodeVcl = z.object({
  node: z.string(),
  /** "none": sluice.yaml gives no management address for it. */
  state: z.enum(["checking", "up", "down", "none"]),
  problem: toldProblem.nullable(),
  /** The active VCL's name on the node. */
  active: z.string().nullable(),
  /** The revision whose text this is; null where none is. */
  revision: revisionNumber.nullable(),
  /** What was rolled out to it last; null: nothing was. */
  expected: revisionNumber.nullable(),
  /** The text is not the one that was rolled out: since when it is seen so. */
  driftSince: z.iso.datetime().nullable(),
  /** The file it starts with: not known to Sluice, the same text as expected, another one, not there, or not readable. */
  file: z.enum(["none", "same", "other", "missing", "unreadable"]),
  /** When this was seen. */
  at: z.iso.datetime().nullable(),
});
export type NodeVcl = z.infer<typeof nodeVcl>;

export const cluster = z.object({
  name: z.string(),
  nodes: z.array(nodeVcl),
  /** The newest revision's number; null: there is none yet. */
  newest: revisionNumber.nullable(),
});
export type Cluster = z.infer<typeof cluster>;

export const runningVcl = z.object({
  node: z.string(),
  active: z.string(),
  files: vclFiles,
  revision: revisionNumber.nullable(),
});
export type RunningVcl = z.infer<typeof runningVcl>;

export const vclDraft = z.object({ cluster: clusterName, files: vclFiles });
export const savedVcl = vclDraft.extend({
  tests: vclTests.default([]),
  /** The newest revision when the work on it began (null: there was none): saved by somebody else meanwhile, it is refused. */
  newest: revisionNumber.nullable(),
  parent: revisionNumber.nullable(),
  reason: z.string().trim().max(500).optional(),
});
export type SavedVcl = z.infer<typeof savedVcl>;

export const vclChecked = z.object({
  problems: z.array(vclProblem),
  nodes: z.array(
    z.object({
      node: z.string(),
      state: z.enum(["compiles", "refuses", "down"]),
      ms: z.int(),
      problem: toldProblem.nullable(),
    }),
  ),
});
export type VclChecked = z.infer<typeof vclChecked>;

const watchSeconds = z.int().min(0).max(600);

export const rolloutInput = z.object({
  cluster: clusterName,
  /** By node: what it shall run. An undo may bring different ones back to different nodes. */
  revisions: z
    .record(z.string().min(1).max(100), revisionNumber)
    .refine((nodes) => Object.keys(nodes).length > 0),
  /** Which node serves it first, and alone while it is watched; null: all at once. */
  canary: z.string().max(100).nullable().default(null),
  watchS: watchSeconds.default(30),
  /** From the plan that was shown: hashes of what each node ran. What runs now and differs is refused. */
  expected: z.record(z.string(), z.string()).optional(),
  /** An undo: what ran before needs no tests, and nodes that do not answer do not keep it from the others. */
  back: z.boolean().optional(),
});
export type RolloutInput = z.infer<typeof rolloutInput>;

export const rolloutRequest = rolloutInput
  .omit({ back: true })
  .extend({ reason: z.string().trim().max(500).optional() });

export const rolloutPlan = z.object({
  cluster: z.string(),
  nodes: z.array(
    z.object({
      node: z.string(),
      revision: revisionNumber,
      /** SHA-256 of the text it shall run. */
      hash: z.string(),
      before: z.object({ name: z.string(), hash: z.string(), revision: revisionNumber.nullable() }),
      /** Whether it runs that text already. */
      already: z.boolean(),
      /** Whether its file is written, so that a restart keeps it. */
      keeps: z.boolean(),
    }),
  ),
  /** Nodes of the cluster that are left out. */
  without: z.array(z.string()),
  /** Nodes that did not answer, of an undo: they keep what they have. */
  silent: z.array(z.object({ node: z.string(), revision: revisionNumber, problem: toldProblem })),
  canary: z.string().nullable(),
  watchS: watchSeconds,
  /** What the canary is watched by. */
  watched: z.object({ pages: z.array(z.string()), counters: z.boolean() }),
  tests: z.int(),
});
export type RolloutPlan = z.infer<typeof rolloutPlan>;

/** What was seen of a canary; counts are of the time it was watched. Null: nothing tells. */
export const canarySignals = z.object({
  seconds: z.number(),
  pages: z
    .object({ asked: z.int(), failed: z.int(), failedBefore: z.int(), askedBefore: z.int() })
    .nullable(),
  counters: z
    .object({
      requests: z.number(),
      vclFail: z.number(),
      fetchFailed: z.number(),
      /** 0 to 1; null where too few requests came. */
      hitRatio: z.number().nullable(),
      hitRatioBefore: z.number().nullable(),
    })
    .nullable(),
});
export type CanarySignals = z.infer<typeof canarySignals>;

export const rolloutEvidence = z.object({
  nodes: z.array(
    z.object({
      node: z.string(),
      ok: z.boolean(),
      revision: revisionNumber,
      /** What the node says it runs, and the hash of that text. */
      active: z.string().nullable(),
      hash: z.string().nullable(),
      file: nodeVcl.shape.file,
      /** The revision it ran before. */
      before: revisionNumber.nullable(),
      problem: toldProblem.nullable(),
    }),
  ),
  canary: canarySignals.nullable(),
  /** How many tests passed on a throw-away Varnish; null: none was there to run them. */
  tests: z.int().nullable(),
});
export type RolloutEvidence = z.infer<typeof rolloutEvidence>;
