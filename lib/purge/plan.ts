// The plan of a purge: every object, every layer that will be told, and what is cached there now.
import type { Config, SiteConfig } from "@/lib/config/schema";
import { toAppError } from "@/lib/errors/app-error";
import { addressOf } from "@/lib/sites/site";
import { predictWaitMs } from "@/lib/systems/cloudflare/purge";
import { calls } from "@/lib/systems/cloudflare/target";
import { fetchThrough } from "@/lib/systems/http/fetch-through";
import { inspectKeys } from "@/lib/systems/redis/redis";
import { peek } from "@/lib/systems/varnish/http";
import { type Cached, MAX_LISTED, type PurgeObject, type PurgePlan, type PurgeTarget } from "./contract";
import { within } from "./find";
import { type Gathered, gather, MAX_LOOKED_UP } from "./gather";
import { isDown, nodeAnswered, nodeFailed } from "./nodes";
import { cloudflareTargets, type Item, nginxAddresses, redisKeys, varnishOrders } from "./operations";
import { cachesOf, type RedisCache, type VarnishCache } from "./stack";

type PlanLayer = PurgePlan["layers"][number];
type Warning = PurgePlan["warnings"][number];

/** Together under 400 ms: what is not known by then is "unknown", and the purge does not depend on it. */
const findMs = 150;
const lookMs = 200;
const edgeMs = 200;
const mostEdgeLooks = 5;
/** From this many pages on a purge is disruptive: the origin will have to make them all again. */
export const MANY_PAGES = 1000;

const unknown = (why: string): Cached => ({ state: "unknown", why });

/** How dangerous: addresses can be made again at once, whole areas load the origin, everything is typed. */
export function levelOf(target: PurgeTarget, pages: number): Pick<PurgePlan, "level" | "confirmation"> {
  if (target.by === "everything") return { level: "destructive", confirmation: "everything" };
  return {
    level: target.by === "url" && pages <= MANY_PAGES ? "reversible" : "disruptive",
    confirmation: null,
  };
}

async function lookNode(
  node: VarnishCache,
  listed: readonly PurgeObject[],
): Promise<Pick<PlanLayer, "now" | "error">> {
  const now: PlanLayer["now"] = [];
  let error: string | null = null;
  if (node.vcl === "plain")
    return { now: listed.map((_, object) => ({ object, cached: unknown("cannotPeek") })), error };
  const queue = listed
    .map((object, index) => ({ object, index }))
    .filter(({ object }) => object.type === "url");
  const seen = new Map<number, Cached>();
  const worker = async () => {
    for (let one = queue.shift(); one && error === null; one = queue.shift()) {
      try {
        const found = await peek(node, one.object.host, one.object.value);
        if (found.state !== "unsupported") nodeAnswered(node.name, found.boot);
        seen.set(
          one.index,
          found.state === "unsupported"
            ? unknown("cannotPeek")
            : found.state === "miss"
              ? { state: "miss" }
              : {
                  state: "hit",
                  ageS: found.ageS,
                  hits: found.hits,
                  ttlS: found.ttlS,
                  revision: found.revision,
                  detail: null,
                },
        );
      } catch (thrown) {
        const failed = toAppError(thrown);
        if (failed.code === "UNREACHABLE" || failed.code === "TIMEOUT") nodeFailed(node.name);
        error = failed.code;
      }
    }
  };
  const late = await within(
    lookMs,
    Promise.all(Array.from({ length: 6 }, worker)).then(() => false),
    true,
  );
  if (late && seen.size === 0) error ??= "TIMEOUT";
  for (const [index, object] of listed.entries()) {
    if (object.type === "url")
      now.push({ object: index, cached: seen.get(index) ?? unknown(error ?? "TIMEOUT") });
  }
  return { now, error };
}

