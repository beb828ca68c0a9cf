// What the API asks of services: the collector, one container's detail, its last hour.
import { AppError } from "../errors/app-error";
import { singleton } from "../runtime/singleton";
import { type Inspected, inspectContainer, timeOf } from "../systems/docker/containers";
import { inspectImage } from "../systems/docker/images";
import { dependentsOf, needsOf, textsOf } from "./acts/depends";
import { ServicesCollector } from "./collector";
import type { ServiceDetail, ServiceRef, UsageHistory } from "./contract";
import { deathsOf, deathsSince, keepDeath } from "./deaths";
import { maskedCommand, maskedLabels, maskedText } from "./mask";
import { stepMs } from "./ring";
import { startUpdates, updateOf } from "./updates";

/** The process's collector. */
export function services(): ServicesCollector {
  return singleton(
    "services",
    () =>
      new ServicesCollector({
        onDeath: (host, death) => void keepDeath(host, death),
        deathsSince,
        updateOf: (host, { inspected }) => updateOf(host, inspected.Config.Image, inspected.Image),
      }),
  );
}

/** For lib/runtime/services.ts. */
export const servicesService = {
  name: "services",
  async start(): Promise<() => Promise<void>> {
    const stopCollector = services().start();
    const stopUpdates = startUpdates(services());
    return async () => {
      await stopUpdates();
      await stopCollector();
    };
  },
};

const iso = (text: string | null | undefined): string | null => {
  const at = timeOf(text ?? "");
  return at === null ? null : new Date(at).toISOString();
};
const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

/** Everything that may be shown of a container; of its environment the names only. Throws AppError NOT_FOUND, and as `call`. */
export async function serviceDetail(ref: ServiceRef): Promise<ServiceDetail> {
  const { host, watched } = services().find(ref);
  const inspected = host.up ? await inspectContainer(host.engine, watched.id) : watched.inspected;
  const image = host.up ? await inspectImage(host.engine, inspected.Image).catch(() => null) : null;
  const { Config, HostConfig } = inspected;
  const policy = HostConfig.RestartPolicy;
  const logConfig = HostConfig.LogConfig;
  return {
    row: services().rowOf(host, watched),
    command: maskedCommand([...textsOf(Config.Entrypoint), ...textsOf(Config.Cmd)]).slice(0, 1000),
    restartPolicy: `${policy?.Name || "no"}${policy?.MaximumRetryCount ? `:${policy.MaximumRetryCount}` : ""}`,
    user: textOf(Config.User),
    workingDir: textOf(Config.WorkingDir),
    hostname: textOf(Config.Hostname),
    tty: Config.Tty === true,
    logDriver:
      typeof logConfig === "object" && logConfig !== null && "Type" in logConfig
        ? textOf(logConfig.Type)
        : "",
    imageDigest: image?.RepoDigests?.[0] ?? null,
    ...connectionsOf(inspected),
    labels: maskedLabels(Config.Labels ?? {}),
    env: (Config.Env ?? []).map((one) => one.split("=", 1)[0] ?? "").sort(),
    healthCheck: healthOf(inspected),
    events: watched.events
      .map(({ at, event, detail }) => ({ at: new Date(at).toISOString(), event, detail }))
      .reverse(),
    deaths: await deathsOf(ref.host, watched.name, watched),
    neededBy: dependentsOf(watched, [...host.containers.values()]).map(({ name }) => name),
    needs: needsOf(watched.labels),
  };
}

function connectionsOf({
  Id,
  NetworkSettings,
  Mounts,
}: Inspected): Pick<ServiceDetail, "ports" | "mounts" | "networks"> {
  return {
    ports: Object.entries(NetworkSettings.Ports ?? {}).map(([container, published]) => ({
      container,
      host: [...new Set((published ?? []).map(({ HostIp, HostPort }) => `${HostIp}:${HostPort}`))],
    })),
    mounts: (Mounts ?? []).map((mount) => ({
      type: mount.Type,
      source: mount.Name ?? mount.Source ?? "",
      destination: mount.Destination,
      readOnly: !mount.RW,
    })),
    networks: Object.entries(NetworkSettings.Networks ?? {}).map(([name, one]) => ({
      name,
      ip: one.IPAddress || null,
      fixed: textOf(one.IPAMConfig?.IPv4Address) !== "",
      // The engine adds the beginning of the id by itself.
      aliases: (one.Aliases ?? []).filter((alias) => !Id.startsWith(alias)),
    })),
  };
}

function healthOf({ Config, State }: Inspected): ServiceDetail["healthCheck"] {
  if (!State.Health) return null;
  return {
    test: maskedCommand(Config.Healthcheck?.Test ?? []),
    failingStreak: State.Health.FailingStreak ?? 0,
    log: (State.Health.Log ?? [])
      .map(({ Start, ExitCode, Output }) => ({
        at: iso(Start) ?? new Date(0).toISOString(),
        exitCode: ExitCode,
        output: maskedText(Output.slice(0, 4000)),
      }))
      .reverse(),
  };
}

/** What a container used in the last hour. Throws AppError NOT_FOUND. */
export function usageHistory(ref: ServiceRef): UsageHistory {
  const { watched } = services().find(ref);
  return {
    stepMs,
    ...watched.ring.hour(Date.now()),
    memoryLimit: watched.usage?.memoryLimit ?? null,
    cpuLimit: watched.cpuLimit,
  };
}

/** Throws AppError INVALID_INPUT when `from` is after `to`, or either is no time. */
export function checkRange(from: number | undefined, to: number | undefined): void {
  if (from === undefined || to === undefined || from <= to) return;
  throw new AppError("INVALID_INPUT", "The range ends before it begins: since must be before until.", {
    problem: "services.badRange",
    field: "until",
  });
}
