// What Prometheus is asked of one component, and by which labels it knows it.
import type { Config } from "../config/schema";
import { quoted } from "../systems/prometheus/prometheus";
import { type KindQueries, queriesOf } from "./queries";

/** The queries of a component; null where Prometheus is not asked. */
export function queriesFor(settings: Config, kind: string, name: string): KindQueries | null {
  // Only Symfony's own address has its exporter: somebody else's health route has none.
  const outside =
    kind === "http" && !settings.systems.http.some((one) => one.name === name && one.role === "symfony");
  return outside ? null : queriesOf(kind, settings.health.queries);
}

type Labelled = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Of a Docker Engine: its machine's node_exporter; `labels` are its cAdvisor's. */
  readonly node_labels?: Readonly<Record<string, string>>;
  /** Of Messenger: they tell its queue from others without any label. */
  readonly stream?: string;
  readonly group?: string;
};

/** The labels of a component in Prometheus; none where it is the only one of its kind, null when it cannot be told from others. */
export function labelsOf(
  settings: Config,
  kind: string,
  name: string,
): Readonly<Record<string, string>> | null {
  const all = (settings.systems as Readonly<Record<string, readonly Labelled[]>>)[kind] ?? [];
  const own = all.find((one) => one.name === name);
  if (own === undefined) return null;
  const labels = own.node_labels ?? own.labels;
  if (Object.keys(labels).length > 0) return labels;
  if (own.stream !== undefined && own.group !== undefined) return { stream: own.stream, group: own.group };
  return all.length === 1 ? {} : null;
}

/** The same as PromQL's matchers, without braces. */
export const matchersOf = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([label, value]) => `${label}=${quoted(value)}`)
    .join(",");
