// Redirects as a table (RFC 4180), as spreadsheets write it: with commas, or with semicolons or tabs where the first line has no comma.
import { domainToASCII } from "node:url";
import { fromBytes, routingPath, throughEntryPoint } from "../path";

/** `line`: where a record begins, from 1. */
type Record = { readonly line: number; readonly fields: readonly string[] };
export type Redirect = {
  /** In Traefik's language. */
  readonly rule: string;
  /** Lower case; empty: every host. */
  readonly host: string;
  /** What the whole address is matched with, and what it becomes. */
  readonly regex: string;
  readonly replacement: string;
  readonly permanent: boolean;
};
/** A key under messages `problems.routing.csv`. */
export type Fault = {
  readonly line: number;
  readonly fault: "columns" | "from" | "to" | "kind" | "quote" | "twice" | "itself";
};

/** Records without empty lines; a fault ends it, since quotes decide where the rest begins. */
function recordsOf(text: string): { readonly records: readonly Record[]; readonly faults: readonly Fault[] } {
  const first =
    /^(?:"[^"]*(?:""[^"]*)*"|[^"\r\n])*/.exec(text)?.[0].replace(/"[^"]*(?:""[^"]*)*"/g, "") ?? "";
  const comma = [",", ";", "\t"].find((one) => first.includes(one)) ?? ",";
  const field = new RegExp(`(?:"([^"]*(?:""[^"]*)*)"|([^"${comma}\\r\\n]*))(${comma}|\\r?\\n|$)`, "y");
  const records: Record[] = [];
  let [fields, line, begins]: [string[], number, number] = [[], 1, 1];
  for (let at = text.startsWith("\uFEFF") ? 1 : 0; at < text.length || fields.length > 0; ) {
    field.lastIndex = at;
    const found = field.exec(text);
    if (found === null) return { records, faults: [{ line, fault: "quote" }] };
    const [whole, quoted, bare = "", end] = found;
    fields.push((quoted?.replaceAll('""', '"') ?? bare).trim());
    line += whole.split("\n").length - 1;
    at += whole.length;
    if (end === comma) continue;
    if (fields.some((one) => one !== "")) records.push({ line: begins, fields });
    [fields, begins] = [[], line];
  }
  return { records, faults: [] };
}

/** A string of Go, as short as it can be. */
export const goString = (text: string): string =>
  /[`\r\n]/.test(text) ? JSON.stringify(text) : `\`${text}\``;

const encoded = (text: string): string => text.replace(/[^\x21-\x7e]+/gu, encodeURIComponent);
const isHost = (host: string): boolean =>
  /^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9])?)*$/.test(host) &&
  host.length < 254;

type Address = {
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
};
/** An address without scheme, or without host; null for what is none. Path: as the matchers see it. */
function addressOf(text: string): Address | null {
  const cut = /^(?:(https?):\/\/)?([^/?#\s]*)(\/[^?#]*)?(?:\?([^#]*))?$/i.exec(text);
  if (cut === null) return null;
  const [, scheme = "", authority = "", path = "/", query = ""] = cut;
  if (authority === "" && !text.startsWith("/")) return null;
  const name = authority.replace(/:\d+$/, "").toLowerCase();
  const host = name.startsWith("*.") ? `*.${domainToASCII(name.slice(2))}` : domainToASCII(name);
  if (authority !== "" && !isHost(host)) return null;
  const through = throughEntryPoint(encoded(path));
  const seen = through === null ? null : routingPath(through);
  const shown = fromBytes(seen ?? "");
  if (seen === null || /[\p{Cc}\uFFFD]/u.test(shown)) return null;
  return { scheme: scheme.toLowerCase(), host, path: shown, query };
}

function ruleOf({ host, path, query }: Address): string {
  const named = [...new URLSearchParams(query)].map(
    ([key, value]) => `Query(${goString(key)}${value === "" ? "" : `, ${goString(value)}`})`,
  );
  return [...(host === "" ? [] : [`Host(${goString(host)})`]), `Path(${goString(path)})`, ...named].join(
    " && ",
  );
}

/** Where a redirect leads, as it is sent; null for what is no address. */
function targetOf(text: string): string | null {
  const own = /^\/(?!\/)/.test(text);
  const whole = own || /^https?:\/\//i.test(text) ? text : `https://${text}`;
  if (/\s/.test(whole) || !URL.canParse(whole, "https://a.invalid")) return null;
  if (own) return encoded(whole);
  const { hostname, href } = new URL(whole);
  // Without a scheme it must look like a host: "ftp://a" and "new" do not.
  const named = whole === text || /^[^/?#:]+\.[^/?#:]+(:\d+)?([/?#]|$)/.test(text);
  if (!isHost(hostname) || !named || !/^https?:\/\/[^/]/i.test(whole)) return null;
  return /^[\x21-\x7e]+$/.test(whole) ? whole : href;
}

function permanence(text: string): boolean | null {
  const said = text.toLowerCase();
  if (["", "permanent", "301", "308"].includes(said)) return true;
  return ["temporary", "302", "307"].includes(said) ? false : null;
}

const itself = (from: Address, to: string): boolean => {
  const [address = "", query = ""] = (to.split("#")[0] ?? "").split("?");
  const there = addressOf(address);
  if (there === null || there.path !== from.path || query !== from.query) return false;
  if (there.host !== "" && there.host !== from.host) return false;
  return there.scheme === from.scheme || from.scheme === "" || there.scheme === "";
};

/**
 * A source is a whole address, a host with a path, or a path of every host. The visitor's query stays, unless source or target have one
 * of their own. GET is answered with 301 or 302, other methods with 308 or 307.
 */
export function redirectsOf(csv: string): {
  readonly redirects: readonly Redirect[];
  readonly faults: readonly Fault[];
} {
  const { records, faults: broken } = recordsOf(csv);
  const faults = [...broken];
  const found = new Map<string, Redirect>();
  for (const [index, { line, fields }] of records.entries()) {
    const [source = "", target = "", kind = "", ...more] = fields;
    if (index === 0 && !/[/.]/.test(source)) continue;
    const from = addressOf(source);
    const to = targetOf(target);
    const permanent = permanence(kind);
    const fault =
      fields.length < 2 || more.some((one) => one !== "")
        ? "columns"
        : from === null
          ? "from"
          : to === null || target === ""
            ? "to"
            : permanent === null
              ? "kind"
              : itself(from, to)
                ? "itself"
                : null;
    if (fault !== null || from === null || to === null || permanent === null) {
      faults.push({ line, fault: fault ?? "columns" });
      continue;
    }
    const rule = ruleOf(from);
    const keeps = from.query === "" && !to.includes("?");
    const [address = "", ...fragment] = to.replaceAll("$", "$$$$").split("#");
    const redirect = {
      rule,
      host: from.host,
      regex: keeps ? "^[^?]*(\\?.*)?$" : "^.*$",
      replacement: [`${address}${keeps ? "$1" : ""}`, ...fragment].join("#"),
      permanent,
    };
    const before = found.get(rule);
    if (before === undefined) found.set(rule, redirect);
    else if (before.replacement !== redirect.replacement || before.permanent !== permanent)
      faults.push({ line, fault: "twice" });
  }
  return { redirects: [...found.values()], faults };
}
