// Where Sluice keeps its data and finds its configuration.
import { accessSync, chmodSync, constants, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { AppError } from "../errors/app-error";

/** The data directory: SLUICE_DATA, else ./data. Absolute. */
export function dataDirectory(): string {
  return resolve(/* turbopackIgnore: true */ process.env.SLUICE_DATA || "data");
}

/** The database's file in the data directory. */
export function databaseFile(): string {
  return join(dataDirectory(), "sluice.db");
}

/** The configuration's file: SLUICE_CONFIG, else ./sluice.yaml. Absolute; it need not be there. */
export function configFile(): string {
  return resolve(/* turbopackIgnore: true */ process.env.SLUICE_CONFIG || "sluice.yaml");
}

/**
 * Makes the data directory, readable by its owner alone (sessions and secrets are in it), and returns it.
 * Throws AppError DATABASE when it cannot be made or written, DISK_FULL when the disk is full.
 */
export function ensureDataDirectory(): string {
  const directory = dataDirectory();
  try {
    const made = mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (made !== undefined) chmodSync(directory, 0o700);
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    return directory;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown";
    if (code === "ENOSPC") {
      throw new AppError("DISK_FULL", `The disk is full: the data directory ${directory} cannot be made.`, {
        cause: error,
      });
    }
    throw new AppError(
      "DATABASE",
      `The data directory ${directory} cannot be ${code === "EACCES" || code === "EROFS" ? "written" : "used"} (${code}). ` +
        "Give it to the user Sluice runs as, or name another one in SLUICE_DATA.",
      { problem: "data.directory", params: { directory, code }, cause: error },
    );
  }
}
