// Analytics and settings of a zone, against the reference stack's Cloudflare: what it counts went through its edge.
import { createHash } from "node:crypto";
import { inspect } from "node:util";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { closeConnections, exchange } from "../exchange";
import { stackUrl, testStack, until } from "../test-stack";
import { readTraffic, type ZoneTraffic } from "./analytics";
import type { CloudflareZone } from "./api";
import { readSettings, setDevelopment, setLevel } from "./settings";
import { probe } from "./zone";

const stack = testStack();
const minute = 60_000;

describe.skipIf(!stack)("cloudflare's analytics and settings", () => {
  if (!stack) return;
  // The other zone's tests purge and count; this one is ours.
  const host = stack.zones[1] ?? "";
  const zone: CloudflareZone = {
    name: "cloudflare",
    api: stackUrl(stack, "cloudflareApi"),
    token: stack.secrets.cloudflareToken,
    zone: createHash("md5").update(`zone ${host}`).digest("hex"),
    plan: "pro",
    urls_per_call: 30,
    timeout: 3000,
  };
  const control = async (method: "POST" | "DELETE", path: string, body: object = {}) => {
    const base = stackUrl(stack, "cloudflareControl");
    const answer = await exchange({ base, path, method, body: JSON.stringify(body), timeoutMs: 5000 });
    expect(answer.status).toBe(200);
  };
  const fault = (kind: string, more: object = {}) =>
    control("POST", "/fault", { kind, path: "graphql", ...more });
  /** How many calls the API was sent. */
  const asked = async () => {
    const base = stackUrl(stack, "cloudflareControl");
    const answer = await exchange({ base, path: "/requests", timeoutMs: 5000 });
    return (JSON.parse(Buffer.from(answer.body).toString()) as { requests: unknown[] }).requests.length;
  };
  const visit = (path: string, headers: Record<string, string> = {}) =>
    exchange({ base: stackUrl(stack, "edge"), host, path, headers, timeoutMs: 10_000 });
  /** An hour up to now, this minute included. */
  const hour = () => ({ from: Date.now() - 59 * minute, to: Date.now() + minute });
  const sum = (traffic: ZoneTraffic, of: keyof ZoneTraffic["minutes"][number]) =>
    traffic.minutes.reduce((all, one) => all + (one[of] ?? 0), 0);
  const rejected = (promise: Promise<unknown>) =>
    promise.then(
      () => "good",
      (error: { code: string; detail: { problem?: string } }) => `${error.code} ${error.detail.problem}`,
    );

  beforeEach(() => control("POST", "/reset"));
  afterEach(() => control("POST", "/reset"));
  afterAll(closeConnections);

  test("counts what went through the edge: requests, cached ones, bytes, failures, threats", async () => {
    const before = await readTraffic(zone, hour());
    expect(before.minutes).toHaveLength(60);
    expect(before.threatsProblem).toBeNull();
    const path = `/en/archive/7?count=${Date.now()}`;
    for (let n = 0; n < 4; n++) expect((await visit(path)).status).toBe(200);
    for (let n = 0; n < 2; n++) expect((await visit(path, { "user-agent": "sqlmap/1.7" })).status).toBe(403);
    const after = await until("the visits are counted", async () => {
      const now = await readTraffic(zone, hour());
      return sum(now, "requests") - sum(before, "requests") >= 6 && now;
    });
    const grown = (of: keyof ZoneTraffic["minutes"][number]) => sum(after, of) - sum(before, of);
    expect(grown("requests")).toBe(6);
    expect(grown("cached")).toBeGreaterThanOrEqual(2);
    expect(grown("cached")).toBeLessThanOrEqual(3);
    expect(grown("threats")).toBe(2);
    expect(grown("failed")).toBe(0);
    expect(grown("bytes")).toBeGreaterThan(4000);
    expect(grown("cachedBytes")).toBeLessThan(grown("bytes"));
  });

  test("a plan without firewall events has traffic all the same", async () => {
    await control("POST", "/plan", { plan: "free" });
    const traffic = await readTraffic(zone, hour());
    expect(traffic.threatsProblem?.detail.problem).toBe("cloudflare.analyticsPlan");
    expect(traffic.minutes.every(({ threats }) => threats === null)).toBe(true);
  });

  test("refusals in words: token, permission, zone, range", async () => {
    expect(await rejected(readTraffic({ ...zone, token: "wrong" }, hour()))).toBe(
      "UPSTREAM_AUTH cloudflare.10000",
    );
    await control("POST", "/scopes", { scopes: ["cache_purge", "zone_read"] });
    expect(await rejected(readTraffic(zone, hour()))).toBe("UPSTREAM_AUTH cloudflare.analyticsPermission");
    expect(await rejected(readSettings(zone))).toBe("UPSTREAM_AUTH cloudflare.settingsPermission");
    expect(await rejected(setLevel(zone, "high"))).toBe("UPSTREAM_AUTH cloudflare.settingsPermission");
    await control("POST", "/reset");
    expect(await rejected(readTraffic({ ...zone, zone: "0".repeat(32) }, hour()))).toBe(
      "UPSTREAM_AUTH cloudflare.analyticsPermission",
    );
    expect(await rejected(readTraffic(zone, { from: Date.now() - 25 * 60 * minute, to: Date.now() }))).toBe(
      "REFUSED cloudflare.analyticsOther",
    );
  });

  test("limit, slow, garbage, a failure of its own", async () => {
    await control("POST", "/queries", { left: 0.5 });
    // An account of its own, as far as the adapter knows: it keeps to the limit for as long as it was told.
    const limited = { ...zone, api: zone.api.replace("127.0.0.1", "localhost") };
    expect(await rejected(readTraffic(limited, hour()))).toBe("UPSTREAM_LIMIT cloudflare.analyticsLimit");
    await control("POST", "/reset");
    const before = await asked();
    expect(await rejected(readTraffic(limited, hour()))).toBe("UPSTREAM_LIMIT cloudflare.analyticsLimit");
    expect(await asked()).toBe(before);
    const own = { ...zone, timeout: 500 };
    for (const [kind, told] of [
      ["hang", "TIMEOUT http.timeout"],
      ["garbage", "BAD_ANSWER cloudflare.garbage"],
      ["500", "BAD_ANSWER cloudflare.server"],
      ["reset", "UNREACHABLE http.reset"],
    ] as const) {
      await fault(kind);
      expect(await rejected(readTraffic(own, hour())), kind).toBe(told);
      await control("DELETE", "/fault");
    }
    await fault("slow", { ms: 200 });
    expect((await readTraffic(zone, hour())).minutes).toHaveLength(60);
  });

  test("the token is in no error", async () => {
    await fault("garbage", { count: 1 });
    const errors = [
      await readTraffic(zone, hour()).catch((error: unknown) => error),
      await readTraffic({ ...zone, token: "not-the-token" }, hour()).catch((error: unknown) => error),
      await setLevel({ ...zone, token: "not-the-token" }, "high").catch((error: unknown) => error),
    ];
    expect(errors.every((one) => one instanceof Error)).toBe(true);
    const told = inspect(errors, { depth: 8 });
    expect(told).not.toContain(zone.token);
    expect(told).not.toContain("not-the-token");
  });

  test("settings are read and written; what is not of a normal day is a concern", async () => {
    expect(await readSettings(zone)).toEqual({ level: "medium", developmentUntil: null });
    await setLevel(zone, "under_attack");
    await setDevelopment(zone, "on");
    const seen = await readSettings(zone);
    expect(seen.level).toBe("under_attack");
    expect(Math.abs((seen.developmentUntil ?? 0) - Date.now() - 180 * minute)).toBeLessThan(5000);
    expect(await probe(zone)).toMatchObject({
      state: "up",
      data: { concerns: [{ problem: "cloudflare.underAttack" }, { problem: "cloudflare.developmentMode" }] },
    });
    await setDevelopment(zone, "off");
    await setLevel(zone, "low");
    expect(await readSettings(zone)).toEqual({ level: "low", developmentUntil: null });
    expect(await probe(zone)).toMatchObject({ state: "up", data: { concerns: [] } });
    // Enterprise's only.
    expect(await rejected(setLevel(zone, "off"))).toBe("REFUSED cloudflare.1007");
  });

  test("a token that may not read the settings is good all the same", async () => {
    await control("POST", "/scopes", { scopes: ["cache_purge", "zone_read"] });
    const other = { ...zone, zone: createHash("md5").update(`zone ${stack.zones[0]}`).digest("hex") };
    expect(await probe(other)).toMatchObject({ state: "up", data: { concerns: [] } });
  });
});
