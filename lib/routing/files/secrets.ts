// Secrets in Traefik's files leave the server as marks, and come back as what they were: password hashes, private keys, passwords in
// addresses, and the values of keys that are called like a secret. Each scan is linear: files of 2 MB come from browsers.
import { createHmac, hkdfSync } from "node:crypto";
import { isAlias, isScalar, isSeq, type Node, type Pair, parseAllDocuments, Scalar, visit } from "yaml";
import { authSecret } from "../../auth/secret";
import { AppError } from "../../errors/app-error";
import { maskedText } from "../../errors/mask";
import { singleton } from "../../runtime/singleton";
import type { ConfigFile } from "./contract";

const markPattern = /sluice-kept-[0-9a-f]{16}/g;
const isMark = /^sluice-kept-[0-9a-f]{16}$/;

/** What looks like a secret wherever it stands. */
const patterns: readonly RegExp[] = [
  /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)/g,
  /\$2[abxy]?\$\d\d\$[./A-Za-z0-9]{53}/g,
  /\$(?:apr1|1|5|6|7|y|md5|argon2\w*|scrypt|pbkdf2[\w-]*)\$[./A-Za-z0-9$=,+-]+/g,
  /\{S?SHA(?:256|512)?\}[A-Za-z0-9+/]{20,}={0,2}/g,
];
const hexDigest = /(?<![0-9A-Za-z])[0-9a-fA-F]{32}(?![0-9A-Za-z])/g;
const longestRealm = 300;

/** A key whose value is a secret, whatever it looks like; in a list, each of its values. */
const secretName =
  /(?:authorization|password|passwd|passphrase|secret|token|credential|signature|cookie|(?:api|auth|access|private|signing|encryption)[-_]?key)s?$|(?:^|\W)x-auth$/i;
/** It says yes or no. */
const noSecret = /accessControlAllowCredentials$/i;
const isSecretKey = (name: string): boolean => secretName.test(name) && !noSecret.test(name);
const isUsers = (name: string): boolean => /(?:^|\.)users$/i.test(name);

