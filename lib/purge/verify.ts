// Looks at every layer after a purge and says, with evidence, which serve the page as the origin has it now.
import { setMaxListeners } from "node:events";
import type { Config, SiteConfig } from "@/lib/config/schema";
import { toAppError } from "@/lib/errors/app-error";
import { each } from "@/lib/runtime/each";
import { addressOf, siteByName } from "@/lib/sites/site";
import { meters } from "@/lib/systems/cloudflare/purge";
import { exists, findKeys } from "@/lib/systems/redis/redis";
import { peek } from "@/lib/systems/varnish/http";
import type { PurgeProof } from "./contract";
import { type Item, redisKeys } from "./operations";
import { type Judgement, judge, type Reading, read } from "./reading";
import { type LayerState, type RunState, timed } from "./run-state";
import { type Caches, cachesOf, type VarnishCache } from "./stack";

export type ProofLayer = PurgeProof["layers"][number];
type Verdict = ProofLayer["verdict"];
type Page = { readonly site: SiteConfig; readonly host: string; readonly value: string };

/** Pages looked at by fetching them; of the rest of a big purge each is looked at by PEEK. */
export const MAX_FETCHED = 20;
/** How much is looked at: pages fetched, and addresses peeked at each node. */
export type Effort = { readonly fetched: number; readonly peeked: number };
const wholeEffort: Effort = { fetched: MAX_FETCHED, peeked: 20_000 };
const peeksAtOnce = 8;
const pagesAtOnce = 4;
/** Longer than the slowest backend that a second pass is meant for. */
const fetchTimeoutMs = 10_000;
const softTries = 8;

/** Since when a copy must be to have been stored after the last purge; UTC ms. */
function since(run: RunState, state: LayerState): number | null {
  const again =
    state.spans.find((span) => span.what === "again") ??
    state.spans.findLast((span) => span.what === "purge");
  return again ? run.startedAt + again.from : null;
}

/** The pages to fetch: those that were purged by address, evenly over a long list, or the sample where no address was named. */
export function pagesToFetch(
  config: Config,
  items: readonly Item[],
  run: Pick<RunState, "sample">,
  most = MAX_FETCHED,
): { pages: Page[]; of: number } {
  const page = (site: string | null, host: string, value: string): Page[] => {
    const found = site === null ? undefined : siteByName(config, site);
    return found ? [{ site: found, host, value }] : [];
  };
  const urls = items.filter((item) => item.type === "url");
  const step = Math.max(1, urls.length / most);
  const chosen =
    urls.length <= most
      ? urls
      : Array.from({ length: most }, (_, index) => urls[Math.floor(index * step)]).filter(
          (one) => one !== undefined,
        );
  const pages = chosen.flatMap((item) => page(item.site, item.host, item.value));
  if (items.some((item) => item.type !== "url")) {
    for (const one of run.sample) {
      const known = pages.some(({ host, value }) => host === one.host && value === one.key);
      if (pages.length < most && !known) pages.push(...page(one.site, one.host, one.key));
    }
  }
  return { pages, of: Math.max(urls.length, pages.length) };
}

type Tally = { fresh: number; stale: number; unknown: number };
type Seen = { readonly judgement: Judgement; readonly revision: string | null };

const worst = (tally: Tally): Verdict =>
  tally.stale > 0 ? "stale" : tally.unknown > 0 || tally.fresh === 0 ? "unknown" : "fresh";

