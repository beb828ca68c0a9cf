// The containers of one engine: listed, inspected, and the acts on one. Every answer is checked; nothing is passed through.
import * as z from "zod";
import { AppError } from "../../errors/app-error";
import { call } from "./engine";
import type { DockerEngine } from "./target";

/**
 * A container's id or name as it may stand in a path of the Engine's API (its own rule for names, without the slash before
 * it). Throws AppError INVALID_INPUT: anything else could name another endpoint.
 */
export function containerRef(id: string): string {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/.test(id)) return id;
  throw new AppError("INVALID_INPUT", "That is no name or id of a container.", {
    problem: "docker.badContainer",
    params: { container: id.slice(0, 80) },
  });
}

const containerAnswer = z.object({
  Id: z.string(),
  Names: z.array(z.string()),
  Image: z.string(),
  State: z.string(),
  /** In words, with its health: "Up 3 minutes (unhealthy)". */
  Status: z.string().nullish(),
  Labels: z.record(z.string(), z.string()).nullish(),
  Ports: z
    .array(
      z.object({
        IP: z.string().optional(),
        PrivatePort: z.int(),
        PublicPort: z.int().optional(),
        Type: z.string(),
      }),
    )
    .nullish(),
  NetworkSettings: z.object({ Networks: z.record(z.string(), z.unknown()).nullish() }).nullish(),
});
/** A container as the engine lists it. */
export type ContainerRow = z.infer<typeof containerAnswer>;

/** The containers, running ones only unless `all`. Throws as `call`. */
export const listContainers = (engine: DockerEngine, all = false): Promise<ContainerRow[]> =>
  call(engine, z.array(containerAnswer), (docker, abortSignal) =>
    docker.listContainers({ all, abortSignal }),
  );

const healthLog = z.object({
  Start: z.string(),
  End: z.string().nullish(),
  ExitCode: z.int(),
  Output: z.string(),
});
const endpoint = z.looseObject({
  IPAddress: z.string().nullish(),
  GlobalIPv6Address: z.string().nullish(),
  MacAddress: z.string().nullish(),
  Aliases: z.array(z.string()).nullish(),
  Links: z.array(z.string()).nullish(),
  DriverOpts: z.record(z.string(), z.string()).nullish(),
  /** API 1.48 and newer. */
  GwPriority: z.int().nullish(),
  IPAMConfig: z.looseObject({}).nullish(),
});
const inspectAnswer = z.object({
  Id: z.string(),
  Name: z.string(),
  Created: z.string(),
  /** Id of the image it was made of. */
  Image: z.string(),
  RestartCount: z.int().catch(0),
  State: z.object({
    Status: z.string(),
    Running: z.boolean(),
    Paused: z.boolean().nullish(),
    OOMKilled: z.boolean().nullish(),
    ExitCode: z.int(),
    Error: z.string().nullish(),
    StartedAt: z.string(),
    FinishedAt: z.string(),
    Health: z
      .object({ Status: z.string(), FailingStreak: z.int().nullish(), Log: z.array(healthLog).nullish() })
      .nullish(),
  }),
  Config: z.looseObject({
    Image: z.string(),
    Tty: z.boolean().nullish(),
    Env: z.array(z.string()).nullish(),
    Labels: z.record(z.string(), z.string()).nullish(),
    Hostname: z.string().nullish(),
    /** Seconds; its own, not the engine's. */
    StopTimeout: z.int().nullish(),
    Cmd: z.array(z.string()).nullish(),
    Entrypoint: z.array(z.string()).nullish(),
    Volumes: z.record(z.string(), z.unknown()).nullish(),
    Healthcheck: z.looseObject({ Test: z.array(z.string()).nullish() }).nullish(),
  }),
  HostConfig: z.looseObject({
    AutoRemove: z.boolean().nullish(),
    Memory: z.number().nullish(),
    NanoCpus: z.number().nullish(),
    CpuQuota: z.number().nullish(),
    CpuPeriod: z.number().nullish(),
    NetworkMode: z.string().nullish(),
    PidMode: z.string().nullish(),
    IpcMode: z.string().nullish(),
    RestartPolicy: z.object({ Name: z.string(), MaximumRetryCount: z.int().nullish() }).nullish(),
    Binds: z.array(z.string()).nullish(),
    Links: z.array(z.string()).nullish(),
    VolumesFrom: z.array(z.string()).nullish(),
    Mounts: z
      .array(z.looseObject({ Type: z.string(), Target: z.string(), Source: z.string().nullish() }))
      .nullish(),
  }),
  Mounts: z
    .array(
      z.object({
        Type: z.string(),
        Name: z.string().nullish(),
        Source: z.string().nullish(),
        Destination: z.string(),
        RW: z.boolean(),
      }),
    )
    .nullish(),
  NetworkSettings: z.object({
    Ports: z
      .record(z.string(), z.array(z.object({ HostIp: z.string(), HostPort: z.string() })).nullable())
      .nullish(),
    Networks: z.record(z.string(), endpoint).nullish(),
  }),
});
/** A container in full; `Config` and `HostConfig` hold everything it was made with. Never sent to a browser. */
export type Inspected = z.infer<typeof inspectAnswer>;

