// Every configured system with the way to look at it.
import { lookAtRepository } from "../backup/watch";
import { configState, describeProblem } from "../config/load";
import type { Config } from "../config/schema";
import { AppError } from "../errors/app-error";
import { probe as probeHeartbeat } from "../heartbeats/look";
import { filesProblems } from "../routing/files/watch";
import { serviceStates } from "../runtime/service-states";
import { registryOf } from "../services/registries";
import { probeSite, siteDeadlineMs } from "../sites/probe";
import { probe as probeAlertmanager } from "../systems/alertmanager/alertmanager";
import { probe as probeCloudflare } from "../systems/cloudflare/zone";
import { probe as probeDocker } from "../systems/docker/engine";
import { probe as probeGrafana } from "../systems/grafana/grafana";
import { probe as probeHttp } from "../systems/http/address";
import { probe as probeMariadb } from "../systems/mariadb/probe";
import { probe as probeNginx } from "../systems/nginx/http";
import { probe as probeRegistry } from "../systems/oci/registry";
import { probe as probePhpFpm } from "../systems/php-fpm/status";
import { probe as probePrometheus } from "../systems/prometheus/prometheus";
import { probe as probeMessenger } from "../systems/redis/messenger";
import { probe as probeRedis } from "../systems/redis/redis";
import type { SystemKind } from "../systems/registry";
import { probe as probeS3 } from "../systems/s3/bucket";
import { probe as probeSmtp } from "../systems/smtp/smtp";
import { probe as probeSolr } from "../systems/solr/solr";
import type { Probed } from "../systems/system";
import { probe as probeTcp } from "../systems/tcp";
import { probe as probeTraefik } from "../systems/traefik/traefik";
import { probe as probeVarnish } from "../systems/varnish/probe";
import { driftOf } from "../vcl/watch";

export type Target = {
  readonly kind: string;
  readonly name: string;
  /** What the system is reached by: a target whose text differs is another one. */
  readonly identity: string;
  /** How long one look may take at most, in ms. */
  readonly deadlineMs: number;
  /** Time between two looks, in ms, and how many may fail in a row before it is said to be down. */
  readonly intervalMs: number;
  readonly retries: number;
  probe(): Promise<Probed>;
};

/** The systems that Sluice asks; a heartbeat comes by itself. */
type Asked = Exclude<SystemKind["kind"], "heartbeat">;

const probes: { [K in Asked]: (system: Config["systems"][K][number]) => Promise<Probed> } = {
  cloudflare: probeCloudflare,
  varnish: probeNode,
  nginx: probeNginx,
  redis: probeRedis,
  php_fpm: probePhpFpm,
  mariadb: probeMariadb,
  http: probeHttp,
  tcp: probeTcp,
  smtp: probeSmtp,
  docker: probeDocker,
  prometheus: probePrometheus,
  traefik: probeRouter,
  solr: probeSolr,
  messenger: probeMessenger,
  s3: probeS3,
  restic: lookAtRepository,
  alertmanager: probeAlertmanager,
  grafana: probeGrafana,
  registry: (one) => probeRegistry(registryOf(one)),
};

/** A Varnish node, and whether it runs what was rolled out to it. */
async function probeNode(node: Config["systems"]["varnish"][number]): Promise<Probed> {
  const probed = await probeVarnish(node);
  if (probed.state === "down") return probed;
  const concerns = [...(probed.data.concerns ?? []), ...(await driftOf(node))];
  return { ...probed, data: { ...probed.data, concerns } };
}

/** A Traefik, and whether its files are as they were put in force. */
async function probeRouter(server: Config["systems"]["traefik"][number]): Promise<Probed> {
  const probed = await probeTraefik(server);
  if (probed.state === "down") return probed;
  const concerns = [...(probed.data.concerns ?? []), ...(await filesProblems(server))];
  return { ...probed, data: { ...probed.data, concerns } };
}

/** A look may be several exchanges, each with the system's own time-out; this is for one that never ends. */
const exchangesPerLook = 5;

/** What Sluice knows of itself: no look can fail. */
const ours = { deadlineMs: 1000, intervalMs: 10_000, retries: 0 };

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
      ...ours,
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
            ...ours,
            probe: async () => ({ state: "down", error, at: Date.now(), lastGood: null }),
          },
        ],
  );
}

/** The configured systems, kind by kind; before them the configuration while it is broken, and Sluice's own services that fail. */
export function targetsOf({ systems, health, sites }: Config): Target[] {
  const of = <K extends Asked>(kind: K): Target[] =>
    systems[kind].map((system: Config["systems"][K][number]) => ({
      kind,
      name: system.name,
      identity: JSON.stringify(system),
      deadlineMs: system.timeout * exchangesPerLook,
      intervalMs: system.interval ?? health.interval,
      retries: system.retries ?? health.retries,
      probe: () => probes[kind](system),
    }));
  return [
    ...brokenFile(),
    ...failedServices(),
    ...of("cloudflare"),
    ...of("traefik"),
    ...of("varnish"),
    ...of("nginx"),
    ...of("php_fpm"),
    ...of("redis"),
    ...of("messenger"),
    ...of("mariadb"),
    ...of("solr"),
    ...of("http"),
    ...of("tcp"),
    ...of("smtp"),
    ...of("s3"),
    ...of("restic"),
    ...of("docker"),
    ...of("registry"),
    ...of("prometheus"),
    ...of("alertmanager"),
    ...of("grafana"),
    ...systems.heartbeat.map((job) => ({
      kind: "heartbeat",
      name: job.name,
      identity: JSON.stringify(job),
      ...ours,
      intervalMs: job.interval ?? health.interval,
      // What was not reported in time is not in doubt.
      retries: job.retries ?? 0,
      probe: () => probeHeartbeat(job),
    })),
    ...sites.map((site) => ({
      kind: "site",
      name: site.name,
      identity: JSON.stringify(site),
      deadlineMs: siteDeadlineMs,
      intervalMs: health.interval,
      retries: health.retries,
      probe: () => probeSite(site),
    })),
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
