// Marks of changes in a Grafana that may be away, forget its answer, or refuse; over a restart of Sluice.
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { type House, openHouse } from "../auth/house.fixture";
import { ChangeEngine } from "../changes/engine";
import { type ToyInput, toyKind } from "../changes/toy.fixture";
import { type Config, configSchema } from "../config/schema";
import { db } from "../db/client";
import { log } from "../runtime/log";
import { type TestGrafana, testGrafana } from "../systems/grafana/test-grafana";
import { closeServers } from "../systems/test-server";
import { Annotator, type AnnotatorOptions } from "./annotator";
import { isMarked, markOf } from "./mark";

const token = "grafana-service-account";
const folder = mkdtempSync(join(tmpdir(), "sluice-annotations-"));
let house: House;
let grafana: TestGrafana;
let engine: ChangeEngine;
let annotator: Annotator;
let annotate: string[] | undefined;
let timeout = "5s";
let stopListening: () => void = () => {};
let files = 0;

beforeAll(async () => {
  house = await openHouse("");
});
afterAll(async () => {
  await house.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  annotate = undefined;
  timeout = "5s";
  await db().change.deleteMany();
  grafana = await testGrafana(token);
  engine = new ChangeEngine();
  engine.register(toyKind("resume", "toy"));
  engine.register(toyKind("interrupted", "swarm.scale"));
  await begin();
});
afterEach(async () => {
  await engine.stop(0);
  stopListening();
  await annotator.stop();
  await closeServers();
  vi.restoreAllMocks();
});

const settings = (): Config =>
  configSchema.parse({
    server: { url: "https://sluice.example.org" },
    systems: {
      grafana: [{ name: "grafana", url: grafana.url, token, timeout, ...(annotate && { annotate }) }],
    },
  });
async function begin(options: Partial<AnnotatorOptions> = {}): Promise<void> {
  annotator = new Annotator({ config: settings, firstWaitMs: 20, ...options });
  stopListening = engine.onUpdate((row) => annotator.see(row));
  await annotator.open();
}
async function end(): Promise<void> {
  stopListening();
  await annotator.stop();
}
const actor = { type: "user", id: "o", name: "Omar", role: "operator", sites: null, scopes: null } as const;
function start(more: Partial<ToyInput> = {}, kind = "toy"): Promise<number> {
  const file = join(folder, `count-${++files}`);
  appendFileSync(file, "");
  return engine.start({ kind, input: { file, from: 0, to: 2, ...more }, actor, origin: "page" });
}
const all = () => [...grafana.annotations.values()];
const until = (check: () => unknown) => vi.waitFor(check, { timeout: 8000, interval: 10 });
const quiet = () =>
  vi.waitFor(async () => expect(await db().annotation.count({ where: { pending: true } })).toBe(0), 8000);

