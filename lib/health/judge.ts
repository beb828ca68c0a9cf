// One component's state from look to look: a single failure is not an outage, and what answers may still want a look.
import type { ToldProblem } from "../errors/contract";
import { exporterSaysUp, type HealthState, isSilent } from "./contract";

/** A component between two looks. `since` is ms since the epoch. */
export type Judged = {
  readonly state: HealthState;
  readonly since: number;
  readonly problem: ToldProblem | null;
  readonly concerns: readonly ToldProblem[];
  /** Looks that failed in a row. */
  readonly failing: number;
};

/** What one look found, at `at` ms. */
export type Look =
  | { readonly up: true; readonly at: number; readonly concerns: readonly ToldProblem[] }
  | { readonly up: false; readonly at: number; readonly problem: ToldProblem };

export const unknownSince = (since: number): Judged => ({
  state: "unknown",
  since,
  problem: null,
  concerns: [],
  failing: 0,
});

/** An exporter is asked every so often only: that it is up is believed of a server that has been silent for longer. */
const exporterLateMs = 60_000;

/**
 * The state after a look. `retries`: failures that are forgiven in a row. `exporterUp`: what Prometheus' exporter says of it, null where
 * there is none. An outage began with its first failed look, so `failingSince` is when that was.
 */
export function judge(
  before: Judged,
  look: Look,
  retries: number,
  exporterUp: boolean | null,
  failingSince: number = look.at,
): Judged {
  if (look.up) {
    const disagrees = exporterUp === false;
    const problem = disagrees
      ? { problem: "health.exporterSaysDown", params: {} }
      : (look.concerns[0] ?? null);
    const state = disagrees ? "disagree" : look.concerns.length > 0 ? "warn" : "up";
    return after(before, state, look.at, { problem, concerns: look.concerns, failing: 0 });
  }
  const failing = before.failing + 1;
  if (failing <= retries && before.state !== "down") return { ...before, failing };
  const at = isSilent(before) ? look.at : failingSince;
  if (exporterUp === true && look.at - failingSince >= exporterLateMs)
    return after(before, "disagree", at, {
      problem: { problem: exporterSaysUp, params: {} },
      concerns: [look.problem],
      failing,
    });
  return after(before, "down", at, { problem: look.problem, concerns: [], failing });
}

function after(
  before: Judged,
  state: HealthState,
  at: number,
  now: Pick<Judged, "problem" | "concerns" | "failing">,
): Judged {
  return { ...now, state, since: before.state === state ? before.since : at };
}
