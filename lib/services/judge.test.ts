// Verdicts, dependency order, the hour's ring and the levels of log lines: what is pure in services.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Inspected } from "../systems/docker/containers";
import { dependentsOf, inOrder, isWorker, needsOf } from "./acts/depends";
import { differenceOf } from "./acts/kind";
import { type Judged, judge } from "./judge";
import { recognise, withoutColours } from "./logs/level";
import { stepMs, UsageRing } from "./ring";
import { Watched } from "./watched";

const fine: Judged = {
  state: "running",
  health: "healthy",
  exitCode: null,
  oom: false,
  deaths: 0,
  usage: null,
  memoryLimited: false,
  restartPolicy: "unless-stopped",
  startError: "",
  stopped: false,
};
const usage = (memory: number) => ({
  at: 0,
  cpu: 0,
  memory,
  memoryLimit: 100,
  rx: 0,
  tx: 0,
  read: 0,
  written: 0,
  pids: 1,
});

describe("verdicts", () => {
  test.each<[string, Partial<Judged>, string, string[]]>([
    ["healthy", {}, "up", ["healthy"]],
    ["no check", { health: null }, "up", ["running"]],
    ["unhealthy", { health: "unhealthy" }, "down", ["unhealthy"]],
    ["starting", { health: "starting" }, "starting", ["starting"]],
    ["one death", { deaths: 1 }, "warn", ["restarted"]],
    ["a loop between two deaths", { deaths: 3 }, "down", ["loop"]],
    ["a loop, waiting", { state: "restarting", deaths: 4, oom: true }, "down", ["loop", "oom"]],
    ["memory near its own limit", { memoryLimited: true, usage: usage(95) }, "warn", ["memory"]],
    ["memory near the host's", { usage: usage(95) }, "up", ["healthy"]],
    ["stopped by hand", { state: "exited", exitCode: 137 }, "warn", ["stopped"]],
    ["a job that is done", { state: "exited", exitCode: 0, restartPolicy: "no" }, "idle", ["finished"]],
    ["a job that failed", { state: "exited", exitCode: 1, restartPolicy: "no" }, "down", ["failed"]],
    [
      "a job that was stopped",
      { state: "exited", exitCode: 143, restartPolicy: "no", stopped: true },
      "idle",
      ["stopped"],
    ],
    ["out of tries", { state: "exited", exitCode: 1, restartPolicy: "on-failure" }, "down", ["gaveUp"]],
    ["out of memory", { state: "exited", exitCode: 137, oom: true }, "down", ["oom"]],
    ["could not start", { state: "created", startError: "port is taken" }, "down", ["cannotStart"]],
    ["paused", { state: "paused" }, "warn", ["paused"]],
  ])("%s", (_name, differs, verdict, reasons) => {
    expect(judge({ ...fine, ...differs })).toEqual({ verdict, reasons });
  });
});

const container = (name: string, labels: Record<string, string> = {}, more: object = {}): Watched =>
  new Watched({
    Id: name.padEnd(64, "0"),
    Name: `/${name}`,
    Created: "2026-01-01T00:00:00Z",
    Image: "sha256:1",
    RestartCount: 0,
    State: {
      Status: "running",
      Running: true,
      ExitCode: 0,
      StartedAt: "2026-01-01T00:00:00Z",
      FinishedAt: "0001-01-01T00:00:00Z",
    },
    Config: { Image: "x", Labels: { "com.docker.compose.service": name, ...labels }, ...more },
    HostConfig: {},
    NetworkSettings: {},
  } as unknown as Inspected);
const inProject = (name: string, needs = "") =>
  container(name, { "com.docker.compose.project": "p", "com.docker.compose.depends_on": needs });

