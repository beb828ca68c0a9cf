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

type Page = {
  readonly host: string;
  readonly path: string;
  /** How its readers ask for it. A VCL may send everybody else elsewhere. */
  readonly scheme: "http" | "https";
};

/** The pages that a node is watched by: each of its sites' own watch page. */
export const pagesOf = (node: VclNodeConfig): Page[] =>
  config()
    .sites.filter(({ caches }) => caches.varnish.includes(node.name))
    .map(({ addresses, watch }) => {
      const { host, protocol } = new URL(addresses[0] ?? "");
      return { host, path: watch, scheme: protocol === "https:" ? "https" : "http" };
    });

export const pageName = ({ host, path }: Pick<Page, "host" | "path">): string => `${host}${path}`;

const countersShape = z.object({
  uptime: z.number(),
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
  pages: z.object({
    asked: z.int(),
    failed: z.int(),
    /** Looks that were answered with less than 400 each time. */
    well: z.array(z.string()),
  }),
  counters: countersShape.nullable(),
});
export type Window = z.infer<typeof windowShape>;

const countersOf = async (node: VclNodeConfig): Promise<Counters | null> =>
  node.metrics === undefined ? null : vclCounters(node, node.metrics).catch(() => null);

type Seen = {
  asked: number;
  failed: number;
  /** Each look, and whether all its answers were good. */
  readonly looks: Map<string, boolean>;
};
/** What could not be had in 4xx before, such as a page behind a password, is no failure. */
const isFailure = (status: number | null, wasWell: boolean): boolean =>
  status === null || status >= (wasWell ? 400 : 500);

/** One page as it is cached, and one that is not: a VCL may break either. */
async function askPages(
  node: VclNodeConfig,
  pages: readonly Page[],
  { seen, well }: { readonly seen: Seen; readonly well: ReadonlySet<string> },
  signal: AbortSignal,
): Promise<void> {
  const asked = pages.flatMap((page) => {
    const { path } = page;
    const fresh = `${path}${path.includes("?") ? "&" : "?"}sluice-look=${randomBytes(6).toString("hex")}`;
    return [
      { ...page, look: pageName(page) },
      { ...page, path: fresh, look: `${pageName(page)} fresh` },
    ];
  });
  const answers = await Promise.all(
    asked.map(async ({ host, path, scheme, look }) => {
      const headers = { "X-Forwarded-Proto": scheme };
      const status = await exchange({
        base: node.url,
        host,
        path,
        headers,
        timeoutMs: node.timeout,
        signal,
      }).then(
        (answer) => answer.status,
        () => null,
      );
      return { look, status };
    }),
  );
  signal.throwIfAborted();
  for (const { look, status } of answers) {
    seen.asked += 1;
    if (isFailure(status, well.has(look))) seen.failed += 1;
    seen.looks.set(look, seen.looks.get(look) !== false && status !== null && status < 400);
  }
}

const since = (before: Counters | null, now: Counters | null): Counters | null =>
  before === null || now === null
    ? null
    : {
        uptime: now.uptime - before.uptime,
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
 * Watches a node for so many seconds; at least one look at its pages is made. `before`: how it was; `bad` may end it early.
 * Throws what the signal was aborted with.
 */
export async function watchNode(
  node: VclNodeConfig,
  seconds: number,
  signal: AbortSignal,
  look: {
    readonly before?: Window;
    readonly bad?: (window: Window) => boolean;
    readonly tell?: (seconds: number) => void;
  } = {},
): Promise<Window> {
  const begun = Date.now();
  const pages = pagesOf(node);
  const well = new Set(look.before?.pages.well);
  const seen: Seen = { asked: 0, failed: 0, looks: new Map() };
  // An exporter that does not answer once leaves the others' answers.
  let first: Counters | null = null;
  let last: Counters | null = null;
  const count = async () => {
    last = (await countersOf(node)) ?? last;
    first ??= last;
  };
  await count();
  for (;;) {
    await askPages(node, pages, { seen, well }, signal);
    await count();
    const elapsed = (Date.now() - begun) / 1000;
    look.tell?.(Math.min(seconds, Math.floor(elapsed)));
    const { asked, failed, looks } = seen;
    const window: Window = {
      seconds: elapsed,
      pages: { asked, failed, well: [...looks].filter(([, good]) => good).map(([name]) => name) },
      counters: since(first, last),
    };
    if (elapsed >= seconds || look.bad?.(window) === true) return window;
    await sleep(Math.min(everyMs, Math.max(0, seconds * 1000 - (Date.now() - begun))), undefined, { signal });
  }
}

/** Why a node is worse than before: a word of messages `vcl.worse`, or null. Each rule needs something that was good before. */
export function worseThan(
  before: Window,
  now: Window,
): "pages" | "restarted" | "vclFail" | "fetches" | "hitRatio" | null {
  const share = ({ asked, failed }: Window["pages"]) => failed / Math.max(1, asked);
  // Where all were good, two that fail are enough; where some failed, it must be clearly more.
  const more = before.pages.failed === 0 || share(now.pages) > share(before.pages) + 0.1;
  if (now.pages.failed >= failedPages && more) return "pages";
  const [then, after] = [before.counters, now.counters];
  if (after === null) return null;
  // Counts begin anew with the child: a panic, or a VCL that ends it.
  if (Object.values(after).some((count) => count < 0)) return "restarted";
  if (then === null) return null;
  if (after.vclFail > 0 && then.vclFail === 0) return "vclFail";
  const fetches = ({ fetchFailed, requests }: Counters) => fetchFailed / Math.max(1, requests);
  if (after.fetchFailed >= failedFetches && fetches(after) > fetches(then) + failedShare) return "fetches";
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
