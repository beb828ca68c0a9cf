// Purging at Cloudflare: in calls of the allowed size, under the account's rate limit, tried again while that makes sense.
import { createHash } from "node:crypto";
import * as z from "zod";
import { AppError, toAppError } from "../../errors/app-error";
import { singleton } from "../../runtime/singleton";
import { type CloudflareZone, call, ratelimitLeft } from "./api";
import { type CloudflareTarget, calls, checkTarget, sizeOf } from "./target";
import { type Limit, limits, type Meter, systemClock, TokenBucket } from "./token-bucket";

/** What a purge came to. `done`: items that Cloudflare accepted (which is not yet proof that they are gone). */
export type CloudflareOutcome =
  | { readonly ok: true; readonly done: number; readonly calls: number }
  | { readonly ok: false; readonly done: number; readonly calls: number; readonly error: AppError };

export type PurgeOptions = {
  /** Mark stale instead of removing. */
  readonly soft?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (done: number, total: number) => void;
  /** Told before a wait: for the rate limit, or before another try (then with the error). */
  readonly onWait?: (ms: number, error: AppError | null) => void;
  /** Tries of one call that failed, the first one not counted; 4 when left out. */
  readonly retries?: number;
};

type Buckets = { readonly lookups: TokenBucket; readonly urls: TokenBucket };

/**
 * A little less than the plan allows: calls arrive a moment later than they are sent, so that a bucket used to the last token
 * here is overdrawn there. A quarter of a second's worth, one token at least.
 */
const within = ({ rate, size }: Limit): Limit => ({ rate, size: Math.floor(size - Math.max(1, rate / 4)) });

/** The limits are the account's, and the token is what we know of the account. */
function buckets(zone: CloudflareZone): Buckets {
  const account = createHash("sha256").update(`${zone.api}\n${zone.token}`).digest("base64url");
  return singleton(`systems.cloudflare.buckets.${zone.plan}.${account}`, () => ({
    lookups: new TokenBucket(within(limits[zone.plan].lookups)),
    urls: new TokenBucket(within(limits[zone.plan].urls)),
  }));
}

/** How much of the account's rate limit is left, as far as we know. */
export function meters(zone: CloudflareZone): { lookups: Meter; urls: Meter } {
  const { lookups, urls } = buckets(zone);
  return { lookups: lookups.meter(), urls: urls.meter() };
}

const costOf = (target: CloudflareTarget): number => ("files" in target ? target.files.length : 1);
const bucketOf = (zone: CloudflareZone, target: CloudflareTarget): TokenBucket =>
  "files" in target ? buckets(zone).urls : buckets(zone).lookups;

/** How long the rate limit would make this purge wait, were it begun now. */
export function predictWaitMs(zone: CloudflareZone, target: CloudflareTarget): number {
  const cost = calls(target, zone.urls_per_call).reduce((sum, one) => sum + costOf(one), 0);
  return bucketOf(zone, target).predictWaitMs(cost);
}

/** Worth another try: the limit, and what may be a passing failure. A purge may be sent twice. */
const passing = (error: AppError) =>
  ["UPSTREAM_LIMIT", "UNREACHABLE", "TIMEOUT", "BAD_ANSWER"].includes(error.code);
const longestWaitMs = 120_000;

const bodyOf = (target: CloudflareTarget) => ("everything" in target ? { purge_everything: true } : target);

async function purgeCall(
  zone: CloudflareZone,
  target: CloudflareTarget,
  options: PurgeOptions,
): Promise<void> {
  const bucket = bucketOf(zone, target);
  const cost = costOf(target);
  const path = `/zones/${zone.zone}/${options.soft ? "invalidate_cache" : "purge_cache"}`;
  const retries = options.retries ?? 4;
  for (let tries = 0; ; tries++) {
    const wait = bucket.predictWaitMs(cost);
    if (wait > 0) options.onWait?.(wait, null);
    await bucket.take(cost, options.signal);
    try {
      const { headers } = await call(zone, "POST", path, z.unknown(), {
        body: bodyOf(target),
        signal: options.signal,
      });
      const left = ratelimitLeft(headers);
      if (left !== null) bucket.learn(left);
      return;
    } catch (thrown) {
      const error = toAppError(thrown);
      if (!passing(error) || tries >= retries) throw error;
      if (error.code === "UPSTREAM_LIMIT") {
        const asked = error.detail.retryAfterMs ?? 5000;
        if (asked > longestWaitMs) throw error;
        // The next take waits it out, in turn with everybody else of this account.
        bucket.close(asked);
        options.onWait?.(asked, error);
        continue;
      }
      const pause = Math.min(8000, 300 * 2 ** tries) * (0.75 + Math.random() / 2);
      options.onWait?.(pause, error);
      await systemClock.sleep(pause, options.signal);
    }
  }
}

/**
 * Purges a target of any size, call by call; the first call that fails for good ends it. Never throws.
 * Accepted is all that Cloudflare says: look at CF-Cache-Status for proof.
 */
export async function purge(
  zone: CloudflareZone,
  target: CloudflareTarget,
  options: PurgeOptions = {},
): Promise<CloudflareOutcome> {
  let done = 0;
  let made = 0;
  try {
    const checked = checkTarget(target);
    const total = sizeOf(checked);
    for (const one of calls(checked, zone.urls_per_call)) {
      if (options.signal?.aborted)
        throw new AppError("CANCELLED", "Stopped between two calls to Cloudflare.");
      await purgeCall(zone, one, options);
      made += 1;
      done += sizeOf(one);
      options.onProgress?.(done, total);
    }
    return { ok: true, done, calls: made };
  } catch (error) {
    return { ok: false, done, calls: made, error: toAppError(error) };
  }
}
