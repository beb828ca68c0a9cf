// The newest requests of Traefik's access log in JSON (doc.traefik.io/traefik/observe/logs-and-access-logs).
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { setImmediate as nextTurn } from "node:timers/promises";
import * as z from "zod";
import type { ToldProblem } from "../../errors/contract";

const mostBytes = 4 * 1024 * 1024;
const mostRequests = 20_000;
const timeoutMs = 5000;
/** Lines that are read before others have a turn. */
const linesAtOnce = 1000;

/** A request as Traefik's rules saw it, but for its headers, which the log does not have. */
export type LoggedRequest = {
  readonly entryPoint: string;
  readonly tls: boolean;
  readonly method: string;
  /** With its port. */
  readonly host: string;
  readonly path: string;
  /** What stands behind the question mark. */
  readonly query: string;
  /** address:port of the peer. */
  readonly client: string;
  /** With its provider; null where nobody took it. */
  readonly router: string | null;
  readonly status: number;
  /** When it came. */
  readonly at: Date;
};
export type AccessLog =
  | {
      readonly state: "read";
      /** Oldest first. */
      readonly requests: readonly LoggedRequest[];
    }
  | { readonly state: "failed"; readonly problem: ToldProblem };

// Which of them are written is the owner's choice; those that rules ask for must be there. ClientHost is what X-Forwarded-For says, where
// that was sent; rules look at the peer.
const line = z.object({
  entryPointName: z.string().min(1),
  RequestMethod: z.string(),
  RequestHost: z.string().optional(),
  RequestAddr: z.string().optional(),
  RequestPath: z.string(),
  RequestScheme: z.enum(["http", "https"]).optional(),
  TLSVersion: z.string().optional(),
  ClientAddr: z.string().optional(),
  ClientHost: z.string().default(""),
  RouterName: z.string().optional(),
  DownstreamStatus: z.number().default(0),
  StartUTC: z.iso.datetime({ offset: true }),
});

function requestOf(text: string): LoggedRequest | null {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return null;
  }
  const read = line.safeParse(body);
  if (!read.success) return null;
  const one = read.data;
  const cut = one.RequestPath.indexOf("?");
  return {
    entryPoint: one.entryPointName,
    tls: one.RequestScheme === undefined ? one.TLSVersion !== undefined : one.RequestScheme === "https",
    method: one.RequestMethod,
    host: one.RequestAddr ?? one.RequestHost ?? "",
    path: cut < 0 ? one.RequestPath : one.RequestPath.slice(0, cut),
    query: cut < 0 ? "" : one.RequestPath.slice(cut + 1),
    client: one.ClientAddr ?? one.ClientHost,
    router: one.RouterName === undefined || one.RouterName === "" ? null : one.RouterName,
    status: one.DownstreamStatus,
    at: new Date(one.StartUTC),
  };
}

/** The end of a file, without a first line that is cut. */
async function tailOf(file: FileHandle, size: number): Promise<string> {
  const start = Math.max(0, size - mostBytes);
  const buffer = Buffer.alloc(size - start);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, start + length);
    // It has become shorter meanwhile.
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  const first = start === 0 ? 0 : buffer.subarray(0, length).indexOf("\n") + 1;
  return buffer.toString("utf8", first, length);
}

const failed = (problem: string, path: string, more: ToldProblem["params"] = {}): AccessLog => ({
  state: "failed",
  problem: { problem: `traefik.${problem}`, params: { path, ...more } },
});

async function read(path: string): Promise<AccessLog> {
  let text: string;
  try {
    // A pipe would wait for somebody who writes.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const found = await file.stat();
      if (!found.isFile()) return failed("logNoFile", path);
      text = await tailOf(file, found.size);
    } finally {
      await file.close();
    }
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    return code === "ENOENT" ? failed("logMissing", path) : failed("logUnreadable", path, { code });
  }
  const lines = text.split("\n").filter((one) => one.trim() !== "");
  const requests: LoggedRequest[] = [];
  for (const [index, one] of lines.slice(-mostRequests).entries()) {
    if (index % linesAtOnce === linesAtOnce - 1) await nextTurn();
    const request = requestOf(one);
    if (request !== null) requests.push(request);
  }
  // One line may be half of one.
  if (requests.length === 0 && lines.length > 1) return failed("logNotJson", path);
  return { state: "read", requests };
}

/** The newest requests, at most 20,000 of the last 4 MB, within five seconds. Lines that are none are passed over. Never throws. */
export async function readAccessLog(path: string): Promise<AccessLog> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<AccessLog>((resolve) => {
    timer = setTimeout(() => resolve(failed("logSlow", path, { seconds: timeoutMs / 1000 })), timeoutMs);
  });
  try {
    return await Promise.race([read(path), late]);
  } finally {
    clearTimeout(timer);
  }
}
