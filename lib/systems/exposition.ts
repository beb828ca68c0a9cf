// Prometheus' text format, read from an exporter directly (prometheus.io/docs/instrumenting/exposition_formats).

export type Metric = { readonly labels: Readonly<Record<string, string>>; readonly value: number };
export type Metrics = ReadonlyMap<string, readonly Metric[]>;

const line = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?[ \t]+(\S+)(?:[ \t]+-?\d+)?[ \t]*$/;
const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:\\.|[^"\\])*)"[ \t]*,?[ \t]*/gy;
const escapes: Readonly<Record<string, string>> = { n: "\n" };

function labelsOf(text: string): Record<string, string> | null {
  const found: Record<string, string> = {};
  label.lastIndex = 0;
  let read = 0;
  for (let match = label.exec(text); match !== null; match = label.exec(text)) {
    found[match[1] ?? ""] = (match[2] ?? "").replace(/\\(.)/g, (_, one: string) => escapes[one] ?? one);
    read = label.lastIndex;
  }
  return read === text.length ? found : null;
}

const numberOf = (text: string): number =>
  /^[+-]?inf$/i.test(text) ? (text.startsWith("-") ? -Infinity : Infinity) : Number(text);

/** Every sample by its name. Lines that are not understood are left out; null when none is: then it is something else. */
export function readMetrics(text: string): Metrics | null {
  const all = new Map<string, Metric[]>();
  for (const one of text.split("\n")) {
    const [, name, labels, value] = line.exec(one.trim()) ?? [];
    if (name === undefined || value === undefined) continue;
    const read = labels === undefined ? {} : labelsOf(labels.trim());
    if (read === null) continue;
    const known = all.get(name);
    if (known === undefined) all.set(name, [{ labels: read, value: numberOf(value) }]);
    else known.push({ labels: read, value: numberOf(value) });
  }
  return all.size === 0 ? null : all;
}

/** The sum of a metric's samples that have these labels; null when there is none. */
export function sumOf(
  metrics: Metrics,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | null {
  const found = (metrics.get(name) ?? []).filter((one) =>
    Object.entries(labels).every(([key, value]) => one.labels[key] === value),
  );
  return found.length === 0 ? null : found.reduce((sum, { value }) => sum + value, 0);
}
