// Runs a suite's program with its whole output in a log file.
import { createWriteStream, mkdirSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../lab/run/proc.mjs";
import { labState, root } from "../setup/paths.mjs";

export const logsDir = join(labState, "test-logs");

// Colours make logs hard to read and to search.
const plain = { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0" };

/**
 * @param {string} name of the log @param {string} program @param {string[]} args
 * @param {{env?: Record<string, string | undefined>, timeoutMs?: number, tail?: number, cwd?: string}} [options]
 * @returns {Promise<{code: number, tail: string, stdout: string}>} tail: the last lines, for a failure's report
 */
export async function runLogged(name, program, args, options = {}) {
  mkdirSync(logsDir, { recursive: true });
  const log = createWriteStream(join(logsDir, `${name}.log`), { flags: "a" });
  const ran = await run(program, args, {
    cwd: options.cwd ?? root,
    env: { ...plain, ...options.env },
    timeoutMs: options.timeoutMs ?? 900_000,
    onLine: (line) => log.write(`${line}\n`),
  });
  log.end();
  const lines = `${ran.stdout}\n${ran.stderr}`.trim().split("\n");
  return { code: ran.code, tail: lines.slice(-(options.tail ?? 60)).join("\n"), stdout: ran.stdout };
}