describe("dependencies", () => {
  const db = inProject("z-db");
  const php = inProject("php", "z-db:service_healthy:true,redis:service_started:false");
  const web = inProject("a-web", "php:service_started:false");
  const redis = inProject("redis");
  const foreign = container("foreign", { "com.docker.compose.depends_on": "php:service_started:false" });

  test("what is needed comes first", () => {
    expect(needsOf(php.labels)).toEqual(["z-db", "redis"]);
    const order = inOrder([web, php, db, redis]).map(({ name }) => name);
    expect(order).toEqual(["redis", "z-db", "php", "a-web"]);
  });

  test("in any order given, nobody stands before what it needs", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([web, php, db, redis, foreign], { minLength: 1 }), (some) => {
        const order = inOrder(some).map(({ name }) => name);
        expect([...order].sort()).toEqual(some.map(({ name }) => name).sort());
        const stands = (a: string, b: string) =>
          !order.includes(a) || !order.includes(b) || order.indexOf(a) < order.indexOf(b);
        expect(stands("z-db", "php") && stands("redis", "php") && stands("php", "a-web")).toBe(true);
      }),
    );
  });

  test("a circle ends", () => {
    const one = inProject("one", "two:service_started:true");
    const two = inProject("two", "one:service_started:true");
    expect(inOrder([one, two])).toHaveLength(2);
  });

  test("who needs it: of the same project only", () => {
    expect(dependentsOf(php, [web, db, foreign]).map(({ name }) => name)).toEqual(["a-web"]);
  });

  test("workers", () => {
    expect(isWorker(inProject("shop-worker"))).toBe(true);
    expect(isWorker(inProject("homeworkers"))).toBe(false);
    expect(isWorker(container("x", {}, { Cmd: ["php", "bin/console", "messenger:consume", "async"] }))).toBe(
      true,
    );
    expect(isWorker(container("x", { "sluice.role": "worker" }))).toBe(true);
  });
});

test("what differs from a plan, without the engine's own restarts", () => {
  const print = { name: "web", state: "running", imageId: "sha256:aaaa", startedAt: "1", restarts: 0 };
  expect(differenceOf(print, print)).toBe("");
  expect(differenceOf(print, { ...print, state: "exited" })).toBe("state: running, now exited");
  expect(differenceOf(print, { ...print, startedAt: "2" })).toMatch(/started/);
  expect(differenceOf(print, { ...print, startedAt: "2", restarts: 1 })).toBe("");
  expect(differenceOf(print, { ...print, imageId: "sha256:bbbb" })).toBe("imageId: aaaa, now bbbb");
});

describe("the hour", () => {
  const at = (step: number, cpu: number | null) => ({ ...usage(50), at: step * stepMs + 1, cpu });

  test("means of ten seconds, gaps are gaps, and an hour is all there is", () => {
    const ring = new UsageRing();
    ring.add(at(1000, 1));
    ring.add(at(1000, 3));
    ring.add(at(1002, null));
    expect(ring.last("cpu", 4, 1003 * stepMs)).toEqual([null, 2, null, null]);
    expect(ring.last("memory", 4, 1003 * stepMs)).toEqual([null, 50, null, 50]);
    const hour = ring.hour(1003 * stepMs);
    expect(hour.at).toEqual([1001 * stepMs, 1002 * stepMs, 1003 * stepMs]);
    ring.add(at(1360, 9));
    expect(ring.last("cpu", 1, 1361 * stepMs)).toEqual([9]);
    expect(ring.hour(1361 * stepMs).cpu).not.toContain(2);
    expect(new UsageRing().hour(0).at).toEqual([]);
  });
});

describe("levels", () => {
  test.each([
    ['{"level":50,"msg":"x"}', "error"],
    ['{"level":400,"level_name":"ERROR","message":"x"}', "error"],
    ['{"severity":"warning"}', "warn"],
    ["2026/11/24 09:00:00 [crit] 12#12: *1 open() failed", "fatal"],
    ["[2026-11-24T09:00:00] app.CRITICAL: boom", "fatal"],
    ["NOTICE: fpm is running, pid 1", "info"],
    ["level=debug msg=hi", "debug"],
    ["\u001b[31mERROR\u001b[0m it broke", "error"],
    ["<warning> disk", "warn"],
    ["GET /an-error-page 200", null],
    ["no errors found", null],
    ["", null],
    ["{not json}", null],
  ])("%s", (text, level) => {
    expect(recognise(text).level).toBe(level);
  });

  test("colours are taken out, text stays; no line takes long", () => {
    expect(withoutColours("\u001b[1;32mok\u001b[0m \u001b]0;title\u0007end")).toBe("ok end");
    // A line that would take minutes with a careless expression: the test's own time-out would tell.
    recognise("[".repeat(60_000));
    recognise(`${"a ".repeat(30_000)}error:`);
  });
});
