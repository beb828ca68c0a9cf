// What can go wrong in a roll-out, on varnishd of this machine: each leaves the nodes as they were, or says what it left.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type House, openHouse } from "../auth/house.fixture";
import { engine } from "../changes/engine";
import type { Actor } from "../changes/kind";
import { db } from "../db/client";
import { toAppError } from "../errors/app-error";
import { closeConnections, exchange } from "../systems/exchange";
import { until } from "../systems/test-stack";
import { command, vclInline, vclLabel, vclList, vclUse } from "../systems/varnish/cli";
import { vclNameOf } from "./compile";
import type { RolloutInput, RolloutPlan, VclTest } from "./contract";
import { nodeCalled } from "./nodes";
import { type OwnNode, type OwnNodes, ownNodes, textOf } from "./own-nodes.fixture";
import { registerVcl } from "./register";
import { newestOf, revisionOf, revisionsOf, wholeRevision } from "./revisions";
import { runningOn } from "./running";
import { save } from "./service";
import { driftOf } from "./watch";

const ada: Actor = { type: "user", id: "u1", name: "Ada", role: "operator", sites: null, scopes: null };
const cluster = "pair";
let house: House;
let pair: OwnNodes;
let first: OwnNode;
let second: OwnNode;

beforeAll(async () => {
  pair = await ownNodes(2);
  [first, second] = pair.nodes as [OwnNode, OwnNode];
  house = await openHouse(`
systems:
  varnish:
${pair.yaml}
sites:
  - { name: site, addresses: ["http://site.example"], watch: /, caches: { varnish: [node-1, node-2] } }
`);
  registerVcl();
}, 60_000);
afterAll(async () => {
  await pair?.close();
  await closeConnections();
  await house?.close();
});

const labelled = (word: string, more = "") =>
  `${pair.base}sub vcl_deliver { set resp.http.X-Test = "${word}"; }\n${more}`;
const saved = async (text: string, tests: VclTest[] = []) => {
  const newest = await newestOf(cluster);
  const files = [{ name: "main.vcl", text }];
  return (await save({ cluster, files, tests, newest, parent: newest }, ada)).number;
};
const both = (number: number, more: Partial<RolloutInput> = {}): RolloutInput => ({
  cluster,
  revisions: { "node-1": number, "node-2": number },
  canary: null,
  watchS: 0,
  ...more,
});
const begin = (input: RolloutInput) =>
  engine().start({ kind: "vcl.rollout", input, actor: ada, origin: "page" });
const ended = (id: number) => engine().wait(id, 60_000);
const rollOut = async (input: RolloutInput) => ended(await begin(input));
const undo = async (id: number) => ended(await engine().undo(id, ada));
const planned = async (input: RolloutInput) =>
  (await engine().plan("vcl.rollout", input, ada)).plan as RolloutPlan;
const seenBy = async (node: OwnNode) => {
  const { headers } = await exchange({ base: node.url, path: `/?${Math.random()}`, timeoutMs: 5000 });
  return headers["x-test"] ?? null;
};
const bothServe = async (word: string | null) =>
  expect([await seenBy(first), await seenBy(second)]).toEqual([word, word]);
const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => "good",
    (error: unknown) => `${toAppError(error).code} ${toAppError(error).detail.problem}`,
  );
const loaded = async (node: OwnNode) =>
  (await vclList(node)).filter(({ status }) => status !== "discarded").map(({ name }) => name);
/** As if Sluice had ended in the middle of it: with this checkpoint, at its next start. */
const takenUp = async (id: number, checkpoint: object) => {
  await db().change.update({
    where: { id },
    data: { state: "running", evidence: null, checkpoint: JSON.stringify(checkpoint) },
  });
  await engine().recover();
  return ended(id);
};
const takingBack = {
  normal: null,
  canary: null,
  tests: 0,
  takingBack: { code: "CANCELLED", message: "Cancelled by Ada." },
};

/** Each test begins with both nodes on a revision of its own. */
let start = 0;
let word = "";
beforeEach(async () => {
  word = `start-${Math.random().toString(36).slice(2, 8)}`;
  start = await saved(labelled(word));
  expect(await rollOut(both(start))).toMatchObject({ state: "done", outcome: "live" });
}, 60_000);

