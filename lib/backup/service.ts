// Backups as pages and the API ask for them: from what was seen last, from the index, and from restic itself where that knows nothing yet.
import { AppError, tellProblem } from "../errors/app-error";
import { dump, listNodes, type ResticSnapshot } from "../systems/restic/restic";
import type {
  Difference,
  DifferenceRequest,
  DownloadRequest,
  FileHistory,
  Folder,
  FolderRequest,
  Found,
  Repository,
  SearchRequest,
  SnapshotList,
  SnapshotsRequest,
} from "./contract";
import { indexedOf, indexOf, indexStateOf } from "./index-service";
import { addressOf, type RepositoryConfig, repositories, repositoryCalled, resticOf } from "./repositories";
import { lastSeen, lookNow } from "./watch";

/** A folder of more is browsed when its snapshot is in the index. */
const mostLive = 20_000;

function repositoryRow(repository: RepositoryConfig): Repository {
  const { seen, error, at, bytes } = lastSeen(repository);
  const newest = seen?.snapshots[0]?.time ?? null;
  const missing = error?.detail.problem === "restic.noRepository";
  return {
    name: repository.name,
    address: addressOf(repository),
    state: at === null ? "checking" : error === null ? "up" : missing ? "missing" : "down",
    problem:
      error === null
        ? null
        : tellProblem(error, { problem: "health.failed", params: { says: error.message } }),
    at: at === null ? null : new Date(at).toISOString(),
    version: seen?.version ?? null,
    snapshots: seen?.snapshots.length ?? null,
    newest,
    overdue: seen !== null && (newest === null || Date.now() - Date.parse(newest) > repository.max_age),
    maxAgeMs: repository.max_age,
    bytes,
    locks: [...(seen?.locks ?? [])],
    appendOnly: seen?.appendOnly ?? null,
    index: indexStateOf(repository),
  };
}

/** Every repository as it was seen last: no storage is asked. */
export const repositoriesNow = (): Repository[] => repositories().map(repositoryRow);

const unique = (words: readonly string[]): string[] => [...new Set(words)].sort().slice(0, 500);

/** A repository's snapshots as of the last look; where there was none, of one now. Throws AppError. */
async function snapshotsOf(repository: RepositoryConfig): Promise<readonly ResticSnapshot[]> {
  return (lastSeen(repository).seen ?? (await lookNow(repository))).snapshots;
}

/** Snapshots by host, tag and path. Throws AppError NOT_FOUND, and what keeps restic from telling them. */
export async function listOf({
  repository: name,
  host,
  tag,
  path,
  after,
  limit,
}: SnapshotsRequest): Promise<SnapshotList> {
  const repository = repositoryCalled(name);
  const all = await snapshotsOf(repository);
  const wanted = all.filter(
    (one) =>
      (host === undefined || one.host === host) &&
      (tag === undefined || one.tags.includes(tag)) &&
      (path === undefined || one.paths.includes(path)),
  );
  const from = after === undefined ? 0 : wanted.findIndex(({ id }) => id === after) + 1;
  const shown = wanted.slice(from, from + limit);
  const indexed = indexedOf(repository);
  return {
    snapshots: shown.map(({ tree: _, ...one }) => ({ ...one, indexed: indexed.has(one.id) })),
    next: from + limit < wanted.length ? (shown.at(-1)?.id ?? null) : null,
    total: wanted.length,
    hosts: unique(all.map((one) => one.host)),
    tags: unique(all.flatMap(({ tags }) => tags)),
    paths: unique(all.flatMap(({ paths }) => paths)),
  };
}

const noFolder = (path: string): AppError =>
  new AppError("NOT_FOUND", `The snapshot has no ${path.slice(0, 300)}.`, {
    problem: "backup.noPath",
    params: { path: path.slice(0, 300) },
  });

/** What is in a folder of a snapshot: from the index, or from restic (a second or more) where it is not there yet. Throws AppError. */
export async function folderOf(
  { repository: name, snapshot, path, after, limit }: FolderRequest,
  signal: AbortSignal = new AbortController().signal,
): Promise<Folder> {
  const repository = repositoryCalled(name);
  if (indexedOf(repository).has(snapshot)) {
    const page = indexOf(repository).folder(snapshot, path, { after, limit });
    if (page === null) throw noFolder(path);
    return { entries: [...page.entries], next: page.next, indexed: true };
  }
  const inside: Folder["entries"] = [];
  let there = path === "/";
  const prefix = path === "/" ? "/" : `${path}/`;
  for await (const node of listNodes(resticOf(repository), snapshot, signal, path)) {
    const { mode, size, mtimeMs, type } = node;
    there ||= node.path === path || node.path.startsWith(prefix);
    const below = node.path.startsWith(prefix) ? node.path.slice(prefix.length) : "";
    // The folder itself is listed too.
    if (below === "" || below.includes("/")) continue;
    const known = type === "dir" || type === "file" || type === "symlink" ? type : "other";
    inside.push({ name: below, type: known, size, mtimeMs, mode });
    if (inside.length >= mostLive) break;
  }
  if (!there) throw noFolder(path);
  inside.sort((a, b) => Number(b.type === "dir") - Number(a.type === "dir") || (a.name < b.name ? -1 : 1));
  const from = Number(after ?? 0) || 0;
  const more = from + limit < inside.length;
  return {
    entries: inside.slice(from, from + limit),
    next: more ? String(from + limit) : null,
    indexed: false,
  };
}

