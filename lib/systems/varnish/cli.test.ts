// The CLI's client in front of something that is not Varnish.
import { createServer } from "node:net";
import { afterEach, expect, test } from "vitest";
import { AppError } from "../../errors/app-error";
import { CompileError, closeCli, status } from "./cli";

afterEach(() => closeCli());

async function answering(said: string): Promise<{ address: string; close: () => Promise<void> }> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.end(said);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const at = server.address();
  if (typeof at !== "object" || at === null) throw new Error("no port");
  return {
    address: `127.0.0.1:${at.port}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

test.each([
  ["HTTP/1.1 400 Bad Request\r\n\r\n", "BAD_ANSWER"],
  ["", "UNREACHABLE"],
  ["107 59      \nixslvv", "UNREACHABLE"],
  ["201 2       \nab\n", "BAD_ANSWER"],
])("%j is told as %s", async (said, code) => {
  const { address, close } = await answering(said);
  await expect(status({ name: code, admin: address, secret: "x" })).rejects.toMatchObject({ code });
  await close();
});

test("nobody there, and no address at all", async () => {
  const { address, close } = await answering("");
  await close();
  await expect(status({ name: "gone", admin: address })).rejects.toMatchObject({ code: "UNREACHABLE" });
  await expect(status({ name: "none" })).rejects.toMatchObject({ code: "NOT_CONFIGURED" });
  await expect(status({ name: "bad", admin: "nonsense" })).rejects.toMatchObject({ code: "INVALID_INPUT" });
});

test("an error of another kind is not taken for the compiler's", () => {
  const compile = new CompileError({ name: "n1", admin: "127.0.0.1:1" }, "Syntax error");
  expect([compile instanceof CompileError, compile instanceof AppError]).toEqual([true, true]);
  expect(new AppError("TIMEOUT", "late") instanceof CompileError).toBe(false);
});
