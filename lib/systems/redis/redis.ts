// Redis: looks at keys, deletes them, and says at once when it is not there.
import { createHash } from "node:crypto";
import { Redis, ReplyError } from "ioredis";
import * as z from "zod";
import { AppError } from "../../errors/app-error";
import type { ToldProblem } from "../../errors/contract";
import { singleton } from "../../runtime/singleton";
import { look } from "../look";
import { type Snapshot, snapshot } from "../snapshot";
import type { Probed, Seen } from "../system";

/** One server, as sluice.yaml has it. */
export type RedisSystem = {
  readonly name: string;
  /** redis:// or rediss://, with the database as its path. */
  readonly url: string;
  readonly password?: string | undefined;
  /** Milliseconds to connect, and for one command. */
  readonly timeout: number;
};

/** Keys to look at: exact names, or a pattern of Redis' own (see glob.ts). */
export type Keys = { readonly keys: readonly string[] } | { readonly pattern: string };

export type KeyState = {
  readonly key: string;
  /** Redis' type; "none" when there is no such key. */
  readonly type: string;
  /** Seconds left, or null when it does not expire. */
  readonly ttlS: number | null;
  /** SHA-256 of the value (of its serialised form, DUMP, when it is not a string): tells whether it changed. */
  readonly digest: string | null;
};

type Connection = { readonly client: Redis; connecting: Promise<void> | null };

/** One connection per system and settings; a changed password or address makes a new one. */
function connection(system: RedisSystem): Connection {
  const settings = createHash("sha256")
    .update(`${system.url}\n${system.password ?? ""}\n${system.timeout}`)
    .digest("base64url");
  const all = singleton(
    "systems.redis.connections",
    () => new Map<string, { settings: string; connection: Connection }>(),
  );
  const known = all.get(system.name);
  if (known?.settings === settings) return known.connection;
  known?.connection.client.disconnect();
  const client = new Redis(system.url, {
    ...(system.password === undefined ? {} : { password: system.password }),
    connectionName: "sluice",
    disableClientInfo: true,
    lazyConnect: true,
    // Each command says itself what is wrong; the check's own failure would only be told as a closed connection.
    enableReadyCheck: false,
    // A command while it is down fails at once; the next one tries to connect again.
    enableOfflineQueue: false,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout: system.timeout,
    commandTimeout: system.timeout,
  });
  // Each command tells its own failure; without a listener the same one would end the process.
  client.on("error", () => {});
  const made: Connection = { client, connecting: null };
  all.set(system.name, { settings, connection: made });
  return made;
}

/** Closes the connection to one system, or to all (tests, and a runtime that stops). */
export function disconnect(name?: string): void {
  const all = singleton(
    "systems.redis.connections",
    () => new Map<string, { settings: string; connection: Connection }>(),
  );
  for (const [known, { connection: open }] of all) {
    if (name !== undefined && known !== name) continue;
    open.client.disconnect();
    all.delete(known);
  }
}

function foreignError(system: RedisSystem, error: unknown): AppError {
  if (error instanceof AppError) return error;
  const text = error instanceof Error ? error.message : String(error);
  const params = { system: system.name };
  // A reply's error carries the command that it answers: for AUTH that is the password.
  const cause = new Error(text);
  if (/WRONGPASS|NOAUTH|NOPERM|AUTH <password>|invalid password/i.test(text)) {
    return new AppError("UPSTREAM_AUTH", `${system.name} refuses the password or its user may not do this.`, {
      problem: "redis.auth",
      params,
      cause,
    });
  }
  if (/command timed out|ETIMEDOUT/i.test(text)) {
    return new AppError("TIMEOUT", `${system.name} did not answer within ${system.timeout} ms.`, {
      problem: "redis.timeout",
      params: { ...params, ms: system.timeout },
      cause,
    });
  }
  if (error instanceof ReplyError) {
    return new AppError("REFUSED", `${system.name} refuses: ${text.slice(0, 200)}`, {
      problem: "redis.refused",
      params: { ...params, says: text.slice(0, 200) },
      cause,
    });
  }
  return new AppError("UNREACHABLE", `${system.name} cannot be reached: ${text.slice(0, 200)}`, {
    problem: "redis.unreachable",
    params,
    cause,
  });
}

/** A connection that died without our knowing: nothing that we do is harmed by being done again. */
const died = (error: unknown) =>
  error instanceof Error && /Stream isn't writeable|Connection is closed/.test(error.message);

