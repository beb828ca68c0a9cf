// The acts on a zone against the reference stack's Cloudflare: proved, refused when somebody was faster, taken back; and the end of
// "under attack", over a restart too.
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type House, openHouse } from "../auth/house.fixture";
import { engine } from "../changes/engine";
import type { Actor } from "../changes/kind";
import { closeDatabase, db } from "../db/client";
import { openDatabase } from "../db/open";
import { toAppError } from "../errors/app-error";
import { readSettings, setDevelopment, setLevel } from "../systems/cloudflare/settings";
import { closeConnections, exchange } from "../systems/exchange";
import { stackUrl, testStack, until } from "../systems/test-stack";
import { attackOf, endAttacks, whyNotOver } from "./attacks";
import { registerCloudflare } from "./register";
import { zoneState } from "./service";
import { gatherTraffic, trafficOf, zoneRates } from "./traffic";
import { zoneCalled } from "./zones";

const stack = testStack();
const minute = 60_000;
const ada: Actor = { type: "user", id: "u1", name: "Ada", role: "operator", sites: null, scopes: null };

describe.skipIf(!stack)("acts on a zone", () => {
  if (!stack) return;
  const host = stack.zones[1] ?? "";
  const zoneId = createHash("md5").update(`zone ${host}`).digest("hex");
  let house: House;
  const children: ChildProcess[] = [];

  const control = async (method: "POST" | "DELETE", path: string, body: object = {}) => {
    const base = stackUrl(stack, "cloudflareControl");
    const answer = await exchange({ base, path, method, body: JSON.stringify(body), timeoutMs: 5000 });
    expect(answer.status).toBe(200);
  };
  const fault = (kind: string, more: object = {}) =>
    control("POST", "/fault", { kind, path: zoneId, ...more });
  /** Another process may have the database. */
  const leave = async () => {
    await db().lease.deleteMany();
    await closeDatabase();
  };
  const zone = () => zoneCalled("cf");
  const level = async () => (await readSettings(zone())).level;
  const act = async (kind: "security" | "development", input: object) => {
    const id = await engine().start({ kind: `cloudflare.${kind}`, input, actor: ada, origin: "page" });
    return engine().wait(id, 30_000);
  };
  const refused = (promise: Promise<unknown>) =>
    promise.then(
      () => "good",
      (error: unknown) => `${toAppError(error).code} ${toAppError(error).detail.problem}`,
    );

  beforeAll(async () => {
    house = await openHouse(`
systems:
  cloudflare:
    - { name: cf, api: "${stackUrl(stack, "cloudflareApi")}", token: "${stack.secrets.cloudflareToken}", zone: "${zoneId}", plan: pro, timeout: 2s }
sites:
  - { name: shop, addresses: ["http://${host}"], caches: { cloudflare: cf } }
`);
    registerCloudflare();
  });
  beforeEach(async () => {
    await control("POST", "/reset");
    await db().change.deleteMany();
  });
  afterEach(() => control("POST", "/reset"));
  afterAll(async () => {
    for (const child of children) child.kill("SIGKILL");
    await house.close();
    await closeConnections();
  });

  test("a level: planned with who is affected, proved, taken back", async () => {
    const { plan, description } = await engine().plan(
      "cloudflare.security",
      { name: "cf", level: "high" },
      ada,
    );
    expect(plan).toMatchObject({ before: "medium", level: "high", until: null, sites: ["shop"] });
    expect(description.level).toBe("reversible");
    const row = await act("security", { name: "cf", level: "high", expected: "medium" });
    expect(row).toMatchObject({ state: "done", outcome: "set" });
    expect(await level()).toBe("high");
    const undo = await engine().wait(await engine().undo(row.id, ada), 30_000);
    expect(undo).toMatchObject({ state: "done", outcome: "set" });
    expect(await level()).toBe("medium");
  });

  test("refused with the difference when somebody was faster: at the plan, at the act, at the undo", async () => {
    await setLevel(zone(), "low");
    const refusal = act("security", { name: "cf", level: "high", expected: "medium" });
    await expect(refusal).rejects.toMatchObject({
      code: "CONFLICT",
      detail: { problem: "cloudflare.changed", params: { before: "medium", now: "low" } },
    });
    const { plan } = await engine().plan("cloudflare.security", { name: "cf", level: "high" }, ada);
    await setLevel(zone(), "essentially_off");
    const id = await engine().start({
      kind: "cloudflare.security",
      input: { name: "cf", level: "high" },
      plan,
      actor: ada,
      origin: "page",
    });
    expect(await engine().wait(id, 30_000)).toMatchObject({ state: "failed", error: { code: "CONFLICT" } });
    expect(await level()).toBe("essentially_off");
    const row = await act("security", { name: "cf", level: "high" });
    await setLevel(zone(), "low");
    expect(await refused(engine().undo(row.id, ada))).toBe("CONFLICT cloudflare.changed");
    expect(await level()).toBe("low");
  });

  test("operators only; a level that the plan does not have fails in Cloudflare's words", async () => {
    const input = { name: "cf", level: "high" };
    for (const role of ["viewer", "editor"] as const)
      expect(await refused(engine().plan("cloudflare.security", input, { ...ada, role }))).toBe(
        "FORBIDDEN auth.role",
      );
    expect(await refused(engine().plan("cloudflare.security", { ...input, name: "nowhere" }, ada))).toBe(
      "NOT_FOUND connections.notFound",
    );
    const row = await act("security", { name: "cf", level: "off" });
    expect(row).toMatchObject({ state: "failed", error: { code: "REFUSED" } });
    await control("POST", "/scopes", { scopes: ["cache_purge", "zone_read"] });
    expect(await refused(engine().plan("cloudflare.security", input, ada))).toBe(
      "UPSTREAM_AUTH cloudflare.settingsPermission",
    );
  });

  test("under attack ends when its time is over, and only then; longer is not deeper", async () => {
    const description = await engine().plan(
      "cloudflare.security",
      { name: "cf", level: "under_attack" },
      ada,
    );
    expect(description.description.level).toBe("disruptive");
    const first = await act("security", { name: "cf", level: "under_attack", minutes: 30 });
    expect(first).toMatchObject({ state: "done", outcome: "set" });
    const longer = await act("security", { name: "cf", level: "under_attack", minutes: 90 });
    expect(longer.state).toBe("done");
    const attack = await attackOf("cf");
    expect(attack).toMatchObject({ change: longer.id, backTo: "medium" });
    expect(Math.abs((attack?.until ?? 0) - Date.now() - 90 * minute)).toBeLessThan(20_000);
    expect((await zoneState("cf")).attack).toMatchObject({ backTo: "medium", problem: null });
    // To be under attack again is no undo.
    expect((await engine().can(longer.id, ada)).undo).toBe(false);

    await endAttacks(Date.now() + 89 * minute);
    expect(await level()).toBe("under_attack");
    await endAttacks(Date.now() + 91 * minute);
    expect(await level()).toBe("medium");
    expect(await attackOf("cf")).toBeNull();
    const last = await db().change.findFirst({ orderBy: { id: "desc" } });
    expect(last).toMatchObject({
      state: "done",
      outcome: "set",
      origin: "schedule",
      actorName: "Sluice",
    });
    await endAttacks(Date.now() + 92 * minute);
    expect(await db().change.count()).toBe(3);
  });

  test("what somebody else set meanwhile is left as it is", async () => {
    await act("security", { name: "cf", level: "under_attack", minutes: 1 });
    await setLevel(zone(), "low");
    await endAttacks(Date.now() + 2 * minute);
    expect(await level()).toBe("low");
    const last = await db().change.findFirst({ orderBy: { id: "desc" } });
    expect(last).toMatchObject({ state: "done", outcome: "leftAsIs" });
    expect(await attackOf("cf")).toBeNull();
  });

  test("ended by hand, it does not end again", async () => {
    const row = await act("security", { name: "cf", level: "under_attack", minutes: 1 });
    await engine().wait(await engine().undo(row.id, ada), 30_000);
    expect(await level()).toBe("medium");
    expect(await attackOf("cf")).toBeNull();
  });

  test("Cloudflare away at its end: tried again, not at once, and said why", async () => {
    const row = await act("security", { name: "cf", level: "under_attack", minutes: 1 });
    await fault("500");
    const over = Date.now() + 2 * minute;
    await endAttacks(over);
    expect(whyNotOver(row.id)?.problem).toBe("cloudflare.server");
    await control("DELETE", "/fault");
    await endAttacks(over + 5000);
    expect(await level()).toBe("under_attack");
    await endAttacks(over + 20_000);
    expect(await level()).toBe("medium");
    expect(whyNotOver(row.id)).toBeNull();
  });

  test("turned on, but not proved: it ends all the same", async () => {
    await fault("slow", { ms: 250 });
    const starting = act("security", { name: "cf", level: "under_attack", minutes: 1 });
    // It is on as soon as Cloudflare has the call; every look after it is garbage.
    await until("it is turned on", async () => {
      const base = stackUrl(stack, "cloudflareControl");
      const { body } = await exchange({ base, path: "/requests", timeoutMs: 5000 });
      const { requests } = JSON.parse(Buffer.from(body).toString()) as { requests: { method: string }[] };
      return requests.some(({ method }) => method === "PATCH");
    });
    await control("DELETE", "/fault");
    await fault("garbage");
    expect(await starting).toMatchObject({ state: "failed", error: { code: "BAD_ANSWER" } });
    await control("DELETE", "/fault");
    expect(await level()).toBe("under_attack");
    await endAttacks(Date.now() + 2 * minute);
    expect(await level()).toBe("medium");
  });

  test("killed and started again when its time is over: Sluice ends it", { timeout: 60_000 }, async () => {
    const run = (...args: string[]) => {
      const child = spawn(
        process.execPath,
        ["--import", "tsx", join(import.meta.dirname, "attack.fixture.ts"), ...args],
        { env: process.env, stdio: ["ignore", "pipe", "pipe"] },
      );
      children.push(child);
      let output = "";
      for (const stream of [child.stdout, child.stderr])
        stream?.on("data", (chunk: Buffer) => (output += chunk.toString()));
      const ended = new Promise((resolve) => child.on("close", resolve));
      return { child, ended, said: (text: string) => until(text, async () => output.includes(text), 30_000) };
    };
    await leave();
    const first = run("start");
    await first.said("ready");
    first.child.kill("SIGKILL");
    await first.ended;
    await openDatabase();
    expect(await level()).toBe("under_attack");
    const attack = await attackOf("cf");
    const stored = await db().change.findUniqueOrThrow({ where: { id: attack?.change ?? 0 } });
    // Its time goes by while Sluice is not there.
    const plan = { ...JSON.parse(stored.plan), until: new Date(Date.now() - 1000).toISOString() };
    await db().change.update({ where: { id: stored.id }, data: { plan: JSON.stringify(plan) } });
    await leave();

    const second = run();
    await second.said("cf: medium done schedule");
    second.child.kill("SIGTERM");
    await second.ended;
    await openDatabase();
    expect(await level()).toBe("medium");
    expect(await attackOf("cf")).toBeNull();
  });

  test("development mode: on, told with its end, off by undo; refused when it ended by itself", async () => {
    const row = await act("development", { name: "cf", value: "on", expected: "off" });
    expect(row).toMatchObject({ state: "done", outcome: "set", level: "disruptive" });
    const { settings } = await zoneState("cf");
    expect(Date.parse(settings?.developmentUntil ?? "") - Date.now()).toBeGreaterThan(170 * minute);
    expect((await engine().wait(await engine().undo(row.id, ada), 30_000)).state).toBe("done");
    const again = await act("development", { name: "cf", value: "on" });
    await setDevelopment(zone(), "off");
    expect(await refused(engine().undo(again.id, ada))).toBe("CONFLICT cloudflare.changed");
  });

  test("the last hour, once for all: rates as of when, and what is known stays when Cloudflare does not tell", async () => {
    for (let n = 0; n < 3; n++)
      await exchange({ base: stackUrl(stack, "edge"), host, path: "/en/archive/3", timeoutMs: 10_000 });
    // The gatherer looks at what is three minutes old: this is what it will see then.
    const then = Date.now() + 4 * minute;
    await gatherTraffic(zone(), then);
    const { traffic, problem } = trafficOf("cf");
    expect(problem).toBeNull();
    expect(traffic?.requests).toHaveLength(60);
    expect(traffic?.requests.slice(-5).reduce((sum, one) => sum + one, 0)).toBeGreaterThanOrEqual(3);
    expect(traffic?.threats).toHaveLength(60);
    expect(zoneRates("cf", then)?.requests).toBeGreaterThanOrEqual(3 / 300);
    expect(Date.parse(traffic?.end ?? "")).toBeLessThanOrEqual(then - 3 * minute);

    await control("POST", "/fault", { kind: "garbage", path: "graphql" });
    await gatherTraffic(zone(), then + minute);
    expect(trafficOf("cf")).toMatchObject({ traffic, problem: { problem: "cloudflare.garbage" } });
    expect(zoneRates("cf", then + minute)).not.toBeNull();
    // Too old to be said to be now.
    expect(zoneRates("cf", then + 20 * minute)).toBeNull();
  });
});
