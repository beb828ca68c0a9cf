// Reads an address as people paste it and tells what the caches call it, or why it cannot be purged.
import type { SiteConfig } from "@/lib/config/schema";
import { AppError } from "@/lib/errors/app-error";
import { addressOf, bareHost, hostsOf, re2, siteOfHost } from "./site";

/** One address, read. `key` and `typed` are path and query, percent-encoded, without fragment. */
export type Address = {
  readonly site: SiteConfig;
  /** Lower case, punycode, no port. */
  readonly host: string;
  /** As the inner caches hash it: parameters stripped and sorted as the site says. */
  readonly key: string;
  /** As a browser would ask for it: what the edge hashes. */
  readonly typed: string;
  /** Index of the line it came from. */
  readonly line: number;
};

export const MAX_ADDRESS_BYTES = 8192;
const mostHostsTold = 20;

type Params = Readonly<Record<string, string | number>>;
const refuse = (problem: string, message: string, line: number, params: Params = {}) =>
  new AppError("INVALID_INPUT", message, {
    problem,
    params: { line: line + 1, ...params },
    field: `urls.${line}`,
  });

/** For messages: control characters shown as "?", bounded. */
const shown = (text: string): string => {
  const plain = text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, "?");
  return plain.length > 120 ? `${plain.slice(0, 119)}…` : plain;
};

/** Path and query as the caches behind the edge hash them. */
export function keyOf(site: SiteConfig, pathAndQuery: string): string {
  const at = pathAndQuery.indexOf("?");
  if (at < 0 || (site.strip_query.length === 0 && !site.sort_query)) return pathAndQuery;
  const strip = site.strip_query.map(re2);
  const nameOf = (part: string) => part.split("=", 1)[0] ?? "";
  const parts = pathAndQuery
    .slice(at + 1)
    .split("&")
    .filter((part) => part !== "" && !strip.some((pattern) => pattern.matches(nameOf(part))));
  if (site.sort_query) parts.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const path = pathAndQuery.slice(0, at);
  return parts.length === 0 ? path : `${path}?${parts.join("&")}`;
}

/** Puts a scheme before what has none, and refuses every scheme but http and https. */
function withScheme(text: string, line: number): string {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase();
  if (scheme === "http" || scheme === "https") {
    if (/^https?:\/\/[^/?#]/i.test(text)) return text;
    throw refuse("url.malformed", "That is not an address.", line, { url: shown(text) });
  }
  if (scheme !== undefined && !/^[^/?#:]+:\d+([/?#]|$)/.test(text)) {
    throw refuse("url.scheme", `Only http and https addresses can be purged, not ${scheme}:.`, line, {
      scheme,
    });
  }
  if (text.startsWith("//")) return `http:${text}`;
  if (/^[/?#]/.test(text))
    throw refuse("url.noHost", "The address has no host name.", line, { url: shown(text) });
  return `http://${text}`;
}

/**
 * Reads one address. `..` and `%2e%2e` are resolved, as a browser would before asking. `sites` are those the asker may purge.
 * Throws AppError INVALID_INPUT with a problem `url.…` and the field `urls.<line>`.
 */
export function readAddress(text: string, sites: readonly SiteConfig[], line = 0): Address {
  const given = text.replace(/^[ \t]+|[ \t\r]+$/g, "");
  if (Buffer.byteLength(given) > MAX_ADDRESS_BYTES) {
    throw refuse("url.tooLong", "The address is longer than 8 KB.", line, {
      bytes: Buffer.byteLength(given),
    });
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(given)) {
    throw refuse("url.control", "The address holds a control character or a line break.", line);
  }
  if (given.includes("\\"))
    throw refuse("url.backslash", "An address has no backslash.", line, { url: shown(given) });
  const full = withScheme(given, line);
  const authority = /^https?:\/\/([^/?#]*)/i.exec(full)?.[1] ?? "";
  if (authority.includes("@")) {
    throw refuse("url.credentials", "The address holds a user name or password: take it out.", line);
  }
  let url: URL;
  try {
    url = new URL(full);
  } catch {
    throw refuse("url.malformed", "That is not an address.", line, { url: shown(given) });
  }
  if (url.username !== "" || url.password !== "") {
    throw refuse("url.credentials", "The address holds a user name or password: take it out.", line);
  }
  const host = bareHost(url.hostname);
  const site = siteOfHost(sites, host);
  if (!site) {
    const known = sites.flatMap(hostsOf);
    const told = known.slice(0, mostHostsTold).join(", ");
    throw refuse(
      "url.foreignHost",
      `${shown(host)} is not a host you may purge. Known: ${told || "none"}.`,
      line,
      {
        host: shown(host),
        known: told,
      },
    );
  }
  if (url.port !== "") {
    const ports = site.addresses
      .map((address) => new URL(address))
      .filter((own) => bareHost(own.hostname) === host);
    if (!ports.some((own) => own.port === url.port)) {
      const expected = ports.map((own) => own.port || (own.protocol === "https:" ? "443" : "80")).join(", ");
      throw refuse("url.port", `Port ${url.port} is not one of ${host}.`, line, {
        port: url.port,
        host,
        expected,
      });
    }
  }
  const typed = url.pathname + url.search;
  if (typed.length > MAX_ADDRESS_BYTES) {
    throw refuse("url.tooLong", "The address is longer than 8 KB.", line, { bytes: typed.length });
  }
  return { site, host, key: keyOf(site, typed), typed, line };
}

/**
 * Reads a paste: empty lines are skipped, line numbers kept, the same address twice is one. Every bad line is reported:
 * throws AppError INVALID_INPUT, for one bad line its own problem, for more `urls.bad` with the first 20 in `problems`.
 */
export function readAddresses(lines: readonly string[], sites: readonly SiteConfig[]): Address[] {
  const bad: AppError[] = [];
  const good = new Map<string, Address>();
  for (const [line, text] of lines.entries()) {
    if (text.trim() === "") continue;
    try {
      const address = readAddress(text, sites, line);
      const id = `${address.host}${address.typed}`;
      if (!good.has(id)) good.set(id, address);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      bad.push(error);
    }
  }
  const [first] = bad;
  if (first && bad.length === 1) throw first;
  if (first) {
    const told = bad.slice(0, 20);
    throw new AppError(
      "INVALID_INPUT",
      `${bad.length} addresses cannot be purged. ${told.map((one) => `Line ${one.detail.params?.line}: ${one.message}`).join(" ")}`.slice(
        0,
        2000,
      ),
      {
        problem: "urls.bad",
        params: {
          count: bad.length,
          lines: bad
            .slice(0, 200)
            .map((one) => one.detail.params?.line)
            .join(", "),
        },
        field: first.detail.field ?? "urls",
        problems: told.map((one) => ({
          field: one.detail.field ?? "urls",
          problem: one.detail.problem ?? "url.malformed",
          params: one.detail.params ?? {},
        })),
      },
    );
  }
  if (good.size === 0) {
    throw new AppError("INVALID_INPUT", "There is no address.", { problem: "urls.none", field: "urls" });
  }
  return [...good.values()];
}

/** The address as a visitor types it. */
export function publicUrl(site: SiteConfig, host: string, pathAndQuery: string): string {
  const address = addressOf(site, host);
  return `${address.protocol}//${host}${address.port ? `:${address.port}` : ""}${pathAndQuery}`;
}
