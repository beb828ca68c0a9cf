// The last hour of every zone, asked of Cloudflare once a minute for all viewers together.
import { config, onConfig } from "../config/load";
import { tellProblem, toAppError } from "../errors/app-error";
import type { ToldProblem } from "../errors/contract";
import { log } from "../runtime/log";
import { singleton } from "../runtime/singleton";
import { readTraffic, type ZoneTraffic } from "../systems/cloudflare/analytics";
import type { CloudflareZone } from "../systems/cloudflare/api";
import type { ZoneTrafficCourse } from "./contract";

export const stepMs = 60_000;
const hourMs = 3_600_000;
/** Cloudflare counts some minutes late: what is younger than this would look like a fall. */
const lateMs = 3 * stepMs;
/** A rate over less would jump at each look. */
const rateMinutes = 5;

type Kept = { traffic: ZoneTraffic | null; problem: ToldProblem | null };
const kept = () => singleton("cloudflare.traffic", () => new Map<string, Kept>());

const told = (error: unknown): ToldProblem =>
  tellProblem(error, { problem: "health.failed", params: { says: toAppError(error).message.slice(0, 300) } });

/** Asks once about one zone. Never throws: what was known stays, with the reason why there is nothing newer. */
export async function gatherTraffic(zone: CloudflareZone, now = Date.now()): Promise<void> {
  const to = now - lateMs;
  try {
    const traffic = await readTraffic(zone, { from: to - hourMs, to });
    kept().set(zone.name, { traffic, problem: null });
  } catch (error) {
    const problem = told(error);
    const before = kept().get(zone.name);
    if (before?.problem?.problem !== problem.problem)
      log.warn({ system: zone.name, code: toAppError(error).code }, "a zone's analytics could not be asked");
    kept().set(zone.name, { traffic: before?.traffic ?? null, problem });
  }
}

const endOf = ({ from, minutes }: ZoneTraffic): number => from + minutes.length * stepMs;

/** A zone's last hour as it was asked last, and why there is nothing newer. */
export function trafficOf(zone: string): {
  readonly traffic: ZoneTrafficCourse | null;
  readonly problem: ToldProblem | null;
  readonly threatsProblem: ToldProblem | null;
} {
  const { traffic, problem } = kept().get(zone) ?? { traffic: null, problem: null };
  if (traffic === null) return { traffic: null, problem, threatsProblem: null };
  const { minutes, threatsProblem } = traffic;
  const counts = minutes.map(({ threats }) => threats);
  const threats = counts.filter((one) => one !== null);
  return {
    problem,
    threatsProblem: threatsProblem === null ? null : told(threatsProblem),
    traffic: {
      stepMs,
      end: new Date(endOf(traffic)).toISOString(),
      requests: minutes.map(({ requests }) => requests),
      cached: minutes.map(({ cached }) => cached),
      bytes: minutes.map(({ bytes }) => bytes),
      cachedBytes: minutes.map(({ cachedBytes }) => cachedBytes),
      failed: minutes.map(({ failed }) => failed),
      threats: threats.length === counts.length ? threats : null,
    },
  };
}

/** Too old to be said to be now: ms. */
const staleMs = 15 * stepMs;

/** A zone's rates per second over its last five minutes; null when nothing recent is known. */
export function zoneRates(
  zone: string,
  now = Date.now(),
): {
  readonly requests: number;
  readonly cached: number;
  readonly failed: number;
  readonly asOf: number;
} | null {
  const traffic = kept().get(zone)?.traffic ?? null;
  if (traffic === null || now - endOf(traffic) > staleMs) return null;
  const last = traffic.minutes.slice(-rateMinutes);
  const perSecond = (of: "requests" | "cached" | "failed") =>
    last.reduce((sum, one) => sum + one[of], 0) / ((last.length * stepMs) / 1000);
  return {
    requests: perSecond("requests"),
    cached: perSecond("cached"),
    failed: perSecond("failed"),
    asOf: endOf(traffic),
  };
}

/** For lib/runtime/services.ts. */
export const zoneTrafficService = {
  name: "cloudflare",
  async start(): Promise<() => Promise<void>> {
    let gathering: Promise<unknown> = Promise.resolve();
    let busy = false;
    const gather = () => {
      if (busy) return;
      busy = true;
      const zones = config().systems.cloudflare;
      for (const name of kept().keys()) if (!zones.some((one) => one.name === name)) kept().delete(name);
      gathering = Promise.all(zones.map((zone) => gatherTraffic(zone))).finally(() => {
        busy = false;
      });
    };
    gather();
    const timer = setInterval(gather, stepMs).unref();
    const stopConfig = onConfig(gather);
    return async () => {
      clearInterval(timer);
      stopConfig();
      await gathering;
    };
  },
};
