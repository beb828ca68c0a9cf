// A queue whose Redis is not there, hangs, speaks something else or wants another password; figures are in the stack's tests.
import { inspect } from "node:util";
import { afterEach, expect, test } from "vitest";
import { closeServers, problemOf, tcp } from "../test-server";
import { type MessengerQueue, probe } from "./messenger";
import { disconnect } from "./redis";

afterEach(async () => {
  disconnect();
  await closeServers();
});
const at = (port: number): MessengerQueue => ({
  name: "async",
  url: `redis://127.0.0.1:${port}/0`,
  password: "hunter2",
  stream: "messages",
  group: "symfony",
  max_failed: 0,
  max_wait: 600_000,
  timeout: 300,
});

test("nobody there, and one that hangs", async () => {
  expect(problemOf(await probe(at(9)))).toBe("redis.unreachable");
  expect(problemOf(await probe(at(await tcp(() => {}))))).toBe("redis.timeout");
});

test("a wrong password is told, and never repeated", async () => {
  const port = await tcp((socket) =>
    socket.on("data", () =>
      socket.write("-WRONGPASS invalid username-password pair or user is disabled.\r\n"),
    ),
  );
  const probed = await probe(at(port));
  expect(problemOf(probed)).toBe("redis.auth");
  expect(inspect(probed, { depth: 8 })).not.toContain("hunter2");
});

test("something that is no Redis is down", async () => {
  const port = await tcp((socket) =>
    socket.on("data", () => socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")),
  );
  expect((await probe(at(port))).state).toBe("down");
});
