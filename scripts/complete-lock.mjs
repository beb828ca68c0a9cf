// After npm i: adds to package-lock.json the optional packages of other platforms that a registry without them made npm leave out.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./setup/paths.mjs";

/**
 * @typedef {{version?: string, dev?: boolean, optional?: boolean, os?: string[], cpu?: string[], libc?: string[],
 *   optionalDependencies?: Record<string, string>}} Entry
 * @typedef {{packages: Record<string, Entry>}} Lock
 */

const systems = ["android", "darwin", "linux", "win32", "freebsd", "openharmony"];
const processors = ["arm64", "arm", "x64", "ia32", "ppc64", "s390x", "riscv64", "loong64", "wasm32"];

/** Whether a package at `path` finds `name`, as Node looks it up. @param {Lock} lock @param {string} path @param {string} name */
function found(lock, path, name) {
  for (
    let base = path;
    ;
    base = base.includes("/node_modules/") ? base.slice(0, base.lastIndexOf("/node_modules/")) : ""
  ) {
    if (lock.packages[`${base === "" ? "" : `${base}/`}node_modules/${name}`]) return true;
    if (base === "") return false;
  }
}

/**
 * npm ci refuses a lock file that lacks them, on every platform.
 * @param {Lock} lock @returns {Record<string, Entry>} what is missing, by its place
 */
export function missingPlatforms(lock) {
  /** @type {Record<string, Entry>} */
  const missing = {};
  for (const [path, entry] of Object.entries(lock.packages))
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      // A range cannot be told without asking; platform packages are pinned by their parent.
      if (found(lock, path, name) || !/^\d+\.\d+\.\d+/.test(version)) continue;
      const words = name.split(/[-/]/);
      const cpu = processors.find((word) => words.includes(word));
      const os = systems.find((word) => words.includes(word));
      const libc = words.includes("musl") ? "musl" : words.includes("gnu") ? "glibc" : undefined;
      missing[`node_modules/${name}`] = {
        version,
        ...(cpu ? { cpu: [cpu] } : {}),
        ...(entry.dev ? { dev: true } : {}),
        ...(os === "linux" && libc ? { libc: [libc] } : {}),
        optional: true,
        ...(os ? { os: [os] } : {}),
      };
    }
  return missing;
}

export const lockFile = join(root, "package-lock.json");

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  /** @type {Lock} */
  const lock = JSON.parse(readFileSync(lockFile, "utf8"));
  const missing = missingPlatforms(lock);
  const all = Object.entries({ ...lock.packages, ...missing }).sort(([one], [other]) =>
    one < other ? -1 : 1,
  );
  writeFileSync(lockFile, `${JSON.stringify({ ...lock, packages: Object.fromEntries(all) }, null, 2)}\n`);
  process.stdout.write(`${Object.keys(missing).length} added\n`);
}