async function lookRedis(
  site: SiteConfig,
  caches: readonly RedisCache[],
  listed: readonly PurgeObject[],
): Promise<Pick<PlanLayer, "now" | "error">> {
  const now: PlanLayer["now"] = [];
  let error: string | null = null;
  const looks = listed.map(async (object, index) => {
    if (
      object.type !== "url" ||
      object.site !== site.name ||
      (object.label !== "page" && object.label !== "sibling")
    )
      return;
    for (const { system, keys: templates } of caches) {
      const { keys } = redisKeys(site, templates, [{ ...object, soft: false }]);
      if (keys.length === 0) continue;
      try {
        const { keys: states } = await inspectKeys(system, { keys });
        const found = states.find((state) => state.type !== "none");
        now.push({
          object: index,
          cached: found
            ? { state: "hit", ageS: null, hits: null, ttlS: found.ttlS, revision: null, detail: found.key }
            : { state: "miss" },
        });
      } catch (thrown) {
        error = toAppError(thrown).code;
        now.push({ object: index, cached: unknown(error) });
      }
    }
  });
  if (
    await within(
      lookMs,
      Promise.all(looks).then(() => false),
      true,
    )
  )
    error ??= "TIMEOUT";
  return { now: now.sort((a, b) => a.object - b.object), error };
}

/**
 * What the edge has, for the first pages. Cloudflare has no way to ask without asking for the page: a HEAD is what a visitor's
 * first request would be, and what it fills is purged with the rest.
 */
async function lookEdge(
  sites: readonly SiteConfig[],
  listed: readonly PurgeObject[],
): Promise<PlanLayer["now"]> {
  const chosen = listed
    .map((object, index) => ({ object, index }))
    .filter(({ object }) => object.type === "url" && (object.label === "page" || object.label === "sibling"))
    .slice(0, mostEdgeLooks);
  return Promise.all(
    chosen.map(async ({ object, index }) => {
      const site = sites.find((one) => one.name === object.site);
      if (!site) return { object: index, cached: unknown("NOT_CONFIGURED") };
      const cached = await within(
        edgeMs,
        fetchThrough({
          base: site.edge ?? addressOf(site, object.host).origin,
          host: object.host,
          path: object.value,
          method: "HEAD",
          timeoutMs: edgeMs,
        })
          .then(({ headers }): Cached => {
            const word = headers["cf-cache-status"];
            if (word === undefined) return unknown("noCacheStatus");
            const age = /^\d+$/.test(headers.age ?? "") ? Number(headers.age) : null;
            const held = ["HIT", "STALE", "UPDATING", "REVALIDATED", "EXPIRED"].includes(word);
            return held
              ? {
                  state: "hit",
                  ageS: age,
                  hits: null,
                  ttlS: null,
                  revision: headers["x-revision"] ?? null,
                  detail: word,
                }
              : { state: "miss" };
          })
          .catch((error: unknown): Cached => unknown(toAppError(error).code)),
        unknown("TIMEOUT"),
      );
      return { object: index, cached };
    }),
  );
}

const asItem =
  (soft: boolean) =>
  (object: PurgeObject): Item => ({
    type: object.type,
    host: object.host,
    value: object.value,
    site: object.site,
    soft,
  });

