// The process's alerts: gathered once for all viewers, told to the incidents, previewed against silences.
import type { Actor } from "../changes/kind";
import { config } from "../config/load";
import { AppError } from "../errors/app-error";
import { health } from "../health/service";
import type { IncidentRow, Suspect } from "../incidents/contract";
import { incidents } from "../incidents/service";
import { suspectsOf } from "../incidents/suspects";
import { log } from "../runtime/log";
import { singleton } from "../runtime/singleton";
import type { Alert, AlertsSnapshot } from "./contract";
import { AlertsGatherer, type Gathered } from "./gather";

const everyMs = 10_000;
const empty: AlertsSnapshot = {
  at: new Date(0).toISOString(),
  alerts: [],
  silences: [],
  failing: [],
  away: [],
  connected: { prometheus: false, alertmanager: false },
};

type Kept = { snapshot: AlertsSnapshot; readonly gatherer: AlertsGatherer; gathering: Promise<void> | null };
const kept = (): Kept =>
  singleton("alerts", () => ({ snapshot: empty, gatherer: new AlertsGatherer(), gathering: null }));

/** As they were gathered last. */
export const alerts = (): AlertsSnapshot => kept().snapshot;

/** Whether an alert may open an incident. Its rule may say that it must not: what tells of incidents would keep one open for ever. */
const opens = ({ state, severity, labels }: Alert, setting: "critical" | "none"): boolean =>
  setting === "critical" &&
  state === "firing" &&
  severity === "critical" &&
  labels.sluice_incident !== "none";

/** The open incident that covers an alert: on its timeline, else the one of its component. */
function coveredBy(alert: Alert, open: readonly IncidentRow[]): number | null {
  const held = incidents().heldAlerts().get(alert.id);
  if (held !== undefined && open.some(({ id }) => id === held.incident)) return held.incident;
  const { component } = alert;
  if (component === null) return null;
  const of = open.find(
    ({ cause, components }) =>
      cause === component || components.some((one) => one.component === component && one.until === null),
  );
  return of?.id ?? null;
}

async function gatherOnce(): Promise<void> {
  const gathered: Gathered = await kept().gatherer.gather(config(), health().all());
  const { complete, ...snapshot } = gathered;
  const setting = config().alerts.open;
  // Sluice's own looks speak for themselves; what is pending may never fire.
  const firing = gathered.alerts.filter(({ source, state }) => source !== "sluice" && state !== "pending");
  incidents().seeAlerts(
    firing.map((alert) => ({ ...alert, opens: opens(alert, setting) })),
    complete,
  );
  await incidents().settled();
  const open = await incidents().current();
  kept().snapshot = {
    ...snapshot,
    alerts: snapshot.alerts.map((one) => ({ ...one, incident: coveredBy(one, open) })),
  };
}

/** Looks after what is being looked at now: with what was done just before. Never throws. */
export async function gatherAlertsAnew(): Promise<void> {
  await kept().gathering;
  await gatherAlerts();
}

/** Looks now; who asks while it looks waits for that look. Never throws. */
export function gatherAlerts(): Promise<void> {
  const all = kept();
  all.gathering ??= gatherOnce()
    .catch((error: unknown) => log.error({ err: error }, "alerts could not be gathered"))
    .finally(() => {
      all.gathering = null;
    });
  return all.gathering;
}

/** What was done in the hour before an alert began. Throws AppError NOT_FOUND. */
export async function suspectsOfAlert(id: string, actor: Actor): Promise<Suspect[]> {
  const one = alerts().alerts.find((each) => each.id === id);
  if (one === undefined)
    throw new AppError("NOT_FOUND", `There is no alert ${id.slice(0, 60)} now.`, {
      problem: "alerts.notFound",
    });
  return suspectsOf({ openedAt: one.since, cause: one.component, components: [] }, actor);
}

/** For lib/runtime/services.ts: gathers every ten seconds, whoever looks. */
export const alertsService = {
  name: "alerts",
  async start(): Promise<() => Promise<void>> {
    void gatherAlerts();
    const timer = setInterval(() => void gatherAlerts(), everyMs).unref();
    return async () => {
      clearInterval(timer);
      await kept().gathering;
    };
  },
};