/** One container by id or name. Throws AppError NOT_FOUND, and as `call`. */
export const inspectContainer = (engine: DockerEngine, id: string): Promise<Inspected> =>
  call(engine, inspectAnswer, (docker, abortSignal) =>
    docker.getContainer(containerRef(id)).inspect({ abortSignal }),
  );

/** Docker's way to say "never" (Go's zero time) as null, else ms since the epoch. */
export function timeOf(text: string): number | null {
  const at = Date.parse(text);
  return Number.isNaN(at) || at <= 0 ? null : at;
}

export const containerActs = ["start", "stop", "restart", "pause", "unpause", "kill", "remove"] as const;
export type ContainerAct = (typeof containerActs)[number];

/** For what the engine does beside waiting for a container to end. */
const actTimeoutMs = 20_000;
const usualStopMs = 10_000;
/** One that may take as long as it likes to end (-1) is not waited for longer. */
const maxStopMs = 3_600_000;
const anything = z.unknown();

/** How long the engine lets this container end by itself before it kills it, ms (Config.StopTimeout). */
export const stopMsOf = ({ Config: { StopTimeout } }: Pick<Inspected, "Config">): number =>
  StopTimeout === null || StopTimeout === undefined
    ? usualStopMs
    : StopTimeout < 0
      ? maxStopMs
      : Math.min(StopTimeout * 1000, maxStopMs);

/**
 * Does one act on one container and returns when the engine has done it; what is already so is no error. `remove` keeps the
 * volumes. `stopMs`: how long it may take to end (`stopMsOf`). Throws AppError NOT_FOUND, CONFLICT, and as `call`.
 */
export async function actOn(
  engine: DockerEngine,
  id: string,
  act: ContainerAct,
  stopMs = usualStopMs,
): Promise<void> {
  try {
    await call(
      engine,
      anything,
      (docker, abortSignal) => {
        const container = docker.getContainer(containerRef(id));
        const options = { abortSignal };
        switch (act) {
          case "start":
            return container.start(options);
          case "stop":
            return container.stop(options);
          case "restart":
            return container.restart(options);
          case "pause":
            return container.pause(options);
          case "unpause":
            return container.unpause(options);
          case "kill":
            return container.kill(options);
          case "remove":
            return container.remove({ ...options, v: false, force: true });
        }
      },
      { timeoutMs: Math.max(actTimeoutMs, engine.timeout) + stopMs },
    );
  } catch (error) {
    if (isAlreadySo(error)) return;
    throw error;
  }
}

/** 304: it has this state already, which dockerode takes for a failure. */
const isAlreadySo = (error: unknown): boolean =>
  error instanceof Error &&
  error.cause instanceof Error &&
  "statusCode" in error.cause &&
  error.cause.statusCode === 304;

export const renameContainer = async (engine: DockerEngine, id: string, name: string): Promise<void> => {
  await call(engine, anything, (docker, abortSignal) =>
    docker.getContainer(containerRef(id)).rename({ name, abortSignal }),
  );
};

export type RestartPolicy = { readonly Name: string; readonly MaximumRetryCount?: number | null | undefined };

/** Gives a container another restart policy (Engine API, ContainerUpdate). Throws as `call`. */
export const setRestartPolicy = async (
  engine: DockerEngine,
  id: string,
  { Name, MaximumRetryCount }: RestartPolicy,
): Promise<void> => {
  const policy = { Name, MaximumRetryCount: MaximumRetryCount ?? 0 };
  await call(engine, anything, (docker, abortSignal) =>
    docker.getContainer(containerRef(id)).update({ RestartPolicy: policy, abortSignal }),
  );
};

/** Makes a container of this description (Engine API, ContainerCreate) and answers its id. Throws AppError CONFLICT when the name is taken. */
export const createContainer = async (
  engine: DockerEngine,
  name: string,
  description: Readonly<Record<string, unknown>>,
): Promise<string> => {
  const { Id } = await call(
    engine,
    z.object({ Id: z.string() }),
    async (docker, abortSignal) => ({
      Id: (await docker.createContainer({ ...description, name, abortSignal } as object)).id,
    }),
    { timeoutMs: Math.max(actTimeoutMs, engine.timeout) },
  );
  return Id;
};

/** Joins a container to a network with these settings (Engine API, EndpointSettings). */
export const connectNetwork = async (
  engine: DockerEngine,
  network: string,
  container: string,
  settings: Readonly<Record<string, unknown>>,
): Promise<void> => {
  await call(engine, anything, (docker, abortSignal) =>
    docker
      .getNetwork(network)
      .connect({ Container: container, EndpointConfig: settings, abortSignal } as object),
  );
};
