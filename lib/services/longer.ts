// What a container used in longer times than the hour that Sluice keeps: cAdvisor's metrics, asked of Prometheus.
import { config } from "../config/load";
import { AppError } from "../errors/app-error";
import { type PrometheusTarget, type Queried, queryRange, quoted } from "../systems/prometheus/prometheus";
import type { ServiceRef, UsageHistory, UsageRange } from "./contract";
import { services } from "./service";

/** Seconds of each range, and of one step: at most 400 points. */
const ranges: Readonly<Record<UsageRange, { readonly length: number; readonly step: number }>> = {
  "6h": { length: 6 * 3600, step: 60 },
  "24h": { length: 24 * 3600, step: 300 },
  "7d": { length: 7 * 86_400, step: 1800 },
  "30d": { length: 30 * 86_400, step: 7200 },
};
/** A rate needs some scrapes, whatever their interval is. */
const leastWindow = 300;
/** What tells one scraped cAdvisor from another: a container of the same name on another host is another container. */
const origin = "instance";

const problem = (
  code: "NOT_FOUND" | "CONFLICT",
  key: string,
  message: string,
  params: Record<string, string>,
) => new AppError(code, message, { problem: key, params });

function prometheus(): PrometheusTarget {
  const [target] = config().systems.prometheus;
  if (target !== undefined) return target;
  throw problem("NOT_FOUND", "prometheus.none", "No Prometheus is connected.", {});
}

/** cAdvisor's metrics, by container (docs/storage/prometheus.md of google/cadvisor). A new container of the same name goes on. */
const queriesOf = (selector: string, window: number) => {
  const rate = (metric: string) => `sum by (${origin}) (rate(${metric}${selector}[${window}s]))`;
  return {
    cpu: rate("container_cpu_usage_seconds_total"),
    memory: `max by (${origin}) (container_memory_working_set_bytes${selector})`,
    rx: rate("container_network_receive_bytes_total"),
    tx: rate("container_network_transmit_bytes_total"),
    read: rate("container_fs_reads_bytes_total"),
    written: rate("container_fs_writes_bytes_total"),
  };
};

/**
 * A container's use in one of the longer ranges, a value for each step, null where Prometheus has none; no steps at all where it
 * knows nothing of it. Throws AppError NOT_FOUND (no Prometheus, no such container), CONFLICT (several hosts have one of that
 * name), and as `queryRange`.
 */
export async function longerUsage(
  ref: ServiceRef,
  range: UsageRange,
  signal?: AbortSignal,
  now = Date.now(),
): Promise<UsageHistory> {
  const { host, watched } = services().find(ref);
  const target = prometheus();
  const { length, step } = ranges[range];
  const labels = config().systems.docker.find(({ name }) => name === host.engine.name)?.labels ?? {};
  const matchers = Object.entries({ name: watched.name, ...labels }).map(
    ([label, value]) => `${label}=${quoted(value)}`,
  );
  const end = Math.floor(now / 1000 / step) * step;
  const start = end - length + step;
  const asked = Object.entries(queriesOf(`{${matchers.join(",")}}`, Math.max(leastWindow, step)));
  const answers = await Promise.all(
    asked.map(async ([field, promql]) => {
      const answer = await queryRange(target, promql, { start, end, step }, signal);
      return [field, gridOf(answer, { start, end, step }, watched.name)] as const;
    }),
  );
  const known = answers.some(([, values]) => values.some((value) => value !== null));
  const at: number[] = [];
  for (let one = start; known && one <= end; one += step) at.push(one * 1000);
  return {
    stepMs: step * 1000,
    at,
    ...(Object.fromEntries(answers.map(([field, values]) => [field, known ? values : []])) as Record<
      "cpu" | "memory" | "rx" | "tx" | "read" | "written",
      (number | null)[]
    >),
    memoryLimit: watched.usage?.memoryLimit ?? null,
    cpuLimit: watched.cpuLimit,
  };
}

/** A value for every step: Prometheus leaves out those that it has none for. */
function gridOf(
  { series }: Queried,
  { start, end, step }: { readonly start: number; readonly end: number; readonly step: number },
  container: string,
): (number | null)[] {
  const [one, other] = series;
  if (one !== undefined && other !== undefined)
    throw problem(
      "CONFLICT",
      "prometheus.ambiguous",
      `Prometheus knows several containers called ${container}: say in sluice.yaml, under this engine's metrics, which labels are its own.`,
      { container, one: one.labels[origin] ?? "", other: other.labels[origin] ?? "" },
    );
  const values = new Map(one?.samples.map(({ at, value }) => [Math.round(at), value]) ?? []);
  const grid: (number | null)[] = [];
  for (let at = start; at <= end; at += step) grid.push(values.get(at) ?? null);
  return grid;
}
