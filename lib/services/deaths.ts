// How containers died: the exit, the last lines before it, and what had changed; kept when the container is gone.
import { db } from "../db/client";
import { log } from "../runtime/log";
import { type LogLine, readLog } from "../systems/docker/logs";
import type { DeathRow } from "./contract";
import { type Death, type HostWatch, keptLines } from "./host-watch";
import type { Watched } from "./watched";

/** Deaths kept for each container's name. */
const kept = 20;
const beforeMs = 15 * 60_000;
/** The last bytes of a container reach its log a moment after it died. */
const graceMs = 250;

/** Keeps a death. Never throws: a death that cannot be kept must not hide the next. */
export async function keepDeath(host: HostWatch, { watched, event, requested, oom }: Death): Promise<void> {
  try {
    const lines = await lastLines(host, watched, event.at);
    const row = {
      host: host.engine.name,
      container: watched.id,
      name: watched.name,
      image: watched.inspected.Config.Image,
      at: new Date(event.at),
      exitCode: Number(event.detail ?? 0) || 0,
      oom: oom || watched.inspected.State.OOMKilled === true,
      requested,
      lines: JSON.stringify(lines),
    };
    const { host: name, container, at } = row;
    // An event heard again after a reconnection is the same death.
    await db().containerDeath.upsert({
      where: { host_container_at: { host: name, container, at } },
      create: row,
      update: {},
    });
    const old = await db().containerDeath.findMany({
      where: { host: row.host, name: row.name },
      orderBy: { at: "desc" },
      skip: kept,
      select: { id: true },
    });
    if (old.length > 0)
      await db().containerDeath.deleteMany({ where: { id: { in: old.map(({ id }) => id) } } });
  } catch (error) {
    log.warn({ err: error, container: watched.name }, "a container's death could not be kept");
  }
}

async function lastLines(host: HostWatch, watched: Watched, diedAt: number): Promise<LogLine[]> {
  const options = { tty: watched.inspected.Config.Tty === true, follow: false, tail: keptLines * 2 };
  const all: LogLine[] = [];
  const limit = AbortSignal.timeout(host.engine.timeout);
  try {
    for await (const lines of readLog(host.engine, watched.id, options, limit)) all.push(...lines);
  } catch {
    // Gone with its container (--rm): what was followed is all there is.
    if (all.length === 0) all.push(...watched.tail);
  }
  // It may run again already.
  return all.filter(({ at }) => !(Date.parse(at) > diedAt + graceMs)).slice(-keptLines);
}

/** When a container died without being asked to, since `from`; ms. What happened before Sluice was started counts too. */
export async function deathsSince(host: string, container: string, from: number): Promise<number[]> {
  const rows = await db().containerDeath.findMany({
    where: { host, container, requested: false, at: { gte: new Date(from) } },
    select: { at: true },
  });
  return rows.map(({ at }) => at.getTime());
}

/** The deaths of the containers of this name, the last one first, each with what had happened before it. */
export async function deathsOf(host: string, name: string, watched: Watched | null): Promise<DeathRow[]> {
  const rows = await db().containerDeath.findMany({
    where: { host, name },
    orderBy: { at: "desc" },
    take: 5,
  });
  return Promise.all(
    rows.map(async (row) => {
      const from = new Date(row.at.getTime() - beforeMs);
      const changes = await db().change.findMany({
        where: { createdAt: { gte: from, lte: row.at } },
        orderBy: { id: "desc" },
        take: 10,
        select: { id: true, kind: true, title: true, createdAt: true },
      });
      const events = (watched?.events ?? []).filter(
        ({ at }) => at >= from.getTime() && at < row.at.getTime() - 1,
      );
      const before = [
        ...changes.map(({ id, kind, title, createdAt }) => ({
          at: createdAt.toISOString(),
          what: kind,
          detail: title,
          change: id,
        })),
        ...events.slice(-10).map(({ at, event, detail }) => ({
          at: new Date(at).toISOString(),
          what: event,
          detail,
          change: null,
        })),
      ];
      return {
        id: row.id,
        at: row.at.toISOString(),
        container: row.container,
        exitCode: row.exitCode,
        oom: row.oom,
        requested: row.requested,
        image: row.image,
        lines: JSON.parse(row.lines) as LogLine[],
        before: before.sort((a, b) => b.at.localeCompare(a.at)),
      };
    }),
  );
}