/** Twice through one layer; soft purges give the old copy once more while the new one is fetched. */
async function lookTwice(
  page: Page,
  base: string,
  soft: boolean,
  origin: Promise<Reading[]> | null,
  from: number | null,
  signal: AbortSignal,
): Promise<Seen> {
  const [first = "gzip", ...others] = page.site.accept_encodings;
  const ask = (encoding: string) =>
    read(page.site, base, page, { encoding, timeoutMs: fetchTimeoutMs, signal });
  const readings = [await ask(first), await ask(first)];
  // Every other encoding is a copy of its own where the cache varies on it.
  for (const encoding of others.slice(0, 3)) readings.push(await ask(encoding));
  let truth = origin === null ? null : await origin;
  let seen = judge(readings, truth, from);
  const stale = () =>
    seen.verdict === "stale" || (soft && seen.verdict === "unknown" && seen.why === "olderThanPurge");
  for (let tries = 0; stale() && tries < (soft ? softTries : 1) && !signal.aborted; tries++) {
    await new Promise((resolve) => setTimeout(resolve, soft ? 250 : 20));
    // The page may have been edited between the two looks: compare with what the origin says now.
    const base = page.site.origin;
    truth =
      base === undefined
        ? null
        : await Promise.all(
            [1, 2].map(() =>
              read(page.site, base, page, { encoding: first, timeoutMs: fetchTimeoutMs, signal }),
            ),
          );
    readings.splice(0, readings.length, await ask(first), await ask(first));
    seen = judge(readings, truth, from);
  }
  const last = readings.at(-1);
  return { judgement: seen, revision: last?.ok ? last.revision : null };
}

const empty = (): Tally => ({ fresh: 0, stale: 0, unknown: 0 });

/** What a layer's state alone says: nothing there, waiting, refused. */
function whyOfState(run: RunState, state: LayerState, originRevision: string | null): ProofLayer["why"] {
  const why: ProofLayer["why"] = [];
  if (state.waiting > 0)
    why.push({
      key: "nodeDown",
      params: { waiting: state.waiting, code: state.error?.code ?? "UNREACHABLE" },
    });
  if (state.failed > 0) {
    why.push({
      key: "failed",
      params: {
        failed: state.failed,
        code: state.error?.code ?? "INTERNAL",
        says: state.error?.message.slice(0, 300) ?? "",
      },
    });
  }
  if (state.layer === "varnish" && originRevision !== null) {
    const caught = [...run.between].filter(
      ([id, revision]) => id.startsWith(`${state.system} `) && revision !== originRevision,
    );
    const [first] = caught;
    if (first) why.push({ key: "secondPassCaught", params: { count: caught.length, revision: first[1] } });
  }
  return why;
}

async function redisLayer(
  config: Config,
  items: readonly Item[],
  state: LayerState,
): Promise<{ verdict: Verdict; evidence: string }> {
  const system = config.systems.redis.find((one) => one.name === state.system);
  if (!system || state.failed > 0)
    return { verdict: "unknown", evidence: state.error?.message.slice(0, 200) ?? "" };
  let left = 0;
  try {
    for (const site of config.sites) {
      const own = items.filter((item) => item.site === site.name);
      const templates = site.caches.redis
        .filter((cache) => cache.system === system.name)
        .flatMap((cache) => cache.keys);
      if (own.length === 0 || templates.length === 0) continue;
      const { keys, patterns } = redisKeys(site, templates, own);
      left += (await exists(system, keys.slice(0, 1000))).filter(Boolean).length;
      for (const pattern of patterns.slice(0, 5)) left += (await findKeys(system, pattern, 100)).keys.length;
    }
  } catch (error) {
    return { verdict: "unknown", evidence: toAppError(error).message.slice(0, 200) };
  }
  // Redis says itself what it removed; what is there now was made after that, from the database.
  return {
    verdict: "fresh",
    evidence: `UNLINK ${state.removed ?? 0}, EXISTS → ${left}${left > 0 ? " (made again since)" : ""}`,
  };
}

/** Every purged address of a big purge at one node: gone, or stored since. */
async function peekAll(
  node: VarnishCache,
  items: readonly Item[],
  from: number,
  signal: AbortSignal,
  most: number,
): Promise<Tally & { peeked: number }> {
  const tally = { ...empty(), peeked: 0 };
  if (node.vcl === "plain") return tally;
  const urls = items.filter((item) => item.type === "url").slice(0, most);
  let dead = false;
  await each(urls, peeksAtOnce, async (item) => {
    if (dead || signal.aborted) return;
    try {
      const seen = await peek(node, item.host, item.value, { signal });
      tally.peeked++;
      if (seen.state === "miss") tally.fresh++;
      else if (seen.state === "unsupported") tally.unknown++;
      // Soft: still there, but no longer good without a new look at the origin.
      else if (Date.now() - seen.ageS * 1000 >= from - 1100 || (item.soft && seen.ttlS <= 0)) tally.fresh++;
      else tally.stale++;
    } catch {
      dead = true;
      tally.unknown++;
    }
  });
  return tally;
}

