// The rows of PurgeItem: what a change purges, durable before anything is sent.
import type { Config } from "@/lib/config/schema";
import { db } from "@/lib/db/client";
import { type Address, keyOf } from "@/lib/sites/address";
import { siteByName } from "@/lib/sites/site";
import type { PurgeObject } from "./contract";
import { expandPage, nothingFound } from "./expand";
import { carrying, findOut, knownPages, within } from "./find";
import type { Item } from "./operations";
import type { RunState } from "./run-state";
import { cachesOf } from "./stack";

const rowsPerInsert = 2000;
const rowsPerRead = 10_000;

/** Writes the objects as the change's items, in place of any that an unfinished attempt left. */
export async function keepItems(
  changeId: number,
  objects: readonly PurgeObject[],
  soft: boolean,
): Promise<void> {
  await db().purgeItem.deleteMany({ where: { changeId } });
  for (let from = 0; from < objects.length; from += rowsPerInsert) {
    await db().purgeItem.createMany({
      data: objects
        .slice(from, from + rowsPerInsert)
        .map(({ type, site, host, value }) => ({ changeId, type, site, host, value, soft })),
    });
  }
}

const isType = (text: string): text is Item["type"] =>
  ["url", "tag", "prefix", "host", "all", "regex"].includes(text);

/** The change's items in the order they were written. */
export async function itemsOf(changeId: number): Promise<Item[]> {
  const items: Item[] = [];
  for (let after = 0; ; ) {
    const rows = await db().purgeItem.findMany({
      where: { changeId, id: { gt: after } },
      orderBy: { id: "asc" },
      take: rowsPerRead,
      select: { id: true, type: true, site: true, host: true, value: true, soft: true },
    });
    for (const { type, site, host, value, soft } of rows)
      if (isType(type)) items.push({ type, site, host, value, soft });
    const last = rows.at(-1);
    if (!last || rows.length < rowsPerRead) return items;
    after = last.id;
  }
}

/** Pages of the sitemap in which the carriers of a tag are looked for. */
const mostLookedAt = 200;

/**
 * Asks of the gateway are pages and tags as their application knows them: what is cached for each is found here, by the site's
 * rules. Pages that carry an asked tag are added by address, for the layers that do not know the tag (Nginx, and an edge whose
 * Cache-Tag holds other words); `run.sample` is told of them.
 */
export async function expandAsks(
  config: Config,
  asks: readonly Item[],
  mostLookedUp: number,
  findMs: number,
  run: Pick<RunState, "sample">,
): Promise<Item[]> {
  const urls = asks.filter((ask) => ask.type === "url");
  const looked = urls.length <= mostLookedUp;
  const expanded = new Map<string, Item>();
  const put = (item: Item) => {
    const id = `${item.type} ${item.host} ${item.value} ${item.soft}`;
    if (!expanded.has(id)) expanded.set(id, item);
  };
  const lists = await Promise.all(
    asks.map(async (ask): Promise<Item[]> => {
      const site = ask.site === null ? undefined : siteByName(config, ask.site);
      if (ask.type !== "url" || !site) return [ask];
      const page: Address = { site, host: ask.host, key: keyOf(site, ask.value), typed: ask.value, line: 0 };
      const found = looked ? await findOut(page, cachesOf(config, site), findMs) : nothingFound;
      return expandPage(page, found).map(({ type, host, value }) => ({
        type,
        host,
        value,
        site: site.name,
        soft: ask.soft,
      }));
    }),
  );
  for (const item of lists.flat()) put(item);
  for (const site of config.sites) {
    const own = asks.filter((ask) => ask.site === site.name);
    if (own.every((ask) => ask.type === "url")) continue;
    const pages = (await within(findMs, knownPages(site), [])).slice(0, mostLookedAt);
    const tags = own.filter((ask) => ask.type === "tag").map((ask) => ask.value);
    const carriers = tags.length > 0 ? await carrying(config, site, pages, tags) : [];
    const soft = own.every((ask) => ask.soft);
    for (const { host, key } of carriers) {
      for (const { type, value } of expandPage({ site, host, key, typed: key }))
        put({ type, host, value, site: site.name, soft });
    }
    for (const { host, key } of (tags.length > 0 ? carriers : pages).slice(0, 10))
      run.sample.push({ site: site.name, host, key });
  }
  return [...expanded.values()];
}
