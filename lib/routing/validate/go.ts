// Values as the Go library reads them: whole numbers, durations, strings in quotes, addresses, media types.

import { parseIp } from "../address";
import { escapes as ruleEscapes } from "../expression";

const int64 = { least: -(2n ** 63n), most: 2n ** 63n - 1n };

/** Longer than any duration or media type: their patterns would take long. */
const longest = 200;

/** strconv.ParseInt with base 10 and 64 bits; null for what is none. */
export function parseInt64(text: string): bigint | null {
  const [, sign, digits] = /^([+-]?)0*(\d+)$/.exec(text) ?? [];
  if (digits === undefined || digits.length > 19) return null;
  const number = sign === "-" ? -BigInt(digits) : BigInt(digits);
  return number < int64.least || number > int64.most ? null : number;
}

/** strconv.ParseBool; null for what is none. */
export function parseBool(text: string): boolean | null {
  if (["1", "t", "T", "TRUE", "true", "True"].includes(text)) return true;
  return ["0", "f", "F", "FALSE", "false", "False"].includes(text) ? false : null;
}

const units: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 6e10,
  h: 3.6e12,
};

/** Nanoseconds of time.ParseDuration, or of whole seconds as paerser takes them; null for what is none. */
export function parseDuration(text: string): number | null {
  const seconds = parseInt64(text);
  if (seconds !== null) return Number(seconds) * 1e9;
  if (text.length > longest) return null;
  const [, sign, rest = ""] = /^([+-]?)(.*)$/s.exec(text) ?? [];
  if (rest === "0") return 0;
  if (!/^((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$/.test(rest)) return null;
  let sum = 0;
  for (const [, number = "", unit = ""] of rest.matchAll(/([\d.]+)([^\d.]+)/g))
    sum += Number(number) * (units[unit] ?? 0);
  if (sum >= 2 ** 63) return null;
  return sign === "-" ? -sum : sum;
}

/** Those of a rule's strings, and the single quote. */
const escapes: Readonly<Record<string, string>> = { ...ruleEscapes, "'": "'" };

/** strconv.Unquote of "…", `…` and '…'; null for what is none. */
export function unquote(text: string): string | null {
  const quote = text[0] ?? "";
  if (text.length < 2 || !"\"'`".includes(quote) || text.at(-1) !== quote) return null;
  const inner = text.slice(1, -1);
  if (quote === "`") return inner.includes("`") ? null : inner.replaceAll("\r", "");
  const part =
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|([abfnrtv\\'"]))|([^\\\n])/uy;
  let read = "";
  let count = 0;
  while (part.lastIndex < inner.length) {
    const found = part.exec(inner);
    if (found === null) return null;
    const [, x, u, U, octal, plain, char] = found;
    const code = Number.parseInt(x ?? u ?? U ?? octal ?? "", octal === undefined ? 16 : 8);
    if (char === quote || plain === (quote === '"' ? "'" : '"') || code > 0x10ffff) return null;
    read += char ?? (plain === undefined ? String.fromCodePoint(code) : escapes[plain]);
    count += 1;
  }
  return quote === "'" && count !== 1 ? null : read;
}

const escaped = /%(?![0-9a-fA-F]{2})/;

/** Why url.Parse of Go 1.26 refuses an address; null where it does not. */
export function urlProblem(address: string): string | null {
  const [before = "", ...fragment] = address.split("#");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (/[\x00-\x1f\x7f]/.test(before)) return "invalid control character in URL";
  if (escaped.test(fragment.join("#"))) return "invalid URL escape";
  if (before.startsWith(":")) return "missing protocol scheme";
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(before)?.[1];
  const rest = (scheme === undefined ? before : before.slice(scheme.length + 1)).split("?")[0] ?? "";
  if (!rest.startsWith("/")) {
    if (scheme !== undefined) return null;
    if (rest.split("/")[0]?.includes(":")) return "first path segment in URL cannot contain colon";
  }
  const authority = /^\/\/([^/]*)/.exec(rest);
  if (authority !== null) {
    const [, whole = ""] = authority;
    const cut = whole.lastIndexOf("@");
    if (cut >= 0 && !/^[\w.~:!$&'()*+,;=%@-]*$/.test(whole.slice(0, cut))) return "invalid userinfo";
    if (cut >= 0 && escaped.test(whole.slice(0, cut))) return "invalid URL escape";
    const problem = hostProblem(scheme?.toLowerCase(), whole.slice(cut + 1));
    if (problem !== null) return problem;
  }
  return escaped.test(rest.slice(authority?.[0].length ?? 0)) ? "invalid URL escape" : null;
}

function hostProblem(scheme: string | undefined, host: string): string | null {
  const open = host.lastIndexOf("[");
  if (open > 0) return "invalid IP-literal";
  const bracket = open === 0 ? host.lastIndexOf("]") : -1;
  if (open === 0 && bracket < 0) return "missing ']' in host";
  const strict = scheme === "http" || scheme === "https";
  const colon = strict ? host.indexOf(":") : host.lastIndexOf(":");
  const port = open === 0 ? host.slice(bracket + 1) : colon < 0 ? "" : host.slice(colon);
  if (!/^(:\d*)?$/.test(port)) return `invalid port "${port}" after host`;
  if (open === 0) {
    const [ip = ""] = host.slice(1, bracket).split("%25");
    if (!ip.includes(":") || parseIp(ip) === null) return "invalid host";
    return null;
  }
  if (/%(?!25|[89a-fA-F][0-9a-fA-F])/.test(host)) return "invalid URL escape in host";
  const wrong = /[^\w.~!$&'()*+,;=:[\]<>"%\u0080-\u{10ffff}-]/u.exec(host)?.[0];
  return wrong === undefined ? null : `invalid character "${wrong}" in host name`;
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const mediaType = new RegExp(
  `^\\s*${token}(/${token})?\\s*(;\\s*${token}\\s*=\\s*(${token}|"([^"\\\\\\r\\n]|\\\\.)*")\\s*)*;?\\s*$`,
);
/** Whether mime.ParseMediaType takes it. */
export const isMediaType = (text: string): boolean => text.length <= longest && mediaType.test(text);

/** Whether types.NewHTTPCodeRanges takes it: "500", "500-599". */
export const isStatusRange = (text: string): boolean => {
  const [low = "", high = low] = text.split("-");
  return parseInt64(low) !== null && parseInt64(high) !== null;
};

/** Whether Go's net/http has a text for a status. */
export const isStatus = (code: number): boolean =>
  [
    [100, 103],
    [200, 208],
    [226, 226],
    [300, 305],
    [307, 308],
    [400, 418],
    [421, 426],
    [428, 429],
    [431, 431],
    [451, 451],
    [500, 508],
    [510, 511],
  ].some(([low = 0, high = 0]) => code >= low && code <= high);
