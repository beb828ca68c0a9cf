// One zone for its page: what went through it, how it is set, and what ends by itself.
import { tellProblem } from "../errors/app-error";
import { knownSettings } from "../systems/cloudflare/settings";
import { attackOf, whyNotOver } from "./attacks";
import type { ZoneState } from "./contract";
import { trafficOf } from "./traffic";
import { sitesBehind, zoneCalled } from "./zones";

/** Throws AppError NOT_FOUND. */
export async function zoneState(name: string): Promise<ZoneState> {
  const zone = zoneCalled(name);
  const [{ seen, error }, attack] = await Promise.all([knownSettings(zone), attackOf(name)]);
  const { traffic, problem, threatsProblem } = trafficOf(name);
  return {
    name,
    plan: zone.plan,
    sites: sitesBehind(name),
    traffic,
    trafficProblem: problem,
    threatsProblem,
    settings:
      seen === null
        ? null
        : {
            level: seen.level,
            developmentUntil:
              seen.developmentUntil === null || seen.developmentUntil <= Date.now()
                ? null
                : new Date(seen.developmentUntil).toISOString(),
          },
    settingsProblem:
      error === null
        ? null
        : tellProblem(error, { problem: "health.failed", params: { says: error.message.slice(0, 300) } }),
    attack:
      attack === null || seen?.level !== "under_attack"
        ? null
        : {
            change: attack.change,
            until: new Date(attack.until).toISOString(),
            backTo: attack.backTo,
            problem: whyNotOver(attack.change),
          },
  };
}
