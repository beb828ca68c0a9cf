// Start, stop, restart, pause, kill and remove as a Change: in dependency order, proved by a look at the engine.
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { requireRole } from "../../auth/permissions";
import type { ChangeKind, RunContext } from "../../changes/kind";
import { AppError, toAppError } from "../../errors/app-error";
import { actOn, type Inspected, inspectContainer, stopMsOf, timeOf } from "../../systems/docker/containers";
import { isOwn, ownContainer } from "../../systems/docker/self";
import type { DockerEngine } from "../../systems/docker/target";
import type { HostWatch } from "../host-watch";
import { services } from "../service";
import type { Watched } from "../watched";
import { isWayTo } from "../way";
import {
  type ActEvidence,
  type ActInput,
  type ActPlan,
  actEvidence,
  actInput,
  actPlan,
  type Fingerprint,
  type ServiceAct,
  serviceActs,
} from "./contract";
import { asideOf, dependentsOf, inOrder, isTask, isWorker } from "./depends";
import { isAway, patiently } from "./patience";

/** How long a container with a health check may take until it is healthy, and one without must run to count as started. */
const healthyMs = 120_000;
const steadyMs = 2000;
/** How much longer than a container may take to end an engine needs for a restart. */
const restartMs = 10_000;

const level = {
  start: "reversible",
  unpause: "reversible",
  stop: "disruptive",
  restart: "disruptive",
  pause: "disruptive",
  kill: "disruptive",
  remove: "destructive",
} as const satisfies Record<ServiceAct, ActPlan["level"]>;
const inverse: Partial<Record<ServiceAct, ServiceAct>> = {
  start: "stop",
  stop: "start",
  pause: "unpause",
  unpause: "pause",
  kill: "start",
};

