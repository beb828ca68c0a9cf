// Traefik itself, in front of the reference stack's Varnish nodes.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { exchange } from "../exchange";
import { stackUrl, testStack, until } from "../test-stack";
import { probe } from "./traefik";

const exec = promisify(execFile);
const stack = testStack();

describe.skipIf(!stack)("traefik", () => {
  if (!stack) return;
  const url = stackUrl(stack, "traefikApi");
  const server = { name: "traefik", url, metrics: `${url}/metrics`, tls_days: 14, timeout: 2000 };
  const container = stack.containers.traefik ?? "";
  const docker = (...args: string[]) => exec("docker", args, { timeout: 30_000 });
  const problems = async () => {
    const seen = await probe(server);
    if (seen.state !== "up") throw new Error(`it is ${seen.state}`);
    return seen.data.concerns ?? [];
  };
  const ask = () =>
    exchange({ base: stackUrl(stack, "traefik"), host: "site.localhost", path: "/fr", timeoutMs: 8000 });
  const well = () => until("it is well", async () => (await problems()).length === 0, 20_000);

  test("well: its version, what it routes, and a count that grows by what it was asked, not by our looks", async () => {
    await well();
    const look = async () => {
      const seen = await probe(server);
      expect(seen).toMatchObject({
        state: "up",
        data: {
          version: expect.stringMatching(/^3\.\d+\.\d+$/),
          facts: { routers: expect.any(Number) },
          concerns: [],
        },
      });
      return seen.state === "up" ? { ...seen.data.facts, ...seen.data.counters } : {};
    };
    const before = await look();
    expect(before).toMatchObject({ services: expect.any(Number), middlewares: expect.any(Number) });
    for (let count = 0; count < 5; count += 1) expect((await ask()).status).toBe(200);
    const after = await look();
    expect(Number(after.requests) - Number(before.requests)).toBe(5);
  });

  test("a node that hangs: visitors get their page from the other, and the node is named", async () => {
    await well();
    const node = stack.containers["varnish-2"] ?? "";
    await docker("pause", node);
    try {
      const [concern] = await until(
        "it names the node",
        async () => {
          const seen = await problems();
          return seen.length > 0 ? seen : null;
        },
        20_000,
      );
      expect(concern).toMatchObject({ problem: "traefik.serverDown" });
      for (let count = 0; count < 4; count += 1) expect((await ask()).status).toBe(200);
    } finally {
      await docker("unpause", node);
    }
    await well();
  }, 60_000);

  test("a router whose service is not there is told; what is right goes on", async () => {
    await well();
    const folder = mkdtempSync(join(tmpdir(), "sluice-traefik-"));
    const file = join(folder, "broken.yml");
    writeFileSync(
      file,
      "http:\n  routers:\n    broken:\n      rule: Host(`broken.localhost`)\n      service: nowhere\n",
    );
    try {
      await docker("cp", file, `${container}:/etc/traefik/dynamic/broken.yml`);
      await until("it is told", async () =>
        (await problems()).some(({ problem, params }) => problem === "traefik.errors" && params.errors === 1),
      );
      expect((await ask()).status).toBe(200);
    } finally {
      rmSync(folder, { recursive: true, force: true });
      await docker("exec", container, "rm", "/etc/traefik/dynamic/broken.yml");
    }
    await well();
  }, 60_000);

  test("hanging and stopped are down, within the time-out", async () => {
    await docker("pause", container);
    try {
      const begun = performance.now();
      expect(await probe({ ...server, timeout: 500 })).toMatchObject({
        state: "down",
        error: { code: "TIMEOUT" },
      });
      expect(performance.now() - begun).toBeLessThan(3000);
    } finally {
      await docker("unpause", container);
    }
    await docker("stop", "--time", "5", container);
    try {
      expect(await probe(server)).toMatchObject({ state: "down", error: { code: "UNREACHABLE" } });
    } finally {
      await docker("start", container);
    }
    await until("it is back", async () => (await probe(server)).state === "up", 30_000);
    await well();
  }, 90_000);
});
