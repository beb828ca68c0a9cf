// The security level and development mode of a zone as Changes: refused when somebody was faster, proved by reading them back.
import { setTimeout as sleep } from "node:timers/promises";
import { requireRole } from "../auth/permissions";
import type { ChangeKind, RunContext } from "../changes/kind";
import { testConnection } from "../connections/service";
import { AppError } from "../errors/app-error";
import { readSettings, setDevelopment, setLevel, type ZoneSettings } from "../systems/cloudflare/settings";
import { attackOf, securityKindName, targetOf } from "./attacks";
import {
  attackMinutes,
  type DevelopmentEvidence,
  type DevelopmentInput,
  type DevelopmentPlan,
  developmentEvidence,
  developmentInput,
  developmentPlan,
  type SecurityEvidence,
  type SecurityInput,
  type SecurityPlan,
  securityEvidence,
  securityInput,
  securityPlan,
} from "./contract";
import { sitesBehind, zoneCalled } from "./zones";

const developmentKindName = "cloudflare.development";
/** A setting may take a moment until it is told everywhere. */
const verifyMs = 10_000;
const verifyEveryMs = 500;

/** Throws AppError CONFLICT with the difference when a setting is not as it was when it was looked at. */
function refuseChanged(zone: string, before: string, now: string): void {
  if (before === now) return;
  throw new AppError("CONFLICT", `${zone} was ${before} and is ${now} now: look at it again.`, {
    problem: "cloudflare.changed",
    params: { system: zone, before, now },
  });
}

const isoOf = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());
const developmentOf = ({ developmentUntil }: ZoneSettings): "on" | "off" =>
  developmentUntil === null ? "off" : "on";

/** The settings once `good` says so, or as they are after ten seconds. */
async function settled(
  name: string,
  good: (settings: ZoneSettings) => boolean,
  { signal }: RunContext,
): Promise<ZoneSettings> {
  const end = Date.now() + verifyMs;
  for (;;) {
    const seen = await readSettings(zoneCalled(name), signal);
    if (good(seen) || Date.now() > end) {
      // Its component says at once what it has to say of it.
      await testConnection("cloudflare", name).catch(() => {});
      return seen;
    }
    await sleep(verifyEveryMs, undefined, { signal });
  }
}

async function planSecurity(input: SecurityInput, signal: AbortSignal): Promise<SecurityPlan> {
  const { name, level, ends } = input;
  const { level: before } = await readSettings(zoneCalled(name), signal);
  if (input.expected !== undefined) refuseChanged(name, input.expected, before);
  const sites = sitesBehind(name);
  const plan = { name, before, level, until: null, backTo: null, ends: ends ?? null, sites };
  // Who ended it before its time decided what it is now.
  if (ends !== undefined && before !== "under_attack") return { ...plan, level: before };
  if (level !== "under_attack") return plan;
  const running = before === "under_attack" ? await attackOf(name) : null;
  return {
    ...plan,
    until: new Date(Date.now() + (input.minutes ?? attackMinutes.usual) * 60_000).toISOString(),
    // One that goes on longer ends where the first one would have; where nobody knows, at Cloudflare's own default.
    backTo: before === "under_attack" ? (running?.backTo ?? "medium") : before,
  };
}

export const securityKind: ChangeKind<SecurityInput, SecurityPlan, SecurityEvidence> = {
  kind: securityKindName,
  input: securityInput,
  plan: securityPlan,
  evidence: securityEvidence,
  afterCrash: "resume",
  permit: (_input, actor) => requireRole(actor, "operator"),
  makePlan: (input, { signal }) => planSecurity(input, signal),
  describe: (plan) => ({
    title: `${plan.name}: ${plan.level}`,
    site: null,
    // Under attack every visitor is held up; off lets everybody in.
    level: plan.level === "under_attack" || plan.level === "off" ? "disruptive" : "reversible",
    targets: [targetOf(plan.name)],
  }),

  async apply(plan, context) {
    const zone = zoneCalled(plan.name);
    const { level: now } = await readSettings(zone, context.signal);
    if (plan.ends !== null && now !== "under_attack") {
      context.log("info", "cloudflare.leftAsIs", { system: plan.name, now });
      return;
    }
    if (now !== plan.level) refuseChanged(plan.name, plan.before, now);
    if (plan.until !== null) {
      // Sluice was away for all of its time: what was meant to be over is not begun.
      if (Date.parse(plan.until) <= Date.now())
        throw new AppError("CONFLICT", `${plan.name}: its time was over before it could begin.`, {
          problem: "cloudflare.tooLate",
          params: { system: plan.name },
        });
      context.signal.throwIfAborted();
      // From here on it ends by itself, whatever becomes of this change.
      await context.saveCheckpoint({ until: plan.until });
    }
    if (now === plan.level) return;
    context.commit();
    await setLevel(zone, plan.level, context.signal);
    context.log("info", "cloudflare.set", { system: plan.name, before: plan.before, now: plan.level });
  },

  async verify(plan, context) {
    const left = plan.ends !== null;
    const { level } = await settled(
      plan.name,
      (seen) => seen.level === plan.level || (left && seen.level !== "under_attack"),
      context,
    );
    const evidence = { level };
    if (level === plan.level && !(left && plan.before !== "under_attack"))
      return { ok: true, outcome: "set", evidence };
    const ok = left && level !== "under_attack";
    return { ok, outcome: ok ? "leftAsIs" : "otherwise", evidence };
  },

  undo({ plan }) {
    // To be under attack again is an act with a time of its own.
    if (plan.before === plan.level || plan.before === "under_attack") return null;
    return {
      kind: securityKindName,
      input: { name: plan.name, level: plan.before, expected: plan.level } satisfies SecurityInput,
    };
  },
};

export const developmentKind: ChangeKind<DevelopmentInput, DevelopmentPlan, DevelopmentEvidence> = {
  kind: developmentKindName,
  input: developmentInput,
  plan: developmentPlan,
  evidence: developmentEvidence,
  afterCrash: "resume",
  permit: (_input, actor) => requireRole(actor, "operator"),
  async makePlan({ name, value, expected }, { signal }) {
    const seen = await readSettings(zoneCalled(name), signal);
    const before = developmentOf(seen);
    if (expected !== undefined) refuseChanged(name, expected, before);
    return { name, before, value, until: isoOf(seen.developmentUntil), sites: sitesBehind(name) };
  },
  describe: (plan) => ({
    title: `${plan.name}: ${plan.value}`,
    site: null,
    // Everything goes to the origin while it is on.
    level: plan.value === "on" ? "disruptive" : "reversible",
    targets: [targetOf(plan.name)],
  }),

  async apply(plan, context) {
    const zone = zoneCalled(plan.name);
    const now = developmentOf(await readSettings(zone, context.signal));
    if (now === plan.value) return;
    refuseChanged(plan.name, plan.before, now);
    context.commit();
    await setDevelopment(zone, plan.value, context.signal);
    context.log("info", "cloudflare.set", { system: plan.name, before: plan.before, now: plan.value });
  },

  async verify(plan, context) {
    const seen = await settled(plan.name, (one) => developmentOf(one) === plan.value, context);
    const value = developmentOf(seen);
    const ok = value === plan.value;
    return {
      ok,
      outcome: ok ? "set" : "otherwise",
      evidence: { value, until: isoOf(seen.developmentUntil) },
    };
  },

  undo({ plan }) {
    if (plan.before === plan.value) return null;
    return {
      kind: developmentKindName,
      input: { name: plan.name, value: plan.before, expected: plan.value } satisfies DevelopmentInput,
    };
  },
};
