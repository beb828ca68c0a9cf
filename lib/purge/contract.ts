// Purge as the browser and the REST API see it: what is asked, the plan, the proof.
import * as z from "zod";
import { toldProblem } from "../errors/contract";

export const purgeMode = z.enum(["hard", "soft"]);
export const MAX_PASTED_URLS = 10_000;

/** What to purge. Exactly one way in; `site` is found from the address where it is not given. */
export const purgeTarget = z.discriminatedUnion("by", [
  /** Page addresses as people paste them, with or without scheme; each is expanded by its site's rules. */
  z.object({ by: z.literal("url"), urls: z.array(z.string().max(8192)).min(1).max(MAX_PASTED_URLS) }),
  z.object({ by: z.literal("prefix"), site: z.string(), prefix: z.string().min(1).max(2048) }),
  z.object({
    by: z.literal("tag"),
    site: z.string(),
    tags: z.array(z.string().min(1).max(1024)).min(1).max(500),
  }),
  z.object({ by: z.literal("site"), site: z.string() }),
  z.object({ by: z.literal("everything") }),
]);
export type PurgeTarget = z.infer<typeof purgeTarget>;

export const purgeRequest = z.object({
  target: purgeTarget,
  mode: purgeMode.default("hard"),
  /** Fetch the purged pages again afterwards, throttled: from the list, or the site's sitemap. */
  warm: z.enum(["no", "list", "sitemap"]).default("no"),
  reason: z.string().max(500).optional(),
  /** What was typed, for the destructive level: the plan says what is expected. */
  confirmation: z.string().max(300).optional(),
  origin: z.enum(["page", "bookmarklet"]).optional(),
});
export type PurgeRequest = z.infer<typeof purgeRequest>;

/** What a cache holds of one object now. `unknown`: it could not be asked, `why` is an error code. */
export const cached = z.discriminatedUnion("state", [
  z.object({
    state: z.literal("hit"),
    ageS: z.number().nullable(),
    hits: z.number().nullable(),
    ttlS: z.number().nullable(),
    revision: z.string().nullable(),
    detail: z.string().nullable(),
  }),
  z.object({ state: z.literal("miss") }),
  z.object({ state: z.literal("unknown"), why: z.string() }),
]);
export type Cached = z.infer<typeof cached>;

/** One cached thing a page is made of. `label`: page, data, sibling, slash, list, or the rule's own word. */
export const purgeObject = z.object({
  type: z.enum(["url", "tag", "prefix", "host", "all", "regex"]),
  host: z.string(),
  /** url: path and query exactly as the cache's key has it. */
  value: z.string(),
  label: z.string(),
  site: z.string().nullable(),
});
export type PurgeObject = z.infer<typeof purgeObject>;

export const layerKind = z.enum(["redis", "nginx", "varnish", "cloudflare"]);
export type LayerKind = z.infer<typeof layerKind>;

export const planLayer = z.object({
  layer: layerKind,
  /** The system's name: "varnish-1". */
  system: z.string(),
  /** How many operations or calls it will get, and for Cloudflare the predicted wait for its allowance. */
  operations: z.int(),
  waitMs: z.int().nullable(),
  /** What is cached there now, object by object (the first MAX_LISTED of them). */
  now: z.array(z.object({ object: z.int(), cached })),
  error: z.string().nullable(),
});

/** How many objects a plan and its evidence list one by one; the rest are counts. */
export const MAX_LISTED = 50;

export const purgePlan = z.object({
  target: purgeTarget,
  mode: purgeMode,
  warm: z.enum(["no", "list", "sitemap"]),
  sites: z.array(z.string()),
  pages: z.int(),
  /** All objects for small plans; the first MAX_LISTED for big ones, `objectCount` is the whole. */
  objects: z.array(purgeObject),
  objectCount: z.int(),
  layers: z.array(planLayer),
  secondPassMs: z.int(),
  level: z.enum(["reversible", "disruptive", "destructive"]),
  /** What must be typed, for destructive plans. */
  confirmation: z.string().nullable(),
  /** Of a batch of the gateway: how many asks came, as how many items, from which clients by which headers. */
  batch: z
    .object({ asks: z.int(), items: z.int(), clients: z.array(z.string()), headers: z.array(z.string()) })
    .optional(),
  /** Problems that do not stop it, for example a node that is down (its purges will wait for it). */
  warnings: z.array(toldProblem),
});
export type PurgePlan = z.infer<typeof purgePlan>;

export const verdict = z.enum(["fresh", "stale", "unknown"]);
/** A span on the common time line, ms since the change started. */
export const span = z.object({
  what: z.enum(["purge", "wait", "again", "verify"]),
  from: z.number(),
  to: z.number(),
});

export const proofLayer = z.object({
  layer: layerKind,
  system: z.string(),
  verdict,
  /** Objects purged there; failed ones; those waiting in the outbox. */
  purged: z.int(),
  failed: z.int(),
  waiting: z.int(),
  before: cached.nullable(),
  /** Revision now, where the page shows one (meta name=revision or X-Revision). */
  revision: z.string().nullable(),
  /** Raw evidence in the field's own signs: "Age 0 → 1, body = origin", "EXISTS → 0". English, monospace. */
  evidence: z.string(),
  /** Key under `purge.why` with params: secondPassCaught, nodeDown, bodyDiffers, cannotCompare, sampled… */
  why: z.array(
    z.object({ key: z.string(), params: z.record(z.string(), z.union([z.string(), z.number()])) }),
  ),
  spans: z.array(span),
  checked: z.object({ fresh: z.int(), stale: z.int(), unknown: z.int(), of: z.int() }),
});
export const purgeProof = z.object({
  verdict,
  /** ms from the request to the moment every layer was proved fresh; null when not all are. */
  freshAfterMs: z.number().nullable(),
  layers: z.array(proofLayer),
  origin: z.object({ revision: z.string().nullable(), hash: z.string().nullable() }).nullable(),
  cloudflare: z.object({ left: z.number(), size: z.number(), fullInMs: z.number() }).nullable(),
  warmed: z.object({ done: z.int(), failed: z.int(), of: z.int() }).nullable(),
});
export type PurgeProof = z.infer<typeof purgeProof>;

export const outboxNode = z.object({
  node: z.string(),
  waiting: z.int(),
  oldestAt: z.iso.datetime().nullable(),
  attempts: z.int(),
  lastError: z.string().nullable(),
});

export type OutboxNode = z.infer<typeof outboxNode>;

/** One finding of the purge doctor. `key` under `doctor.` in messages; `fix` under `doctorFix.`. */
export const doctorFinding = z.object({
  check: z.enum([
    "reach",
    "acl",
    "peek",
    "host",
    "encoding",
    "tags",
    "headerRoom",
    "ban",
    "softPurge",
    "boot",
    "token",
    "zone",
    "scope",
    "limits",
    "edge",
  ]),
  status: z.enum(["ok", "warn", "fail", "unknown"]),
  key: z.string(),
  params: z.record(z.string(), z.union([z.string(), z.number()])),
  fix: z.string().nullable(),
  evidence: z.string(),
});
export type DoctorFinding = z.infer<typeof doctorFinding>;

export const siteSummary = z.object({
  name: z.string(),
  title: z.string(),
  addresses: z.array(z.string()),
  /** It has a status page: /status/<name>. */
  status: z.boolean(),
  /** Layers in purge order with the systems' names. */
  layers: z.array(z.object({ layer: layerKind, systems: z.array(z.string()) })),
});
export type SiteSummary = z.infer<typeof siteSummary>;
