// The engine on a real SQLite file, with a toy act.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { closeDatabase, db } from "../db/client";
import { openDatabase } from "../db/open";
import type { ChangeRow } from "./contract";
import { ChangeEngine, type StartRequest } from "./engine";
import type { Actor } from "./kind";
import { changeDetail } from "./queries";
import { type ToyInput, toyKind } from "./toy.fixture";

const directory = mkdtempSync(join(tmpdir(), "sluice-engine-"));
const ada: Actor = { type: "user", id: "u1", name: "Ada", role: "editor", sites: null, scopes: null };
const bob: Actor = { ...ada, id: "u2", name: "Bob" };
const operator: Actor = { ...ada, id: "u3", name: "Olga", role: "operator" };
let files = 0;

beforeAll(async () => {
  process.env.SLUICE_DATA = join(directory, "engine");
  await openDatabase();
});
afterAll(async () => {
  await closeDatabase();
  rmSync(directory, { recursive: true, force: true });
});

function toyEngine(concurrency = 16): ChangeEngine {
  const engine = new ChangeEngine({ concurrency });
  engine.register(toyKind("resume"));
  return engine;
}
function request(input: Partial<ToyInput> = {}, rest: Partial<StartRequest> = {}): StartRequest {
  const file = join(directory, `count-${++files}`);
  return {
    kind: "toy",
    input: { file, from: 0, to: 3, targets: [file], ...input },
    actor: ada,
    origin: "page",
    ...rest,
  };
}
function counted(file: string): number[] {
  return readFileSync(file, "utf8").trim().split("\n").map(Number);
}
async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error("waited in vain");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe("a change", () => {
  test("is durable before it begins, runs, is verified and kept with its evidence and log", async () => {
    const engine = toyEngine();
    const told: ChangeRow[] = [];
    engine.onUpdate((row) => told.push(row));
    const id = await engine.start(request({}, { reason: "because", requestId: "r1" }));
    expect(await db().change.count({ where: { id } })).toBe(1);
    const row = await engine.wait(id, 5000);
    expect(row).toMatchObject({ state: "done", outcome: "counted", reason: "because", error: null });
    expect(row.progress).toEqual({ step: "counting", done: 3, total: 3 });
    expect(row.startedAt).not.toBeNull();
    expect(row.finishedAt).not.toBeNull();
    const states = told.map(({ state }) => state).filter((state, index, all) => state !== all[index - 1]);
    expect(states).toEqual(["planned", "running", "verifying", "done"]);
    const detail = await changeDetail(id);
    expect(detail.evidence).toEqual({ counted: 3 });
    expect(detail.log.map(({ params }) => params.n)).toEqual([0, 1, 2]);
  });

  test("fails with its reason, and when it is not proven", async () => {
    const engine = toyEngine();
    const thrown = await engine.wait(await engine.start(request({ ends: "throws" })), 5000);
    expect(thrown).toMatchObject({
      state: "failed",
      error: {
        code: "UNREACHABLE",
        message: "The abacus is gone.",
        problem: "change.notFound",
        params: { id: expect.any(Number) },
      },
    });
    const unproven = await engine.wait(await engine.start(request({ ends: "unproven" })), 5000);
    expect(unproven).toMatchObject({ state: "failed", outcome: "miscounted", error: null });
  });

  test("is refused before anything is kept: bad input, a viewer, an unknown act", async () => {
    const engine = toyEngine();
    const before = await db().change.count();
    await expect(engine.start({ ...request(), input: { to: "x" } })).rejects.toMatchObject({
      code: "INVALID_INPUT",
    });
    await expect(engine.start(request({}, { actor: { ...ada, role: "viewer" } }))).rejects.toMatchObject({
      code: "FORBIDDEN",
    });
    await expect(engine.start({ ...request(), kind: "toil" })).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect(await db().change.count()).toBe(before);
  });

  test("that is destructive wants exactly what has to be typed", async () => {
    const engine = toyEngine();
    for (const confirmation of [undefined, null, "", "Count", "count "]) {
      const asked = request({ level: "destructive" }, confirmation === undefined ? {} : { confirmation });
      await expect(engine.start(asked)).rejects.toMatchObject({ code: "CONFIRMATION_REQUIRED" });
    }
    const id = await engine.start(request({ level: "destructive" }, { confirmation: "count" }));
    expect((await engine.wait(id, 5000)).state).toBe("done");
  });

  test("saves progress at most twice a second, and the last one", async () => {
    const engine = toyEngine();
    const told: ChangeRow[] = [];
    engine.onUpdate((row) => row.state === "running" && told.push(row));
    const row = await engine.wait(await engine.start(request({ to: 240, stepMs: 5 })), 20_000);
    const took = new Date(row.finishedAt ?? 0).getTime() - new Date(row.startedAt ?? 0).getTime();
    // The state's own row, one per half second, the last.
    expect(told.length).toBeLessThanOrEqual(Math.ceil(took / 500) + 3);
    expect(told.length).toBeGreaterThan(2);
    expect(row.progress?.done).toBe(240);
  });
});

