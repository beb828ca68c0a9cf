// Traefik's own files as pages and the API see them: drafts, what is wrong with them, revisions, and what is put in force.
import * as z from "zod";
import { toldProblem } from "../../errors/contract";

/** All files together, in UTF-8. */
const mostBytes = 2_000_000;
const bytesOf = (text: string): number => new TextEncoder().encode(text).byteLength;

/** A file's path from the directory on. No part of it is hidden, so that none is "..". */
export const fileName = z
  .string()
  .max(200)
  .regex(
    /^[\p{L}\p{N}_-][\p{L}\p{N} _.@-]*(\/[\p{L}\p{N}_-][\p{L}\p{N} _.@-]*)*\.(ya?ml|toml)$/u,
    "a name such as sites.yml",
  );
export const configFile = z.object({ name: fileName, text: z.string() });
export type ConfigFile = z.infer<typeof configFile>;
export const configFiles = z
  .array(configFile)
  .max(300)
  .refine((files) => new Set(files.map(({ name }) => name)).size === files.length, "two files of one name")
  .refine((files) => files.reduce((sum, { text }) => sum + bytesOf(text), 0) <= mostBytes, "over 2 MB");

export const traefikName = z.string().min(1).max(100);
export const revisionNumber = z.int().min(1);
const standing = z.enum(["rejected", "disabled", "ignored", "none"]);

/** Something to be marked in the editor; lines and columns count from 1, the end is the first column behind. */
export const fileProblem = z.object({
  severity: z.enum(["error", "warning"]),
  file: z.string(),
  line: z.int(),
  column: z.int(),
  endLine: z.int(),
  endColumn: z.int(),
  /** A key of messages `routing.validation`. */
  code: z.string(),
  params: z.record(z.string(), z.union([z.string(), z.number()])),
  /** What Traefik makes of it (lib/routing/validate/problem.ts). */
  effect: standing,
  /** It is so in what is in force now, too. */
  known: z.boolean(),
});
export type FileProblem = z.infer<typeof fileProblem>;

/** What of the configuration is another: routers and services, not lines. Secrets are masked. */
export const difference = z.object({
  kind: z.enum(["added", "removed", "changed"]),
  protocol: z.enum(["http", "tcp", "udp", "tls"]),
  /** routers, services, middlewares, serversTransports, options, stores, certificates. */
  section: z.string(),
  name: z.string(),
  /** Each field that is another, by its path ("loadBalancer.servers[0].url"); null where it is not there. */
  fields: z.array(
    z.object({ path: z.string(), before: z.string().nullable(), after: z.string().nullable() }),
  ),
});
export type Difference = z.infer<typeof difference>;

/** Requests that another router takes than before. */
export const shift = z.object({
  /** With its provider; null: nobody, so that Traefik answers 404. */
  from: z.string().nullable(),
  to: z.string().nullable(),
  requests: z.int(),
  /** Some of them, as method and address. */
  examples: z.array(z.string()),
  /** Middlewares that guarded them (authentication, allowed addresses, rates) and do so no more. */
  unguarded: z.array(z.string()),
});
export type Shift = z.infer<typeof shift>;

/** Recent requests of the access log through the rules before and after. */
export const impact = z.object({
  /** "none": no access log is configured; "failed": it cannot be read; "empty": it holds nothing that can be replayed. */
  state: z.enum(["told", "none", "failed", "empty"]),
  problem: toldProblem.nullable(),
  requests: z.int(),
  /** Of them, those of which the log does not tell what a rule asks (headers). */
  untold: z.int(),
  /** UTC, ISO 8601: of the oldest and the newest request. */
  from: z.iso.datetime().nullable(),
  to: z.iso.datetime().nullable(),
  shifts: z.array(shift),
});
export type Impact = z.infer<typeof impact>;

