// What went through a zone, minute by minute, by Cloudflare's GraphQL analytics.
import { createHash } from "node:crypto";
import * as z from "zod";
import { AppError, toAppError } from "../../errors/app-error";
import { singleton } from "../../runtime/singleton";
import { type CloudflareZone, garbage, parsed, refusal, retryAfterMs, send } from "./api";
import { TokenBucket } from "./token-bucket";

const minuteMs = 60_000;

/** Of one minute. Cloudflare samples: of a busy zone these are estimates. */
export type TrafficMinute = {
  readonly requests: number;
  /** Answered from its cache. */
  readonly cached: number;
  readonly bytes: number;
  readonly cachedBytes: number;
  /** Answered with a status of 500 or more. */
  readonly failed: number;
  /** Blocked or challenged by its firewall; null where nobody tells. */
  readonly threats: number | null;
};
export type ZoneTraffic = {
  /** ms since the epoch of the first minute's begin. */
  readonly from: number;
  readonly minutes: readonly TrafficMinute[];
  /** Why nothing is known of threats: the plan does not have them, or the token may not see them. */
  readonly threatsProblem: AppError | null;
};

/** cacheStatus of what did not need the origin. */
const cachedStatuses = new Set(["hit", "stale", "updating", "revalidated"]);
const maxGroups = 5000;

const trafficQuery = `query Traffic($zoneTag: string!, $from: Time!, $to: Time!) {
  viewer {
    zones(filter: { zoneTag: $zoneTag }) {
      all: httpRequestsAdaptiveGroups(
        limit: ${maxGroups}
        filter: { datetime_geq: $from, datetime_lt: $to, requestSource: "eyeball" }
        orderBy: [datetimeMinute_ASC]
      ) { count sum { edgeResponseBytes } dimensions { datetimeMinute cacheStatus } }
      failed: httpRequestsAdaptiveGroups(
        limit: ${maxGroups}
        filter: { datetime_geq: $from, datetime_lt: $to, requestSource: "eyeball", edgeResponseStatus_geq: 500 }
        orderBy: [datetimeMinute_ASC]
      ) { count dimensions { datetimeMinute } }
    }
  }
}`;
const threatsQuery = `query Threats($zoneTag: string!, $from: Time!, $to: Time!) {
  viewer {
    zones(filter: { zoneTag: $zoneTag }) {
      threats: firewallEventsAdaptiveGroups(
        limit: ${maxGroups}
        filter: { datetime_geq: $from, datetime_lt: $to, action_in: ["block", "challenge", "jschallenge", "managed_challenge"] }
        orderBy: [datetimeMinute_ASC]
      ) { count dimensions { datetimeMinute } }
    }
  }
}`;

const minute = z.iso.datetime();
const counted = z.object({ count: z.number().min(0), dimensions: z.object({ datetimeMinute: minute }) });
const trafficZone = z.object({
  all: z.array(
    z.object({
      count: z.number().min(0),
      sum: z.object({ edgeResponseBytes: z.number().min(0) }),
      dimensions: z.object({ datetimeMinute: minute, cacheStatus: z.string() }),
    }),
  ),
  failed: z.array(counted),
});
const threatsZone = z.object({ threats: z.array(counted) });
const dataOf = <T>(zone: z.ZodType<T>) => z.object({ viewer: z.object({ zones: z.array(zone).length(1) }) });

const envelope = z.object({
  data: z.unknown(),
  errors: z
    .array(
      z.object({ message: z.string(), extensions: z.object({ code: z.string().optional() }).optional() }),
    )
    .nullish(),
});

/** 300 queries in five minutes, of which somebody else may want some too. */
const limit = { rate: 1, size: 240 };
function bucketOf(zone: CloudflareZone): TokenBucket {
  const account = createHash("sha256").update(`${zone.api}\n${zone.token}`).digest("base64url");
  return singleton(`systems.cloudflare.queries.${account}`, () => new TokenBucket(limit));
}

/** The documented ways to say that too much was asked for. */
const tooMuch = /budget depleted|quota exceeded|limit reached/i;
const notInPlan = /does not have access to the path|not available for your plan/i;
const notAllowed = /not authorized|authentication/i;

/** A refusal in the words of GraphQL as an AppError. */
function refusedQuery(zone: CloudflareZone, message: string, code: string | undefined): AppError {
  const says = message.slice(0, 300);
  const params = { system: zone.name, says };
  const told = `${zone.name}: Cloudflare's analytics refuse: ${says}.`;
  if (tooMuch.test(message))
    return new AppError("UPSTREAM_LIMIT", told, {
      problem: "cloudflare.analyticsLimit",
      params,
      retryAfterMs: 5 * minuteMs,
    });
  if (notInPlan.test(message))
    return new AppError("REFUSED", told, { problem: "cloudflare.analyticsPlan", params });
  if (code === "authz" || notAllowed.test(message))
    return new AppError("UPSTREAM_AUTH", told, { problem: "cloudflare.analyticsPermission", params });
  return new AppError("REFUSED", told, { problem: "cloudflare.analyticsOther", params });
}

