// What a client of the purge gateway asks for, in the words of Varnish, FOSHttpCache, API Platform or Roadiz. Pure.

import { RE2JS } from "re2js";
import type { SiteConfig } from "@/lib/config/schema";
import { AppError } from "@/lib/errors/app-error";
import { readAddress } from "@/lib/sites/address";
import { bareHost, siteOfHost } from "@/lib/sites/site";
import type { Item } from "./operations";

/** A request as it came: header names in lower case, repeated ones joined by ", ". */
export type GatewayRequest = {
  readonly method: string;
  /** Path and query, or an absolute address. */
  readonly target: string;
  readonly headers: ReadonlyMap<string, string>;
};
/** What to purge, or an HTTP status with the reason in plain English. */
export type Asked =
  | { readonly ok: true; readonly items: Item[]; readonly header: string }
  | { readonly ok: false; readonly status: 400 | 404 | 405 | 501; readonly text: string };

const MAX_TAGS = 500;
const MAX_REGEX = 500;
const no = (status: 400 | 404 | 405 | 501, text: string): Asked => ({ ok: false, status, text });

const tagPattern = /^[\x21-\x2b\x2d-\x7e]{1,1024}$/;

/** A quoted literal of a pattern without its backslashes; null when it holds an unquoted sign with a meaning. */
function literal(text: string): string | null {
  let plain = "";
  for (let index = 0; index < text.length; index++) {
    const sign = text[index] ?? "";
    if (sign === "\\") {
      const next = text[++index];
      // \d, \w, \b… are classes, not letters.
      if (next === undefined || /[a-zA-Z0-9]/.test(next)) return null;
      plain += next;
    } else if (/[*+?^$()[\]{}|]/.test(sign)) return null;
    // A dot is taken for itself: older clients do not quote it, and it is the narrower meaning.
    else plain += sign;
  }
  return plain === "" ? null : plain;
}

/** Cut at the bars that are not quoted. */
function alternatives(text: string): string[] {
  const parts = [""];
  for (let index = 0; index < text.length; index++) {
    const sign = text[index] ?? "";
    if (sign === "|") parts.push("");
    else {
      parts[parts.length - 1] += sign;
      if (sign === "\\") parts[parts.length - 1] += text[++index] ?? "";
    }
  }
  return parts;
}

/**
 * The tags that a pattern lists: `(a|b)($|\,)` of API Platform, `(^|,)(a|b)(,|$)` of FOSHttpCache. Null when it is a pattern in
 * earnest. Without a start anchor API Platform's pattern for f/5 also bans cf/5: as tags it means what was meant.
 */
export function tagsOfRegex(regex: string): string[] | null {
  const inner =
    /^\((.+)\)\(\$\|\\?,\)$/s.exec(regex)?.[1] ??
    /^\(\^\|\\?,\)\((.+)\)\((?:\\?,\|\$|\$\|\\?,)\)$/s.exec(regex)?.[1] ??
    /^([^()|]+)\(\$\|\\?,\)$/s.exec(regex)?.[1];
  if (inner === undefined) return null;
  const tags = alternatives(inner).map(literal);
  return tags.every((tag) => tag !== null) ? tags : null;
}

function tagItems(
  tags: readonly string[],
  host: string,
  site: SiteConfig,
  soft: boolean,
  header: string,
): Asked {
  const own = [...new Set(tags.filter((tag) => tag !== ""))];
  if (own.length === 0) return no(400, `${header} names no tag.`);
  if (own.length > MAX_TAGS)
    return no(400, `${header} names ${own.length} tags; ${MAX_TAGS} at most in one request.`);
  const bad = own.find((tag) => !tagPattern.test(tag));
  if (bad !== undefined)
    return no(400, `${header}: a tag is 1 to 1024 characters of ASCII without spaces and commas.`);
  return {
    ok: true,
    header,
    items: own.map((value) => ({ type: "tag", host, value, site: site.name, soft })),
  };
}

/** A tag list: words apart by spaces or commas, or one of the patterns that clients send. */
function tagsFrom(value: string, separator: RegExp): string[] | null {
  if (/[()|^$\\]/.test(value)) return tagsOfRegex(value.trim());
  return value.split(separator);
}

/**
 * Checks a client's pattern for addresses: bounded, RE2 understands it (so no back references or look-around), nothing that
 * makes PCRE slow, nothing that could end a word of a ban. Tells why not, or null.
 */
