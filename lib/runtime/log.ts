// The program's own log: JSON lines on standard output, without secrets.
import pino from "pino";
import { singleton } from "./singleton";

const secretKeys = [
  "password",
  "newPassword",
  "currentPassword",
  "token",
  "secret",
  "client_secret",
  "authorization",
  "cookie",
  "set-cookie",
  "x-api-key",
];

/** The log. `log.info({ changeId }, "text")`; level by SLUICE_LOG (default info). Known names of secrets are redacted. */
export const log = singleton("runtime.log", () =>
  pino({
    level: process.env.SLUICE_LOG || (process.env.VITEST ? "silent" : "info"),
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: {
      paths: secretKeys.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]),
      censor: "(hidden)",
    },
  }),
);
