import { describe, expect, test } from "vitest";
import { AppError } from "../../errors/app-error";
import { isAway } from "./patience";

const answered = (message: string) => isAway(new AppError("BAD_ANSWER", message));

describe("an engine that is away, and one that answers", () => {
  test.each([
    'connection error: desc = "transport: Error while dialing dial unix /run/containerd/containerd.sock: connect: connection refused"',
    "rpc error: code = Unavailable desc = transport is closing",
    "ttrpc: closed: unknown",
    "socket hang up",
  ])("ending: %s", (message) => {
    expect(answered(message)).toBe(true);
  });

  test.each([
    "failed to create task: /run/containerd/io.containerd.runtime.v2.task/moby/x/rootfs: not a directory",
    'exec: "/entry": stat /entry: no such file or directory: unknown',
    "driver failed programming external connectivity: address already in use",
  ])("its answer: %s", (message) => {
    expect(answered(message)).toBe(false);
  });

  test("what does not answer at all", () => {
    expect(isAway(new AppError("UNREACHABLE", ""))).toBe(true);
    expect(isAway(new AppError("CONFLICT", "shutting down"))).toBe(false);
  });
});
