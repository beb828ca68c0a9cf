// A site's status page as its visitors see it: plain facts of the site alone, nothing of what it is made of.
import * as z from "zod";
import { uptimeDay } from "../health/contract";

/**
 * "slow": all is shown, what was changed appears late. "partial": some pages are shown, others fail. "unknown": nobody looked of late.
 */
export const siteStates = ["up", "slow", "partial", "down", "unknown"] as const;
export type SiteState = (typeof siteStates)[number];

/** A time in which visitors noticed something. */
export const trouble = z.object({
  state: z.enum(["partial", "down"]),
  from: z.iso.datetime(),
  /** Null while it goes on. */
  to: z.iso.datetime().nullable(),
  /** How long of that it lasted, where it came and went. */
  ms: z.number(),
});
export type Trouble = z.infer<typeof trouble>;

/** Announced work, in the words of who announced it. */
export const siteWork = z.object({
  title: z.string(),
  startsAt: z.iso.datetime(),
  endsAt: z.iso.datetime(),
});
export type SiteWork = z.infer<typeof siteWork>;

export const statusPage = z.object({
  title: z.string(),
  timeZone: z.string(),
  /** When it was looked at. */
  at: z.iso.datetime(),
  state: z.enum(siteStates),
  /** Since when it is not well; null where it is. */
  since: z.iso.datetime().nullable(),
  /** What goes on now, and what is announced; the next one first. */
  now: z.array(siteWork),
  later: z.array(siteWork),
  /** Of the last ninety days, newest first. */
  troubles: z.array(trouble),
  /** The last ninety days, oldest first; none before the first look. */
  days: z.array(uptimeDay),
  /** Share of the watched time of these days; null where nobody watched. */
  up: z.number().nullable(),
});
export type StatusPage = z.infer<typeof statusPage>;
