// The CLI's client in front of something that is not Varnish.
import { createServer } from "node:net";
import { afterEach, expect, test } from "vitest";
import { AppError } from "../../errors/app-error";
import { CompileError, closeCli, status, vclInline, vclShow } from "./cli";

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

/** A manager that knows nobody's secret and answers each command as `answer` says; null: it hangs up instead. */
async function manager(answer: (command: string) => { status: number; body: string } | null) {
  const heard: string[] = [];
  const frame = (status: number, body: string) =>
    `${status} ${String(Buffer.byteLength(body)).padEnd(8)}\n${body}\n`;
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.write(frame(200, "Varnish"));
    let pending = "";
    socket.on("data", (chunk: Buffer) => {
      pending += chunk.toString("utf8");
      for (let end = pending.indexOf("\n"); end >= 0; end = pending.indexOf("\n")) {
        const command = pending.slice(0, end);
        pending = pending.slice(end + 1);
        heard.push(command);
        const said = answer(command);
        if (said === null) socket.destroy();
        else socket.write(frame(said.status, said.body));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const at = server.address();
  if (typeof at !== "object" || at === null) throw new Error("no port");
  return {
    node: { name: "fake", admin: `127.0.0.1:${at.port}` },
    heard,
    close: () => {
      closeCli();
      server.close();
    },
  };
}

test("a compile whose answer was lost with the connection is not told as one that failed", async () => {
  let compiles = 0;
  const { node, close } = await manager((command) => {
    if (!command.startsWith("vcl.inline")) return { status: 200, body: "Child in state running" };
    compiles += 1;
    return compiles === 1 ? null : { status: 106, body: "Already a VCL named one" };
  });
  await status(node);
  await vclInline(node, "one", "vcl 4.1;");
  expect(compiles).toBe(2);
  // Told once, it is what it says: another one has this name.
  await expect(vclInline(node, "one", "vcl 4.1;")).rejects.toBeInstanceOf(CompileError);
  close();
});

test("a limit of ours that was left by one that was killed is not taken for the node's", async () => {
  let limit = "4M";
  const { node, heard, close } = await manager((command) => {
    if (command.startsWith('"param.show') || command.startsWith("param.show"))
      return { status: 200, body: `cli_limit\n        Value is: ${limit} [bytes]\n` };
    if (command.startsWith("param.set")) {
      limit = /"?(\d+\w)"?$/.exec(command)?.[1] ?? "";
      return { status: 200, body: "" };
    }
    return heard.filter((one) => one.startsWith("vcl.show")).length > 1
      ? { status: 200, body: "// VCL.SHOW 0 3 <vcl.inline>\nabc\n" }
      : { status: 201, body: "" };
  });
  expect(await vclShow(node, "one")).toEqual([{ path: "<vcl.inline>", text: "abc" }]);
  expect(limit).toBe("48k");
  close();
});

test.each([
  [
    `Message from VCC-compiler:\nSymbol not found: 'wrong'\nAt: ('<vcl.inline>' Line 27 Pos 9) -- (Pos 13)\n  set req.http.X = "s3cret" + wrong;\n--------#####--\n\nRunning VCC-compiler failed, exited with 2`,
    "Symbol not found: 'wrong' (line 27)",
  ],
  [
    `Message from VCC-compiler:\nExpected ';' got '"s3cret"'\n(program line 186), at\n('<vcl.inline>' Line 3 Pos 9)\n`,
    `Expected ';' got '"…"' (line 3)`,
  ],
  ['VCL "x" Failed initialization\nMessage:\n\ts3cret', 'VCL "…" Failed initialization'],
])("of a compiler's words, history keeps no source", (says, told) => {
  const { message, detail } = new CompileError({ name: "n1", admin: "127.0.0.1:1" }, says);
  expect(message).toBe(`n1 does not compile it: ${told}`);
  expect(JSON.stringify(detail)).not.toContain("s3cret");
});
