// What one container uses, from the engine's statistics: rates are made from the difference of two samples.
import * as z from "zod";
import { containerRef } from "./containers";
import { call, openStream } from "./engine";
import { jsonLines } from "./json-lines";
import type { DockerEngine } from "./target";

const n = z.number().catch(0);
const sample = z.object({
  read: z.string(),
  cpu_stats: z
    .object({
      cpu_usage: z.object({ total_usage: n }).nullish(),
      system_cpu_usage: z.number().nullish(),
      online_cpus: z.number().nullish(),
      throttling_data: z.object({ throttled_time: z.number().nullish() }).nullish(),
    })
    .nullish(),
  memory_stats: z
    .object({
      usage: z.number().nullish(),
      limit: z.number().nullish(),
      stats: z.record(z.string(), z.number()).nullish(),
    })
    .nullish(),
  networks: z.record(z.string(), z.object({ rx_bytes: n, tx_bytes: n })).nullish(),
  blkio_stats: z
    .object({
      io_service_bytes_recursive: z.array(z.object({ op: z.string(), value: n })).nullish(),
    })
    .nullish(),
  pids_stats: z.object({ current: z.number().nullish() }).nullish(),
});
type Sample = z.infer<typeof sample>;

/** Counters as the engine has them; `at` is the engine's clock, ms. */
export type Counters = {
  readonly at: number;
  /** Nanoseconds of processor time since the container began. */
  readonly cpuNs: number;
  /** Bytes in use without the page cache that the kernel can take back (cgroup v2: usage - inactive_file). */
  readonly memory: number;
  /** Bytes; the host's memory when the container has no limit of its own. */
  readonly memoryLimit: number;
  readonly rx: number;
  readonly tx: number;
  readonly read: number;
  readonly written: number;
  readonly pids: number;
};

/** What a container uses now; rates per second, null at a first sample. */
export type Usage = {
  /** ms since the epoch, by our clock. */
  readonly at: number;
  /** Processors in use: 1 is one whole core. */
  readonly cpu: number | null;
  readonly memory: number;
  readonly memoryLimit: number;
  readonly rx: number | null;
  readonly tx: number | null;
  readonly read: number | null;
  readonly written: number | null;
  readonly pids: number;
};

/** A sample's counters, or null when the container does not run (the engine then sends zeros). */
export function countersOf(raw: unknown): Counters | null {
  const read = sample.safeParse(raw);
  if (!read.success) return null;
  const { data } = read;
  const at = Date.parse(data.read);
  const cpuNs = data.cpu_stats?.cpu_usage?.total_usage ?? 0;
  if (Number.isNaN(at) || at <= 0 || (cpuNs === 0 && !data.memory_stats?.usage)) return null;
  return { at, cpuNs, ...memoryOf(data), ...ioOf(data), pids: data.pids_stats?.current ?? 0 };
}

function memoryOf({ memory_stats: stats }: Sample): { memory: number; memoryLimit: number } {
  const usage = stats?.usage ?? 0;
  // v2 and v1 of cgroups by their own names, as docker's CLI takes them.
  const cache = stats?.stats?.inactive_file ?? stats?.stats?.total_inactive_file ?? 0;
  return { memory: cache < usage ? usage - cache : usage, memoryLimit: stats?.limit ?? 0 };
}

function ioOf(data: Sample) {
  let rx = 0;
  let tx = 0;
  for (const network of Object.values(data.networks ?? {})) {
    rx += network.rx_bytes;
    tx += network.tx_bytes;
  }
  let read = 0;
  let written = 0;
  for (const { op, value } of data.blkio_stats?.io_service_bytes_recursive ?? []) {
    if (/^read$/i.test(op)) read += value;
    else if (/^write$/i.test(op)) written += value;
  }
  return { rx, tx, read, written };
}

/** What is used now, from these counters and those before (none: no rates yet). A counter that fell means a new start. */
export function usageOf(now: Counters, before: Counters | null, at: number): Usage {
  const seconds = before === null ? 0 : (now.at - before.at) / 1000;
  const rate = (one: number, other: number | undefined): number | null =>
    other === undefined || seconds <= 0 || one < other ? null : (one - other) / seconds;
  const cpuPerSecond = rate(now.cpuNs, before?.cpuNs);
  return {
    at,
    cpu: cpuPerSecond === null ? null : cpuPerSecond / 1e9,
    memory: now.memory,
    memoryLimit: now.memoryLimit,
    rx: rate(now.rx, before?.rx),
    tx: rate(now.tx, before?.tx),
    read: rate(now.read, before?.read),
    written: rate(now.written, before?.written),
    pids: now.pids,
  };
}

/** A sample each second, until `signal` aborts or the container ends. Throws as `openStream`. */
export async function* watchStats(
  engine: DockerEngine,
  id: string,
  signal: AbortSignal,
): AsyncGenerator<Counters, void> {
  const stream = await openStream(
    engine,
    (docker, abortSignal) =>
      docker.getContainer(containerRef(id)).stats({ stream: true, abortSignal } as { stream: true }),
    signal,
  );
  for await (const raw of jsonLines(stream, 1024 * 1024)) {
    const counters = countersOf(raw);
    if (counters !== null) yield counters;
  }
}

/** One sample. An engine before 25 takes a second or two for it. Throws as `call`. */
export async function readStats(engine: DockerEngine, id: string): Promise<Counters | null> {
  const raw = await call(
    engine,
    z.unknown(),
    (docker, abortSignal) =>
      docker.getContainer(containerRef(id)).stats({ stream: false, "one-shot": true, abortSignal } as object),
    { timeoutMs: Math.max(10_000, engine.timeout) },
  );
  return countersOf(raw);
}
