// API keys: how they are made, recognised and found. Only their hash is kept.
import { createHash, randomBytes } from "node:crypto";
import { db } from "../db/client";

const prefix = "slc_";
const startLength = prefix.length + 6;
const keyPattern = /^slc_[A-Za-z0-9_-]{43}$/;

/** A new key of 256 random bits, with what is kept of it. */
export function newKey(): { key: string; hash: string; start: string } {
  const key = `${prefix}${randomBytes(32).toString("base64url")}`;
  return { key, hash: hashKey(key), start: key.slice(0, startLength) };
}

function hashKey(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}

/** The key a request carries (Authorization: Bearer slc_…, or X-API-Key), or null. */
export function keyOf(headers: Headers): string | null {
  const header = headers.get("x-api-key");
  if (header !== null) return header.trim();
  return /^bearer\s+(\S+)$/i.exec(headers.get("authorization")?.trim() ?? "")?.[1] ?? null;
}

/** The key's row with its maker, or null when there is none, it has run out, or its maker is shut out. */
export async function findKey(key: string) {
  if (!keyPattern.test(key)) return null;
  // By hash, so that the time this takes tells nothing about the keys there are.
  const row = await db().apiKey.findUnique({ where: { hash: hashKey(key) }, include: { user: true } });
  if (row === null || row.user.banned || row.user.mustChangePassword) return null;
  return row.expiresAt !== null && row.expiresAt.getTime() <= Date.now() ? null : row;
}
