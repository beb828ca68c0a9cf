// npm test: sets everything up, runs every suite, and ends with how many tests passed and failed.
import { mkdirSync, rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { ensureNode } from "./setup/node.mjs";
import { ensureGenerated, ensureNpmPackages } from "./setup/npm-packages.mjs";
import { runMain, say, seconds } from "./setup/steps.mjs";
import { Resources } from "./suites/resources.mjs";
import { logsDir } from "./suites/run-logged.mjs";
import { suites } from "./suites/suites.mjs";

const usage = `npm test                                every suite
npm test -- --only lint,types,unit      some of them: ${suites.map((suite) => suite.name).join(", ")}
npm test -- --keep                      leaves the stack and Sluice running afterwards
`;

/** @typedef {import("./suites/suites.mjs").Outcome} Outcome */

/** @param {string} name @param {Outcome} outcome @param {number} ms */
function report(name, outcome, ms) {
  const mark = outcome.failed > 0 ? "FAIL" : outcome.passed === 0 ? "skip" : "ok";
  const counts = [`${outcome.passed} passed`, `${outcome.failed} failed`];
  if (outcome.skipped.length > 0) counts.push(`${outcome.skipped.length} skipped`);
  process.stdout.write(`${mark.padEnd(4)}  ${name.padEnd(11)} ${counts.join(", ")} (${seconds(ms)})\n`);
  if (outcome.failed > 0 && outcome.detail)
    process.stdout.write(`${outcome.detail.replace(/^/gm, "      ")}\n`);
  for (const why of outcome.skipped) process.stdout.write(`      skipped: ${why}\n`);
}

await runMain(async () => {
  const { values } = parseArgs({
    options: {
      only: { type: "string" },
      keep: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const asked = values.only?.split(",").map((name) => name.trim());
  const unknown = asked?.filter((name) => !suites.some((suite) => suite.name === name)) ?? [];
  if (unknown.length > 0) {
    process.stderr.write(`no such suite: ${unknown.join(", ")}\n\n${usage}`);
    return 2;
  }
  const chosen = suites.filter((suite) => !asked || asked.includes(suite.name));

  ensureNode();
  await ensureNpmPackages();
  await ensureGenerated();
  rmSync(logsDir, { recursive: true, force: true });
  mkdirSync(logsDir, { recursive: true });

  const resources = new Resources({ keep: values.keep === true });
  // Containers come up (mostly waiting for packages) while the checks keep the processors busy.
  if (chosen.some((suite) => suite.needsStack)) resources.stack().catch(() => {});
  const total = { passed: 0, failed: 0, skipped: 0 };
  let interrupted = false;
  const interrupt = () => {
    interrupted = true;
    say("interrupted: taking down what was started");
  };
  process.once("SIGINT", interrupt);
  process.once("SIGTERM", interrupt);
  try {
    for (const suite of chosen) {
      if (interrupted) break;
      const from = performance.now();
      say(`suite ${suite.name}: ${suite.what}`);
      /** @type {Outcome} */
      let outcome;
      try {
        outcome = await suite.run(resources);
      } catch (error) {
        outcome = {
          passed: 0,
          failed: 1,
          skipped: [],
          detail: error instanceof Error ? error.message : String(error),
        };
      }
      report(suite.name, outcome, performance.now() - from);
      total.passed += outcome.passed;
      total.failed += outcome.failed;
      total.skipped += outcome.skipped.length;
    }
  } finally {
    await resources.release();
  }
  if (interrupted) total.failed += 1;
  if (total.failed > 0) say(`logs: ${logsDir}`);
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
  process.stdout.write(`\n${total.passed} passed, ${total.failed} failed${skipped}\n`);
  return total.failed > 0 || total.passed === 0 ? 1 : 0;
});
