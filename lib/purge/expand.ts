// From a page to everything cached for it, by its site's rules. Pure: what was found elsewhere (siblings, tags) is given.
import type { SiteConfig } from "@/lib/config/schema";
import type { Address } from "@/lib/sites/address";
import { keyOf } from "@/lib/sites/address";
import { bareHost, hostsOf, re2 } from "@/lib/sites/site";
import type { PurgeObject } from "./contract";

/** Bounds per page: a template or a page with a thousand alternates must not become a flood. */
export const MAX_SIBLINGS = 20;
export const MAX_OWN_TAGS = 50;

/** The locale a path begins with: /fr/x, /pt-BR/x. */
export const localeOf = (path: string): string | null =>
  /^\/([a-z]{2}(?:-[A-Za-z]{2,4})?)(?:[/?]|$)/.exec(path)?.[1] ?? null;

const pathOf = (key: string): string => key.split("?", 1)[0] ?? key;

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** A rule's address for a page, or null when the rule is not for it. */
export function fillTemplate(template: string, path: string): string | null {
  const locale = localeOf(path);
  if (locale === null && template.includes("{locale")) return null;
  return template.replace(
    /\{(path|locale)(\|encoded)?\}/g,
    (_whole, name: string, encoded: string | undefined) => {
      const value = name === "path" ? path : (locale ?? "");
      // The application encodes the path itself, not its percent signs.
      return encoded ? encodeURIComponent(decoded(value)) : value;
    },
  );
}

/** The other form of a path, with or without its trailing slash; null for the root and for files. */
export function slashForm(key: string): string | null {
  const path = pathOf(key);
  const query = key.slice(path.length);
  if (path === "/") return null;
  if (path.endsWith("/")) return path.replace(/\/+$/, "") === "" ? null : path.slice(0, -1) + query;
  const last = path.slice(path.lastIndexOf("/") + 1);
  return last.includes(".") ? null : `${path}/${query}`;
}

/** What was found out about a page that its address does not tell. */
export type Found = {
  /** Path and query of its translations, with their host. */
  readonly siblings: readonly { readonly host: string; readonly key: string }[];
  readonly tags: readonly string[];
};
export const nothingFound: Found = { siblings: [], tags: [] };

function dataOf(site: SiteConfig, host: string, key: string): PurgeObject[] {
  const path = pathOf(key);
  return site.expand.flatMap((rule) => {
    if (rule.when !== undefined && !re2(rule.when).matcher(path).find()) return [];
    const value = fillTemplate(rule.url, path);
    return value === null
      ? []
      : [{ type: "url" as const, host, value: keyOf(site, value), label: rule.label, site: site.name }];
  });
}

/** All objects of one page, the page itself first, none twice. */
export function expandPage(
  page: Pick<Address, "site" | "host" | "key" | "typed">,
  found: Found = nothingFound,
): PurgeObject[] {
  const { site, host } = page;
  const url = (value: string, label: string, at = host): PurgeObject => ({
    type: "url",
    host: at,
    value,
    label,
    site: site.name,
  });
  const objects = [url(page.key, "page")];
  // The edge keeps what it was asked for, tracking parameters and all.
  if (page.typed !== page.key) objects.push(url(page.typed, "page"));
  if (site.trailing_slash === "both") {
    const other = slashForm(page.key);
    if (other !== null) objects.push(url(other, "slash"));
  }
  objects.push(...dataOf(site, host, page.key));
  for (const sibling of found.siblings.slice(0, MAX_SIBLINGS)) {
    objects.push(url(sibling.key, "sibling", sibling.host), ...dataOf(site, sibling.host, sibling.key));
  }
  for (const tag of found.tags.slice(0, MAX_OWN_TAGS)) {
    objects.push({ type: "tag", host, value: tag, label: "tag", site: site.name });
  }
  return distinct(objects);
}

/** The same objects, each once, in their first order. */
export function distinct(objects: readonly PurgeObject[]): PurgeObject[] {
  const seen = new Map<string, PurgeObject>();
  for (const object of objects) {
    const id = `${object.type} ${object.host} ${object.value}`;
    if (!seen.has(id)) seen.set(id, object);
  }
  return [...seen.values()];
}

const attribute = (tag: string, name: string): string | null => {
  const found = new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s"'>]+))`, "i").exec(tag);
  return found ? (found[1] ?? found[2] ?? found[3] ?? "") : null;
};

/**
 * The translations that an answer names, in its Link header or its `<link rel=alternate hreflang>`; only addresses of the same
 * site count, and not the page itself.
 */
export function siblingsIn(
  page: Pick<Address, "site" | "host" | "key">,
  link: string | undefined,
  html: string,
): { host: string; key: string }[] {
  const named: string[] = [];
  for (const part of (link ?? "").slice(0, 16_384).matchAll(/<([^<>]{1,2048})>([^<]*)/g)) {
    const parameters = part[2] ?? "";
    if (/;\s*rel\s*=\s*"?[^";]*\balternate\b/i.test(parameters) && /;\s*hreflang\s*=/i.test(parameters))
      named.push(part[1] ?? "");
  }
  for (const [tag] of html.slice(0, 131_072).matchAll(/<link\s[^>]{1,2048}>/gi)) {
    const href = attribute(tag, "href");
    if (href && /\balternate\b/i.test(attribute(tag, "rel") ?? "") && attribute(tag, "hreflang") !== null) {
      named.push(href.replaceAll("&amp;", "&"));
    }
  }
  const hosts = hostsOf(page.site);
  const siblings = new Map<string, { host: string; key: string }>();
  for (const text of named) {
    let url: URL;
    try {
      url = new URL(text, `http://${page.host}${page.key}`);
    } catch {
      continue;
    }
    const host = bareHost(url.hostname);
    const key = keyOf(page.site, url.pathname + url.search);
    if (!/^https?:$/.test(url.protocol) || !hosts.includes(host) || (host === page.host && key === page.key))
      continue;
    siblings.set(`${host}${key}`, { host, key });
    if (siblings.size >= MAX_SIBLINGS) break;
  }
  return [...siblings.values()];
}
