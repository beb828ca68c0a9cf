// From what was asked to the objects that will be purged, for the plan and again for the act.
import type { Config, SiteConfig } from "@/lib/config/schema";
import { AppError } from "@/lib/errors/app-error";
import { type Address, readAddresses } from "@/lib/sites/address";
import { hostsOf, mainHost } from "@/lib/sites/site";
import type { PurgeObject, PurgeTarget } from "./contract";
import { distinct, expandPage, nothingFound } from "./expand";
import { carrying, findOut, knownPages } from "./find";
import { cachesOf } from "./stack";

/** Pages whose translations and tags are looked up; a longer paste names its pages itself. */
export const MAX_LOOKED_UP = 20;
const mostSampled = 200;

export type SamplePage = { readonly site: string; readonly host: string; readonly key: string };
export type Gathered = {
  readonly sites: readonly SiteConfig[];
  readonly pages: number;
  readonly objects: PurgeObject[];
  /** Pages a tag, prefix or site purge is proved on. */
  readonly sample: SamplePage[];
  /** Of a tag purge: pages looked at, and those that carry one of the tags. Null: not looked. */
  readonly carriers: { readonly looked: number; readonly found: number } | null;
};

const field = (problem: string, message: string, at: string, params: Record<string, string | number> = {}) =>
  new AppError("INVALID_INPUT", message, { problem, params, field: at });

/** The site by its name among those this actor may purge. Throws AppError NOT_FOUND that names them. */
function siteNamed(sites: readonly SiteConfig[], name: string): SiteConfig {
  const site = sites.find((one) => one.name === name);
  if (site) return site;
  const known = sites
    .map((one) => one.name)
    .slice(0, 20)
    .join(", ");
  throw new AppError(
    "NOT_FOUND",
    `There is no site ${name.slice(0, 100)} that you may purge. Known: ${known || "none"}.`,
    {
      problem: "site.unknown",
      params: { site: name.slice(0, 100), known },
      field: "target.site",
    },
  );
}

/** A path prefix as caches have it. Throws AppError INVALID_INPUT. */
export function readPrefix(text: string): string {
  const given = text.trim();
  if (!given.startsWith("/")) throw field("prefix.slash", "A prefix begins with /.", "target.prefix");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f-\u009f\\]/.test(given)) {
    throw field("url.control", "The prefix holds a control character or a backslash.", "target.prefix", {
      line: 1,
    });
  }
  if (/[*?#]/.test(given))
    throw field("prefix.plain", "A prefix is the beginning of a path: no *, ? or #.", "target.prefix");
  const path = new URL(given.replace(/^\/+/, "/"), "http://x").pathname;
  if (path === "/")
    throw field("prefix.whole", "This prefix is the whole site: purge the site instead.", "target.prefix");
  return path;
}

/** Tags as caches carry them. Throws AppError INVALID_INPUT for the first that none can. */
export function readTags(tags: readonly string[]): string[] {
  return [
    ...new Set(
      tags.map((tag, index) => {
        const given = tag.trim();
        if (/^[\x21-\x7e]{1,1024}$/.test(given) && !given.includes(",")) return given;
        throw field(
          "tag.malformed",
          "A tag is 1 to 1024 characters of ASCII without spaces and commas.",
          `target.tags.${index}`,
          { line: index + 1 },
        );
      }),
    ),
  ];
}

async function sampleOf(site: SiteConfig): Promise<SamplePage[]> {
  const pages = (await knownPages(site)).slice(0, mostSampled);
  return pages.map(({ host, key }) => ({ site: site.name, host, key }));
}

/**
 * The objects of a purge. `allowed`: the sites this actor may purge, null for all. `findMs`: how long translations and tags may
 * be looked for. Throws AppError INVALID_INPUT and NOT_FOUND.
 */
export async function gather(
  config: Config,
  target: PurgeTarget,
  allowed: readonly string[] | null,
  findMs: number,
): Promise<Gathered> {
  const sites = config.sites.filter((site) => allowed === null || allowed.includes(site.name));
  if (sites.length === 0) {
    throw new AppError("NOT_CONFIGURED", "No site is configured that you may purge.", {
      problem: "site.none",
    });
  }
  if (target.by === "url") {
    const addresses = readAddresses(target.urls, sites);
    const looked = addresses.length <= MAX_LOOKED_UP;
    const find = (address: Address) =>
      looked ? findOut(address, cachesOf(config, address.site), findMs) : Promise.resolve(nothingFound);
    const objects: PurgeObject[] = [];
    // The pages first: they are what the plan and the proof speak of.
    for (const list of await Promise.all(
      addresses.map(async (address) => expandPage(address, await find(address))),
    ))
      objects.push(...list);
    const pages = objects.filter((object) => object.label === "page");
    return {
      sites: [...new Set(addresses.map((address) => address.site))],
      pages: addresses.length,
      objects: addresses.length === 1 ? objects : distinct([...pages, ...objects]),
      sample: [],
      carriers: null,
    };
  }
  if (target.by === "everything") {
    const objects = sites.map(
      (site): PurgeObject => ({
        type: "all",
        host: mainHost(site),
        value: "",
        label: "all",
        site: site.name,
      }),
    );
    const samples = await Promise.all(sites.map((site) => sampleOf(site)));
    return { sites, pages: 0, objects, sample: samples.flatMap((list) => list.slice(0, 5)), carriers: null };
  }
  const site = siteNamed(sites, target.site);
  const sample = await sampleOf(site);
  if (target.by === "tag") {
    const tags = readTags(target.tags);
    const carriers = await carrying(config, site, sample, tags);
    const objects = tags.map(
      (value): PurgeObject => ({ type: "tag", host: mainHost(site), value, label: "tag", site: site.name }),
    );
    // By address too, for layers that do not know the tag: Nginx, and an edge whose Cache-Tag holds other words.
    for (const { host, key } of carriers) {
      for (const object of expandPage({ site, host, key, typed: key }))
        objects.push({ ...object, label: "list" });
    }
    return {
      sites: [site],
      pages: 0,
      objects: distinct(objects),
      sample: carriers,
      carriers: { looked: sample.length, found: carriers.length },
    };
  }
  if (target.by === "prefix") {
    const prefix = readPrefix(target.prefix);
    const bare = prefix.replace(/\/+$/, "");
    const objects = hostsOf(site).map(
      (host): PurgeObject => ({ type: "prefix", host, value: prefix, label: "prefix", site: site.name }),
    );
    const under = sample.filter(
      ({ key }) => key === bare || key.startsWith(`${bare}/`) || key.startsWith(`${bare}?`),
    );
    const first = { site: site.name, host: mainHost(site), key: bare };
    return { sites: [site], pages: 0, objects, sample: under.length > 0 ? under : [first], carriers: null };
  }
  const objects = hostsOf(site).map(
    (host): PurgeObject => ({ type: "host", host, value: "", label: "site", site: site.name }),
  );
  return {
    sites: [site],
    pages: 0,
    objects,
    sample: sample.length > 0 ? sample : [{ site: site.name, host: mainHost(site), key: "/" }],
    carriers: null,
  };
}
