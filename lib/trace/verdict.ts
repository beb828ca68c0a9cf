// What the layers' answers say together: who answered a visitor, or where the fault begins. By what was seen only.

import type { AppError } from "../errors/app-error";
import type { Answer } from "../systems/exchange";
import type { Peek } from "../systems/varnish/http";
import type { Trace, TraceLayer, TraceRoute } from "./contract";
import { plainHeaders } from "./headers";
import { ageOf, edgeCache, hasMark, nginxCache, nginxWord, placeOf, varnishCache } from "./said";

/** One layer as it was asked. `answer` and `error` are null where it was not. */
export type Seen = {
  readonly kind: Exclude<TraceLayer["kind"], "application">;
  readonly name: string | null;
  readonly answer: Answer | null;
  readonly error: AppError | null;
  readonly route: TraceRoute | null;
  /** What the node had before it was asked; null where it does not tell. */
  readonly before: Peek | null;
  readonly page: string | null;
};
type Told = Omit<Trace["verdict"], "layer" | "behind"> & { layer: Seen | null; behind: Seen | null };

const told = (
  key: string,
  tone: Told["tone"],
  layer: Seen | null,
  params: Told["params"] = {},
  behind: Seen | null = null,
): Told => ({ key, tone, layer, behind, params });

const wasAsked = ({ answer, error }: Seen): boolean => answer !== null || error !== null;
/** No answer, or one that says that it failed. */
const isBad = ({ answer, error }: Seen): boolean => error !== null || (answer?.status ?? 0) >= 400;
const isNobodys = ({ route, answer }: Seen): boolean => route?.state === "nobody" && answer?.status === 404;
const levels = ["traefik", "varnish", "nginx", "origin"] as const;

/** Whether what the inner layer does is why the outer one does what it does. */
function explains(outer: Seen, inner: Seen): boolean {
  if (outer.error !== null) return outer.error.code === "TIMEOUT" && inner.error?.code === "TIMEOUT";
  const status = outer.answer?.status ?? 0;
  if (status >= 500) return inner.error !== null || (inner.answer?.status ?? 0) >= 500;
  if (inner.answer?.status !== status) return false;
  const place = (seen: Seen) => placeOf(seen.answer?.headers.location ?? "");
  return status >= 400 || place(outer) === place(inner);
}

/** From the outermost inwards, as far as each is explained by the next; `behind`: the one that does otherwise. */
function deepest(edge: Seen, all: readonly Seen[]): { at: Seen; behind: Seen | null; skipped: Seen[] } {
  let at = edge;
  const skipped: Seen[] = [];
  for (const kind of levels) {
    const level = all.filter((one) => one.kind === kind);
    const asked = level.filter(wasAsked);
    if (asked.length === 0) {
      skipped.push(...level);
      continue;
    }
    const next = asked.find((one) => explains(at, one));
    if (next === undefined) {
      const further = all.slice(all.indexOf(asked[0] ?? at)).filter(wasAsked);
      return { at, behind: further.find((one) => !isBad(one)) ?? asked[0] ?? null, skipped };
    }
    at = next;
    skipped.length = 0;
    // Its rules say so themselves: whatever is behind it was not asked.
    if (isNobodys(at)) break;
  }
  return { at, behind: null, skipped };
}

const noneUp = (route: TraceRoute | null): boolean =>
  route !== null && route.servers.length > 0 && route.servers.every(({ up }) => !up);

/** Of an answer that visitors cannot use. */
function faultOf(edge: Seen, all: readonly Seen[]): Told {
  const { at, behind, skipped } = deepest(edge, all);
  const status = at.answer?.status ?? edge.answer?.status ?? 0;
  // A Traefik that Sluice cannot ask is known by its rules and its servers.
  const unasked = skipped.filter((one) => one.kind === "traefik" && one.route !== null);
  const nobody = unasked.length > 0 && unasked.every((one) => one.route?.state === "nobody");
  const blamed = at.kind === "traefik" ? at : unasked.find((one) => noneUp(one.route));
  if (isNobodys(at)) return told("noRouter", "down", at, { status });
  if (at === edge && status === 404 && nobody) return told("noRouter", "down", unasked[0] ?? at, { status });
  if (blamed !== undefined && status >= 500 && noneUp(blamed.route))
    return told("noServer", "down", blamed, { status, service: blamed.route?.service ?? "" });
  if (at.error !== null) {
    if (behind?.answer) return told("silentBefore", "down", at, {}, behind);
    return told(all.some(({ answer }) => answer !== null) ? "silentAt" : "silent", "down", at, { status });
  }
  if (behind === null)
    return told(at.answer && hasMark(at.answer.headers) ? "faultApplication" : "faultInside", "down", at, {
      status,
    });
  if (at === edge && unasked.length > 0) return told("between", "down", at, { status }, behind);
  return told("faultAt", "down", at, { status }, behind);
}