test("a canary whose file cannot be read is taken back all the same", async () => {
  const bad = `vcl 4.1;\nsub vcl_recv { return (synth(503)); }\n${pair.base.replace("vcl 4.1;", "")}`;
  const id = await begin(both(await saved(bad), { canary: "node-1", watchS: 60 }));
  // It is written beside its place, and waits for the end.
  await until("it is staged", async () => readdirSync(join(first.file, "..")).length > 1);
  rmSync(first.file);
  mkdirSync(first.file);
  const row = await ended(id);
  rmSync(first.file, { recursive: true });
  writeFileSync(first.file, labelled(word));
  expect(row).toMatchObject({ state: "failed", error: { code: "CONFLICT", problem: "vcl.worse.pages" } });
  await bothServe(word);
});

test("a file that cannot be put back does not keep the VCL from it, and is named", async () => {
  const row = await rollOut(both(await saved(labelled("new"))));
  rmSync(first.file);
  mkdirSync(first.file);
  const again = await takenUp(row.id, takingBack);
  rmSync(first.file, { recursive: true });
  writeFileSync(first.file, labelled(word));
  expect(again).toMatchObject({
    state: "failed",
    error: { problem: "change.notTakenBack", params: { what: `node-1: ${first.file}` } },
  });
  await bothServe(word);
  expect(textOf(second)).toBe(labelled(word));
});

test("killed while it is taken back, it goes on with that, and not forward", async () => {
  const number = await saved(labelled("bad"));
  const row = await rollOut(both(number));
  // Meanwhile one starts anew with the new file: "boot" is the bad one.
  await second.kill();
  await second.start();
  await bothServe("bad");
  const again = await takenUp(row.id, takingBack);
  expect(again).toMatchObject({
    state: "failed",
    error: { code: "CANCELLED", message: "Cancelled by Ada." },
  });
  await bothServe(word);
  expect([textOf(first), textOf(second)]).toEqual([labelled(word), labelled(word)]);
});

test("the tests of what ran before do not keep it from coming back", async () => {
  const failing: VclTest = {
    name: "never",
    request: { method: "GET", host: "a.example", path: "/", headers: [] },
    backend: { status: 200, headers: [] },
    expect: { status: 418, headers: [] },
  };
  const older = await saved(labelled("older"), [failing]);
  process.env.SLUICE_VARNISHD = "/nowhere/varnishd";
  const row = await rollOut(both(older)).finally(() => delete process.env.SLUICE_VARNISHD);
  expect(row).toMatchObject({ state: "done" });
  const newer = await rollOut(both(await saved(labelled("newer"))));
  expect(newer).toMatchObject({ state: "done" });
  expect(await rollOut(both(older))).toMatchObject({ state: "failed", error: { problem: "vcl.testsFail" } });
  expect(await undo(newer.id)).toMatchObject({ state: "done" });
  await bothServe("older");
});

test("what includes one file twice, or a folder, is kept and comes back", async () => {
  const parts = join(pair.folder, `parts-${start}`);
  mkdirSync(parts);
  writeFileSync(join(parts, "2.vcl"), "sub two { }\n");
  writeFileSync(join(parts, "1.vcl"), "sub one { }\n");
  writeFileSync(join(pair.folder, "twice.inc"), 'set resp.http.X-Twice = "yes";\n');
  const twice = `include "${join(pair.folder, "twice.inc")}";`;
  const text = `${pair.base}include +glob "${parts}/*.vcl";
sub vcl_deliver { ${twice} call one; call two; ${twice} set resp.http.X-Test = "found"; }\n`;
  for (const node of [first, second]) {
    await vclInline(node, `hand-${start}`, text);
    await vclUse(node, `hand-${start}`);
  }
  const row = await rollOut(both(start));
  expect(row).toMatchObject({ state: "done" });
  const found = (await revisionsOf(cluster)).find(({ origin }) => origin === "found");
  expect((await revisionOf(cluster, found?.number ?? 0)).files.map(({ name }) => name)).toEqual([
    "main.vcl",
    join(parts, "1.vcl"),
    join(parts, "2.vcl"),
    join(pair.folder, "twice.inc"),
  ]);
  expect(await undo(row.id)).toMatchObject({ state: "done" });
  await bothServe("found");
});

test("a name that another Sluice gave is not trusted", async () => {
  const number = await saved(labelled("right"));
  const next = ((await db().change.aggregate({ _max: { id: true } }))._max.id ?? 0) + 1;
  await vclInline(first, `sluice-r${number}-c${next}`, labelled("stale"));
  expect(await rollOut(both(number))).toMatchObject({ id: next, state: "done" });
  await bothServe("right");
});

