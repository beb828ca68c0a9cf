// One request on a connection of its own, so that its port tells it apart in the log, whatever the VCL does to its headers.
import { request as httpRequest } from "node:http";

export type Asked = {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
};
/** `from`: our port. `headers`: by their small names, several of one name joined by ", ". */
export type Answered = {
  readonly from: number;
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
};

const timeoutMs = 10_000;
/** No body is sent. */
const framing = new Set(["content-length", "transfer-encoding"]);
const bodied = new Set(["POST", "PUT", "PATCH"]);

function headersOf(raw: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const [name, value] = [(raw[at] ?? "").toLowerCase(), raw[at + 1] ?? ""];
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
}

/** Asks what listens on this port of 127.0.0.1, and waits for the whole answer. Throws the connection's error, or the signal's. */
export function ask(port: number, asked: Asked, signal: AbortSignal): Promise<Answered> {
  const headers = asked.headers
    .filter(({ name }) => !framing.has(name.toLowerCase()))
    .flatMap(({ name, value }) => [name, value]);
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      host: "127.0.0.1",
      port,
      method: asked.method,
      path: asked.path,
      headers: ["Host", asked.host, ...headers, ...(bodied.has(asked.method) ? ["Content-Length", "0"] : [])],
      agent: false,
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    let from = 0;
    request.once("error", reject);
    request.once("socket", (socket) =>
      socket.once("connect", () => {
        from = socket.localPort ?? 0;
      }),
    );
    request.once("response", (response) => {
      response.once("error", reject);
      response.once("end", () => {
        // A pipe ends with its client.
        request.destroy();
        resolve({ from, status: response.statusCode ?? 0, headers: headersOf(response.rawHeaders) });
      });
      response.resume();
    });
    request.end();
  });
}
