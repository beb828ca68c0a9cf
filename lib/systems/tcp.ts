// A plain TCP connection, for the systems that do not speak HTTP.
import { connect, type Socket } from "node:net";
import { AppError } from "../errors/app-error";
import { look } from "./look";
import { guardedLookup, refuseNeverAsked } from "./never-asked";
import type { Probed } from "./system";
import { wireError } from "./wire-error";

/** "host:port" or "[::1]:port" in its parts. Throws AppError INVALID_INPUT. */
export function hostAndPort(address: string): { host: string; port: number } {
  const parts = /^(?:\[([0-9a-f:.]+)\]|([^\s:]+)):(\d{1,5})$/i.exec(address);
  const host = parts?.[1] ?? parts?.[2];
  const port = Number(parts?.[3]);
  if (!host || port < 1 || port > 65_535) {
    throw new AppError("INVALID_INPUT", `"${address}" is not host:port.`, {
      problem: "tcp.address",
      params: { address },
    });
  }
  return { host, port };
}

/** A connected socket; it is the caller's to destroy. Throws AppError UNREACHABLE, TIMEOUT, CANCELLED. */
export async function openTcp(address: string, timeoutMs: number, signal?: AbortSignal): Promise<Socket> {
  const { host, port } = hostAndPort(address);
  try {
    refuseNeverAsked(host);
  } catch (error) {
    throw wireError(error, address);
  }
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new AppError("CANCELLED", "Stopped before the connection was made."));
    const socket = connect({ host, port, autoSelectFamily: true, lookup: guardedLookup });
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", cancel);
      socket.removeAllListeners();
    };
    const fail = (error: AppError) => {
      done();
      // A late error of a socket that nobody holds any more must not end the process.
      socket.on("error", () => {});
      socket.destroy();
      reject(error);
    };
    const cancel = () => fail(new AppError("CANCELLED", "Stopped before the connection was made."));
    const timer = setTimeout(
      () =>
        fail(
          new AppError("TIMEOUT", `${address} did not take the connection within ${timeoutMs} ms.`, {
            problem: "http.timeout",
            params: { address, ms: timeoutMs },
          }),
        ),
      timeoutMs,
    );
    signal?.addEventListener("abort", cancel, { once: true });
    socket.once("error", (error) => fail(wireError(error, address)));
    socket.once("connect", () => {
      done();
      resolve(socket);
    });
  });
}

/** An address that must take connections; nothing is said there. */
export const probe = (server: {
  readonly name: string;
  readonly address: string;
  readonly timeout: number;
}): Promise<Probed> =>
  look(`tcp:${server.name}`, async () => {
    const socket = await openTcp(server.address, server.timeout);
    socket.on("error", () => {});
    socket.destroy();
    return { version: null, facts: {} };
  });
