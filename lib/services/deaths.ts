// How containers died: the exit, the last lines before it, and what had changed; kept when the container is gone.
import { db } from "../db/client";
import { log } from "../runtime/log";
import { timeOf } from "../systems/docker/containers";
import { type LogLine, readLog } from "../systems/docker/logs";
import type { DeathRow, GoneRow } from "./contract";
import { type Death, type HostWatch, keptLines } from "./host-watch";
import type { Watched } from "./watched";

/** Deaths kept for each container's name, for all of them together, and for how long: names may be new with every run. */
const kept = 20;
const keptOfAll = 2000;
const keptMs = 90 * 86_400_000;
/** What one death keeps of its last lines: characters of each, bytes of all as they are stored. */
const maxLine = 8 * 1024;
const maxBytes = 64 * 1024;
const beforeMs = 15 * 60_000;
const maxChanges = 10;
const goneMs = 7 * 86_400_000;
const maxGone = 50;
/** The last bytes of a container reach its log a moment after it died. */
const graceMs = 250;

/** The name that deaths are counted under: tasks of a Swarm, each with a name of its own, are their service's. */
export const deathName = (name: string): string => name.replace(/\.(?:\d+|[a-z0-9]{25})\.[a-z0-9]{25}$/, "");

/** Keeps a death. Never throws: a death that cannot be kept must not hide the next. */
export async function keepDeath(host: HostWatch, { watched, event, requested, oom }: Death): Promise<void> {
  try {
    const lines = await lastLines(host, watched, event.at);
    const row = {
      host: host.engine.name,
      container: watched.id,
      name: deathName(watched.name),
      image: watched.inspected.Config.Image,
      at: new Date(event.at),
      exitCode: Number(event.detail ?? 0) || 0,
      oom: oom || watched.inspected.State.OOMKilled === true,
      requested,
      lines: JSON.stringify(fitting(lines)),
    };
    const { host: name, container, at } = row;
    // An event heard again after a reconnection is the same death.
    await db().containerDeath.upsert({
      where: { host_container_at: { host: name, container, at } },
      create: row,
      update: {},
    });
    await prune(row.host, row.name);
  } catch (error) {
    log.warn({ err: error, container: watched.name }, "a container's death could not be kept");
  }
}

/** The event of a death and the end that the engine writes down are not quite the same moment. */
const sameMs = 10_000;

/** Keeps the last end of a container that was over before Sluice watched, as far as the engine still knows of it. Never throws. */
export async function keepFound(host: HostWatch, watched: Watched): Promise<void> {
  const { FinishedAt, ExitCode } = watched.inspected.State;
  const at = timeOf(FinishedAt);
  if (at === null) return;
  try {
    const around = { gte: new Date(at - sameMs), lte: new Date(at + sameMs) };
    const known = await db().containerDeath.findFirst({
      where: { host: host.engine.name, container: watched.id, at: around },
      select: { id: true },
    });
    if (known !== null) return;
  } catch (error) {
    log.warn({ err: error, container: watched.name }, "it is not known whether a death was kept");
    return;
  }
  const event = {
    id: watched.id,
    name: watched.name,
    event: "die" as const,
    detail: String(ExitCode),
    image: watched.inspected.Config.Image,
    labels: watched.labels,
    at: Math.floor(at),
  };
  await keepDeath(host, { watched, event, requested: false, oom: false });
}

async function prune(host: string, name: string): Promise<void> {
  const of = (where: object, skip: number) =>
    db().containerDeath.findFirst({ where, orderBy: { id: "desc" }, skip, select: { id: true } });
  const [last, lastOfAll] = [await of({ host, name }, kept), await of({}, keptOfAll)];
  await db().containerDeath.deleteMany({
    where: {
      OR: [
        { at: { lt: new Date(Date.now() - keptMs) } },
        ...(last === null ? [] : [{ host, name, id: { lte: last.id } }]),
        ...(lastOfAll === null ? [] : [{ id: { lte: lastOfAll.id } }]),
      ],
    },
  });
}

