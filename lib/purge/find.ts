// Finds out what a page's address does not tell: its translations (from the origin) and the tags its cached copies carry.
import type { Config, SiteConfig } from "@/lib/config/schema";
import { singleton } from "@/lib/runtime/singleton";
import type { Address } from "@/lib/sites/address";
import { keyOf } from "@/lib/sites/address";
import { bareHost, hostsOf, mainHost } from "@/lib/sites/site";
import { fetchThrough, plainBody } from "@/lib/systems/http/fetch-through";
import { peek } from "@/lib/systems/varnish/http";
import { type Found, MAX_OWN_TAGS, nothingFound, siblingsIn } from "./expand";
import { isDown } from "./nodes";
import { type Caches, cachesOf } from "./stack";

type Sibling = { readonly host: string; readonly key: string };
const keepMs = 30_000;
const mostKept = 2000;
/** Longest a background look at the origin may take: nobody waits for it that long. */
const originTimeoutMs = 5000;

type Look = { readonly at: number; readonly siblings: Promise<readonly Sibling[]> };
const looks = () => singleton("purge.siblings", () => new Map<string, Look>());

/** The page's translations by its origin; an origin that fails has none. Kept for 30 s: plan and apply ask the same. */
function siblingsOf(page: Address): Promise<readonly Sibling[]> {
  const { site } = page;
  if (!site.siblings || site.origin === undefined) return Promise.resolve([]);
  const base = site.origin;
  const id = `${site.name} ${page.host}${page.key}`;
  const all = looks();
  const known = all.get(id);
  if (known && Date.now() - known.at < keepMs) return known.siblings;
  if (all.size >= mostKept) all.clear();
  const siblings = fetchThrough({
    base,
    host: page.host,
    path: page.key,
    timeoutMs: originTimeoutMs,
    maxBytes: 2 * 1024 * 1024,
  })
    .then((answer): readonly Sibling[] => {
      if (answer.status !== 200) return [];
      const html = /html/i.test(answer.headers["content-type"] ?? "")
        ? Buffer.from(plainBody(answer)).toString("utf8")
        : "";
      return siblingsIn(page, answer.headers.link, html);
    })
    .catch((): readonly Sibling[] => {
      all.delete(id);
      return [];
    });
  all.set(id, { at: Date.now(), siblings });
  return siblings;
}

