// Varnish's protocol and CLI on the real nodes of the reference stack.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { closeConnections, exchange } from "../exchange";

import { stackUrl, testStack, until } from "../test-stack";
import {
  addBan,
  backendList,
  banList,
  closeCli,
  pid,
  status,
  type VarnishAdmin,
  vclList,
  version,
} from "./cli";
import { ban, peek, purgeTags, purgeUrl, purgeUrls, type VarnishNode } from "./http";
import { probe } from "./probe";

const stack = testStack();
afterAll(async () => {
  closeCli();
  await closeConnections();
});

describe.skipIf(!stack)("varnish", () => {
  if (!stack) return;
  const host = stack.hosts[0] ?? "";
  const node: VarnishNode & VarnishAdmin = {
    name: "varnish-1",
    url: stackUrl(stack, "varnish1"),
    vcl: "sluice",
    timeout: 3000,
    admin: `127.0.0.1:${stack.ports.varnish1Admin}`,
    secret: readFileSync(stack.secrets.varnishSecretFile, "utf8"),
  };
  /** An address of its own per test, cached by now. The archive's pages are cheap and any number exists. */
  const warm = async (path: string) => {
    await until(`${path} is cached`, async () => {
      const answer = await exchange({ base: node.url, host, path, timeoutMs: 5000 });
      if (answer.status !== 200) throw new Error(`${path}: ${answer.status}`);
      return (await peek(node, host, path)).state === "hit";
    });
  };
  const fresh = () =>
    `/en/archive/${1 + (randomBytes(4).readUInt32BE() % 20_000)}?sluice-test=${randomBytes(6).toString("hex")}`;

  test("its counters and its backends; an exporter that is away is a concern, not an outage", async () => {
    const metrics = `${stackUrl(stack, "varnish1Metrics")}/metrics`;
    const requests = async () => {
      const seen = await probe({ ...node, metrics });
      expect(seen).toMatchObject({ state: "up", data: { concerns: [] } });
      return seen.state === "up" ? (seen.data.counters?.requests ?? 0) : 0;
    };
    const before = await requests();
    await warm(fresh());
    // A worker adds its own counts to the node's when it has a moment.
    await until("the request is counted", async () => (await requests()) > before);
    expect(await backendList(node)).toMatchObject([{ healthy: true }]);
    expect(await probe({ ...node, metrics: "http://127.0.0.1:9/metrics" })).toMatchObject({
      state: "up",
      data: { concerns: [{ problem: "http.connectionRefused" }] },
    });
  });

  test("peek, purge, peek", async () => {
    const path = fresh();
    expect((await peek(node, host, path)).state).toBe("miss");
    await warm(path);
    const seen = await peek(node, host, path);
    expect(seen).toMatchObject({ state: "hit", boot: expect.stringMatching(/^\d+-\d+$/) });
    if (seen.state !== "hit") throw new Error("unreachable");
    expect(seen.ttlS).toBeGreaterThan(0);
    expect(seen.graceS).toBe(3600);
    expect(seen.tags.length).toBeGreaterThan(0);
    expect(await purgeUrl(node, { host: host.toUpperCase(), path, soft: false })).toEqual({
      ok: true,
      count: 1,
      boot: seen.boot,
    });
    expect((await peek(node, host, path)).state).toBe("miss");
    expect(await purgeUrl(node, { host, path, soft: false })).toEqual({
      ok: true,
      count: 0,
      boot: seen.boot,
    });
  });

  test("a soft purge leaves the object within its grace", async () => {
    const path = fresh();
    await warm(path);
    expect(await purgeUrl(node, { host, path, soft: true })).toMatchObject({ ok: true, count: 1 });
    const left = await peek(node, host, path);
    // Expired but there: a hit within grace, or a miss by the VCL's own rule, never a hit that is still good.
    if (left.state === "hit") expect(left.ttlS).toBeLessThanOrEqual(0);
  });

  test("by tag: only what carries it", async () => {
    const path = fresh();
    await warm(path);
    const seen = await peek(node, host, path);
    if (seen.state !== "hit") throw new Error("not cached");
    const tag = seen.tags.at(-1) ?? "";
    expect(await purgeTags(node, ["no-such-tag-at-all"], false)).toMatchObject({ ok: true, count: 0 });
    expect((await peek(node, host, path)).state).toBe("hit");
    const outcome = await purgeTags(node, [tag, "no-such-tag-at-all"], false);
    expect(outcome.ok && (outcome.count ?? 0) >= 1).toBe(true);
    expect((await peek(node, host, path)).state).toBe("miss");
    expect(await purgeTags(node, ["a b"], false)).toMatchObject({
      ok: false,
      error: { code: "INVALID_INPUT" },
    });
    // More than fits one header goes in several calls.
    const many = Array.from({ length: 2000 }, (_, index) => `no-such-tag-${index}`);
    expect(await purgeTags(node, many, true)).toMatchObject({ ok: true, count: 0 });
  });

  test("ban by pattern, with an ampersand in it, leaves the others", async () => {
    const [path, other] = [`${fresh()}&x=1`, fresh()];
    await warm(path);
    await warm(other);
    const query = path.slice(path.indexOf("?") + 1).replace("?", "\\?");
    expect(await ban(node, { host, regex: `${query}$` })).toMatchObject({ ok: true });
    expect((await peek(node, host, path)).state).toBe("miss");
    expect((await peek(node, host, other)).state).toBe("hit");
    expect(await ban(node, { host: `other.${host}` })).toMatchObject({ ok: true });
    expect((await peek(node, host, other)).state).toBe("hit");
  });

  test("a pattern that does not compile, or would be more than a pattern, is refused", async () => {
    expect(await ban(node, { host, regex: "(unclosed" })).toMatchObject({
      ok: false,
      error: { code: "REFUSED", detail: { problem: "varnish.refused" } },
    });
    const path = fresh();
    await warm(path);
    expect(await ban(node, { host, regex: "zzz && req.url ~ ." })).toMatchObject({ ok: true });
    expect(await ban(node, { host: "a.example || obj.status != 0" })).toMatchObject({ ok: false });
    expect((await peek(node, host, path)).state).toBe("hit");
  });

  test("what is not there, and what is not Varnish", async () => {
    const closed = { ...node, url: "http://127.0.0.1:9" };
    expect(await purgeUrl(closed, { host, path: "/", soft: false })).toMatchObject({
      ok: false,
      error: { code: "UNREACHABLE" },
    });
    const nginx = { ...node, name: "nginx", url: stackUrl(stack, "origin") };
    expect((await purgeUrl(nginx, { host, path: "/", soft: false })).ok).toBe(false);
    expect((await peek(nginx, host, "/")).state).toBe("unsupported");
    expect(await purgeTags({ ...node, vcl: "plain" }, ["a"], false)).toMatchObject({
      ok: false,
      error: { detail: { problem: "varnish.otherVcl" } },
    });
  });

  test("many addresses: each is told once, over 1,000 a second even on a busy machine", async () => {
    const targets = Array.from({ length: 5000 }, (_, index) => ({
      host,
      path: `/none/${index}`,
      soft: false,
    }));
    const told = new Set<number>();
    const begun = performance.now();
    await purgeUrls(node, targets, (index, outcome) => {
      if (outcome.ok) told.add(index);
    });
    const perSecond = targets.length / ((performance.now() - begun) / 1000);
    expect(told.size).toBe(5000);
    expect(perSecond).toBeGreaterThan(1000);
  });

  test("the CLI: status, version, VCLs, bans", async () => {
    expect(await status(node)).toBe("running");
    expect(await version(node)).toMatch(/^\d+\.\d+/);
    expect((await pid(node)).worker).toBeGreaterThan(0);
    expect((await vclList(node)).some((one) => one.status === "active")).toBe(true);
    const mark = `/never/${randomBytes(6).toString("hex")}`;
    const nasty = `^${mark}" && req.url ~ "\\.\nstop\nquit #$(){};'\\\\`.replaceAll("\n", " ");
    await addBan(node, [
      { field: "obj.http.x-host", operator: "==", value: host },
      { field: "obj.http.x-url", operator: "~", value: nasty },
    ]);
    const spec = (await banList(node)).map((one) => one.spec ?? "").find((one) => one.includes(mark));
    expect(spec).toBeDefined();
    expect(spec).toMatch(/^obj\.http\.x-host == \S+ && obj\.http\.x-url ~ \S+$/);
    expect(await status(node)).toBe("running");
  });

  test("the CLI refuses what does not compile, in Varnish's words", async () => {
    await expect(
      addBan(node, [{ field: "obj.http.x-url", operator: "~", value: "(" }]),
    ).rejects.toMatchObject({
      code: "REFUSED",
      detail: { problem: "varnish.cli" },
    });
    expect(await status(node)).toBe("running");
  });

  test("the secret with or without its last newline, and a wrong one", async () => {
    const bare = { ...node, name: "bare", secret: (node.secret ?? "").trim() };
    expect(await status(bare)).toBe("running");
    await expect(status({ ...node, name: "wrong", secret: "wrong" })).rejects.toMatchObject({
      code: "UPSTREAM_AUTH",
      detail: { problem: "varnish.secret" },
    });
    await expect(status({ ...node, name: "none", secret: undefined })).rejects.toMatchObject({
      detail: { problem: "varnish.noSecret" },
    });
    await expect(status({ ...node, name: "unset", admin: undefined })).rejects.toMatchObject({
      code: "NOT_CONFIGURED",
    });
  });

  test("fifty commands at once are answered in turn, and a lost connection is made again", async () => {
    expect(await Promise.all(Array.from({ length: 50 }, () => status(node)))).toEqual(
      Array(50).fill("running"),
    );
    closeCli();
    expect(await status(node)).toBe("running");
  });

  test("probe", async () => {
    expect(await probe(node)).toMatchObject({
      state: "up",
      data: {
        version: expect.stringMatching(/^\d/),
        facts: { vcl: "sluice", admin: "ready", child: "running" },
      },
    });
    expect(await probe({ ...node, name: "gone", url: "http://127.0.0.1:9" })).toMatchObject({
      state: "down",
      error: { code: "UNREACHABLE" },
      lastGood: null,
    });
    expect(await probe({ ...node, name: "badsecret", secret: "no" })).toMatchObject({
      state: "up",
      data: { facts: { admin: "UPSTREAM_AUTH" } },
    });
  });
});
