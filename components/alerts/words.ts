// How alerts look and what they are called, and the one query that all of them share.
import { useQuery } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { partsOf } from "@/components/overview/words";
import type { Tone } from "@/components/ui/status";
import type { Alert, Matcher } from "@/lib/alerts/contract";
import { query } from "@/lib/api/client";

const refreshMs = 5000;

/** The alerts as Sluice gathered them last; it gathers once for all viewers. */
export const useAlerts = () => useQuery({ ...query.alerts.list.queryOptions(), refetchInterval: refreshMs });

export const alertTone = ({ state, severity }: Pick<Alert, "state" | "severity">): Tone =>
  state !== "firing" ? "unknown" : severity === "critical" ? "down" : "warn";

/** How many fire of which no open incident tells; what Sluice sees itself is told beside them. */
export const uncoveredOf = (alerts: readonly Alert[]): number =>
  alerts.filter(
    ({ source, state, incident }) => source !== "sluice" && state === "firing" && incident === null,
  ).length;

/** What it says in one line. */
export function useAlertTitle() {
  const t = useTranslations();
  return ({ source, name, severity, summary, component }: Alert): string =>
    source === "sluice" && component !== null
      ? t(severity === "critical" ? "overview.is.down" : "overview.is.warn", {
          name,
          kind: partsOf(component).kind,
        })
      : (summary ?? name);
}

/** The address of a runbook, or null: anything but http and https is only text. */
export function runbookAddress(runbook: string): string | null {
  try {
    const url = new URL(runbook);
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
  } catch {
    return null;
  }
}

export const operators = ["=", "=~", "!=", "!~"] as const;
export type Operator = (typeof operators)[number];
export const operatorOf = ({ isRegex, isEqual }: Pick<Matcher, "isRegex" | "isEqual">): Operator =>
  isRegex ? (isEqual ? "=~" : "!~") : isEqual ? "=" : "!=";
export const isOperator = (text: string): text is Operator => operators.some((one) => one === text);
export const flagsOf = (operator: Operator): Pick<Matcher, "isRegex" | "isEqual"> => ({
  isRegex: operator.endsWith("~"),
  isEqual: operator.startsWith("="),
});

/** As it is written everywhere: alertname="X". */
export const writtenMatcher = (one: Matcher): string =>
  `${one.name}${operatorOf(one)}${JSON.stringify(one.value)}`;

/** The matchers that reach this alert and no other. */
export const matchersOf = ({ labels }: Pick<Alert, "labels">): Matcher[] =>
  Object.entries(labels)
    .map(([name, value]) => ({ name, value, isRegex: false, isEqual: true }))
    .sort((a, b) => Number(b.name === "alertname") - Number(a.name === "alertname"));
