// Logs as the browser asks for them and is told them.
import * as z from "zod";
import { logLine, serviceRef } from "../contract";

export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal"] as const;
export type LogLevel = (typeof logLevels)[number];

export const logQuery = z.object({
  /** Up to twenty containers, or services of a Swarm, merged in time order. */
  of: z
    .array(serviceRef.extend({ kind: z.enum(["container", "swarm"]).default("container") }))
    .min(1)
    .max(20),
  since: z.iso.datetime({ offset: true }).optional(),
  until: z.iso.datetime({ offset: true }).optional(),
  /** Lines with this text (any case), or matching this regular expression (RE2) with `regex`. */
  search: z.string().max(500).optional(),
  regex: z.boolean().default(false),
  levels: z.array(z.enum(logLevels)).max(logLevels.length).optional(),
  stream: z.enum(["stdout", "stderr"]).optional(),
  /** The newest so many that match. */
  tail: z.int().min(0).max(5000).default(500),
  /** Go on with what comes. */
  follow: z.boolean().default(true),
});
export type LogQuery = z.infer<typeof logQuery>;

export const shownLine = logLine.extend({
  /** Which of the query's `of` it is from. */
  from: z.int(),
  level: z.enum(logLevels).nullable(),
});
export type ShownLine = z.infer<typeof shownLine>;

export const logEvent = z.discriminatedUnion("type", [
  /**
   * What there was, in time order. `whole`: false when the search stopped at its bound; what it went through is then from
   * `searched.since` to `searched.until`, null where it is the question's own end. `cutBefore`: lines from before this time were
   * left out, although `tail` has room for them, because together they are too long.
   */
  z.object({
    type: z.literal("history"),
    lines: z.array(shownLine),
    scanned: z.int(),
    whole: z.boolean(),
    cutBefore: z.string().nullable(),
    searched: z.object({ since: z.string().nullable(), until: z.string().nullable() }),
  }),
  /** What came since; `dropped` lines were left out just before these, because they came faster than they are shown. */
  z.object({ type: z.literal("lines"), lines: z.array(shownLine), dropped: z.int() }),
  /** A container's log could not be read, or it ended; the others go on. */
  z.object({
    type: z.literal("source"),
    from: z.int(),
    state: z.enum(["ended", "failed", "again"]),
    code: z.string().nullable(),
    message: z.string().nullable(),
  }),
  z.object({ type: z.literal("tick"), at: z.iso.datetime() }),
]);
export type LogEvent = z.infer<typeof logEvent>;