async function ask<T>(
  zone: CloudflareZone,
  query: string,
  range: { readonly from: number; readonly to: number },
  schema: z.ZodType<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  const bucket = bucketOf(zone);
  const wait = bucket.predictWaitMs(1);
  // Figures that come late are of no use: the next minute asks again.
  if (wait > 0) {
    throw new AppError("UPSTREAM_LIMIT", `${zone.name}: the analytics may be asked again in ${wait} ms.`, {
      problem: "cloudflare.analyticsLimit",
      params: { system: zone.name },
      retryAfterMs: wait,
    });
  }
  await bucket.take(1, signal);
  const variables = {
    zoneTag: zone.zone,
    from: new Date(range.from).toISOString(),
    to: new Date(range.to).toISOString(),
  };
  const answer = await send(zone, "POST", "/graphql", { body: { query, variables }, signal });
  if (answer.status === 429) {
    const asked = retryAfterMs(answer.headers) ?? 5 * minuteMs;
    bucket.close(asked);
    throw new AppError("UPSTREAM_LIMIT", `${zone.name}: the limit of analytics queries is reached.`, {
      problem: "cloudflare.analyticsLimit",
      params: { system: zone.name },
      retryAfterMs: asked,
    });
  }
  const read = envelope.safeParse(parsed(answer.body));
  const [error] = read.data?.errors ?? [];
  if (answer.status >= 400) {
    // A wrong token is answered as the rest of the API answers it: its code says so.
    const v4 = z
      .object({ errors: z.array(z.object({ code: z.number(), message: z.string() })).min(1) })
      .safeParse(parsed(answer.body)).data?.errors[0];
    if (v4 !== undefined || error === undefined)
      throw refusal(zone, answer, v4?.code ?? null, v4?.message ?? "", "analytics");
  }
  if (error !== undefined) throw refusedQuery(zone, error.message, error.extensions?.code);
  const good = schema.safeParse(read.data?.data);
  if (!good.success) throw garbage(zone, answer);
  return good.data;
}

/**
 * Each whole minute of [from, to), which are rounded down to minutes. A minute of which Cloudflare tells nothing had no requests.
 * Needs Zone Analytics Read. Throws AppError: UPSTREAM_LIMIT, UPSTREAM_AUTH, REFUSED, and the wire's.
 */
export async function readTraffic(
  zone: CloudflareZone,
  asked: { readonly from: number; readonly to: number },
  signal?: AbortSignal,
): Promise<ZoneTraffic> {
  const whole = (at: number) => Math.floor(at / minuteMs) * minuteMs;
  const range = { from: whole(asked.from), to: whole(asked.to) };
  const { viewer } = await ask(zone, trafficQuery, range, dataOf(trafficZone), signal);
  let threats: z.infer<typeof threatsZone> | null = null;
  let threatsProblem: AppError | null = null;
  try {
    threats = (await ask(zone, threatsQuery, range, dataOf(threatsZone), signal)).viewer.zones[0] ?? null;
  } catch (thrown) {
    // Traffic without threats is better than neither.
    threatsProblem = toAppError(thrown);
  }
  const minutes = Array.from({ length: Math.max(0, (range.to - range.from) / minuteMs) }, () => ({
    requests: 0,
    cached: 0,
    bytes: 0,
    cachedBytes: 0,
    failed: 0,
    threats: threats === null ? null : 0,
  }));
  const at = (iso: string) => minutes[(whole(Date.parse(iso)) - range.from) / minuteMs];
  const [found] = viewer.zones;
  for (const { count, sum, dimensions } of found?.all ?? []) {
    const one = at(dimensions.datetimeMinute);
    if (one === undefined) continue;
    one.requests += count;
    one.bytes += sum.edgeResponseBytes;
    if (!cachedStatuses.has(dimensions.cacheStatus)) continue;
    one.cached += count;
    one.cachedBytes += sum.edgeResponseBytes;
  }
  for (const { count, dimensions } of found?.failed ?? []) {
    const one = at(dimensions.datetimeMinute);
    if (one !== undefined) one.failed += count;
  }
  for (const { count, dimensions } of threats?.threats ?? []) {
    const one = at(dimensions.datetimeMinute);
    if (one !== undefined) one.threats = (one.threats ?? 0) + count;
  }
  return { from: range.from, minutes, threatsProblem };
}
