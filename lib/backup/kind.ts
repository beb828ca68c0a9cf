// Acts on a repository: its locks taken away, or it is made. Both are proved by looking again.
import { requireRole } from "../auth/permissions";
import type { ChangeKind } from "../changes/kind";
import { testConnection } from "../connections/service";
import { AppError, toAppError } from "../errors/app-error";
import { log } from "../runtime/log";
import { initRepository, listSnapshots, resticVersion, unlock } from "../systems/restic/restic";
import {
  type InitEvidence,
  type InitInput,
  type InitPlan,
  initEvidence,
  initInput,
  initPlan,
  type UnlockEvidence,
  type UnlockInput,
  type UnlockPlan,
  unlockEvidence,
  unlockInput,
  unlockPlan,
} from "./contract";
import { addressOf, repositoryCalled, resticOf } from "./repositories";
import { locksNow } from "./watch";

export const unlockKindName = "backup.unlock";
export const initKindName = "backup.init";

/** What is told of it elsewhere is not to wait for the next look. */
function lookSoon(name: string): void {
  void testConnection("restic", name).catch((error: unknown) =>
    log.warn({ repository: name, code: toAppError(error).code }, "a repository was not looked at"),
  );
}

export const unlockKind: ChangeKind<UnlockInput, UnlockPlan, UnlockEvidence> = {
  kind: unlockKindName,
  input: unlockInput,
  plan: unlockPlan,
  evidence: unlockEvidence,
  seen: "operator",
  afterCrash: "resume",
  permit: (_input, actor) => requireRole(actor, "operator"),

  async makePlan({ repository: name, all }, { signal }) {
    const locks = await locksNow(resticOf(repositoryCalled(name)), signal);
    const taken = locks.filter(({ stale }) => all || stale);
    if (taken.length === 0)
      throw new AppError("CONFLICT", `${name} has no lock that would be taken away.`, {
        problem: locks.length === 0 ? "backup.noLocks" : "backup.locksAlive",
        params: { system: name, count: locks.length },
      });
    // Whoever is at work believes that nobody prunes meanwhile.
    const alive = taken.some(({ stale }) => !stale);
    return { repository: name, all, locks, confirmation: alive ? name : null };
  },
  describe: ({ repository, confirmation }) => ({
    title: repository,
    site: null,
    level: confirmation === null ? "disruptive" : "destructive",
    ...(confirmation === null ? {} : { confirmation }),
    targets: [`restic:${repository}`],
  }),
  apply: ({ repository, all }, { signal }) => unlock(resticOf(repositoryCalled(repository)), all, signal),

  async verify({ repository, all, locks }, { signal }) {
    const left = await locksNow(resticOf(repositoryCalled(repository)), signal);
    const there = new Set(left.map(({ id }) => id));
    const gone = locks.filter(({ id }) => !there.has(id)).map(({ id }) => id);
    // Unlock says that it did even where it did not.
    const ok = locks.every(({ id, stale }) => !there.has(id) || !(all || stale));
    lookSoon(repository);
    return { ok, outcome: ok ? "unlocked" : "otherwise", evidence: { left, gone } };
  },
};

export const initKind: ChangeKind<InitInput, InitPlan, InitEvidence> = {
  kind: initKindName,
  input: initInput,
  plan: initPlan,
  evidence: initEvidence,
  seen: "operator",
  afterCrash: "interrupted",
  permit: (_input, actor) => requireRole(actor, "operator"),

  async makePlan({ repository: name }, { signal }) {
    const repository = repositoryCalled(name);
    const restic = resticOf(repository);
    const version = await resticVersion(restic);
    const there = await listSnapshots(restic, signal).then(
      () => true,
      (error: unknown) => {
        if (toAppError(error).detail.problem === "restic.noRepository") return false;
        throw error;
      },
    );
    if (there)
      throw new AppError("CONFLICT", `${name} is there already.`, {
        problem: "backup.thereAlready",
        params: { system: name },
      });
    return { repository: name, address: addressOf(repository), version };
  },
  describe: ({ repository }) => ({
    title: repository,
    site: null,
    level: "disruptive",
    targets: [`restic:${repository}`],
  }),
  apply: ({ repository }, { signal }) => initRepository(resticOf(repositoryCalled(repository)), signal),

  async verify({ repository }, { signal }) {
    const { length } = await listSnapshots(resticOf(repositoryCalled(repository)), signal);
    lookSoon(repository);
    return { ok: true, outcome: "made", evidence: { snapshots: length } };
  },
};
