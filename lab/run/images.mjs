// Builds the lab's images: each is tagged by what it is made of, so an unchanged one costs no work.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { stateDir, withEngineLock } from "./engine.mjs";
import { must, run } from "./proc.mjs";

export const imagesDir = fileURLToPath(new URL("../images", import.meta.url));
export const baseImage = "debian:bookworm-slim";

/** Every image of the lab: the folders of lab/images that hold a Dockerfile. */
export function imageNames() {
  return readdirSync(imagesDir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(imagesDir, entry.name, "Dockerfile")))
    .map((entry) => entry.name)
    .sort();
}

/**
 * Twelve hex digits of a folder's names, modes and bytes and of what it is built on. Times and
 * order on disk play no part: two clones of a commit have the same hash.
 * @param {string} folder @param {string} base
 */
export function contentHash(folder, base) {
  const hash = createHash("sha256").update(`${base}\0`);
  /** @param {string} dir @param {string} prefix */
  const walk = (dir, prefix) => {
    const entries = readdirSync(dir, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      const path = join(dir, entry.name);
      const name = `${prefix}${entry.name}`;
      if (entry.isDirectory()) walk(path, `${name}/`);
      else if (entry.isFile()) {
        const body = readFileSync(path);
        const executable = (statSync(path).mode & 0o100) !== 0;
        hash.update(`${name}\0${executable ? "x" : "-"}\0${body.length}\0`).update(body);
      }
    }
  };
  walk(folder, "");
  return hash.digest("hex").slice(0, 12);
}

/** @param {string} image */
async function imageId(image) {
  const ran = await run("docker", ["image", "inspect", "--format", "{{.Id}}", image]);
  return ran.code === 0 ? ran.stdout.trim() : undefined;
}

/** A registry that does not answer must not cost minutes: the question is put with a short time-out. */
async function registryAnswers() {
  const url = process.env.SLUICE_LAB_REGISTRY ?? "https://registry-1.docker.io/v2/";
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(4000), redirect: "manual" });
    // A registry says which protocol it speaks even when it wants a token; a proxy's error page does not.
    return answer.headers.has("docker-distribution-api-version");
  } catch {
    return false;
  }
}

/**
 * Authorities that this machine trusts besides the usual ones (a company's proxy): without them no image that fetches by TLS
 * can be built. Where npm needs them, Node has been told so.
 */
function authorities() {
  const file = process.env.NODE_EXTRA_CA_CERTS;
  return file && existsSync(file) ? readFileSync(file) : undefined;
}
/** Says of a base that was made here which authorities are in it. */
const authoritiesLabel = "sluice.lab.authorities";
const labelOf = (/** @type {Buffer | undefined} */ pem) =>
  pem ? createHash("sha256").update(pem).digest("hex").slice(0, 12) : "none";

/** A base that was made here with other authorities than these is made anew; one that was pulled is as it is. @param {string} label */
async function staleBase(label) {
  const format = `{{len .RepoDigests}} {{index .Config.Labels "${authoritiesLabel}"}}`;
  const ran = await run("docker", ["image", "inspect", "--format", format, baseImage]);
  return ran.code === 0 && /^0 /.test(ran.stdout) && ran.stdout.trim() !== `0 ${label}`;
}