type LayerAsked = { readonly base: (page: Page) => string; readonly has: (caches: Caches) => boolean };

const askedOf = (config: Config, state: LayerState): LayerAsked | null => {
  if (state.layer === "nginx") {
    const system = config.systems.nginx.find((one) => one.name === state.system);
    return system
      ? { base: () => system.url, has: (caches) => caches.nginx.some((one) => one.name === state.system) }
      : null;
  }
  if (state.layer === "varnish") {
    const node = config.systems.varnish.find((one) => one.name === state.system);
    return node
      ? { base: () => node.url, has: (caches) => caches.varnish.some((one) => one.name === state.system) }
      : null;
  }
  if (state.layer === "cloudflare") {
    return {
      base: (page) => page.site.edge ?? addressOf(page.site, page.host).origin,
      has: (caches) => caches.cloudflare?.name === state.system,
    };
  }
  return null;
};

/** Judges one layer. `origins`: each page's two readings of the origin, shared by all layers. */
async function proveLayer(
  config: Config,
  items: readonly Item[],
  pages: readonly Page[],
  of: number,
  run: RunState,
  state: LayerState,
  origins: ReadonlyMap<Page, Promise<Reading[]> | null>,
  signal: AbortSignal,
  effort: Effort = wholeEffort,
): Promise<ProofLayer> {
  const first = pages[0];
  const firstOrigin = first ? await origins.get(first) : null;
  const truth = firstOrigin?.[0];
  const originRevision = truth?.ok ? truth.revision : null;
  const base = {
    layer: state.layer,
    system: state.system,
    purged: state.purged,
    failed: state.failed,
    waiting: state.waiting,
    before: run.before.get(`${state.layer} ${state.system}`) ?? null,
    spans: state.spans,
  };
  const why = whyOfState(run, state, originRevision);
  if (state.layer === "redis") {
    const { verdict, evidence } = await timed(run, state, "verify", () => redisLayer(config, items, state));
    const checked = { ...empty(), [verdict]: 1, of: 1 };
    return { ...base, verdict, revision: null, evidence, why, checked };
  }
  const asked = askedOf(config, state);
  if (!asked || state.waiting > 0) {
    return {
      ...base,
      verdict: "unknown",
      revision: null,
      evidence: state.error?.message.slice(0, 200) ?? "",
      why,
      checked: { ...empty(), unknown: of, of },
    };
  }
  return timed(run, state, "verify", async () => {
    const from = since(run, state);
    const own = pages.filter((page) => asked.has(cachesOf(config, page.site)));
    const soft = items.some((item) => item.soft);
    const seen = new Map<Page, Seen>();
    await each(own, pagesAtOnce, async (page) => {
      seen.set(page, await lookTwice(page, asked.base(page), soft, origins.get(page) ?? null, from, signal));
    });
    const tally: Tally & { peeked: number } = { ...empty(), peeked: 0 };
    for (const { judgement } of seen.values()) tally[judgement.verdict]++;
    const node = state.layer === "varnish" ? cachesOfNode(config, state.system) : null;
    if (node && of > own.length && from !== null) {
      const fetched = new Set(own.map((page) => `${page.host}${page.value}`));
      const rest = items.filter((item) => item.type === "url" && !fetched.has(`${item.host}${item.value}`));
      const peeked = await peekAll(node, rest, from, signal, effort.peeked);
      tally.fresh += peeked.fresh;
      tally.stale += peeked.stale;
      tally.unknown += peeked.unknown;
      tally.peeked = peeked.peeked;
    }
    const reasons = new Map<string, ProofLayer["why"][number]>();
    for (const { judgement } of seen.values())
      if (judgement.why !== null)
        reasons.set(judgement.why, { key: judgement.why, params: judgement.params });
    const checked = tally.fresh + tally.stale + tally.unknown;
    if (of > own.length) {
      const key = tally.peeked > 0 ? "sampledAndPeeked" : "sampled";
      reasons.set(key, { key, params: { fetched: own.length, peeked: tally.peeked, of } });
    }
    // The first page speaks for a good layer, the worst one for a bad one.
    const verdict = state.failed > 0 && tally.stale === 0 ? "unknown" : worst(tally);
    const shown =
      [...seen.values()].find((one) => one.judgement.verdict === verdict) ?? [...seen.values()][0];
    const main = first ? seen.get(first) : undefined;
    const more = checked > 1 ? `; ${tally.fresh} of ${checked} fresh` : "";
    return {
      ...base,
      verdict,
      revision: main?.revision ?? null,
      evidence: `${(verdict === "fresh" ? (main ?? shown) : shown)?.judgement.evidence ?? "nothing to look at"}${more}`,
      why: [...why, ...reasons.values()],
      checked: { fresh: tally.fresh, stale: tally.stale, unknown: tally.unknown, of },
    };
  });
}

