// What must hold when things break: a node paused or restarted, Cloudflare failing, Redis gone, Sluice killed, a slow backend.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { config } from "@/lib/config/load";
import { db } from "@/lib/db/client";
import { purge as purgeCloudflare } from "@/lib/systems/cloudflare/purge";
import { until } from "@/lib/systems/test-stack";
import { startOutbox } from "./outbox";
import { outboxState } from "./owed";
import { ask, type Lab, labYaml, openLab, port, proofOf, publish, purgeToEnd, stackOf } from "./test-stack";

const stack = stackOf();
// It pauses and stops containers: not on a stack that others look at meanwhile.
const mayBreak = stack !== null && stack.project !== "dev";
const page = "/fr/nuit-des-etoiles";
const article = 4186;
const docker = (...args: string[]) =>
  execFileSync("docker", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
const url = (path: string) => ({
  target: { by: "url", urls: [`site.localhost${path}`] },
  mode: "hard",
  warm: "no",
});

describe.skipIf(!mayBreak)("faults on a stack of one's own", () => {
  let lab: Lab;
  let stopOutbox: () => Promise<void>;
  const at = (name: string) => port(lab.stack, name);
  const container = (name: string) => lab.stack.containers[name] ?? name;
  const revision = async (layer: string, path: string) =>
    Number((await ask(at(layer), path)).headers["x-revision"]);
  const control = (method: string, path: string, body?: unknown) =>
    ask(at("cloudflareControl"), path, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const warmAll = async (...paths: string[]) => {
    for (const path of paths)
      for (const layer of ["varnish1", "varnish2", "edge", "edge"]) await ask(at(layer), path);
  };
  /** Takes a container off its network; what is given back puts it there again, once. */
  const cutOff = (name: string) => {
    const { Networks } = JSON.parse(
      docker("inspect", "--format", "{{json .NetworkSettings}}", container(name)),
    ) as { Networks: Record<string, { IPAddress: string }> };
    const [network, at] = Object.entries(Networks)[0] ?? [];
    if (network === undefined || !at) throw new Error(`${name} has no network`);
    docker("network", "disconnect", network, container(name));
    let away = true;
    return () => {
      if (away) docker("network", "connect", "--ip", at.IPAddress, "--alias", name, network, container(name));
      away = false;
    };
  };
  const layerOf = async (id: number, system: string) =>
    (await proofOf(id))?.layers.find((layer) => layer.system === system);

  beforeAll(async () => {
    lab = await openLab((yaml) => yaml.replace(/ {6}plan: pro/g, "      plan: pro\n      timeout: 1s"));
    stopOutbox = startOutbox();
    await control("POST", "/reset", {});
  });
  afterEach(async () => {
    await control("DELETE", "/fault");
  });
  afterAll(async () => {
    await stopOutbox?.();
    await lab?.close();
  });

  test("a paused node gets its purges when it answers again, and serves fresh", async () => {
    await warmAll(page);
    const now = await publish(lab.stack, article);
    docker("pause", container("varnish-2"));
    let id = 0;
    try {
      const firstBegun = Date.now();
      const { row, proof } = await purgeToEnd(url(page));
      const firstMs = Date.now() - firstBegun;
      id = row.id;
      expect(row).toMatchObject({ state: "done", outcome: "unknown" });
      expect(await layerOf(id, "varnish-2")).toMatchObject({
        verdict: "unknown",
        why: [{ key: "nodeDown" }],
      });
      expect((await layerOf(id, "varnish-2"))?.waiting).toBeGreaterThan(0);
      expect(proof?.layers.find((layer) => layer.system === "varnish-1")?.verdict).toBe("fresh");
      expect(await outboxState()).toMatchObject([{ node: "varnish-2" }]);
      // Another purge of the same node meanwhile does not wait for its time-out again.
      const begun = Date.now();
      await purgeToEnd(url("/fr/archive/3"));
      expect(Date.now() - begun).toBeLessThan(firstMs);
    } finally {
      docker("unpause", container("varnish-2"));
    }
    await until("the outbox is empty", async () => (await outboxState()).length === 0, 40_000);
    await until(
      "the change is proved",
      async () => (await db().change.findUniqueOrThrow({ where: { id } })).outcome === "fresh",
      20_000,
    );
    expect(await revision("varnish2", page)).toBe(now);
    expect(await layerOf(id, "varnish-2")).toMatchObject({ verdict: "fresh", waiting: 0 });
    const said = await db().changeLog.findMany({ where: { changeId: id } });
    expect(said.map(({ message }) => message)).toContain("purge.replayed");
  }, 120_000);

  test("an edge that refilled from the node before its purges came is purged again", async () => {
    await warmAll(page);
    await stopOutbox();
    const now = await publish(lab.stack, article);
    // A paused node would take the purges that wait in its sockets as soon as it goes on; one without a network never got them.
    const backTwo = cutOff("varnish-2");
    let backOne: (() => void) | undefined;
    let id = 0;
    try {
      id = (await purgeToEnd(url(page))).row.id;
      // Now only the node that missed the purge answers, and the edge has to ask it.
      backOne = cutOff("varnish-1");
      backTwo();
      const [zone] = config().systems.cloudflare;
      if (!zone) throw new Error("no zone");
      await until(
        "the edge has the old page",
        async () => {
          if ((await revision("edge", page)) < now) return true;
          // Not as fast as it can: the zone's allowance is wanted for the proof.
          await new Promise((resolve) => setTimeout(resolve, 1000));
          await purgeCloudflare(zone, { everything: true });
          return false;
        },
        30_000,
      );
    } finally {
      backTwo();
      backOne?.();
      // A node that was cut off holds its backend for sick until its probes come through again: a proof before that is "unknown".
      for (const node of ["varnish1", "varnish2"])
        await until(
          `${node} reaches its backend again`,
          // An address that no cache has.
          async () => (await ask(at(node), `${page}?probe=${Date.now()}`).catch(() => null))?.status === 200,
          30_000,
        );
      stopOutbox = startOutbox();
    }
    await until("the outbox is empty", async () => (await outboxState()).length === 0, 60_000);
    await until(
      "the change is proved",
      async () => (await db().change.findUniqueOrThrow({ where: { id } })).outcome === "fresh",
      60_000,
    );
    expect(await revision("edge", page)).toBe(now);
    expect(await layerOf(id, "cloudflare-site")).toMatchObject({ verdict: "fresh" });
  }, 200_000);

  test("a node that restarted empty is owed nothing", async () => {
    await warmAll(page);
    await purgeToEnd(url(page));
    docker("stop", "-t", "1", container("varnish-2"));
    const { row } = await purgeToEnd(url(page));
    expect(row).toMatchObject({ state: "done", outcome: "unknown" });
    docker("start", container("varnish-2"));
    await until("the outbox is empty", async () => (await outboxState()).length === 0, 60_000);
    await until(
      "it is noted",
      async () =>
        (await db().changeLog.findMany({ where: { changeId: row.id } })).some(
          ({ message }) => message === "purge.skippedEmpty",
        ),
      20_000,
    );
    expect((await layerOf(row.id, "varnish-2"))?.why.map(({ key }) => key)).toContain("restartedEmpty");
  }, 120_000);

  test("an answer that was under way during the first pass is caught by the second", async () => {
    const slow = "/fr/lent";
    const articles = JSON.parse((await ask(at("nginx"), "/admin/articles.json")).body) as {
      id: number;
      paths: { fr: string };
    }[];
    const id = articles.find(({ paths }) => paths.fr === slow)?.id ?? 0;
    const edited = await openSlow();
    try {
      await purgeToEnd(url(slow), { timeoutMs: 60_000 });
      await publish(lab.stack, id);
      // The nodes ask now and get, two seconds later, what was read before the next edit.
      await purgeToEnd(url(slow), { timeoutMs: 60_000 });
      await ask(at("varnish1"), slow);
      await purgeOnly(slow);
      const underWay = ask(at("varnish1"), slow);
      await new Promise((resolve) => setTimeout(resolve, 500));
      const now = await publish(lab.stack, id);
      const { proof } = await purgeToEnd(url(slow), { timeoutMs: 60_000 });
      expect(Number((await underWay).headers["x-revision"])).toBeLessThan(now);
      expect(proof?.verdict).toBe("fresh");
      expect(
        proof?.layers.find((layer) => layer.system === "varnish-1")?.why.map(({ key }) => key),
      ).toContain("secondPassCaught");
      expect(await revision("varnish1", slow)).toBe(now);
    } finally {
      await edited();
    }
  }, 120_000);
  /** A second pass longer than the slow page. */
  async function openSlow(): Promise<() => Promise<void>> {
    await stopOutbox();
    await lab.close();
    lab = await openLab((yaml) => yaml.replaceAll("second_pass: 1s", "second_pass: 2500ms"));
    stopOutbox = startOutbox();
    return async () => {
      await stopOutbox();
      await lab.close();
      lab = await openLab((yaml) => yaml.replace(/ {6}plan: pro/g, "      plan: pro\n      timeout: 1s"));
      stopOutbox = startOutbox();
    };
  }
  const purgeOnly = async (path: string) => {
    for (const layer of ["nginx", "varnish1", "varnish2"]) await ask(at(layer), path, { method: "PURGE" });
  };

  test.each([
    ["429", { kind: "429", count: 1, retryAfter: 1, path: "purge_cache" }],
    ["500", { kind: "500", count: 2, path: "purge_cache" }],
    ["nothing (hangs)", { kind: "hang", count: 1, path: "purge_cache" }],
    ["garbage", { kind: "garbage", count: 1, path: "purge_cache" }],
  ])(
    "Cloudflare answering %s for a while is tried again",
    async (_name, fault) => {
      await warmAll(page);
      const now = await publish(lab.stack, article);
      await control("POST", "/fault", fault);
      const { row, proof } = await purgeToEnd(url(page), { timeoutMs: 60_000 });
      expect(row).toMatchObject({ state: "done", outcome: "fresh" });
      expect(proof?.verdict).toBe("fresh");
      expect(await revision("edge", page)).toBe(now);
      const said = await db().changeLog.findMany({ where: { changeId: row.id } });
      expect(said.map(({ message }) => message)).toContain("purge.cloudflareRetry");
    },
    60_000,
  );

  test("Cloudflare failing for good fails the change, and says so", async () => {
    await warmAll(page);
    await publish(lab.stack, article);
    await control("POST", "/fault", { kind: "garbage", path: "purge_cache" });
    const { row, proof } = await purgeToEnd(url(page), { timeoutMs: 60_000 });
    expect(row.state).toBe("failed");
    expect(proof?.verdict).not.toBe("fresh");
    const layer = proof?.layers.find((one) => one.layer === "cloudflare");
    expect(layer?.failed).toBeGreaterThan(0);
    expect(layer?.verdict).toBe("stale");
    expect(proof?.layers.filter((one) => one.layer === "varnish").map((one) => one.verdict)).toEqual([
      "fresh",
      "fresh",
    ]);
  }, 60_000);

  test("a 200 of Cloudflare that purged nothing is no proof", async () => {
    await purgeToEnd(url(page));
    await warmAll(page);
    await publish(lab.stack, article);
    await control("POST", "/fault", { kind: "lie", path: "purge_cache" });
    const { row, proof } = await purgeToEnd(url(page), { timeoutMs: 60_000 });
    expect(row).toMatchObject({ state: "failed", outcome: "stale" });
    expect(proof?.layers.find((one) => one.layer === "cloudflare")).toMatchObject({
      verdict: "stale",
      failed: 0,
    });
  }, 60_000);

  test("Redis down fails that layer only, and nothing is called fresh", async () => {
    await stopOutbox();
    await lab.close();
    lab = await openLab((yaml) => yaml.replace(/redis:\/\/127\.0\.0\.1:\d+/g, "redis://127.0.0.1:9"));
    stopOutbox = startOutbox();
    const { row, proof } = await purgeToEnd(url(page), { timeoutMs: 60_000 });
    expect(row.state).toBe("failed");
    expect(proof?.verdict).not.toBe("fresh");
    expect(proof?.layers.find((one) => one.layer === "redis")).toMatchObject({
      verdict: "unknown",
      why: [{ key: "failed", params: { code: "UNREACHABLE" } }],
    });
    expect(proof?.layers.find((one) => one.system === "varnish-1")?.purged).toBeGreaterThan(0);
  }, 60_000);

  test("Sluice killed in a purge of 5,000 pages: after a restart every one is purged on both nodes", async () => {
    const count = 5000;
    const directory = mkdtempSync(join(tmpdir(), "sluice-crash-"));
    writeFileSync(
      join(directory, "sluice.yaml"),
      labYaml().replace(/listen: "[^"]*"/, 'listen: "127.0.0.1:0"'),
    );
    const env = {
      ...process.env,
      SLUICE_DATA: directory,
      SLUICE_CONFIG: join(directory, "sluice.yaml"),
      SLUICE_LOG: "silent",
      VITEST: "",
    };
    const run = (...args: string[]): { child: ChildProcess; said: () => string } => {
      let text = "";
      const child = spawn(process.execPath, ["--import", "tsx", "lib/purge/test-crash.ts", ...args], {
        env,
        stdio: ["ignore", "pipe", "inherit"],
      });
      child.stdout?.on("data", (chunk) => {
        text += String(chunk);
      });
      return { child, said: () => text };
    };
    const paths = Array.from({ length: count }, (_, index) => `/fr/archive/${index + 1}`);
    const everywhere = async (what: (layer: string, path: string) => Promise<unknown>) => {
      for (const layer of ["varnish1", "varnish2"]) {
        let next = 0;
        const worker = async () => {
          for (let path = paths[next++]; path; path = paths[next++]) await what(layer, path);
        };
        await Promise.all(Array.from({ length: 8 }, worker));
      }
    };
    await everywhere((layer, path) => ask(at(layer), path));
    try {
      const first = run("start", String(count));
      const file = new Sqlite(join(directory, "sluice.db"), { fileMustExist: false });
      await until(
        "the purge is in its middle",
        async () => {
          try {
            const row = file.prepare('SELECT "checkpoint" AS c FROM "Change" WHERE "id" = 1').get() as
              | { c: string | null }
              | undefined;
            const at = row?.c ? (JSON.parse(row.c) as { at: { next: number } | null }).at : null;
            return at !== null && at.next >= 1000;
          } catch {
            return false;
          }
        },
        60_000,
      );
      first.child.kill("SIGKILL");
      await new Promise((resolve) => first.child.once("exit", resolve));
      const stored = file.prepare('SELECT "state" AS s FROM "Change" WHERE "id" = 1').get() as { s: string };
      expect(["running", "verifying"]).toContain(stored.s);
      file.close();
      const killedAt = Date.now();
      const second = run("recover");
      await new Promise((resolve) => second.child.once("exit", resolve));
      expect(second.said()).toContain("ended done");
      let left = 0;
      await everywhere(async (layer, path) => {
        const seen = await ask(at(layer), path, { method: "PEEK" });
        const age = Number(seen.headers["sluice-age"] ?? 0) * 1000;
        // A hit that is younger than the crash was made again by the proof.
        if (seen.status === 200 && age > Date.now() - killedAt) left++;
      });
      expect(left).toBe(0);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }, 300_000);
});
