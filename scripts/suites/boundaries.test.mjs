// Each import rule must be able to fail: a planted violation of every one of them is found, and a tidy tree is clean.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run } from "../../lab/run/proc.mjs";
import { bin, root } from "../setup/paths.mjs";

/** @type {{forbidden: {name: string}[]}} */
const config = createRequire(import.meta.url)(join(root, ".dependency-cruiser.cjs"));

/** Rule -> a file that breaks it, and what it imports. @type {Record<string, [string, string]>} */
const planted = {
  "no-circular": ["lib/circle/one.ts", "./two"],
  "systems-know-no-domain": ["lib/systems/varnish/planted.ts", "@/lib/purge/tidy"],
  "contracts-are-browser-safe": ["lib/purge/contract.ts", "./tidy"],
  "components-see-contracts-only": ["components/purge/planted.tsx", "@/lib/purge/tidy"],
  "components-not-app": ["components/purge/planted-app.tsx", "@/app/page"],
  "lib-not-ui": ["lib/purge/planted-ui.ts", "@/components/purge/tidy"],
  "domains-not-api": ["lib/purge/planted-api.ts", "@/lib/api/router"],
  "engine-knows-no-domain": ["lib/changes/planted.ts", "@/lib/purge/tidy"],
  "not-to-dev-dep": ["lib/purge/planted-dev.ts", "vitest"],
  "nothing-imports-tests": ["lib/purge/planted-test.ts", "./tidy.test"],
};
const tidy = {
  "app/page.tsx": ["@/components/purge/tidy"],
  "components/purge/tidy.tsx": ["@/lib/history/contract"],
  "lib/history/contract.ts": [],
  "lib/api/router.ts": ["@/lib/purge/tidy"],
  "lib/purge/tidy.ts": ["@/lib/systems/varnish/tidy", "@/lib/changes/tidy"],
  "lib/purge/tidy.test.ts": ["./tidy", "vitest"],
  "lib/changes/tidy.ts": [],
  "lib/systems/varnish/tidy.ts": [],
};

/** @param {Record<string, string[]>} files each with what it imports */
function plant(files) {
  const folder = mkdtempSync(join(tmpdir(), "sluice-boundaries-"));
  for (const [name, imports] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    const lines = imports.map(
      (from, index) => `import * as it${index} from "${from}"; export const used${index} = it${index};`,
    );
    writeFileSync(join(folder, name), `${lines.join("\n")}\nexport const here = 1;\n`);
  }
  for (const name of ["tsconfig.json", "package.json"])
    writeFileSync(join(folder, name), readFileSync(join(root, name)));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  return folder;
}

/** @param {string} folder @returns {Promise<{rule: string, from: string}[]>} */
async function violations(folder) {
  const ran = await run(
    bin("depcruise"),
    ["--config", join(root, ".dependency-cruiser.cjs"), "--output-type", "json", "app", "components", "lib"],
    { cwd: folder, timeoutMs: 60_000 },
  );
  /** @type {{summary: {violations: {from: string, rule: {name: string}}[]}}} */
  const report = JSON.parse(ran.stdout);
  return report.summary.violations.map((one) => ({ rule: one.rule.name, from: one.from }));
}

/** @type {string[]} */
const folders = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

describe("import rules", () => {
  /** @type {{rule: string, from: string}[]} */
  let found = [];
  beforeAll(async () => {
    const folder = plant({
      ...tidy,
      "lib/circle/two.ts": ["./one"],
      ...Object.fromEntries(Object.values(planted).map(([file, from]) => [file, [from]])),
    });
    folders.push(folder);
    found = await violations(folder);
  }, 60_000);

  test("a tidy tree breaks none", async () => {
    const folder = plant(tidy);
    folders.push(folder);
    expect(await violations(folder)).toEqual([]);
  }, 60_000);

  test.each(config.forbidden.map((rule) => rule.name))("%s finds its planted violation", (rule) => {
    const [file] = planted[rule] ?? [];
    expect(file, "every rule has a planted violation").toBeDefined();
    expect(found).toContainEqual({ rule, from: file });
  });
});
