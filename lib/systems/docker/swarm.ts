// A Swarm as one of its managers tells of it: nodes, services, tasks; and updates of a service, watched to their end.
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { AppError } from "../../errors/app-error";
import { containerRef, timeOf } from "./containers";
import { call, dial } from "./engine";
import type { DockerEngine } from "./target";

const version = z.object({ Index: z.int() });
const nodeAnswer = z.object({
  ID: z.string(),
  Version: version,
  Spec: z.looseObject({ Role: z.string(), Availability: z.string() }),
  Description: z.object({
    Hostname: z.string(),
    Engine: z.object({ EngineVersion: z.string().nullish() }).nullish(),
    Resources: z.object({ NanoCPUs: z.number().nullish(), MemoryBytes: z.number().nullish() }).nullish(),
  }),
  Status: z.object({ State: z.string(), Addr: z.string().nullish(), Message: z.string().nullish() }),
  ManagerStatus: z.object({ Leader: z.boolean().nullish(), Reachability: z.string().nullish() }).nullish(),
});
const updateStatus = z.object({
  State: z.string().nullish(),
  Message: z.string().nullish(),
  StartedAt: z.string().nullish(),
  CompletedAt: z.string().nullish(),
});
/** A service's description; what we do not know of it is kept. */
export const serviceSpec = z.looseObject({
  Name: z.string(),
  Labels: z.record(z.string(), z.string()).nullish(),
  TaskTemplate: z.looseObject({
    ContainerSpec: z.looseObject({ Image: z.string() }).nullish(),
    ForceUpdate: z.int().nullish(),
    Networks: z.array(z.looseObject({ Aliases: z.array(z.string()).nullish() })).nullish(),
  }),
  Mode: z.looseObject({
    Replicated: z.object({ Replicas: z.int().nullish() }).nullish(),
    Global: z.object({}).nullish(),
  }),
  UpdateConfig: z
    .looseObject({ Monitor: z.number().nullish(), FailureAction: z.string().nullish() })
    .nullish(),
});
const serviceAnswer = z.object({
  ID: z.string(),
  Version: version,
  UpdatedAt: z.string(),
  Spec: serviceSpec,
  /** Where it is reached: ports that the nodes publish for it, addresses of its own (with the length of their prefix). */
  Endpoint: z
    .object({
      Ports: z
        .array(z.object({ PublishedPort: z.int().nullish(), PublishMode: z.string().nullish() }))
        .nullish(),
      VirtualIPs: z.array(z.object({ Addr: z.string().nullish() })).nullish(),
    })
    .nullish(),
  UpdateStatus: updateStatus.nullish(),
  ServiceStatus: z.object({ RunningTasks: z.int(), DesiredTasks: z.int() }).nullish(),
});
const taskAnswer = z.object({
  ID: z.string(),
  ServiceID: z.string(),
  NodeID: z.string().nullish(),
  Slot: z.int().nullish(),
  DesiredState: z.string(),
  UpdatedAt: z.string(),
  Spec: z.object({
    ContainerSpec: z.object({ Image: z.string() }).nullish(),
    ForceUpdate: z.int().nullish(),
  }),
  Status: z.object({
    State: z.string(),
    Message: z.string().nullish(),
    Err: z.string().nullish(),
    ContainerStatus: z.object({ ContainerID: z.string().nullish(), ExitCode: z.int().nullish() }).nullish(),
  }),
});

/** A service's description, kept whole: what we do not know is given back as it came. Never sent to a browser. */
export type ServiceSpec = z.infer<typeof serviceSpec>;
export type SwarmService = z.infer<typeof serviceAnswer>;
export type SwarmNode = z.infer<typeof nodeAnswer>;
export type SwarmTask = z.infer<typeof taskAnswer>;

/** The nodes. Throws AppError CONFLICT (docker.notManager), and as `call`. */
export const listNodes = (engine: DockerEngine): Promise<SwarmNode[]> =>
  call(engine, z.array(nodeAnswer), (docker, abortSignal) => docker.listNodes({ abortSignal } as object));