test("what a node turns out to run is part of it: all is taken back", async () => {
  const number = await saved(labelled("right"));
  const next = ((await db().change.aggregate({ _max: { id: true } }))._max.id ?? 0) + 1;
  const { hash } = await wholeRevision(cluster, number);
  await vclInline(first, vclNameOf(number, next, hash), labelled("stale"));
  const row = await rollOut(both(number));
  expect(row).toMatchObject({ id: next, state: "failed", error: { problem: "vcl.runsOther" } });
  await bothServe(word);
  expect([textOf(first), textOf(second)]).toEqual([labelled(word), labelled(word)]);
});

test("an undo does not roll over what came after", async () => {
  const middle = await rollOut(both(await saved(labelled("middle"))));
  await rollOut(both(await saved(labelled("after"))));
  expect(await refusal(engine().undo(middle.id, ada))).toBe("CONFLICT vcl.changed");
  await bothServe("after");
});

test("an undo brings back the nodes that answer, names the others, and can be asked for again", async () => {
  const row = await rollOut(both(await saved(labelled("bad"))));
  await second.kill();
  try {
    const half = await undo(row.id);
    expect(half).toMatchObject({ state: "failed", outcome: "otherwise" });
    const { evidence } = await db().change.findUniqueOrThrow({ where: { id: half.id } });
    expect(JSON.parse(evidence ?? "").nodes).toMatchObject([
      { node: "node-1", ok: true },
      { node: "node-2", ok: false, problem: { problem: expect.any(String) } },
    ]);
    expect(await seenBy(first)).toBe(word);
  } finally {
    await second.start();
  }
  expect(await seenBy(second)).toBe("bad");
  expect(await undo(row.id)).toMatchObject({ state: "done" });
  await bothServe(word);
});

test("who is to be first: one of them, and one that does not run it yet", async () => {
  const number = await saved(labelled("next"));
  expect(await refusal(planned(both(number, { canary: "node-9", watchS: 1 })))).toBe(
    "INVALID_INPUT vcl.canaryElsewhere",
  );
  await rollOut({ ...both(number), revisions: { "node-1": number } });
  expect(await planned(both(number, { canary: "node-1", watchS: 1 }))).toMatchObject({
    canary: "node-2",
    watchS: 1,
  });
});

test("older ones go, whatever holds one of them; and what a check left goes too", async () => {
  const held = (await loaded(first)).find((name) => name.startsWith(`sluice-r${start}-`)) ?? "";
  await vclLabel(first, `keep-${start}`, held);
  await vclInline(first, "sluice-check-0123456789ab", labelled("checked"));
  const numbers: number[] = [];
  for (const one of ["a", "b", "c"]) {
    numbers.push(await saved(labelled(`${one}-${word}`)));
    expect(await rollOut(both(numbers.at(-1) ?? 0))).toMatchObject({ state: "done" });
  }
  const ours = (await loaded(first)).filter((name) => name.startsWith("sluice-"));
  const of = (number: number) => ours.filter((name) => name.startsWith(`sluice-r${number}-`));
  expect(ours.filter((name) => name.startsWith("sluice-check-"))).toEqual([]);
  expect(of(start)).toEqual([held]);
  expect(numbers.map((number) => of(number).length)).toEqual([0, 1, 1]);
  const [last] = await db().changeLog.findMany({ where: { message: "vcl.stayed" }, orderBy: { id: "desc" } });
  expect(JSON.parse(last?.params ?? "{}")).toMatchObject({ node: "node-1", name: held });
});

test("without its child a node can be given another VCL", async () => {
  const row = await rollOut(both(await saved(labelled("stops"))));
  await command(first, "stop", []);
  expect((await vclList(first)).length).toBeGreaterThan(0);
  expect(await undo(row.id)).toMatchObject({ state: "done" });
  await bothServe(word);
});

test("a start with another file is seen at the next look, though it is called boot again", async () => {
  writeFileSync(first.file, labelled(word));
  await first.kill();
  await first.start();
  expect(await driftOf(nodeCalled("node-1"))).toEqual([]);
  writeFileSync(first.file, labelled("theirs"));
  await first.kill();
  await first.start();
  expect((await runningOn(nodeCalled("node-1"))).active).toBe("boot");
  expect(await driftOf(nodeCalled("node-1"))).toMatchObject([{ problem: "vcl.drift" }]);
  writeFileSync(first.file, labelled(word));
  await first.kill();
  await first.start();
});

test("nothing of a file lies about in the end", async () => {
  expect([first, second].flatMap(({ file }) => readdirSync(join(file, "..")))).toEqual([
    "default.vcl",
    "default.vcl",
  ]);
});
