// The runtime as a process: ends with a clear message when it cannot start, and in order when it is told to stop.
import { toAppError } from "../errors/app-error";
import { log } from "./log";
import { singleton } from "./singleton";
import { type Parts, startRuntime, stopRuntime } from "./start";

/** Starts the runtime and listens for SIGTERM and SIGINT. A runtime that cannot start ends the process with status 1. */
export async function startProcess(parts?: Parts): Promise<void> {
  singleton("runtime.signals", () => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.once(signal, () => {
        log.info({ signal }, "stopping");
        void stopRuntime().finally(() => process.exit(0));
      });
    }
    return true;
  });
  try {
    await startRuntime(parts);
  } catch (thrown) {
    const error = toAppError(thrown);
    log.fatal(
      error.code === "INTERNAL" ? { err: error } : { code: error.code },
      `Sluice cannot start: ${error.message}`,
    );
    process.stderr.write(`\nSluice cannot start: ${error.message}\n\n`);
    await stopRuntime();
    process.exit(1);
  }
}
