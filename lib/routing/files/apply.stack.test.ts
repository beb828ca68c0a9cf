// Files put in force in a real Traefik: proved, refused, put back, told, taken up after a crash.
import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type House, openHouse } from "../../auth/house.fixture";
import { engine } from "../../changes/engine";
import type { Actor } from "../../changes/kind";
import { closeDatabase, db } from "../../db/client";
import { openDatabase } from "../../db/open";
import { toAppError } from "../../errors/app-error";
import { closeConnections, exchange } from "../../systems/exchange";
import { testStack, until } from "../../systems/test-stack";
import { startTestTraefik, type TestTraefik } from "../../systems/traefik/test-traefik";
import { type ApplyEvidence, applyEvidence, type ConfigFile } from "./contract";
import { readDirectory } from "./directory";
import { endDue } from "./maintenance";
import { hashOf, markerFileName, markerIn } from "./marker";
import { registerRouting } from "./register";
import { inForce, revisionsOf } from "./revisions";
import { traefikCalled } from "./servers";
import { filesNow, save } from "./service";
import { filesProblems } from "./watch";

const stack = testStack();
const docker = (...args: string[]) => promisify(execFile)("docker", args, { timeout: 60_000 });
const ada: Actor = { type: "user", id: "u1", name: "Ada", role: "operator", sites: null, scopes: null };
const traefik = "edge";

