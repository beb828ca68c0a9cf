// What visitors notice, from what Sluice knows. Pure; no name of a component, a problem or a person gets through here.
import type { HealthState } from "../health/contract";
import type { IncidentEntry, MaintenanceRow } from "../incidents/contract";
import type { SiteState, SiteWork, Trouble } from "./contract";

type Since = { readonly state: HealthState; readonly since: string };

/** How the site is. `caches`: those in front of its pages, which what editors change has to get through. */
export function stateOf(
  site: Since | null,
  caches: readonly Since[],
): { state: SiteState; since: string | null } {
  if (site === null || site.state === "unknown") return { state: "unknown", since: null };
  if (site.state === "down") return { state: "down", since: site.since };
  if (site.state === "warn") return { state: "partial", since: site.since };
  const away = caches.filter(({ state }) => state === "down").map(({ since }) => since);
  return away.length === 0 ? { state: "up", since: null } : { state: "slow", since: away.sort()[0] ?? null };
}

type Past = { readonly state: HealthState; readonly since: string; readonly until: string | null };

/** What an incident did to the site (its key), or null where it did nothing. `entries` by the clock; `states`: of the site. */
export function troubleOf(
  incident: {
    readonly closedAt: string | null;
    readonly entries: readonly Pick<IncidentEntry, "at" | "type" | "data">[];
  },
  site: string,
  states: readonly Past[],
  now: string,
): Trouble | null {
  let from: string | null = null;
  let to: string | null = null;
  let failing: string | null = null;
  let ms = 0;
  let down = false;
  for (const { at, type, data } of incident.entries) {
    if (data.component !== site) continue;
    if (type === "down" || type === "degraded") {
      from ??= at;
      failing ??= at;
      to = null;
      down ||= type === "down";
    } else if (type === "well" && failing !== null) {
      ms += Date.parse(at) - Date.parse(failing);
      failing = null;
      to = at;
    }
  }
  if (from === null) return null;
  if (failing !== null) {
    to = incident.closedAt;
    ms += Date.parse(to ?? now) - Date.parse(failing);
  }
  const begin = from;
  const end = to ?? now;
  // One that suffers first and fails then is noted once only: its states say how bad it got.
  down ||= states.some(
    ({ state, since, until }) => state === "down" && since < end && (until === null || until > begin),
  );
  return { state: down ? "down" : "partial", from, to, ms: Math.max(0, ms) };
}

/** Announced work that is about the site, or about something it hangs on. */
export function workOn(
  site: string,
  works: readonly MaintenanceRow[],
  isBelow: (upper: string, lower: string) => boolean,
  now: string,
): { now: SiteWork[]; later: SiteWork[] } {
  const own = works
    .filter(
      ({ components, endsAt }) =>
        endsAt > now &&
        (components.length === 0 || components.some((one) => one === site || isBelow(site, one))),
    )
    .map(({ title, startsAt, endsAt }) => ({ title, startsAt, endsAt }));
  return {
    now: own.filter(({ startsAt }) => startsAt <= now),
    later: own.filter(({ startsAt }) => startsAt > now),
  };
}
