// The suites of npm test, in the order in which they run: what is quick and needs nothing comes first.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { bin, root } from "../setup/paths.mjs";
import { CannotHave } from "../setup/steps.mjs";
import { composeFiles } from "./compose.mjs";
import { image } from "./image.mjs";
import { logsDir, runLogged } from "./run-logged.mjs";

/**
 * @typedef {{passed: number, failed: number, skipped: string[], detail?: string}} Outcome
 *   skipped: each with its name and why
 * @typedef {import("./resources.mjs").Resources} Resources
 * @typedef {{name: string, what: string, needsStack?: boolean,
 *   run: (resources: Resources) => Promise<Outcome>}} Suite
 */

/**
 * A check that either finds something or does not: one test.
 * @param {string} name @param {string} program @param {string[]} args @returns {Promise<Outcome>}
 */
async function check(name, program, args) {
  const ran = await runLogged(name, program, args);
  return ran.code === 0
    ? { passed: 1, failed: 0, skipped: [] }
    : { passed: 0, failed: 1, skipped: [], detail: ran.tail };
}

/** @param {string} file @returns {unknown} */
const readJson = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined);

/**
 * @param {string} project of vitest.config.ts @param {Record<string, string>} env @param {string[]} [more]
 * @returns {Promise<Outcome>}
 */
async function vitest(project, env, more = []) {
  const file = join(logsDir, `${project}.json`);
  const ran = await runLogged(
    project,
    bin("vitest"),
    [
      "run",
      "--project",
      project,
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${file}`,
      ...more,
    ],
    { env, timeoutMs: 2_700_000, tail: 80 },
  );
  /** @typedef {{status: string, fullName: string, ancestorTitles: string[], title: string}} Assertion */
  const result =
    /** @type {{numPassedTests: number, numFailedTests: number, testResults: {name: string, status: string, message: string, assertionResults: Assertion[]}[]} | undefined} */ (
      readJson(file)
    );
  if (!result) return { passed: 0, failed: 1, skipped: [], detail: ran.tail };
  const all = result.testResults.flatMap((one) => one.assertionResults);
  const skipped = all
    .filter((one) => one.status === "skipped" || one.status === "pending" || one.status === "todo")
    .map((one) => one.fullName.trim());
  // A file that does not even load has no test of its own that could fail.
  const unloaded = result.testResults.filter(
    (one) => one.status === "failed" && one.assertionResults.every((test) => test.status !== "failed"),
  );
  let failed = result.numFailedTests + unloaded.length;
  // Errors outside of any test end vitest with a code alone.
  if (failed === 0 && ran.code !== 0) failed = 1;
  return { passed: result.numPassedTests, failed, skipped, ...(failed > 0 ? { detail: ran.tail } : {}) };
}

/** Nothing of the suite can run here: said by name, not failed. @param {string} name @param {unknown} error @returns {Outcome} */
function cannot(name, error) {
  if (!(error instanceof CannotHave)) throw error;
  return { passed: 0, failed: 0, skipped: [`${name}: no ${error.what} (${error.why.split("\n")[0]})`] };
}

/**
 * @param {string} name @param {() => Promise<unknown>} prepare what the machine may be unable to give
 * @param {() => Promise<Outcome>} run
 */
async function where(name, prepare, run) {
  try {
    await prepare();
  } catch (error) {
    return cannot(name, error);
  }
  return run();
}

/** @param {Resources} resources @returns {Promise<Outcome>} */
async function endToEnd(resources) {
  const stack = await resources.stack();
  const chromium = await resources.chromium();
  const sluice = await resources.sluice();
  const file = join(logsDir, "e2e.json");
  const ran = await runLogged("e2e", bin("playwright"), ["test", "--reporter=list,json"], {
    timeoutMs: 1_500_000,
    tail: 120,
    env: {
      PLAYWRIGHT_JSON_OUTPUT_FILE: file,
      PLAYWRIGHT_JSON_OUTPUT_NAME: file,
      SLUICE_CHROMIUM: chromium,
      SLUICE_E2E_URL: sluice.url,
      SLUICE_E2E_DATA: resources.files.data,
      SLUICE_STACK: resources.files.stack,
      SLUICE_E2E_SITE: `http://site.localhost:${stack.ports.edge}`,
    },
  });
  /** @typedef {{title: string, specs?: {title: string, tests: {status: string}[]}[], suites?: PlaywrightSuite[]}} PlaywrightSuite */
  const result =
    /** @type {{stats: {expected: number, unexpected: number, flaky: number}, suites: PlaywrightSuite[], errors?: unknown[]} | undefined} */ (
      readJson(file)
    );
  if (!result) return { passed: 0, failed: 1, skipped: [], detail: ran.tail };
  /** @param {PlaywrightSuite[]} list @returns {string[]} */
  const skippedOf = (list) =>
    list.flatMap((one) => [
      ...(one.specs ?? [])
        .filter((spec) => spec.tests.every((test) => test.status === "skipped"))
        .map((spec) => spec.title),
      ...skippedOf(one.suites ?? []),
    ]);
  // A test that needed a second try did fail.
  let failed = result.stats.unexpected + result.stats.flaky;
  if (failed === 0 && ran.code !== 0) failed = 1;
  return {
    passed: result.stats.expected,
    failed,
    skipped: skippedOf(result.suites),
    ...(failed > 0 ? { detail: ran.tail } : {}),
  };
}

/** @type {Suite[]} */
export const suites = [
  { name: "lint", what: "Biome's rules and format", run: () => check("lint", bin("biome"), ["check", "."]) },
  {
    name: "types",
    what: "TypeScript, strict",
    run: async () => {
      // Next writes the types of its own; without them the checker does not know its files.
      const types = await runLogged("types", bin("next"), ["typegen"]);
      if (types.code !== 0) return { passed: 0, failed: 1, skipped: [], detail: types.tail };
      return check("types", bin("tsc"), ["--noEmit", "-p", "."]);
    },
  },
  {
    name: "boundaries",
    what: "the import rules of docs/architecture.md",
    run: () => {
      const files = ["app", "components", "lib", "instrumentation.ts", "proxy.ts"].filter((name) =>
        existsSync(join(root, name)),
      );
      return check("boundaries", bin("depcruise"), ["--config", ".dependency-cruiser.cjs", ...files]);
    },
  },
  {
    name: "unused",
    what: "files, exports and packages that nobody uses",
    run: () => check("unused", bin("knip"), []),
  },
  { name: "unit", what: "units, without any service", run: () => vitest("unit", {}) },
  {
    name: "stack",
    what: "adapters and the purge against the real servers",
    needsStack: true,
    run: (resources) =>
      where(
        "stack",
        async () => {
          await resources.engine();
          await resources.testTools();
        },
        async () => {
          await resources.stack();
          return vitest("stack", { SLUICE_STACK: resources.files.stack });
        },
      ),
  },
  {
    name: "e2e",
    what: "people's ways through Sluice, in Chromium, on the stack",
    needsStack: true,
    run: (resources) =>
      where(
        "e2e",
        async () => {
          await resources.engine();
          await resources.testTools();
          await resources.chromium();
        },
        () => endToEnd(resources),
      ),
  },
  {
    name: "compose",
    what: "docker-compose.yml, alone and with the lab's images",
    run: (resources) => where("compose", () => resources.engine(), composeFiles),
  },
  {
    name: "image",
    what: "Sluice's image: built, started, healthy, not root",
    run: (resources) => where("image", () => resources.engine(), image),
  },
];
