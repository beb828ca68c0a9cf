// One hash of files and folders, to know whether work on them can be skipped.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/**
 * sha-256 of the names and bytes of the given files and folders; missing ones count as missing.
 * @param {string} base @param {string[]} names relative to base
 * @param {(path: string) => boolean} [keep] whether a file counts
 */
export function treeHash(base, names, keep = () => true) {
  const hash = createHash("sha256");
  /** @param {string} name */
  const add = (name) => {
    const path = join(base, name);
    if (!existsSync(path)) return;
    if (statSync(path).isDirectory()) for (const entry of readdirSync(path).sort()) add(`${name}/${entry}`);
    else if (keep(name)) {
      const body = readFileSync(path);
      hash.update(`${name}\0${body.length}\0`).update(body);
    }
  };
  for (const name of names) add(name);
  return hash.digest("hex");
}