describe("locks", () => {
  test("changes of one target run one after the other, in order; others run beside them", async () => {
    const engine = toyEngine();
    const file = join(directory, "shared");
    const first = await engine.start(request({ file, targets: ["b", "a"], to: 20, stepMs: 5 }));
    const second = await engine.start(request({ file, targets: ["a", "c"], from: 100, to: 105 }));
    const third = await engine.start(request({ file, targets: ["c"], from: 200, to: 205 }));
    const free = await engine.start(request({ targets: ["z"] }));
    expect((await engine.wait(free, 5000)).state).toBe("done");
    expect((await engine.wait(first, 1)).state).toBe("running");
    for (const id of [first, second, third]) expect((await engine.wait(id, 5000)).state).toBe("done");
    const numbers = counted(file);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  });

  test("no more run at once than allowed", async () => {
    const engine = toyEngine(2);
    const ids = await Promise.all([1, 2, 3, 4].map(() => engine.start(request({ to: 10, stepMs: 10 }))));
    await until(
      async () => (await db().change.count({ where: { id: { in: ids }, state: "running" } })) === 2,
    );
    expect(await db().change.count({ where: { id: { in: ids }, state: "planned" } })).toBe(2);
    for (const id of ids) expect((await engine.wait(id, 5000)).state).toBe("done");
  });
});

