// What the real servers say they are busy with, each made busy first.
import { readFileSync } from "node:fs";
import { createConnection } from "mysql2/promise";
import { expect, test } from "vitest";
import { sluiceYaml } from "@/lab/sluice-yaml.mjs";
import { parseConfig } from "../config/parse";
import type { Config } from "../config/schema";
import { disconnect, run } from "../systems/redis/redis";
import { stackUrl, testStack, until } from "../systems/test-stack";
import { snapshotsOf, type ToldSnapshot } from "./snapshots";

const stack = testStack();
const stackFile = process.env.SLUICE_STACK ?? ".lab/dev/stack.json";

test.skipIf(!stack)(
  "MariaDB's statements and its slow log, PHP's workers, Varnish's backends, Redis' slow commands",
  async () => {
    if (!stack) return;
    const { secrets } = stack;
    const parsed = parseConfig(sluiceYaml(JSON.parse(readFileSync(stackFile, "utf8"))), stackFile, {});
    if (!parsed.ok) throw new Error("the stack's sluice.yaml is not valid");
    const { systems } = parsed.config;
    const [mariadb] = systems.mariadb;
    const [varnish] = systems.varnish;
    if (mariadb === undefined || varnish === undefined) throw new Error("the stack lacks a server");
    const { username: _, ...noAccount } = mariadb;
    const { admin: __, ...noAdmin } = varnish;
    const config: Config = {
      ...parsed.config,
      systems: {
        ...systems,
        mariadb: [
          mariadb,
          { ...noAccount, name: "no-account" },
          { ...mariadb, name: "gone", address: "127.0.0.1:9", timeout: 1000 },
        ],
        varnish: [varnish, { ...noAdmin, name: "no-admin" }],
      },
    };
    const redis = config.systems.redis[0];
    if (redis === undefined) throw new Error("there is no Redis");
    const look = async (component: string, kind: string): Promise<ToldSnapshot> => {
      const found = (await snapshotsOf([component], config)).find((one) => one.kind === kind);
      if (found === undefined) throw new Error(`${component} was not asked for ${kind}`);
      return found;
    };
    const client = await createConnection({
      host: "127.0.0.1",
      port: stack.ports.mariadb ?? 0,
      user: secrets.mariadbUser,
      password: secrets.mariadbPassword,
    });
    try {
      const sleeping = client.query("SELECT SLEEP(4), 'a customer''s name'");
      const told = await until("MariaDB names the statement", async () => {
        const one = await look("mariadb/mariadb", "processes");
        return one.rows.some((row) => String(row[3]).includes("SLEEP")) ? one : null;
      });
      expect(told.problem).toBeNull();
      const row = told.rows.find((each) => String(each[3]).includes("SLEEP"));
      expect(row?.slice(1, 4)).toEqual(["Query", "User sleep", "SELECT SLEEP(?), ?"]);
      expect(row?.[4]).toBe(secrets.mariadbUser);
      // Our own question is none of them.
      expect(JSON.stringify(told.rows)).not.toContain("PROCESSLIST");
      await sleeping;
      const slow = await until("the slow log has it", async () => {
        const one = await look("mariadb/mariadb", "slowQueries");
        return one.rows.length > 0 ? one : null;
      });
      const logged = slow.rows.find((each) => String(each[3]).includes("SLEEP"));
      expect(logged?.[3]).toBe("SELECT SLEEP(?), ?");
      expect(logged?.[1]).toBeGreaterThan(3.9);
      expect(Math.abs(Date.now() - Date.parse(String(logged?.[0])))).toBeLessThan(60_000);
    } finally {
      client.destroy();
    }

    const page = fetch(`${stackUrl(stack, "nginx")}/fr/lent?delay=3000`, {
      headers: { Host: "site.localhost" },
    }).catch(() => null);
    const slow = (one: ToldSnapshot) => one.rows.find((each) => each[1] !== "Idle" && each[2] === "GET");
    const workers = await until("a worker is at the slow page", async () => {
      const one = await look("php_fpm/php", "workers");
      return slow(one) === undefined ? null : one;
    });
    expect(workers.columns).toEqual(["seconds", "state", "method", "address", "requests", "pid"]);
    expect(String(slow(workers)?.[3])).not.toContain("?");
    await page;

    const backends = await look("varnish/varnish-1", "backends");
    expect(backends.problem).toBeNull();
    expect(backends.rows.map((each) => each[1])).toContain("healthy");

    const before = await run(redis, async (one) => one.config("GET", "slowlog-log-slower-than"));
    const was = String((before as unknown[])[1]);
    try {
      await run(redis, async (one) => {
        await one.config("SET", "slowlog-log-slower-than", "0");
        await one.set("sluice-test:slow", "a secret value", "EX", 10);
      });
      const commands = await look("redis/redis", "slowCommands");
      const said = commands.rows.map((each) => String(each[2]));
      expect(said).toContain("set sluice-test:…");
      expect(said.join()).not.toContain("a secret value");
    } finally {
      await run(redis, async (one) => {
        await one.config("SET", "slowlog-log-slower-than", was);
        await one.slowlog("RESET");
      });
      disconnect();
    }

    // What does not answer says so; what has no account, no CLI, or nothing to tell is not asked.
    expect(await look("mariadb/gone", "processes")).toMatchObject({
      rows: [],
      problem: { problem: expect.any(String) },
    });
    const asked = await snapshotsOf(
      ["mariadb/no-account", "varnish/no-admin", "docker/engine", "x/y"],
      config,
    );
    expect(asked).toEqual([]);
  },
  60_000,
);
