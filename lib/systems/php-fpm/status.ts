// A pool of PHP-FPM by its status page (php.net/manual/en/fpm.status.php): over HTTP through the web server, or straight by FastCGI.
import * as z from "zod";
import { AppError } from "../../errors/app-error";
import type { ToldProblem } from "../../errors/contract";
import { exchange } from "../exchange";
import { look } from "../look";
import { type Snapshot, snapshot } from "../snapshot";
import type { Probed } from "../system";
import { getOverFastCgi } from "./fastcgi";

export type PhpFpmPool = {
  readonly name: string;
  /** The status page's address at the web server, without a query. */
  readonly url?: string | undefined;
  /** Where the pool itself listens, host:port; goes before `url`. */
  readonly address?: string | undefined;
  /** Its pm.status_path, for `address`. */
  readonly status: string;
  /** Milliseconds. */
  readonly timeout: number;
};

const page = z.object({
  pool: z.string(),
  "process manager": z.string(),
  "start since": z.number(),
  "accepted conn": z.number(),
  "listen queue": z.number(),
  "idle processes": z.number(),
  "active processes": z.number(),
  "total processes": z.number(),
  "max children reached": z.number(),
  "slow requests": z.number(),
});

/** How the pool is: its processes, what waits, what it served. */
export const probe = (pool: PhpFpmPool): Promise<Probed> =>
  look(`php_fpm:${pool.name}`, async () => {
    const told = await read(pool, "json", page);
    const active = told["active processes"];
    const total = told["total processes"];
    const queue = told["listen queue"];
    const concerns: ToldProblem[] = [];
    if (queue > 0) concerns.push({ problem: "php_fpm.queue", params: { system: pool.name, queue } });
    // The one that answers us is active, too.
    else if (active >= total && total > 1)
      concerns.push({ problem: "php_fpm.allBusy", params: { system: pool.name, total } });
    return {
      version: null,
      facts: {
        processes: `${active} / ${total}`,
        queue,
        uptime: told["start since"],
        pool: told.pool,
      },
      counters: {
        requests: told["accepted conn"],
        maxChildrenReached: told["max children reached"],
        slowRequests: told["slow requests"],
      },
      concerns,
    };
  });

/** The page as JSON; `query` may ask for more of it. */
async function ask(pool: PhpFpmPool, query: string): Promise<{ status: number; body: Uint8Array }> {
  if (pool.address !== undefined) return getOverFastCgi(pool.address, pool.status, query, pool.timeout);
  if (pool.url === undefined)
    throw new AppError("NOT_CONFIGURED", `${pool.name} has neither url nor address in sluice.yaml.`, {
      problem: "php_fpm.nowhere",
      params: { system: pool.name },
    });
  const { origin, pathname } = new URL(pool.url);
  return exchange({
    base: origin,
    path: `${pathname}?${query}`,
    timeoutMs: pool.timeout,
    maxBytes: 1024 * 1024,
  });
}

async function read<T>(pool: PhpFpmPool, query: string, schema: z.ZodType<T>): Promise<T> {
  const { status, body } = await ask(pool, query);
  const told = schema.safeParse(status === 200 ? parsed(body) : null);
  if (told.success) return told.data;
  throw new AppError(
    "BAD_ANSWER",
    `${pool.name}: ${pool.address ?? pool.url} gives no status page of PHP-FPM (${status}).`,
    { problem: "php_fpm.noStatus", params: { system: pool.name, status } },
  );
}

const workersPage = z.object({
  processes: z.array(
    z.object({
      pid: z.number(),
      state: z.string(),
      requests: z.number(),
      /** Microseconds: of the request at work, or of the last one. */
      "request duration": z.number(),
      "request method": z.string(),
      "request uri": z.string(),
    }),
  ),
});

/** A path without the parts that may be somebody's: numbers, and what is as long as a token. */
const withoutIds = (path: string): string =>
  path
    .split("/")
    .map((part) => (/\d/.test(part) || part.length > 24 ? "…" : part))
    .join("/");

/** What each worker does, those at work first, the longest before the others. Addresses without their query. Throws AppError. */
export const workers = async (pool: PhpFpmPool): Promise<Snapshot> => {
  const { processes } = await read(pool, "json&full", workersPage);
  const idle = (state: string) => Number(state === "Idle");
  const statusPath = pool.address === undefined ? new URL(pool.url ?? "").pathname : pool.status;
  return snapshot(
    "workers",
    ["seconds", "state", "method", "address", "requests", "pid"],
    processes
      .map((one) => ({ ...one, path: withoutIds(one["request uri"].split("?")[0] ?? "") }))
      // The one that answers us.
      .filter(({ state, path }) => idle(state) === 1 || path !== statusPath)
      .sort((a, b) => idle(a.state) - idle(b.state) || b["request duration"] - a["request duration"])
      .map((one) => [
        one["request duration"] / 1e6,
        one.state,
        one["request method"],
        one.path,
        one.requests,
        one.pid,
      ]),
  );
};

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString("utf8"));
  } catch {
    return null;
  }
}
