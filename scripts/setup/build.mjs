// The production build: a standalone server with everything beside it that it reads at run time.
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { must } from "../../lab/run/proc.mjs";
import { ensureGenerated } from "./npm-packages.mjs";
import { bin, root } from "./paths.mjs";
import { step } from "./steps.mjs";
import { treeHash } from "./tree-hash.mjs";

const output = join(root, ".next", "standalone");
const stamp = join(root, ".next", "sluice-build");
export const serverFile = join(output, "server.js");

/** All that a build is made of. */
const sources = [
  "app",
  "components",
  "lib",
  "messages",
  "prisma",
  "public",
  "instrumentation.ts",
  "instrumentation-client.ts",
  "proxy.ts",
  "next.config.ts",
  "postcss.config.mjs",
  "tsconfig.json",
  "package.json",
  "package-lock.json",
  "scripts/generate.mjs",
];
const fingerprint = () =>
  `${treeHash(root, sources, (name) => !/\.test\.tsx?$/.test(name))} ${process.versions.modules}`;

/** Builds when the sources are not those of the build that is there. @param {{force?: boolean}} [options] */
export async function ensureBuild({ force = false } = {}) {
  const want = fingerprint();
  if (!force && existsSync(serverFile) && existsSync(stamp) && readFileSync(stamp, "utf8") === want) return;
  rmSync(stamp, { force: true });
  await step("generating the database client", ensureGenerated);
  await step("building Sluice (next build)", () =>
    must(bin("next"), ["build"], {
      cwd: root,
      timeoutMs: 900_000,
      env: { ...process.env, NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1" },
    }),
  );
  // Next leaves these to whoever serves them.
  cpSync(join(root, ".next", "static"), join(output, ".next", "static"), { recursive: true });
  if (existsSync(join(root, "public")))
    cpSync(join(root, "public"), join(output, "public"), { recursive: true });
  // Were the sources changed meanwhile, the next call builds again.
  writeFileSync(stamp, want);
}