/** How many of a repository's snapshots are not in its index. */
function unindexedOf(repository: RepositoryConfig): number {
  const indexed = indexedOf(repository);
  return (lastSeen(repository).seen?.snapshots ?? []).filter(({ id }) => !indexed.has(id)).length;
}

/** Files and folders by a part of their name, over every snapshot that is in the index. Throws AppError. */
export function search({ repository: name, snapshot, text, limit }: SearchRequest): Found {
  const asked = name === undefined ? repositories() : [repositoryCalled(name)];
  const hits: Found["hits"] = [];
  let complete = true;
  for (const repository of asked) {
    const found = indexOf(repository).search(text, { snapshotId: snapshot, limit: limit - hits.length });
    hits.push(...found.hits.map((hit) => ({ repository: repository.name, ...hit })));
    complete &&= found.complete;
    if (hits.length < limit) continue;
    complete &&= repository === asked.at(-1);
    break;
  }
  return { hits, complete, unindexed: asked.reduce((sum, one) => sum + unindexedOf(one), 0) };
}

/** How a path was over time. Throws AppError. */
export function historyOf(name: string, path: string): FileHistory {
  const repository = repositoryCalled(name);
  return { versions: [...indexOf(repository).history(path)], unindexed: unindexedOf(repository) };
}

/** What differs between two snapshots, in one folder, with sums of what is below. Throws AppError CONFLICT where one is not in the index yet. */
export async function differenceOf(
  { repository: name, before, after, path, cursor, limit }: DifferenceRequest,
  signal: AbortSignal = new AbortController().signal,
): Promise<Difference> {
  const repository = repositoryCalled(name);
  const indexed = indexedOf(repository);
  for (const id of [before, after])
    if (!indexed.has(id))
      throw new AppError("CONFLICT", `Snapshot ${id.slice(0, 8)} is not in the index yet.`, {
        problem: "backup.notIndexed",
        params: { snapshot: id.slice(0, 8) },
      });
  const asked = { path, after: cursor, limit };
  const page = await indexOf(repository).difference(before, after, asked, signal);
  if (page === null) throw noFolder(path);
  return { sums: page.sums, entries: [...page.entries], next: page.next };
}

async function isFolder(
  repository: RepositoryConfig,
  snapshot: string,
  path: string,
  signal: AbortSignal,
): Promise<boolean> {
  if (path === "/") return true;
  if (indexedOf(repository).has(snapshot))
    return indexOf(repository).folder(snapshot, path, { limit: 0 }) !== null;
  for await (const node of listNodes(resticOf(repository), snapshot, signal, path))
    return node.path !== path || node.type === "dir";
  return false;
}

export type Download = {
  /** As which one file it comes; null for a file, which comes as it is. */
  readonly archive: "tar" | "zip" | null;
  readonly pieces: AsyncGenerator<Buffer, void>;
};

/** The bytes of a file, or of a folder as one file; resolves when they begin to come. Throws AppError. */
export async function download(
  { repository: name, snapshot, path, archive }: DownloadRequest,
  signal: AbortSignal,
): Promise<Download> {
  const repository = repositoryCalled(name);
  // Restic tells such a name, but is not found by it.
  if (path.includes("\uFFFD"))
    throw new AppError("INVALID_INPUT", "Its name has bytes that are no UTF-8: take its folder instead.", {
      problem: "backup.foreignName",
      field: "path",
    });
  const folder = await isFolder(repository, snapshot, path, signal);
  if (folder && archive === undefined)
    throw new AppError("INVALID_INPUT", "It is a folder: say archive=tar or archive=zip.", {
      problem: "backup.folderAsWhat",
      field: "archive",
    });
  const as = folder ? (archive ?? null) : null;
  return { archive: as, pieces: await dump(resticOf(repository), { snapshot, path, archive: as }, signal) };
}