/** Of an answer that visitors get: whether a cache gave it, and which. */
function answerOf(edge: Seen, all: readonly Seen[]): Told {
  const headers = edge.answer?.headers ?? {};
  const status = edge.answer?.status ?? 0;
  const cached = (layer: Seen | null, key: string, ageS: number | null) =>
    ageS === null ? told(`${key}Some`, "up", layer, { status }) : told(key, "up", layer, { status, ageS });
  /** From a cache, though not without what is behind it. */
  const askedBehind = (word: string | undefined, layer: Seen): Told | null => {
    const upper = word?.toUpperCase();
    if (upper === "STALE") return told("stale", "warn", layer, { status });
    return upper === "REVALIDATED" ? told("revalidated", "up", layer, { status }) : null;
  };
  const byEdge = edgeCache(headers);
  const behindEdge = askedBehind(headers["cf-cache-status"], edge);
  if (behindEdge !== null) return behindEdge;
  if (byEdge === "hit" || byEdge === "stale") return cached(edge, "cached", ageOf(headers));
  const nodes = all.filter(({ kind }) => kind === "varnish");
  const byVarnish = varnishCache(headers);
  if (byVarnish === "hit" && nodes.length > 0) {
    const served = nodes.find(({ name }) => name === headers["x-served-by"]);
    const node = served ?? (nodes.length === 1 ? nodes[0] : undefined) ?? null;
    const before = node?.before?.state === "hit" ? Math.round(node.before.ageS) : null;
    return cached(node, node === null ? "cachedNode" : "cached", ageOf(headers) ?? before);
  }
  const nginx = all.filter(({ kind }) => kind === "nginx");
  const byNginx = nginxCache(headers);
  if (byNginx === "hit" || byNginx === "stale") {
    const [only] = nginx;
    if (only !== undefined && nginx.length === 1)
      return askedBehind(nginxWord(headers), only) ?? told("cachedSome", "up", only, { status });
    return told("cachedNodeSome", "up", null, { status });
  }
  const isSilent = nodes.length > 0 && byVarnish === null;
  if (isSilent || [byEdge, byVarnish, byNginx].every((word) => word === null))
    return told("unsaid", "unknown", edge, { status });
  return told("made", "up", all.findLast((one) => one.answer !== null && !isBad(one)) ?? edge, { status });
}

/**
 * One sentence, by the outermost layer's answer and where it came from. `all`: outermost first; the first is the public address. `sent`:
 * what the person added to the request, which may come back in a redirect.
 */
export function verdictOf(all: readonly Seen[], sent: Readonly<Record<string, string>>): Told {
  const [edge] = all;
  if (edge === undefined) return told("silent", "down", null);
  if (isBad(edge)) return faultOf(edge, all);
  const { location } = plainHeaders(edge.answer?.headers ?? {}, sent);
  const status = edge.answer?.status ?? 0;
  if (status >= 300 && status < 400 && location !== undefined) {
    const { at, behind } = deepest(edge, all);
    return told("redirect", "up", at, { status, location: location.slice(0, 500) }, behind);
  }
  return answerOf(edge, all);
}

/** Layers that fail although visitors are answered; a Traefik that takes the address nowhere is another site's, where one takes it. */
export function failingIn(all: readonly Seen[]): Seen[] {
  const [edge, ...inner] = all;
  if (edge === undefined || isBad(edge)) return [];
  const taken = inner.some((one) => one.kind === "traefik" && one.answer !== null && !isBad(one));
  return inner.filter((one) => isBad(one) && !(taken && isNobodys(one)));
}
