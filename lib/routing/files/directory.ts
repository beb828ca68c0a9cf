// The directory of a Traefik's file provider: read as Traefik reads it, and brought to a revision's files, the mark last.
import type { Dirent } from "node:fs";
import { lstat, mkdir, readdir, readFile, realpath, rmdir, stat } from "node:fs/promises";
import { dirname, extname, join, resolve, sep } from "node:path";
import { AppError } from "../../errors/app-error";
import {
  dropStaged,
  placeFiles,
  readError,
  type Staged,
  stageFile,
  systemCode,
} from "../../runtime/staged-file";
import type { Problem } from "../validate/problem";
import { validateDirectory } from "../validate/validate";
import { type ConfigFile, configFiles, fileName } from "./contract";
import { markerFileName } from "./marker";

/** A file that Traefik reads and Sluice leaves as it is: its name is none that Sluice writes, it is a link, or it is no UTF-8. */
export type Apart = ConfigFile & { readonly why: "name" | "link" | "encoding" };
/** What is there for Traefik. */
export type Held = {
  readonly files: readonly ConfigFile[];
  readonly apart: readonly Apart[];
  /** The mark's file as it stands there. */
  readonly marker: ConfigFile | null;
};

const timeoutMs = 5000;
/** So much is read at most, with what is apart; what Sluice edits of it has the limits of any draft. */
const mostFiles = 600;
const mostBytes = 4_000_000;
const mostDepth = 20;

const isRead = (name: string): boolean => [".yml", ".yaml", ".toml"].includes(extname(name).toLowerCase());

/** That a directory, or a Traefik's draft, has more files or text than a revision may have (contract.ts). */
export const tooLarge = (path: string): AppError =>
  new AppError("TOO_LARGE", `${path} holds more than 300 files or 2 MB.`, {
    problem: "routing.tooLarge",
    params: { path, files: 300 },
  });

/** What Traefik reads of a directory, within five seconds. Throws AppError REFUSED, TOO_LARGE, TIMEOUT. */
export async function readDirectory(root: string): Promise<Held> {
  const signal = AbortSignal.timeout(timeoutMs);
  const files: ConfigFile[] = [];
  const apart: Apart[] = [];
  let marker: ConfigFile | null = null;
  let bytes = 0;
  const take = async (name: string, link: boolean): Promise<void> => {
    const path = join(root, name);
    const found = await stat(path).catch(() => null);
    // A link to nothing, or a pipe, which never ends.
    if (found === null || !found.isFile()) return;
    bytes += found.size;
    if (bytes > mostBytes || files.length + apart.length >= mostFiles) throw tooLarge(root);
    const raw = await readFile(path, { signal });
    const text = raw.toString("utf8");
    if (name === markerFileName && !link) marker = { name, text };
    else if (link) apart.push({ name, text, why: "link" });
    else if (!fileName.safeParse(name).success) apart.push({ name, text, why: "name" });
    else if (!Buffer.from(text, "utf8").equals(raw)) apart.push({ name, text, why: "encoding" });
    else files.push({ name, text });
  };
  const walk = async (folder: string, depth: number): Promise<void> => {
    if (depth > mostDepth) throw tooLarge(root);
    for (const entry of await entriesOf(join(root, folder))) {
      signal.throwIfAborted();
      const name = folder === "" ? entry.name : `${folder}/${entry.name}`;
      // Traefik looks into no folder behind a link.
      if (entry.isDirectory()) await walk(name, depth + 1);
      else if (isRead(entry.name)) await take(name, entry.isSymbolicLink());
    }
  };
  try {
    await walk("", 0);
  } catch (error) {
    if (error instanceof AppError) throw error;
    if (signal.aborted)
      throw new AppError("TIMEOUT", `${root} could not be read within ${timeoutMs} ms.`, {
        problem: "file.read",
        params: { path: root, why: "ETIMEDOUT" },
        cause: error,
      });
    throw readError(root, systemCode(error), error);
  }
  if (!configFiles.safeParse(files).success) throw tooLarge(root);
  return { files, apart, marker };
}

const entriesOf = async (path: string): Promise<Dirent[]> =>
  (await readdir(path, { withFileTypes: true })).sort((a, b) =>
    Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)),
  );

const refused = (name: string): AppError =>
  new AppError("REFUSED", `${name.slice(0, 200)} is not written: a link or something else stands there.`, {
    problem: "routing.apart",
    params: { file: name.slice(0, 200) },
  });

/**
 * Where a file of a directory stands. Throws AppError REFUSED where the name would lead out of it, or to it through a link: nothing is
 * written through links.
 */