/** Does something on the connection; what fails is told in our words. Throws AppError. */
export async function run<T>(system: RedisSystem, act: (client: Redis) => Promise<T>): Promise<T> {
  const held = connection(system);
  const kept = held.client.status === "ready";
  try {
    return await act(await ready(system, held));
  } catch (error) {
    if (!kept || !died(error)) throw foreignError(system, error);
  }
  // Only once, on a new connection; others who met the same dead one may have made it already.
  if (connection(system) === held) disconnect(system.name);
  try {
    return await act(await ready(system, connection(system)));
  } catch (error) {
    throw foreignError(system, error);
  }
}

async function ready(system: RedisSystem, held: Connection): Promise<Redis> {
  if (held.client.status !== "ready") {
    held.connecting ??= connect(held.client, system).finally(() => {
      held.connecting = null;
    });
    await held.connecting;
  }
  return held.client;
}

/** ioredis tells of a failed connection only as a closed one, its cause as an event; and its connect() resolves before the sign-in. */
function connect(client: Redis, system: RedisSystem): Promise<void> {
  return new Promise((resolve, reject) => {
    let cause: unknown = null;
    const keep = (error: unknown) => {
      cause ??= error;
    };
    const settle = (act: () => void) => () => {
      clearTimeout(deadline);
      client.off("error", keep).off("ready", ready).off("end", ended);
      act();
    };
    // A refused password is told first, and "ready" all the same.
    const ready = settle(() => (cause === null ? resolve() : reject(cause)));
    const ended = settle(() => reject(cause ?? new Error("the connection was closed")));
    const deadline = setTimeout(() => {
      keep(new Error("ETIMEDOUT"));
      client.disconnect();
      // A socket that was not open yet ends without an event.
      ended();
    }, system.timeout);
    client.on("error", keep).on("ready", ready).on("end", ended);
    client.connect().catch(keep);
  });
}

const scanCount = 1000;
/** Rounds of SCAN in one search: a million keys are looked at, no more. */
const scanRounds = 1000;

/** The keys of a pattern, at most `limit`. `whole` is false when there may be more. Throws AppError. */
export function findKeys(
  system: RedisSystem,
  pattern: string,
  limit = 1000,
): Promise<{ keys: string[]; whole: boolean }> {
  return run(system, async (client) => {
    const found = new Set<string>();
    let cursor = "0";
    for (let round = 0; round < scanRounds; round++) {
      const [next, keys] = await client.scan(cursor, "MATCH", pattern, "COUNT", scanCount);
      for (const key of keys) found.add(key);
      cursor = next;
      if (cursor === "0" || found.size >= limit) break;
    }
    return { keys: [...found].slice(0, limit), whole: cursor === "0" && found.size <= limit };
  });
}

const namesOf = async (system: RedisSystem, wanted: Keys, limit: number) =>
  "keys" in wanted ? { keys: [...wanted.keys], whole: true } : findKeys(system, wanted.pattern, limit);

/** Each key's type, time to live and a digest of its value. At most `limit` of a pattern. Throws AppError. */
export async function inspectKeys(
  system: RedisSystem,
  wanted: Keys,
  limit = 200,
): Promise<{ keys: KeyState[]; whole: boolean }> {
  const { keys: names, whole } = await namesOf(system, wanted, limit);
  const keys = await run(system, (client) =>
    Promise.all(
      names.map(async (key): Promise<KeyState> => {
        const [type, ttl] = await Promise.all([client.type(key), client.ttl(key)]);
        if (type === "none") return { key, type, ttlS: null, digest: null };
        const value = type === "string" ? await client.getBuffer(key) : await client.dumpBuffer(key);
        const digest = value === null ? null : createHash("sha256").update(value).digest("hex");
        return { key, type, ttlS: ttl >= 0 ? ttl : null, digest };
      }),
    ),
  );
  return { keys, whole };
}

/** Which of these keys are there, in their order. Throws AppError. */
export function exists(system: RedisSystem, keys: readonly string[]): Promise<boolean[]> {
  return run(system, (client) => Promise.all(keys.map(async (key) => (await client.exists(key)) === 1)));
}

/** Deletes keys (UNLINK: the memory is freed behind the scenes) and tells which were there. A pattern goes round by round until none is left. Throws AppError. */
export function deleteKeys(system: RedisSystem, wanted: Keys): Promise<{ deleted: number }> {
  return run(system, async (client) => {
    let deleted = 0;
    const drop = async (keys: readonly string[]) => {
      for (let from = 0; from < keys.length; from += 500) {
        const some = keys.slice(from, from + 500);
        if (some.length > 0) deleted += await client.unlink(...some);
      }
    };
    if ("keys" in wanted) {
      await drop(wanted.keys);
      return { deleted };
    }
    let cursor = "0";
    do {
      const [next, keys] = await client.scan(cursor, "MATCH", wanted.pattern, "COUNT", scanCount);
      await drop(keys);
      cursor = next;
    } while (cursor !== "0");
    return { deleted };
  });
}

