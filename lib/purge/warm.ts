// Fetches purged pages again, throttled, so that the first visitor does not wait.
import type { Config, SiteConfig } from "@/lib/config/schema";
import { addressOf, siteByName } from "@/lib/sites/site";
import { fetchThrough } from "@/lib/systems/http/fetch-through";
import type { PurgeProof } from "./contract";
import { sitemapPages } from "./find";
import type { Item } from "./operations";
import { cachesOf } from "./stack";

const mostWarmed = 10_000;
const atOnce = 4;
const timeoutMs = 15_000;

type Page = { readonly site: SiteConfig; readonly host: string; readonly key: string };

/** Through the edge, which fills every layer on the way; through each node as well, since the edge asks only one. */
const doors = (config: Config, page: Page): string[] => {
  const caches = cachesOf(config, page.site);
  const nodes = caches.varnish.map((node) => node.url);
  return caches.cloudflare || nodes.length === 0
    ? [...nodes, page.site.edge ?? addressOf(page.site, page.host).origin]
    : nodes;
};

/** Warms the purged addresses, or the sites' sitemaps; at most `warm.per_second` pages of a site each second. */
export async function warm(
  config: Config,
  how: "list" | "sitemap",
  items: readonly Item[],
  signal: AbortSignal,
  progress: (done: number, total: number) => void,
): Promise<NonNullable<PurgeProof["warmed"]>> {
  const names = [...new Set(items.map((item) => item.site))].flatMap((name) => (name === null ? [] : [name]));
  const sites = names.flatMap((name) => siteByName(config, name) ?? []);
  const pages: Page[] = [];
  for (const site of sites) {
    const named = items
      .filter((item) => item.site === site.name && item.type === "url")
      .map((item) => ({ host: item.host, key: item.value }));
    const list =
      how === "sitemap" || named.length === 0
        ? await sitemapPages(site, mostWarmed - pages.length, signal)
        : named;
    for (const { host, key } of list.slice(0, mostWarmed - pages.length)) pages.push({ site, host, key });
  }
  const result = { done: 0, failed: 0, of: pages.length };
  let next = 0;
  let begin = Date.now();
  const worker = async () => {
    for (let page = pages[next++]; page && !signal.aborted; page = pages[next++]) {
      const at = begin;
      begin = Math.max(begin, Date.now()) + 1000 / page.site.warm.per_second;
      if (at > Date.now()) await new Promise((resolve) => setTimeout(resolve, at - Date.now()));
      const { host, key, site } = page;
      const headers = {
        "accept-encoding": site.accept_encodings[0] ?? "gzip",
        accept: "*/*",
        "user-agent": "Sluice-Warm/1",
      };
      let good = true;
      for (const base of doors(config, page)) {
        try {
          const answer = await fetchThrough({ base, host, path: key, headers, timeoutMs, signal });
          if (answer.status >= 500) good = false;
        } catch {
          good = false;
        }
      }
      if (good) result.done++;
      else result.failed++;
      progress(result.done + result.failed, pages.length);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return result;
}
