// Who hears of what: the rules of sluice.yaml, without any side effect.
import type { ChangeRow } from "../changes/contract";
import type { Config } from "../config/schema";
import type { IncidentRow } from "../incidents/contract";

type Rule = Config["notify"]["rules"][number];
export type IncidentEventName = Rule["incidents"][number];

const days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;

/** "mariadb/*" against "mariadb/main"; * is any text. */
function matches(pattern: string, text: string): boolean {
  const source = pattern
    .split("*")
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
    .join(".*");
  return new RegExp(`^${source}$`).test(text);
}

/** Whether a moment is within a rule's hours; "22:00" to "06:00" goes over midnight and belongs to the day that it began on. */
export function within(hours: NonNullable<Rule["hours"]>, at: Date): boolean {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone: hours.time_zone,
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).formatToParts(at);
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((one) => one.type === type)?.value ?? "";
  const clock = `${part("hour")}:${part("minute")}`;
  const today = days.findIndex((day) => part("weekday").toLowerCase().startsWith(day));
  const overMidnight = hours.from >= hours.to;
  const inside = overMidnight
    ? clock >= hours.from || clock < hours.to
    : clock >= hours.from && clock < hours.to;
  if (!inside || hours.days === undefined) return inside;
  const began = overMidnight && clock < hours.to ? (today + 6) % 7 : today;
  const day = days[began];
  return day !== undefined && hours.days.includes(day);
}

const graveEnough = (rule: Rule, { severity }: Pick<IncidentRow, "severity">): boolean =>
  rule.severity === "warning" || severity === "critical";

const about = (rule: Rule, { cause, components }: Pick<IncidentRow, "cause" | "components">): boolean =>
  rule.components.length === 0 ||
  rule.components.some((pattern) =>
    [cause, ...components.map(({ component }) => component)].some(
      (key) => key !== null && matches(pattern, key),
    ),
  );

const inTime = ({ hours }: Rule, at: Date): boolean => hours === undefined || within(hours, at);
const namesOf = (rules: readonly Rule[]): string[] => [...new Set(rules.flatMap(({ to }) => to))];

/** Channels that hear of an incident's event. Without rules: all of them, of everything but acknowledgements. */
export function channelsForIncident(
  { channels, rules }: Pick<Config["notify"], "channels" | "rules">,
  event: IncidentEventName,
  incident: Pick<IncidentRow, "severity" | "cause" | "components">,
  at: Date,
): string[] {
  if (rules.length === 0) return event === "acknowledged" ? [] : channels.map(({ name }) => name);
  return namesOf(
    rules.filter(
      (rule) =>
        rule.incidents.includes(event) &&
        graveEnough(rule, incident) &&
        about(rule, incident) &&
        inTime(rule, at),
    ),
  );
}

/** Channels that hear of a change that ended. Without rules: none. */
export function channelsForChange(
  { rules }: Pick<Config["notify"], "rules">,
  { kind, state }: Pick<ChangeRow, "kind" | "state">,
  at: Date,
): string[] {
  const end = state === "done" ? "done" : state === "failed" || state === "interrupted" ? "failed" : null;
  if (end === null) return [];
  return namesOf(
    rules.filter(
      (rule) =>
        rule.outcomes.includes(end) &&
        rule.changes.some((pattern) => matches(pattern, kind)) &&
        inTime(rule, at),
    ),
  );
}
