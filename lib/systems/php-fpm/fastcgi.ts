// FastCGI as a web server speaks it to PHP-FPM: one GET without a body (fastcgi-archives.github.io/FastCGI_Specification.html).
import { AppError } from "../../errors/app-error";
import { openTcp } from "../tcp";
import { wireError } from "../wire-error";

export type CgiAnswer = { readonly status: number; readonly body: Buffer };

const beginRequest = 1;
const endRequest = 3;
const params = 4;
const stdin = 5;
const stdout = 6;
const stderr = 7;
const headBytes = 8;
const mostBytes = 256 * 1024;

export class FastCgiError extends Error {}

/** One record of the request with id 1. */
export function record(type: number, content: Uint8Array): Buffer {
  const head = Buffer.from([1, type, 0, 1, 0, 0, 0, 0]);
  head.writeUInt16BE(content.length, 4);
  return Buffer.concat([head, content]);
}

/** A length as the protocol writes it: one byte, or four with the first bit set. */
function lengthOf(size: number): Buffer {
  if (size < 128) return Buffer.from([size]);
  const long = Buffer.alloc(4);
  long.writeUInt32BE((size | 0x80000000) >>> 0);
  return long;
}

/** The records of a whole request with these CGI variables. */
export function request(variables: Readonly<Record<string, string>>): Buffer {
  const pairs = Object.entries(variables).map(([name, value]) => {
    const [key, text] = [Buffer.from(name), Buffer.from(value)];
    return Buffer.concat([lengthOf(key.length), lengthOf(text.length), key, text]);
  });
  return Buffer.concat([
    // Role 1 (responder), flags 0: it closes the connection itself.
    record(beginRequest, Buffer.from([0, 1, 0, 0, 0, 0, 0, 0])),
    record(params, Buffer.concat(pairs)),
    record(params, new Uint8Array()),
    record(stdin, new Uint8Array()),
  ]);
}

/** Reads the answer's records, however they arrive. */
export class AnswerReader {
  #pending: Buffer = Buffer.alloc(0);
  readonly #output: Buffer[] = [];
  #size = 0;

  /** The answer once it is whole, else null. Throws FastCgiError for what is not FastCGI, or too much of it. */
  push(chunk: Uint8Array): CgiAnswer | null {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    for (;;) {
      const [version, type, , , , , padding] = this.#pending;
      if (version !== undefined && version !== 1) throw new FastCgiError("not FastCGI");
      if (type === undefined || padding === undefined || this.#pending.length < headBytes) return null;
      if (![endRequest, stdout, stderr].includes(type)) throw new FastCgiError("a record that is no answer");
      const end = headBytes + this.#pending.readUInt16BE(4);
      if (this.#pending.length < end + padding) return null;
      const content = this.#pending.subarray(headBytes, end);
      this.#pending = this.#pending.subarray(end + padding);
      if (type === endRequest) return cgiAnswer(Buffer.concat(this.#output));
      this.#size += content.length;
      if (this.#size > mostBytes) throw new FastCgiError("more than a page of status");
      if (type === stdout) this.#output.push(Buffer.from(content));
    }
  }
}

/** CGI's own head: a Status line where it is not 200, then an empty line. */
function cgiAnswer(output: Buffer): CgiAnswer {
  const end = /\r?\n\r?\n/.exec(output.toString("latin1"));
  if (end === null) throw new FastCgiError("an answer without headers");
  const status = /^status:\s*(\d{3})\b/im.exec(output.toString("latin1", 0, end.index))?.[1];
  return { status: Number(status ?? 200), body: output.subarray(end.index + end[0].length) };
}

/** One GET of `path` with `query`. Throws AppError UNREACHABLE, TIMEOUT, BAD_ANSWER. */
export async function getOverFastCgi(
  address: string,
  path: string,
  query: string,
  timeoutMs: number,
): Promise<CgiAnswer> {
  const begun = performance.now();
  const socket = await openTcp(address, timeoutMs);
  try {
    return await new Promise<CgiAnswer>((resolve, reject) => {
      const reader = new AnswerReader();
      const late = () =>
        settle(() =>
          reject(
            new AppError("TIMEOUT", `${address} did not answer within ${timeoutMs} ms.`, {
              problem: "http.timeout",
              params: { address, ms: timeoutMs },
            }),
          ),
        );
      // Of the whole, so that one who sends a byte now and then does not hold us.
      const deadline = setTimeout(late, Math.max(1, timeoutMs - (performance.now() - begun)));
      const settle = (act: () => void) => {
        clearTimeout(deadline);
        act();
      };
      const closed = () =>
        settle(() => reject(wireError(Object.assign(new Error("closed"), { code: "ECONNRESET" }), address)));
      socket.on("error", (error) => settle(() => reject(wireError(error, address))));
      socket.once("end", closed);
      socket.once("close", closed);
      socket.on("data", (chunk) => {
        try {
          const answer = reader.push(chunk);
          if (answer !== null) settle(() => resolve(answer));
        } catch (error) {
          settle(() =>
            reject(
              new AppError("BAD_ANSWER", `What answers at ${address} does not speak FastCGI.`, {
                problem: "php_fpm.notFastCgi",
                params: { address },
                cause: error,
              }),
            ),
          );
        }
      });
      socket.write(
        request({
          REQUEST_METHOD: "GET",
          SCRIPT_NAME: path,
          SCRIPT_FILENAME: path,
          REQUEST_URI: `${path}?${query}`,
          QUERY_STRING: query,
          SERVER_PROTOCOL: "HTTP/1.1",
          GATEWAY_INTERFACE: "CGI/1.1",
        }),
      );
    });
  } finally {
    // A late error of a socket that nobody holds any more must not end the process.
    socket.on("error", () => {});
    socket.destroy();
  }
}
