// The services of the stack as the browser sees them: containers of every host, live; their detail, logs and acts.
import * as z from "zod";
import { toldProblem } from "../errors/contract";

/** Worst first. "unknown": its engine does not answer, so nobody can say. */
export const verdicts = ["down", "unknown", "warn", "starting", "up", "idle"] as const;
export type Verdict = (typeof verdicts)[number];

export const usage = z.object({
  /** ms since the epoch. */
  at: z.number(),
  /** Processors in use; 1 is one whole core. Null until there are two samples. */
  cpu: z.number().nullable(),
  /** Bytes, and the limit they are measured against (the host's memory where there is none of its own). */
  memory: z.number(),
  memoryLimit: z.number(),
  /** Bytes per second. */
  rx: z.number().nullable(),
  tx: z.number().nullable(),
  read: z.number().nullable(),
  written: z.number().nullable(),
  pids: z.number(),
});

export const imageUpdate = z.object({
  /** "newer": the same tag has another digest now. "tags": there are newer versions. "same": neither. */
  state: z.enum(["newer", "tags", "same", "unknown"]),
  tags: z.array(z.string()),
  /** Why it is unknown. */
  problem: toldProblem.nullable(),
  checkedAt: z.iso.datetime(),
});
export type ImageUpdate = z.infer<typeof imageUpdate>;

export const serviceRow = z.object({
  host: z.string(),
  /** The container's full id. */
  id: z.string(),
  name: z.string(),
  /** Compose's project or Swarm's stack, and the service within it. */
  project: z.string().nullable(),
  service: z.string().nullable(),
  /** As it was asked for ("nginx:1.27"), and what it is (sha256:…). */
  image: z.string(),
  imageId: z.string(),
  state: z.enum(["created", "running", "paused", "restarting", "removing", "exited", "dead"]),
  health: z.enum(["healthy", "unhealthy", "starting"]).nullable(),
  verdict: z.enum(verdicts),
  /** Why, as keys under `services.reasons.` */
  reasons: z.array(z.string()),
  exitCode: z.int().nullable(),
  oom: z.boolean(),
  /** How often the engine's restart policy started it again. */
  restarts: z.int(),
  /** Deaths that nobody asked for in the last ten minutes. */
  deaths: z.int(),
  createdAt: z.iso.datetime(),
  startedAt: z.iso.datetime().nullable(),
  finishedAt: z.iso.datetime().nullable(),
  /** Cores it may use, and whether its memory has a limit of its own. */
  cpuLimit: z.number().nullable(),
  memoryLimited: z.boolean(),
  usage: usage.nullable(),
  /** Processors in use, ten seconds each, the last five minutes; -1 where nothing is known. */
  spark: z.array(z.number()),
  /** The step (ms since the epoch / 10,000) that is under way: the last of `spark` is the one before it. */
  sparkStep: z.int(),
  update: imageUpdate.nullable(),
  /** Sluice itself runs in it. */
  self: z.boolean(),
  /** It consumes messages, and a task of a Swarm, which its service restarts. */
  worker: z.boolean(),
  task: z.boolean(),
});
export type ServiceRow = z.infer<typeof serviceRow>;

export const hostRow = z.object({
  name: z.string(),
  /** Where it is reached; never a secret. */
  where: z.string(),
  state: z.enum(["connecting", "up", "down"]),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  /** UTC of the last answer. */
  lastGood: z.iso.datetime().nullable(),
  version: z.string().nullable(),
  api: z.string().nullable(),
  cpus: z.number().nullable(),
  memory: z.number().nullable(),
  /** How far its clock is ahead of ours, ms. */
  clockSkewMs: z.number().nullable(),
  swarm: z.boolean(),
});
export type HostRow = z.infer<typeof hostRow>;

export const servicesSnapshot = z.object({ hosts: z.array(hostRow), rows: z.array(serviceRow) });
export type ServicesSnapshot = z.infer<typeof servicesSnapshot>;

/** An image that containers of a host are made of. */
export const imageRow = z.object({
  host: z.string(),
  /** As the containers name it. */
  image: z.string(),
  repository: z.string(),
  tag: z.string().nullable(),
  imageId: z.string(),
  digest: z.string().nullable(),
  /** Bytes on the host's disk. */
  size: z.number().nullable(),
  createdAt: z.iso.datetime().nullable(),
  containers: z.array(z.string()),
  update: imageUpdate.nullable(),
});
export type ImageRow = z.infer<typeof imageRow>;

/** Some tags of an image's repository, newer versions first. */
export const imageTags = z.object({
  repository: z.string(),
  /** How many there are; `whole` false when the registry has more than we count. */
  total: z.int(),
  whole: z.boolean(),
  tags: z.array(
    z.object({
      tag: z.string(),
      newer: z.boolean(),
      digest: z.string().nullable(),
      /** Compressed bytes, for the platform of the image in use. */
      size: z.number().nullable(),
      createdAt: z.iso.datetime().nullable(),
      /** Why nothing is known of it. */
      problem: toldProblem.nullable(),
    }),
  ),
});
export type ImageTags = z.infer<typeof imageTags>;

