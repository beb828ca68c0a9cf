// The access log as it is found: cut, rotated, in another format, no file at all.
import { execFileSync } from "node:child_process";
import { appendFileSync, chmodSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readAccessLog } from "./access-log";

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "sluice-log-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const line = (more: Record<string, unknown> = {}): string =>
  `${JSON.stringify({
    ...{ ClientAddr: "192.0.2.7:4711", ClientHost: "203.0.113.9", DownstreamStatus: 200 },
    ...{ RequestAddr: "a.example:8080", RequestHost: "a.example", RequestMethod: "GET" },
    ...{ RequestPath: "/x?q=1?2", RequestScheme: "https", RouterName: "shop@file" },
    ...{ StartUTC: "2026-11-27T01:02:03.123456789Z", entryPointName: "websecure", ...more },
  })}\n`;
const written = (name: string, text: string): string => {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
};
const requests = async (path: string) => {
  const log = await readAccessLog(path);
  if (log.state !== "read") throw new Error(JSON.stringify(log.problem));
  return log.requests;
};

test("a request is told as Traefik's rules saw it: the peer, not whom it speaks for", async () => {
  expect(await requests(written("one.log", line()))).toEqual([
    {
      ...{ entryPoint: "websecure", tls: true, method: "GET", host: "a.example:8080", path: "/x" },
      ...{ query: "q=1?2", client: "192.0.2.7:4711", router: "shop@file", status: 200 },
      at: new Date("2026-11-27T01:02:03.123Z"),
    },
  ]);
});

test("nobody took it; TLS is told by its version where the scheme is left out", async () => {
  const bare = { RouterName: undefined, RequestScheme: undefined };
  const [plain, secure] = await requests(
    written("bare.log", line(bare) + line({ ...bare, TLSVersion: "1.3" })),
  );
  expect(plain).toMatchObject({ router: null, tls: false });
  expect(secure).toMatchObject({ tls: true });
});

test("half lines and other lines are passed over; an empty file has no requests", async () => {
  const cut = `${line().slice(30)}{}\nnot json\n${line()}${line().slice(0, 80)}`;
  expect(await requests(written("cut.log", cut))).toHaveLength(1);
  expect(await requests(written("empty.log", ""))).toEqual([]);
});

test("of a long one the newest 20,000 of the last 4 MB", async () => {
  const path = written("long.log", "");
  const padded = (index: number) => line({ RequestPath: `/${index}`, RouterName: "x".repeat(200) });
  appendFileSync(path, Array.from({ length: 30_000 }, (_, index) => padded(index)).join(""));
  const found = await requests(path);
  expect(found.length).toBeGreaterThan(5000);
  expect(found.length).toBeLessThan(20_000);
  expect(found.at(-1)?.path).toBe("/29999");
  const short = written("short.log", Array.from({ length: 21_000 }, () => '{"a":1}\n').join("") + line());
  expect(await requests(short)).toHaveLength(1);
  // Rotated by copying and cutting.
  truncateSync(path, 0);
  expect(await requests(path)).toEqual([]);
});

test("what cannot be read says why", async () => {
  const problem = async (path: string) => {
    const log = await readAccessLog(path);
    return log.state === "failed" ? log.problem.problem : "read";
  };
  expect(await problem(join(directory, "none.log"))).toBe("traefik.logMissing");
  expect(await problem(directory)).toBe("traefik.logNoFile");
  expect(await problem(written("common.log", "192.0.2.1 - - [27/Nov] 200\n192.0.2.1 - - 200\n"))).toBe(
    "traefik.logNotJson",
  );
  const pipe = join(directory, "pipe");
  execFileSync("mkfifo", [pipe]);
  expect(await problem(pipe)).toBe("traefik.logNoFile");
  // Below a file there is nothing.
  const below = join(written("file.log", line()), "x");
  expect(await problem(below)).toBe("traefik.logUnreadable");
  const closed = written("closed.log", line());
  chmodSync(closed, 0o000);
  // The superuser may read everything.
  expect(["traefik.logUnreadable", "read"]).toContain(await problem(closed));
});