const cachesOfNode = (config: Config, name: string): VarnishCache | null =>
  config.systems.varnish.find((one) => one.name === name) ?? null;

/** Two readings of each page's origin, one set for all layers; null for a site without one. */
function readOrigins(pages: readonly Page[], signal: AbortSignal): Map<Page, Promise<Reading[]> | null> {
  return new Map(
    pages.map((page): [Page, Promise<Reading[]> | null] => {
      const base = page.site.origin;
      const encoding = page.site.accept_encodings[0] ?? "gzip";
      const once = (origin: string) =>
        read(page.site, origin, page, { encoding, timeoutMs: fetchTimeoutMs, signal });
      return [page, base === undefined ? null : Promise.all([once(base), once(base)])];
    }),
  );
}

/** The proof of a purge. Inner layers are looked at with the outer ones at the same time; each page's origin is read twice, once for all. */
export async function prove(
  config: Config,
  items: readonly Item[],
  run: RunState,
  signal: AbortSignal,
  effort: Effort = wholeEffort,
): Promise<PurgeProof> {
  setMaxListeners(0, signal);
  const { pages, of } = pagesToFetch(config, items, run, effort.fetched);
  // Redis first: reading the origin fills it again.
  const inner = new Map<LayerState, ProofLayer>();
  for (const state of run.layers.filter((one) => one.layer === "redis")) {
    inner.set(state, await proveLayer(config, items, [], of, run, state, new Map(), signal));
  }
  const origins = readOrigins(pages, signal);
  const layers = await Promise.all(
    run.layers.map(
      async (state) =>
        inner.get(state) ?? proveLayer(config, items, pages, of, run, state, origins, signal, effort),
    ),
  );
  const verdicts = layers.map((layer) => layer.verdict);
  const verdict: Verdict = verdicts.includes("stale")
    ? "stale"
    : verdicts.includes("unknown") || verdicts.length === 0
      ? "unknown"
      : "fresh";
  const truth = pages[0] ? (await origins.get(pages[0]))?.[0] : undefined;
  const zone = config.systems.cloudflare.find((one) =>
    layers.some((layer) => layer.layer === "cloudflare" && layer.system === one.name),
  );
  const meter = zone ? meters(zone)[items.every((item) => item.type === "url") ? "urls" : "lookups"] : null;
  return {
    verdict,
    freshAfterMs: verdict === "fresh" ? Date.now() - run.startedAt : null,
    layers,
    origin: truth?.ok ? { revision: truth.revision, hash: truth.hash } : null,
    cloudflare: meter,
    warmed: run.warmed,
  };
}

/** The layers of `run` again, after the outbox gave a node what it was owed. */
export async function proveAgain(
  config: Config,
  items: readonly Item[],
  run: RunState,
  signal: AbortSignal,
): Promise<ProofLayer[]> {
  const { pages, of } = pagesToFetch(config, items, run);
  const origins = readOrigins(pages, signal);
  return Promise.all(
    run.layers.map((state) => proveLayer(config, items, pages, of, run, state, origins, signal)),
  );
}