/** The services, with how many tasks run and should. Throws as `listNodes`. */
export const listServices = (engine: DockerEngine): Promise<SwarmService[]> =>
  call(engine, z.array(serviceAnswer), (docker, abortSignal) =>
    docker.listServices({ status: true, abortSignal } as object),
  );

/** The tasks, old ones too as long as the Swarm keeps them. Throws as `listNodes`. */
export const listTasks = (engine: DockerEngine, service?: string): Promise<SwarmTask[]> =>
  call(engine, z.array(taskAnswer), (docker, abortSignal) =>
    docker.listTasks({
      ...(service === undefined ? {} : { filters: JSON.stringify({ service: [service] }) }),
      abortSignal,
    } as object),
  );

/** One service by id or name. Throws AppError NOT_FOUND, and as `listNodes`. */
export const inspectService = (engine: DockerEngine, id: string): Promise<SwarmService> =>
  call(engine, serviceAnswer, (docker, abortSignal) =>
    docker.getService(containerRef(id)).inspect({ abortSignal } as object),
  );

/** How many tasks it should have; null of a global service, which has one on every node. */
export const replicasOf = ({ Mode }: ServiceSpec): number | null =>
  Mode.Replicated ? (Mode.Replicated.Replicas ?? 1) : null;
export const imageOf = ({ TaskTemplate }: ServiceSpec): string => TaskTemplate.ContainerSpec?.Image ?? "";

/** The same service with this many tasks. Throws AppError INVALID_INPUT for a global one. */
export function withReplicas(one: ServiceSpec, replicas: number): ServiceSpec {
  if (!one.Mode.Replicated)
    throw new AppError(
      "INVALID_INPUT",
      `${one.Name} runs once on every node: it has no number of replicas.`,
      {
        problem: "swarm.notReplicated",
        params: { service: one.Name },
        field: "replicas",
      },
    );
  return { ...one, Mode: { ...one.Mode, Replicated: { ...one.Mode.Replicated, Replicas: replicas } } };
}

/** The same service of another image. */
export function withImage(one: ServiceSpec, image: string): ServiceSpec {
  const { TaskTemplate } = one;
  return {
    ...one,
    TaskTemplate: { ...TaskTemplate, ContainerSpec: { ...TaskTemplate.ContainerSpec, Image: image } },
  };
}

/** How often its tasks were made anew although nothing differed. */
export const forceOf = ({
  TaskTemplate,
}: {
  TaskTemplate: { ForceUpdate?: number | null | undefined };
}): number => TaskTemplate.ForceUpdate ?? 0;

/** The same service with this count: another one than before makes its tasks anew. */
export const withForce = (one: ServiceSpec, force: number): ServiceSpec => ({
  ...one,
  TaskTemplate: { ...one.TaskTemplate, ForceUpdate: force },
});

/** An earlier description of a service, with the number of tasks that it has now. */
export const withEarlier = (now: ServiceSpec, earlier: ServiceSpec): ServiceSpec => ({
  ...earlier,
  Name: now.Name,
  Mode: now.Mode,
});

const anything = z.unknown();

function outOfSequence(name: string, error: unknown): unknown {
  const says = error instanceof AppError ? String(error.detail.params?.says ?? "") : "";
  if (!/out of sequence/i.test(says)) return error;
  return new AppError("CONFLICT", `${name} was changed by somebody else meanwhile: look at it again.`, {
    problem: "swarm.outOfSequence",
    params: { service: name },
    cause: error,
  });
}

/** Gives a service another description. Throws AppError CONFLICT (swarm.outOfSequence) when it is not at `index` any more, and as `call`. */
export async function updateService(
  engine: DockerEngine,
  id: string,
  index: number,
  next: ServiceSpec,
  login: object | null = null,
): Promise<void> {
  try {
    await call(engine, anything, (docker, abortSignal) =>
      dial(docker, {
        path: `/services/${containerRef(id)}/update?`,
        method: "POST",
        statusCodes: { 200: true },
        abortSignal,
        options: { _query: { version: index }, _body: next },
        ...(login === null ? {} : { authconfig: login }),
      }),
    );
  } catch (error) {
    throw outOfSequence(next.Name, error);
  }
}

