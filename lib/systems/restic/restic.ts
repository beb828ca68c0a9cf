// The commands of restic that Sluice uses: of each its arguments, and what it answers as data.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import * as z from "zod";
import { AppError } from "../../errors/app-error";
import { singleton } from "../../runtime/singleton";
import { piecesOf, resticOutput, startRestic } from "./process";
import type { ResticRepository } from "./repository";

const oldest = 14;
const versionMs = 600_000;
/** A repository of so many locks has other worries. */
const mostLocks = 20;
const maxLine = 1024 * 1024;
const sizeMs = 30 * 60_000;
/** A reader who takes nothing for so long keeps others waiting. */
const stallMs = 60_000;

const garbage = (repository: ResticRepository) =>
  new AppError("BAD_ANSWER", `${repository.name}: restic's answer is not understood.`, {
    problem: "restic.garbage",
    params: { system: repository.name },
  });

function parsed<T>(repository: ResticRepository, shape: z.ZodType<T>, text: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw garbage(repository);
  }
  const result = shape.safeParse(value);
  if (!result.success) throw garbage(repository);
  return result.data;
}

/** "restic 0.14.0 compiled with go1.19.8 on linux/amd64" → "0.14.0"; null for anything else. */
export const versionIn = (text: string): string | null =>
  /^restic (\d+\.\d+\.\d+\S*)/m.exec(text)?.[1] ?? null;

const versions = () => singleton("restic.versions", () => new Map<string, { at: number; version: string }>());

/** The program's version ("0.14.0"); asked again every ten minutes. Throws AppError NOT_CONFIGURED where it is missing or older than 0.14. */
export async function resticVersion({ name, binary }: ResticRepository): Promise<string> {
  const known = versions().get(binary);
  if (known !== undefined && Date.now() - known.at < versionMs) return known.version;
  const said = await promisify(execFile)(binary, ["version"], {
    timeout: 10_000,
    env: { NODE_ENV: process.env.NODE_ENV, PATH: process.env.PATH },
  }).then(
    ({ stdout }) => stdout,
    () => "",
  );
  const version = versionIn(said);
  if (version === null)
    throw new AppError("NOT_CONFIGURED", `${name}: ${binary} cannot be started.`, {
      problem: "restic.missing",
      params: { system: name, binary },
    });
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major === 0 && minor < oldest)
    throw new AppError("NOT_CONFIGURED", `${name}: restic ${version} is older than 0.${oldest}.`, {
      problem: "restic.tooOld",
      params: { system: name, version },
    });
  versions().set(binary, { at: Date.now(), version });
  return version;
}

/** Restic's time has nanoseconds, and the offset of the machine that wrote it. */
const time = z.string().transform((text, context) => {
  const at = new Date(text);
  if (!Number.isNaN(at.getTime())) return at.toISOString();
  context.addIssue({ code: "custom", message: "a time" });
  return z.NEVER;
});
const snapshotShape = z
  .object({
    id: z.string().regex(/^[0-9a-f]{64}$/),
    time,
    hostname: z.string().default(""),
    username: z.string().default(""),
    paths: z.array(z.string()).nullish(),
    tags: z.array(z.string()).nullish(),
    tree: z.string(),
    /** Since 0.17. */
    summary: z.object({ total_files_processed: z.number(), total_bytes_processed: z.number() }).nullish(),
  })
  .transform(({ id, time, hostname, username, paths, tags, tree, summary }) => ({
    ...{ id, time, host: hostname, user: username, paths: paths ?? [], tags: tags ?? [], tree },
    files: summary?.total_files_processed ?? null,
    bytes: summary?.total_bytes_processed ?? null,
  }));
export type ResticSnapshot = z.infer<typeof snapshotShape>;

/** Every snapshot, newest first. Throws AppError. */
export async function listSnapshots(
  repository: ResticRepository,
  signal: AbortSignal,
): Promise<ResticSnapshot[]> {
  const text = await resticOutput(repository, ["snapshots", "--json", "--no-lock"], signal);
  const all = parsed(repository, z.array(snapshotShape).nullable(), text) ?? [];
  return all.sort((a, b) => b.time.localeCompare(a.time));
}

/** Bytes that the repository's data takes; restic walks every snapshot for it. Throws AppError. */
export async function repositorySize(repository: ResticRepository, signal: AbortSignal): Promise<number> {
  const text = await resticOutput(repository, ["stats", "--json", "--no-lock", "--mode=raw-data"], signal, {
    lane: "long",
    limitMs: sizeMs,
  });
  return parsed(repository, z.object({ total_size: z.number() }), text).total_size;
}

const lockShape = z.object({
  time,
  exclusive: z.boolean().default(false),
  hostname: z.string().default(""),
  username: z.string().default(""),
  pid: z.int().default(0),
});
export type ResticLock = {
  readonly id: string;
  /** When it was made or last renewed: a restic at work renews its lock every five minutes. */
  readonly since: string;
  readonly exclusive: boolean;
  readonly host: string;
  readonly user: string;
  readonly pid: number;
};

