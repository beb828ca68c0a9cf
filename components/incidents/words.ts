// How an incident's state looks and what it is called.
import { useTranslations } from "next-intl";
import { useSay } from "@/components/ui/say";
import type { Tone } from "@/components/ui/status";
import {
  type IncidentDetail,
  type IncidentEntry,
  type IncidentRow,
  othersOf,
} from "@/lib/incidents/contract";

export const incidentTone = (row: Pick<IncidentRow, "state" | "severity">): Tone =>
  row.state === "closed"
    ? "up"
    : row.state === "acknowledged"
      ? "run"
      : row.severity === "critical"
        ? "down"
        : "warn";

/** Its state in words; who looks after it is called by name. */
export function useIncidentState() {
  const t = useTranslations();
  return ({ state, acknowledgedBy }: Pick<IncidentRow, "state" | "acknowledgedBy">): string =>
    state === "acknowledged" && acknowledgedBy !== null
      ? t("incidents.looksAfter", { name: acknowledgedBy })
      : t(`incidents.states.${state}`);
}

/** What else is ill in it, in words: for its cause, and beside that. */
export function useOthers(row: IncidentRow): string[] {
  const t = useTranslations();
  const say = useSay();
  const others = othersOf(row);
  return (["becauseOfIt", "besideIt"] as const)
    .filter((how) => others[how].length > 0)
    .map((how) => t(`overview.${how}`, { names: say.list(others[how]) }));
}

export const entryTone: Record<IncidentEntry["type"], Tone> = {
  opened: "down",
  reopened: "down",
  down: "down",
  degraded: "warn",
  well: "up",
  gone: "unknown",
  moved: "unknown",
  cause: "warn",
  acknowledged: "run",
  assigned: "run",
  note: "unknown",
  notified: "unknown",
  ticket: "unknown",
  alert: "warn",
  closed: "up",
};

export type Moment =
  | { readonly at: string; readonly entry: IncidentEntry }
  | { readonly at: string; readonly change: IncidentDetail["changes"][number] }
  | { readonly at: string; readonly death: IncidentDetail["deaths"][number] };

/** Everything that happened in an incident, by the clock. */
export const momentsOf = (incident: Pick<IncidentDetail, "entries" | "changes" | "deaths">): Moment[] =>
  [
    ...incident.entries.map((entry): Moment => ({ at: entry.at, entry })),
    ...incident.changes.map((change): Moment => ({ at: change.createdAt, change })),
    ...incident.deaths.map((death): Moment => ({ at: death.at, death })),
  ].sort((a, b) => a.at.localeCompare(b.at));
