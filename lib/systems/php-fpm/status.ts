// A pool of PHP-FPM by its status page (php.net/manual/en/fpm.status.php): over HTTP through the web server, or straight by FastCGI.
import * as z from "zod";
import { AppError } from "../../errors/app-error";
import type { ToldProblem } from "../../errors/contract";
import { exchange } from "../exchange";
import { look } from "../look";
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
    const { status, body } = await ask(pool);
    const told = page.safeParse(status === 200 ? parsed(body) : null);
    if (!told.success)
      throw new AppError(
        "BAD_ANSWER",
        `${pool.name}: ${pool.address ?? pool.url} gives no status page of PHP-FPM (${status}).`,
        {
          problem: "php_fpm.noStatus",
          params: { system: pool.name, status },
        },
      );
    const active = told.data["active processes"];
    const total = told.data["total processes"];
    const queue = told.data["listen queue"];
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
        uptime: told.data["start since"],
        pool: told.data.pool,
      },
      counters: {
        requests: told.data["accepted conn"],
        maxChildrenReached: told.data["max children reached"],
        slowRequests: told.data["slow requests"],
      },
      concerns,
    };
  });

/** The page as JSON. */
async function ask(pool: PhpFpmPool): Promise<{ status: number; body: Uint8Array }> {
  if (pool.address !== undefined) return getOverFastCgi(pool.address, pool.status, "json", pool.timeout);
  if (pool.url === undefined)
    throw new AppError("NOT_CONFIGURED", `${pool.name} has neither url nor address in sluice.yaml.`, {
      problem: "php_fpm.nowhere",
      params: { system: pool.name },
    });
  const { origin, pathname } = new URL(pool.url);
  return exchange({
    base: origin,
    path: `${pathname}?json`,
    timeoutMs: pool.timeout,
    maxBytes: 64 * 1024,
  });
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString("utf8"));
  } catch {
    return null;
  }
}
