// "Under attack" ends by itself: what is to end is read from the changes, so that a restart forgets nothing.
import { engine } from "../changes/engine";
import { sluiceActor } from "../changes/sluice-actor";
import { config } from "../config/load";
import { db } from "../db/client";
import { tellProblem, toAppError } from "../errors/app-error";
import type { ToldProblem } from "../errors/contract";
import { log } from "../runtime/log";
import { singleton } from "../runtime/singleton";
import { type SecurityInput, type SecurityLevel, securityPlan } from "./contract";

export const securityKindName = "cloudflare.security";
export const targetOf = (zone: string): string => `cloudflare:${zone}`;

export type Attack = {
  readonly change: number;
  /** ms since the epoch. */
  readonly until: number;
  readonly backTo: SecurityLevel;
};

/**
 * What is to end in this zone. Of the changes that may have had an effect the last one counts: one that was done, or one that was
 * about to turn "under attack" on (it keeps a checkpoint), however that ended.
 */
export async function attackOf(zone: string): Promise<Attack | null> {
  const last = await db().change.findFirst({
    where: {
      kind: securityKindName,
      targets: { some: { target: targetOf(zone) } },
      OR: [{ state: { in: ["done", "undone"] } }, { checkpoint: { not: null } }],
    },
    orderBy: { id: "desc" },
    select: { id: true, plan: true },
  });
  const plan = last === null ? undefined : securityPlan.safeParse(JSON.parse(last.plan)).data;
  if (last === null || plan === undefined || plan.until === null || plan.backTo === null) return null;
  return { change: last.id, until: Date.parse(plan.until), backTo: plan.backTo };
}

const everyMs = 5000;
/** So long after a first failure it is tried again, then ever later: each try that fails at Cloudflare is a row in history. */
const againMs = 15_000;
const latestAgainMs = 600_000;
const longestMs = 60_000;

type Failure = { readonly at: number; readonly tries: number; readonly problem: ToldProblem };
const failures = () => singleton("cloudflare.attacks", () => new Map<number, Failure>());

/** Why an attack whose time is over could not be ended yet. */
export const whyNotOver = (change: number): ToldProblem | null => failures().get(change)?.problem ?? null;

/** Ends what is due, as changes of their own. Never throws: what fails is tried again. */
export async function endAttacks(now = Date.now()): Promise<void> {
  for (const { name } of config().systems.cloudflare) {
    const attack = await attackOf(name).catch(() => null);
    if (attack === null || attack.until > now) continue;
    const failed = failures().get(attack.change);
    const tries = failed?.tries ?? 0;
    if (failed !== undefined && now - failed.at < Math.min(againMs * 2 ** (tries - 1), latestAgainMs))
      continue;
    const fail = (problem: ToldProblem) =>
      failures().set(attack.change, { at: now, tries: tries + 1, problem });
    const input: SecurityInput = { name, level: attack.backTo, ends: attack.change };
    try {
      const id = await engine().start({
        kind: securityKindName,
        input,
        actor: sluiceActor,
        origin: "schedule",
      });
      const row = await engine().wait(id, longestMs);
      // Also one that failed has its row and its reason in history; another one is tried later.
      if (row.state === "done") failures().delete(attack.change);
      else fail({ problem: "health.failed", params: { says: row.error?.message ?? row.state } });
    } catch (error) {
      if (failed === undefined)
        log.warn({ system: name, code: toAppError(error).code }, "under attack could not be ended yet");
      const says = toAppError(error).message.slice(0, 300);
      fail(tellProblem(error, { problem: "health.failed", params: { says } }));
    }
  }
}

/** For lib/runtime/services.ts. */
export const attacksService = {
  name: "attacks",
  async start(): Promise<() => Promise<void>> {
    let ending: Promise<void> | null = null;
    const end = () => {
      ending ??= endAttacks().finally(() => {
        ending = null;
      });
    };
    end();
    const timer = setInterval(end, everyMs).unref();
    return async () => {
      clearInterval(timer);
      await ending;
    };
  },
};