/** Without quotes these are no texts. */
const wordOfYaml = /^(?:true|false|yes|no|on|off|null|~)$/i;
/** A template that takes its value from elsewhere, and has none of its own. */
const fromElsewhere = /^\{\{-?\s*(?:env\s+["`']?\w+["`']?|[.$][\w.$]*)\s*-?\}\}$/;

type Found = { readonly start: number; readonly end: number };
type Seen = {
  readonly secrets: readonly Found[];
  /** What aliases use as something else than a secret, too: there it would be seen. */
  readonly exposed: readonly Found[];
};

/** The value without the spaces around it; null where it is none of its own. */
function valued(text: string, start: number, end: number): Found | null {
  const said = text.slice(start, end);
  const inner = said.trim();
  if (inner === "" || fromElsewhere.test(inner)) return null;
  const from = start + said.indexOf(inner);
  return { start: from, end: from + inner.length };
}

/** Of "name:realm:hash" what is behind the last colon. */
function behindName(text: string, found: Found | null): Found | null {
  const colon = found === null ? -1 : text.slice(found.start, found.end).lastIndexOf(":");
  return found === null || colon < 0 ? null : valued(text, found.start + colon + 1, found.end);
}

/** What a scalar says, inside of its quotes or below its "|"; null where it is no text and no number. */
function insideOf(text: string, node: Scalar): Found | null {
  const [start, end] = node.range ?? [0, 0];
  if (typeof node.value !== "string" && typeof node.value !== "number" && typeof node.value !== "bigint")
    return null;
  if (node.type === Scalar.PLAIN) return valued(text, start, end);
  if (node.type === Scalar.QUOTE_DOUBLE || node.type === Scalar.QUOTE_SINGLE) {
    const closed = text[end - 1] === text[start] && end - start > 1;
    const inner = { start: start + 1, end: end - (closed ? 1 : 0) };
    return valued(text, inner.start, inner.end) === null ? null : inner;
  }
  const body = text.indexOf("\n", start);
  return body < 0 || body >= end ? null : valued(text, body, end);
}

/** What a template does is no YAML. */
function withoutActions(text: string): string {
  let [whole, at] = ["", 0];
  for (;;) {
    const start = text.indexOf("{{", at);
    const end = start < 0 ? -1 : text.indexOf("}}", start + 2);
    if (end < 0) return whole + text.slice(at);
    whole += text.slice(at, start) + text.slice(start, end + 2).replace(/[^\r\n]/g, " ");
    at = end + 2;
  }
}

/** The parser calls itself for each level; no configuration has so many. */
const deepest = 500;
function isDeep(text: string): boolean {
  let depth = 0;
  for (const [bracket] of text.matchAll(/[[\]{}]/g)) {
    depth = Math.max(0, depth + (bracket === "]" || bracket === "}" ? -1 : 1));
    if (depth > deepest) return true;
  }
  return false;
}

/** Values under keys that say that they are secrets, and what follows the name in lists of users. Null for what is no good YAML. */
function byKey(text: string): (Seen & { readonly broken: boolean }) | null {
  const secrets: Found[] = [];
  const exposed: Found[] = [];
  const anchors = new Map<string, Node>();
  /** Nodes below such keys, aliases that stand there, and what these stand for. */
  const [own, uses, read] = [new Set<unknown>(), new Set<unknown>(), new Set<unknown>()];
  const expose = (node: Node | undefined) => {
    if ((isScalar(node) || isSeq(node)) && node.range)
      exposed.push({ start: node.range[0], end: node.range[1] });
  };
  /** The scalars of a value or a list; what an alias stands for is read once. */
  const scalarsOf = (value: unknown): Scalar[] => {
    if (isAlias(value)) {
      uses.add(value);
      const target = anchors.get(value.source);
      if (!own.has(target)) expose(target);
      if (target === undefined || read.has(target)) return [];
      read.add(target);
      return isAlias(target) ? [] : scalarsIn(target);
    }
    own.add(value);
    return scalarsIn(value);
  };
  const scalarsIn = (value: unknown): Scalar[] => {
    if (isScalar(value)) return [value];
    return isSeq(value) ? value.items.flatMap((one) => (isSeq(one) ? [] : scalarsOf(one))) : [];
  };
  const pair = ({ key, value }: Pair) => {
    const name = isScalar(key) ? String(key.value) : "";
    const users = isUsers(name);
    if (!users && !isSecretKey(name)) return;
    for (const scalar of scalarsOf(value)) {
      const inner = insideOf(text, scalar);
      const found = users ? behindName(text, inner) : inner;
      if (found !== null) secrets.push(found);
    }
  };
  try {
    const plain = withoutActions(text);
    if (isDeep(plain)) return null;
    const docs = [...parseAllDocuments(plain, { uniqueKeys: false, logLevel: "silent" })];
    for (const doc of docs) {
      anchors.clear();
      visit(doc, {
        Pair: (_, one) => pair(one),
        Value: (_, node) => {
          if (node.anchor !== undefined) anchors.set(node.anchor, node);
        },
        Alias: (_, node) => {
          if (!uses.has(node)) expose(anchors.get(node.source));
        },
      });
    }
    return { secrets, exposed, broken: docs.some(({ errors }) => errors.length > 0) };
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

const keyed = /(?<![\w.-])(["']?)([\w.-]+)\1[ \t]*(?::(?=[ \t"'[\r\n])|=)[ \t]*/g;
/** A text in its quotes, be they closed or not (an action may have some of its own); a template; a bare word or more. */
const worded =
  /["']\{\{[^\n{}]{0,200}\}\}["']|"""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)|"[^"\\\n]*(?:\\.[^"\\\n]*)*"?|'[^'\n]*(?:''[^'\n]*)*'?|\{\{[^\n]*|[^\s"'#&*!|>{}[\],`][^\n,}\]]*/y;
/** What stands before each value of a list, in brackets or by dashes. */
const [inBrackets, byDashes] = [/[\s,]*(?:#[^\n]*[\s,]*)*/y, /(?:[ \t]*\r?\n)+[ \t]*-[ \t]+/y];

function lineEnd(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}

/** A value that is no YAML (TOML, a comment, what is broken), and where it ends: at its line's end, at a space, or in a list. */
function wordAt(
  text: string,
  at: number,
  upTo: "line" | "space" | "list",
): { readonly found: Found | null; readonly end: number } | null {
  worded.lastIndex = at;
  const first = worded.exec(text)?.[0];
  if (first === undefined) return null;
  const said = upTo === "line" && !/^["'{]/.test(first) ? text.slice(at, lineEnd(text, at)) : first;
  const end = at + said.length;
  const quote = /^(?:"""|'''|["'])/.exec(said)?.[0] ?? "";
  if (quote !== "") {
    const closed = said.length >= 2 * quote.length && said.endsWith(quote);
    const inner = { start: at + quote.length, end: end - (closed ? quote.length : 0) };
    return { found: valued(text, inner.start, inner.end) === null ? null : inner, end };
  }
  const length = said.startsWith("{{") ? -1 : said.search(upTo === "space" ? /[\s&;#]/ : /[ \t]#/);
  const found = valued(text, at, length < 0 ? end : at + length);
  const isWord = found !== null && wordOfYaml.test(text.slice(found.start, found.end));
  return { found: isWord ? null : found, end };
}

const mostIndent = 100;
/** name = "value", name: value, name = ["value", …]: likewise, line by line. */
function byWords(text: string): Found[] {
  const secrets: Found[] = [];
  const keys = new RegExp(keyed);
  for (let match = keys.exec(text); match !== null; match = keys.exec(text)) {
    const [whole, , name = ""] = match;
    const users = isUsers(name);
    if (!users && !isSecretKey(name)) continue;
    let at = keys.lastIndex;
    const lead = text[at] === "[" ? inBrackets : /[\r\n]/.test(text.charAt(at)) ? byDashes : null;
    if (lead === inBrackets) at += 1;
    if (users && lead === null) continue;
    const own = /(?:^|\n)[ \t#-]*$/.test(text.slice(Math.max(0, match.index - mostIndent), match.index));
    const upTo =
      whole.trimEnd().endsWith("=") && lead === null ? "space" : own && lead !== inBrackets ? "line" : "list";
    do {
      if (lead !== null) {
        lead.lastIndex = at;
        const before = lead.exec(text)?.[0];
        if (before === undefined) break;
        at += before.length;
      }
      const word = wordAt(text, at, upTo);
      if (word === null) break;
      at = word.end;
      const found = users ? behindName(text, word.found) : word.found;
      if (found !== null) secrets.push(found);
    } while (lead !== null);
    keys.lastIndex = at;
  }
  return secrets;
}
const inComments = (text: string): Found[] =>
  [...text.matchAll(/(?:^|[ \t])#[^\n]*/gm)].flatMap(({ index, 0: comment }) =>
    byWords(comment).map(({ start, end }) => ({ start: index + start, end: index + end })),
  );

/** Passwords of scheme://user:password@host, and ?token=…: of each address up to its next space, quote or address. */
function inAddresses(text: string): Found[] {
  const secrets: Found[] = [];
  for (const { index, 0: whole } of text.matchAll(/:\/\/(?:(?!:\/\/)[^\s"'`<>])*/g)) {
    const rest = whole.slice(3);
    const authority = /^[^/?#]*/.exec(rest)?.[0] ?? "";
    const colon = rest.indexOf(":");
    const isHost = /^(?:\[[^\]]*\]|[^:]*)(?::\d*)?$/.test(authority);
    // A password may hold / as well; behind a port it is a path.
    const end = (authority.includes("@") || isHost ? authority : rest).lastIndexOf("@");
    if (colon >= 0 && colon < end) secrets.push({ start: index + 3 + colon + 1, end: index + 3 + end });
    for (const { index: from, 1: name = "", 2: value = "" } of rest.matchAll(/[?&]([\w.-]+)=([^&#]+)/g))
      if (isSecretKey(name)) {
        const start = index + 3 + from + name.length + 2;
        secrets.push({ start, end: start + value.length });
      }
  }
  return secrets;
}

/** user:realm:MD5 */
function digests(text: string): Found[] {
  return [...text.matchAll(hexDigest)].flatMap(({ index, 0: said }) => {
    const before = text.slice(Math.max(0, index - longestRealm), index);
    const colon = before.endsWith(":") ? before.lastIndexOf(":", before.length - 2) : -1;
    const isOne =
      colon > 0 && /[^\s:"']/.test(before.charAt(colon - 1)) && !before.slice(colon).includes("\n");
    return isOne ? [{ start: index, end: index + said.length }] : [];
  });
}

const byPattern = (text: string): Found[] => [
  ...patterns.flatMap((pattern) =>
    [...text.matchAll(pattern)].map(({ index, 0: said }) => ({ start: index, end: index + said.length })),
  ),
  ...digests(text),
  ...inAddresses(text),
];

/** In their order, those that overlap as one; what is a mark already stays. */
function together(text: string, all: readonly Found[]): Found[] {
  const merged: { start: number; end: number }[] = [];
  for (const { start, end } of [...all].sort((a, b) => a.start - b.start)) {
    if (start >= end || isMark.test(text.slice(start, end))) continue;
    const last = merged.at(-1);
    if (last === undefined || start >= last.end) merged.push({ start, end });
    else last.end = Math.max(last.end, end);
  }
  return merged;
}

function seenIn({ name, text }: ConfigFile): Seen {
  const yaml = name.endsWith(".toml") ? null : byKey(text);
  // What a template writes is not known: an action may hold whole lines.
  const words = yaml === null || yaml.broken || text.includes("{{") ? byWords(text) : inComments(text);
  return {
    secrets: together(text, [...byPattern(text), ...words, ...(yaml?.secrets ?? [])]),
    exposed: together(text, yaml?.exposed ?? []),
  };
}

/** Of this server, and the same after a restart: browsers hold drafts with marks in them. Nobody else can try out guesses of a secret. */
const markKey = () =>
  singleton("routing.files.markKey", () =>
    Buffer.from(hkdfSync("sha256", authSecret(), "", "routing.files.marks", 32)),
  );
const markOf = (secret: string): string =>
  `sluice-kept-${createHmac("sha256", markKey()).update(secret).digest("hex").slice(0, 16)}`;

/** `rest`: what is done to the text between the secrets. */
function withMarks(text: string, secrets: readonly Found[], rest = (part: string) => part): string {
  let [whole, at] = ["", 0];
  for (const { start, end } of secrets) {
    whole += rest(text.slice(at, start)) + markOf(text.slice(start, end));
    at = end;
  }
  return whole + rest(text.slice(at));
}

/** The files with a mark for each secret, which is fine within any quotes. Marks that are there already stay. */
export const masked = (files: readonly ConfigFile[]): ConfigFile[] =>
  files.map((file) => ({ name: file.name, text: withMarks(file.text, seenIn(file).secrets) }));

/** Where a secret may come back: where it would be a mark again, and nowhere else. By start, where it ends. */
function placesOf(file: ConfigFile): Map<number, number> {
  const { secrets, exposed } = seenIn(file);
  let next = 0;
  return new Map(
    secrets
      .filter(({ start, end }) => {
        while ((exposed[next]?.end ?? Number.POSITIVE_INFINITY) <= start) next += 1;
        return (exposed[next]?.start ?? Number.POSITIVE_INFINITY) >= end;
      })
      .map(({ start, end }) => [start, end]),
  );
}

/**
 * The secrets back in the place of their marks, byte for byte, from whatever files hold them. Throws AppError INVALID_INPUT for a mark
 * that none of them explains, and for one where its secret would be seen: as a service's name, it would be told in a problem.
 */
export function restored(
  files: readonly ConfigFile[],
  sources: readonly (readonly ConfigFile[])[],
): ConfigFile[] {
  if (!files.some(({ text }) => text.match(markPattern))) return [...files];
  const known = new Map<string, string>();
  for (const source of sources.flat()) {
    // A mark that somebody really wrote stands for itself.
    for (const [mark] of source.text.matchAll(markPattern)) if (!known.has(mark)) known.set(mark, mark);
    for (const { start, end } of seenIn(source).secrets) {
      const secret = source.text.slice(start, end);
      known.set(markOf(secret), secret);
    }
  }
  return files.map((file) => restoredFile(file, known));
}

function restoredFile({ name, text }: ConfigFile, known: ReadonlyMap<string, string>): ConfigFile {
  const refused = (at: number, problem: string, message: string) => {
    const line = text.slice(0, at).split("\n").length;
    return new AppError("INVALID_INPUT", `${name}, line ${line}: ${message}`, {
      problem: `routing.${problem}`,
      params: { file: name, line },
    });
  };
  let [whole, from] = ["", 0];
  const back: (Found & { readonly at: number })[] = [];
  for (const { index: at, 0: mark } of text.matchAll(markPattern)) {
    const secret = known.get(mark);
    if (secret === undefined)
      throw refused(at, "secretLost", "what the mark stood for is not known any more: write it anew.");
    whole += text.slice(from, at);
    if (secret !== mark) back.push({ at, start: whole.length, end: whole.length + secret.length });
    whole += secret;
    from = at + mark.length;
  }
  whole += text.slice(from);
  const places = back.length === 0 ? null : placesOf({ name, text: whole });
  const seen = back.find(({ start, end }) => places?.get(start) !== end);
  if (seen !== undefined)
    throw refused(seen.at, "secretSeen", "the mark stands where its secret would be seen: write it anew.");
  return { name, text: whole };
}

/** A value as it may be shown, by its path in the configuration ("basicAuth.users[0]"): secrets in it as their marks. */
export function maskedValue(path: string, value: string): string {
  const keys = path.split(/[.[\]]+/).filter((key) => key !== "" && !/^\d+$/.test(key));
  const [last = ""] = keys.slice(-1);
  const whole = valued(value, 0, value.length);
  const found = [...byPattern(value), ...inComments(value)];
  const own = isSecretKey(last) ? whole : isUsers(last) ? behindName(value, whole) : null;
  return withMarks(value, together(value, own === null ? found : [...found, own]), maskedText);
}
