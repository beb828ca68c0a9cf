// The wire itself, against a bare TCP server that shows the bytes it got and answers anything.
import { createServer, type Server, type Socket } from "node:net";
import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { AppError } from "../../errors/app-error";
import { closeConnections } from "../exchange";
import { fetchThrough, plainBody } from "./fetch-through";

const servers: { server: Server; sockets: Set<Socket> }[] = [];
afterEach(async () => {
  await closeConnections();
  for (const { server, sockets } of servers.splice(0)) {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** Answers each whole request head by `answer`; null closes the connection. */
async function serve(
  answer: (head: string, count: number) => string | null,
): Promise<{ base: string; heads: string[] }> {
  const heads: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let text = "";
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      for (let end = text.indexOf("\r\n\r\n"); end >= 0; end = text.indexOf("\r\n\r\n")) {
        const head = text.slice(0, end);
        text = text.slice(end + 4);
        heads.push(head);
        const said = answer(head, heads.length);
        if (said === null) socket.destroy();
        else socket.write(said, "latin1");
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  servers.push({ server, sockets });
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return { base: `http://127.0.0.1:${address.port}`, heads };
}
const ok = (body = "ok", more = "") =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${more}\r\n${body}`;
const caught = async (promise: Promise<unknown>): Promise<AppError> => {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof AppError)) throw new Error(`expected an AppError, got ${String(error)}`);
  return error;
};

test("names the public host and sends the path byte for byte", async () => {
  const { base, heads } = await serve(() => ok());
  const path = "/a%2Fb/../c//d;x=%e9?q=a%20b&path=%2Ffr%2Fx&&z";
  const answer = await fetchThrough({ base, host: "Site.Example", path, timeoutMs: 2000 });
  expect(answer.status).toBe(200);
  expect(Buffer.from(answer.body).toString()).toBe("ok");
  expect(heads[0]?.split("\r\n")[0]).toBe(`GET ${path} HTTP/1.1`);
  expect(heads[0]).toContain("host: Site.Example");
  expect(heads[0]?.match(/^host:/gim)).toHaveLength(1);
});

test("any path that is ASCII without spaces arrives as it was", async () => {
  const { base, heads } = await serve(() => ok());
  await fc.assert(
    fc.asyncProperty(fc.stringMatching(/^\/[\x21-\x7e]{0,60}$/), async (path) => {
      await fetchThrough({ base, host: "site.example", path, timeoutMs: 2000 });
      expect(heads.at(-1)?.split("\r\n")[0]).toBe(`GET ${path} HTTP/1.1`);
    }),
    { numRuns: 200 },
  );
});

test("refuses what would be another request", async () => {
  const { base, heads } = await serve(() => ok());
  const send = (more: object) =>
    fetchThrough({ base, host: "site.example", path: "/", timeoutMs: 500, ...more });
  for (const more of [
    { headers: { "x-a": "1\r\nx-b: 2" } },
    { headers: { "x-a\r\nx-b": "2" } },
    { headers: { "x-a": "1\u0000" } },
    { path: "/a b" },
    { path: "/a\r\nx: y" },
    { path: "/é" },
    { path: "a" },
    { path: "http://other.example/" },
    { host: "site.example\r\nx: y" },
    { host: "a b" },
    { host: "" },
    { method: "GE T" },
  ]) {
    expect((await caught(send(more))).code, JSON.stringify(more)).toBe("INVALID_INPUT");
  }
  expect(heads).toHaveLength(0);
});

test("does not follow a redirect and keeps repeated headers", async () => {
  const { base, heads } = await serve(
    () => "HTTP/1.1 301 Moved\r\nLocation: /else\r\nLink: </a>\r\nLink: </b>\r\nContent-Length: 0\r\n\r\n",
  );
  const answer = await fetchThrough({ base, host: "site.example", path: "/", timeoutMs: 2000 });
  expect([answer.status, answer.headers.location, answer.headers.link]).toEqual([301, "/else", "</a>, </b>"]);
  expect(heads).toHaveLength(1);
});

test("says why there is no answer", async () => {
  const garbled = await serve(() => "ceci n'est pas HTTP\r\n\r\n");
  expect(
    (await caught(fetchThrough({ base: garbled.base, host: "a.example", path: "/", timeoutMs: 2000 }))).code,
  ).toBe("BAD_ANSWER");
  const silent = await serve(() => "");
  const begun = Date.now();
  const late = await caught(
    fetchThrough({ base: silent.base, host: "a.example", path: "/", timeoutMs: 150 }),
  );
  expect(late.code).toBe("TIMEOUT");
  expect(Date.now() - begun).toBeLessThan(1500);
  const endless = await serve(() => ok("x".repeat(5000)));
  const large = await caught(
    fetchThrough({ base: endless.base, host: "a.example", path: "/", timeoutMs: 2000, maxBytes: 4999 }),
  );
  expect(large.detail.problem).toBe("http.tooLarge");
  const closed = await serve(() => ok());
  await new Promise((resolve) => servers.at(-1)?.server.close(resolve));
  const refused = await caught(
    fetchThrough({ base: closed.base, host: "a.example", path: "/", timeoutMs: 2000 }),
  );
  expect([refused.code, refused.detail.problem]).toEqual(["UNREACHABLE", "http.connectionRefused"]);
});

test("a signal ends it at once, before and while it runs", async () => {
  const { base } = await serve(() => "");
  const before = AbortSignal.abort();
  expect(
    (await caught(fetchThrough({ base, host: "a.example", path: "/", timeoutMs: 5000, signal: before })))
      .code,
  ).toBe("CANCELLED");
  const control = new AbortController();
  const running = caught(
    fetchThrough({ base, host: "a.example", path: "/", timeoutMs: 5000, signal: control.signal }),
  );
  setTimeout(() => control.abort(), 50);
  expect((await running).code).toBe("CANCELLED");
});

test("a kept connection that was closed meanwhile is not an error", async () => {
  const { base, heads } = await serve((_head, count) => (count === 2 ? null : ok()));
  await fetchThrough({ base, host: "a.example", path: "/1", timeoutMs: 2000 });
  const second = await fetchThrough({
    base,
    host: "a.example",
    path: "/2",
    method: "PURGE",
    timeoutMs: 2000,
  });
  expect(second.status).toBe(200);
  expect(heads.map((head) => head.split(" ")[1])).toEqual(["/1", "/2", "/2"]);
});

test("a POST is never sent twice", async () => {
  const { base, heads } = await serve((head) => (head.startsWith("POST") ? null : ok()));
  await fetchThrough({ base, host: "a.example", path: "/1", timeoutMs: 2000 });
  expect(
    (await caught(fetchThrough({ base, host: "a.example", path: "/2", method: "POST", timeoutMs: 2000 })))
      .code,
  ).toBe("UNREACHABLE");
  expect(heads).toHaveLength(2);
});

test("plainBody undoes the coding and bounds it", () => {
  const body = gzipSync("hello".repeat(10));
  expect(Buffer.from(plainBody({ headers: { "content-encoding": "gzip" }, body })).toString()).toBe(
    "hello".repeat(10),
  );
  expect(() =>
    plainBody({ headers: { "content-encoding": "gzip" }, body: gzipSync(Buffer.alloc(100_000)) }, 1000),
  ).toThrow(AppError);
  expect(() => plainBody({ headers: { "content-encoding": "zstd" }, body })).toThrow(AppError);
  expect(plainBody({ headers: {}, body })).toBe(body);
});
