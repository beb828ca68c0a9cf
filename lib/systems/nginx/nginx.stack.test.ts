// Nginx's page cache on the reference stack.
import { randomBytes } from "node:crypto";
import { afterAll, describe, expect, test } from "vitest";
import { closeConnections, exchange } from "../exchange";

import { stackUrl, testStack, until } from "../test-stack";
import { probe, purgeUrl } from "./http";

const stack = testStack();
afterAll(closeConnections);

describe.skipIf(!stack)("nginx", () => {
  if (!stack) return;
  const host = stack.hosts[0] ?? "";
  const server = { name: "nginx", url: stackUrl(stack, "nginx"), timeout: 3000 };
  const cacheWord = async (path: string) =>
    (await exchange({ base: server.url, host, path, timeoutMs: 5000 })).headers["x-nginx-cache"];

  test("purges what is cached, and says when nothing was", async () => {
    const path = `/en/archive/7?nginx-test=${randomBytes(6).toString("hex")}`;
    await until("it is cached", async () => (await cacheWord(path)) === "HIT");
    expect(await purgeUrl(server, { host, path })).toEqual({ ok: true, count: 1 });
    expect(await purgeUrl(server, { host, path })).toEqual({ ok: true, count: 0 });
    expect(await cacheWord(path)).toBe("MISS");
  });

  test("who is not there, and where PURGE means nothing", async () => {
    expect(await purgeUrl({ ...server, url: "http://127.0.0.1:9" }, { host, path: "/" })).toMatchObject({
      ok: false,
      error: { code: "UNREACHABLE" },
    });
    // The uncached port has no purge: the verb reaches the site itself.
    const outcome = await purgeUrl({ ...server, url: stackUrl(stack, "origin") }, { host, path: "/en" });
    expect(outcome).toMatchObject({ ok: false, error: { detail: { problem: "nginx.noModule" } } });
  });

  test("probe", async () => {
    expect(await probe(server)).toMatchObject({ state: "up" });
    expect(await probe({ ...server, name: "gone", url: "http://127.0.0.1:9" })).toMatchObject({
      state: "down",
      error: { code: "UNREACHABLE" },
    });
  });
});
