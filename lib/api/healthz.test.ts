// /healthz over HTTP, while everything is well and while something is not.

import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { connectionsService } from "../connections/service";
import { closeDatabase, db } from "../db/client";
import { keepLease } from "../db/lease";
import { databaseFile } from "../db/location";
import { openDatabase } from "../db/open";
import { riverService } from "../health/river";
import { healthService } from "../health/service";
import { setServiceState } from "../runtime/service-states";
import { forgetSingleton } from "../runtime/singleton";
import { answerHealthz } from "./healthz";
import { type Served, serve } from "./serve.fixture";

const root = mkdtempSync(join(tmpdir(), "sluice-healthz-"));
let served: Served;
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  vi.stubEnv("SLUICE_DATA", join(root, "data"));
  vi.stubEnv("SLUICE_CONFIG", join(root, "sluice.yaml"));
  served = await serve(answerHealthz);
});
// What was found a moment ago is not asked for in these tests.
beforeEach(() => forgetSingleton("runtime.self-check"));
afterAll(async () => {
  await served.close();
  for (const stop of stops.reverse()) await stop();
  await closeDatabase();
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true, force: true });
});

type Told = { status: string; checks: Record<string, { ok: boolean; says?: string }> };
async function ask(): Promise<{ status: number; failing: string[]; told: Told }> {
  const answer = await fetch(`${served.url}/healthz`);
  const told = (await answer.json()) as Told;
  const failing = Object.entries(told.checks).flatMap(([name, { ok }]) => (ok ? [] : [name]));
  expect(Object.keys(told.checks)).toEqual(["database", "lease", "collectors", "disk"]);
  expect(answer.headers.get("cache-control")).toBe("no-store");
  return { status: answer.status, failing, told };
}

test("503 before Sluice runs, 200 while it does", async () => {
  const { lease } = await openDatabase();
  expect(await ask()).toMatchObject({ status: 503, failing: ["lease", "collectors"] });
  forgetSingleton("runtime.self-check");

  stops.push(keepLease(lease, () => {}));
  for (const service of [healthService, connectionsService, riverService]) {
    stops.push(await service.start());
    setServiceState({ name: service.name, state: "running", error: null });
  }
  await vi.waitFor(async () => {
    forgetSingleton("runtime.self-check");
    expect((await ask()).status).toBe(200);
  }, 5000);
});

test("what was found is kept for a moment, however many ask", async () => {
  const writes = vi.spyOn(db().lease, "updateMany");
  const answers = await Promise.all(Array.from({ length: 20 }, ask));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(writes).toHaveBeenCalledTimes(1);
  writes.mockRestore();
});

test("another process has the lease", async () => {
  const { holder } = await db().lease.findFirstOrThrow();
  await db().lease.updateMany({ data: { holder: "somebody else" } });
  expect(await ask()).toMatchObject({ status: 503, failing: ["lease"] });
  await db().lease.updateMany({ data: { holder } });
});

test("a database that is locked for longer than the limit", async () => {
  // Elsewhere: waiting for the lock keeps this thread from letting it go.
  const holder = new Worker(
    `const { parentPort, workerData } = require("node:worker_threads");
     const database = new (require("better-sqlite3"))(workerData);
     database.exec("BEGIN IMMEDIATE");
     parentPort.postMessage("locked");
     setTimeout(() => database.close(), 3000);`,
    { eval: true, workerData: databaseFile() },
  );
  const gone = once(holder, "exit");
  await once(holder, "message");
  const { status, failing, told } = await ask();
  expect({ status, failing }).toEqual({ status: 503, failing: ["database", "lease"] });
  expect(JSON.stringify(told)).not.toContain(root);
  await gone;
  // It took long, so that it is not tried again at once.
  expect((await ask()).status).toBe(503);
  forgetSingleton("runtime.self-check");
  expect((await ask()).status).toBe(200);
});

test("a collector that stopped", async () => {
  setServiceState({ name: "connections", state: "stopped", error: null });
  expect(await ask()).toMatchObject({ status: 503, failing: ["collectors"] });
  setServiceState({ name: "connections", state: "running", error: null });
});