/** @param {(line: string) => void} log */
async function bootstrapBase(log) {
  const rootfs = join(stateDir, "rootfs");
  rmSync(rootfs, { recursive: true, force: true });
  mkdirSync(stateDir, { recursive: true });
  log("no image registry answers: making the base image with debootstrap (about half a minute)");
  const mirror = process.env.SLUICE_LAB_MIRROR ?? "http://deb.debian.org/debian";
  await must("debootstrap", ["--variant=minbase", "bookworm", rootfs, mirror], { timeoutMs: 900_000 });
  // The official image has these three too; without them the lab would run unpatched packages.
  writeFileSync(
    join(rootfs, "etc/apt/sources.list"),
    [
      `deb ${mirror} bookworm main`,
      `deb ${mirror} bookworm-updates main`,
      `deb ${mirror}-security bookworm-security main`,
      "",
    ].join("\n"),
  );
  const pem = authorities();
  const trusted = "/usr/local/share/ca-certificates/machine.crt";
  const changes = [`LABEL ${authoritiesLabel}=${labelOf(pem)}`];
  if (pem) {
    // The package ca-certificates takes it up from there, and Java's with it; Node and npm ask by themselves.
    mkdirSync(dirname(join(rootfs, trusted)), { recursive: true });
    writeFileSync(join(rootfs, trusted), pem);
    changes.push(`ENV NODE_EXTRA_CA_CERTS=${trusted}`, `ENV NPM_CONFIG_CAFILE=${trusted}`);
  }
  log("importing the base image");
  await new Promise((resolve, reject) => {
    const tar = spawn("tar", ["-C", rootfs, "--exclude=./var/cache/apt/archives/*.deb", "-c", "."], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const docker = spawn(
      "docker",
      ["import", ...changes.flatMap((change) => ["--change", change]), "-", baseImage],
      { stdio: [tar.stdout, "ignore", "inherit"] },
    );
    tar.on("error", reject);
    docker.on("error", reject);
    docker.on("close", (code) =>
      code === 0 ? resolve(undefined) : reject(new Error(`docker import ended with ${code}`)),
    );
  });
  rmSync(rootfs, { recursive: true, force: true });
}

/** @param {(line: string) => void} log */
async function ensureBase(log) {
  const known = await imageId(baseImage);
  if (known && !(await staleBase(labelOf(authorities())))) return known;
  if (!known && (await registryAnswers())) {
    log(`pulling ${baseImage}`);
    const pulled = await run("docker", ["pull", "-q", baseImage], { timeoutMs: 300_000 });
    if (pulled.code !== 0) log(`pull failed: ${pulled.stderr.trim().split("\n").at(-1)}`);
  }
  if (known || !(await imageId(baseImage))) await bootstrapBase(log);
  const id = await imageId(baseImage);
  if (!id) throw new Error(`${baseImage} is still missing after it was made`);
  return id;
}

/**
 * Makes sure that every image (or those of `only`) is there, and answers each one's tag.
 * @param {{log: (line: string) => void, only?: string[]}} options
 * @returns {Promise<Record<string, string>>} image name to `sluice-lab/<name>:<hash>`
 */
export async function ensureImages({ log, only }) {
  const names = imageNames().filter((name) => !only || only.includes(name));
  const unknown = only?.filter((name) => !names.includes(name)) ?? [];
  if (unknown.length > 0) throw new Error(`no such image in the lab: ${unknown.join(", ")}`);
  const tagsFor = (/** @type {string} */ base) =>
    Object.fromEntries(
      names.map((name) => [name, `sluice-lab/${name}:${contentHash(join(imagesDir, name), base)}`]),
    );
  const missingOf = async (/** @type {Record<string, string>} */ tags) => {
    const ids = await Promise.all(Object.values(tags).map(imageId));
    return names.filter((_, index) => ids[index] === undefined);
  };

  const knownBase = await imageId(baseImage);
  if (knownBase && !(await staleBase(labelOf(authorities())))) {
    const tags = tagsFor(knownBase);
    if ((await missingOf(tags)).length === 0) return tags;
  }
  return withEngineLock(log, async () => {
    const tags = tagsFor(await ensureBase(log));
    for (const name of await missingOf(tags)) {
      const tag = /** @type {string} */ (tags[name]);
      const start = performance.now();
      log(`building ${tag}`);
      await must(
        "docker",
        // The daemon's own network: where the host reaches Debian's packages, so does the build.
        [
          "build",
          "--network",
          "host",
          "-q",
          "-t",
          tag,
          "-t",
          `sluice-lab/${name}:latest`,
          join(imagesDir, name),
        ],
        // The classic builder everywhere: Engine 20.10 without buildx has no other.
        { timeoutMs: 1_200_000, env: { ...process.env, DOCKER_BUILDKIT: "0" } },
      );
      log(`built ${tag} in ${((performance.now() - start) / 1000).toFixed(1)} s`);
    }
    return tags;
  });
}
