// How services are named, ordered and filtered: pure, so that an address means the same to everybody.
import type { Tone } from "@/components/ui/status";
import type { ServiceRow, Verdict } from "@/lib/services/contract";
import { verdicts } from "@/lib/services/contract";

export const verdictTone = {
  down: "down",
  unknown: "unknown",
  warn: "warn",
  starting: "run",
  up: "up",
  idle: "unknown",
} satisfies Record<Verdict, Tone>;

export const columns = ["cpu", "memory", "network", "restarts", "uptime", "image"] as const;
export type Column = (typeof columns)[number];
export const sorts = ["worst", "name", "cpu", "memory", "network", "restarts", "uptime"] as const;
export type Sort = (typeof sorts)[number];

export type View = {
  readonly search: string;
  readonly verdict: Verdict | null;
  readonly host: string | null;
  readonly project: string | null;
  readonly sort: Sort;
  readonly hidden: ReadonlySet<Column>;
};

/** What an address asks for; what cannot be understood is left out. */
export function viewOf(params: URLSearchParams): View {
  const hidden = (params.get("hide") ?? "").split(",");
  return {
    search: params.get("q")?.trim().toLowerCase() ?? "",
    verdict: verdicts.find((one) => one === params.get("state")) ?? null,
    host: params.get("host") || null,
    project: params.get("project") || null,
    sort: sorts.find((one) => one === params.get("sort")) ?? "worst",
    hidden: new Set(columns.filter((one) => hidden.includes(one))),
  };
}

/** The same address with one word changed; an empty value takes it away. */
export function withWord(params: URLSearchParams, name: string, value: string): string {
  const next = new URLSearchParams(params);
  if (value === "") next.delete(name);
  else next.set(name, value);
  const text = next.toString();
  return text === "" ? "/services" : `/services?${text}`;
}

/** Where a container's page is. By name: a new container of the same name is the same service. */
export const serviceAddress = ({ host, name }: Pick<ServiceRow, "host" | "name">): string =>
  `/services/${encodeURIComponent(host)}/${encodeURIComponent(name)}`;
export const logsAddress = (rows: readonly Pick<ServiceRow, "host" | "name">[]): string =>
  `/services/logs?${rows.map(({ host, name }) => `of=${encodeURIComponent(`${host}/${name}`)}`).join("&")}`;

const rank = (row: ServiceRow): number => verdicts.indexOf(row.verdict);
const network = (row: ServiceRow): number => (row.usage?.rx ?? 0) + (row.usage?.tx ?? 0);
const started = (row: ServiceRow): number =>
  row.state === "running" && row.startedAt !== null ? Date.parse(row.startedAt) : Number.POSITIVE_INFINITY;

/** Larger first, but for names and for uptime, where the youngest is what one looks for. */
const order: Readonly<Record<Sort, (a: ServiceRow, b: ServiceRow) => number>> = {
  worst: (a, b) => rank(a) - rank(b),
  name: () => 0,
  cpu: (a, b) => (b.usage?.cpu ?? -1) - (a.usage?.cpu ?? -1),
  memory: (a, b) => (b.usage?.memory ?? -1) - (a.usage?.memory ?? -1),
  network: (a, b) => network(b) - network(a),
  restarts: (a, b) => b.restarts + b.deaths - (a.restarts + a.deaths),
  uptime: (a, b) => (started(a) === started(b) ? 0 : started(b) - started(a)),
};

export type Group = {
  readonly key: string;
  readonly host: string;
  readonly project: string | null;
  readonly rows: readonly ServiceRow[];
  readonly worst: Verdict;
};

/** The rows that a view shows, by host and project; worst groups and rows first unless another order is asked for. */
export function grouped(rows: Iterable<ServiceRow>, view: View): Group[] {
  const groups = new Map<string, ServiceRow[]>();
  for (const row of rows) {
    if (view.verdict !== null && row.verdict !== view.verdict) continue;
    if (view.host !== null && row.host !== view.host) continue;
    if (view.project !== null && row.project !== view.project) continue;
    if (view.search !== "" && !textOf(row).includes(view.search)) continue;
    const key = `${row.host}/${row.project ?? ""}`;
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  const compare = order[view.sort];
  return [...groups]
    .map(([key, all]) => {
      const sorted = all.sort((a, b) => compare(a, b) || a.name.localeCompare(b.name));
      const [first] = sorted;
      const worst = verdicts[Math.min(...sorted.map(rank))] ?? "idle";
      return { key, host: first?.host ?? "", project: first?.project ?? null, rows: sorted, worst };
    })
    .sort((a, b) => {
      const [one, other] = [a.rows[0], b.rows[0]];
      const byRows = one && other ? compare(one, other) : 0;
      // Containers of no project come last, unless they are worse.
      return byRows || Number(a.project === null) - Number(b.project === null) || a.key.localeCompare(b.key);
    });
}

const textOf = (row: ServiceRow): string =>
  `${row.name} ${row.service ?? ""} ${row.project ?? ""} ${row.image} ${row.id.slice(0, 12)}`.toLowerCase();
