// What hangs on what: the layers that requests flow through, and for each component what it cannot do without.

import { systemsCalled } from "../config/cross-references";
import type { Config } from "../config/schema";
import type { HealthState, Layer } from "./contract";

/** A component as far as the graph needs it. */
export type Node = {
  readonly key: string;
  readonly layer: Layer;
  readonly dependsOn: readonly string[];
  /** Nobody wrote that it depends on those: they are the next layer. */
  readonly guessed: boolean;
  /** It is looked at by a door of its own, through which nothing below it is asked: that it is down is no fault of those. */
  readonly alone: boolean;
};
/** How a component is. `since`: ms. `alone`: that it is down is no fault of what is below it. */
export type Standing = { readonly state: HealthState; readonly since: number; readonly alone: boolean };

/** Looks are so far apart that what fails may be seen before what it fails for. */
export const togetherMs = 60_000;
/** An outage may deepen for so long before what it fails for is down, too. */
export const graduallyMs = 5 * 60_000;
/** Caches may hide for so long that what they fetch from is down; what fails later fails for something else. */
export const dryMs = 3_600_000;

const layerOfKind: Readonly<Record<string, Layer>> = {
  site: "site",
  cloudflare: "edge",
  traefik: "router",
  varnish: "cache",
  nginx: "web",
  php_fpm: "app",
  mariadb: "store",
  redis: "store",
  solr: "store",
};

/** The layer of a system; an HTTP address is of the application when its role says so. */
export function layerOf(kind: string, role?: string): Layer {
  if (kind === "http" && (role === "symfony" || role === "nuxt")) return "app";
  return layerOfKind[kind] ?? "side";
}

/** The way inwards: each layer leads to the next one of which something is configured. */
const flow: readonly Layer[] = ["edge", "router", "cache", "web", "app", "store"];

type System = {
  readonly name: string;
  readonly depends_on: readonly string[];
  readonly role?: string;
  readonly status?: string;
};

/**
 * Every component of a configuration with what it depends on: what `depends_on` says, else everything of the next layer inwards that
 * is there. A site depends on the caches that it names, and on its way in.
 */
export function graphOf(config: Config): Node[] {
  const systems = Object.entries(config.systems).flatMap(([kind, all]) =>
    (all as readonly System[]).map((system) => ({
      key: `${kind}/${system.name}`,
      layer: layerOf(kind, system.role),
      refs: system.depends_on,
      ownDoor: kind === "traefik" || (kind === "nginx" && system.status !== undefined),
      // Its health route is answered by PHP's workers, in the same layer.
      beside: kind === "http" && system.role === "symfony" ? config.systems.php_fpm : [],
    })),
  );
  const inLayer = (layer: Layer) => systems.filter((one) => one.layer === layer).map(({ key }) => key);
  const next = (layer: Layer): string[] => {
    const at = flow.indexOf(layer);
    if (at < 0) return [];
    for (const inner of flow.slice(at + 1)) {
      const there = inLayer(inner);
      if (there.length > 0) return there;
    }
    return [];
  };
  const nodes = systems.map(({ key, layer, refs, ownDoor, beside }) => ({
    key,
    layer,
    guessed: refs.length === 0,
    // What somebody wrote into depends_on is believed.
    alone: ownDoor && refs.length === 0,
    dependsOn:
      refs.length > 0
        ? refs.flatMap((ref) => systemsCalled(config, ref))
        : [...beside.map(({ name }) => `php_fpm/${name}`), ...next(layer).filter((one) => one !== key)],
  }));
  const sites = config.sites.map(({ name, caches }) => {
    const own = [
      ...(caches.cloudflare === undefined ? [] : [`cloudflare/${caches.cloudflare}`]),
      ...caches.varnish.map((one) => `varnish/${one}`),
      ...caches.nginx.map((one) => `nginx/${one}`),
      ...caches.redis.map(({ system }) => `redis/${system}`),
    ];
    const there = own.filter((key) => systems.some((system) => system.key === key));
    const outermost = flow.map(inLayer).find((keys) => keys.length > 0) ?? [];
    return {
      key: `site/${name}`,
      layer: "site" as const,
      dependsOn: there.length > 0 ? there : outermost,
      guessed: false,
      alone: false,
    };
  });
  return [...sites, ...nodes];
}

/** Everything below `key`, nearest first. Cycles are walked once. */
export function below(key: string, nodes: ReadonlyMap<string, Pick<Node, "dependsOn">>): string[] {
  const seen = new Set<string>();
  const queue = [...(nodes.get(key)?.dependsOn ?? [])];
  for (const next of queue) {
    if (next === key || seen.has(next) || !nodes.has(next)) continue;
    seen.add(next);
    queue.push(...(nodes.get(next)?.dependsOn ?? []));
  }
  return [...seen];
}

/**
 * The component that `key` fails for: the deepest one below it that is down by itself, rather one that went down with it than one that it
 * got on without for a while; null when there is none. What went down long before or after it is not why. `before`: the cause until now,
 * which stays while it may be.
 */
export function causeOf(
  key: string,
  nodes: ReadonlyMap<string, Pick<Node, "dependsOn">>,
  standing: (key: string) => Standing,
  before: string | null = null,
): string | null {
  const own = standing(key);
  if (own.state === "down" && own.alone) return null;
  const isDown = (one: string) => standing(one).state === "down";
  const down = below(key, nodes).filter(isDown);
  const roots = down.filter((one) => standing(one).alone || !below(one, nodes).some(isDown));
  // A circle has no end.
  const causes = (roots.length > 0 ? roots : down).filter(
    (one) => standing(one).since >= own.since - dryMs && standing(one).since <= own.since + graduallyMs,
  );
  if (before !== null && causes.includes(before)) return before;
  const lately = causes.filter((one) => standing(one).since >= own.since - togetherMs);
  // Of several, the one that is farthest from the visitors: found last.
  return lately.at(-1) ?? causes.at(-1) ?? null;
}
