// Runs a program by an argument array (never through a shell) and keeps what it said.
import { spawn } from "node:child_process";

/**
 * @typedef {{code: number, stdout: string, stderr: string}} Ran
 * @typedef {{cwd?: string, env?: Record<string, string | undefined>, input?: string, timeoutMs?: number,
 *   onLine?: (line: string) => void}} RunOptions
 */

/** A program that ended badly; the message carries the last lines it printed. */
export class ProgramFailed extends Error {
  /** @param {string} program @param {string[]} args @param {Ran} ran */
  constructor(program, args, ran) {
    const said = `${ran.stdout}\n${ran.stderr}`.trim().split("\n").slice(-15).join("\n");
    super(`${program} ${args.slice(0, 3).join(" ")} ended with ${ran.code}:\n${said}`);
    this.name = "ProgramFailed";
    this.ran = ran;
  }
}

/**
 * Runs to the end, whatever the exit code. A missing program answers code 127.
 * @param {string} program @param {string[]} args @param {RunOptions} [options]
 * @returns {Promise<Ran>}
 */
export function run(program, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: /** @type {NodeJS.ProcessEnv} */ (options.env ?? process.env),
      stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    let pending = "";
    const timer = options.timeoutMs ? setTimeout(() => child.kill("SIGKILL"), options.timeoutMs) : undefined;
    /** @param {string} text */
    const lines = (text) => {
      if (!options.onLine) return;
      const parts = (pending + text).split(/\r?\n/);
      pending = parts.pop() ?? "";
      for (const part of parts) options.onLine(part);
    };
    child.stdout?.setEncoding("utf8").on("data", (text) => {
      stdout += text;
      lines(text);
    });
    child.stderr?.setEncoding("utf8").on("data", (text) => {
      stderr += text;
      lines(text);
    });
    if (options.input !== undefined && child.stdin) {
      // The program may close its input early; its exit code tells the story.
      child.stdin.on("error", () => {});
      child.stdin.end(options.input);
    }
    child.on("error", (error) => {
      clearTimeout(timer);
      resolve({ code: 127, stdout, stderr: String(error) });
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      if (pending && options.onLine) options.onLine(pending);
      resolve({ code: code ?? 137, stdout, stderr });
    });
  });
}

/**
 * Runs to the end and throws `ProgramFailed` when it ends badly.
 * @param {string} program @param {string[]} args @param {RunOptions} [options]
 */
export async function must(program, args, options = {}) {
  const ran = await run(program, args, options);
  if (ran.code !== 0) throw new ProgramFailed(program, args, ran);
  return ran;
}

/** A log that says how long the whole has taken: `[  12.3 s] text`. @param {(line: string) => void} write */
export function timedLog(write) {
  const start = performance.now();
  return (/** @type {string} */ line) =>
    write(`[${((performance.now() - start) / 1000).toFixed(1).padStart(6)} s] ${line}`);
}

/** @param {number} ms */
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