describe.skipIf(!stack)("Traefik's files put in force", () => {
  if (!stack) return;
  let house: House;
  let edge: TestTraefik;
  let web = "";
  const children: ChildProcess[] = [];

  /** Pages of one host by path: each to a service of this name. */
  const site = (service: string, more = "") =>
    `# Written by hand, and kept so.
http:
  routers:
    page: { rule: Host(\`shop.example\`), entryPoints: [web], service: ${service}, middlewares: [seen] }
${more}  middlewares:
    seen: { headers: { customResponseHeaders: { X-Seen: ${service} } } }
  services:
    closed: { loadBalancer: { servers: [] } }
    refusing: { loadBalancer: { servers: [{ url: "http://127.0.0.1:9" }] } }
`;
  const labelled = (word: string): ConfigFile[] => [
    { name: "site.yml", text: site("ping@internal").replace("X-Seen: ping@internal", `X-Seen: ${word}`) },
  ];

  beforeAll(async () => {
    edge = await startTestTraefik(stack, {
      files: {},
      ports: { web: 8000 },
      options: [
        "--entryPoints.web.address=:8000",
        "--ping=true",
        "--metrics.prometheus=true",
        "--providers.providersThrottleDuration=100ms",
      ],
    });
    web = `http://127.0.0.1:${edge.ports.web}`;
    house = await openHouse(`
systems:
  traefik:
    - { name: ${traefik}, url: "${edge.url}", metrics: "${edge.url}/metrics", directory: "${edge.directory}", entry_points: { web: "${web}" }, timeout: 2s }
sites:
  - { name: shop, addresses: ["http://shop.example"], watch: /en }
`);
    registerRouting();
  }, 90_000);
  afterAll(async () => {
    for (const child of children) child.kill("SIGKILL");
    await edge?.stop();
    await house?.close();
    await closeConnections();
  }, 60_000);

  const at = (name: string) => join(edge.directory, name);
  const saved = async (files: ConfigFile[], more: object = {}) => {
    const newest = (await revisionsOf(traefik))[0]?.number ?? null;
    return (await save({ traefik, files, newest, parent: newest, ...more }, ada)).number;
  };
  const input = (revision: number, more: object = {}) => ({ traefik, revision, watchS: 0, ...more });
  const begin = (revision: number, more: object = {}) =>
    engine().start({ kind: "traefik.apply", input: input(revision, more), actor: ada, origin: "page" });
  const apply = async (revision: number, more: object = {}) =>
    engine().wait(await begin(revision, more), 90_000);
  const evidenceOf = async (id: number): Promise<ApplyEvidence> => {
    const stored = await db().change.findUniqueOrThrow({ where: { id } });
    return applyEvidence.parse(JSON.parse(stored.evidence ?? "null"));
  };
  const refusal = (promise: Promise<unknown>) =>
    promise.then(
      () => "good",
      (error: unknown) => `${toAppError(error).code} ${toAppError(error).detail.problem}`,
    );
  const seen = async () => {
    const { status, headers } = await exchange({
      base: web,
      host: "shop.example",
      path: "/",
      timeoutMs: 5000,
    });
    return status === 200 ? (headers["x-seen"] ?? null) : status;
  };
  const held = () => readDirectory(edge.directory);
  const problems = async () => (await filesProblems(traefikCalled(traefik))).map(({ problem }) => problem);
  const isBefore = async () => {
    expect((await held()).files).toEqual(labelled(word));
    await until("it serves what was before", async () => (await seen()) === word, 20_000);
    expect(readdirSync(edge.directory).filter((name) => name.endsWith(".new"))).toEqual([]);
  };

  /** Each test begins with a revision of its own in force. */
  let start = 0;
  let word = "";
  beforeEach(async () => {
    word = `start-${Math.random().toString(36).slice(2, 8)}`;
    start = await saved(labelled(word));
    const row = await apply(start);
    expect(row.error).toBeNull();
    expect(row).toMatchObject({ state: "done", outcome: "inForce" });
    expect(await seen()).toBe(word);
  }, 90_000);

  test("written, shown, probed, watched, proved; kept over a restart; taken back", async () => {
    const files = [{ name: "more/other.yaml", text: "# nothing yet\n" }, ...labelled("new")];
    const number = await saved(files, { reason: "because" });
    const row = await apply(number, { watchS: 3, probes: ["http://shop.example/cart"] });
    expect(row).toMatchObject({ state: "done", outcome: "inForce", title: `${traefik}: r${number}` });
    expect(await seen()).toBe("new");
    expect(await evidenceOf(row.id)).toMatchObject({
      shown: true,
      faults: [],
      files: "same",
      before: start,
      problem: null,
      tookMs: expect.any(Number),
      probes: [
        { url: "http://shop.example/cart", before: 200, after: 200, ok: true },
        { url: "http://shop.example/en", before: 200, after: 200, ok: true },
      ],
      watched: { seconds: expect.any(Number), requests: expect.any(Number), errors: 0 },
    });
    expect(await inForce(traefik)).toMatchObject({ revision: number, changeId: row.id });
    expect((await revisionsOf(traefik))[0]).toMatchObject({
      number,
      reason: "because",
      inForce: true,
      applied: { change: row.id, by: "Ada" },
    });
    expect(readFileSync(at("site.yml"), "utf8")).toBe(files[1]?.text);
    expect(await filesNow(traefik)).toMatchObject({
      files,
      revision: number,
      hash: hashOf(files),
      apart: [],
    });
    expect(await problems()).toEqual([]);

    await docker("restart", "-t", "1", edge.container);
    await edge.answers();
    await until("it serves the same", async () => (await seen()) === "new", 20_000);
    expect(await problems()).toEqual([]);

    expect(await engine().wait(await engine().undo(row.id, ada), 60_000)).toMatchObject({ state: "done" });
    await isBefore();
    expect(existsSync(at("more/other.yaml"))).toBe(false);
    expect(await db().change.findUniqueOrThrow({ where: { id: row.id } })).toMatchObject({ state: "undone" });
  }, 120_000);

  test("the same revision again is proved anew: what Traefik showed before proves nothing", async () => {
    const before = markerIn((await held()).marker);
    const row = await apply(start);
    expect(row.state).toBe("done");
    expect(markerIn((await held()).marker)).not.toBe(before);
    expect(await evidenceOf(row.id)).toMatchObject({ shown: true });
  });

  test("what Traefik would reject or put out of service is refused before anything is written", async () => {
    const { marker } = await held();
    const cases: [problem: string, text: string][] = [
      ["routing.rejects", site("ping@internal").replace("entryPoints:", "entryPoint:")],
      ["routing.rejects", "http:\n  routers: {}\n"],
      ["routing.invalid", site("nowhere")],
      ["routing.invalid", site("ping@internal").replace("[seen]", "[unseen]")],
    ];
    for (const [problem, text] of cases)
      expect(await refusal(begin(await saved([{ name: "site.yml", text }])))).toBe(`REFUSED ${problem}`);
    expect((await held()).marker).toEqual(marker);
    await isBefore();
  });

  test("a broken file by another hand: told, not written over unseen, healed by a revision", async () => {
    const { hash } = await filesNow(traefik);
    writeFileSync(at("hand.yml"), "http:\n  routers: {}\n");
    expect(await problems()).toEqual(["routing.rejected", "routing.drift"]);
    const number = await saved(labelled("healed"));
    expect(await refusal(begin(number, { expected: hash }))).toBe("CONFLICT routing.changed");
    expect(existsSync(at("hand.yml"))).toBe(true);

    // Restarted on it, Traefik has no route of any file; it shows that nowhere.
    await docker("restart", "-t", "1", edge.container);
    await edge.answers();
    expect(await seen()).toBe(404);
    expect(await problems()).toEqual(["routing.rejected", "routing.drift"]);

    expect(await apply(number, { expected: (await filesNow(traefik)).hash })).toMatchObject({
      state: "done",
    });
    expect(existsSync(at("hand.yml"))).toBe(false);
    expect(await seen()).toBe("healed");
    expect(await problems()).toEqual([]);
    // What was found is kept.
    expect((await revisionsOf(traefik)).some(({ origin }) => origin === "found")).toBe(true);
  }, 120_000);

  test("what Traefik rejects and nobody foresaw: it is never shown, and everything is put back", async () => {
    // TOML is not checked beforehand.
    const number = await saved([...labelled("never"), { name: "broken.toml", text: "[http\n" }]);
    const row = await apply(number);
    expect(row).toMatchObject({ state: "failed", error: { code: "CONFLICT" } });
    expect(row.error?.message).toMatch(/rejected the files/);
    expect(await seen()).toBe(word);
    await isBefore();
    expect(await problems()).toEqual([]);
  }, 120_000);

  test("down when it is planned: refused. Killed while it waits: the files are put back", async () => {
    const number = await saved(labelled("down"));
    await docker("kill", edge.container);
    try {
      expect(await refusal(begin(number))).toMatch(/^REFUSED http\./);
    } finally {
      await docker("start", edge.container);
      await edge.answers();
    }
    await isBefore();
    const id = await begin(number, { watchS: 60 });
    await until("it serves it", async () => (await seen()) === "down", 30_000);
    await docker("kill", edge.container);
    try {
      const row = await engine().wait(id, 90_000);
      expect(row).toMatchObject({ state: "failed" });
      expect((await held()).files).toEqual(labelled(word));
    } finally {
      await docker("start", edge.container);
      await edge.answers();
    }
    await isBefore();
  }, 180_000);

  test("pages that fail with it: put back, and said which", async () => {
    for (const service of ["refusing", "closed"]) {
      const row = await apply(await saved([{ name: "site.yml", text: site(service) }]), { watchS: 60 });
      expect(row).toMatchObject({ state: "failed", error: { code: "CONFLICT" } });
      expect(row.error?.message).toMatch(/shop\.example\/en answers 50[23], and 200 before/);
      await isBefore();
    }
  }, 120_000);

  test("requests that fail while it is watched: put back before the time is over", async () => {
    const more = "    cart: { rule: Host(`cart.example`), entryPoints: [web], service: refusing }\n";
    const number = await saved([{ name: "site.yml", text: site("ping@internal", more) }]);
    const id = await begin(number, { watchS: 60 });
    const cart = () => exchange({ base: web, host: "cart.example", path: "/", timeoutMs: 5000 });
    await until("it serves it", async () => (await cart()).status === 502, 30_000);
    await until(
      "it is ended",
      async () => {
        await cart();
        return (await engine().wait(id, 0)).finishedAt !== null;
      },
      50_000,
    );
    const row = await engine().wait(id, 0);
    expect(row.error?.message).toMatch(/requests failed with 5xx/);
    await isBefore();
  }, 120_000);

  test("cancelled while it is watched: put back", async () => {
    const id = await begin(await saved(labelled("cancelled")), { watchS: 60 });
    await until("it serves it", async () => (await seen()) === "cancelled", 30_000);
    await engine().cancel(id, ada);
    expect(await engine().wait(id, 30_000)).toMatchObject({ state: "cancelled" });
    await isBefore();
  }, 60_000);

  test("killed between writing and proving, and taken up where it was", async () => {
    const number = await saved(labelled("crash"));
    await db().lease.deleteMany();
    await closeDatabase();
    const run = (...args: string[]) => {
      const child = spawn(
        process.execPath,
        ["--import", "tsx", join(__dirname, "apply.fixture.ts"), ...args],
        { env: process.env, stdio: ["ignore", "pipe", "inherit"] },
      );
      children.push(child);
      let said = "";
      child.stdout.on("data", (chunk: Buffer) => {
        said += chunk.toString("utf8");
      });
      return { child, said: () => said };
    };
    const killed = run("start", JSON.stringify(input(number, { watchS: 8 })));
    const id = await until(
      "it serves it",
      async () => ((await seen()) === "crash" ? (/started (\d+)/.exec(killed.said())?.[1] ?? null) : null),
      60_000,
    );
    killed.child.kill("SIGKILL");
    await until("it is gone", async () => killed.child.signalCode !== null);
    expect(await seen()).toBe("crash");
    const next = run("recover", id);
    await until("it is ended", async () => next.child.exitCode !== null, 100_000);
    expect(next.said()).toContain("ended done inForce");
    await openDatabase();
    expect(await inForce(traefik)).toMatchObject({ revision: number });
    expect(await seen()).toBe("crash");
  }, 180_000);

  test.skipIf(process.getuid?.() !== 0)("no room: nothing is changed", async () => {
    const number = await saved([
      ...labelled("full"),
      { name: "long.yml", text: `# ${"x".repeat(60_000)}\n` },
    ]);
    const kept = await held();
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=32k,mode=0777", "sluice-test", edge.directory]);
    try {
      for (const { name, text } of kept.files) writeFileSync(at(name), text);
      writeFileSync(at(markerFileName), kept.marker?.text ?? "");
      expect(await apply(number)).toMatchObject({ state: "failed", error: { code: "DISK_FULL" } });
      expect(await held()).toEqual(kept);
      expect(readdirSync(edge.directory).sort()).toEqual(["site.yml", markerFileName].sort());
    } finally {
      execFileSync("umount", [edge.directory]);
    }
    await isBefore();
  });

  test("a maintenance page ends by itself", async () => {
    const [file] = labelled(word);
    const until_ = "2026-01-01T00:00:00.000Z";
    const text = `${file?.text.replace(
      "  routers:\n",
      `  routers:\n    # sluice: until ${until_} maintenance\n    maintenance: { rule: PathPrefix(\`/\`), entryPoints: [web], priority: 1000000, service: closed }\n`,
    )}`;
    const row = await apply(await saved([{ name: "site.yml", text }]));
    // 503 is what was asked for.
    expect(row).toMatchObject({ state: "done" });
    expect(await seen()).toBe(503);
    expect(await db().routingMaintenance.findMany()).toMatchObject([
      { traefik, name: "maintenance", by: "Ada" },
    ]);
    await endDue();
    expect(await seen()).toBe(word);
    expect(await db().routingMaintenance.count()).toBe(0);
    const [last] = await db().change.findMany({ orderBy: { id: "desc" }, take: 1 });
    expect(last).toMatchObject({ state: "done", actorName: "Sluice", origin: "schedule" });
  }, 60_000);
});
