// The little of HTTP/1.1 that the purge gateway speaks. Node's own parser does not know the method BAN.
import { createServer, type Server, type Socket } from "node:net";

export type WireRequest = {
  readonly method: string;
  readonly target: string;
  readonly headers: ReadonlyMap<string, string>;
  /** The client's address, without the ::ffff: of an IPv4 one. */
  readonly client: string;
};
export type WireAnswer = {
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
};

const mostHeaderBytes = 64 * 1024;
const mostHeaders = 100;
const mostBodyBytes = 64 * 1024;
const mostConnections = 512;
/** A head must be whole within this, and a connection between requests is kept this long; ms. */
const headMs = 10_000;
const idleMs = 65_000;

const words: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  411: "Length Required",
  413: "Content Too Large",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Service Unavailable",
  505: "HTTP Version Not Supported",
  507: "Insufficient Storage",
};

export type Head = {
  readonly method: string;
  readonly target: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly keep: boolean;
  readonly bodyBytes: number;
};

const refused = (status: number, text: string): WireAnswer => ({ status, text });

/** Reads a request's head (without its empty line). Strict: what two programs could read differently is refused. */
export function readHead(text: string): Head | WireAnswer {
  const [line = "", ...fields] = text.split("\r\n");
  const request = /^([A-Z]{1,20}) ([\x21-\x7e]{1,16384}) HTTP\/(\d\.\d)$/.exec(line);
  if (!request) return refused(400, "That is not an HTTP request.");
  const [, method = "", target = "", version] = request;
  if (version !== "1.1" && version !== "1.0") return refused(505, "HTTP/1.1 is spoken here.");
  if (fields.length > mostHeaders) return refused(431, "Too many headers.");
  const headers = new Map<string, string>();
  for (const field of fields) {
    const found = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/s.exec(field);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    if (!found || /[\u0000-\u0008\u000a-\u001f\u007f]/.test(found[2] ?? ""))
      return refused(400, "A header is malformed.");
    const name = (found[1] ?? "").toLowerCase();
    const known = headers.get(name);
    if (known !== undefined && (name === "host" || name === "content-length"))
      return refused(400, `${name} is given twice.`);
    headers.set(name, known === undefined ? (found[2] ?? "") : `${known}, ${found[2] ?? ""}`);
  }
  if (headers.has("transfer-encoding")) return refused(411, "A chunked body is not taken: send none.");
  const length = headers.get("content-length") ?? "0";
  if (!/^\d{1,10}$/.test(length)) return refused(400, "Content-Length is not a number.");
  if (Number(length) > mostBodyBytes) return refused(413, "The body is too large: none is needed.");
  const connection = (headers.get("connection") ?? "").toLowerCase();
  const keep = version === "1.1" ? !connection.includes("close") : connection.includes("keep-alive");
  return { method, target, headers, keep, bodyBytes: Number(length) };
}

const render = ({ status, text, headers = {} }: WireAnswer, keep: boolean): string => {
  const body = `${text}\n`;
  const more = Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("");
  return (
    `HTTP/1.1 ${status} ${words[status] ?? "Answer"}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
    `${more}Connection: ${keep ? "keep-alive" : "close"}\r\n\r\n${body}`
  );
};

function serve(socket: Socket, handle: (request: WireRequest) => Promise<WireAnswer>): void {
  const client = (socket.remoteAddress ?? "").replace(/^::ffff:/, "");
  let buffer: Buffer = Buffer.alloc(0);
  let skip = 0;
  let busy = false;
  let ended = false;
  let timer = setTimeout(() => socket.destroy(), headMs);
  const rest = (ms: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => socket.destroy(), ms);
  };
  const finish = (answer: WireAnswer) => {
    ended = true;
    socket.end(render(answer, false));
  };
  const next = async () => {
    if (busy || ended) return;
    busy = true;
    try {
      for (;;) {
        if (skip > 0) {
          const cut = Math.min(skip, buffer.length);
          buffer = buffer.subarray(cut);
          skip -= cut;
          if (skip > 0) return;
        }
        const end = buffer.indexOf("\r\n\r\n");
        if (end < 0) {
          if (buffer.length > mostHeaderBytes) finish(refused(431, "The headers are too large."));
          return;
        }
        if (end > mostHeaderBytes) return finish(refused(431, "The headers are too large."));
        const head = readHead(buffer.toString("latin1", 0, end));
        buffer = buffer.subarray(end + 4);
        if ("status" in head) return finish(head);
        skip = head.bodyBytes;
        clearTimeout(timer);
        const answer = await handle({
          method: head.method,
          target: head.target,
          headers: head.headers,
          client,
        });
        if (socket.destroyed) return;
        if (!head.keep) return finish(answer);
        socket.write(render(answer, true));
        rest(idleMs);
      }
    } catch {
      if (!socket.destroyed) finish(refused(500, "The gateway failed; nothing was accepted."));
    } finally {
      busy = false;
    }
  };
  socket.setNoDelay(true);
  socket.on("data", (chunk: Buffer) => {
    // One request after the other; what comes meanwhile waits, within bounds.
    if (buffer.length + chunk.length > 2 * mostHeaderBytes + mostBodyBytes) return socket.destroy();
    buffer = buffer.length === 0 ? chunk : Buffer.concat([buffer, chunk]);
    void next();
  });
  socket.on("error", () => socket.destroy());
  socket.on("close", () => clearTimeout(timer));
}

/** Listens; rejects with Node's error when the port is taken. `close` lets requests under way be answered. */
export async function listen(
  host: string,
  port: number,
  handle: (request: WireRequest) => Promise<WireAnswer>,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    serve(socket, handle);
  });
  server.maxConnections = mostConnections;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      server.on("error", () => {});
      resolve();
    });
  });
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await new Promise((resolve) => setTimeout(resolve, 50));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
