// The file that varnishd starts with: written beside it, then put in its place, so that a restart meets the old one or the new one, whole.
import { open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { AppError } from "../errors/app-error";

const mostBytes = 4 * 1024 * 1024;

const code = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";

/** Throws AppError DISK_FULL, or REFUSED with the system's word for it. */
function fileError(error: unknown, path: string): AppError {
  const why = code(error);
  if (why === "ENOSPC" || why === "EDQUOT")
    return new AppError("DISK_FULL", `There is no room for ${path}.`, {
      problem: "vcl.diskFull",
      params: { path },
      cause: error,
    });
  return new AppError("REFUSED", `${path} cannot be written (${why || "unknown"}).`, {
    problem: "vcl.file",
    params: { path, why: why || "unknown" },
    cause: error,
  });
}

/** A file that is written and waits to be put in its place. */
export type Staged = {
  /** Puts it in its place, at once. Throws AppError. */
  readonly place: () => Promise<void>;
  /** Takes it away, where it still waits. */
  readonly drop: () => Promise<void>;
};

/** Writes `text` beside `path`, on the disk itself. Throws AppError DISK_FULL, REFUSED; nothing is left then. */
export async function stageFile(path: string, text: string, mark: string): Promise<Staged> {
  const beside = `${path}.${mark}.new`;
  try {
    // As whoever else may read the one that is there: varnishd may run as somebody else.
    const mode = (await stat(path).catch(() => null))?.mode ?? 0o644;
    const file = await open(beside, "w", mode & 0o777);
    try {
      await file.writeFile(text, "utf8");
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    await rm(beside, { force: true }).catch(() => {});
    throw fileError(error, path);
  }
  return {
    place: async () => {
      try {
        await rename(beside, path);
        // The name itself is on the disk only when its folder is.
        const folder = await open(dirname(path), "r");
        await folder.sync().finally(() => folder.close());
      } catch (error) {
        throw fileError(error, path);
      }
    },
    drop: () => rm(beside, { force: true }).catch(() => {}),
  };
}

/** A file's text; null where there is none. Throws AppError REFUSED. */
export async function readVclFile(path: string): Promise<string | null> {
  try {
    const { size } = await stat(path);
    if (size > mostBytes)
      throw new AppError("REFUSED", `${path} is over 4 MB: no VCL is.`, {
        problem: "vcl.file",
        params: { path, why: "EFBIG" },
      });
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof AppError) throw error;
    if (code(error) === "ENOENT") return null;
    throw new AppError("REFUSED", `${path} cannot be read (${code(error) || "unknown"}).`, {
      problem: "vcl.fileRead",
      params: { path, why: code(error) || "unknown" },
      cause: error,
    });
  }
}
