// What an engine, or something on the way to it, may answer with.
import { describe, expect, test } from "vitest";
import { foreignError } from "./engine";
import { type DockerEngine, portOf } from "./target";

const engine: DockerEngine = { name: "e", socket: "/run/docker.sock", timeout: 1000 };
const status = (statusCode: number, message?: string) =>
  Object.assign(new Error("(HTTP code) unexpected - <html>"), {
    statusCode,
    json: message === undefined ? null : { message },
  });
const failed = (code: string) => Object.assign(new Error(code), { code });

describe("whose word it is", () => {
  test.each([
    ["a proxy with nobody behind it", status(503), "UNREACHABLE", "docker.noEngine"],
    ["a proxy that gave up", status(504), "UNREACHABLE", "docker.noEngine"],
    [
      "an engine that manages no Swarm",
      status(503, "This node is not a swarm manager."),
      "CONFLICT",
      "docker.notManager",
    ],
    ["an engine's own failure", status(500, "no space left on device"), "BAD_ANSWER", "docker.failed"],
    ["a host that is away", failed("ETIMEDOUT"), "UNREACHABLE", "docker.noEngine"],
    ["a network that is away", failed("ENETUNREACH"), "UNREACHABLE", "docker.noEngine"],
  ])("%s", (_name, error, code, problem) => {
    expect(foreignError(engine, error)).toMatchObject({ code, detail: { problem } });
  });

  test("secrets of a command in it are not passed on", () => {
    const error = foreignError(engine, status(400, 'exec: "serve --db-password=hunter2": not found'));
    expect(error.message).toContain("serve --db-password=•••");
    expect(JSON.stringify([error.message, error.detail.params])).not.toContain("hunter2");
  });
});

test.each([
  [{ url: "tcp://a:2400" }, 2400],
  [{ url: "tcp://a" }, 2375],
  [{ url: "tcp://a", ca: "pem" }, 2376],
])("the port of %j", (more, port) => {
  expect(portOf({ ...engine, ...more })).toBe(port);
});
