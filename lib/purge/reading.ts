// One look at a page through one layer, and what two looks and the origin together say about it.
import { createHash } from "node:crypto";
import type { SiteConfig } from "@/lib/config/schema";
import { type AppError, toAppError } from "@/lib/errors/app-error";
import { re2 } from "@/lib/sites/site";
import { fetchThrough, plainBody } from "@/lib/systems/http/fetch-through";

export type Reading =
  | {
      readonly ok: true;
      readonly status: number;
      /** SHA-256 of the decompressed body without the parts the site ignores; of the target for a redirect. */
      readonly hash: string;
      readonly ageS: number | null;
      /** The layer's own word: HIT, MISS, EXPIRED… */
      readonly cache: string | null;
      readonly revision: string | null;
      /** When it was asked for and when the answer had come, UTC ms. */
      readonly askedAt: number;
      readonly at: number;
    }
  | { readonly ok: false; readonly error: AppError };

/** Two ids in X-Varnish: served from the cache. */
const varnishWord = (header: string | undefined): string | null =>
  header === undefined ? null : /^\d+\s+\d+$/.test(header.trim()) ? "HIT" : "MISS";

/** A redirect to the same place may be relative in one layer and absolute in the other. */
const placeOf = (location: string): string => location.replace(/^https?:\/\/[^/?#]+/i, "");

function revisionOf(headers: Readonly<Record<string, string>>, body: string): string | null {
  const header = headers["x-revision"];
  if (header !== undefined) return header.slice(0, 100);
  const meta = /<meta\s[^>]*name=["']revision["'][^>]*>/i.exec(body)?.[0];
  return meta === undefined ? null : (/content=["']([^"']{1,100})["']/i.exec(meta)?.[1] ?? null);
}

export async function read(
  site: SiteConfig,
  base: string,
  page: { readonly host: string; readonly value: string },
  options: { readonly encoding: string; readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<Reading> {
  const askedAt = Date.now();
  try {
    const answer = await fetchThrough({
      base,
      host: page.host,
      path: page.value,
      headers: { "accept-encoding": options.encoding, accept: "*/*", "user-agent": "Sluice-Proof/1" },
      timeoutMs: options.timeoutMs,
      signal: options.signal,
    });
    const text = Buffer.from(plainBody(answer)).toString("latin1");
    const { headers } = answer;
    const compared = site.ignore.reduce((left, pattern) => re2(pattern).matcher(left).replaceAll(""), text);
    const redirect = answer.status >= 300 && answer.status < 400 && headers.location !== undefined;
    const age = /^\d+$/.test(headers.age ?? "") ? Number(headers.age) : null;
    return {
      ok: true,
      status: answer.status,
      hash: createHash("sha256")
        .update(redirect ? placeOf(headers.location ?? "") : compared, "latin1")
        .digest("hex"),
      ageS: age,
      cache:
        headers["cf-cache-status"] ??
        headers["x-cache"] ??
        varnishWord(headers["x-varnish"]) ??
        headers["x-nginx-cache"] ??
        null,
      revision: revisionOf(headers, text.slice(0, 65_536)),
      askedAt,
      at: Date.now(),
    };
  } catch (error) {
    return { ok: false, error: toAppError(error) };
  }
}

export type Judgement = {
  readonly verdict: "fresh" | "stale" | "unknown";
  /** Key under `purge.why`, null when there is nothing to explain. */
  readonly why: string | null;
  readonly params: Readonly<Record<string, string | number>>;
  /** In the field's own signs, for example "Age 0 → 1, body = origin". */
  readonly evidence: string;
};

const gone = (status: number) => status === 404 || status === 410;

/**
 * What two readings of a layer say, given the origin's own and when the layer was last purged (UTC ms, null: not). Two origin
 * readings that differ cannot be compared with; then only a copy that was stored after the purge is fresh.
 */
export function judge(
  layer: readonly Reading[],
  origin: readonly Reading[] | null,
  purgedAt: number | null,
): Judgement {
  const failed = layer.find((one) => !one.ok);
  const last = layer.at(-1);
  if (failed && !failed.ok) {
    return {
      verdict: "unknown",
      why: "noAnswer",
      params: { code: failed.error.code },
      evidence: failed.error.message.slice(0, 200),
    };
  }
  if (!last?.ok) return { verdict: "unknown", why: "notLooked", params: {}, evidence: "" };
  const good = layer.filter((one) => one.ok);
  const words = good.map((one) => one.cache ?? "-").join(" → ");
  const ages = good.map((one) => (one.ageS === null ? "-" : String(one.ageS))).join(" → ");
  const seen = `${words === good.map(() => "-").join(" → ") ? "" : `${words}, `}Age ${ages}`;
  // Age counts whole seconds, and some layers round up.
  const older =
    last.ageS !== null && purgedAt !== null && last.at - last.ageS * 1000 < purgedAt - 1500
      ? { seconds: Math.round(last.ageS) }
      : null;
  const storedAfter = last.ageS !== null && purgedAt !== null && !older;
  if (last.status >= 500)
    return {
      verdict: "unknown",
      why: "layerFails",
      params: { status: last.status },
      evidence: `${seen}, ${last.status}`,
    };

  const truth = origin?.filter((one) => one.ok) ?? [];
  const [first, second] = truth;
  const byAge = (why: string, tells: string): Judgement =>
    storedAfter
      ? { verdict: "fresh", why, params: {}, evidence: `${seen}, stored after the purge, ${tells}` }
      : {
          verdict: older ? "stale" : "unknown",
          why: older ? "olderThanPurge" : why,
          params: older ?? {},
          evidence: `${seen}, ${tells}`,
        };
  if (origin === null) return byAge("noOrigin", "no origin to compare with");
  if (!first || !second)
    return {
      verdict: "unknown",
      why: "originNoAnswer",
      params: {},
      evidence: `${seen}, origin gave no answer`,
    };
  if (first.status >= 500 || second.status >= 500) {
    return {
      verdict: "unknown",
      why: "originFails",
      params: { status: first.status },
      evidence: `${seen}, origin ${first.status}`,
    };
  }
  if (gone(first.status) && gone(last.status)) {
    return {
      verdict: "fresh",
      why: "gone",
      params: {},
      evidence: `${seen}, ${last.status} = origin ${first.status}`,
    };
  }
  if (first.status !== second.status || first.hash !== second.hash)
    return byAge("cannotCompare", "origin differs from itself");
  if (last.status !== first.status) {
    return {
      verdict: "stale",
      why: "statusDiffers",
      params: { layer: last.status, origin: first.status },
      evidence: `${seen}, ${last.status} ≠ origin ${first.status}`,
    };
  }
  if (last.hash !== first.hash)
    return { verdict: "stale", why: "bodyDiffers", params: {}, evidence: `${seen}, body ≠ origin` };
  if (older) {
    // The same text as the origin's, yet the purge left this copy: it would have stayed had the page changed.
    return {
      verdict: "unknown",
      why: "olderThanPurge",
      params: older,
      evidence: `${seen}, body = origin, older than the purge`,
    };
  }
  return {
    verdict: "fresh",
    why: null,
    params: {},
    evidence: `${seen}, ${last.status >= 300 ? `${last.status} ` : ""}body = origin`,
  };
}
