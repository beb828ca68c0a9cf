// Roll-outs on two real varnishd: to all or to none, proved, taken back, taken up after a crash.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type House, openHouse } from "../auth/house.fixture";
import { engine } from "../changes/engine";
import type { Actor } from "../changes/kind";
import { closeDatabase, db } from "../db/client";
import { openDatabase } from "../db/open";
import { toAppError } from "../errors/app-error";
import { closeConnections, exchange } from "../systems/exchange";
import { testStack, until } from "../systems/test-stack";
import { closeCli, vclInline, vclList, vclUse } from "../systems/varnish/cli";
import { checkDraft } from "./compile";
import { type RolloutEvidence, type RolloutInput, rolloutEvidence } from "./contract";
import { nodeCalled } from "./nodes";
import { docker, fileText, isServing, startNodes, type TestNode, type TestNodes } from "./nodes.fixture";
import { registerVcl } from "./register";
import { expectedOn, revisionsOf } from "./revisions";
import { runningOf, save } from "./service";
import { driftOf } from "./watch";

const stack = testStack();
const ada: Actor = { type: "user", id: "u1", name: "Ada", role: "operator", sites: null, scopes: null };
const cluster = "pair";

describe.skipIf(!stack)("roll-outs", () => {
  if (!stack) return;
  let house: House;
  let pair: TestNodes;
  let first: TestNode;
  let second: TestNode;
  let base = "";
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    // A name that only the first knows.
    pair = await startNodes(stack, 2, { "node-1": ["--add-host", "only-one.example:127.0.0.1"] });
    [first, second] = pair.nodes as [TestNode, TestNode];
    house = await openHouse(`
systems:
  varnish:
${pair.yaml}
sites:
  - { name: site, addresses: ["http://${stack.hosts[0]}"], watch: /en/archive/1, caches: { varnish: [node-1, node-2] } }
`);
    registerVcl();
    base = (await runningOf("node-1")).files[0]?.text ?? "";
  }, 120_000);
  afterAll(async () => {
    for (const child of children) child.kill("SIGKILL");
    await pair?.close();
    await house?.close();
    await closeConnections();
  }, 60_000);

  /** The base with a header of its own, so that each revision is another text. */
  const labelled = (word: string, more = "") =>
    `${base}\nsub vcl_deliver {\n    set resp.http.X-Test = "${word}";\n}\n${more}`;
  const saved = async (text: string, more: object = {}) => {
    const newest = (await revisionsOf(cluster))[0]?.number ?? null;
    const files = [{ name: "main.vcl", text }];
    return (await save({ cluster, files, tests: [], newest, parent: newest, ...more }, ada)).number;
  };
  const both = (number: number): RolloutInput => ({
    cluster,
    revisions: { "node-1": number, "node-2": number },
    canary: "node-1",
    watchS: 2,
  });
  const begin = (input: RolloutInput) =>
    engine().start({ kind: "vcl.rollout", input, actor: ada, origin: "page" });
  const rollOut = async (input: RolloutInput) => engine().wait(await begin(input), 120_000);
  const evidenceOf = async (id: number): Promise<RolloutEvidence> => {
    const stored = await db().change.findUniqueOrThrow({ where: { id } });
    return rolloutEvidence.parse(JSON.parse(stored.evidence ?? "null"));
  };
  const seenBy = async (node: TestNode) => {
    const path = `/en/archive/2?look=${Math.random()}`;
    const { headers } = await exchange({ base: node.url, host: stack.hosts[0], path, timeoutMs: 5000 });
    return headers["x-test"] ?? null;
  };
  const bothServe = async (word: string | null) => {
    expect([await seenBy(first), await seenBy(second)]).toEqual([word, word]);
  };
  const refusal = (promise: Promise<unknown>) =>
    promise.then(
      () => "good",
      (error: unknown) => `${toAppError(error).code} ${toAppError(error).detail.problem}`,
    );
  const ours = async () =>
    (await Promise.all([first, second].map((node) => vclList(node))))
      .flat()
      .filter(({ name, status }) => name.startsWith("sluice-") && status === "available").length;
  /** Each test begins with both nodes on a revision of its own. */
  let start = 0;
  let word = "";
  beforeEach(async () => {
    word = `start-${Math.random().toString(36).slice(2, 8)}`;
    start = await saved(labelled(word));
    const row = await rollOut({ ...both(start), canary: null, watchS: 0 });
    expect(row).toMatchObject({ state: "done", outcome: "live" });
  }, 60_000);

  test("tried on one, then on both, proved, kept over a restart, and taken back", async () => {
    const number = await saved(labelled("new"), { reason: "because" });
    const id = await begin(both(number));
    await until("it is tried on the first node alone", async () => {
      const [one, two] = [await seenBy(first), await seenBy(second)];
      return one === "new" && two === word;
    });
    expect(await engine().wait(id, 60_000)).toMatchObject({ state: "done", outcome: "live" });
    await bothServe("new");
    expect(await evidenceOf(id)).toMatchObject({
      nodes: [
        { node: "node-1", ok: true, file: "same", before: start, revision: number },
        { node: "node-2", ok: true, file: "same", before: start, revision: number },
      ],
      canary: { pages: { failed: 0 }, counters: { vclFail: 0 } },
    });
    expect(fileText(first)).toBe(labelled("new"));
    expect((await revisionsOf(cluster))[0]).toMatchObject({
      number,
      reason: "because",
      nodes: ["node-1", "node-2"],
      applied: { change: id, by: "Ada" },
    });

    await docker("restart", "-t", "1", second.container);
    await isServing(second);
    await bothServe("new");
    expect(await driftOf(nodeCalled("node-2"))).toEqual([]);

    const undone = await engine().wait(await engine().undo(id, ada), 60_000);
    expect(undone).toMatchObject({ state: "done" });
    await bothServe(word);
    expect(fileText(second)).toBe(labelled(word));
    expect(await db().change.findUniqueOrThrow({ where: { id } })).toMatchObject({ state: "undone" });
  });

  test("what ran before Sluice came is kept, so that there is a way back to it", async () => {
    const text = labelled("by-hand");
    for (const node of [first, second]) {
      await vclInline(node, `hand-${start}`, text);
      await vclUse(node, `hand-${start}`);
    }
    const row = await rollOut(both(start));
    expect(row.state).toBe("done");
    const found = (await evidenceOf(row.id)).nodes[0]?.before ?? 0;
    expect((await revisionsOf(cluster)).find(({ number }) => number === found)).toMatchObject({
      origin: "found",
      author: "node-1",
    });
    await engine().wait(await engine().undo(row.id, ada), 60_000);
    await bothServe("by-hand");
  });

  test("one node that does not compile it is enough: nothing is changed anywhere", async () => {
    const text = `${base}\nbackend other { .host = "only-one.example"; }\nsub vcl_deliver { if (req.url == "/never") { set req.http.x = other; } }`;
    const number = await saved(text);
    const checked = await checkDraft(cluster, [{ name: "main.vcl", text }]);
    expect(checked.nodes.map(({ node, state }) => [node, state])).toEqual([
      ["node-1", "compiles"],
      ["node-2", "refuses"],
    ]);
    expect(checked.problems.filter(({ severity }) => severity === "error")).toMatchObject([
      {
        nodes: ["node-2"],
        file: "main.vcl",
        line: text.split("\n").length - 1,
        says: expect.stringContaining("only-one.example"),
      },
    ]);
    const before = await ours();
    const row = await rollOut(both(number));
    expect(row).toMatchObject({ state: "failed", error: { code: "REFUSED" } });
    expect(row.error?.message).toContain("node-2");
    await bothServe(word);
    expect(fileText(first)).toBe(labelled(word));
    expect(await ours()).toBe(before);
    await expect(engine().undo(row.id, ada)).rejects.toMatchObject({ code: "CONFLICT" });
  });

  test("a canary that answers 503 is taken back before the others get it", async () => {
    const bad = `vcl 4.1;\n${'sub vcl_recv { if (req.method == "GET") { return (synth(503)); } }'}\n${base.replace(/^vcl 4\.1;$/m, "")}`;
    const number = await saved(bad);
    const began = Date.now();
    const row = await rollOut({ ...both(number), watchS: 60 });
    expect(row).toMatchObject({ state: "failed", error: { code: "CONFLICT" } });
    expect(row.error?.message).toMatch(/node-1 got worse/);
    // It is not watched to the end when it is seen to be bad.
    expect(Date.now() - began).toBeLessThan(40_000);
    await bothServe(word);
    expect(fileText(first)).toBe(labelled(word));
  });

  test("a node that goes down while the first is watched: the first is taken back", async () => {
    const number = await saved(labelled("half"));
    const id = await begin({ ...both(number), watchS: 8 });
    await until("the first serves it", async () => (await seenBy(first)) === "half", 30_000);
    await docker("kill", second.container);
    try {
      const row = await engine().wait(id, 60_000);
      expect(row.state).toBe("failed");
      expect(row.error?.message).toContain("node-2");
      expect(await seenBy(first)).toBe(word);
      expect(fileText(first)).toBe(labelled(word));
    } finally {
      await docker("start", second.container);
      await isServing(second);
    }
    await bothServe(word);
    // And one that is down when it is planned.
    await docker("pause", second.container);
    try {
      expect(
        await refusal(engine().plan("vcl.rollout", both(number), ada, AbortSignal.timeout(2000))),
      ).toMatch(/^(TIMEOUT|UNREACHABLE|CANCELLED)/);
    } finally {
      await docker("unpause", second.container);
    }
  });

  test("cancelled while it is watched: taken back", async () => {
    const number = await saved(labelled("cancelled"));
    const id = await begin({ ...both(number), watchS: 60 });
    await until("the first serves it", async () => (await seenBy(first)) === "cancelled", 30_000);
    await engine().cancel(id, ada);
    expect(await engine().wait(id, 30_000)).toMatchObject({ state: "cancelled" });
    await bothServe(word);
    expect(fileText(first)).toBe(labelled(word));
  });

  test("another hand on a node: seen as drift, and never rolled over unseen", async () => {
    expect(await driftOf(nodeCalled("node-1"))).toEqual([]);
    const number = await saved(labelled("mine"));
    const { plan } = (await engine().plan("vcl.rollout", both(number), ada)) as {
      plan: { nodes: { node: string; before: { hash: string } }[] };
    };
    const expected = Object.fromEntries(plan.nodes.map(({ node, before }) => [node, before.hash]));
    await vclInline(first, `other-${number}`, labelled("theirs"));
    await vclUse(first, `other-${number}`);
    expect(await driftOf(nodeCalled("node-1"))).toMatchObject([
      { problem: "vcl.drift", params: { node: "node-1", number: start } },
    ]);
    expect(await refusal(begin({ ...both(number), expected }))).toBe("CONFLICT vcl.changed");
    expect(await seenBy(first)).toBe("theirs");

    // A file by another hand says nothing until the next restart; it is told now.
    await vclUse(
      first,
      (await vclList(first)).find(({ name }) => name.startsWith(`sluice-r${start}-`))?.name ?? "",
    );
    writeFileSync(first.file, labelled("their-file"));
    expect(await driftOf(nodeCalled("node-1"))).toMatchObject([{ problem: "vcl.drifted.other" }]);
    await docker("restart", "-t", "1", first.container);
    await isServing(first);
    expect(await seenBy(first)).toBe("their-file");
    expect(await driftOf(nodeCalled("node-1"))).toMatchObject([{ problem: "vcl.drift" }]);
  });

  test("killed while the canary is watched, and taken up where it was", async () => {
    const number = await saved(labelled("crash"));
    await db().lease.deleteMany();
    await closeDatabase();
    closeCli();
    const run = (...args: string[]) => {
      const child = spawn(
        process.execPath,
        ["--import", "tsx", join(__dirname, "rollout.fixture.ts"), ...args],
        {
          env: process.env,
          stdio: ["ignore", "pipe", "inherit"],
        },
      );
      children.push(child);
      let said = "";
      child.stdout.on("data", (chunk: Buffer) => {
        said += chunk.toString("utf8");
      });
      return { child, said: () => said };
    };
    const killed = run("start", JSON.stringify({ ...both(number), watchS: 12 }));
    const id = await until(
      "it is watched",
      async () => {
        const started = /started (\d+)/.exec(killed.said())?.[1];
        return /step watch/.test(killed.said()) && (await seenBy(first)) === "crash" ? started : null;
      },
      40_000,
    );
    killed.child.kill("SIGKILL");
    await until("it is gone", async () => killed.child.signalCode !== null);
    expect([await seenBy(first), await seenBy(second)]).toEqual(["crash", word]);
    const next = run("recover", id);
    // The database is free when the process is gone.
    await until("it is ended", async () => next.child.exitCode !== null, 100_000);
    expect(next.said()).toContain("ended done live");
    await openDatabase();
    await bothServe("crash");
    expect(fileText(second)).toBe(labelled("crash"));
    expect((await expectedOn(cluster)).get("node-2")).toMatchObject({ revision: number });
  }, 180_000);

  test.skipIf(process.getuid?.() !== 0)("no room for a node's file: nothing is changed", async () => {
    const number = await saved(labelled("full", `# ${"x".repeat(60_000)}\n`));
    const folder = dirname(second.file);
    const before = fileText(second);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=32k,mode=0777", "sluice-test", folder]);
    try {
      writeFileSync(second.file, before);
      const row = await rollOut(both(number));
      expect(row).toMatchObject({ state: "failed", error: { code: "DISK_FULL" } });
      await bothServe(word);
      expect(fileText(second)).toBe(before);
      expect(fileText(first)).toBe(before);
    } finally {
      execFileSync("umount", [folder]);
    }
  });

  test("no way from a name to another command or another path", async () => {
    for (const name of ["x\nvcl.discard boot", "a b", '"', "../x", "", "a\u0000b"])
      expect(await refusal(vclUse(first, name))).toMatch(/^INVALID_INPUT/);
    const text = `${labelled("tricky")}\n# "\\n"\nvcl.use boot\n`;
    // What looks like a command is text, and as VCL it does not compile.
    const row = await rollOut(both(await saved(text)));
    expect(row).toMatchObject({ state: "failed", error: { code: "REFUSED" } });
    await bothServe(word);
    for (const name of ["../up.vcl", "a/../../b.vcl", "a\u0000.vcl", "a b.vcl", ""]) {
      const files = [{ name, text: base }];
      const { vclFiles } = await import("./contract");
      expect(vclFiles.safeParse(files).success).toBe(false);
    }
  });
});
