// How each repository is: looked at with its health, seldom, and kept in memory for pages and the index.
import { hostname } from "node:os";
import { type AppError, toAppError } from "../errors/app-error";
import type { ToldProblem } from "../errors/contract";
import { log } from "../runtime/log";
import { singleton } from "../runtime/singleton";
import { look } from "../systems/look";
import { appendOnly } from "../systems/restic/append-only";
import type { ResticRepository } from "../systems/restic/repository";
import {
  listLocks,
  listSnapshots,
  type ResticLock,
  type ResticSnapshot,
  repositorySize,
  resticVersion,
} from "../systems/restic/restic";
import type { Probed, Seen } from "../systems/system";
import type { Lock } from "./contract";
import { type RepositoryConfig, repositories, resticOf } from "./repositories";

/** A restic at work renews its lock every five minutes. */
const staleMs = 30 * 60_000;
/** All snapshots are walked for it. */
const measureEveryMs = 6 * 3_600_000;

export type RepositorySeen = {
  readonly at: number;
  readonly version: string;
  /** Newest first. */
  readonly snapshots: readonly ResticSnapshot[];
  readonly locks: readonly Lock[];
  readonly appendOnly: boolean | null;
};
type Kept = {
  /** The configuration it was seen with. */
  readonly key: string;
  /** The last good look. */
  seen: RepositorySeen | null;
  error: AppError | null;
  at: number | null;
  looking: Promise<RepositorySeen> | null;
  bytes: number | null;
  measuredAt: number;
};
const watch = () =>
  singleton("backup.watch", () => ({
    kept: new Map<string, Kept>(),
    listeners: new Set<(repository: RepositoryConfig, seen: RepositorySeen) => void>(),
    measuring: new Set<string>(),
    /** Ends looks and measures when Sluice stops. */
    work: new AbortController(),
  }));

function keptOf(repository: RepositoryConfig): Kept {
  const key = JSON.stringify(repository);
  const known = watch().kept.get(repository.name);
  if (known?.key === key) return known;
  const fresh = { key, seen: null, error: null, at: null, looking: null, bytes: null, measuredAt: 0 };
  watch().kept.set(repository.name, fresh);
  return fresh;
}

/** How a repository was seen last. */
export const lastSeen = (repository: RepositoryConfig): Readonly<Kept> => keptOf(repository);

/** Calls `listener` after each good look; returns the way to stop. */
export function onRepositorySeen(
  listener: (repository: RepositoryConfig, seen: RepositorySeen) => void,
): () => void {
  const { listeners } = watch();
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** Whether restic itself would call it stale. */
export const isStale = (lock: Pick<ResticLock, "since" | "host" | "pid">, now: number): boolean =>
  now - Date.parse(lock.since) > staleMs || (lock.host === hostname() && !isAlive(lock.pid));

/** Every lock as it is now. Throws AppError. */
export async function locksNow(repository: ResticRepository, signal: AbortSignal): Promise<Lock[]> {
  const locks = await listLocks(repository, signal);
  return locks.map((lock) => ({ ...lock, stale: isStale(lock, Date.now()) }));
}

async function see(repository: RepositoryConfig): Promise<RepositorySeen> {
  const restic = resticOf(repository);
  const { signal } = watch().work;
  const version = await resticVersion(restic);
  const snapshots = await listSnapshots(restic, signal);
  const locks = await locksNow(restic, signal);
  return { at: Date.now(), version, snapshots, locks, appendOnly: await appendOnly(restic) };
}

/** Looks at a repository now; who asks meanwhile gets the same look. Throws AppError. */
export function lookNow(repository: RepositoryConfig): Promise<RepositorySeen> {
  const kept = keptOf(repository);
  kept.looking ??= see(repository)
    .then((seen) => {
      Object.assign(kept, { seen, error: null, at: seen.at });
      for (const listener of watch().listeners) listener(repository, seen);
      return seen;
    })
    .catch((thrown: unknown) => {
      Object.assign(kept, { error: toAppError(thrown), at: Date.now() });
      throw thrown;
    })
    .finally(() => {
      kept.looking = null;
    });
  return kept.looking;
}

/** Measures in the background, seldom: nobody waits for it. */
function measure(repository: RepositoryConfig, kept: Kept): void {
  const { measuring } = watch();
  if (Date.now() - kept.measuredAt < measureEveryMs || measuring.has(repository.name)) return;
  kept.measuredAt = Date.now();
  measuring.add(repository.name);
  void repositorySize(resticOf(repository), watch().work.signal)
    .then((bytes) => {
      kept.bytes = bytes;
    })
    .catch((error: unknown) =>
      log.warn(
        { repository: repository.name, code: toAppError(error).code },
        "a repository was not measured",
      ),
    )
    .finally(() => measuring.delete(repository.name));
}

/** Ends what is looked at and measured now. */
export function stopLooking(): void {
  watch().work.abort();
  watch().work = new AbortController();
}

const shown = (iso: string): string => `${iso.slice(0, 16).replace("T", " ")} UTC`;

/** What is not right with a repository although it answers. */
export function concernsOf(
  { name, max_age }: Pick<RepositoryConfig, "name" | "max_age">,
  { snapshots, locks }: Pick<RepositorySeen, "snapshots" | "locks">,
  now: number,
): ToldProblem[] {
  const concerns: ToldProblem[] = [];
  const [newest] = snapshots;
  const hours = Math.round(max_age / 3_600_000);
  if (newest === undefined) concerns.push({ problem: "backup.noSnapshot", params: { system: name } });
  else if (now - Date.parse(newest.time) > max_age)
    concerns.push({ problem: "backup.old", params: { system: name, at: shown(newest.time), hours } });
  const stale = locks.find((lock) => lock.stale);
  if (stale !== undefined)
    concerns.push({
      problem: "backup.staleLock",
      params: { system: name, host: stale.host, since: shown(stale.since) },
    });
  return concerns;
}

/** Facts: snapshots, newest, size (bytes), locks, appendOnly. Never throws. */
export const lookAtRepository = (repository: RepositoryConfig): Promise<Probed> =>
  look(`restic:${repository.name}`, async (): Promise<Seen> => {
    const seen = await lookNow(repository);
    const kept = keptOf(repository);
    measure(repository, kept);
    const [newest] = seen.snapshots;
    return {
      version: seen.version,
      facts: {
        snapshots: seen.snapshots.length,
        ...(newest === undefined ? {} : { newest: shown(newest.time) }),
        ...(kept.bytes === null ? {} : { size: kept.bytes }),
        locks: seen.locks.length,
        ...(seen.appendOnly === true ? { appendOnly: "yes" } : {}),
      },
      concerns: concernsOf(repository, seen, Date.now()),
      alone: true,
    };
  });

/** Forgets what was seen of repositories that are configured no more. */
export function forgetOthers(): void {
  const names = new Set(repositories().map(({ name }) => name));
  for (const name of watch().kept.keys()) if (!names.has(name)) watch().kept.delete(name);
}
