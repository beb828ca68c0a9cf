// A zone at Cloudflare as the browser sees it: its last hour, its security level and development mode, and the acts on them.
import * as z from "zod";
import { toldProblem } from "../errors/contract";

/** Mildest first, in Cloudflare's words. "off" is Enterprise's only. */
export const securityLevel = z.enum(["off", "essentially_off", "low", "medium", "high", "under_attack"]);
export type SecurityLevel = z.infer<typeof securityLevel>;
export const onOff = z.enum(["on", "off"]);

/** The name of a zone in sluice.yaml. */
const name = z.string().min(1).max(100);
const course = z.array(z.number());

/** Whole minutes, oldest first; Cloudflare is some minutes behind. */
export const zoneTraffic = z.object({
  stepMs: z.int(),
  /** UTC of the last minute's end: as of when all of it is. */
  end: z.iso.datetime(),
  requests: course,
  /** Answered from Cloudflare's cache. */
  cached: course,
  bytes: course,
  cachedBytes: course,
  /** Answered with a status of 500 or more. */
  failed: course,
  /** Blocked or challenged; null where nobody tells. */
  threats: course.nullable(),
});
export type ZoneTrafficCourse = z.infer<typeof zoneTraffic>;

/** "Under attack" that ends by itself. */
export const attack = z.object({
  /** The change that began it. */
  change: z.int(),
  until: z.iso.datetime(),
  backTo: securityLevel,
  /** Why it is not over although its time is. */
  problem: toldProblem.nullable(),
});

export const zoneState = z.object({
  name,
  plan: z.string(),
  /** Sites whose requests go through it. */
  sites: z.array(z.string()),
  traffic: zoneTraffic.nullable(),
  /** Why there are no newer figures. */
  trafficProblem: toldProblem.nullable(),
  threatsProblem: toldProblem.nullable(),
  settings: z
    .object({
      level: securityLevel,
      /** UTC at which development mode ends by itself; null while it is off. */
      developmentUntil: z.iso.datetime().nullable(),
    })
    .nullable(),
  settingsProblem: toldProblem.nullable(),
  attack: attack.nullable(),
});
export type ZoneState = z.infer<typeof zoneState>;

/** How long "under attack" may last, in minutes. */
export const attackMinutes = { least: 1, most: 24 * 60, usual: 60 } as const;

export const securityRequest = z.object({
  name,
  level: securityLevel,
  /** Of under_attack only: after so long it goes back to what it was. */
  minutes: z.int().min(attackMinutes.least).max(attackMinutes.most).optional(),
  /** What it was when it was looked at; refused when it is another one now. */
  expected: securityLevel.optional(),
});
/** `ends`: the change whose time is over; when it is not under attack any more it is left as it is. */
export const securityInput = securityRequest.extend({ ends: z.int().optional() });
export type SecurityInput = z.infer<typeof securityInput>;

export const securityPlan = z.object({
  name,
  before: securityLevel,
  level: securityLevel,
  /** Of under_attack: UTC of its end, and what comes then. */
  until: z.iso.datetime().nullable(),
  backTo: securityLevel.nullable(),
  ends: z.int().nullable(),
  sites: z.array(z.string()),
});
export type SecurityPlan = z.infer<typeof securityPlan>;
export const securityEvidence = z.object({ level: securityLevel });
export type SecurityEvidence = z.infer<typeof securityEvidence>;

export const developmentInput = z.object({
  name,
  value: onOff,
  /** What it was when it was looked at; refused when it is otherwise now. */
  expected: onOff.optional(),
});
export type DevelopmentInput = z.infer<typeof developmentInput>;

export const developmentPlan = z.object({
  name,
  before: onOff,
  value: onOff,
  /** UTC at which it ends by itself, as it is now. */
  until: z.iso.datetime().nullable(),
  sites: z.array(z.string()),
});
export type DevelopmentPlan = z.infer<typeof developmentPlan>;
export const developmentEvidence = z.object({ value: onOff, until: z.iso.datetime().nullable() });
export type DevelopmentEvidence = z.infer<typeof developmentEvidence>;
