// Progress on the console: what is being done, and how long it took.
import { performance } from "node:perf_hooks";

/** Something that this machine cannot give; carries what to do about it. Printed without a stack trace. */
export class CannotHave extends Error {
  /** @param {string} what @param {string} why @param {string} todo */
  constructor(what, why, todo) {
    super(`${what}: ${why}\n  ${todo}`);
    this.name = "CannotHave";
    this.what = what;
    this.why = why;
  }
}

const started = performance.now();

/** @param {number} ms */
export const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

/** One line of progress, with the time since the program began. @param {string} line */
export function say(line) {
  process.stdout.write(`[${seconds(performance.now() - started).padStart(8)}] ${line}\n`);
}

/**
 * Says what is begun and how long it took; a step shorter than a tenth of a second says nothing.
 * @template T @param {string} what @param {() => Promise<T> | T} work @returns {Promise<T>}
 */
export async function step(what, work) {
  const from = performance.now();
  // Only what takes a while is announced: a second start stays a handful of lines.
  const announce = setTimeout(() => say(`${what} …`), 150);
  try {
    const result = await work();
    const took = performance.now() - from;
    if (took > 100) say(`${what}: done in ${seconds(took)}`);
    return result;
  } catch (error) {
    say(`${what}: failed after ${seconds(performance.now() - from)}`);
    throw error;
  } finally {
    clearTimeout(announce);
  }
}

/**
 * Runs a program's main and turns its end into an exit code and a last message that says what to do.
 * @param {() => Promise<number | undefined>} main
 */
export async function runMain(main) {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    process.exitCode = 1;
    if (error instanceof CannotHave) process.stderr.write(`\n${error.message}\n`);
    else
      process.stderr.write(`\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  }
}
