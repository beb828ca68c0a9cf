// A request's path on its way through an entry point, as Go's net/url and Traefik treat it. Paths are byte strings: one character, one byte.

const utf8 = new TextEncoder();
/** A text as a string whose characters are its UTF-8 bytes. */
export const toBytes = (text: string): string =>
  Array.from(utf8.encode(text), (byte) => String.fromCharCode(byte)).join("");
/** The text of such a string. */
export const fromBytes = (bytes: string): string =>
  new TextDecoder().decode(Uint8Array.from(bytes, (char) => char.charCodeAt(0)));

/** What Traefik does not decode (RFC 3986, reserved characters and the percent sign). */
const reserved = new Set([...":/?#[]@!$&'()*+,;=%"]);
const unreserved = /[A-Za-z0-9\-._~]/;

/** Each %XX (upper case) by `say`. Null for a percent sign without two digits. */
function eachCoded(path: string, say: (char: string, coded: string) => string): string | null {
  let whole = "";
  for (let at = 0; at < path.length; at += 1) {
    if (path[at] !== "%") {
      whole += path[at];
      continue;
    }
    const digits = path.slice(at + 1, at + 3);
    if (!/^[0-9a-fA-F]{2}$/.test(digits)) return null;
    whole += say(String.fromCharCode(Number.parseInt(digits, 16)), `%${digits.toUpperCase()}`);
    at += 2;
  }
  return whole;
}
/** With everything decoded; null for a broken one. */
export const unescaped = (path: string): string | null => eachCoded(path, (char) => char);

const escaped = (path: string): string =>
  Array.from(path, (char) =>
    unreserved.test(char) || "$&+,/:;=@".includes(char)
      ? char
      : `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  ).join("");

/**
 * What url.EscapedPath gives for a path as it came: itself, unless it holds a character that should have been encoded; then all of it is
 * decoded and encoded anew, an encoded slash becoming a plain one. Null for a broken one, which the server refuses.
 */
export function escapedPath(raw: string): string | null {
  const plain = unescaped(raw);
  if (plain === null) return null;
  return /^[A-Za-z0-9\-._~!$&'()*+,;=:@[\]%/]*$/.test(raw) ? raw : escaped(plain);
}

/** What the matchers see: decoded, but for the reserved characters. Null for a broken one. */
export const routingPath = (path: string): string | null =>
  eachCoded(path, (char, coded) => (reserved.has(char) ? coded : char));

/** Unreserved characters decoded, what stays encoded in upper case. Null for a broken one. */
export const normalizedPath = (path: string): string | null =>
  eachCoded(path, (char, coded) => (unreserved.test(char) ? char : coded));

/** Without "//", "." and ".."; a slash at the end stays (path.Join in url.JoinPath). */
export function sanitizedPath(path: string): string {
  const kept: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") kept.pop();
    else kept.push(part);
  }
  const clean = `/${kept.join("/")}`;
  return path.endsWith("/") && !clean.endsWith("/") ? `${clean}/` : clean;
}

/** An address cut as it would be sent, nothing decoded or resolved; null for what is no http(s) address. */
export function partsOfUrl(
  text: string,
): { readonly tls: boolean; readonly host: string; readonly path: string; readonly query: string } | null {
  const cut = /^(https?):\/\/([^/?#\s]+)([^?#\s]*)(?:\?([^#\s]*))?(?:#\S*)?$/i.exec(text.trim());
  if (cut === null) return null;
  const [, scheme = "", authority = "", path = "", query = ""] = cut;
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  return { tls: scheme.toLowerCase() === "https", host, path: path === "" ? "/" : path, query };
}

export type EntryPointPaths = {
  /** Default true. */
  readonly sanitizePath?: boolean;
  /** Encoded characters ("%2F") that are refused. */
  readonly denied?: readonly string[];
};

/** A path as the routers behind an entry point get it; null: answered with 400. */
export function throughEntryPoint(
  raw: string,
  { sanitizePath = true, denied = [] }: EntryPointPaths = {},
): string | null {
  const came = escapedPath(raw);
  const normal = came === null ? null : normalizedPath(came);
  if (normal === null) return null;
  if (denied.some((coded) => normal.includes(coded.toUpperCase()))) return null;
  return sanitizePath ? sanitizedPath(normal) : normal;
}
