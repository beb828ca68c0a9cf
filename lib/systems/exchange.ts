// One HTTP exchange over kept-alive connections: the wire under every system that speaks HTTP.
import { Pool } from "undici";
import { AppError } from "../errors/app-error";
import { singleton } from "../runtime/singleton";
import { guardedLookup, refuseNeverAsked } from "./never-asked";
import { codeOf, wireError } from "./wire-error";

/** What came back. Header names are lower case, repeated ones joined by ", "; the body is as sent (not decompressed). */
export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** From the call to the last byte, waiting for a connection included. */
  readonly ms: number;
};

export type Exchange = {
  /** Where to connect: scheme, host, port, perhaps a path put before `path`. */
  readonly base: string;
  /** The Host header and the TLS server name; the base's own when left out. */
  readonly host?: string | undefined;
  /** Sent byte for byte: nothing is encoded, decoded or resolved. */
  readonly path: string;
  readonly method?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | Uint8Array | undefined;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** 8 MiB when left out. */
  readonly maxBytes?: number | undefined;
};

/** Connections to one base. Few, since each is kept alive and answers in microseconds; more only open more threads there. */
const connectionsPerBase = 8;
const mostPools = 256;
/** Varnish closes after 5 s (timeout_idle), Nginx after 75 s: we leave first, so that no request meets a closing socket. */
const idleMs = 4000;
const defaultMaxBytes = 8 * 1024 * 1024;
const repeatable = new Set(["GET", "HEAD", "OPTIONS", "PURGE", "BAN", "PEEK"]);

const pools = () => singleton("systems.exchange.pools", () => new Map<string, Pool>());

/** TLS connections belong to one server name; plain ones carry any host. */
function poolFor(origin: string, hostname: string): Pool {
  const key = origin.startsWith("https:") ? `${origin} ${hostname}` : origin;
  const all = pools();
  let pool = all.get(key);
  if (pool) return pool;
  if (all.size >= mostPools) {
    const [oldest, old] = [...all][0] ?? [];
    if (oldest !== undefined && old) {
      all.delete(oldest);
      void old.close().catch(() => {});
    }
  }
  pool = new Pool(origin, {
    connections: connectionsPerBase,
    pipelining: 1,
    keepAliveTimeout: idleMs,
    keepAliveMaxTimeout: 60_000,
    // Long tag lists are normal in this trade.
    maxHeaderSize: 256 * 1024,
    // Our own timer bounds the whole exchange; undici's are coarse.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: 30_000, autoSelectFamily: true, lookup: guardedLookup },
  });
  all.set(key, pool);
  return pool;
}

/** Closes every kept connection (tests, and a runtime that stops). */
export async function closeConnections(): Promise<void> {
  const all = pools();
  const open = [...all.values()];
  all.clear();
  await Promise.all(open.map((pool) => pool.destroy()));
}

const refuse = (message: string, problem: string, field: string) =>
  new AppError("INVALID_INPUT", message, { problem, field });

function checkHeader(name: string, value: string): void {
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) {
    throw refuse(
      `"${name.replace(/[^\x20-\x7e]/g, "?")}" is not a header name.`,
      "http.headerName",
      "headers",
    );
  }
  // CR and LF would start another header or another request.
  if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) {
    throw refuse(`The header ${name} holds a control character.`, "http.headerValue", "headers");
  }
}

/** Refuses what could not be sent as one well-formed request. Throws AppError INVALID_INPUT. */
function checkRequest(exchange: Exchange): void {
  if (!/^\/[\x21-\x7e]*$/.test(exchange.path)) {
    throw refuse(
      "The path must begin with / and hold neither spaces nor characters beyond ASCII: percent-encode them.",
      "http.path",
      "path",
    );
  }
  if (
    exchange.host !== undefined &&
    !/^(\[[0-9a-f:.]+\]|[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?\.?)(:\d{1,5})?$/i.test(exchange.host)
  ) {
    throw refuse("That is not a host name.", "http.host", "host");
  }
  if (!/^[A-Z]{1,20}$/.test(exchange.method ?? "GET"))
    throw refuse("That is not a method.", "http.method", "method");
  for (const [name, value] of Object.entries(exchange.headers ?? {})) checkHeader(name, value);
}

const joined = (headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> => {
  const flat: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) flat[name] = typeof value === "string" ? value : value.join(", ");
  }
  return flat;
};

