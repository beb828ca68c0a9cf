// What each layer must be told for a purge: pure translation from objects to the words of Redis, Nginx, Varnish and Cloudflare.
import type { SiteConfig } from "@/lib/config/schema";
import { publicUrl } from "@/lib/sites/address";
import { hostsOf } from "@/lib/sites/site";
import type { CloudflareTarget } from "@/lib/systems/cloudflare/target";
import { fillKey, globEscape, isPattern } from "@/lib/systems/redis/glob";
import type { PurgeObject } from "./contract";
import { localeOf } from "./expand";

/** One thing to purge, as stored in PurgeItem. */
export type Item = Pick<PurgeObject, "type" | "host" | "value" | "site"> & { readonly soft: boolean };

/** One order to a Varnish node; kept as JSON in the outbox while the node cannot be reached. */
export type VarnishOrder =
  | { readonly do: "url"; readonly host: string; readonly path: string; readonly soft: boolean }
  | { readonly do: "tags"; readonly tags: readonly string[]; readonly soft: boolean }
  | { readonly do: "ban"; readonly host: string; readonly regex?: string }
  | { readonly do: "all" };

const escapeRegex = (text: string): string =>
  text.replace(/[\\^$.*+?()[\]{}|/-]/g, (sign) => (sign === "/" || sign === "-" ? sign : `\\${sign}`));

