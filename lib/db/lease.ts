// One runner per database: a row that this process holds and renews. Two would apply every change twice.
import { randomUUID } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "better-sqlite3";
import * as z from "zod";
import { AppError } from "../errors/app-error";
import { log } from "../runtime/log";
import { singleton } from "../runtime/singleton";
import { db } from "./client";

const leaseName = "runner";
const renewMs = 5000;
const expireMs = 15_000;

/** Who holds it. `machine` tells whether `pid` means anything to us; `started` tells a reused pid apart. */
const holderSchema = z.object({
  id: z.string(),
  machine: z.string(),
  pid: z.int(),
  started: z.string().nullable(),
});
type Holder = z.infer<typeof holderSchema>;

export type Lease = { readonly id: string };

/**
 * Takes the lease, or throws AppError CONFLICT when another process has it and is alive. A holder that died on this
 * machine is replaced at once; one on another machine (or in another container) when it has not renewed for 15 s,
 * which is waited for here. Returns null when the database has no such table yet.
 */
export async function takeLease(connection: Database): Promise<Lease | null> {
  const there = connection
    .prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'Lease'")
    .get();
  if (there === undefined) return null;
  const self: Holder = {
    id: randomUUID(),
    machine: machine(),
    pid: process.pid,
    started: startOf(process.pid),
  };
  let firstSeen: string | null = null;
  for (;;) {
    const holding = connection.transaction((): { holder: Holder | null; expiresAt: string } | null => {
      const row = connection
        .prepare('SELECT "holder", "expiresAt" FROM "Lease" WHERE "name" = ?')
        .get(leaseName) as { holder: string; expiresAt: string } | undefined;
      const holder = row === undefined ? null : parseHolder(row.holder);
      if (
        row !== undefined &&
        new Date(row.expiresAt).getTime() > Date.now() &&
        !(holder !== null && isDead(holder, self))
      ) {
        return { holder, expiresAt: row.expiresAt };
      }
      connection
        .prepare(
          'INSERT INTO "Lease" ("name", "holder", "expiresAt") VALUES (?, ?, ?) ON CONFLICT ("name") DO UPDATE SET "holder" = excluded."holder", "expiresAt" = excluded."expiresAt"',
        )
        .run(leaseName, JSON.stringify(self), expiry().toISOString().replace("Z", "+00:00"));
      return null;
    });
    const other = holding.immediate();
    if (other === null) return { id: self.id };
    const sameMachine = other.holder?.machine === self.machine;
    if (sameMachine || (firstSeen !== null && firstSeen !== other.expiresAt)) {
      const who =
        other.holder === null
          ? ""
          : ` (process ${other.holder.pid}${sameMachine ? "" : " on another machine"})`;
      throw new AppError(
        "CONFLICT",
        `Another Sluice${who} is running on ${connection.name}. Stop it first, or give this one a data directory of its own (SLUICE_DATA).`,
        { problem: "data.inUse" },
      );
    }
    if (firstSeen === null)
      log.warn("the database was held by another process a moment ago: waiting until it is known to be gone");
    firstSeen = other.expiresAt;
    await sleep(500);
  }
}

/** What this process holds. */
const held = () => singleton("db.lease", (): { lease: Lease | null } => ({ lease: null }));

/** Renews the lease now: a write that also tells whether this process still holds it. Throws what the database throws. */
export async function renewLease(): Promise<boolean> {
  const { lease } = held();
  if (lease === null) return false;
  const { count } = await db().lease.updateMany({ where: mine(lease), data: { expiresAt: expiry() } });
  return count > 0;
}

/** Renews the lease until the returned function is called, which gives it back. `onLost` when another process has taken it. */
export function keepLease(lease: Lease, onLost: () => void): () => Promise<void> {
  held().lease = lease;
  const timer = setInterval(() => {
    renewLease()
      .then((still) => {
        if (!still && held().lease === lease) onLost();
      })
      .catch((error: unknown) => log.error({ err: error }, "the lease on the database could not be renewed"));
  }, renewMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    held().lease = null;
    await db().lease.deleteMany({ where: mine(lease) });
  };
}

const mine = ({ id }: Lease) => ({ name: leaseName, holder: { contains: id } });

function expiry(): Date {
  return new Date(Date.now() + expireMs);
}

function parseHolder(text: string): Holder | null {
  try {
    return holderSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Whether the holder was a process of this machine that is no more. */
function isDead(holder: Holder, self: Holder): boolean {
  if (holder.machine !== self.machine) return false;
  // The same process id and start: this process itself, restarting its runtime.
  if (holder.pid === self.pid) return holder.started !== self.started;
  if (holder.started !== null) return startOf(holder.pid) !== holder.started;
  try {
    process.kill(holder.pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

/** Names what process ids are counted in: on Linux the boot and the pid namespace, since containers share host names. */
function machine(): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return hostname();
  }
}

/** When a process began, in the kernel's ticks; null when there is none (or the system does not say). */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie holds nothing any more; its parent only has not looked yet.
    return state === "Z" || state === "X" ? null : (rest[18] ?? null);
  } catch {
    return null;
  }
}