/** A router that guards something and would be out of the way: why it may not be. */
export const guarded = z.object({
  /** With its provider. */
  router: z.string(),
  /** "disabled": Traefik would switch it off. "unguarded": it stays, without these middlewares. "removed": it is taken away. */
  how: z.enum(["disabled", "unguarded", "removed"]),
  /** Of the middlewares that guard. */
  middlewares: z.array(z.string()),
  /** Who takes its requests then, with its provider; null: nobody. */
  falls: z.string().nullable(),
  /** A request that shows it, as an address. */
  example: z.string().nullable(),
  /** "disabled" is always refused; the others are asked about. */
  refused: z.boolean(),
});
export type Guarded = z.infer<typeof guarded>;

export const fileDraft = z.object({ traefik: traefikName, files: configFiles });
export const filesChecked = z.object({
  problems: z.array(fileProblem),
  differences: z.array(difference),
  guarded: z.array(guarded),
  impact,
  /** Why it cannot be compared with what is in force (Traefik does not answer). */
  problem: toldProblem.nullable(),
});
export type FilesChecked = z.infer<typeof filesChecked>;

export const savedFiles = fileDraft.extend({
  /** The newest revision when the work on it began (null: there was none): saved by somebody else meanwhile, it is refused. */
  newest: revisionNumber.nullable(),
  parent: revisionNumber.nullable(),
  reason: z.string().trim().max(500).optional(),
});
export type SavedFiles = z.infer<typeof savedFiles>;

/** A revision without its files. */
export const fileRevisionRow = z.object({
  number: revisionNumber,
  parent: revisionNumber.nullable(),
  author: z.string(),
  reason: z.string().nullable(),
  /** "found": it was in the directory before Sluice wrote there, or somebody else put it there. */
  origin: z.enum(["saved", "found"]),
  /** UTC, ISO 8601. */
  at: z.iso.datetime(),
  files: z.int(),
  bytes: z.int(),
  /** Whether it is what Sluice last put in force and proved. */
  inForce: z.boolean(),
  /** The newest change that put it in force. */
  applied: z.object({ change: z.int(), by: z.string(), at: z.iso.datetime() }).nullable(),
});
export type FileRevisionRow = z.infer<typeof fileRevisionRow>;
/** Secrets in its files stand as marks, which are put back when they are sent back (secrets.ts). */
export const fileRevision = fileRevisionRow.extend({ contents: configFiles });
export type FileRevision = z.infer<typeof fileRevision>;

/** What Sluice may write for a Traefik, and whether what is there is in force. */
export const traefikFiles = z.object({
  traefik: z.string(),
  /** "directory": its file provider's. "http": Sluice serves it to its HTTP provider. "none": sluice.yaml tells neither. */
  by: z.enum(["directory", "http", "none"]),
  state: z.enum(["checking", "up", "down", "none"]),
  problem: toldProblem.nullable(),
  /** The revision whose files these are; null where none is. */
  revision: revisionNumber.nullable(),
  /** What was put in force last; null: nothing was. */
  expected: revisionNumber.nullable(),
  /** The files are not those that were put in force: since when it is seen so. */
  driftSince: z.iso.datetime().nullable(),
  /** Traefik would take nothing of these files: it goes on with what it had, and has nothing after a restart. */
  rejected: z.array(fileProblem),
  /** Whether Traefik shows what the files say; null where that cannot be told. */
  served: z.boolean().nullable(),
  newest: revisionNumber.nullable(),
  /** Maintenances that are switched on in these files. `until` (UTC, ISO 8601) null: until somebody switches it off. */
  maintenances: z.array(z.object({ name: z.string(), until: z.iso.datetime().nullable() })),
  /** When this was seen. */
  at: z.iso.datetime().nullable(),
});
export type TraefikFiles = z.infer<typeof traefikFiles>;

/** The files as they are now, secrets as marks. */
export const filesNow = z.object({
  traefik: z.string(),
  files: configFiles,
  /** SHA-256 of all of them. */
  hash: z.string(),
  revision: revisionNumber.nullable(),
  /** Files that Traefik reads as well and Sluice leaves as they are: their name is none that it writes, they are links, or no UTF-8. */
  apart: z.array(z.object({ name: z.string(), why: z.enum(["name", "link", "encoding"]) })),
});
export type FilesNow = z.infer<typeof filesNow>;