export function refusedRegex(regex: string): string | null {
  if (regex === "") return "the pattern is empty";
  if (regex.length > MAX_REGEX) return `the pattern is longer than ${MAX_REGEX} characters`;
  if (/[^\x21-\x7e]/.test(regex)) return "the pattern holds a space, a control character or one beyond ASCII";
  if (/["'`;]|&&/.test(regex)) return "the pattern holds a quote, a semicolon or &&";
  if (/\(\?|\(\*|\\[QECRKGX]/.test(regex))
    return "the pattern uses (?…), (*…) or an escape that is not allowed";
  try {
    RE2JS.compile(regex);
  } catch {
    return "the pattern does not compile";
  }
  // Varnish matches with PCRE, which backtracks: a repeated group that itself repeats can take exponential time.
  const outside = regex.replace(/\\./g, "_").replace(/\[[^\]]*\]/g, "_");
  if (/\([^()]*[*+{][^()]*\)[*+{]/.test(outside) || /\(.*\([^()]*[*+{].*\).*\)[*+{]/.test(outside)) {
    return "the pattern repeats a group that itself repeats (catastrophic)";
  }
  if (/\([^()]*\|[^()]*\)[*+{]/.test(outside)) return "the pattern repeats a choice (catastrophic)";
  if ((outside.match(/[*+{]/g) ?? []).length > 10) return "the pattern repeats too much";
  return null;
}

/** Reads a request. `sites`: all that are configured. */
export function readAsk(request: GatewayRequest, sites: readonly SiteConfig[]): Asked {
  const { headers } = request;
  // FOSHttpCache's word for a purge by xkey.
  const method = request.method === "PURGEKEYS" ? "PURGE" : request.method;
  if (method !== "PURGE" && method !== "BAN") return no(405, "The purge gateway understands PURGE and BAN.");
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/i.exec(request.target);
  const named = absolute?.[1] ?? headers.get("host");
  const path = absolute ? absolute[2] || "/" : request.target;
  if (!named || !/^[a-z0-9_.:[\]-]{1,260}$/i.test(named)) return no(400, "The request names no host.");
  const host = bareHost(named.replace(/:\d+$/, ""));
  const site = siteOfHost(sites, host);
  if (!site) return no(404, `No site with the host ${host} is configured.`);
  if (!path.startsWith("/")) return no(400, "The address must be a path or an absolute address.");

  const hard = headers.get("xkey") ?? headers.get("xkey-purge");
  const soft = headers.get("xkey-softpurge");
  if (hard !== undefined && soft !== undefined) return no(400, "xkey and xkey-softpurge exclude each other.");
  if (hard !== undefined) return tagItems(hard.split(/[\s,]+/), host, site, false, "xkey");
  if (soft !== undefined) return tagItems(soft.split(/[\s,]+/), host, site, true, "xkey-softpurge");
  if (request.method === "PURGEKEYS") return no(400, "PURGEKEYS needs xkey or xkey-softpurge.");
  const surrogate = headers.get("surrogate-key");
  if (surrogate !== undefined) return tagItems(surrogate.split(/[\s,]+/), host, site, false, "Surrogate-Key");
  const api = headers.get("apiplatform-ban-regex");
  if (api !== undefined) {
    const tags = api.length > 16_384 ? null : tagsOfRegex(api.trim());
    if (tags === null) return no(400, "ApiPlatform-Ban-Regex: only (iri|iri…)($|\\,) is understood.");
    return tagItems(tags, host, site, false, "ApiPlatform-Ban-Regex");
  }
  for (const name of ["X-Cache-Tags", "Cache-Tags", "Cache-Tag"]) {
    const value = headers.get(name.toLowerCase());
    if (value === undefined) continue;
    const tags = value.length > 16_384 ? null : tagsFrom(value, /\s*,\s*|\s+/);
    if (tags === null) return no(400, `${name}: a list of tags, or (^|,)(tag|tag…)(,|$), is understood.`);
    return tagItems(tags, host, site, false, name);
  }
  const url = headers.get("x-url");
  if (method === "BAN" && url !== undefined) {
    const why = refusedRegex(url);
    if (why !== null) return no(400, `X-Url: ${why}.`);
    return {
      ok: true,
      header: "X-Url",
      items: [{ type: "regex", host, value: url, site: site.name, soft: false }],
    };
  }
  if (method === "BAN") {
    if (path !== "/")
      return no(400, "BAN without tags is for a whole host and has the path /; use PURGE for one address.");
    return {
      ok: true,
      header: "BAN host",
      items: [{ type: "host", host, value: "", site: site.name, soft: false }],
    };
  }
  try {
    const address = readAddress(`http://${host}${path}`, [site]);
    const item: Item = {
      type: "url",
      host,
      value: address.typed,
      site: site.name,
      soft: headers.get("sluice-soft") === "1",
    };
    return { ok: true, header: "PURGE", items: [item] };
  } catch (error) {
    if (error instanceof AppError) return no(400, error.message);
    throw error;
  }
}
