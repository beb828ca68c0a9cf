// What tells that a node got worse with a new VCL: pages asked through it, and its exporter's counters, before and after.
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { config } from "../config/load";
import { exchange } from "../systems/exchange";
import { vclCounters } from "../systems/varnish/probe";
import type { CanarySignals } from "./contract";
import type { VclNodeConfig } from "./nodes";

const everyMs = 1000;
/** So many requests make a hit ratio mean something. */
const enoughRequests = 50;
/** A hit ratio that falls by more than this is worse. */
const ratioFall = 0.3;
/** So many pages must fail, of which the VCL before answered. */
const failedPages = 2;
/** Failed fetches are worse when they are this many, and this share more of the requests than before. */
const failedFetches = 5;
const failedShare = 0.05;

type Page = { readonly host: string; readonly path: string };

/** The pages that a node is watched by: each of its sites' own watch page. */
export const pagesOf = (node: VclNodeConfig): Page[] =>
  config()
    .sites.filter(({ caches }) => caches.varnish.includes(node.name))
    .map(({ addresses, watch }) => ({ host: new URL(addresses[0] ?? "").host, path: watch }));

export const pageName = ({ host, path }: Page): string => `${host}${path}`;

const countersShape = z.object({
  requests: z.number(),
  hits: z.number(),
  misses: z.number(),
  vclFail: z.number(),
  fetchFailed: z.number(),
});
type Counters = z.infer<typeof countersShape>;
/** What was seen of a node in so many seconds; `counters`: what was added to them, null where nothing tells. */
export const windowShape = z.object({
  seconds: z.number(),
  pages: z.object({ asked: z.int(), failed: z.int() }),
  counters: countersShape.nullable(),
});
export type Window = z.infer<typeof windowShape>;

const countersOf = async (node: VclNodeConfig): Promise<Counters | null> =>
  node.metrics === undefined ? null : vclCounters(node, node.metrics).catch(() => null);

/** One page as it is cached, and one that is not: a VCL may break either. */
async function askPages(
  node: VclNodeConfig,
  pages: readonly Page[],
  seen: Window["pages"],
  signal: AbortSignal,
): Promise<void> {
  const asked = pages.flatMap(({ host, path }) => {
    const fresh = `${path}${path.includes("?") ? "&" : "?"}sluice-look=${randomBytes(6).toString("hex")}`;
    return [
      { host, path },
      { host, path: fresh },
    ];
  });
  const failed = await Promise.all(
    asked.map(async ({ host, path }) => {
      try {
        const { status } = await exchange({ base: node.url, host, path, timeoutMs: node.timeout, signal });
        return status >= 500;
      } catch {
        return true;
      }
    }),
  );
  signal.throwIfAborted();
  seen.asked += failed.length;
  seen.failed += failed.filter(Boolean).length;
}

const since = (before: Counters | null, now: Counters | null): Counters | null =>
  before === null || now === null
    ? null
    : {
        requests: now.requests - before.requests,
        hits: now.hits - before.hits,
        misses: now.misses - before.misses,
        vclFail: now.vclFail - before.vclFail,
        fetchFailed: now.fetchFailed - before.fetchFailed,
      };

const ratioOf = (counters: Counters | null): number | null => {
  if (counters === null) return null;
  const looked = counters.hits + counters.misses;
  return looked < enoughRequests ? null : counters.hits / looked;
};

/**
 * Watches a node for so many seconds; at least one look at its pages is made. `bad` may end it early.
 * Throws what the signal was aborted with.
 */
export async function watchNode(
  node: VclNodeConfig,
  seconds: number,
  signal: AbortSignal,
  look: { readonly bad?: (window: Window) => boolean; readonly tell?: (seconds: number) => void } = {},
): Promise<Window> {
  const begun = Date.now();
  const pages = pagesOf(node);
  const seen: Window["pages"] = { asked: 0, failed: 0 };
  const before = await countersOf(node);
  for (;;) {
    await askPages(node, pages, seen, signal);
    const elapsed = (Date.now() - begun) / 1000;
    look.tell?.(Math.min(seconds, Math.floor(elapsed)));
    const window = { seconds: elapsed, pages: { ...seen }, counters: since(before, await countersOf(node)) };
    if (elapsed >= seconds || look.bad?.(window) === true) return window;
    await sleep(Math.min(everyMs, Math.max(0, seconds * 1000 - (Date.now() - begun))), undefined, { signal });
  }
}

/** Why a node is worse than before: a word of messages `vcl.worse`, or null. Each rule needs something that was good before. */
export function worseThan(before: Window, now: Window): "pages" | "vclFail" | "fetches" | "hitRatio" | null {
  const wasFailing = before.pages.asked === 0 ? 0 : before.pages.failed / before.pages.asked;
  if (now.pages.failed >= failedPages && now.pages.failed / now.pages.asked > wasFailing + 0.1)
    return "pages";
  const [then, after] = [before.counters, now.counters];
  if (then === null || after === null) return null;
  if (after.vclFail > 0 && then.vclFail === 0) return "vclFail";
  const share = ({ fetchFailed, requests }: Counters) => fetchFailed / Math.max(1, requests);
  if (after.fetchFailed >= failedFetches && share(after) > share(then) + failedShare) return "fetches";
  const [was, is] = [ratioOf(then), ratioOf(after)];
  return was !== null && is !== null && is < was - ratioFall ? "hitRatio" : null;
}

/** Both windows as the change keeps them. */
export const signalsOf = (before: Window, now: Window): CanarySignals => ({
  seconds: Math.round(now.seconds),
  pages:
    now.pages.asked === 0
      ? null
      : {
          asked: now.pages.asked,
          failed: now.pages.failed,
          askedBefore: before.pages.asked,
          failedBefore: before.pages.failed,
        },
  counters:
    now.counters === null
      ? null
      : {
          requests: now.counters.requests,
          vclFail: now.counters.vclFail,
          fetchFailed: now.counters.fetchFailed,
          hitRatio: ratioOf(now.counters),
          hitRatioBefore: ratioOf(before.counters),
        },
});
