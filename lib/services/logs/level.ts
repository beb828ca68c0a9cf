// What a line of a log says by itself: its level, and its fields where it is JSON. Safe for the browser.

import type { LogLevel } from "./contract";

const words: Readonly<Record<string, LogLevel>> = {
  trace: "trace",
  debug: "debug",
  dbg: "debug",
  verbose: "debug",
  info: "info",
  inf: "info",
  information: "info",
  notice: "info",
  log: "info",
  note: "info",
  warn: "warn",
  wrn: "warn",
  warning: "warn",
  error: "error",
  err: "error",
  eror: "error",
  fatal: "fatal",
  critical: "fatal",
  crit: "fatal",
  alert: "fatal",
  emergency: "fatal",
  emerg: "fatal",
  panic: "fatal",
};
/** pino's and bunyan's numbers. */
const byNumber = (value: number): LogLevel =>
  value < 20
    ? "trace"
    : value < 30
      ? "debug"
      : value < 40
        ? "info"
        : value < 50
          ? "warn"
          : value < 60
            ? "error"
            : "fatal";
/** Monolog's numbers (100 debug … 600 emergency). */
const byMonolog = (value: number): LogLevel =>
  value < 200 ? "debug" : value < 300 ? "info" : value < 400 ? "warn" : value < 500 ? "error" : "fatal";

/** Terminal colours and the like: what is left when they are taken out. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what they begin with
const escapes = /\u001b\[[0-9;?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[@-Z\\-_]/g;
export const withoutColours = (text: string): string =>
  text.includes("\u001b") ? text.replace(escapes, "") : text;

export type Recognised = {
  readonly level: LogLevel | null;
  /** The fields, where the line is a JSON object. */
  readonly json: Readonly<Record<string, unknown>> | null;
};

/** Only the beginning of a line is searched for a level: "error" far behind is what somebody talks about. */
const headLength = 160;
/** A level as programs write it: [error], ERROR:, level=warn, app.CRITICAL, <notice>, "NOTICE: ". */
const written =
  /\blevel["']?\s*[=:]\s*["']?(?<field>[a-z]+)|[[<(](?<bracket>[a-z]+)[\])>]|\.(?<monolog>DEBUG|INFO|NOTICE|WARNING|ERROR|CRITICAL|ALERT|EMERGENCY)\b|\b(?<upper>TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL|EMERG|PANIC)\b|^(?:\S+\s+){0,3}(?<start>error|warning|fatal|notice|debug)\s*:/gi;

/** Reads a line. */
export function recognise(text: string): Recognised {
  const plain = withoutColours(text);
  const json = jsonOf(plain);
  if (json !== null) return { level: levelOfJson(json), json };
  for (const match of plain.slice(0, headLength).matchAll(written)) {
    const { field, bracket, monolog, upper, start } = match.groups ?? {};
    // In upper case only: "an error page" is no level.
    if (upper !== undefined && upper !== upper.toUpperCase()) continue;
    const level = words[(field ?? bracket ?? monolog ?? upper ?? start ?? "").toLowerCase()];
    if (level !== undefined) return { level, json: null };
  }
  return { level: null, json: null };
}

function jsonOf(text: string): Record<string, unknown> | null {
  const trimmed = text.trim();
  if (!trimmed.startsWith("{") || !trimmed.endsWith("}")) return null;
  try {
    const value: unknown = JSON.parse(trimmed);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function levelOfJson(json: Readonly<Record<string, unknown>>): LogLevel | null {
  for (const key of ["level_name", "severity", "levelname", "level", "lvl", "log.level"]) {
    const value = json[key];
    if (typeof value === "number") return value >= 100 ? byMonolog(value) : byNumber(value);
    if (typeof value === "string") {
      const known = words[value.toLowerCase()];
      if (known !== undefined) return known;
    }
  }
  return null;
}
