// One list of what Prometheus' rules, Alertmanager and Sluice's own looks say; each alert with its component. Pure.
import { createHash } from "node:crypto";
import type { Config } from "../config/schema";
import type { Component } from "../health/contract";
import type { HeldAlert } from "../systems/alertmanager/alerts";
import type { RuleAlert } from "../systems/prometheus/rules";
import type { Alert, AlertState } from "./contract";

type Labels = Readonly<Record<string, string>>;

export const idOf = (labels: Labels): string =>
  createHash("sha256")
    .update(JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))))
    .digest("hex")
    .slice(0, 16);

const isWithin = (some: Labels, all: Labels): boolean =>
  Object.entries(some).every(([name, value]) => all[name] === value);

/**
 * Alertmanager's word on each alert of a rule. It may know it with more labels (external_labels, relabelling): then the one with the
 * fewest more. What is taken is nobody else's.
 */
function heldOf(rules: readonly RuleAlert[], held: readonly HeldAlert[]): Map<RuleAlert, HeldAlert> {
  const found = new Map<RuleAlert, HeldAlert>();
  const free = new Map(held.map((one) => [idOf(one.labels), one]));
  for (const rule of rules) {
    const same = free.get(idOf(rule.labels));
    if (same === undefined) continue;
    found.set(rule, same);
    free.delete(idOf(rule.labels));
  }
  for (const rule of rules) {
    if (found.has(rule) || rule.state === "pending") continue;
    const [nearest] = [...free.values()]
      .filter((one) => isWithin(rule.labels, one.labels))
      .sort((a, b) => Object.keys(a.labels).length - Object.keys(b.labels).length);
    if (nearest === undefined) continue;
    found.set(rule, nearest);
    free.delete(idOf(nearest.labels));
  }
  return found;
}

const stateOf = (held: HeldAlert | undefined): AlertState =>
  held === undefined
    ? "firing"
    : held.status.silencedBy.length > 0
      ? "silenced"
      : held.status.inhibitedBy.length > 0
        ? "inhibited"
        : "firing";

const textOf = (annotations: Labels, ...names: string[]): string | null =>
  names.map((name) => annotations[name]).find((text) => text !== undefined && text !== "") ?? null;

type Mapped = (labels: Labels) => string | null;

function described(labels: Labels, annotations: Labels, componentOf: Mapped) {
  return {
    name: labels.alertname ?? "",
    severity: labels.severity ?? null,
    labels: { ...labels },
    summary: textOf(annotations, "summary", "title", "message"),
    description: textOf(annotations, "description"),
    runbook: textOf(annotations, "runbook_url", "runbook"),
    problem: null,
    component: componentOf(labels),
    incident: null,
  };
}

/** Prometheus' and Alertmanager's alerts as one list. `componentOf`: of an alert's labels. */
export function joined(
  rules: readonly RuleAlert[],
  held: readonly HeldAlert[],
  componentOf: Mapped,
): Alert[] {
  const known = heldOf(rules, held);
  const taken = new Set(known.values());
  return [
    ...rules.map((rule): Alert => {
      const at = known.get(rule);
      return {
        ...described(rule.labels, rule.annotations, componentOf),
        id: idOf(rule.labels),
        source: "prometheus",
        state: rule.state === "pending" ? "pending" : stateOf(at),
        since: rule.activeAt,
        value: rule.value,
        // With these labels it is silenced.
        labels: { ...(at?.labels ?? rule.labels) },
        silencedBy: at?.status.silencedBy ?? [],
      };
    }),
    ...held
      .filter((one) => !taken.has(one))
      .map(
        (one): Alert => ({
          ...described(one.labels, one.annotations, componentOf),
          id: idOf(one.labels),
          source: "alertmanager",
          state: stateOf(one),
          since: one.startsAt,
          value: null,
          silencedBy: one.status.silencedBy,
        }),
      ),
  ];
}

/** What Sluice's own looks say: also where there is no Prometheus. What fails for a deeper one is said by that. */
export function ownAlerts(components: readonly Component[]): Alert[] {
  const bad = components.filter(({ state }) => state === "down" || state === "warn" || state === "disagree");
  return bad.map(({ key, name, state, since, problem, cause }) => ({
    id: `own-${idOf({ component: key })}`,
    source: "sluice",
    name,
    severity: state === "down" ? "critical" : "warning",
    state: cause === null ? "firing" : "inhibited",
    labels: {},
    summary: null,
    description: null,
    runbook: null,
    problem,
    since,
    value: null,
    component: key,
    silencedBy: [],
    incident: null,
  }));
}

type Known = { readonly kind: string; readonly name: string; readonly labels: Labels };

/** Systems of sluice.yaml with the labels by which Prometheus knows them. */
function systemsOf(settings: Pick<Config, "systems">): Known[] {
  return Object.entries(
    settings.systems as Readonly<Record<string, readonly { name: string; labels?: Labels }[]>>,
  ).flatMap(([kind, all]) => all.map(({ name, labels }) => ({ kind, name, labels: labels ?? {} })));
}

const same = (a: string, b: string): boolean => a.replaceAll("-", "_") === b.replaceAll("-", "_");
const keyOf = ({ kind, name }: Known): string => `${kind}/${name}`;
const only = (all: readonly Known[], job: string): string | null => {
  const [first, second] = all;
  if (first === undefined) return null;
  if (second === undefined) return keyOf(first);
  const ofJob = all.filter(({ kind }) => same(kind, job));
  return ofJob.length === 1 && ofJob[0] !== undefined ? keyOf(ofJob[0]) : null;
};

/**
 * Which component an alert is about: by the labels that sluice.yaml gives it, all of which the alert must have; else by its instance,
 * when that is a system's name; else by its job, when that is a kind of which there is one. Null rather than a guess.
 */
export function componentFinder(settings: Pick<Config, "systems">): Mapped {
  const all = systemsOf(settings);
  const labelled = all.filter(({ labels }) => Object.keys(labels).length > 0);
  // One that has labels is meant by these only.
  const others = all.filter((one) => !labelled.includes(one));
  return (labels) => {
    const job = labels.job ?? "";
    const fitting = labelled.filter((one) => isWithin(one.labels, labels));
    const most = Math.max(0, ...fitting.map((one) => Object.keys(one.labels).length));
    const best = fitting.filter((one) => Object.keys(one.labels).length === most);
    if (best.length > 0) return only(best, job);
    const instance = (labels.instance ?? "").replace(/:\d+$/, "");
    const named = others.filter(({ name }) => name === instance);
    if (named.length > 0) return only(named, job);
    const [first, second] = all.filter(({ kind }) => same(kind, job));
    return first !== undefined && second === undefined && others.includes(first) ? keyOf(first) : null;
  };
}

const stateRank: Record<AlertState, number> = { firing: 0, pending: 1, inhibited: 2, silenced: 3 };
const severityRank = (severity: string | null): number =>
  severity === "critical" ? 0 : severity === "warning" ? 1 : 2;

/** Worst first, the oldest of the same first. */
export const worstFirst = (a: Alert, b: Alert): number =>
  stateRank[a.state] - stateRank[b.state] ||
  severityRank(a.severity) - severityRank(b.severity) ||
  a.since.localeCompare(b.since) ||
  a.id.localeCompare(b.id);
