// What Sluice counts while it works; what it can read when asked is in exposition.ts. Labels come from closed lists only.
import { Counter, Histogram, Registry } from "prom-client";
import { singleton } from "../runtime/singleton";

/** The process's registry and its counters. */
export const instruments = () =>
  singleton("metrics.instruments", () => {
    const registry = new Registry();
    const registers = [registry];
    return {
      registry,
      requests: new Counter({
        name: "sluice_api_requests_total",
        help: "Calls of the API by procedure and outcome: ok, or the error's code.",
        labelNames: ["procedure", "outcome"] as const,
        registers,
      }),
      changes: new Counter({
        name: "sluice_changes_total",
        help: "Changes that ended, by kind, last state, and the kind's verdict in one word.",
        labelNames: ["kind", "state", "outcome"] as const,
        registers,
      }),
      changeSeconds: new Histogram({
        name: "sluice_change_duration_seconds",
        help: "Time from the first step of a change to its end, by kind.",
        labelNames: ["kind"] as const,
        buckets: [0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 300, 1800],
        registers,
      }),
      freshSeconds: new Histogram({
        name: "sluice_purge_fresh_seconds",
        help: "Time from the request of a purge to the moment at which every layer was proved fresh.",
        buckets: [0.1, 0.25, 0.5, 1, 1.5, 2, 3, 5, 10, 30, 60],
        registers,
      }),
    };
  });
