// Secrets in Traefik's files leave the server as marks, and come back as what they were: password hashes, private keys, and the values
// of keys that are called like a secret.
import { createHash, scryptSync } from "node:crypto";
import { isScalar, isSeq, type Pair, parseAllDocuments, Scalar, visit, type visitor } from "yaml";
import { AppError } from "../../errors/app-error";
import type { ConfigFile } from "./contract";

const markPattern = /sluice-kept-[0-9a-f]{16}/g;
const isMark = /^sluice-kept-[0-9a-f]{16}$/;

/**
 * What each kind looks like. `fast`: somebody who has the mark could try out guesses of it, so that it is made slowly; the others are
 * random or have a salt that the mark does not tell.
 */
const patterns: readonly {
  readonly pattern: RegExp;
  readonly fast: boolean;
  /** What must be before it on its line. */
  readonly behind?: RegExp;
}[] = [
  {
    pattern: /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)/g,
    fast: false,
  },
  { pattern: /\$2[abxy]?\$\d\d\$[./A-Za-z0-9]{53}/g, fast: false },
  { pattern: /\$(?:apr1|1|5|6|7|y|md5|argon2\w*|scrypt|pbkdf2[\w-]*)\$[./A-Za-z0-9$=,+-]+/g, fast: false },
  { pattern: /\{S?SHA(?:256|512)?\}[A-Za-z0-9+/]{20,}={0,2}/g, fast: true },
  // user:realm:MD5
  { pattern: /(?<![0-9A-Za-z])[0-9a-fA-F]{32}(?![0-9A-Za-z])/g, fast: true, behind: /[^\s:"']:[^:]*:$/ },
];

/** A key whose value is a secret, whatever it looks like. */
const secretKey = /(?:authorization|password|passwd|secret|token|credentials?|api-?key|private-?key)$/i;

type Found = { readonly start: number; readonly end: number; readonly fast: boolean };

/** What is inside of the quotes; null where it is no text, or a template's. */
function insideOf(text: string, node: Scalar): Found | null {
  const [start, end] = node.range ?? [0, 0];
  const quoted = node.type === Scalar.QUOTE_DOUBLE || node.type === Scalar.QUOTE_SINGLE;
  if (!quoted && node.type !== Scalar.PLAIN) return null;
  const inner = quoted
    ? { start: start + 1, end: end - (text[end - 1] === text[start] && end - start > 1 ? 1 : 0) }
    : { start, end };
  const said = text.slice(inner.start, inner.end);
  return said.trim() === "" || said.includes("{{") || typeof node.value !== "string"
    ? null
    : { ...inner, fast: true };
}

/** Values under keys that say that they are secrets, and what follows the name in lists of users. */
function byKey(text: string): Found[] {
  const found: Found[] = [];
  const add = (inner: Found | null) => {
    if (inner !== null && inner.start < inner.end) found.push(inner);
  };
  // What a template does is no YAML.
  const plain = text.replace(/\{\{[\s\S]*?\}\}/g, (action) => action.replace(/[^\r\n]/g, " "));
  const each: visitor = {
    Pair: (_, { key, value }: Pair) => {
      const name = isScalar(key) ? String(key.value) : "";
      if (isScalar(value) && secretKey.test(name)) add(insideOf(text, value));
      if (name.toLowerCase() === "users" && isSeq(value))
        for (const item of value.items) {
          const inner = isScalar(item) ? insideOf(text, item) : null;
          const colon = inner === null ? -1 : text.slice(inner.start, inner.end).lastIndexOf(":");
          if (inner !== null && colon >= 0) add({ ...inner, start: inner.start + colon + 1 });
        }
    },
  };
  for (const doc of parseAllDocuments(plain, { uniqueKeys: false, logLevel: "silent" })) visit(doc, each);
  return found;
}

/** TOML's: name = "value". */
function byTomlKey(text: string): Found[] {
  const found: Found[] = [];
  for (const match of text.matchAll(
    /^[ \t]*(["']?)([\w.-]+)\1[ \t]*=[ \t]*(?:"((?:[^"\\\n]|\\.)+)"|'([^'\n]+)')/gm,
  )) {
    const value = match[3] ?? match[4] ?? "";
    const end = match.index + match[0].length - 1;
    if (secretKey.test(match[2] ?? "") && !value.includes("{{"))
      found.push({ start: end - value.length, end, fast: true });
  }
  return found;
}

function byPattern(text: string): Found[] {
  return patterns.flatMap(({ pattern, fast, behind }) =>
    [...text.matchAll(pattern)].flatMap(({ index, 0: said }): Found[] => {
      const line = text.slice(text.lastIndexOf("\n", index - 1) + 1, index);
      return behind?.test(line) === false ? [] : [{ start: index, end: index + said.length, fast }];
    }),
  );
}

/** Apart from each other, in their order; of two that overlap the one that begins first, or is longer. */
function apart(text: string, all: readonly Found[]): Found[] {
  let end = 0;
  return [...all]
    .sort((a, b) => a.start - b.start || b.end - a.end)
    .filter((one) => {
      if (one.start < end || isMark.test(text.slice(one.start, one.end))) return false;
      end = one.end;
      return true;
    });
}
const secretsIn = ({ name, text }: ConfigFile): Found[] =>
  apart(text, [...byPattern(text), ...(name.endsWith(".toml") ? byTomlKey(text) : byKey(text))]);

/** By what they were made of; slow ones are not made twice. */
const made = new Map<string, string>();
const mostMade = 10_000;
function markOf(secret: string, fast: boolean): string {
  const digest = createHash("sha256").update(secret).digest("hex");
  if (!fast) return `sluice-kept-${digest.slice(0, 16)}`;
  const known = made.get(digest);
  if (known !== undefined) return known;
  if (made.size >= mostMade) made.clear();
  const mark = `sluice-kept-${scryptSync(secret, "sluice-kept", 8, { N: 4096 }).toString("hex")}`;
  made.set(digest, mark);
  return mark;
}

function maskedText(text: string, secrets: readonly Found[]): string {
  let [whole, at] = ["", 0];
  for (const { start, end, fast } of secrets) {
    whole += text.slice(at, start) + markOf(text.slice(start, end), fast);
    at = end;
  }
  return whole + text.slice(at);
}

/** The files with a mark for each secret, which is fine within any quotes. Marks that are there already stay. */
export const masked = (files: readonly ConfigFile[]): ConfigFile[] =>
  files.map((file) => ({ name: file.name, text: maskedText(file.text, secretsIn(file)) }));

/**
 * The secrets back in the place of their marks, byte for byte, from whatever files hold them. Throws AppError INVALID_INPUT for a mark
 * that none of them explains.
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
    for (const { start, end, fast } of secretsIn(source)) {
      const secret = source.text.slice(start, end);
      known.set(markOf(secret, fast), secret);
    }
  }
  return files.map(({ name, text }) => ({
    name,
    text: text.replace(markPattern, (mark, at: number) => {
      const secret = known.get(mark);
      if (secret !== undefined) return secret;
      const line = text.slice(0, at).split("\n").length;
      throw new AppError(
        "INVALID_INPUT",
        `What ${mark} in ${name} stood for is not known any more: write it anew.`,
        {
          problem: "routing.secretLost",
          params: { file: name, line },
        },
      );
    }),
  }));
}

/** A value as it may be shown, by its path in the configuration ("basicAuth.users[0]"): secrets in it as their marks. */
export function maskedValue(path: string, value: string): string {
  const keys = path.split(/[.[\]]+/).filter((key) => key !== "" && !/^\d+$/.test(key));
  const [last = ""] = keys.slice(-1);
  const colon = value.lastIndexOf(":") + 1;
  const whole = { end: value.length, fast: true };
  const found = byPattern(value);
  if (secretKey.test(last) && value !== "") found.push({ ...whole, start: 0 });
  if (last.toLowerCase() === "users" && colon > 0) found.push({ ...whole, start: colon });
  return maskedText(value, apart(value, found));
}