/** Patterns of the cached addresses that lie under a path prefix: whole segments, as Cloudflare's prefixes are, and the rules' data. */
export function prefixRegexes(site: SiteConfig, prefix: string): string[] {
  const bare = prefix.replace(/\/+$/, "");
  const patterns = [`^${escapeRegex(bare)}([/?]|$)`];
  for (const rule of site.expand) {
    if (!rule.url.includes("{path")) continue;
    const whole = escapeRegex(
      rule.url
        .replace("{path|encoded}", "<encoded>")
        .replace("{path}", "<path>")
        .replace(/\{locale(\|encoded)?\}/g, "<locale>"),
    );
    patterns.push(
      `^${whole
        .replace(/<encoded>.*$/, `${escapeRegex(encodeURIComponent(bare))}(%2F|[&#]|$)`)
        .replace(/<path>.*$/, `${escapeRegex(bare)}([/&?#]|$)`)
        .replaceAll("<locale>", "[a-zA-Z-]+")}`,
    );
  }
  return patterns;
}

const tagsPerOrder = 200;

/** Orders for the Varnish nodes of one site, each once, in the items' order. */
export function varnishOrders(site: SiteConfig, items: readonly Item[]): VarnishOrder[] {
  const orders = new Map<string, VarnishOrder>();
  const put = (order: VarnishOrder) => {
    const id =
      order.do === "url" ? `${order.host}${order.path}${order.soft ? " soft" : ""}` : JSON.stringify(order);
    if (!orders.has(id)) orders.set(id, order);
  };
  const tags: Record<"hard" | "soft", Set<string>> = { hard: new Set(), soft: new Set() };
  for (const item of items) {
    switch (item.type) {
      case "url":
        put({ do: "url", host: item.host, path: item.value, soft: item.soft });
        break;
      case "tag":
        tags[item.soft ? "soft" : "hard"].add(item.value);
        break;
      case "prefix":
        for (const regex of prefixRegexes(site, item.value)) put({ do: "ban", host: item.host, regex });
        break;
      case "regex":
        put({ do: "ban", host: item.host, regex: item.value });
        break;
      case "host":
        put({ do: "ban", host: item.host });
        break;
      case "all":
        put({ do: "all" });
        break;
    }
  }
  for (const [kind, set] of Object.entries(tags)) {
    const list = [...set];
    for (let from = 0; from < list.length; from += tagsPerOrder) {
      put({ do: "tags", tags: list.slice(from, from + tagsPerOrder), soft: kind === "soft" });
    }
  }
  return [...orders.values()];
}

/** How many objects an order stands for in counts. */
export const sizeOfOrder = (order: VarnishOrder): number => (order.do === "tags" ? order.tags.length : 1);

/** Addresses for the Nginx cache, which knows nothing but addresses. */
export function nginxAddresses(items: readonly Item[]): { host: string; path: string }[] {
  const addresses = new Map<string, { host: string; path: string }>();
  for (const item of items) {
    if (item.type === "url")
      addresses.set(`${item.host}${item.value}`, { host: item.host, path: item.value });
  }
  return [...addresses.values()];
}

/** A key template with some names filled by a pattern: the template's own text is escaped unless it is a pattern itself. */
function patternOf(template: string, values: Readonly<Record<string, string>>): string {
  const own = isPattern(template);
  return template
    .split(/(\{[a-z_]+(?:\|encoded)?\})/)
    .map((part) => {
      const name = /^\{([a-z_]+)(?:\|encoded)?\}$/.exec(part)?.[1];
      if (name !== undefined) return values[name] ?? "*";
      return own ? part : globEscape(part);
    })
    .join("");
}

/** Redis keys of a site's items. Both lists hold each key or pattern once. */
export function redisKeys(
  site: SiteConfig,
  templates: readonly string[],
  items: readonly Item[],
): { keys: string[]; patterns: string[] } {
  const keys = new Set<string>();
  const patterns = new Set<string>();
  for (const template of templates) {
    const ofPage = /\{(path|locale)/.test(template);
    for (const item of items) {
      if (item.type === "url") {
        const path = item.value.split("?", 1)[0] ?? item.value;
        const locale = localeOf(path);
        if (locale === null && template.includes("{locale")) continue;
        const forms = new Set([path, safeDecode(path)]);
        for (const form of forms) {
          const { key, pattern } = fillKey(template, {
            host: item.host,
            path: form,
            locale: locale ?? "",
            site: site.name,
          });
          // A template without the page in it names shared content; it holds whatever page was changed.
          (pattern ? patterns : keys).add(key);
        }
      } else if (item.type === "prefix") {
        const bare = item.value.replace(/\/+$/, "");
        const values = { host: globEscape(item.host), site: globEscape(site.name) };
        if (!ofPage) patterns.add(patternOf(template, values));
        else
          for (const end of ["", "/*"])
            patterns.add(patternOf(template, { ...values, path: `${globEscape(bare)}${end}` }));
      } else if (item.type === "tag" && template.includes("{tag}")) {
        patterns.add(
          patternOf(template, { host: "*", site: globEscape(site.name), tag: globEscape(item.value) }),
        );
      } else {
        // Nobody can tell which fragments carry a tag or match a pattern: a fragment that stayed would refill every
        // cache with the old content, so all of the host's go.
        const hosts = item.type === "all" || item.type === "tag" ? hostsOf(site) : [item.host];
        for (const host of hosts)
          patterns.add(patternOf(template, { host: globEscape(host), site: globEscape(site.name) }));
      }
    }
  }
  return { keys: [...keys], patterns: [...patterns] };
}

function safeDecode(path: string): string {
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}

/** Targets for the site's Cloudflare zone: hard and soft apart, a wider one in place of those it covers. */
export function cloudflareTargets(
  site: SiteConfig,
  items: readonly Item[],
): { soft: boolean; target: CloudflareTarget }[] {
  return [false, true].flatMap((soft) => {
    const own = items.filter((item) => item.soft === soft);
    if (own.length === 0) return [];
    if (own.some((item) => item.type === "all")) return [{ soft, target: { everything: true as const } }];
    // Cloudflare has no patterns: the host is what surely covers one.
    const hosts = new Set(
      own.filter((item) => item.type === "host" || item.type === "regex").map((item) => item.host),
    );
    const left = own.filter((item) => item.type === "tag" || !hosts.has(item.host));
    const of = (type: Item["type"]) => left.filter((item) => item.type === type);
    const files = new Set(of("url").map((item) => publicUrl(site, item.host, item.value)));
    const tags = new Set(
      of("tag")
        .map((item) => item.value)
        .filter((tag) => !tag.includes(",")),
    );
    const prefixes = new Set(
      of("prefix").flatMap((item) => [
        `${item.host}${item.value.replace(/\/+$/, "") || "/"}`,
        // Prefixes have no query: data that has the path there goes with all of its kind.
        ...site.expand
          .filter((rule) => rule.url.includes("{path"))
          .map((rule) => `${item.host}${rule.url.split(/[?{]/, 1)[0] ?? "/"}`),
      ]),
    );
    const targets: CloudflareTarget[] = [];
    if (hosts.size > 0) targets.push({ hosts: [...hosts] });
    if (prefixes.size > 0) targets.push({ prefixes: [...prefixes] });
    if (tags.size > 0) targets.push({ tags: [...tags] });
    if (files.size > 0) {
      targets.push({ files: [...files] });
      // A call is of one form only: with headers or without.
      for (const headers of site.cloudflare_variants)
        targets.push({ files: [...files].map((url) => ({ url, headers })) });
    }
    return targets.map((target) => ({ soft, target }));
  });
}
