// A revision tried by one person on real nodes: nobody else gets it, nothing of it is kept, and it ends whatever happens.
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type House, openHouse } from "../auth/house.fixture";
import { engine } from "../changes/engine";
import type { Actor } from "../changes/kind";
import { closeDatabase, db } from "../db/client";
import { openDatabase } from "../db/open";
import { toAppError } from "../errors/app-error";
import { closeConnections, exchange } from "../systems/exchange";
import { testStack, until } from "../systems/test-stack";
import { closeCli, vclInline, vclList, vclUse } from "../systems/varnish/cli";
import { nodeCalled } from "./nodes";
import { docker, isServing, startNodes, type TestNode, type TestNodes } from "./nodes.fixture";
import { registerVcl } from "./register";
import { revisionsOf } from "./revisions";
import { runningOf, save } from "./service";
import type { TryInput } from "./try/contract";
import { endDueTrials } from "./try-service";
import { presentTrial, trialFor } from "./try-store";
import { driftOf } from "./watch";

const stack = testStack();
const person = (id: string): Actor => ({
  ...{ type: "user", id, name: id, role: "operator", sites: null, scopes: null },
});
const ada = person("u1");
const cluster = "pair";

describe.skipIf(!stack)("trials", () => {
  if (!stack) return;
  const [host = ""] = stack.hosts;
  let house: House;
  let pair: TestNodes;
  let first: TestNode;
  let second: TestNode;
  let base = "";
  let draft = 0;
  const children: ChildProcess[] = [];

  /** What a node is given, with a header that tells which one it is. */
  const labelled = (word: string, more = "") =>
    `${base}\nsub vcl_deliver { set resp.http.X-Test = "${word}"; }\n${more}`;
  const saved = async (text: string) => {
    const newest = (await revisionsOf(cluster))[0]?.number ?? null;
    const files = [{ name: "main.vcl", text }];
    return (await save({ cluster, files, tests: [], newest, parent: newest }, ada)).number;
  };
  const rollOut = async (number: number) => {
    const input = { cluster, revisions: { "node-1": number, "node-2": number }, canary: null, watchS: 0 };
    const id = await engine().start({ kind: "vcl.rollout", input, actor: ada, origin: "page" });
    return engine().wait(id, 120_000);
  };
  const begin = (revision = draft, more: Partial<TryInput> = {}) =>
    engine().start({ kind: "vcl.try", input: { cluster, revision, ...more }, actor: ada, origin: "page" });
  const tried = async (revision = draft) => engine().wait(await begin(revision), 120_000);
  const end = async (change: number) => {
    const input = { cluster, change };
    return engine().wait(
      await engine().start({ kind: "vcl.tryEnd", input, actor: ada, origin: "page" }),
      60_000,
    );
  };
  const secretOf = async () => {
    const secret = (await trialFor(cluster, ada))?.secret;
    if (!secret) throw new Error("Ada has no trial.");
    return secret;
  };
  const ask = async (node: TestNode, path: string, headers: Record<string, string> = {}) => {
    const answer = await exchange({ base: node.url, host, path, headers, timeoutMs: 5000 });
    const { "x-test": test = null, "x-sluice-try": trial = null } = answer.headers;
    return { ...answer, test, trial, text: Buffer.from(answer.body).toString("utf8") };
  };
  /** [what everybody gets, what Ada gets] of both nodes. */
  const served = async (token: string) => {
    const path = `/en/archive/2?look=${Math.random()}`;
    const seen: (string | null)[] = [];
    for (const node of [first, second])
      for (const headers of [{}, { Cookie: `a=b; sluice-try=${token}; c=d` }])
        seen.push((await ask(node, path, headers)).test);
    return seen;
  };
  const everybodySame = ["base", "base", "base", "base"];
  const adaTries = ["base", "draft", "base", "draft"];
  const left = async () =>
    (await Promise.all([first, second].map((node) => vclList(node))))
      .flat()
      .filter(({ name, status }) => /^sluice-(try|draft|top)-/.test(name) && status !== "discarded");
  const nothingLeft = () => until("nothing is left of it", async () => (await left()).length === 0);

  beforeAll(async () => {
    pair = await startNodes(stack, 2, { "node-1": ["--add-host", "only-one.example:127.0.0.1"] });
    [first, second] = pair.nodes as [TestNode, TestNode];
    house = await openHouse(`
systems:
  varnish:
${pair.yaml}
sites:
  - { name: site, addresses: ["http://${host}", "https://safe.example"], watch: /en/archive/1, caches: { varnish: [node-1, node-2] } }
`);
    registerVcl();
    base = (await runningOf("node-1")).files[0]?.text ?? "";
    expect((await rollOut(await saved(labelled("base")))).state).toBe("done");
    // What it fetches is marked, so that an object of its own is known wherever it is served.
    const marked = (version: string) =>
      `${version}\nsub vcl_backend_response { set beresp.http.X-Made = "draft"; }`;
    draft = await saved(labelled("draft").replace(/^vcl 4\.\d;$/m, marked));
  }, 180_000);
  afterEach(async () => {
    const trial = await presentTrial(cluster);
    if (trial !== null) await end(trial.changeId);
  }, 60_000);
  afterAll(async () => {
    for (const child of children) child.kill("SIGKILL");
    await pair?.close();
    await house?.close();
    await closeConnections();
  }, 60_000);

  test("one browser gets it by cookie or header, nobody else does, and the end leaves nothing", async () => {
    const row = await tried();
    expect(row).toMatchObject({ state: "done", outcome: "tried" });
    const { header, sites } = await secretOf();
    const token = header.value;
    expect(await served(token)).toEqual(adaTries);
    expect(await ask(first, "/en/archive/3", { [header.name]: token })).toMatchObject({ trial: `r${draft}` });
    expect((await ask(first, "/en/archive/3", { [header.name]: `${token}0` })).trial).toBeNull();
    expect((await ask(first, "/en/archive/3", { Cookie: `x-sluice-try=${token}` })).trial).toBeNull();

    // Its own objects: the same page is kept once for everybody, once for the trial, and never beyond.
    const path = `/en/archive/4?mixed=${Math.random()}`;
    const mine = await ask(first, path, { [header.name]: token });
    expect(mine.headers["x-made"]).toBe("draft");
    expect((await ask(first, path)).headers["x-made"]).toBeUndefined();
    expect(mine.headers["cache-control"]).toBe("private, no-store");
    expect(mine.headers["cdn-cache-control"]).toBe("no-store");
    expect((await ask(first, path)).test).toBe("base");

    // The address gives the cookie, without its value in it; and it cannot be kept.
    const [plain, safe] = sites;
    expect([plain?.site, safe?.site]).toEqual([host, "safe.example"]);
    const enter = await ask(first, new URL(plain?.enter ?? "").pathname);
    expect(enter).toMatchObject({ status: 302, headers: { location: "/", "cache-control": "no-store" } });
    expect(enter.headers["set-cookie"]).toMatch(
      new RegExp(`^sluice-try=${token}; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax$`),
    );
    expect((await ask(first, new URL(safe?.enter ?? "").pathname)).headers["set-cookie"]).toMatch(
      /; Secure$/,
    );
    expect((await ask(first, new URL(plain?.leave ?? "").pathname)).headers["set-cookie"]).toMatch(
      /Max-Age=0/,
    );
    expect(`${plain?.enter}${safe?.enter}`).not.toContain(token);

    // It is no drift, is nobody else's to see, and its secrets are in no history.
    expect(await driftOf(nodeCalled("node-1"))).toEqual([]);
    expect(JSON.stringify(await runningOf("node-1"))).not.toContain(token);
    expect(await trialFor(cluster, person("u2"))).toMatchObject({ revision: draft, secret: null });
    const stored = await db().change.findUniqueOrThrow({ where: { id: row.id }, include: { log: true } });
    expect(JSON.stringify(stored)).not.toContain(token);

    expect(toAppError(await begin().catch((error: unknown) => error)).detail.problem).toBe("vcl.tryAlready");

    const undone = await engine().wait(await engine().undo(row.id, ada), 60_000);
    expect(undone).toMatchObject({ kind: "vcl.tryEnd", state: "done" });
    expect(await served(token)).toEqual(everybodySame);
    await nothingLeft();
    expect(await trialFor(cluster, ada)).toBeNull();
    expect(await db().vclTrial.findUniqueOrThrow({ where: { changeId: row.id } })).toMatchObject({
      token: "",
    });
  }, 120_000);

  test("a restart stays with it, and the draft does not see its secrets", async () => {
    const echo = `
sub vcl_recv {
  if (req.url == "/again" && req.restarts == 0) { set req.http.X-Again = "1"; return (restart); }
  if (req.url == "/again") {
    return (synth(299, "draft again=" + req.http.X-Again + " cookie=" + req.http.Cookie + " header=" + req.http.X-Sluice-Try));
  }
}
sub vcl_synth {
  if (resp.status == 299) { synthetic(resp.reason); return (deliver); }
}
`;
    // Before the rest, which may answer first.
    const text = labelled("draft").replace(/^vcl 4\.\d;$/m, (version) => `${version}${echo}`);
    expect((await tried(await saved(text))).state).toBe("done");
    const token = (await secretOf()).header.value;
    const again = await ask(first, "/again", { Cookie: `a=b; sluice-try=${token}`, "X-Sluice-Try": token });
    expect(again.text).toBe("draft again=1 cookie=a=b header=");
    expect((await ask(first, "/again")).text).not.toContain("draft");
  }, 120_000);

  test("one node that does not compile it is enough: nothing of it is left anywhere", async () => {
    const row = await tried(
      await saved(
        labelled(
          "draft",
          'backend other { .host = "only-one.example"; }\nsub vcl_hit { if (req.url == "/never") { set req.http.x = other; } }',
        ),
      ),
    );
    expect(row).toMatchObject({ state: "failed", error: { code: "REFUSED" } });
    expect(row.error?.message).toContain("node-2");
    await nothingLeft();
    expect(await trialFor(cluster, ada)).toBeNull();
    expect(await served("0".repeat(32))).toEqual(everybodySame);
  }, 120_000);

  test("ends by itself when its time is over", async () => {
    const row = await tried();
    const token = (await secretOf()).header.value;
    await endDueTrials();
    expect(await served(token)).toEqual(adaTries);
    await db().vclTrial.update({
      where: { changeId: row.id },
      data: { endsAt: new Date(Date.now() - 1000) },
    });
    await endDueTrials();
    expect(await served(token)).toEqual(everybodySame);
    await nothingLeft();
    const last = await db().change.findFirstOrThrow({ orderBy: { id: "desc" } });
    expect(last).toMatchObject({ kind: "vcl.tryEnd", actorType: "system", state: "done" });
  }, 120_000);

  test("one whose change was interrupted while it opened is closed, one that still opens is left alone", async () => {
    const row = await tried();
    const token = (await secretOf()).header.value;
    const is = async (state: "running" | "interrupted") => {
      await db().vclTrial.update({ where: { changeId: row.id }, data: { state: "starting" } });
      await db().change.update({ where: { id: row.id }, data: { state } });
    };
    await is("running");
    await endDueTrials();
    expect(await served(token)).toEqual(adaTries);
    await is("interrupted");
    await endDueTrials();
    expect(await served(token)).toEqual(everybodySame);
    await nothingLeft();
    expect(await presentTrial(cluster)).toBeNull();
  }, 120_000);

  test("a roll-out takes its place; the way back leads to what everybody had", async () => {
    const row = await tried();
    const token = (await secretOf()).header.value;
    const rolled = await rollOut(await saved(labelled("next")));
    expect(rolled).toMatchObject({ state: "done" });
    expect(await served(token)).toEqual(["next", "next", "next", "next"]);
    await endDueTrials();
    expect(await db().vclTrial.findUniqueOrThrow({ where: { changeId: row.id } })).toMatchObject({
      state: "ended",
    });
    await nothingLeft();
    expect(await driftOf(nodeCalled("node-1"))).toEqual([]);
    expect(await engine().wait(await engine().undo(rolled.id, ada), 60_000)).toMatchObject({ state: "done" });
    expect(await served(token)).toEqual(everybodySame);
  }, 120_000);

  test("another hand while it runs is drift, and the trial ends without touching that", async () => {
    const { active: before } = await runningOf("node-1");
    await tried();
    await vclInline(first, "by-hand", labelled("hand"));
    await vclUse(first, "by-hand");
    expect(await driftOf(nodeCalled("node-1"))).toMatchObject([{ problem: "vcl.drift" }]);
    await endDueTrials();
    expect(await served("0".repeat(32))).toEqual(["hand", "hand", "base", "base"]);
    await nothingLeft();
    await vclUse(first, before);
  }, 120_000);

  test("a node that is killed comes back without it, and the trial ends everywhere", async () => {
    const row = await tried();
    const token = (await secretOf()).header.value;
    await docker("kill", second.container);
    try {
      await endDueTrials();
      expect(await presentTrial(cluster)).toMatchObject({ changeId: row.id, state: "live" });
    } finally {
      await docker("start", second.container);
      await isServing(second);
    }
    await endDueTrials();
    expect(await presentTrial(cluster)).toBeNull();
    expect(await served(token)).toEqual(everybodySame);
    await nothingLeft();
  }, 120_000);

  test("killed while it opens, and taken up", async () => {
    await db().lease.deleteMany();
    await closeDatabase();
    closeCli();
    const run = (...args: string[]) => {
      const child = spawn(process.execPath, ["--import", "tsx", join(__dirname, "try.fixture.ts"), ...args], {
        env: process.env,
        stdio: ["ignore", "pipe", "inherit"],
      });
      children.push(child);
      let said = "";
      child.stdout.on("data", (chunk: Buffer) => {
        said += chunk.toString("utf8");
      });
      return { child, said: () => said };
    };
    const killed = run("start", JSON.stringify({ cluster, revision: draft }));
    const id = await until(
      "the draft is on a node",
      async () =>
        (await left()).some(({ name }) => name.startsWith("sluice-draft-")) &&
        /started (\d+)/.exec(killed.said())?.[1],
      40_000,
    );
    killed.child.kill("SIGKILL");
    await until("it is gone", async () => killed.child.signalCode !== null);
    const next = run("recover", id);
    await until("it is ended", async () => next.child.exitCode !== null, 100_000);
    expect(next.said()).toContain("ended done tried");
    await openDatabase();
    expect(await served((await secretOf()).header.value)).toEqual(adaTries);
  }, 180_000);
});