/** What must not have changed between a plan and its act. A container that restarts by itself counts as running. */
export function fingerprintOf(one: Inspected): Fingerprint {
  return {
    name: one.Name.replace(/^\//, ""),
    state: one.State.Status === "restarting" ? "running" : one.State.Status,
    imageId: one.Image,
    startedAt: one.State.StartedAt,
    restarts: one.RestartCount,
  };
}

/** What differs, as "state: running, now exited"; empty when nothing does. */
export function differenceOf(before: Fingerprint, now: Fingerprint): string {
  const differs = (["name", "state", "imageId"] as const).filter((field) => before[field] !== now[field]);
  const said = differs.map((field) => `${field}: ${short(before[field])}, now ${short(now[field])}`);
  // The engine's own restarts are not somebody's change.
  if (differs.length === 0 && before.startedAt !== now.startedAt && before.restarts === now.restarts)
    said.push(`started ${before.startedAt}, now ${now.startedAt}`);
  return said.join("; ");
}
const short = (text: string): string => (text.startsWith("sha256:") ? text.slice(7, 19) : text);

/** Whether a container is as the act wants it. */
function isDone(act: ServiceAct, one: Inspected | null, before: Fingerprint): boolean {
  if (one === null) return act === "remove";
  const { Status, StartedAt } = one.State;
  switch (act) {
    case "start":
      return Status === "running";
    case "restart":
      return Status === "running" && StartedAt !== before.startedAt;
    case "stop":
    case "kill":
      return Status === "exited" || Status === "created" || Status === "dead";
    case "pause":
      return Status === "paused";
    case "unpause":
      return Status === "running";
    case "remove":
      return false;
  }
}

/** Throws AppError CONFLICT with the difference when a container is not as it was planned. */
export function refuseChanged(planned: Fingerprint, now: Fingerprint | null): void {
  const difference = now === null ? "it is gone" : differenceOf(planned, now);
  if (difference === "") return;
  throw new AppError(
    "CONFLICT",
    `${planned.name} changed since the plan was made: ${difference}. Look at it again.`,
    {
      problem: "services.changed",
      params: { container: planned.name, difference },
    },
  );
}

function chosen(input: ActInput): { all: Watched[]; watched: Watched[]; title: string } {
  const host = services().host(input.host);
  const all = [...host.containers.values()];
  const { target } = input;
  if (target.by === "containers") {
    const watched = target.ids.map((id) => services().find({ host: input.host, id }).watched);
    const [first] = watched;
    return {
      all,
      watched: [...new Set(watched)],
      title: watched.length > 1 ? `${first?.name} +${watched.length - 1}` : (first?.name ?? ""),
    };
  }
  const ofProject = (one: Watched) => one.labels["com.docker.compose.project"] === target.project;
  // A deploy's own: it starts and removes them itself.
  const group = all.filter((one) => asideOf(one.name) === null);
  const watched =
    target.by === "project"
      ? group.filter((one) => ofProject(one) && one.labels["com.docker.compose.oneoff"] !== "True")
      : group.filter(
          (one) => isWorker(one) && !isTask(one) && (target.project === undefined || ofProject(one)),
        );
  if (watched.length === 0) {
    const what = target.by === "project" ? target.project : (target.project ?? "*");
    throw new AppError("NOT_FOUND", `${input.host} has no containers of ${what}.`, {
      problem: target.by === "project" ? "services.noProject" : "services.noWorkers",
      params: { host: input.host, project: what },
      field: "target",
    });
  }
  return {
    all,
    watched,
    title: target.by === "project" ? target.project : [target.project, "workers"].filter(Boolean).join(" "),
  };
}

/** A Swarm puts another in its place at once: what would be said to be done is not. Throws AppError INVALID_INPUT. */
function refuseTasks(watched: readonly Watched[]): void {
  const task = watched.find(isTask);
  if (task === undefined) return;
  throw new AppError("INVALID_INPUT", `${task.name} is a task of a Swarm: act on its service.`, {
    problem: "services.swarmTask",
    params: { container: task.name },
    field: "target",
  });
}

/** The way to the engine stays: who stops it cannot be asked to start it again. Throws AppError FORBIDDEN when nothing else is left. */
function withoutWay(
  input: ActInput,
  host: HostWatch,
  watched: readonly Watched[],
): { left: Watched[]; way: Watched | null } {
  const way = ["start", "unpause"].includes(input.act)
    ? undefined
    : watched.find((one) => isWayTo(host, one));
  if (way === undefined) return { left: [...watched], way: null };
  if (watched.length > 1 && input.target.by !== "containers")
    return { left: watched.filter((one) => one !== way), way };
  throw new AppError(
    "FORBIDDEN",
    `Sluice reaches the Engine through ${way.name}: it may only be stopped or restarted on the host itself.`,
    { problem: "services.way", params: { container: way.name }, field: "target" },
  );
}

/** Of a group only what runs is restarted or paused: what somebody stopped, or what has done its work, stays so. */
function withoutIdle(input: ActInput, watched: readonly Watched[]): { left: Watched[]; idle: Watched[] } {
  if (input.target.by === "containers" || !["restart", "pause"].includes(input.act))
    return { left: [...watched], idle: [] };
  const idle = watched.filter(({ inspected }) => !inspected.State.Running && !isRestarting(inspected));
  if (idle.length === watched.length && watched.length > 0)
    throw new AppError("CONFLICT", `Nothing of it runs: start it instead.`, {
      problem: "services.nothingRuns",
      params: { host: input.host },
      field: "target",
    });
  return { left: watched.filter((one) => !idle.includes(one)), idle };
}

const isRestarting = ({ State }: Inspected): boolean => State.Status === "restarting";

/** Sluice's own container may be restarted alone, and nothing else: what stops it cannot start it again. */
function withoutSelf(
  input: ActInput,
  watched: readonly Watched[],
): { left: Watched[]; self: Watched | null } {
  const own = ownContainer();
  const self = watched.find((one) => isOwn(one.id, own)) ?? null;
  if (self === null || (input.act === "restart" && watched.length === 1))
    return { left: [...watched], self: null };
  if (watched.length === 1 || input.target.by === "containers") {
    throw new AppError(
      "FORBIDDEN",
      `Sluice runs in ${self.name}: it may only be restarted, by itself alone.`,
      {
        problem: "services.self",
        params: { container: self.name },
        field: "target",
      },
    );
  }
  return { left: watched.filter((one) => one !== self), self };
}

async function planAct(input: ActInput): Promise<ActPlan> {
  const host = services().host(input.host);
  const { all, watched, title } = chosen(input);
  refuseTasks(watched);
  const { left: others, self } = withoutSelf(input, watched);
  const { left: reachable, way } = withoutWay(input, host, others);
  const { left, idle } = withoutIdle(input, reachable);
  const order = inOrder(left);
  // What needs another goes first when things are taken away.
  if (["stop", "kill", "pause", "remove"].includes(input.act)) order.reverse();
  const containers = await Promise.all(
    order.map(async (one) => {
      // Fresh from the engine: what the page shows may be a moment old.
      const now = await inspectContainer(host.engine, one.id);
      const print = fingerprintOf(now);
      const expected = input.expected?.[one.id];
      if (expected !== undefined) refuseChanged(expected, print);
      return {
        ...print,
        id: one.id,
        project: one.labels["com.docker.compose.project"] ?? null,
        service: one.labels["com.docker.compose.service"] ?? null,
        already: input.act !== "restart" && isDone(input.act, now, print),
        healthCheck: now.State.Health != null,
      };
    }),
  );
  const neededBy = left
    .flatMap((one) => dependentsOf(one, all))
    .filter((one) => !left.includes(one) && one.running);
  return {
    host: input.host,
    act: input.act,
    title,
    containers,
    neededBy: [...new Set(neededBy.map(({ name }) => name))].sort(),
    self: self?.name ?? null,
    way: way?.name ?? null,
    idle: idle.map(({ name }) => name).sort(),
    level: level[input.act],
    confirmation: level[input.act] === "destructive" ? title : null,
  };
}

const look = (engine: DockerEngine, id: string, signal: AbortSignal): Promise<Inspected | null> =>
  patiently(signal, async () => {
    try {
      return await inspectContainer(engine, id);
    } catch (error) {
      if (toAppError(error).code === "NOT_FOUND") return null;
      throw error;
    }
  });

/** Waits until it is healthy, or has run a moment where it has no health check. Returns the last look. */
async function settled(engine: DockerEngine, id: string, signal: AbortSignal): Promise<Inspected | null> {
  const begun = Date.now();
  for (;;) {
    const now = await look(engine, id, signal);
    const health = now?.State.Health?.Status;
    const elapsed = Date.now() - begun;
    if (now === null || !now.State.Running || health === "healthy" || health === "unhealthy") {
      // A policy may start it again; a moment tells.
      if (now === null || health || elapsed > steadyMs) return now;
    } else if (health === undefined && elapsed > steadyMs) return now;
    if (elapsed > healthyMs) return now;
    await sleep(250, undefined, { signal }).catch(() => {});
    signal.throwIfAborted();
  }
}

/** Does the act, again where the answer was lost; but a restart that may still be at work is not asked for twice. */
async function actOnce(
  engine: DockerEngine,
  act: ServiceAct,
  planned: ActPlan["containers"][number],
  signal: AbortSignal,
): Promise<void> {
  let asked = 0;
  await patiently(signal, async () => {
    for (;;) {
      const now = await look(engine, planned.id, signal);
      // An engine that went away in the middle may have done it all the same.
      if (isDone(act, now, planned)) return;
      const stopMs = now === null ? 0 : stopMsOf(now);
      if (act !== "restart" || Date.now() - asked > stopMs + restartMs) {
        asked = Date.now();
        try {
          return await actOn(engine, planned.id, act, stopMs);
        } catch (error) {
          if (act === "restart" && !isAway(error)) asked = 0;
          throw error;
        }
      }
      signal.throwIfAborted();
      await sleep(500, undefined, { signal }).catch(() => {});
    }
  });
}

/** What comes next needs this one: it is not touched while this one is not well. Throws AppError CONFLICT. */
function requireWell(name: string, now: Inspected | null, left: readonly { readonly name: string }[]): void {
  const health = now?.State.Health?.Status;
  if (now?.State.Running && (health === undefined || health === "healthy")) return;
  const state = now === null ? "gone" : (health ?? now.State.Status);
  const names = left.map((one) => one.name).join(", ");
  throw new AppError(
    "CONFLICT",
    `${name} is not well afterwards (${state}): what comes after it was left as it was: ${names}.`,
    { problem: "services.stoppedAt", params: { container: name, state, names } },
  );
}

/** Each act is a kind of its own, so that history can be read and filtered by it. */
const kindOf = (kindsAct: ServiceAct): ChangeKind<ActInput, ActPlan, ActEvidence> => ({
  kind: `service.${kindsAct}`,
  input: actInput.extend({ act: z.literal(kindsAct) }),
  plan: actPlan,
  evidence: actEvidence,
  afterCrash: "resume",
  permit: ({ act }, actor) => requireRole(actor, act === "remove" ? "admin" : "operator"),
  makePlan: (input) => planAct(input),
  describe: (plan) => ({
    title: plan.title,
    site: null,
    level: plan.level,
    ...(plan.confirmation === null ? {} : { confirmation: plan.confirmation }),
    // What a deploy has put aside belongs to the name it is at work on: an act on it waits for the deploy's end.
    targets: [
      ...new Set(
        plan.containers
          .flatMap(({ name }) => [name, asideOf(name) ?? name])
          .map((name) => `container:${plan.host}/${name}`),
      ),
    ],
  }),

  async apply(plan, context: RunContext) {
    const { engine } = services().host(plan.host);
    const total = plan.containers.length;
    // All of them first: what changed while this waited for its turn must not stop it halfway.
    for (const planned of plan.containers) {
      const now = await look(engine, planned.id, context.signal);
      if (!isDone(plan.act, now, planned)) refuseChanged(planned, now === null ? null : fingerprintOf(now));
    }
    for (const [index, planned] of plan.containers.entries()) {
      context.signal.throwIfAborted();
      context.progress(plan.act, index, total);
      const now = await look(engine, planned.id, context.signal);
      // Done by us before a crash, or by another meanwhile: then it is as wanted.
      if (isDone(plan.act, now, planned)) continue;
      refuseChanged(planned, now === null ? null : fingerprintOf(now));
      await actOnce(engine, plan.act, planned, context.signal);
      context.log("info", "services.acted", { act: plan.act, container: planned.name });
      const starts = plan.act === "start" || plan.act === "restart" || plan.act === "unpause";
      const after =
        starts && index < total - 1 ? await settled(engine, planned.id, context.signal) : undefined;
      await services().host(plan.host).refresh(planned.id);
      if (after !== undefined) requireWell(planned.name, after, plan.containers.slice(index + 1));
    }
    context.progress(plan.act, total, total);
  },

  async verify(plan, context) {
    const { engine } = services().host(plan.host);
    const starts = plan.act === "start" || plan.act === "restart" || plan.act === "unpause";
    const containers = await Promise.all(
      plan.containers.map(async (planned): Promise<ActEvidence["containers"][number]> => {
        const now = starts
          ? await settled(engine, planned.id, context.signal)
          : await look(engine, planned.id, context.signal);
        // Of one that does not run the engine says how healthy it was last.
        const health = now?.State.Running ? (now.State.Health?.Status ?? null) : null;
        const startedAt = now?.State.Running ? timeOf(now.State.StartedAt) : null;
        return {
          id: planned.id,
          name: planned.name,
          ok: isDone(plan.act, now, planned) && (!starts || health === null || health === "healthy"),
          before: planned.state,
          after: now?.State.Status ?? "gone",
          health,
          exitCode: now !== null && now.State.Status === "exited" ? now.State.ExitCode : null,
          startedAt: startedAt === null ? null : new Date(startedAt).toISOString(),
        };
      }),
    );
    const ok = containers.every((one) => one.ok);
    return { ok, outcome: ok ? "asWanted" : "otherwise", evidence: { containers } };
  },

  undo({ plan }) {
    const act = inverse[plan.act];
    const ids = plan.containers.filter((one) => !one.already).map(({ id }) => id);
    if (act === undefined || ids.length === 0) return null;
    return { kind: `service.${act}`, input: { host: plan.host, act, target: { by: "containers", ids } } };
  },
});

export const actKinds: readonly ChangeKind<ActInput, ActPlan, ActEvidence>[] = serviceActs.map(kindOf);