/** What the page of services is told: a snapshot, then what changed. */
export const servicesEvent = z.discriminatedUnion("type", [
  servicesSnapshot.extend({ type: z.literal("snapshot"), at: z.iso.datetime() }),
  z.object({
    type: z.literal("rows"),
    hosts: z.array(hostRow),
    rows: z.array(serviceRow),
    gone: z.array(z.string()),
  }),
  /** Every two seconds, by id: what the running ones use now; with a new step, what the one before it was, for `spark`. */
  z.object({
    type: z.literal("usage"),
    at: z.iso.datetime(),
    usage: z.record(z.string(), usage),
    step: z.int(),
    spark: z.record(z.string(), z.number()),
  }),
]);
export type ServicesEvent = z.infer<typeof servicesEvent>;

/** A container as an address names it: full id, its beginning, or its name. */
export const containerRef = z
  .string()
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/, "a container's name or id, such as shop-php-1");
export const serviceRef = z.object({ host: z.string().min(1).max(100), id: containerRef });
export type ServiceRef = z.infer<typeof serviceRef>;

export const eventRow = z.object({
  at: z.iso.datetime(),
  event: z.string(),
  detail: z.string().nullable(),
});

export const logLine = z.object({
  /** RFC 3339 with nanoseconds by the engine's clock; text order is time order. */
  at: z.string(),
  stream: z.enum(["stdout", "stderr"]),
  text: z.string(),
  /** Bytes cut from a line too long to be shown. */
  cut: z.int(),
});

export const deathRow = z.object({
  id: z.int(),
  at: z.iso.datetime(),
  container: z.string(),
  exitCode: z.int(),
  oom: z.boolean(),
  /** Somebody stopped or killed it. */
  requested: z.boolean(),
  image: z.string(),
  lines: z.array(logLine),
  /** Changes and events in the fifteen minutes before. */
  before: z.array(
    z.object({
      at: z.iso.datetime(),
      what: z.string(),
      detail: z.string().nullable(),
      /** The change's id, where it was one. */
      change: z.int().nullable(),
    }),
  ),
});
export type DeathRow = z.infer<typeof deathRow>;

/** A container that died without being asked to and is not there any more: its last such death. */
export const goneRow = deathRow
  .pick({ id: true, at: true, exitCode: true, oom: true, image: true })
  .extend({ host: z.string(), name: z.string() });
export type GoneRow = z.infer<typeof goneRow>;

export const serviceDetail = z.object({
  row: serviceRow,
  /** A Prometheus is connected, which may know more than the last hour. */
  longer: z.boolean(),
  command: z.string(),
  restartPolicy: z.string(),
  user: z.string(),
  workingDir: z.string(),
  hostname: z.string(),
  tty: z.boolean(),
  logDriver: z.string(),
  imageDigest: z.string().nullable(),
  ports: z.array(z.object({ container: z.string(), host: z.array(z.string()) })),
  mounts: z.array(
    z.object({
      type: z.string(),
      source: z.string(),
      destination: z.string(),
      readOnly: z.boolean(),
    }),
  ),
  networks: z.array(
    z.object({
      name: z.string(),
      ip: z.string().nullable(),
      fixed: z.boolean(),
      aliases: z.array(z.string()),
    }),
  ),
  labels: z.record(z.string(), z.string()),
  /** Names only: nobody is given a value. */
  env: z.array(z.string()),
  healthCheck: z
    .object({
      test: z.string(),
      failingStreak: z.int(),
      log: z.array(z.object({ at: z.iso.datetime(), exitCode: z.int(), output: z.string() })),
    })
    .nullable(),
  events: z.array(eventRow),
  deaths: z.array(deathRow),
  /** What says in `depends_on` that it needs this one, by name. */
  neededBy: z.array(z.string()),
  needs: z.array(z.string()),
});
export type ServiceDetail = z.infer<typeof serviceDetail>;

/** The last hour, ten seconds a step; null where nothing is known. */
export const usageHistory = z.object({
  stepMs: z.int(),
  /** ms since the epoch of each step's end. */
  at: z.array(z.number()),
  cpu: z.array(z.number().nullable()),
  memory: z.array(z.number().nullable()),
  rx: z.array(z.number().nullable()),
  tx: z.array(z.number().nullable()),
  read: z.array(z.number().nullable()),
  written: z.array(z.number().nullable()),
  memoryLimit: z.number().nullable(),
  cpuLimit: z.number().nullable(),
});
export type UsageHistory = z.infer<typeof usageHistory>;

/** Longer than the hour that Sluice keeps itself: asked of Prometheus. */
export const usageRanges = ["6h", "24h", "7d", "30d"] as const;
export const usageRange = z.enum(usageRanges);
export type UsageRange = z.infer<typeof usageRange>;