async function placeOf(root: string, name: string): Promise<string> {
  const path = resolve(root, name);
  if (!fileName.safeParse(name).success || !path.startsWith(resolve(root) + sep)) throw refused(name);
  const parts = name.split("/");
  for (const index of parts.keys()) {
    const last = index === parts.length - 1;
    const found = await lstat(join(root, ...parts.slice(0, index + 1))).catch(() => null);
    if (found !== null && (last ? !found.isFile() : !found.isDirectory())) throw refused(name);
  }
  return path;
}

/** Files that wait beside their places. */
export type StagedFiles = {
  /** Puts them in their places, takes away what went, and then writes the mark. Throws AppError DISK_FULL, REFUSED. */
  place(): Promise<void>;
  /** Takes away what still waits. */
  drop(): Promise<void>;
};

/** Names of files that must be written and taken away to come from one set to the other. */
export function stepsBetween(
  from: readonly ConfigFile[],
  to: readonly ConfigFile[],
): { writes: ConfigFile[]; removes: string[] } {
  const before = new Map(from.map(({ name, text }) => [name, text]));
  const after = new Set(to.map(({ name }) => name));
  return {
    writes: to.filter(({ name, text }) => before.get(name) !== text),
    removes: from.map(({ name }) => name).filter((name) => !after.has(name)),
  };
}

/**
 * Writes what is not there yet beside its place, so that a full disk is met before anything changes. `marker` null: there will be none.
 * Throws AppError DISK_FULL, REFUSED; nothing is left then.
 */
export async function stageDirectory(
  directory: string,
  { files }: Held,
  wanted: readonly ConfigFile[],
  marker: ConfigFile | null,
  mark: string,
): Promise<StagedFiles> {
  // The directory itself may be behind a link; nothing in it may.
  const root = await realpath(directory).catch((error) => {
    throw readError(directory, systemCode(error), error);
  });
  const { writes, removes } = stepsBetween(files, wanted);
  const gone = await Promise.all(removes.map((name) => placeOf(root, name)));
  const markerPath = await placeOf(root, markerFileName);
  const staged: Staged[] = [];
  let last: Staged | undefined;
  const drop = async (): Promise<void> => {
    await dropStaged(last === undefined ? staged : [...staged, last]);
    await dropFolders(root, [...writes.map(({ name }) => name), ...removes]);
  };
  try {
    for (const { name, text } of writes) {
      const path = await placeOf(root, name);
      await folderFor(path);
      staged.push(await stageFile(path, text, mark));
      // A link that was made just now.
      if (staged.at(-1)?.path !== path) throw refused(name);
    }
    if (marker !== null) last = await stageFile(markerPath, marker.text, mark);
    if (last !== undefined && last.path !== markerPath) throw refused(markerFileName);
  } catch (error) {
    await drop();
    throw error;
  }
  return {
    place: () => placeFiles(staged, marker === null ? [...gone, markerPath] : gone, last),
    drop,
  };
}

/** Takes away the folders of these files that are empty, as those made for them are. Never throws. */
async function dropFolders(root: string, names: readonly string[]): Promise<void> {
  const folders = new Set<string>();
  // What no file may be called leads elsewhere.
  for (const name of names.filter((one) => fileName.safeParse(one).success))
    for (let folder = dirname(name); folder !== "."; folder = dirname(folder)) folders.add(folder);
  // The deepest first.
  for (const folder of [...folders].sort((a, b) => b.length - a.length))
    await rmdir(join(root, folder)).catch(() => {});
}

/** Takes away what a run that was cut off left beside these files' places, and the mark's. Never throws. */
export async function dropLeft(directory: string, names: readonly string[], mark: string): Promise<void> {
  const root = await realpath(directory).catch(() => directory);
  const paths = [...names, markerFileName].map((name) => join(root, name));
  await dropStaged(paths.map((path) => ({ path, beside: `${path}.${mark}.new` })));
  await dropFolders(root, names);
}

async function folderFor(path: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
  } catch (error) {
    const why = systemCode(error);
    throw new AppError("REFUSED", `${dirname(path)} cannot be made (${why}).`, {
      problem: "file.write",
      params: { path: dirname(path), why },
      cause: error,
    });
  }
}

/** Why Traefik would take nothing of what is there; empty where it takes it. */
export const rejectedIn = ({ files, apart }: Pick<Held, "files" | "apart">): Problem[] =>
  validateDirectory([...files, ...apart], {}).filter(({ effect }) => effect === "rejected");