describe("cancel", () => {
  test("stops a running one, ends a waiting one before it began, and frees their targets", async () => {
    const engine = toyEngine();
    const file = join(directory, "cancelled");
    const running = await engine.start(request({ file, targets: ["t"], to: 1000, stepMs: 5 }));
    const waiting = await engine.start(request({ targets: ["t"] }));
    const last = await engine.start(request({ targets: ["t"] }));
    await until(async () => (await engine.wait(running, 1)).state === "running");
    await engine.cancel(waiting, ada);
    expect(await engine.wait(waiting, 5000)).toMatchObject({ state: "cancelled", startedAt: null });
    await engine.cancel(running, operator);
    expect(await engine.wait(running, 5000)).toMatchObject({ state: "cancelled", error: null });
    expect((await engine.wait(last, 5000)).state).toBe("done");
    expect((await changeDetail(running)).log.at(-1)).toMatchObject({
      message: "change.cancelled",
      params: { by: "Olga" },
    });
    expect(counted(file).length).toBeLessThan(1000);
  });

  test("is for its own maker and operators, and for what has not ended", async () => {
    const engine = toyEngine();
    const id = await engine.start(request({ to: 200, stepMs: 5 }));
    await expect(engine.cancel(id, bob)).rejects.toMatchObject({ code: "FORBIDDEN" });
    expect(await engine.can(id, bob)).toEqual({ cancel: false, undo: false });
    expect(await engine.can(id, ada)).toEqual({ cancel: true, undo: false });
    await engine.cancel(id, ada);
    await engine.wait(id, 5000);
    await expect(engine.cancel(id, ada)).rejects.toMatchObject({ code: "CONFLICT" });
    await expect(engine.cancel(999_999, ada)).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  test("is refused once a change has said that what remains must be done; the one that came before wins", async () => {
    const engine = toyEngine();
    const late = await engine.start(request({ to: 40, stepMs: 5, commitsAt: 0 }));
    await until(async () => (await engine.wait(late, 1)).progress !== null);
    await expect(engine.cancel(late, ada)).rejects.toMatchObject({
      code: "CONFLICT",
      detail: { problem: "change.notCancellable" },
    });
    expect(await engine.can(late, ada)).toMatchObject({ cancel: false });
    expect((await engine.wait(late, 5000)).state).toBe("done");

    const file = join(directory, "committed-too-late");
    const early = await engine.start(request({ file, to: 40, stepMs: 5, deaf: true, commitsAt: 20 }));
    await until(async () => (await engine.wait(early, 1)).progress !== null);
    await engine.cancel(early, ada);
    expect((await engine.wait(early, 5000)).state).toBe("cancelled");
    expect(counted(file)).toHaveLength(20);
  });

  test("of one whose way back fails is a failure, with its reason", async () => {
    const engine = toyEngine();
    const id = await engine.start(request({ to: 500, stepMs: 5, ends: "notTakenBack" }));
    await until(async () => (await engine.wait(id, 1)).state === "running");
    await engine.cancel(id, ada);
    expect(await engine.wait(id, 5000)).toMatchObject({
      state: "failed",
      error: { message: "It could not be counted back." },
    });
  });

  test("of one that does not listen still counts as cancelled", async () => {
    const engine = toyEngine();
    const id = await engine.start(request({ to: 20, stepMs: 5, deaf: true }));
    await until(async () => (await engine.wait(id, 1)).state === "running");
    await engine.cancel(id, ada);
    expect((await engine.wait(id, 5000)).state).toBe("cancelled");
  });
});

describe("undo", () => {
  test("is a change of its own; the original is undone when it is done, and only once", async () => {
    const engine = toyEngine();
    const id = await engine.start(request({ from: 5, to: 8 }));
    await engine.wait(id, 5000);
    expect((await engine.can(id, ada)).undo).toBe(true);
    const attempts = await Promise.allSettled([engine.undo(id, bob), engine.undo(id, ada)]);
    expect(attempts.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    const inverse = attempts.find((attempt) => attempt.status === "fulfilled")?.value ?? 0;
    expect(await engine.wait(inverse, 5000)).toMatchObject({ state: "done", undoOf: id });
    expect(await engine.wait(id, 1)).toMatchObject({ state: "undone", undoneBy: inverse });
    await expect(engine.undo(id, ada)).rejects.toMatchObject({ code: "CONFLICT" });
  });
});

test("amend adds what became known later", async () => {
  const engine = toyEngine();
  const id = await engine.start(request());
  await engine.wait(id, 5000);
  await engine.amend(id, {
    outcome: "recounted",
    evidence: { counted: 4 },
    log: [{ level: "info", message: "toy.later" }],
  });
  const detail = await changeDetail(id);
  expect(detail).toMatchObject({ state: "done", outcome: "recounted", evidence: { counted: 4 } });
  expect(detail.log.at(-1)?.message).toBe("toy.later");
  await expect(engine.amend(id, { evidence: { counted: "many" } })).rejects.toThrow();
});

test("stop leaves what does not end in time to the next start, which resumes it", async () => {
  const engine = toyEngine();
  const file = join(directory, "stopped");
  const id = await engine.start(request({ file, to: 100, stepMs: 5 }));
  await until(async () => (await engine.wait(id, 1)).state === "running");
  await engine.stop(30);
  await expect(engine.start(request())).rejects.toMatchObject({ code: "CONFLICT" });
  expect((await engine.wait(id, 1)).state).toBe("running");
  const next = toyEngine();
  expect(await next.recover()).toEqual({ resumed: 1, interrupted: 0 });
  expect((await next.wait(id, 5000)).state).toBe("done");
  expect(counted(file)).toEqual(Array.from({ length: 100 }, (_, n) => n));
});

test("a full disk accepts nothing, and what had begun is seen to end once there is room", async () => {
  const engine = toyEngine();
  const limit = (pages: number) => db().$queryRawUnsafe(`PRAGMA max_page_count = ${pages}`);
  const running = await engine.start(request({ to: 40, stepMs: 5 }));
  await until(async () => (await engine.wait(running, 1)).state === "running");
  const before = await db().change.count();
  // SQLite's own "database or disk is full": no page may be added. What is free inside is used up first.
  await limit(1);
  let refused: unknown = null;
  for (let attempt = 0; attempt < 50 && refused === null; attempt++) {
    await engine
      .start(request({ to: 0, targets: [`${"x".repeat(20_000)}${attempt}`] }))
      .catch((error: unknown) => {
        refused = error;
      });
  }
  expect(refused).toMatchObject({ code: "DISK_FULL" });
  expect(await db().change.count()).toBeLessThan(before + 50);
  await limit(1_000_000);
  expect(["done", "failed"]).toContain((await engine.wait(running, 10_000)).state);
  expect((await engine.wait(await engine.start(request()), 5000)).state).toBe("done");
});

describe("a process killed in the middle", () => {
  const children: ChildProcess[] = [];
  const data = join(directory, "crash");
  const file = join(directory, "crash-count");
  function run(mode: string): { child: ChildProcess; lines: string[]; ended: Promise<number | null> } {
    const child = spawn(
      process.execPath,
      ["--import", "tsx", join(import.meta.dirname, "crash.fixture.ts"), mode, file],
      {
        env: { ...process.env, SLUICE_DATA: data, SLUICE_LOG: "silent" },
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    children.push(child);
    const lines: string[] = [];
    createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    return { child, lines, ended };
  }
  afterAll(() => {
    for (const child of children) child.kill("SIGKILL");
  });

  test("is taken up from its checkpoint at once; what cannot be resumed is marked interrupted", {
    timeout: 40_000,
  }, async () => {
    const first = run("start");
    await until(() => first.lines.includes("accepted 1 2 3"));
    await until(() => readFileSync(file, "utf8").split("\n").includes("10"));
    first.child.kill("SIGKILL");
    await first.ended;
    const before = counted(file).filter((n) => n < 1000);
    expect(before.length).toBeLessThan(60);

    const second = run("recover");
    expect(await second.ended).toBe(0);
    expect(second.lines).toEqual(["recovered 2 1", "1 done", "2 done", "3 interrupted"]);
    const all = counted(file).filter((n) => n < 1000);
    expect([...new Set(all)]).toEqual(Array.from({ length: 70 }, (_, n) => n));
    // At most the one step whose checkpoint was not yet kept is done again.
    expect(all.length).toBeLessThanOrEqual(71);
  });
});
