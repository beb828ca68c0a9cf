// A system that tells its state as JSON over HTTP: asks with its credentials, checks what comes back.
import type * as z from "zod";
import { AppError } from "../errors/app-error";
import { type Answer, exchange } from "./exchange";

/** Where to ask, and as whom. */
export type JsonApi = {
  readonly name: string;
  /** Base address, perhaps with a path. */
  readonly url: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Bearer token; goes before user and password. */
  readonly token?: string | undefined;
  /** Milliseconds for one call. */
  readonly timeout: number;
};

const maxBytes = 2 * 1024 * 1024;

const signIn = ({ token, username, password }: JsonApi): Record<string, string> => {
  if (token !== undefined) return { authorization: `Bearer ${token}` };
  if (username === undefined || password === undefined) return {};
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}` };
};

/** One call; any status but 401 and 403 is an answer. A body is sent as JSON. Throws AppError UPSTREAM_AUTH, and as `exchange`. */
export async function call(
  api: JsonApi,
  method: "GET" | "POST" | "PATCH" | "DELETE",
  path: string,
  more: { readonly body?: unknown; readonly signal?: AbortSignal } = {},
): Promise<Answer> {
  const sent = more.body === undefined ? undefined : JSON.stringify(more.body);
  const answer = await exchange({
    base: api.url,
    path,
    method,
    headers: {
      accept: "application/json",
      ...(sent === undefined ? {} : { "content-type": "application/json" }),
      ...signIn(api),
    },
    body: sent,
    timeoutMs: api.timeout,
    signal: more.signal,
    maxBytes,
  });
  if (answer.status === 401 || answer.status === 403)
    throw new AppError("UPSTREAM_AUTH", `${api.name} does not accept these credentials.`, {
      problem: "api.auth",
      params: { system: api.name, status: answer.status },
    });
  return answer;
}

/** One GET; as `call`. */
export const get = (api: JsonApi, path: string): Promise<Answer> => call(api, "GET", path);

/** The body in its shape, or null where it is something else. */
export function shaped<T>(answer: Answer, shape: z.ZodType<T>): T | null {
  let body: unknown;
  try {
    body = JSON.parse(Buffer.from(answer.body).toString("utf8"));
  } catch {
    return null;
  }
  const read = shape.safeParse(body);
  return read.success ? read.data : null;
}

/** What answers is not `product`, or fails (`status`). */
export function notProduct(api: JsonApi, product: string, status: number): AppError {
  const { origin } = new URL(api.url);
  if (status >= 500)
    return new AppError("BAD_ANSWER", `${api.name} answers with an error (${status}).`, {
      problem: "api.failing",
      params: { system: api.name, status },
    });
  return new AppError("BAD_ANSWER", `What answers at ${origin} is not ${product} (${status}).`, {
    problem: "api.other",
    params: { address: origin, product, status },
  });
}

/** A GET whose answer must be 200 and of this shape. Throws AppError UPSTREAM_AUTH, BAD_ANSWER, and as `exchange`. */
export async function read<T>(api: JsonApi, product: string, path: string, shape: z.ZodType<T>): Promise<T> {
  const answer = await get(api, path);
  const told = answer.status === 200 ? shaped(answer, shape) : null;
  if (told === null) throw notProduct(api, product, answer.status);
  return told;
}
