// What Prometheus' alert rules say now: what fires, what is about to, and rules that cannot be evaluated.
import * as z from "zod";
import { ask, type PrometheusTarget, read } from "./prometheus";

export type RuleAlert = {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: "firing" | "pending";
  /** Since when its condition holds; UTC. */
  readonly activeAt: string;
  /** What the expression said last; null: no number that can be shown. */
  readonly value: number | null;
};
export type FailingRule = { readonly name: string; readonly error: string };
export type AlertRules = { readonly alerts: readonly RuleAlert[]; readonly failing: readonly FailingRule[] };

const words = z.record(z.string(), z.string());
const alert = z.object({
  labels: words,
  annotations: words.default({}),
  state: z.enum(["firing", "pending", "inactive"]),
  activeAt: z.iso.datetime({ offset: true }).transform((text) => new Date(text).toISOString()),
  value: z.string(),
});
const answer = z.object({
  data: z.object({
    groups: z.array(
      z.object({
        rules: z.array(
          z.object({
            name: z.string(),
            health: z.string().default("unknown"),
            lastError: z.string().optional(),
            alerts: z.array(alert).nullish(),
          }),
        ),
      }),
    ),
  }),
});

/** "1.2e+01" and "+Inf" are as Go writes them. */
function numberOf(text: string): number | null {
  const value = Number(text);
  return text !== "" && Number.isFinite(value) ? value : null;
}

/** Throws as `query`. */
export async function alertRules(target: PrometheusTarget, signal?: AbortSignal): Promise<AlertRules> {
  const { data } = read(target, answer, await ask(target, "/api/v1/rules", { type: "alert" }, signal));
  const rules = data.groups.flatMap((group) => group.rules);
  const seen = rules.flatMap((rule) => rule.alerts ?? []);
  return {
    alerts: seen.flatMap(({ state, value, ...one }) =>
      state === "inactive" ? [] : [{ ...one, state, value: numberOf(value) }],
    ),
    failing: rules
      .filter(({ health }) => health === "err")
      .map(({ name, lastError }) => ({ name, error: (lastError ?? "").slice(0, 500) })),
  };
}
