// Backups as pages and the API see them: repositories, snapshots, files in them, and the acts on them.
import * as z from "zod";
import { toldProblem } from "../errors/contract";

export const repositoryName = z.string().regex(/^[a-z0-9][a-z0-9._-]*$/, "a repository's name");
export const snapshotId = z.string().regex(/^[0-9a-f]{64}$/, "a snapshot's whole id");
/** "/" or "/srv/media": as restic tells it, without ".." and without a slash at its end. */
export const snapshotPath = z
  .string()
  .max(32_768)
  .refine(
    (path) =>
      path === "/" ||
      (/^\/[^\0]*[^/\0]$/.test(path) &&
        !path.split("/").some((part, at) => (at > 0 && part === "") || part === "." || part === "..")),
    "an absolute path, without .. and without a slash at its end",
  );

export const lock = z.object({
  id: z.string(),
  /** When it was made or last renewed: a restic at work renews it every five minutes. */
  since: z.iso.datetime(),
  host: z.string(),
  user: z.string(),
  pid: z.int(),
  /** An exclusive one keeps backups out too. */
  exclusive: z.boolean(),
  /** Whoever held it is gone: older than 30 minutes, or a process of this host that is not there. */
  stale: z.boolean(),
});
export type Lock = z.infer<typeof lock>;

export const indexState = z.object({
  /** Snapshots that are in the index, of those that are to be. */
  indexed: z.int(),
  of: z.int(),
  bytes: z.int(),
  /** The snapshot that is being read now. */
  reading: z.string().nullable(),
  problem: toldProblem.nullable(),
});
export type IndexState = z.infer<typeof indexState>;

export const repository = z.object({
  name: z.string(),
  /** Without the password that may be in it. */
  address: z.string(),
  /** "missing": nothing is at its address yet, and it can be made. */
  state: z.enum(["up", "down", "missing", "checking"]),
  problem: toldProblem.nullable(),
  /** UTC of the last look; what is told is of the last good one. */
  at: z.iso.datetime().nullable(),
  version: z.string().nullable(),
  snapshots: z.int().nullable(),
  newest: z.iso.datetime().nullable(),
  /** The newest snapshot is older than max_age, or there is none. */
  overdue: z.boolean(),
  maxAgeMs: z.int(),
  /** Bytes of its data; null until it has been measured. */
  bytes: z.number().nullable(),
  locks: z.array(lock),
  /** Whether its server lets nothing be taken away; null where that is not known. */
  appendOnly: z.boolean().nullable(),
  index: indexState,
});
export type Repository = z.infer<typeof repository>;

export const snapshot = z.object({
  id: z.string(),
  time: z.iso.datetime(),
  host: z.string(),
  user: z.string(),
  paths: z.array(z.string()),
  tags: z.array(z.string()),
  /** Told by restic since 0.17. */
  files: z.number().nullable(),
  bytes: z.number().nullable(),
  indexed: z.boolean(),
});
export type Snapshot = z.infer<typeof snapshot>;

const page = { limit: z.coerce.number().int().min(1).max(1000).default(200) };

export const snapshotsRequest = z.object({
  repository: repositoryName,
  host: z.string().max(300).optional(),
  tag: z.string().max(300).optional(),
  path: z.string().max(32_768).optional(),
  /** Id of the last one of the page before. */
  after: snapshotId.optional(),
  ...page,
});
export type SnapshotsRequest = z.infer<typeof snapshotsRequest>;
export const snapshotList = z.object({
  /** Newest first. */
  snapshots: z.array(snapshot),
  next: z.string().nullable(),
  total: z.int(),
  /** What can be filtered by. */
  hosts: z.array(z.string()),
  tags: z.array(z.string()),
  paths: z.array(z.string()),
});
export type SnapshotList = z.infer<typeof snapshotList>;

const version = {
  type: z.enum(["dir", "file", "symlink", "other"]),
  /** Bytes. */
  size: z.number(),
  /** ms since the epoch. */
  mtimeMs: z.number(),
  mode: z.number(),
};
const ref = z.object({ id: z.string(), time: z.string(), host: z.string() });

