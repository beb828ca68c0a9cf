// The CDN's cache as Nginx keeps it on disk: one file per entry, named by the md5 of its key. The
// file begins with Nginx's own header, then "\nKEY: <key>\n", then the answer's headers.
import { createHash } from "node:crypto";
import {
  closeSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

/**
 * @typedef {{path: string, key: string, url: URL, origin: string | undefined, tags: string[]}} Entry
 * @typedef {{url: string, headers?: Record<string, string>}} Target
 */

/** The key for an address, as nginx.conf makes it: no port, no fragment; the scheme and query count. @param {Target} target */
export function keyOf({ url, headers = {} }) {
  const parsed = new URL(url);
  const origin = Object.entries(headers).find(([name]) => name.toLowerCase() === "origin")?.[1];
  return `${parsed.protocol}//${parsed.hostname}${parsed.pathname}${parsed.search}${origin ? ` origin=${origin}` : ""}`;
}

/** Whether an address lies under a prefix: whole path segments, as directories do. @param {URL} url @param {string} prefix */
export function underPrefix(url, prefix) {
  const whole = url.hostname + url.pathname;
  const bare = prefix.replace(/\/+$/, "");
  return whole === bare || whole.startsWith(`${bare}/`);
}

/** @param {string} raw the answer's header block @returns {string[]} */
export function tagsOf(raw) {
  const tags = [];
  for (const line of raw.split("\r\n")) {
    const match = /^cache-tag:\s*(.*)$/i.exec(line);
    // Spaces are not allowed in a tag; the comma separates.
    if (match?.[1])
      tags.push(
        ...match[1]
          .split(",")
          .map((tag) => tag.trim().toLowerCase())
          .filter(Boolean),
      );
  }
  return tags;
}

export class CacheStore {
  /** @param {string} dir a proxy_cache_path with levels=1 */
  constructor(dir) {
    this.dir = dir;
    /** @type {Map<string, {ino: number, mtimeMs: number, entry: Entry | undefined}>} */
    this.known = new Map();
  }

  /** @param {string} key */
  pathOf(key) {
    const name = createHash("md5").update(key).digest("hex");
    return join(this.dir, name.slice(-1), name);
  }

  /** @param {string} path @returns {Entry | undefined} */
  read(path) {
    let handle;
    try {
      handle = openSync(path, "r");
    } catch {
      return undefined;
    }
    try {
      const size = fstatSync(handle).size;
      for (let want = 8192; ; want *= 4) {
        const buffer = Buffer.alloc(Math.min(want, size));
        const got = readSync(handle, buffer, 0, buffer.length, 0);
        const text = buffer.toString("latin1", 0, got);
        const start = text.indexOf("\nKEY: ");
        const end = text.indexOf("\r\n\r\n", start);
        if (start < 0 || (end < 0 && want < size)) {
          if (want >= size) return undefined;
          continue;
        }
        const lineEnd = text.indexOf("\n", start + 1);
        const key = text.slice(start + 6, lineEnd);
        const [address, origin] = key.split(" origin=");
        if (!address || !URL.canParse(address)) return undefined;
        return {
          path,
          key,
          url: new URL(address),
          origin,
          tags: tagsOf(text.slice(lineEnd + 1, end < 0 ? undefined : end)),
        };
      }
    } finally {
      closeSync(handle);
    }
  }

  /** All entries now. A file is read once: Nginx never changes one in place, it renames a new one over it. */
  entries() {
    const seen = new Set();
    /** @type {Entry[]} */
    const found = [];
    for (const level of readdirSync(this.dir)) {
      let names;
      try {
        names = readdirSync(join(this.dir, level));
      } catch {
        continue;
      }
      for (const name of names) {
        if (!/^[0-9a-f]{32}$/.test(name)) continue;
        const path = join(this.dir, level, name);
        const stat = statSync(path, { throwIfNoEntry: false });
        if (!stat) continue;
        seen.add(path);
        let known = this.known.get(path);
        if (!known || known.ino !== stat.ino || known.mtimeMs !== stat.mtimeMs) {
          known = { ino: stat.ino, mtimeMs: stat.mtimeMs, entry: this.read(path) };
          this.known.set(path, known);
        }
        if (known.entry) found.push(known.entry);
      }
    }
    for (const path of this.known.keys()) if (!seen.has(path)) this.known.delete(path);
    return found;
  }

  /** @param {string} path @param {boolean} soft */
  drop(path, soft) {
    try {
      if (!soft) {
        unlinkSync(path);
        return true;
      }
      // Soft: the second field of Nginx's header is the time up to which the entry is fresh.
      const handle = openSync(path, "r+");
      const past = Buffer.alloc(8);
      past.writeBigInt64LE(BigInt(Math.floor(Date.now() / 1000) - 1));
      writeSync(handle, past, 0, 8, 8);
      closeSync(handle);
      return true;
    } catch (error) {
      // Gone already: Nginx's cache manager or another purge was quicker.
      if (/** @type {NodeJS.ErrnoException} */ (error).code === "ENOENT") return false;
      throw error;
    }
  }

  /** @param {Target[]} targets @param {boolean} soft */
  purgeUrls(targets, soft) {
    return targets.filter((target) => this.drop(this.pathOf(keyOf(target)), soft)).length;
  }

  /** @param {(entry: Entry) => boolean} matches @param {boolean} soft */
  purgeWhere(matches, soft) {
    return this.entries().filter((entry) => matches(entry) && this.drop(entry.path, soft)).length;
  }
}