/** A connection that died before a byte of the answer: the kept-alive socket was closed under us. */
class Unanswered extends Error {}

function attempt(exchange: Exchange, url: URL, origin: string, leftMs: number): Promise<Omit<Answer, "ms">> {
  const { signal, maxBytes = defaultMaxBytes } = exchange;
  return new Promise((resolve, reject) => {
    let abort: ((reason: Error) => void) | null = null;
    let settled = false;
    let status = 0;
    let headers: Record<string, string> = {};
    const chunks: Uint8Array[] = [];
    let size = 0;

    const finish = () => {
      if (settled) return false;
      settled = true;
      clearTimeout(timer);
      signal?.removeEventListener("abort", cancel);
      return true;
    };
    const fail = (error: Error) => {
      if (!finish()) return;
      reject(error);
      abort?.(error);
    };
    const cancel = () => fail(new AppError("CANCELLED", "Stopped before the answer came."));
    const timer = setTimeout(
      () =>
        fail(
          new AppError("TIMEOUT", `${origin} did not answer within ${exchange.timeoutMs} ms.`, {
            problem: "http.timeout",
            params: { address: origin, ms: exchange.timeoutMs },
          }),
        ),
      leftMs,
    );
    if (signal?.aborted) return cancel();
    signal?.addEventListener("abort", cancel, { once: true });

    const host = exchange.host ?? url.host;
    poolFor(origin, host.replace(/:\d+$/, "")).dispatch(
      {
        origin,
        path: url.pathname.replace(/\/+$/, "") + exchange.path,
        method: exchange.method ?? "GET",
        headers: { ...exchange.headers, host },
        body: exchange.body ?? null,
      },
      {
        onRequestStart(controller) {
          if (settled) controller.abort(new Error("given up"));
          else abort = (reason) => controller.abort(reason);
        },
        onResponseStart(_controller, code, got) {
          // 1xx is only an announcement.
          if (code < 200) return;
          status = code;
          headers = joined(got);
        },
        onResponseData(_controller, chunk) {
          size += chunk.length;
          if (size > maxBytes) {
            fail(
              new AppError("BAD_ANSWER", `${origin} answered more than ${maxBytes} bytes.`, {
                problem: "http.tooLarge",
                params: { address: origin, bytes: maxBytes },
              }),
            );
          } else chunks.push(chunk);
        },
        onResponseEnd() {
          abort = null;
          const [only] = chunks;
          if (finish())
            resolve({ status, headers, body: chunks.length === 1 && only ? only : Buffer.concat(chunks) });
        },
        onResponseError(_controller, error) {
          abort = null;
          const dead = status === 0 && ["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"].includes(codeOf(error));
          fail(dead ? new Unanswered("unanswered", { cause: error }) : wireError(error, origin));
        },
      },
    );
  });
}

/**
 * Sends one request and reads its whole answer; any status is an answer. No redirect is followed, no cookie kept.
 * Throws AppError UNREACHABLE, TIMEOUT, BAD_ANSWER, CANCELLED, or INVALID_INPUT for what cannot be sent.
 */
export async function exchange(request: Exchange): Promise<Answer> {
  checkRequest(request);
  const url = new URL(request.base);
  const origin = url.origin;
  const begun = performance.now();
  try {
    refuseNeverAsked(url.hostname);
    const answer = await attempt(request, url, origin, request.timeoutMs);
    return { ...answer, ms: performance.now() - begun };
  } catch (error) {
    if (!(error instanceof Unanswered)) throw wireError(error, origin);
    const left = request.timeoutMs - (performance.now() - begun);
    if (left < 1 || !repeatable.has(request.method ?? "GET")) throw wireError(error.cause, origin);
  }
  try {
    const answer = await attempt(request, url, origin, request.timeoutMs - (performance.now() - begun));
    return { ...answer, ms: performance.now() - begun };
  } catch (error) {
    throw wireError(error instanceof Unanswered ? error.cause : error, origin);
  }
}
