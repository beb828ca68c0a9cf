// What is in the snapshots, kept in a file per repository: new ones read one at a time, newest first, forgotten ones taken out.
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { onConfig } from "../config/load";
import { tellProblem, toAppError } from "../errors/app-error";
import type { ToldProblem } from "../errors/contract";
import { log } from "../runtime/log";
import { singleton } from "../runtime/singleton";
import { listNodes, type ResticNode, type ResticSnapshot } from "../systems/restic/restic";
import type { IndexState } from "./contract";
import { openIndex, type SnapshotIndex } from "./index/open";
import type { IndexNode, NodeType } from "./index/shapes";
import { indexFile, indexFolder, type RepositoryConfig, repositories, resticOf } from "./repositories";
import { forgetOthers, lastSeen, onRepositorySeen, stopLooking } from "./watch";

/** Older ones are still browsed, by restic itself. */
const mostSnapshots = 1000;
const mostBytes = 8 * 1024 ** 3;
/** A snapshot that could not be read is left alone for so long. */
const againMs = 30 * 60_000;

type Open = { readonly file: string; readonly index: SnapshotIndex };
const state = () =>
  singleton("backup.index", () => ({
    open: new Map<string, Open>(),
    reading: null as { readonly repository: string; readonly snapshot: string } | null,
    problems: new Map<string, ToldProblem>(),
    /** By snapshot: when it failed. */
    failed: new Map<string, number>(),
  }));

/** The index of a repository; made anew where it was lost. Throws AppError DATABASE, DISK_FULL. */
export function indexOf(repository: RepositoryConfig): SnapshotIndex {
  const { open } = state();
  const file = indexFile(repository);
  const known = open.get(repository.name);
  if (known?.file === file) return known.index;
  if (known !== undefined) letGo(repository.name, known);
  mkdirSync(indexFolder(), { recursive: true, mode: 0o700 });
  const index = openIndex(file);
  if (index.remade) log.warn({ repository: repository.name }, "the index of its snapshots is made anew");
  open.set(repository.name, { file, index });
  return index;
}

function letGo(name: string, { index }: Open): void {
  state().open.delete(name);
  void index
    .close()
    .catch((error: unknown) => log.warn({ err: error, repository: name }, "an index was not closed"));
}

const wanted = (snapshots: readonly ResticSnapshot[]) => snapshots.slice(0, mostSnapshots);

/** Which of these snapshots are in the index. Never throws: without an index restic itself is asked. */
export function indexedOf(repository: RepositoryConfig): ReadonlySet<string> {
  try {
    return new Set(indexOf(repository).ids());
  } catch {
    return new Set();
  }
}

/** How far the index of a repository is. Never throws. */
export function indexStateOf(repository: RepositoryConfig): IndexState {
  const snapshots = wanted(lastSeen(repository).seen?.snapshots ?? []);
  const { reading, problems } = state();
  const common = {
    of: snapshots.length,
    reading: reading?.repository === repository.name ? reading.snapshot : null,
    problem: problems.get(repository.name) ?? null,
  };
  try {
    const index = indexOf(repository);
    const ids = new Set(index.ids());
    return { ...common, indexed: snapshots.filter(({ id }) => ids.has(id)).length, bytes: index.size() };
  } catch (error) {
    const says = toAppError(error).message;
    const problem = tellProblem(error, { problem: "health.failed", params: { says } });
    return { ...common, indexed: 0, bytes: 0, problem };
  }
}

const typeOf = (type: string): NodeType =>
  type === "dir" || type === "file" || type === "symlink" ? type : "other";

async function* indexNodes(nodes: AsyncIterable<ResticNode>): AsyncGenerator<IndexNode, void> {
  for await (const { path, type, size, mtimeMs, mode } of nodes)
    yield { path, type: typeOf(type), size, mtimeMs, mode };
}

/** The first repository and snapshot that are to be read; what is forgotten is taken out on the way. */
async function nextToRead(
  signal: AbortSignal,
): Promise<{ readonly repository: RepositoryConfig; readonly snapshot: ResticSnapshot } | null> {
  const { problems, failed } = state();
  for (const repository of repositories()) {
    const { seen } = lastSeen(repository);
    if (seen === null) continue;
    try {
      const index = indexOf(repository);
      const snapshots = wanted(seen.snapshots);
      const ids = new Set(snapshots.map(({ id }) => id));
      const forgotten = index.ids().filter((id) => !ids.has(id));
      if (forgotten.length > 0) await index.remove(forgotten, signal);
      const missing = snapshots.find(
        ({ id }) => !index.has(id) && Date.now() - (failed.get(id) ?? 0) > againMs,
      );
      if (missing === undefined) {
        if (snapshots.every(({ id }) => index.has(id))) problems.delete(repository.name);
        continue;
      }
      if (index.size() > mostBytes) {
        problems.set(repository.name, {
          problem: "backup.indexFull",
          params: { system: repository.name, gigabytes: mostBytes / 1024 ** 3 },
        });
        continue;
      }
      return { repository, snapshot: missing };
    } catch (error) {
      if (signal.aborted) return null;
      keepProblem(repository, error);
    }
  }
  return null;
}

function keepProblem({ name }: RepositoryConfig, error: unknown): void {
  const { code, message } = toAppError(error);
  log.warn({ repository: name, code }, `the index of its snapshots: ${message}`);
  state().problems.set(name, tellProblem(error, { problem: "health.failed", params: { says: message } }));
}

async function readAll(signal: AbortSignal): Promise<void> {
  for (;;) {
    const next = await nextToRead(signal);
    if (next === null || signal.aborted) return;
    const { repository, snapshot } = next;
    state().reading = { repository: repository.name, snapshot: snapshot.id };
    try {
      await indexOf(repository).add(
        snapshot,
        indexNodes(listNodes(resticOf(repository), snapshot.id, signal)),
        signal,
      );
      state().failed.delete(snapshot.id);
    } catch (error) {
      if (signal.aborted) return;
      state().failed.set(snapshot.id, Date.now());
      keepProblem(repository, error);
    } finally {
      state().reading = null;
    }
  }
}

/** Closes what is open of repositories that are configured no more, and takes their files away. */
function tidy(): void {
  const files = new Set(repositories().map((one) => basename(indexFile(one))));
  const { open } = state();
  for (const [name, one] of open) if (!files.has(basename(one.file))) letGo(name, one);
  try {
    for (const name of readdirSync(indexFolder()))
      if (!files.has(name.replace(/-(wal|shm|journal)$/, "")))
        rmSync(join(indexFolder(), name), { force: true });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT"))
      log.warn({ err: error }, "old indexes were not taken away");
  }
}

/** For lib/runtime/services.ts. */
export const backupIndexService = {
  name: "backup index",
  async start(): Promise<() => Promise<void>> {
    const controller = new AbortController();
    let work: Promise<void> | null = null;
    let again = false;
    const wake = () => {
      again = true;
      if (controller.signal.aborted) return;
      work ??= (async () => {
        while (again && !controller.signal.aborted) {
          again = false;
          await readAll(controller.signal);
        }
      })()
        .catch((error: unknown) => log.error({ err: error }, "the index of snapshots stopped"))
        .finally(() => {
          work = null;
        });
    };
    tidy();
    const offSeen = onRepositorySeen(wake);
    const offConfig = onConfig(() => {
      forgetOthers();
      tidy();
    });
    // Of looks before.
    wake();
    return async () => {
      offSeen();
      offConfig();
      controller.abort();
      stopLooking();
      await work;
      await Promise.all([...state().open.values()].map(({ index }) => index.close()));
      state().open.clear();
    };
  },
};
