// Cloudflare's API as the reference stack plays it, its limits and its bad days included.
import { createHash, randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { closeConnections, exchange } from "../exchange";

import { stackUrl, testStack, until } from "../test-stack";
import type { CloudflareZone } from "./api";
import { meters, predictWaitMs, purge } from "./purge";
import { findZone, probe, verifyToken } from "./zone";

const stack = testStack();

describe.skipIf(!stack)("cloudflare", () => {
  if (!stack) return;
  const host = stack.zones[0] ?? "";
  const edge = stackUrl(stack, "edge");
  const zone: CloudflareZone = {
    name: "cloudflare",
    api: stackUrl(stack, "cloudflareApi"),
    token: stack.secrets.cloudflareToken,
    zone: createHash("md5").update(`zone ${host}`).digest("hex"),
    plan: "pro",
    urls_per_call: 30,
    timeout: 3000,
  };
  const control = async (method: "POST" | "DELETE" | "GET", path: string, body?: object) => {
    const answer = await exchange({
      base: stackUrl(stack, "cloudflareControl"),
      path,
      method,
      body: body && JSON.stringify(body),
      timeoutMs: 5000,
    });
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status}`);
    return JSON.parse(Buffer.from(answer.body).toString());
  };
  /** Faults on this zone's calls only: the stack is shared. */
  const fault = (kind: string, count: number, more: object = {}) =>
    control("POST", "/fault", { kind, count, path: zone.zone, ...more });

  beforeEach(() => control("POST", "/reset"));
  afterEach(() => control("POST", "/reset"));
  afterAll(closeConnections);

  const url = () =>
    `http://${host}/en/archive/${1 + (randomBytes(4).readUInt32BE() % 20_000)}?cf-test=${randomBytes(6).toString("hex")}`;
  const statusOf = async (address: string, headers: Record<string, string> = {}) => {
    const { pathname, search } = new URL(address);
    const answer = await exchange({
      base: edge,
      host,
      path: pathname + search,
      headers,
      timeoutMs: 10_000,
    });
    return answer.headers["cf-cache-status"];
  };
  const warm = (address: string, headers: Record<string, string> = {}) =>
    until(`${address} is a HIT`, async () => (await statusOf(address, headers)) === "HIT");

  test("a token, and the zone of a host", async () => {
    expect(await verifyToken(zone)).toEqual({ status: "active" });
    expect(await findZone(zone, `www.${host}`)).toMatchObject({ id: zone.zone, name: host });
    expect(await findZone(zone, "nowhere.example")).toBeNull();
    await expect(verifyToken({ ...zone, token: "wrong" })).rejects.toMatchObject({
      code: "UPSTREAM_AUTH",
      detail: { problem: "cloudflare.1000" },
    });
    expect(await probe(zone)).toMatchObject({ state: "up", data: { facts: { zone: host, plan: "pro" } } });
  });

  test("by file: this one goes, others stay", async () => {
    const [gone, stays] = [url(), url()];
    await Promise.all([warm(gone), warm(stays)]);
    expect(await purge(zone, { files: [gone] })).toEqual({ ok: true, done: 1, calls: 1 });
    expect(await statusOf(gone)).toBe("MISS");
    expect(await statusOf(stays)).toBe("HIT");
  });

  test("variants by header need the header", async () => {
    const address = url();
    const origin = { Origin: "https://other.example" };
    await Promise.all([warm(address), warm(address, origin)]);
    expect(await purge(zone, { files: [address] })).toMatchObject({ ok: true });
    expect(await statusOf(address, origin)).toBe("HIT");
    expect(await purge(zone, { files: [{ url: address, headers: origin }] })).toMatchObject({ ok: true });
    expect(await statusOf(address, origin)).toBe("MISS");
  });

  test("by prefix, host, tag, everything; soft", async () => {
    const address = url();
    const { pathname } = new URL(address);
    for (const target of [
      { prefixes: [`${host}${pathname}`] },
      { hosts: [host] },
      { everything: true as const },
    ]) {
      await warm(address);
      expect(await purge(zone, target), JSON.stringify(target)).toMatchObject({ ok: true });
      expect(await statusOf(address), JSON.stringify(target)).toBe("MISS");
    }
    await warm(address);
    expect(await purge(zone, { files: [address] }, { soft: true })).toMatchObject({ ok: true });
    expect(await statusOf(address)).not.toBe("HIT");
    expect(await purge(zone, { tags: ["no-such-tag"] })).toMatchObject({ ok: true, done: 1 });
  });

  test("many addresses go in calls of the allowed size, and progress is told", async () => {
    const files = Array.from({ length: 95 }, (_, index) => `http://${host}/none/${index}`);
    const told: number[] = [];
    expect(await purge(zone, { files }, { onProgress: (done) => told.push(done) })).toEqual({
      ok: true,
      done: 95,
      calls: 4,
    });
    expect(told).toEqual([30, 60, 90, 95]);
    expect(await purge({ ...zone, urls_per_call: 100 }, { files })).toMatchObject({
      ok: false,
      done: 0,
      error: { detail: { problem: "cloudflare.1094" } },
    });
  });

  test("refusals in their own words", async () => {
    expect(await purge(zone, { files: ["http://elsewhere.example/"] })).toMatchObject({
      ok: false,
      error: { code: "REFUSED", detail: { problem: "cloudflare.1016" } },
    });
    expect(await purge({ ...zone, token: "wrong" }, { everything: true })).toMatchObject({
      ok: false,
      error: { code: "UPSTREAM_AUTH", detail: { problem: "cloudflare.10000" } },
    });
    expect(await purge({ ...zone, zone: "0".repeat(32) }, { everything: true })).toMatchObject({
      ok: false,
      error: { detail: { problem: "cloudflare.7003" } },
    });
    await control("POST", "/scopes", { scopes: ["zone_read"] });
    expect(await purge(zone, { everything: true })).toMatchObject({
      ok: false,
      error: { code: "UPSTREAM_AUTH", detail: { problem: "cloudflare.permission" } },
    });
    await control("POST", "/scopes", { status: "disabled" });
    expect(await probe(zone)).toMatchObject({
      state: "down",
      error: { code: "UPSTREAM_AUTH", detail: { problem: "cloudflare.tokenStatus" } },
    });
  });

  test("429 is waited out as it asks, then done", async () => {
    await fault("429", 1, { retryAfter: 1 });
    const waits: number[] = [];
    const begun = performance.now();
    const own = { ...zone, name: "limited" };
    expect(
      await purge(own, { tags: ["a"] }, { onWait: (ms, error) => error && waits.push(ms) }),
    ).toMatchObject({ ok: true });
    expect(waits).toEqual([1000]);
    expect(performance.now() - begun).toBeGreaterThanOrEqual(950);
  });

  test("passing failures are tried again, lasting ones are told", async () => {
    for (const kind of ["500", "garbage", "reset"]) {
      await fault(kind, 1);
      expect(await purge(zone, { tags: ["a"] }), kind).toMatchObject({ ok: true, done: 1 });
    }
    const quick = { ...zone, timeout: 300 };
    const lasting: [string, string][] = [
      ["500", "cloudflare.server"],
      ["garbage", "cloudflare.garbage"],
      ["hang", "http.timeout"],
      ["429", "cloudflare.1134"],
      ["reset", "http.reset"],
    ];
    for (const [kind, problem] of lasting) {
      await control("DELETE", "/fault");
      await fault(kind, 50, { retryAfter: 1 });
      expect(await purge(quick, { tags: ["a"] }, { retries: 1 }), kind).toMatchObject({
        ok: false,
        done: 0,
        error: { detail: { problem } },
      });
    }
  });

  test("the token is in no error", async () => {
    const outcomes = [];
    for (const kind of ["500", "garbage", "reset", "hang"]) {
      await control("DELETE", "/fault");
      await fault(kind, 50);
      outcomes.push(await purge({ ...zone, timeout: 300 }, { tags: ["a"] }, { retries: 0 }));
    }
    await control("DELETE", "/fault");
    outcomes.push(await purge({ ...zone, token: "not-the-token" }, { everything: true }));
    expect(outcomes.every(({ ok }) => !ok)).toBe(true);
    const told = inspect(outcomes, { depth: 8 });
    expect(told).not.toContain(zone.token);
    expect(told).not.toContain("not-the-token");
  });

  test("a signal ends a wait", async () => {
    await fault("429", 50, { retryAfter: 60 });
    const begun = performance.now();
    const outcome = await purge(zone, { tags: ["a"] }, { signal: AbortSignal.timeout(200) });
    expect(outcome).toMatchObject({ ok: false, error: { code: "CANCELLED" } });
    expect(performance.now() - begun).toBeLessThan(2000);
  });

  test("our bucket keeps within the plan: no 429 in a burst", async () => {
    // Another plan is another bucket here; the stub is reset, so both are full.
    const own = { ...zone, plan: "business" as const };
    await control("POST", "/plan", { plan: "business" });
    expect(meters(own).lookups).toMatchObject({ left: 47, size: 47 });
    const since = (await control("GET", "/state")).received;
    const outcomes = await Promise.all(Array.from({ length: 55 }, () => purge(own, { tags: ["a"] })));
    expect(outcomes.every(({ ok }) => ok)).toBe(true);
    const { requests } = await control("GET", `/requests?since=${since}`);
    const mine = requests.filter((one: { path: string }) => one.path.includes(zone.zone));
    expect(mine.filter((one: { status: number }) => one.status === 429)).toHaveLength(0);
    expect(
      predictWaitMs(own, { tags: Array.from({ length: 1000 }, (_, index) => `t${index}`) }),
    ).toBeGreaterThan(500);
  });
});
