// What INFO says, and what of it wants a look.
import { expect, test } from "vitest";
import { readInfo } from "./redis";

const info = (more: Record<string, string | number>) =>
  Object.entries({
    redis_version: "7.0.15",
    uptime_in_seconds: 90,
    connected_clients: 3,
    blocked_clients: 1,
    used_memory: 500,
    used_memory_human: "500B",
    maxmemory: 1000,
    rdb_last_bgsave_status: "ok",
    total_commands_processed: 1234,
    keyspace_hits: 10,
    keyspace_misses: 4,
    evicted_keys: 0,
    rejected_connections: 0,
    role: "master",
    ...more,
  })
    .map(([key, value]) => `${key}:${value}`)
    .join("\r\n");
const concerns = (more: Record<string, string | number>) =>
  readInfo(info(more), "cache").concerns?.map(({ problem }) => problem);

test("facts and counts by name", () => {
  expect(readInfo(info({}), "cache")).toEqual({
    version: "7.0.15",
    facts: { memory: "500B", clients: 3, blocked: 1, role: "master", uptime: 90 },
    counters: { commands: 1234, hits: 10, misses: 4, evicted: 0, refusedClients: 0 },
    concerns: [],
  });
});

test("nearly full, not saved, a master that is gone", () => {
  expect(concerns({ used_memory: 901 })).toEqual(["redis.nearlyFull"]);
  // No limit: nothing to be near.
  expect(concerns({ used_memory: 901, maxmemory: 0 })).toEqual([]);
  expect(concerns({ rdb_last_bgsave_status: "err", role: "slave", master_link_status: "down" })).toEqual([
    "redis.notSaved",
    "redis.masterGone",
  ]);
});
