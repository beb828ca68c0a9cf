// The npm packages, installed without running their install scripts but for the one that must compile.
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { must, run } from "../../lab/run/proc.mjs";
import { aptInstall, canInstall } from "./apt.mjs";
import { bin, root } from "./paths.mjs";
import { CannotHave, say, step } from "./steps.mjs";

const stamp = join(root, "node_modules", ".sluice-installed");
const sqlite = join(root, "node_modules", "better-sqlite3", "build", "Release", "better_sqlite3.node");

/** npm started by this very Node, wherever npm's own files are. */
function npm() {
  const cli = process.env.npm_execpath;
  return cli && existsSync(cli) && cli.endsWith(".js")
    ? { program: process.execPath, first: [cli] }
    : { program: "npm", first: [] };
}

/** Prisma fetches an engine that nothing here uses; an empty program in its place spares the download. */
const quietPrisma = existsSync("/bin/true") ? "/bin/true" : process.execPath;

function environment() {
  const headers = join(dirname(process.execPath), "..");
  return {
    ...process.env,
    PRISMA_SCHEMA_ENGINE_BINARY: quietPrisma,
    // Compiling takes Node's headers; those beside this Node spare a download of them.
    ...(existsSync(join(headers, "include", "node", "node.h")) && !process.env.npm_config_nodedir
      ? { npm_config_nodedir: headers }
      : {}),
  };
}

/** What an installation depends on: the lock file and the Node that compiled the native module. */
const wanted = () =>
  createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .update(`${process.versions.modules} ${process.platform} ${process.arch}`)
    .digest("hex");

async function sqliteLoads() {
  if (!existsSync(sqlite)) return false;
  const probe = 'new (require("better-sqlite3"))(":memory:").prepare("select 1").get()';
  return (await run(process.execPath, ["-e", probe], { cwd: root, timeoutMs: 20_000 })).code === 0;
}

/**
 * Whether node_modules holds what package-lock.json says: npm keeps its own list of what it installed.
 * Packages installed by hand (npm i) are then taken as they are.
 */
function installedAsLocked() {
  const hidden = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(hidden)) return false;
  /** @typedef {Record<string, {version?: string, optional?: boolean, devOptional?: boolean, link?: boolean}>} Packages */
  /** @param {string} file @returns {Packages} */
  const packagesOf = (file) => JSON.parse(readFileSync(file, "utf8")).packages ?? {};
  const locked = packagesOf(join(root, "package-lock.json"));
  const installed = packagesOf(hidden);
  for (const [path, { version, optional, devOptional }] of Object.entries(locked))
    if (path !== "" && !optional && !devOptional && installed[path]?.version !== version) return false;
  return Object.entries(installed).every(
    ([path, { version }]) => locked[path]?.version === version && existsSync(join(root, path)),
  );
}

/** The compiler's three parts, from Debian where they are missing and may be installed. */
async function ensureBuildTools() {
  /** @type {string[]} */
  const missing = [];
  for (const program of ["python3", "make", "g++"])
    if ((await run(program, ["--version"])).code === 127) missing.push(program);
  if (missing.length === 0) return;
  if (!canInstall())
    throw new CannotHave(
      "better-sqlite3",
      `it has to be compiled, and ${missing.join(", ")} is missing`,
      `Install ${missing.join(", ")} (Debian: apt-get install ${missing.join(" ")}), then run this again.`,
    );
  await step(`installing ${missing.join(" ")}`, () => aptInstall(missing));
}

/** Packages as package-lock.json has them; nothing is done when they are there already. */
export async function ensureNpmPackages() {
  const want = wanted();
  const known = existsSync(stamp) ? readFileSync(stamp, "utf8").trim() : "";
  if (known === want && existsSync(sqlite) && existsSync(bin("next"))) return;
  const { program, first } = npm();
  const env = environment();

  if (!installedAsLocked()) {
    try {
      accessSync(root, constants.W_OK);
    } catch {
      throw new CannotHave(
        "the npm packages",
        `${root} may not be written to`,
        "Run this as the owner of the checkout.",
      );
    }
    const install = await step("installing npm packages (npm ci)", () =>
      run(program, [...first, "ci", "--ignore-scripts"], { cwd: root, env, timeoutMs: 900_000 }),
    );
    if (install.code !== 0)
      throw new CannotHave(
        "the npm packages",
        `npm ci ended with ${install.code}:\n${install.stderr.trim().split("\n").slice(-8).join("\n")}`,
        "Check that the npm registry is reached (npm ping), then run this again.",
      );
  }
  if (!(await sqliteLoads())) {
    await ensureBuildTools();
    await step("compiling better-sqlite3 (about two minutes)", () =>
      must(program, [...first, "rebuild", "better-sqlite3"], { cwd: root, env, timeoutMs: 900_000 }),
    );
    if (!(await sqliteLoads()))
      throw new CannotHave(
        "better-sqlite3",
        "it was compiled but does not load",
        "Remove node_modules and run this again; if it stays, please report it with your Node's version.",
      );
  }
  writeFileSync(stamp, want);
  say(`npm packages are in place (Node ${process.versions.node})`);
}

/** The database client, generated from prisma/schema.prisma. */
export async function ensureGenerated() {
  await must(process.execPath, [join(root, "scripts", "generate.mjs")], { cwd: root, timeoutMs: 120_000 });
}
