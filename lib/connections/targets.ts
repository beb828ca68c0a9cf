// Every configured system with the way to look at it.
import { configState, describeProblem } from "../config/load";
import type { Config } from "../config/schema";
import { AppError } from "../errors/app-error";
import { serviceStates } from "../runtime/service-states";
import { registryOf } from "../services/registries";
import { probe as probeCloudflare } from "../systems/cloudflare/zone";
import { probe as probeDocker } from "../systems/docker/engine";
import { probe as probeMariadb } from "../systems/mariadb/probe";
import { probe as probeNginx } from "../systems/nginx/http";
import { probe as probeRegistry } from "../systems/oci/registry";
import { probe as probeRedis } from "../systems/redis/redis";
import type { SystemKind } from "../systems/registry";
import type { Probed } from "../systems/system";
import { probe as probeVarnish } from "../systems/varnish/probe";

export type Target = {
  readonly kind: string;
  readonly name: string;
  /** What the system is reached by: a target whose text differs is another one. */
  readonly identity: string;
  /** How long one look may take at most, in ms. */
  readonly deadlineMs: number;
  probe(): Promise<Probed>;
};

const probes: { [K in SystemKind["kind"]]: (system: Config["systems"][K][number]) => Promise<Probed> } = {
  cloudflare: probeCloudflare,
  varnish: probeVarnish,
  nginx: probeNginx,
  redis: probeRedis,
  mariadb: probeMariadb,
  docker: probeDocker,
  registry: (one) => probeRegistry(registryOf(one)),
};

/** A look may be several exchanges, each with the system's own time-out; this is for one that never ends. */
const exchangesPerLook = 5;

/** sluice.yaml itself, while the file as it is now is not the configuration in force: its first mistake, by line and key. */
function brokenFile(): Target[] {
  const { file, error, loadedAt } = configState();
  if (error === null) return [];
  const mistake = new AppError("CONFIG_INVALID", describeProblem(error, file));
  return [
    {
      kind: "configuration",
      name: "sluice.yaml",
      identity: mistake.message,
      deadlineMs: 1000,
      probe: async () => ({ state: "down", error: mistake, at: Date.now(), lastGood: loadedAt }),
    },
  ];
}

/** Services of Sluice's own that did not start (a port in use), each with why. */
function failedServices(): Target[] {
  return serviceStates().flatMap(({ name, state, error }) =>
    state !== "failed" || error === null
      ? []
      : [
          {
            kind: "service",
            name,
            identity: error.message,
            deadlineMs: 1000,
            probe: async () => ({ state: "down", error, at: Date.now(), lastGood: null }),
          },
        ],
  );
}

/** The configured systems, kind by kind; before them the configuration while it is broken, and Sluice's own services that fail. */
export function targetsOf({ systems }: Config): Target[] {
  const of = <K extends SystemKind["kind"]>(kind: K): Target[] =>
    systems[kind].map((system: Config["systems"][K][number]) => ({
      kind,
      name: system.name,
      identity: JSON.stringify(system),
      deadlineMs: system.timeout * exchangesPerLook,
      probe: () => probes[kind](system),
    }));
  return [
    ...brokenFile(),
    ...failedServices(),
    ...of("cloudflare"),
    ...of("varnish"),
    ...of("nginx"),
    ...of("redis"),
    ...of("mariadb"),
    ...of("docker"),
    ...of("registry"),
  ];
}

/** host:port of everything that is configured, to tell which discovered system is connected already. */
export function addressesOf({ systems }: Config): Set<string> {
  const ofUrl = (text: string): string => {
    const { hostname, port, protocol } = new URL(text);
    const usual = { "https:": "443", "redis:": "6379", "rediss:": "6379" }[protocol] ?? "80";
    return canonical(`${hostname}:${port || usual}`);
  };
  return new Set([
    ...[...systems.varnish, ...systems.nginx, ...systems.redis].map(({ url }) => ofUrl(url)),
    ...systems.mariadb.map(({ address }) => canonical(address)),
  ]);
}

/** One spelling of the loopback. */
export function canonical(address: string): string {
  return address.toLowerCase().replace(/^(localhost|\[::1\]):/, "127.0.0.1:");
}