export const folderRequest = z.object({
  repository: repositoryName,
  snapshot: snapshotId,
  path: snapshotPath.default("/"),
  after: z.string().max(70_000).optional(),
  ...page,
});
export type FolderRequest = z.infer<typeof folderRequest>;
export const folder = z.object({
  entries: z.array(z.object({ name: z.string(), ...version })),
  next: z.string().nullable(),
  /** False: restic itself was asked, because the snapshot is not in the index yet. */
  indexed: z.boolean(),
});
export type Folder = z.infer<typeof folder>;

export const searchRequest = z.object({
  /** All repositories when left out. */
  repository: repositoryName.optional(),
  snapshot: snapshotId.optional(),
  /** A part of a name or of a path. */
  text: z.string().min(1).max(1000),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});
export type SearchRequest = z.infer<typeof searchRequest>;
export const found = z.object({
  hits: z.array(
    z.object({
      ...{ repository: z.string(), path: z.string(), name: z.string() },
      ...version,
      first: ref,
      last: ref,
      snapshots: z.int(),
    }),
  ),
  /** False where there are, or may be, more. */
  complete: z.boolean(),
  /** Snapshots that were not searched: they are not in the index yet. */
  unindexed: z.int(),
});
export type Found = z.infer<typeof found>;

export const historyRequest = z.object({ repository: repositoryName, path: snapshotPath });
export const fileHistory = z.object({
  versions: z.array(z.object({ ...version, first: ref, last: ref, snapshots: z.int() })),
  unindexed: z.int(),
});
export type FileHistory = z.infer<typeof fileHistory>;

export const differenceRequest = z.object({
  repository: repositoryName,
  before: snapshotId,
  after: snapshotId,
  path: snapshotPath.default("/"),
  /** The `next` of the page before. */
  cursor: z.string().max(70_000).optional(),
  ...page,
});
export type DifferenceRequest = z.infer<typeof differenceRequest>;
const sums = z.object({
  added: z.int(),
  addedBytes: z.number(),
  removed: z.int(),
  removedBytes: z.number(),
  changed: z.int(),
  changedFrom: z.number(),
  changedTo: z.number(),
});
export const difference = z.object({
  /** Files below the path, and their bytes. */
  sums,
  entries: z.array(
    z.object({
      name: z.string(),
      folder: z.boolean(),
      before: z.object(version).nullable(),
      after: z.object(version).nullable(),
      sums,
    }),
  ),
  next: z.string().nullable(),
});
export type Difference = z.infer<typeof difference>;

export const downloadRequest = z.object({
  repository: repositoryName,
  snapshot: snapshotId,
  path: snapshotPath,
  /** For a folder: as which one file. */
  archive: z.enum(["tar", "zip"]).optional(),
});
export type DownloadRequest = z.infer<typeof downloadRequest>;

const reason = z.string().trim().max(500).optional();
export const unlockInput = z.object({
  repository: repositoryName,
  /** Every lock, also of who may be at work; only stale ones otherwise. */
  all: z.boolean().default(false),
});
export type UnlockInput = z.infer<typeof unlockInput>;
export const unlockRequest = unlockInput.extend({ confirmation: z.string().optional(), reason });
export const unlockPlan = z.object({
  repository: z.string(),
  all: z.boolean(),
  locks: z.array(lock),
  /** What must be typed where locks of those at work would go too. */
  confirmation: z.string().nullable(),
});
export type UnlockPlan = z.infer<typeof unlockPlan>;
export const unlockEvidence = z.object({
  /** Locks as they are afterwards. */
  left: z.array(lock),
  gone: z.array(z.string()),
});
export type UnlockEvidence = z.infer<typeof unlockEvidence>;

export const initInput = z.object({ repository: repositoryName });
export type InitInput = z.infer<typeof initInput>;
export const initRequest = initInput.extend({ reason });
export const initPlan = z.object({ repository: z.string(), address: z.string(), version: z.string() });
export type InitPlan = z.infer<typeof initPlan>;
export const initEvidence = z.object({ snapshots: z.int() });
export type InitEvidence = z.infer<typeof initEvidence>;
