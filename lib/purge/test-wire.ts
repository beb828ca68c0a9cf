// For tests only: one HTTP request written by hand, with any method and any bytes.
import { connect } from "node:net";

export type WireSeen = { readonly status: number; readonly text: string; readonly raw: string };

/** Sends bytes as they are and reads until the other side closes. */
export function raw(port: number, bytes: string): Promise<WireSeen> {
  return new Promise((resolve, reject) => {
    let said = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(Buffer.from(bytes, "latin1")));
    socket.setTimeout(5000, () => socket.destroy());
    socket.on("data", (chunk) => {
      said += chunk.toString("latin1");
    });
    socket.on("error", reject);
    socket.on("close", () => {
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(said)?.[1] ?? 0);
      resolve({ status, text: (said.split("\r\n\r\n").at(1) ?? "").trim(), raw: said });
    });
  });
}

export const wire = (
  port: number,
  method: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<WireSeen> =>
  raw(
    port,
    `${method} ${path} HTTP/1.1\r\n${Object.entries({ connection: "close", ...headers })
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join("")}\r\n`,
  );
