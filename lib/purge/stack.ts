// The caches of a site as sluice.yaml joins them, innermost first.
import type { Config, SiteConfig } from "@/lib/config/schema";
import type { CloudflareZone } from "@/lib/systems/cloudflare/api";
import type { RedisSystem } from "@/lib/systems/redis/redis";
import type { VarnishNode } from "@/lib/systems/varnish/http";

export type RedisCache = { readonly system: RedisSystem; readonly keys: readonly string[] };
export type NginxCache = Config["systems"]["nginx"][number];
export type VarnishCache = VarnishNode & Config["systems"]["varnish"][number];

export type Caches = {
  readonly redis: readonly RedisCache[];
  readonly nginx: readonly NginxCache[];
  readonly varnish: readonly VarnishCache[];
  readonly cloudflare: CloudflareZone | null;
};

const named = <T extends { readonly name: string }>(list: readonly T[], names: readonly string[]): T[] =>
  names.flatMap((name) => list.filter((one) => one.name === name));

/** The caches of one site. A name that no system has is left out: the configuration's check has told of it. */
export function cachesOf(config: Config, site: SiteConfig): Caches {
  const { redis, nginx, varnish, cloudflare } = site.caches;
  const zone = config.systems.cloudflare.find((one) => one.name === cloudflare);
  return {
    redis: redis.flatMap(({ system, keys }) =>
      named(config.systems.redis, [system]).map((found) => ({ system: found, keys })),
    ),
    nginx: named(config.systems.nginx, nginx).filter((one) => one.purge),
    varnish: named(config.systems.varnish, varnish),
    cloudflare: zone ?? null,
  };
}