export const availabilities = ["active", "pause", "drain"] as const;
export type Availability = (typeof availabilities)[number];

/** Lets a node take tasks, take no new ones, or give all of them away. Throws as `updateService`. */
export async function setAvailability(
  engine: DockerEngine,
  node: Pick<SwarmNode, "ID" | "Version" | "Spec" | "Description">,
  availability: Availability,
): Promise<void> {
  try {
    await call(engine, anything, (docker, abortSignal) =>
      dial(docker, {
        path: `/nodes/${containerRef(node.ID)}/update?`,
        method: "POST",
        statusCodes: { 200: true },
        abortSignal,
        options: {
          _query: { version: node.Version.Index },
          _body: { ...node.Spec, Availability: availability },
        },
      }),
    );
  } catch (error) {
    throw outOfSequence(node.Description.Hostname, error);
  }
}

export type UpdateOutcome = "running" | "done" | "rolledBack" | "paused";

/**
 * How an update stands (UpdateStatus.State of the Engine's API). A rollback that is completed is a deploy that failed; one that
 * stands still waits for somebody.
 */
export function outcomeOf(state: string | null | undefined): UpdateOutcome {
  switch (state) {
    case "rollback_completed":
      return "rolledBack";
    case "paused":
    case "rollback_paused":
      return "paused";
    case "updating":
    case "rollback_started":
      return "running";
    default:
      return "done";
  }
}

const defaultMonitorMs = 5000;
const pollMs = 500;
/** After an update was asked for the Swarm needs a moment to say that it has begun. */
const beginMs = 3000;
/** A roll-back is said to be complete before its last task runs: it is counted after so long at most. */
const backMs = 15_000;

export type Watched = {
  readonly outcome: UpdateOutcome;
  readonly message: string;
  readonly running: number;
  readonly desired: number;
};

/**
 * Follows a service after an update until it has ended and stood still for its monitoring time, at most `limitMs`; "running" then
 * means that it has not ended. `look` gives the service as it is (patient with an engine that is away). Throws CANCELLED.
 */
export async function watchUpdate(
  look: () => Promise<SwarmService>,
  signal: AbortSignal,
  limitMs: number,
  onProgress: (running: number, desired: number) => void,
): Promise<Watched> {
  const begun = Date.now();
  let still = 0;
  let backAt: number | null = null;
  for (;;) {
    if (signal.aborted) throw new AppError("CANCELLED", "Cancelled.");
    const now = await look();
    const { RunningTasks: running = 0, DesiredTasks: desired = 0 } = now.ServiceStatus ?? {};
    onProgress(Math.min(running, desired), desired);
    const outcome = outcomeOf(now.UpdateStatus?.State);
    const seen = { outcome, message: now.UpdateStatus?.Message ?? "", running, desired };
    if (outcome === "paused") return seen;
    if (outcome === "rolledBack") {
      backAt ??= Date.now();
      if (running === desired || Date.now() - backAt > backMs) return seen;
    }
    const monitor = (now.Spec.UpdateConfig?.Monitor ?? defaultMonitorMs * 1e6) / 1e6 || defaultMonitorMs;
    const settled = outcome === "done" && running === desired && Date.now() - begun > beginMs;
    if (!settled) still = 0;
    else if (still === 0) still = Date.now();
    if (still > 0 && Date.now() - still >= Math.min(monitor, 60_000)) return seen;
    if (Date.now() - begun > limitMs) return { ...seen, outcome: "running" };
    await sleep(pollMs, undefined, { signal }).catch(() => {});
  }
}

export const atOf = (text: string | null | undefined): string | null => {
  const at = timeOf(text ?? "");
  return at === null ? null : new Date(at).toISOString();
};
