// A site of sluice.yaml seen from its addresses: which hosts and ports are its own, and how one is called from outside.
import { RE2JS } from "re2js";
import type { Config, SiteConfig } from "@/lib/config/schema";
import { singleton } from "@/lib/runtime/singleton";

/** A host name as cache keys have it: lower case, punycode, without port and trailing dot. */
export const bareHost = (hostname: string): string => hostname.toLowerCase().replace(/\.$/, "");

/** The site's host names, the main one first. */
export const hostsOf = (site: SiteConfig): string[] => [
  ...new Set(site.addresses.map((address) => bareHost(new URL(address).hostname))),
];

/** The site's main host. */
export const mainHost = (site: SiteConfig): string => hostsOf(site)[0] ?? site.name;

/** The public address (scheme, host, port) a host of the site is visited at; the main one for an unknown host. */
export function addressOf(site: SiteConfig, host: string): URL {
  const own = site.addresses.find((address) => bareHost(new URL(address).hostname) === host);
  return new URL(own ?? site.addresses[0] ?? `http://${host}`);
}

/** The site a host belongs to. */
export const siteOfHost = (sites: readonly SiteConfig[], host: string): SiteConfig | undefined =>
  sites.find((site) => hostsOf(site).includes(host));

export const siteByName = (config: Config, name: string): SiteConfig | undefined =>
  config.sites.find((site) => site.name === name);

/** A pattern of sluice.yaml, compiled once. RE2: linear time whatever the pattern. */
export function re2(pattern: string): RE2JS {
  const known = singleton("sites.patterns", () => new Map<string, RE2JS>());
  const found = known.get(pattern);
  if (found) return found;
  if (known.size > 1000) known.clear();
  const made = RE2JS.compile(pattern);
  known.set(pattern, made);
  return made;
}
