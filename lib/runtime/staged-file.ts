// Files that another program reads: written beside their place, then put there, so that it meets the old one or the new one, whole.
import { renameSync, rmSync } from "node:fs";
import { type FileHandle, open, readFile, realpath, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { AppError } from "../errors/app-error";

/** The system's word for what went wrong ("ENOENT"), or "". */
export const systemCode = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";

/** Throws AppError DISK_FULL, or REFUSED with the system's word for it. */
function writeError(error: unknown, path: string): AppError {
  const why = systemCode(error);
  if (why === "ENOSPC" || why === "EDQUOT")
    return new AppError("DISK_FULL", `There is no room for ${path}.`, {
      problem: "file.diskFull",
      params: { path },
      cause: error,
    });
  return new AppError("REFUSED", `${path} cannot be written (${why || "unknown"}).`, {
    problem: "file.write",
    params: { path, why: why || "unknown" },
    cause: error,
  });
}

/** That a file cannot be read, with the system's word for why. */
export const readError = (path: string, why: string, cause?: unknown): AppError =>
  new AppError("REFUSED", `${path} cannot be read (${why || "unknown"}).`, {
    problem: "file.read",
    params: { path, why: why || "unknown" },
    cause,
  });

/** A file that is written and waits to be put in its place. */
export type Staged = {
  readonly path: string;
  readonly beside: string;
};

/**
 * Writes `text` beside `path` (of a link: beside what it leads to), on the disk itself, under a name that ends in ".<mark>.new", with the
 * rights and the owner of the file that is there. Throws AppError DISK_FULL, REFUSED; nothing is left then.
 */
export async function stageFile(path: string, text: string, mark: string): Promise<Staged> {
  // A link stays one.
  const place = await realpath(path).catch(() => path);
  const beside = `${place}.${mark}.new`;
  try {
    // Of a run that was cut off; and what is there instead (a link) is not written through.
    await rm(beside, { force: true });
    const file = await open(beside, "wx", 0o600);
    try {
      await readableAs(file, place);
      await file.writeFile(text, "utf8");
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    await rm(beside, { force: true }).catch(() => {});
    throw writeError(error, path);
  }
  return { path: place, beside };
}

/** Whoever may read the file at `place` may read this one: its reader may run as somebody else. Throws the system's EPERM. */
async function readableAs(file: FileHandle, place: string): Promise<void> {
  const before = await stat(place).catch(() => null);
  if (before !== null) {
    const { uid, gid } = await file.stat();
    try {
      if (uid !== before.uid || gid !== before.gid) await file.chown(before.uid, before.gid);
    } catch (error) {
      // What everybody may read can be read under another owner too.
      if ((before.mode & 0o004) === 0) throw error;
    }
  }
  // By itself: what `open` is told, the process's umask takes from.
  await file.chmod((before?.mode ?? 0o644) & 0o777);
}

/**
 * Puts files in their places and takes others away, in this order and in one breath: who reads them all at the first sign of a change
 * seldom meets half of it. Throws AppError DISK_FULL, REFUSED; those before are in their places then.
 */
export async function placeFiles(
  staged: readonly Staged[],
  gone: readonly string[] = [],
  last?: Staged,
): Promise<void> {
  for (const { path, beside } of staged) act(path, () => renameSync(beside, path));
  for (const path of gone) act(path, () => rmSync(path, { force: true }));
  if (last !== undefined) act(last.path, () => renameSync(last.beside, last.path));
  const paths = [...staged.map(({ path }) => path), ...gone, ...(last === undefined ? [] : [last.path])];
  // A name itself is on the disk only when its folder is.
  for (const path of new Set(paths.map(dirname))) {
    try {
      const folder = await open(path, "r");
      await folder.sync().finally(() => folder.close());
    } catch (error) {
      throw writeError(error, path);
    }
  }
}

function act(path: string, what: () => void): void {
  try {
    what();
  } catch (error) {
    throw writeError(error, path);
  }
}

/** Takes away what still waits. */
export async function dropStaged(staged: readonly Staged[]): Promise<void> {
  await Promise.all(staged.map(({ beside }) => rm(beside, { force: true }).catch(() => {})));
}

/** A file's text; null where there is none. Throws AppError REFUSED, for one of more than `mostBytes` too. */
export async function readTextFile(path: string, mostBytes: number): Promise<string | null> {
  try {
    const { size } = await stat(path);
    if (size > mostBytes) throw readError(path, "EFBIG");
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof AppError) throw error;
    if (systemCode(error) === "ENOENT") return null;
    throw readError(path, systemCode(error), error);
  }
}