describe("a change is marked", () => {
  test("when it begins, without an end; then with its end and outcome", async () => {
    const id = await start({ to: 100_000, stepMs: 5 });
    await until(() => expect(all()).toHaveLength(1));
    const [begun] = all();
    expect(begun).toMatchObject({ tags: ["sluice", "toy", `sluice-change-${id}`, "running"] });
    expect(begun?.timeEnd).toBeUndefined();
    expect(begun?.text).toContain("Count to 100000 (Omar)");
    expect(begun?.text).toContain(`href="https://sluice.example.org/history/${id}"`);
    await engine.cancel(id, actor);
    await until(() => expect(all()[0]?.tags).toContain("cancelled"));
    const row = await db().change.findUniqueOrThrow({ where: { id } });
    expect(all()).toEqual([
      expect.objectContaining({ time: row.startedAt?.getTime(), timeEnd: row.finishedAt?.getTime() }),
    ]);
    await quiet();
    // Its progress was told to nobody: one POST, one PATCH.
    expect(grafana.calls.map((call) => call.split("?")[0])).toEqual([
      "POST /api/annotations 200",
      "PATCH /api/annotations/1 200",
    ]);
  });

  test("once, however short it is, and anew when its outcome becomes another", async () => {
    const ids = await Promise.all(Array.from({ length: 10 }, () => start({ targets: [] })));
    await Promise.all(ids.map((id) => engine.wait(id, 5000)));
    await until(() => expect(all().filter(({ tags }) => tags?.includes("counted"))).toHaveLength(10));
    await engine.amend(ids[0] ?? 0, { outcome: "recounted" });
    await until(() => expect(all().filter(({ tags }) => tags?.includes("recounted"))).toHaveLength(1));
    await quiet();
    expect(all()).toHaveLength(10);
    // More of its log, and the same verdict: nothing to show.
    const asked = grafana.calls.length;
    await engine.amend(ids[0] ?? 0, { log: [{ level: "info", message: "toy.counted", params: { n: 1 } }] });
    await engine.amend(ids[1] ?? 0, { outcome: "counted" });
    await engine.amend(ids[2] ?? 0, { outcome: "counted twice" });
    await until(() => expect(all().filter(({ tags }) => tags?.includes("counted twice"))).toHaveLength(1));
    await quiet();
    expect(grafana.calls).toHaveLength(asked + 1);
    expect(all().every(({ timeEnd }) => timeEnd !== undefined)).toBe(true);
  });

  test("only of the kinds that are to be, and never one that was cancelled before it began", async () => {
    annotate = ["swarm"];
    await engine.wait(await start(), 5000);
    const marked = await start({}, "swarm.scale");
    await engine.wait(marked, 5000);
    const blocking = await start({ to: 100_000, stepMs: 5, targets: ["one"] });
    const waiting = await start({ targets: ["one"] }, "swarm.scale");
    await engine.cancel(waiting, actor);
    await engine.cancel(blocking, actor);
    await until(() => expect(all()[0]?.tags).toContain("done"));
    await quiet();
    expect(await db().annotation.findMany({ select: { changeId: true } })).toEqual([{ changeId: marked }]);
    expect(all()).toHaveLength(1);
  });

  test("kinds and groups", () => {
    expect(isMarked("purge.gateway", undefined)).toBe(true);
    expect(isMarked("purge.gateway", ["purge"])).toBe(true);
    expect(isMarked("purge", ["purge.gateway"])).toBe(false);
    expect(isMarked("purges", ["purge"])).toBe(false);
    expect(isMarked("purge", [])).toBe(false);
  });

  test("with no sign of HTML of its own", async () => {
    const id = await start();
    await engine.wait(id, 5000);
    const row = { ...(await engine.wait(id, 0)), title: `<img src=x onerror="alert(1)">&` };
    expect(markOf(row, "http://s").text).not.toMatch(/<img|"alert/);
  });
});

describe("a Grafana that fails", () => {
  test("holds no change up, is told of once in the log, and is told everything when it is back", async () => {
    const warned = vi.spyOn(log, "warn");
    grafana.fault = 503;
    const begun = performance.now();
    const ids = await Promise.all([start({ targets: ["a"] }), start({ targets: ["b"] })]);
    await Promise.all(ids.map((id) => engine.wait(id, 5000)));
    expect(performance.now() - begun).toBeLessThan(2000);
    await until(() => expect(grafana.calls.length).toBeGreaterThan(3));
    expect(all()).toEqual([]);
    grafana.fault = null;
    await until(() => expect(all().filter(({ tags }) => tags?.includes("done"))).toHaveLength(2));
    await quiet();
    expect(all()).toHaveLength(2);
    const said = warned.mock.calls.filter(([, text]) => String(text).includes("not marked"));
    expect(said).toHaveLength(1);
    expect(JSON.stringify(warned.mock.calls)).not.toContain(token);
  });

  test("is not asked for ever", async () => {
    await end();
    await begin({ firstWaitMs: 1, mostAttempts: 4 });
    grafana.fault = 500;
    await engine.wait(await start(), 5000);
    await quiet();
    const asked = grafana.calls.length;
    // Four times for the beginning and four for the end, and the one during which the end was noted.
    expect(asked).toBeGreaterThanOrEqual(4);
    expect(asked).toBeLessThanOrEqual(9);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(grafana.calls).toHaveLength(asked);
  });

  test("whose answer is lost makes no second mark", async () => {
    timeout = "300ms";
    grafana.fault = "lost";
    const id = await start({ to: 100_000, stepMs: 5 });
    await until(() => expect(all()).toHaveLength(1));
    grafana.fault = null;
    await engine.cancel(id, actor);
    await until(() => expect(all()[0]?.tags).toContain("cancelled"));
    await quiet();
    expect(all()).toHaveLength(1);
  });

  test("that refuses this one is not asked again; what a person took away stays away", async () => {
    grafana.fault = 400;
    const refused = await start();
    await engine.wait(refused, 5000);
    await quiet();
    expect(grafana.calls.length).toBeLessThanOrEqual(2 * 2);
    grafana.fault = null;
    const id = await start({ to: 100_000, stepMs: 5 });
    await until(() => expect(all()).toHaveLength(1));
    grafana.annotations.clear();
    await engine.cancel(id, actor);
    await until(() => expect(grafana.calls.at(-1)).toMatch(/^PATCH .* 404$/));
    await quiet();
    expect(all()).toEqual([]);
  });
});

describe("a restart", () => {
  test("ends the mark of a change that goes on, and of one that does not, by the ids that were kept", async () => {
    const goesOn = await start({ to: 40, stepMs: 10, targets: ["a"] });
    const doesNot = await start({ to: 100_000, stepMs: 10, targets: ["b"] }, "swarm.scale");
    await until(() => expect(all()).toHaveLength(2));
    await quiet();
    await end();
    await engine.stop(0);

    engine = new ChangeEngine();
    engine.register(toyKind("resume", "toy"));
    engine.register(toyKind("interrupted", "swarm.scale"));
    // As at the start of Sluice: what is left over is judged before the services start.
    await engine.recover();
    await begin();
    const tagsOf = (id: number) => all().find(({ tags }) => tags?.includes(`sluice-change-${id}`))?.tags;
    await until(() => expect(tagsOf(doesNot)).toContain("interrupted"));
    await engine.wait(goesOn, 5000);
    await until(() => expect(tagsOf(goesOn)).toContain("counted"));
    await quiet();
    expect(all()).toHaveLength(2);
    expect(all().every(({ timeEnd }) => timeEnd !== undefined)).toBe(true);
    const asked = grafana.calls.length;
    await end();
    await begin();
    await quiet();
    expect(grafana.calls).toHaveLength(asked);
  });

  test("between Grafana's work and the note of its id makes no second mark", async () => {
    const id = await start();
    await engine.wait(id, 5000);
    await until(() => expect(all()[0]?.tags).toContain("done"));
    await quiet();
    await end();
    await db().annotation.update({
      where: { changeId: id },
      data: { grafana: null, grafanaId: null, told: null, pending: true, revision: 1 },
    });
    await begin();
    await quiet();
    expect(all()).toHaveLength(1);
  });

  test("tells another Grafana nothing by the ids of the one before", async () => {
    const id = await start({ to: 100_000, stepMs: 5 });
    await until(() => expect(all()).toHaveLength(1));
    await quiet();
    const before = grafana;
    grafana = await testGrafana(token);
    grafana.annotations.set(1, { id: 1, time: 1, text: "somebody's own" });
    await engine.cancel(id, actor);
    await until(() => expect(all()).toHaveLength(2));
    expect(grafana.annotations.get(1)?.text).toBe("somebody's own");
    expect([...before.annotations.values()][0]?.timeEnd).toBeUndefined();
  });
});