/** The value, or `otherwise` when it takes longer than `ms`. */
export async function within<T>(ms: number, value: Promise<T>, otherwise: T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(otherwise), ms);
  });
  try {
    return await Promise.race([value, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function tagsOf(page: Address, caches: Caches): Promise<string[]> {
  if (page.site.tags !== "own") return [];
  const found = await Promise.all(
    caches.varnish.map(async (node) => {
      try {
        const seen = await peek(node, page.host, page.key);
        return seen.state === "hit" ? seen.tags : [];
      } catch {
        return [];
      }
    }),
  );
  return [...new Set(found.flat())]
    .filter((tag) => /^[\x21-\x7e]{1,1024}$/.test(tag) && !tag.includes(","))
    .slice(0, MAX_OWN_TAGS);
}

/** What is known of a page within `ms`; what comes later is left out (and is there for the next who asks). */
export async function findOut(page: Address, caches: Caches, ms: number): Promise<Found> {
  const [siblings, tags] = await Promise.all([
    within(ms, siblingsOf(page), nothingFound.siblings),
    within(ms, tagsOf(page, caches), []),
  ]);
  return { siblings, tags };
}

const mostSitemaps = 10;
const sitemapBytes = 10 * 1024 * 1024;
const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** `<loc>` of a sitemap or a sitemap index. Nothing else of XML is looked at: no entity is declared, no DTD read. */
export function locations(xml: string): { index: boolean; urls: string[] } {
  const urls = [
    ...xml.matchAll(/<loc>\s*(?:<!\[CDATA\[)?\s*([^<>\]\s]{1,8192})\s*(?:\]\]>)?\s*<\/loc>/g),
  ].map(([, text]) =>
    (text ?? "").replace(/&(amp|lt|gt|quot|apos);/g, (_whole, name: string) => entities[name] ?? ""),
  );
  return { index: /<sitemapindex[\s>]/.test(xml), urls };
}

/** Pages of a site by its sitemap (and those it names), only the site's own hosts, at most `limit`. Empty when there is none. */
export async function sitemapPages(
  site: SiteConfig,
  limit: number,
  signal?: AbortSignal,
): Promise<{ host: string; key: string }[]> {
  const base = site.origin ?? site.edge ?? site.addresses[0];
  if (base === undefined) return [];
  const hosts = hostsOf(site);
  const own = (text: string): { host: string; key: string } | null => {
    if (!URL.canParse(text)) return null;
    const url = new URL(text);
    const host = bareHost(url.hostname);
    return /^https?:$/.test(url.protocol) && hosts.includes(host) && url.username === ""
      ? { host, key: keyOf(site, url.pathname + url.search) }
      : null;
  };
  const queue: { host: string; key: string }[] = [{ host: mainHost(site), key: site.sitemap }];
  const pages = new Map<string, { host: string; key: string }>();
  for (let read = 0; read < mostSitemaps && pages.size < limit; read++) {
    const next = queue.shift();
    if (!next || signal?.aborted) break;
    try {
      const answer = await fetchThrough({
        base,
        host: next.host,
        path: next.key,
        timeoutMs: originTimeoutMs,
        maxBytes: sitemapBytes,
        signal,
      });
      if (answer.status !== 200) continue;
      const { index, urls } = locations(Buffer.from(plainBody(answer)).toString("utf8"));
      for (const text of urls) {
        const page = own(text);
        if (!page) continue;
        if (index) queue.push(page);
        else if (pages.size < limit) pages.set(`${page.host}${page.key}`, page);
      }
    } catch {
      // No sitemap, or not now: the caller says that there is none.
    }
  }
  return [...pages.values()];
}

/** Addresses that a purge of a tag, prefix or site is carried to where only addresses are understood. */
const mostKnown = 2000;
const knownMs = 30_000;

/** The pages of a site's sitemap, kept for 30 s. */
export function knownPages(site: SiteConfig): Promise<{ host: string; key: string }[]> {
  const all = singleton(
    "purge.sitemaps",
    () => new Map<string, { at: number; pages: Promise<{ host: string; key: string }[]> }>(),
  );
  const known = all.get(site.name);
  if (known && Date.now() - known.at < knownMs) return known.pages;
  // Shared by all who ask, so no one's signal may cut it short; one that found nothing is not kept.
  const pages = sitemapPages(site, mostKnown).then((found) => {
    if (found.length === 0) all.delete(site.name);
    return found;
  });
  all.set(site.name, { at: Date.now(), pages });
  return pages;
}

/** Pages that carry one of the tags in some node now. */
export async function carrying<P extends { readonly host: string; readonly key: string }>(
  config: Config,
  site: SiteConfig,
  pages: readonly P[],
  tags: readonly string[],
): Promise<P[]> {
  const wanted = new Set(tags);
  const found = new Set<P>();
  await Promise.all(
    cachesOf(config, site).varnish.map(async (node) => {
      if (isDown(node.name)) return;
      let next = 0;
      let dead = false;
      const worker = async () => {
        for (let page = pages[next++]; page && !dead; page = pages[next++]) {
          try {
            const seen = await peek(node, page.host, page.key);
            if (seen.state === "hit" && seen.tags.some((tag) => wanted.has(tag))) found.add(page);
          } catch {
            dead = true;
          }
        }
      };
      await Promise.all([worker(), worker(), worker(), worker()]);
    }),
  );
  return pages.filter((page) => found.has(page));
}
