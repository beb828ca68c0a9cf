// Sluice's own secret: signs session cookies and encrypts second factors. Made at the first start, kept beside the database.
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureDataDirectory } from "../db/location";
import { AppError } from "../errors/app-error";
import { singleton } from "../runtime/singleton";

const secretBytes = 32;
const secretPattern = /^[0-9a-f]{64}$/;

/** The secret, 64 hexadecimal characters. Throws AppError CONFIG_INVALID when its file is there but damaged. */
export function authSecret(): string {
  return singleton("auth.secret", () => {
    const file = join(ensureDataDirectory(), "auth-secret");
    try {
      // "wx": of two processes one makes it, the other reads it.
      writeFileSync(file, randomBytes(secretBytes).toString("hex"), { mode: 0o600, flag: "wx" });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const secret = readFileSync(file, "utf8").trim();
    if (secretPattern.test(secret)) return secret;
    throw new AppError(
      "CONFIG_INVALID",
      `${file} is damaged. Remove it: a new one is made, everybody signs in again and sets up second factors again.`,
    );
  });
}
