// Stands for every backend of a trial: it answers whatever it is asked as the test says, by any method, and keeps nothing.
import { STATUS_CODES } from "node:http";
import { createServer, type Socket } from "node:net";

export type StubAnswer = {
  readonly status: number;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
};
export type Stub = {
  /** Where it listens on 127.0.0.1. */
  readonly port: number;
  /** What it says from now on; without headers, Cache-Control: max-age=60. */
  answerWith(answer: StubAnswer): void;
  close(): Promise<void>;
};

/** These say how the body is carried, which is the stub's own. */
const framing = new Set(["connection", "content-encoding", "content-length", "transfer-encoding"]);
const mostHead = 1024 * 1024;

function written({ status, headers }: StubAnswer, method: string): string {
  const said = headers.length === 0 ? [{ name: "Cache-Control", value: "max-age=60" }] : headers;
  const body = status === 204 || status === 304 ? "" : "ok\n";
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Status"}`,
    ...said
      .filter(({ name }) => !framing.has(name.toLowerCase()))
      .map(({ name, value }) => `${name}: ${value}`),
    ...(body === "" ? [] : [`Content-Length: ${body.length}`]),
    "Connection: close",
  ];
  return `${lines.join("\r\n")}\r\n\r\n${method === "HEAD" ? "" : body}`;
}

/** Starts it on a free port of the loopback. node:http is no use here: it knows no BAN and no PEEK. */
export async function startStub(): Promise<Stub> {
  let answer: StubAnswer = { status: 200, headers: [] };
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    let head = "";
    socket.setEncoding("latin1");
    socket.on("error", () => {});
    socket.on("close", () => open.delete(socket));
    socket.on("data", (text: string) => {
      head += text;
      if (head.length > mostHead) socket.destroy();
      else if (head.includes("\r\n\r\n"))
        socket.end(written(answer, head.slice(0, head.indexOf(" "))), "latin1");
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    answerWith(next) {
      answer = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}