/** Round trip in milliseconds. Throws AppError. */
export async function ping(system: RedisSystem): Promise<number> {
  const begun = performance.now();
  await run(system, (client) => client.ping());
  return performance.now() - begun;
}

/** Above this share of its limit Redis is about to evict or refuse. */
const fullAt = 0.9;

/** What INFO says, as facts, counts and concerns (redis.io/docs/latest/commands/info). */
export function readInfo(
  info: string,
  system: string,
): Pick<Seen, "version" | "facts" | "counters" | "concerns"> {
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1] ?? null;
  const number = (name: string) => (field(name) === null ? null : Number(field(name)));
  const facts = {
    memory: field("used_memory_human"),
    clients: number("connected_clients"),
    blocked: number("blocked_clients"),
    role: field("role"),
    uptime: number("uptime_in_seconds"),
  };
  const counters = {
    commands: number("total_commands_processed"),
    hits: number("keyspace_hits"),
    misses: number("keyspace_misses"),
    evicted: number("evicted_keys"),
    refusedClients: number("rejected_connections"),
  };
  const concerns: ToldProblem[] = [];
  const used = number("used_memory") ?? 0;
  const most = number("maxmemory") ?? 0;
  if (most > 0 && used > fullAt * most)
    concerns.push({
      problem: "redis.nearlyFull",
      params: { system, share: Math.round((100 * used) / most) },
    });
  if (field("rdb_last_bgsave_status") === "err")
    concerns.push({ problem: "redis.notSaved", params: { system } });
  if (field("aof_last_write_status") === "err")
    concerns.push({ problem: "redis.notWritten", params: { system } });
  if (field("role") === "slave" && field("master_link_status") === "down")
    concerns.push({ problem: "redis.masterGone", params: { system } });
  return { version: field("redis_version"), facts: known(facts), counters: known(counters), concerns };
}

const known = <T extends string | number>(all: Readonly<Record<string, T | null>>): Record<string, T> =>
  Object.fromEntries(Object.entries(all).filter((entry): entry is [string, T] => entry[1] !== null));

/** Server's version, keys, memory, what it did since it started, and what it complains of. */
export const probe = (system: RedisSystem): Promise<Probed> =>
  look(`redis:${system.name}`, () =>
    run(system, async (client) => {
      const told = readInfo(await client.info(), system.name);
      return { ...told, facts: { keys: await client.dbsize(), ...told.facts } };
    }),
  );

const slowEntry = z.tuple([z.number(), z.number(), z.number(), z.array(z.string())]).rest(z.unknown());
const slowMs = 15 * 60_000;
/** Commands whose first argument is a key; of others none is told. */
const keyed = new Set(
  "get set setex psetex setnx getset getdel getex append strlen incr incrby decr decrby expire pexpire ttl pttl persist type del unlink exists mget hget hset hmget hmset hgetall hdel hincrby hkeys hvals hlen hscan lpush rpush lpop rpop llen lrange lrem ltrim sadd srem smembers sismember scard sscan zadd zrem zrange zrangebyscore zrevrange zcard zscore zscan xadd xrange xrevrange xlen xdel xtrim xack dump restore".split(
    " ",
  ),
);
/** A key says what it is about: the id of a session, an address. What stands before its first colon is what it is one of. */
function familyOf(key: string): string {
  const [family = "", ...more] = key.split(":");
  const known = /^[a-z][a-z_-]{0,39}$/i.test(family) ? family : "…";
  return more.length === 0 || known === "…" ? known : `${known}:…`;
}

/** The commands of the last quarter of an hour that took longest to do (redis.io/docs/latest/commands/slowlog-get), the newest first, without what they were about. Throws AppError. */
export const slowCommands = (system: RedisSystem): Promise<Snapshot> =>
  run(system, async (client) => {
    const entries = z.array(slowEntry).safeParse(await client.slowlog("GET", 100));
    if (!entries.success)
      throw new AppError("BAD_ANSWER", `${system.name} answers SLOWLOG with something else.`);
    return snapshot(
      "slowCommands",
      ["at", "ms", "command"],
      entries.data
        .filter(([, seconds]) => seconds * 1000 > Date.now() - slowMs)
        .map(([, seconds, microseconds, [name = "", key]]) => [
          new Date(seconds * 1000).toISOString(),
          microseconds / 1000,
          key === undefined ? name : `${name} ${keyed.has(name.toLowerCase()) ? familyOf(key) : "…"}`,
        ]),
    );
  });
