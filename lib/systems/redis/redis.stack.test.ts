// Redis on the reference stack; every key under a prefix of its own, gone afterwards.
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createServer } from "node:net";
import { inspect, promisify } from "node:util";
import { Redis } from "ioredis";
import { afterAll, describe, expect, test } from "vitest";
import { freePort, testStack, until } from "../test-stack";
import { globEscape } from "./glob";
import {
  deleteKeys,
  disconnect,
  exists,
  findKeys,
  inspectKeys,
  ping,
  probe,
  type RedisSystem,
} from "./redis";

const exec = promisify(execFile);
const stack = testStack();

test("nobody there fails at once, and again at once", async () => {
  const gone: RedisSystem = { name: "gone", url: "redis://127.0.0.1:9", timeout: 1000 };
  for (let tries = 0; tries < 3; tries++) {
    const begun = performance.now();
    await expect(ping(gone)).rejects.toMatchObject({ code: "UNREACHABLE" });
    expect(performance.now() - begun).toBeLessThan(500);
  }
  disconnect("gone");
});

test("one that is silent ends with TIMEOUT", async () => {
  const server = createServer((socket) => socket.on("error", () => {}));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const at = server.address();
  if (typeof at !== "object" || at === null) throw new Error("no port");
  const begun = performance.now();
  await expect(
    ping({ name: "silent", url: `redis://127.0.0.1:${at.port}`, timeout: 300 }),
  ).rejects.toMatchObject({ code: "TIMEOUT" });
  expect(performance.now() - begun).toBeLessThan(2000);
  disconnect("silent");
  server.close();
});

describe.skipIf(!stack)("redis", () => {
  if (!stack) return;
  const system: RedisSystem = {
    name: "redis",
    url: `redis://127.0.0.1:${stack.ports.redis}/0`,
    password: stack.secrets.redisPassword,
    timeout: 2000,
  };
  const mark = `sluice-test:${randomBytes(6).toString("hex")}:`;
  const direct = new Redis(system.url, { password: system.password ?? "", lazyConnect: true });
  afterAll(async () => {
    await deleteKeys(system, { pattern: `${globEscape(mark)}*` });
    disconnect();
    direct.disconnect();
  });

  test("looks at keys of any type and tells when a value changed", async () => {
    await direct.set(`${mark}text`, "one", "EX", 100);
    await direct.hset(`${mark}hash`, { a: "1" });
    const look = async () =>
      (await inspectKeys(system, { keys: [`${mark}text`, `${mark}hash`, `${mark}none`] })).keys;
    const before = await look();
    expect(before).toMatchObject([
      { type: "string", ttlS: expect.any(Number), digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
      { type: "hash", ttlS: null, digest: expect.any(String) },
      { type: "none", ttlS: null, digest: null },
    ]);
    await direct.set(`${mark}text`, "two");
    const after = await look();
    expect(after[0]?.digest).not.toBe(before[0]?.digest);
    expect(after[1]?.digest).toBe(before[1]?.digest);
  });

  test("an address with signs of a pattern in it deletes only itself", async () => {
    await direct.mset({
      [`${mark}/a*`]: "1",
      [`${mark}/ab`]: "1",
      [`${mark}/a[b]`]: "1",
      [`${mark}/a?`]: "1",
    });
    expect(await deleteKeys(system, { pattern: `${globEscape(`${mark}/a*`)}` })).toEqual({ deleted: 1 });
    expect(await exists(system, [`${mark}/a*`, `${mark}/ab`, `${mark}/a[b]`])).toEqual([false, true, true]);
    expect(await deleteKeys(system, { keys: [`${mark}/a[b]`, `${mark}/never`] })).toEqual({ deleted: 1 });
    expect(await exists(system, [`${mark}/ab`])).toEqual([true]);
  });

  test("many keys by pattern: bounded when looked at, all when deleted", async () => {
    const names = Array.from({ length: 3000 }, (_, index) => `${mark}many:${index}`);
    await direct.mset(Object.fromEntries(names.map((name) => [name, "x"])));
    const seen = await findKeys(system, `${globEscape(mark)}many:*`, 100);
    expect(seen.keys).toHaveLength(100);
    expect(seen.whole).toBe(false);
    expect(await deleteKeys(system, { pattern: `${globEscape(mark)}many:*` })).toEqual({ deleted: 3000 });
    expect(await findKeys(system, `${globEscape(mark)}many:*`)).toEqual({ keys: [], whole: true });
  });

  test("a wrong password, a dropped connection, a probe", async () => {
    const refused = await ping({ ...system, name: "wrong", password: "not-the-password" }).catch(
      (error: unknown) => error,
    );
    expect(refused).toMatchObject({ code: "UPSTREAM_AUTH" });
    expect(inspect(refused, { depth: 8 })).not.toContain("not-the-password");
    await expect(ping({ ...system, name: "without", password: undefined })).rejects.toMatchObject({
      code: "UPSTREAM_AUTH",
    });
    expect(await ping(system)).toBeLessThan(1000);
    const id = (await direct.call("CLIENT", "LIST")) as string;
    const own = /id=(\d+) [^\n]*name=sluice /.exec(id)?.[1];
    expect(own).toBeDefined();
    await direct.call("CLIENT", "KILL", "ID", own ?? "");
    // Nobody notices, whether the closing was seen already or not.
    expect(await Promise.all([ping(system), ping(system)])).toHaveLength(2);
    expect(await ping(system)).toBeLessThan(1000);
    expect(await probe(system)).toMatchObject({
      state: "up",
      data: { version: expect.stringMatching(/^\d+\./), facts: { keys: expect.any(Number) } },
    });
    disconnect("wrong");
    disconnect("without");
  });

  describe("at its limits", () => {
    /** One of its own, which is filled until `full` says so. */
    async function filled(options: readonly string[], full: string): Promise<readonly string[]> {
      const name = `sluice-test-redis-${randomBytes(6).toString("hex")}`;
      const port = await freePort();
      const docker = async (...args: string[]) =>
        (await exec("docker", args, { timeout: 30_000 })).stdout.trim();
      const image = await docker("inspect", "--format", "{{.Image}}", stack?.containers.redis ?? "");
      const own = { name, url: `redis://127.0.0.1:${port}/0`, password: "lab", timeout: 2000 };
      const published = ["-p", `127.0.0.1:${port}:6379`];
      await docker("run", "-d", "--name", name, ...published, "-e", "REDIS_PASSWORD=lab", ...options, image);
      const writer = new Redis(own.url, { password: "lab", lazyConnect: true, retryStrategy: () => null });
      writer.on("error", () => {});
      try {
        await until("it answers", async () => (await probe(own)).state === "up", 20_000);
        await writer.connect();
        let written = 0;
        return await until(`it says ${full}`, async () => {
          // Refused from some point on: that is what it is for.
          await writer.set(`fill:${written++}`, "x".repeat(100_000)).catch(() => {});
          const seen = await probe(own);
          const problems =
            seen.state === "up" ? (seen.data.concerns ?? []).map(({ problem }) => problem) : [];
          return problems.includes(full) ? problems : null;
        });
      } finally {
        writer.disconnect();
        disconnect(name);
        await docker("rm", "-f", name);
      }
    }

    test("its memory is nearly full", async () => {
      expect(await filled(["-e", "REDIS_MAXMEMORY=4mb"], "redis.nearlyFull")).toEqual(["redis.nearlyFull"]);
    }, 60_000);
    test("its disk is full: what is written is not kept", async () => {
      expect(await filled(["--tmpfs", "/data:size=1m"], "redis.notWritten")).toContain("redis.notWritten");
    }, 60_000);
  });
});