/** Every lock and who holds it; those that are let go meanwhile are left out. Throws AppError. */
export async function listLocks(repository: ResticRepository, signal: AbortSignal): Promise<ResticLock[]> {
  const text = await resticOutput(repository, ["list", "locks", "--no-lock"], signal);
  const ids = text.split("\n").filter((line) => /^[0-9a-f]{64}$/.test(line));
  const locks: ResticLock[] = [];
  for (const id of ids.slice(0, mostLocks)) {
    try {
      const said = await resticOutput(repository, ["cat", "--no-lock", "--", "lock", id], signal);
      const {
        time: since,
        exclusive,
        hostname: host,
        username: user,
        pid,
      } = parsed(repository, lockShape, said);
      locks.push({ id, since, exclusive, host, user, pid });
    } catch (error) {
      signal.throwIfAborted();
      const now = await resticOutput(repository, ["list", "locks", "--no-lock"], signal);
      if (now.includes(id)) throw error;
    }
  }
  return locks;
}

/** Takes stale locks away (`all`: every one). It says that it did even where it did not: list them again. Throws AppError. */
export async function unlock(repository: ResticRepository, all: boolean, signal: AbortSignal): Promise<void> {
  await resticOutput(repository, ["unlock", ...(all ? ["--remove-all"] : [])], signal);
}

/** Makes the repository. Throws AppError CONFLICT (problem restic.exists) where there is one. */
export async function initRepository(repository: ResticRepository, signal: AbortSignal): Promise<void> {
  await resticOutput(repository, ["init"], signal);
}

/** Looks whether the repository's structure is whole. Throws AppError where it is not. */
export async function checkRepository(repository: ResticRepository, signal: AbortSignal): Promise<void> {
  await resticOutput(repository, ["check", "--no-lock"], signal, { lane: "long", limitMs: sizeMs });
}

const nodeShape = z
  .object({
    path: z.string(),
    name: z.string(),
    type: z.string(),
    size: z.number().default(0),
    mtime: time,
    mode: z.number().default(0),
  })
  .transform(({ path, name, type, size, mtime, mode }) => ({
    ...{ path, name, type, size, mode },
    mtimeMs: Date.parse(mtime),
  }));
/** What begins a listing. */
const headShape = z.object({ paths: z.array(z.string()).nullish(), tree: z.string() });
const lineShape = z.union([headShape, nodeShape]);
/** A node of a snapshot: "file", "dir", "symlink" … Bytes of its name that are no UTF-8 are told by restic as U+FFFD. */
export type ResticNode = z.infer<typeof nodeShape>;

async function* linesOf(
  repository: ResticRepository,
  pieces: AsyncIterable<Buffer>,
): AsyncGenerator<string, void> {
  let held: Buffer[] = [];
  let size = 0;
  for await (const piece of pieces) {
    let from = 0;
    for (let end = piece.indexOf(10); end !== -1; end = piece.indexOf(10, from)) {
      const line = Buffer.concat([...held, piece.subarray(from, end)]).toString("utf8");
      held = [];
      size = 0;
      from = end + 1;
      if (line !== "") yield line;
    }
    if (from < piece.length) {
      held.push(piece.subarray(from));
      size += piece.length - from;
    }
    if (size > maxLine) throw garbage(repository);
  }
}

const noSnapshot = (repository: ResticRepository, id: string) =>
  new AppError("NOT_FOUND", `${repository.name} has no snapshot ${id.slice(0, 8)}.`, {
    problem: "restic.noSnapshot",
    params: { system: repository.name, says: id.slice(0, 8) },
  });

/**
 * Every node of a snapshot, or only what is directly in `folder` (with the folder itself). At the reader's pace; a reader who leaves, or
 * `signal`, stops restic. Throws AppError, NOT_FOUND for a snapshot that is not there.
 */
export async function* listNodes(
  repository: ResticRepository,
  snapshot: string,
  signal: AbortSignal,
  folder?: string,
): AsyncGenerator<ResticNode, void> {
  const running = await startRestic(
    repository,
    ["ls", "--json", "--no-lock", "--", snapshot, ...(folder === undefined ? [] : [folder])],
    folder === undefined
      ? { signal, lane: "long", limitMs: null, patient: true }
      : { signal, lane: "short", limitMs: repository.timeout },
  );
  let seen = false;
  for await (const text of linesOf(repository, piecesOf(running))) {
    const value = parsed(repository, lineShape, text);
    if ("path" in value) yield value;
    else seen = true;
  }
  // 0.14 says nothing of a snapshot that it does not have.
  if (!seen) throw noSnapshot(repository, snapshot);
}

/**
 * A file's bytes, or with `archive` a folder's as one file. Resolves when the first of them are there, so that what fails at once is
 * thrown here; what fails later ends the pieces with AppError. A reader who leaves, or `signal`, stops restic.
 */
export async function dump(
  repository: ResticRepository,
  { snapshot, path, archive }: { snapshot: string; path: string; archive: "tar" | "zip" | null },
  signal: AbortSignal,
): Promise<AsyncGenerator<Buffer, void>> {
  const running = await startRestic(
    repository,
    ["dump", "--no-lock", ...(archive === null ? [] : [`--archive=${archive}`]), "--", snapshot, path],
    { signal, lane: "long", limitMs: null },
  );
  const pieces = piecesOf(running);
  const first = await pieces.next();
  return (async function* () {
    try {
      for (let one = first; !one.done; one = await pieces.next()) {
        const timer = setTimeout(() => running.expire(stallMs), stallMs);
        try {
          yield one.value;
        } finally {
          clearTimeout(timer);
        }
      }
    } finally {
      await pieces.return();
    }
  })();
}
