// Whether this process does its work: its database takes writes, it is the one that runs changes, its collectors look, its disk has room.
import { statfs } from "node:fs/promises";
import { collector } from "../connections/service";
import { renewLease } from "../db/lease";
import { dataDirectory } from "../db/location";
import { toAppError } from "../errors/app-error";
import { river } from "../health/river";
import { log } from "./log";
import { serviceStates } from "./service-states";
import { singleton } from "./singleton";

/** One check. `says` is for everybody's eyes: no names, no addresses. */
type Check = { readonly ok: boolean; readonly says?: string };
type CheckName = "database" | "lease" | "collectors" | "disk";
export type Checks = Readonly<Record<CheckName, Check>>;

/** Anybody may ask as often as they like: what was found is the answer for so long at least. */
const keptMs = 1000;
const databaseMs = 2000;
/** The river is gathered every ten seconds; Prometheus may keep it waiting. */
const riverMs = 60_000;
/** SQLite needs room for its write-ahead log. */
const leastFreeBytes = 64 * 1024 * 1024;
/** Services without which nothing is watched. */
const watching = ["health", "connections", "river"];

const good: Check = { ok: true };
const bad = (says: string): Check => ({ ok: false, says });

/** The lease is renewed: one statement that writes, and tells whether this process is the runner. */
async function checkDatabase(): Promise<Pick<Checks, "database" | "lease">> {
  const unknown = bad("the database does not say");
  const begun = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), databaseMs);
  });
  try {
    const held = await Promise.race([renewLease(), late]);
    // SQLite works within one tick, so that the timer may come too late to be first.
    if (held === null || performance.now() - begun > databaseMs)
      return { database: bad(`no write within ${databaseMs} ms`), lease: unknown };
    return { database: good, lease: held ? good : bad("this process does not run the changes") };
  } catch (thrown) {
    log.warn({ err: thrown }, "the database failed its check");
    const full = toAppError(thrown).code === "DISK_FULL";
    return { database: bad(full ? "the disk is full" : "it takes no writes"), lease: unknown };
  } finally {
    clearTimeout(timer);
  }
}

function checkCollectors(now: number): Check {
  const running = new Set(serviceStates().flatMap(({ name, state }) => (state === "running" ? [name] : [])));
  if (!watching.every((name) => running.has(name))) return bad("not all of them run");
  const overdue = collector().overdue(now);
  if (overdue > 0) return bad(`looks that are overdue: ${overdue}`);
  const age = now - new Date(river().at).getTime();
  return age > riverMs ? bad(`figures were gathered last ${Math.round(age / 1000)} s ago`) : good;
}

async function checkDisk(): Promise<Check> {
  try {
    const { bavail, bsize } = await statfs(dataDirectory());
    return bavail * bsize < leastFreeBytes ? bad("the disk of the data folder is full") : good;
  } catch {
    return bad("the data folder is not there");
  }
}

async function look(): Promise<Checks> {
  const [{ database, lease }, disk] = await Promise.all([checkDatabase(), checkDisk()]);
  return { database, lease, collectors: checkCollectors(Date.now()), disk };
}

const kept = () =>
  singleton("runtime.self-check", (): { until: number; checks: Promise<Checks> | null } => ({
    until: 0,
    checks: null,
  }));

/** Every check, as found within the last second. Never throws. */
export function selfCheck(): Promise<Checks> {
  const last = kept();
  const begun = performance.now();
  if (last.checks !== null && begun < last.until) return last.checks;
  last.until = Number.POSITIVE_INFINITY;
  last.checks = look().finally(() => {
    const ended = performance.now();
    // What takes long is not done all the time: a write that waits for a lock keeps this process from everything else.
    last.until = ended + Math.max(keptMs, 3 * (ended - begun));
  });
  return last.checks;
}