/** The newest lines that one death may keep; what is cut from a long one is counted. */
function fitting(lines: readonly LogLine[]): LogLine[] {
  const newest: LogLine[] = [];
  let bytes = 0;
  for (const line of lines.toReversed()) {
    const text = line.text.slice(0, maxLine);
    const short = { ...line, text, cut: line.cut + Buffer.byteLength(line.text.slice(maxLine)) };
    bytes += Buffer.byteLength(JSON.stringify(short)) + 1;
    if (bytes > maxBytes) break;
    newest.push(short);
  }
  return newest.reverse();
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

/** When a container died without being asked to, since `from`; ms by the engine's clock. What happened before Sluice was started counts too. */
export async function deathsSince(host: string, container: string, from: number): Promise<number[]> {
  const rows = await db().containerDeath.findMany({
    where: { host, container, requested: false, at: { gte: new Date(from) } },
    select: { at: true },
  });
  return rows.map(({ at }) => at.getTime());
}

/** Changes that may be why: its own first, then what was done elsewhere. Purges are many and kill nothing. */
async function changesBefore(targets: readonly string[], from: Date, to: Date) {
  const find = (where: object) =>
    db().change.findMany({
      where: { createdAt: { gte: from, lte: to }, ...where },
      orderBy: { id: "desc" },
      take: maxChanges,
      select: { id: true, kind: true, title: true, createdAt: true },
    });
  const target = { target: { in: [...targets] } };
  const [own, others] = await Promise.all([
    find({ targets: { some: target } }),
    find({ targets: { none: target }, NOT: { kind: { startsWith: "purge" } } }),
  ]);
  return [...own, ...others].slice(0, maxChanges);
}

/** Names that a deploy gives for a while: their deaths are told with it. */
const passing = /\.(?:next|before|failed)-\d+$/;

/** Containers that died in the last week and are not there (by `deathName`) any more, the last first, each once. */
export async function goneOf(
  there: (host: string, name: string) => boolean,
  now = Date.now(),
): Promise<GoneRow[]> {
  const rows = await db().containerDeath.findMany({
    // Whoever stopped one and took it away knows why it ended.
    where: { at: { gte: new Date(now - goneMs) }, requested: false },
    orderBy: { at: "desc" },
    take: 1000,
    select: {
      id: true,
      host: true,
      name: true,
      at: true,
      exitCode: true,
      oom: true,
      requested: true,
      image: true,
    },
  });
  const seen = new Set<string>();
  return rows
    .filter(({ host, name }) => {
      const key = `${host}/${name}`;
      if (seen.has(key) || passing.test(name) || there(host, name)) return false;
      seen.add(key);
      return true;
    })
    .slice(0, maxGone)
    .map((row) => ({ ...row, at: row.at.toISOString() }));
}

/**
 * The deaths of the containers of this name, the last one first, each with what had happened before it. All by the engine's clock,
 * which is `skewMs` ahead of ours: changes of Sluice too, so that they stand where they were.
 */
export async function deathsOf(
  host: string,
  container: string,
  watched: Watched | null,
  skewMs = 0,
): Promise<DeathRow[]> {
  const name = deathName(container);
  const rows = await db().containerDeath.findMany({
    where: { host, name },
    orderBy: { at: "desc" },
    take: 5,
  });
  return Promise.all(
    rows.map(async (row) => {
      const diedAt = row.at.getTime();
      const from = diedAt - beforeMs;
      const changes = await changesBefore(
        [`container:${host}/${name}`, `swarm:${host}/${name}`],
        new Date(from - skewMs),
        new Date(diedAt - skewMs),
      );
      const events = (watched?.events ?? []).filter(({ at }) => at >= from && at < diedAt - 1);
      const before = [
        ...changes.map(({ id, kind, title, createdAt }) => ({
          at: new Date(createdAt.getTime() + skewMs).toISOString(),
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
