// What a layer's answer says of itself: where the page came from, and what made it.
import { createHash } from "node:crypto";
import type { SiteConfig } from "../config/schema";
import { re2 } from "../sites/site";
import type { Answer } from "../systems/exchange";
import { plainBody } from "../systems/http/fetch-through";
import type { TraceLayer } from "./contract";

type Headers = Readonly<Record<string, string>>;
type Cache = TraceLayer["cache"];

/** A redirect's target without scheme and host: one layer may say it relatively, the other not. */
export const placeOf = (location: string): string => location.replace(/^https?:\/\/[^/?#]+/i, "");

/** What the page is, to compare it with another layer's; null where the answer has none to compare (HEAD, 304, no page). */
export function pageOf(site: SiteConfig, method: string, answer: Answer): string | null {
  const { status, headers } = answer;
  if (method === "HEAD" || status === 304 || status >= 500) return null;
  if (status >= 300 && status < 400 && headers.location !== undefined)
    return `${status} ${placeOf(headers.location)}`;
  try {
    const text = Buffer.from(plainBody(answer)).toString("latin1");
    const compared = site.ignore.reduce((left, pattern) => re2(pattern).matcher(left).replaceAll(""), text);
    return `${status} ${createHash("sha256").update(compared, "latin1").digest("hex")}`;
  } catch {
    // In a coding that is not known here.
    return null;
  }
}

const known: Readonly<Record<string, Cache>> = {
  HIT: "hit",
  REVALIDATED: "hit",
  STALE: "stale",
  UPDATING: "stale",
  MISS: "miss",
  EXPIRED: "miss",
  BYPASS: "pass",
  DYNAMIC: "pass",
  PASS: "pass",
};
const wordOf = (value: string | undefined): Cache => known[value?.trim().toUpperCase() ?? ""] ?? null;

/** Cloudflare's own word. */
export const edgeCache = (headers: Headers): Cache => wordOf(headers["cf-cache-status"]);

/** Two ids in X-Varnish: from its cache. X-Cache, where its VCL writes it, tells a pass. */
export function varnishCache(headers: Headers): Cache {
  const ids = headers["x-varnish"]?.trim();
  const word = /\b(hit|miss|pass)\b/i.exec(headers["x-cache"] ?? "")?.[1];
  if (ids !== undefined && /^\d+ +\d+$/.test(ids)) return "hit";
  const said = wordOf(word);
  return said ?? (ids === undefined ? null : "fetched");
}

const nginxNames = ["x-cache-status", "x-fastcgi-cache", "x-nginx-cache", "x-proxy-cache"] as const;
/** The header by which Nginx was told to show $upstream_cache_status. */
export const nginxWord = (headers: Headers): string | undefined =>
  nginxNames.map((name) => headers[name]).find((value) => value !== undefined);
export const nginxCache = (headers: Headers): Cache => wordOf(nginxWord(headers));

/** Seconds that the answer says it is old. */
export const ageOf = (headers: Headers): number | null =>
  /^\d{1,10}$/.test(headers.age ?? "") ? Number(headers.age) : null;

type Fact = TraceLayer["facts"][number];
/** Facts by their keys; what is not there is left out. */
export const factsOf = (all: Readonly<Record<string, string | number | null | undefined>>): Fact[] =>
  Object.entries(all).flatMap(([key, value]) =>
    value === null || value === undefined || value === "" ? [] : [{ key, value }],
  );

/** What each kind of layer says in its headers. */
export const saidBy: Readonly<Record<TraceLayer["kind"], (headers: Headers) => Fact[]>> = {
  edge: (headers) =>
    factsOf({
      word: headers["cf-cache-status"],
      ray: headers["cf-ray"],
      age: ageOf(headers),
      server: headers.server,
    }),
  traefik: () => [],
  varnish: (headers) =>
    factsOf({ word: headers["x-cache"], node: headers["x-served-by"], age: ageOf(headers) }),
  nginx: (headers) => factsOf({ word: nginxWord(headers), server: headers.server }),
  origin: (headers) => factsOf({ server: headers.server }),
  application: (headers) =>
    factsOf({
      poweredBy: headers["x-powered-by"] ?? headers["x-generator"],
      debugToken: headers["x-debug-token"],
      cacheControl: headers["cache-control"],
      tags: (
        headers["surrogate-key"] ??
        headers.xkey ??
        headers["cache-tags"] ??
        headers["cache-tag"] ??
        headers["x-cache-tags"]
      )?.slice(0, 500),
    }),
};
/** Whether the application has left its mark. */
export const hasMark = (headers: Headers): boolean =>
  saidBy.application(headers).some(({ key }) => key !== "cacheControl");
