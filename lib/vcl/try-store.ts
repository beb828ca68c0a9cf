// Trials in the database: their secrets are here while they run, and nowhere else in Sluice.
import { randomBytes } from "node:crypto";
import type { Actor } from "../changes/kind";
import { activeStates } from "../changes/rows";
import { config } from "../config/load";
import { db } from "../db/client";
import { AppError } from "../errors/app-error";
import { nodesOf } from "./nodes";
import type { VclTrial } from "./try/contract";
import { enterPath, leavePath, tryHeader } from "./try-text";

export type StoredTrial = Awaited<ReturnType<ReturnType<typeof db>["vclTrial"]["findUniqueOrThrow"]>>;

const secret = (): string => randomBytes(16).toString("hex");
/** `endsAt` of one that has yet to open. */
const after = (minutes: number): Date => new Date(Date.now() + minutes * 60_000);

/** The trial that a cluster has now, or null: one at a time. */
export const presentTrial = (cluster: string): Promise<StoredTrial | null> =>
  db().vclTrial.findFirst({ where: { cluster, state: { not: "ended" } }, orderBy: { changeId: "desc" } });

/** All that are open. */
export const openTrials = (): Promise<StoredTrial[]> => db().vclTrial.findMany({ where: { state: "live" } });

/** Throws CONFLICT when the cluster has a trial, other than the one that `change` began. */
export async function refuseSecond(cluster: string, change: number | null): Promise<void> {
  const present = await presentTrial(cluster);
  if (present === null || present.changeId === change) return;
  throw new AppError(
    "CONFLICT",
    `${cluster} has a trial already: ${present.ownerName} tries r${present.revision}.`,
    {
      problem: "vcl.tryAlready",
      params: { cluster, by: present.ownerName, number: present.revision },
    },
  );
}

/** What is said of a trial that is over. */
export const hasEnded = (change: number, cluster: string) =>
  new AppError("CONFLICT", `Trial ${change} of ${cluster} has ended.`, {
    problem: "vcl.tryEnded",
    params: { cluster },
  });

/** The trial of a change, made when it is not there. Throws CONFLICT as `refuseSecond`, or when it is over. */
export async function keepTrial(
  changeId: number,
  begun: {
    readonly cluster: string;
    readonly revision: number;
    readonly minutes: number;
    readonly owner: Actor;
  },
): Promise<StoredTrial> {
  const { cluster, revision, minutes, owner } = begun;
  await refuseSecond(cluster, changeId);
  const trial = await db().vclTrial.upsert({
    where: { changeId },
    update: {},
    create: {
      ...{ changeId, cluster, revision, state: "starting", endsAt: after(minutes) },
      ...{ ownerType: owner.type, ownerId: owner.id, ownerName: owner.name },
      ...{ token: secret(), enter: secret() },
    },
  });
  // Taken up after it was closed: an empty secret would open it to everybody.
  if (trial.state === "ended") throw hasEnded(changeId, cluster);
  return trial;
}

/** It is open on every node: its time begins. One that was open before goes on as it was. */
export const opened = (changeId: number, minutes: number) =>
  db().vclTrial.updateMany({
    where: { changeId, state: "starting" },
    data: { state: "live", startedAt: new Date(), endsAt: after(minutes) },
  });

/** It could not be closed on each node: it is due, and closed as soon as they answer. */
export const due = (changeId: number) =>
  db().vclTrial.updateMany({ where: { changeId }, data: { state: "live", endsAt: new Date() } });

/** Those whose change ended while it opened them (it was interrupted) are due: nobody else would close them. */
export async function dueStranded(): Promise<void> {
  const starting = await db().vclTrial.findMany({ where: { state: "starting" }, select: { changeId: true } });
  if (starting.length === 0) return;
  const ids = starting.map(({ changeId }) => changeId);
  const running = await db().change.findMany({
    where: { id: { in: ids }, state: { in: [...activeStates] } },
    select: { id: true },
  });
  // One that is open by now has left this state before its change ended.
  await db().vclTrial.updateMany({
    where: { changeId: { in: ids, notIn: running.map(({ id }) => id) }, state: "starting" },
    data: { state: "live", endsAt: new Date() },
  });
}

/** It is over, and its secrets are forgotten. */
export const ended = (changeId: number) =>
  db().vclTrial.updateMany({
    where: { changeId, state: { not: "ended" } },
    data: { state: "ended", endedAt: new Date(), token: "", enter: "" },
  });

/** The trial of a cluster as `actor` may see it: its secrets are for who began it. */
export async function trialFor(cluster: string, actor: Actor): Promise<VclTrial | null> {
  const names = nodesOf(cluster).map(({ name }) => name);
  const trial = await presentTrial(cluster);
  if (trial === null) return null;
  const own = actor.id !== null && trial.ownerType === actor.type && trial.ownerId === actor.id;
  const sites = config().sites.filter(({ caches }) => caches.varnish.some((node) => names.includes(node)));
  return {
    change: trial.changeId,
    cluster,
    revision: trial.revision,
    by: trial.ownerName,
    startedAt: trial.startedAt.toISOString(),
    endsAt: trial.endsAt.toISOString(),
    secret:
      own && trial.state === "live"
        ? {
            header: { name: tryHeader, value: trial.token },
            sites: sites.flatMap(({ name, addresses }) =>
              addresses.map((address) => ({
                site: addresses.length > 1 ? new URL(address).host : name,
                enter: new URL(enterPath(trial.enter, address.startsWith("https:")), address).href,
                leave: new URL(leavePath, address).href,
              })),
            ),
          }
        : null,
  };
}
