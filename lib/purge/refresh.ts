// Which addresses a purge is about, and making every node have their new copies after a soft purge.
import type { SiteConfig } from "@/lib/config/schema";
import { each } from "@/lib/runtime/each";
import { fetchThrough } from "@/lib/systems/http/fetch-through";
import { peek } from "@/lib/systems/varnish/http";
import { expandPage } from "./expand";
import { knownPages } from "./find";
import { type Item, nginxAddresses } from "./operations";
import type { Caches, VarnishCache } from "./stack";

/** What is purged of one site. */
export type Part = { readonly site: SiteConfig; readonly caches: Caches; readonly items: Item[] };

/** Every address that these items name: of a tag, prefix or site, each that the site's sitemap leads to. */
export async function addressesFor(part: Part): Promise<{ host: string; path: string }[]> {
  const named = nginxAddresses(part.items);
  const areas = part.items.filter((item) => item.type !== "url");
  if (areas.length === 0) return named;
  const everywhere = areas.some((item) => item.type !== "prefix");
  const pages = (await knownPages(part.site)).filter(
    ({ host, key }) =>
      everywhere ||
      areas.some((item) => item.host === host && `${key}/`.startsWith(`${item.value.replace(/\/+$/, "")}/`)),
  );
  const found = pages.flatMap(({ host, key }) => expandPage({ site: part.site, host, key, typed: key }));
  return [
    ...new Map(
      [...named, ...found.map(({ host, value }) => ({ host, path: value }))].map((one) => [
        one.host + one.path,
        one,
      ]),
    ).values(),
  ];
}

const mostRefreshed = 2000;
const refreshAtOnce = 8;
/** How long a node may take to have the new copy of one page, in ms. */
const refreshMs = 5000;

/**
 * A softly purged page is served once more while the new one is fetched. An edge that refills in that moment keeps the old page for
 * its whole time: so every node is made to have the new copies before Cloudflare is purged. Never throws.
 */
export async function refreshSoft(
  part: Part,
  isDown: (node: string) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const soft = part.items.filter((item) => item.soft);
  if (soft.length === 0) return;
  const addresses = (await addressesFor({ ...part, items: soft })).slice(0, mostRefreshed);
  const [encoding = "gzip"] = part.site.accept_encodings;
  const headers = { "accept-encoding": encoding, accept: "*/*", "user-agent": "Sluice-Refresh/1" };
  const refresh = async (node: VarnishCache, { host, path }: { host: string; path: string }) => {
    const end = Date.now() + refreshMs;
    while (!signal.aborted && Date.now() < end) {
      const seen = await peek(node, host, path, { signal });
      if (seen.state !== "hit" || seen.ttlS > 0) return;
      await fetchThrough({ base: node.url, host, path, headers, timeoutMs: refreshMs, signal });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await Promise.all(
    part.caches.varnish.map((node) =>
      each(addresses, refreshAtOnce, async (address) => {
        // A page or node that fails here is judged by the proof.
        if (!isDown(node.name)) await refresh(node, address).catch(() => {});
      }),
    ),
  );
}
