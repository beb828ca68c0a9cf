// How a node's answers are told: what is a purge, what is none, and what to change.
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { closeConnections } from "../exchange";
import { ban, peek, purgeTags, purgeUrl, type VarnishNode } from "./http";

const open: { server: Server; sockets: Set<Socket> }[] = [];
afterEach(async () => {
  await closeConnections();
  for (const { server, sockets } of open.splice(0)) {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** Bare TCP: Node's own HTTP server knows neither BAN nor PEEK. */
async function nodeThatSays(
  status: number,
  headers: Record<string, string> = {},
  body = "",
): Promise<VarnishNode> {
  const lines = Object.entries({ ...headers, "Content-Length": String(body.length) }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("data", () => socket.write(`HTTP/1.1 ${status} Said\r\n${lines.join("\r\n")}\r\n\r\n${body}`));
  });
  open.push({ server, sockets });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const at = server.address();
  if (typeof at !== "object" || at === null) throw new Error("no port");
  return { name: "node", url: `http://127.0.0.1:${at.port}`, vcl: "sluice", timeout: 2000 };
}
const ours = { "Sluice-VCL": "1", "Sluice-Boot": "1-2", "X-Varnish": "3" };
const target = { host: "a.example", path: "/", soft: false };

test.each([
  ["our VCL, done", 200, { ...ours, "Sluice-Purged": "2" }, "", { ok: true, count: 2, boot: "1-2" }],
  ["another VCL, done", 200, { "X-Varnish": "3" }, "Purged", { ok: true, count: null, boot: null }],
  ["another VCL, not cached", 404, { "X-Varnish": "3" }, "", { ok: true, count: 0, boot: null }],
  [
    "a backend's 200",
    200,
    {},
    "<html>",
    { ok: false, error: { code: "BAD_ANSWER", detail: { problem: "varnish.passedOn" } } },
  ],
  ["a backend's 404", 404, {}, "", { ok: false, error: { code: "REFUSED" } }],
  [
    "our acl",
    403,
    ours,
    "PURGE refused: 192.0.2.7 is neither in acl sluice nor in acl purgers",
    {
      ok: false,
      error: { code: "REFUSED", detail: { problem: "varnish.aclAddress", params: { address: "192.0.2.7" } } },
    },
  ],
  [
    "another acl",
    403,
    {},
    "Forbidden",
    { ok: false, error: { code: "REFUSED", detail: { problem: "varnish.acl" } } },
  ],
  [
    "an unknown verb",
    405,
    {},
    "",
    { ok: false, error: { code: "REFUSED", detail: { problem: "varnish.method" } } },
  ],
  [
    "a broken node",
    503,
    {},
    "",
    { ok: false, error: { code: "BAD_ANSWER", detail: { problem: "varnish.answer" } } },
  ],
  ["a redirect", 301, { Location: "/" }, "", { ok: false, error: { code: "BAD_ANSWER" } }],
] as const)("purge of an address: %s", async (_what, status, headers, body, outcome) => {
  expect(await purgeUrl(await nodeThatSays(status, headers, body), target)).toMatchObject(outcome);
});

test("tags and bans are believed of our VCL only", async () => {
  const other = await nodeThatSays(200, { "X-Varnish": "3" }, "Purged");
  for (const outcome of [await purgeTags(other, ["a"], false), await ban(other, { all: true })]) {
    expect(outcome).toMatchObject({
      ok: false,
      error: { code: "REFUSED", detail: { problem: "varnish.otherVcl" } },
    });
  }
  expect(await purgeTags(other, [], false)).toMatchObject({ ok: false, error: { code: "INVALID_INPUT" } });
  expect(await ban(other, { host: "a.example", regex: "a\nb" })).toMatchObject({
    ok: false,
    error: { code: "INVALID_INPUT" },
  });
});

test("peek: hit, miss, another VCL, refused", async () => {
  const hit = {
    ...ours,
    "Sluice-Age": "3.5",
    "Sluice-TTL": "-1.25",
    "Sluice-Grace": "3600.000",
    "Sluice-Hits": "4",
    "Sluice-Tags": "a  b,c",
  };
  expect(await peek(await nodeThatSays(200, hit), "a.example", "/")).toEqual({
    state: "hit",
    ageS: 3.5,
    ttlS: -1.25,
    graceS: 3600,
    hits: 4,
    tags: ["a", "b", "c"],
    revision: null,
    boot: "1-2",
  });
  expect(await peek(await nodeThatSays(404, ours), "a.example", "/")).toEqual({ state: "miss", boot: "1-2" });
  expect(await peek(await nodeThatSays(200, { "X-Varnish": "3" }), "a.example", "/")).toEqual({
    state: "unsupported",
  });
  await expect(peek(await nodeThatSays(403, ours), "a.example", "/")).rejects.toMatchObject({
    code: "REFUSED",
  });
  await expect(peek(await nodeThatSays(503), "a.example", "/")).rejects.toMatchObject({ code: "BAD_ANSWER" });
});
