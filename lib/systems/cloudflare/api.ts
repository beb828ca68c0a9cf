// Cloudflare's API: one call, its answer checked, its error codes told in our words.
import * as z from "zod";
import { AppError } from "../../errors/app-error";
import { type Answer, exchange } from "../exchange";
import type { Plan } from "./token-bucket";

/** One zone and the token for it, as sluice.yaml has it. */
export type CloudflareZone = {
  readonly name: string;
  /** Scheme, host and port of the API. */
  readonly api: string;
  readonly token: string;
  /** The zone's id, 32 hexadecimal characters. */
  readonly zone: string;
  readonly plan: Plan;
  readonly urls_per_call: number;
  /** Milliseconds for one call. */
  readonly timeout: number;
};

const envelope = z.object({
  success: z.boolean(),
  errors: z.array(z.object({ code: z.number(), message: z.string() })).default([]),
  result: z.unknown(),
});

/** Codes that have a sentence of their own under `problems.cloudflare.` in messages. */
export const knownCodes = [
  1000, 1007, 1012, 1014, 1016, 1092, 1094, 1134, 6003, 7000, 7003, 9103, 9106, 9109, 10000,
] as const;
const tokenCodes = new Set([1000, 6003, 6111, 9103, 9106, 9107, 9109, 10000]);

/** Milliseconds to wait before the next try, from Retry-After (seconds or a date) or Ratelimit's t=, or null. */
export function retryAfterMs(headers: Readonly<Record<string, string>>, now = Date.now()): number | null {
  const after = headers["retry-after"]?.trim();
  if (after && /^\d+(\.\d+)?$/.test(after)) return Number(after) * 1000;
  if (after && Number.isFinite(Date.parse(after))) return Math.max(0, Date.parse(after) - now);
  const reset = /(?:^|[;,\s])t=(\d+)/.exec(headers.ratelimit ?? "")?.[1];
  return reset === undefined ? null : Number(reset) * 1000;
}

/** How many calls the account has left by the Ratelimit header (r=), or null. */
export function ratelimitLeft(headers: Readonly<Record<string, string>>): number | null {
  const left = /(?:^|[;,\s])r=(\d+)/.exec(headers.ratelimit ?? "")?.[1];
  return left === undefined ? null : Number(left);
}

/** The permission of the token that a call needs, by the name it has in Cloudflare's dashboard, and its sentence. */
const permissions = {
  purge: { name: "Zone, Cache Purge", problem: "cloudflare.permission" },
  settings: { name: "Zone, Zone Settings, Edit", problem: "cloudflare.settingsPermission" },
  analytics: { name: "Zone, Analytics, Read", problem: "cloudflare.analyticsPermission" },
} as const;
type Permission = keyof typeof permissions;

/** Cloudflare's refusal as an AppError: UPSTREAM_LIMIT, UPSTREAM_AUTH, REFUSED, or BAD_ANSWER for its own failures. */
export function refusal(
  zone: CloudflareZone,
  answer: Answer,
  code: number | null,
  says: string,
  needs: Permission = "purge",
): AppError {
  const known = knownCodes.find((one) => one === code);
  const params = { system: zone.name, status: answer.status, code: code ?? 0, says: says.slice(0, 300) };
  const told = `${zone.name}: Cloudflare answered ${answer.status}${code === null ? "" : ` (${code})`}${says ? `: ${says.slice(0, 300)}` : ""}`;
  if (answer.status === 429 || code === 1134) {
    return new AppError("UPSTREAM_LIMIT", `${told}. The rate limit is reached.`, {
      problem: "cloudflare.1134",
      params,
      retryAfterMs: retryAfterMs(answer.headers) ?? 5000,
    });
  }
  if (answer.status === 403) {
    // The token is good but not for this.
    const { name, problem } = permissions[needs];
    return new AppError("UPSTREAM_AUTH", `${told}. The token lacks the permission (${name}) for this zone.`, {
      problem,
      params,
    });
  }
  if (answer.status === 401 || (code !== null && tokenCodes.has(code))) {
    return new AppError("UPSTREAM_AUTH", `${told}. The token is not accepted.`, {
      problem: `cloudflare.${known ?? 10000}`,
      params,
    });
  }
  if (answer.status >= 500) {
    return new AppError("BAD_ANSWER", `${told}. Cloudflare itself has a failure.`, {
      problem: "cloudflare.server",
      params,
    });
  }
  return new AppError("REFUSED", `${told}.`, {
    problem: known ? `cloudflare.${known}` : "cloudflare.other",
    params,
  });
}

type Sent = { readonly body?: unknown; readonly signal?: AbortSignal | undefined };

/** One exchange with the API, unread. Throws AppError UNREACHABLE, TIMEOUT, BAD_ANSWER, CANCELLED. */
export const send = (
  zone: CloudflareZone,
  method: "GET" | "POST" | "PATCH",
  path: string,
  options: Sent = {},
): Promise<Answer> =>
  exchange({
    base: zone.api,
    path: `/client/v4${path}`,
    method,
    headers: {
      authorization: `Bearer ${zone.token}`,
      accept: "application/json",
      ...(options.body === undefined ? {} : { "content-type": "application/json" }),
    },
    body: options.body === undefined ? undefined : JSON.stringify(options.body),
    timeoutMs: zone.timeout,
    signal: options.signal,
    maxBytes: 2 * 1024 * 1024,
  });

/**
 * One call. `result` is checked by `schema`; the answer's headers come along for the rate limit. `needs` names the permission when
 * Cloudflare says that the token lacks it. Throws AppError: refusal's, and `send`'s.
 */
export async function call<T>(
  zone: CloudflareZone,
  method: "GET" | "POST" | "PATCH",
  path: string,
  schema: z.ZodType<T>,
  options: Sent & { readonly needs?: Permission } = {},
): Promise<{ result: T; headers: Answer["headers"] }> {
  const answer = await send(zone, method, path, options);
  const read = envelope.safeParse(parsed(answer.body));
  if (!read.success) {
    if (answer.status >= 400) throw refusal(zone, answer, null, "", options.needs);
    throw garbage(zone, answer);
  }
  const { success, errors, result } = read.data;
  if (!success || answer.status >= 300)
    throw refusal(zone, answer, errors[0]?.code ?? null, errors[0]?.message ?? "", options.needs);
  const good = schema.safeParse(result);
  if (!good.success) throw garbage(zone, answer);
  return { result: good.data, headers: answer.headers };
}

/** AppError BAD_ANSWER: it is not Cloudflare's API that answered. */
export const garbage = (zone: CloudflareZone, answer: Answer) =>
  new AppError(
    "BAD_ANSWER",
    `${zone.name}: Cloudflare answered ${answer.status} with something that is not its API.`,
    {
      problem: "cloudflare.garbage",
      params: { system: zone.name, status: answer.status },
    },
  );

/** The body's JSON, or undefined. */
export function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString("utf8"));
  } catch {
    return undefined;
  }
}