/** Every layer of the sites with what it will be told; a system that serves several sites once. */
async function layersOf(
  config: Config,
  gathered: Gathered,
  soft: boolean,
): Promise<{ layers: PlanLayer[]; warnings: Warning[] }> {
  const layers = new Map<string, PlanLayer>();
  const warnings: Warning[] = [];
  const listed = gathered.objects.slice(0, MAX_LISTED);
  const items = gathered.objects.map(asItem(soft));
  const put = (layer: PlanLayer) => {
    const id = `${layer.layer} ${layer.system}`;
    const known = layers.get(id);
    if (!known) layers.set(id, layer);
    else {
      known.operations += layer.operations;
      if (layer.layer === "redis") known.now.push(...layer.now);
      if (layer.waitMs !== null) known.waitMs = (known.waitMs ?? 0) + layer.waitMs;
    }
  };
  const nodes = new Map<string, Promise<Pick<PlanLayer, "now" | "error">>>();
  for (const site of gathered.sites) {
    for (const node of cachesOf(config, site).varnish)
      if (!nodes.has(node.name)) nodes.set(node.name, lookNode(node, listed));
  }
  const redis = gathered.sites.map((site) =>
    Promise.all(
      [...new Set(site.caches.redis.map((cache) => cache.system))].map(async (name) => {
        const caches = cachesOf(config, site).redis.filter((cache) => cache.system.name === name);
        return { name, caches, ...(await lookRedis(site, caches, listed)) };
      }),
    ),
  );
  const seenNodes = new Map(
    await Promise.all([...nodes].map(async ([name, look]) => [name, await look] as const)),
  );
  const edge = gathered.sites.some((site) => cachesOf(config, site).cloudflare)
    ? await lookEdge(gathered.sites, listed)
    : [];
  for (const [index, site] of gathered.sites.entries()) {
    const own = items.filter((item) => item.site === site.name);
    const caches = cachesOf(config, site);
    for (const { name, caches: keyed, now, error } of (await redis[index]) ?? []) {
      const { keys, patterns } = redisKeys(
        site,
        keyed.flatMap((cache) => cache.keys),
        own,
      );
      put({
        layer: "redis",
        system: name,
        operations: keys.length + patterns.length,
        waitMs: null,
        now,
        error,
      });
      if (error !== null) warnings.push({ problem: "plan.redisDown", params: { system: name, code: error } });
    }
    const addresses = nginxAddresses(own).length;
    for (const { name } of caches.nginx) {
      put({ layer: "nginx", system: name, operations: addresses, waitMs: null, now: [], error: null });
      if (own.some((item) => item.type !== "url"))
        warnings.push({ problem: "plan.nginxBySitemap", params: { system: name } });
    }
    const orders = varnishOrders(site, own).length;
    for (const node of caches.varnish) {
      const seen = seenNodes.get(node.name);
      put({
        layer: "varnish",
        system: node.name,
        operations: orders,
        waitMs: null,
        now: [...(seen?.now ?? [])],
        error: seen?.error ?? null,
      });
      if (seen?.error || isDown(node.name))
        warnings.push({
          problem: seen?.error === "REFUSED" ? "plan.nodeRefuses" : "plan.nodeDown",
          params: { node: node.name, code: seen?.error ?? "UNREACHABLE" },
        });
      if (node.vcl === "plain" && own.some((item) => item.type !== "url"))
        warnings.push({ problem: "plan.plainVcl", params: { node: node.name } });
    }
    if (caches.cloudflare) {
      const zone = caches.cloudflare;
      const targets = cloudflareTargets(site, own);
      const operations = targets.reduce(
        (sum, { target }) => sum + calls(target, zone.urls_per_call).length,
        0,
      );
      const waitMs = targets.reduce((sum, { target }) => sum + predictWaitMs(zone, target), 0);
      put({ layer: "cloudflare", system: zone.name, operations, waitMs, now: edge, error: null });
    }
  }
  return { layers: inOrder([...layers.values()]), warnings: once(warnings) };
}

const order = ["redis", "nginx", "varnish", "cloudflare"];
const inOrder = (layers: PlanLayer[]): PlanLayer[] =>
  layers.sort((a, b) => order.indexOf(a.layer) - order.indexOf(b.layer));
const once = (warnings: readonly Warning[]): Warning[] => [
  ...new Map(warnings.map((one) => [JSON.stringify(one), one])).values(),
];

/** Makes the plan. A system that is down is a value in it. Throws AppError INVALID_INPUT, NOT_FOUND, NOT_CONFIGURED. */
export async function planPurge(
  config: Config,
  input: Pick<PurgePlan, "target" | "mode" | "warm">,
  allowed: readonly string[] | null,
): Promise<PurgePlan> {
  const gathered = await gather(config, input.target, allowed, findMs);
  const { layers, warnings } = await layersOf(config, gathered, input.mode === "soft");
  if (input.target.by === "url" && gathered.pages > MAX_LOOKED_UP) {
    warnings.push({
      problem: "plan.siblingsSkipped",
      params: { pages: gathered.pages, most: MAX_LOOKED_UP },
    });
  }
  if (gathered.carriers && gathered.carriers.found === 0) {
    warnings.push({ problem: "plan.tagUnknown", params: { looked: gathered.carriers.looked } });
  }
  if (layers.length === 0) warnings.push({ problem: "plan.noCaches", params: {} });
  return {
    target: input.target,
    mode: input.mode,
    warm: input.warm,
    sites: gathered.sites.map((site) => site.name),
    pages: gathered.pages,
    objects: gathered.objects.slice(0, MAX_LISTED),
    objectCount: gathered.objects.length,
    layers,
    secondPassMs: Math.max(0, ...gathered.sites.map((site) => site.second_pass)),
    ...levelOf(input.target, gathered.pages),
    warnings,
  };
}
