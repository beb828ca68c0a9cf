// Starts the built Sluice as a child process and tells when it answers.
import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { sleep } from "../../lab/run/proc.mjs";
import { serverFile } from "./build.mjs";
import { CannotHave } from "./steps.mjs";

/** Whether nobody listens there yet. @param {number} port @param {string} host @returns {Promise<boolean>} */
export function portIsFree(port, host) {
  return new Promise((answer) => {
    const server = createServer();
    server.once("error", () => answer(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => answer(true)));
  });
}

/** A port that is free now. @returns {Promise<number>} */
export function freePort() {
  return new Promise((answer, fail) => {
    const server = createServer();
    server.once("error", fail);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address ? address.port : 0;
      server.close(() => answer(port));
    });
  });
}

/**
 * The environment of the server. Paths are made absolute: the standalone server changes its folder.
 * @param {{port: number, host: string, dataDir?: string | undefined, config?: string | undefined,
 *   env?: Record<string, string>}} options
 * @returns {NodeJS.ProcessEnv & {SLUICE_DATA: string, SLUICE_CONFIG: string}}
 */
export function serverEnvironment({ port, host, dataDir, config, env = {} }) {
  const file = resolve(config ?? process.env.SLUICE_CONFIG ?? "sluice.yaml");
  return {
    // With no file to say it, the address that the first sign-in prints is that of the port.
    ...(existsSync(file) ? {} : { SLUICE_URL: `http://localhost:${port}` }),
    ...process.env,
    NODE_ENV: "production",
    NEXT_TELEMETRY_DISABLED: "1",
    // lib/runtime/process.ts stops Sluice in order; Next would end the process before that.
    NEXT_MANUAL_SIG_HANDLE: "true",
    PORT: String(port),
    HOSTNAME: host,
    SLUICE_DATA: resolve(dataDir ?? process.env.SLUICE_DATA ?? "data"),
    SLUICE_CONFIG: file,
    ...env,
  };
}

/** @param {number} port @param {string} host @param {string} command what the user ran */
export async function refuseTakenPort(port, host, command) {
  if (await portIsFree(port, host)) return;
  throw new CannotHave(
    `port ${port} on ${host}`,
    "another program listens there already",
    `Stop that program, or choose another port: PORT=${port + 1} ${command}`,
  );
}

/** The code of the first sign-in, while there is no administrator yet. @param {string} dataDir */
export function firstSignIn(dataDir) {
  const file = join(dataDir, "first-sign-in.txt");
  return existsSync(file) ? readFileSync(file, "utf8").trim() : undefined;
}

/**
 * @typedef {{url: string, pid: number, stop: (signal?: NodeJS.Signals) => Promise<void>,
 *   ended: Promise<number>}} RunningSluice
 */

/**
 * Starts Sluice and waits until its health page answers.
 * @param {{port: number, host?: string, dataDir: string, config: string, logFile: string,
 *   env?: Record<string, string>, detached?: boolean, timeoutMs?: number}} options
 * @returns {Promise<RunningSluice>}
 */
export async function startSluice(options) {
  const host = options.host ?? "localhost";
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  const out = openSync(options.logFile, "a");
  const child = spawn(process.execPath, [serverFile], {
    env: serverEnvironment({ ...options, host }),
    stdio: ["ignore", out, out],
    detached: options.detached ?? false,
    cwd: options.dataDir,
  });
  closeSync(out);
  /** @type {number | undefined} */
  let code;
  /** @type {Promise<number>} */
  const ended = new Promise((resolve) => {
    child.once("error", () => {
      code = 127;
      resolve(127);
    });
    child.once("exit", (exit) => {
      code = exit ?? 1;
      resolve(code);
    });
  });
  if (options.detached) child.unref();

  const url = `http://localhost:${options.port}`;
  const deadline = performance.now() + (options.timeoutMs ?? 60_000);
  for (;;) {
    if (code !== undefined) break;
    try {
      const answer = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(2000) });
      if (answer.ok) {
        return {
          url,
          pid: child.pid ?? 0,
          ended,
          stop: async (signal = "SIGTERM") => {
            if (code !== undefined) return;
            child.kill(signal);
            const kill = setTimeout(() => child.kill("SIGKILL"), 15_000);
            await ended;
            clearTimeout(kill);
          },
        };
      }
    } catch {
      // Not up yet.
    }
    if (performance.now() > deadline) break;
    await sleep(200);
  }
  child.kill("SIGKILL");
  const tail = readFileSync(options.logFile, "utf8").trim().split("\n").slice(-20).join("\n");
  throw new CannotHave(
    "Sluice",
    code === undefined ? "it did not answer in time" : `it ended with ${code}`,
    `The end of its log (${options.logFile}):\n${tail}`,
  );
}
