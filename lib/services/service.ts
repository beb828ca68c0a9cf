// What the API asks of services: the collector, one container's detail, its last hour.
import { config } from "../config/load";
import { AppError } from "../errors/app-error";
import { singleton } from "../runtime/singleton";
import { type Inspected, inspectContainer, timeOf } from "../systems/docker/containers";
import { inspectImage } from "../systems/docker/images";
import { dependentsOf, needsOf, textsOf } from "./acts/depends";
import { skewOf } from "./clock";
import { ServicesCollector } from "./collector";
import type { ServiceDetail, ServiceRef, UsageHistory } from "./contract";
import { deathsOf, deathsSince, keepDeath, keepFound } from "./deaths";
import { type Mask, maskFor, programOf } from "./mask";
import { stepMs } from "./ring";
import { startUpdates, updateOf } from "./updates";

/** The process's collector. It knows its engines from the first call on: a change that is taken up at a start asks before the services run. */
export function services(): ServicesCollector {
  return singleton("services", () => {
    const collector = new ServicesCollector({
      onDeath: (host, death) => void keepDeath(host, death),
      onFound: (host, watched) => void keepFound(host, watched),
      deathsSince,
      updateOf: (host, { inspected }) => updateOf(host, inspected.Config.Image, inspected.Image),
    });
    collector.follow();
    return collector;
  });
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

/**
 * Everything that may be shown of a container; of its environment the names only, of its commands the program where `whole` is false:
 * people write secrets into them in more ways than can be told. Throws AppError NOT_FOUND, and as `call`.
 */
export async function serviceDetail(ref: ServiceRef, whole: boolean): Promise<ServiceDetail> {
  const { host, watched } = services().find(ref);
  const inspected = host.up ? await inspectContainer(host.engine, watched.id) : watched.inspected;
  const image = host.up ? await inspectImage(host.engine, inspected.Image).catch(() => null) : null;
  const { Config, HostConfig } = inspected;
  const mask = maskFor(Config.Env ?? []);
  const command = [...textsOf(Config.Entrypoint), ...textsOf(Config.Cmd)];
  const policy = HostConfig.RestartPolicy;
  const logConfig = HostConfig.LogConfig;
  return {
    row: services().rowOf(host, watched),
    longer: config().systems.prometheus.length > 0,
    command: (whole ? mask.command(command) : programOf(command)).slice(0, 1000),
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
    labels: mask.labels(Config.Labels ?? {}),
    env: (Config.Env ?? []).map((one) => one.split("=", 1)[0] ?? "").sort(),
    healthCheck: healthOf(inspected, mask, whole),
    events: watched.events
      .map(({ at, event, detail }) => ({ at: new Date(at).toISOString(), event, detail }))
      .reverse(),
    deaths: await deathsOf(ref.host, watched.name, watched, skewOf(host)),
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

function healthOf({ Config, State }: Inspected, mask: Mask, whole: boolean): ServiceDetail["healthCheck"] {
  if (!State.Health) return null;
  // "CMD" or "CMD-SHELL" comes first.
  const test = Config.Healthcheck?.Test ?? [];
  return {
    test: whole ? mask.command(test) : programOf(test.slice(1)),
    failingStreak: State.Health.FailingStreak ?? 0,
    log: (State.Health.Log ?? [])
      .map(({ Start, ExitCode, Output }) => ({
        at: iso(Start) ?? new Date(0).toISOString(),
        exitCode: ExitCode,
        output: mask.text(Output.slice(0, 4000)),
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
