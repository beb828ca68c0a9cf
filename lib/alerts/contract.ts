// Alerts as the browser sees them: what fires, what is silenced and by whom, and what a silence would reach.
import * as z from "zod";
import { changeLevel } from "../changes/contract";
import { toldProblem } from "../errors/contract";

/**
 * Worst first. "inhibited": another alert, or a deeper component that is down, already says it. "pending": its condition holds, not
 * yet for long enough.
 */
export const alertStates = ["firing", "pending", "inhibited", "silenced"] as const;
export const alertState = z.enum(alertStates);
export type AlertState = z.infer<typeof alertState>;

/** Who says it: a rule of Prometheus, somebody who told Alertmanager, or Sluice's own looks. */
export const alertSource = z.enum(["prometheus", "alertmanager", "sluice"]);

export const alert = z.object({
  /** Made of its labels: the same from look to look. */
  id: z.string(),
  source: alertSource,
  name: z.string(),
  /** As its rule says it: "critical", "warning", or any word; null when it has none. */
  severity: z.string().nullable(),
  state: alertState,
  labels: z.record(z.string(), z.string()),
  summary: z.string().nullable(),
  description: z.string().nullable(),
  /** An address, or a path in somebody's repository. */
  runbook: z.string().nullable(),
  /** Of Sluice's own: why. */
  problem: toldProblem.nullable(),
  since: z.iso.datetime(),
  value: z.number().nullable(),
  /** Key of the component that it is about (kind/name); null when none is known. */
  component: z.string().nullable(),
  /** Ids of silences. */
  silencedBy: z.array(z.string()),
  /** The open incident that covers it. */
  incident: z.int().nullable(),
});
export type Alert = z.infer<typeof alert>;

export const matcher = z.object({
  name: z
    .string()
    .regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, "a label's name: letters, digits and _")
    .max(100),
  value: z.string().max(1000),
  isRegex: z.boolean().default(false),
  isEqual: z.boolean().default(true),
});
export type Matcher = z.infer<typeof matcher>;

export const silence = z.object({
  id: z.string(),
  state: z.enum(["active", "pending"]),
  matchers: z.array(z.object({ ...matcher.shape, name: z.string(), value: z.string() })),
  startsAt: z.iso.datetime(),
  endsAt: z.iso.datetime(),
  createdBy: z.string(),
  comment: z.string(),
  /** How many alerts it silences now. */
  alerts: z.int(),
});
export type Silence = z.infer<typeof silence>;

export const alertsSnapshot = z.object({
  /** When they were gathered; the epoch before the first time. */
  at: z.iso.datetime(),
  alerts: z.array(alert),
  silences: z.array(silence),
  /** Rules that Prometheus cannot evaluate: they would not fire. */
  failing: z.array(z.object({ name: z.string(), error: z.string() })),
  /** Who does not answer, since when, and why; what it said last is still shown. */
  away: z.array(
    z.object({
      source: z.enum(["prometheus", "alertmanager"]),
      since: z.iso.datetime(),
      problem: toldProblem,
    }),
  ),
  /** Which of the two sluice.yaml names. */
  connected: z.object({ prometheus: z.boolean(), alertmanager: z.boolean() }),
});
export type AlertsSnapshot = z.infer<typeof alertsSnapshot>;

export const silenceInput = z.object({
  matchers: z.array(matcher).max(30),
  endsAt: z.iso.datetime(),
  reason: z.string().trim().min(3).max(500),
});
export type SilenceInput = z.infer<typeof silenceInput>;
export const silenceRequest = silenceInput.extend({ confirmation: z.string().max(300).optional() });
/** A plan before anybody has written why. */
export const silencePreview = silenceInput.extend({ reason: z.string().trim().max(500).default("") });

const reached = z.object({
  id: z.string(),
  name: z.string(),
  component: z.string().nullable(),
  state: alertState,
});
export const silencePlan = z.object({
  system: z.string(),
  title: z.string(),
  matchers: z.array(matcher),
  endsAt: z.iso.datetime(),
  reason: z.string(),
  createdBy: z.string(),
  /** What it silences now; at most a hundred. */
  reached: z.array(reached),
  count: z.int(),
  /** It would silence whatever has these labels: every alert there may be. */
  broad: z.boolean(),
  level: changeLevel,
  confirmation: z.string().nullable(),
});
export type SilencePlan = z.infer<typeof silencePlan>;

export const silenceEvidence = z.object({
  silence: z.string(),
  state: z.string(),
  endsAt: z.iso.datetime(),
  alerts: z.array(z.object({ id: z.string(), name: z.string(), silenced: z.boolean() })),
});
export type SilenceEvidence = z.infer<typeof silenceEvidence>;

export const unsilenceInput = z.object({ id: z.string().min(1).max(100) });
export type UnsilenceInput = z.infer<typeof unsilenceInput>;
export const unsilencePlan = z.object({
  system: z.string(),
  title: z.string(),
  silence: z.string(),
  matchers: z.array(matcher),
  endsAt: z.iso.datetime(),
  comment: z.string(),
  createdBy: z.string(),
});
export type UnsilencePlan = z.infer<typeof unsilencePlan>;
