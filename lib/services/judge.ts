// How a container is, in one word with its reasons: pure, from what the engine says of it.
import type { ServiceRow, Verdict } from "./contract";

/** Deaths that nobody asked for within this window are counted. */
export const loopWindowMs = 600_000;
/** So many of them are a loop. */
export const loopDeaths = 3;
/** Share of its own limit from which memory is a worry: the kernel kills at the limit itself. */
const memoryHigh = 0.9;

export type Judged = Pick<
  ServiceRow,
  "state" | "health" | "exitCode" | "oom" | "deaths" | "usage" | "memoryLimited"
> & {
  /** Of the container's own policy: "no", "always", "unless-stopped", "on-failure". */
  readonly restartPolicy: string;
  /** The engine's words when it could not start it. */
  readonly startError: string;
  /** Somebody stopped it, as far as we heard. */
  readonly stopped: boolean;
};

export function judge(one: Judged): { verdict: Verdict; reasons: string[] } {
  const looping = one.deaths >= loopDeaths;
  switch (one.state) {
    case "restarting":
      return { verdict: "down", reasons: [looping ? "loop" : "restarting", ...(one.oom ? ["oom"] : [])] };
    case "dead":
      return { verdict: "down", reasons: ["dead"] };
    case "removing":
      return { verdict: "idle", reasons: ["removing"] };
    case "paused":
      return { verdict: "warn", reasons: ["paused"] };
    case "created":
      return one.startError === ""
        ? { verdict: "idle", reasons: ["created"] }
        : { verdict: "down", reasons: ["cannotStart"] };
    case "exited":
      return exited(one);
    case "running":
      return running(one, looping);
  }
}

function running(one: Judged, looping: boolean): { verdict: Verdict; reasons: string[] } {
  const bad = [
    ...(one.health === "unhealthy" ? ["unhealthy"] : []),
    // It runs at this moment, as a loop does between two deaths.
    ...(looping ? ["loop"] : []),
  ];
  if (bad.length > 0) return { verdict: "down", reasons: bad };
  const { usage } = one;
  const worries = [
    ...(one.deaths > 0 ? ["restarted"] : []),
    ...(one.memoryLimited && usage !== null && usage.memory > usage.memoryLimit * memoryHigh
      ? ["memory"]
      : []),
  ];
  if (worries.length > 0) return { verdict: "warn", reasons: worries };
  if (one.health === "starting") return { verdict: "starting", reasons: ["starting"] };
  return { verdict: "up", reasons: [one.health === "healthy" ? "healthy" : "running"] };
}

function exited(one: Judged): { verdict: Verdict; reasons: string[] } {
  if (one.oom) return { verdict: "down", reasons: ["oom"] };
  if (one.startError !== "") return { verdict: "down", reasons: ["cannotStart"] };
  const policy = one.restartPolicy;
  // The engine would have started it again: it stands still because somebody wanted it so.
  if (policy === "always" || policy === "unless-stopped") return { verdict: "warn", reasons: ["stopped"] };
  if (one.exitCode === 0) return { verdict: "idle", reasons: ["finished"] };
  if (one.stopped) return { verdict: "idle", reasons: ["stopped"] };
  return { verdict: "down", reasons: [policy === "on-failure" ? "gaveUp" : "failed"] };
}