const probeUrl = z
  .string()
  .trim()
  .max(2000)
  .regex(/^https?:\/\/[\x21-\x7e]+$/, "an address such as https://www.example.org/en");

export const applyInput = z.object({
  traefik: traefikName,
  revision: revisionNumber,
  /** Addresses that are asked through Traefik before and after, beside the watch page of each site that it serves. */
  probes: z.array(probeUrl).max(20).default([]),
  watchS: z.int().min(0).max(600).default(30),
  /** Hash of the files when they were looked at: others by now are refused. */
  expected: z.string().optional(),
  /** Routers (with their provider) that may lose their guard: each was asked about. */
  accepted: z.array(z.string().max(300)).max(200).default([]),
  /** All of them may: what is put in force was so before (an undo). */
  acceptAll: z.boolean().default(false),
});
export type ApplyInput = z.infer<typeof applyInput>;
/** What a person or a key asks for: every router by its name, and of files that were looked at. */
export const applyRequest = applyInput.omit({ acceptAll: true }).extend({
  expected: z.string(),
  reason: z.string().trim().max(500).optional(),
  confirmation: z.string().max(200).optional(),
});

export const applyPlan = z.object({
  traefik: z.string(),
  by: z.enum(["directory", "http"]),
  revision: revisionNumber,
  /** SHA-256 of its files. */
  hash: z.string(),
  before: z.object({ hash: z.string(), revision: revisionNumber.nullable() }),
  /** The files are there already. */
  already: z.boolean(),
  /** Names of files that are written, and taken away. */
  writes: z.array(z.string()),
  removes: z.array(z.string()),
  differences: z.array(difference),
  guarded: z.array(guarded),
  impact,
  probes: z.array(z.string()),
  /** Those of them that somebody asked about: 404 is a failure of theirs even where it was so before. */
  asked: z.array(z.string()).default([]),
  watchS: z.int(),
  /** Whether 5xx of all its requests can be watched (`metrics`). */
  counters: z.boolean(),
  /** A maintenance page is switched on: 503 is no failure then. */
  expects503: z.boolean(),
});
export type ApplyPlan = z.infer<typeof applyPlan>;

const probed = z.object({
  url: z.string(),
  /** HTTP status; null: no answer. */
  before: z.int().nullable(),
  after: z.int().nullable(),
  ok: z.boolean(),
});
export const applyEvidence = z.object({
  /** Traefik shows the mark of this revision: all of it was read. */
  shown: z.boolean(),
  /** From the last file in its place until Traefik showed it; ms. */
  tookMs: z.int().nullable(),
  /** Traefik's own words about what it does not serve as it was written. */
  faults: z.array(z.object({ name: z.string(), says: z.string() })),
  files: z.enum(["same", "other", "unreadable"]),
  probes: z.array(probed),
  watched: z
    .object({
      seconds: z.number(),
      requests: z.number(),
      errors: z.number(),
      /** Share of 5xx, 0 to 1; null without a request. */
      share: z.number().nullable(),
      shareBefore: z.number().nullable(),
    })
    .nullable(),
  /** The revision that was in force before. */
  before: revisionNumber.nullable(),
  problem: toldProblem.nullable(),
});
export type ApplyEvidence = z.infer<typeof applyEvidence>;

/** Words for completion: fields of each struct of the dynamic configuration, and names that exist. */
export const configWords = z.object({
  /**
   * By the path of a struct ("" is the top, "http.routers.*", "http.services.*.loadBalancer.servers[]"): its fields with what they take:
   * text, number, yes/no, duration, list, map.
   */
  fields: z.record(z.string(), z.array(z.object({ name: z.string(), takes: z.string() }))),
  entryPoints: z.array(z.string()),
  certResolvers: z.array(z.string()),
  /** With their provider where it is another than these files'. */
  routers: z.array(z.string()),
  services: z.array(z.string()),
  middlewares: z.array(z.string()),
});
export type ConfigWords = z.infer<typeof configWords>;
