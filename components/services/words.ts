// How services are named, ordered and filtered: pure, so that an address means the same to everybody.
import { addressAt } from "@/components/ui/address-at";
import type { Tone } from "@/components/ui/status";
import type { ServiceRow, Verdict } from "@/lib/services/contract";
import { verdicts } from "@/lib/services/contract";
import type { SwarmState } from "@/lib/services/swarm/contract";

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
  /** What of the address is not understood, and was left out. */
  readonly ignored: readonly string[];
};

/** What an address asks for; what cannot be understood is left out, and said. */
export function viewOf(params: URLSearchParams): View {
  const hidden = (params.get("hide") ?? "").split(",").filter((one) => one !== "");
  const known: Readonly<Record<string, readonly string[]>> = { state: verdicts, sort: sorts };
  const ignored = Object.entries(known).flatMap(([name, values]) => {
    const value = params.get(name) ?? "";
    return value === "" || values.includes(value) ? [] : [`${name}=${value}`];
  });
  for (const one of hidden) if (!columns.some((column) => column === one)) ignored.push(`hide=${one}`);
  return {
    ignored,
    search: params.get("q")?.trim().toLowerCase() ?? "",
    verdict: verdicts.find((one) => one === params.get("state")) ?? null,
    host: params.get("host") || null,
    project: params.get("project") || null,
    sort: sorts.find((one) => one === params.get("sort")) ?? "worst",
    hidden: new Set(columns.filter((one) => hidden.includes(one))),
  };
}

/** The same address with one word changed; an empty value takes it away. */
export const withWord = addressAt("/services");

/** Where a container's page is. By name: a new container of the same name is the same service. */
export const serviceAddress = ({ host, name }: Pick<ServiceRow, "host" | "name">): string =>
  `/services/${encodeURIComponent(host)}/${encodeURIComponent(name)}`;
export const logsAddress = (rows: readonly Pick<ServiceRow, "host" | "name">[]): string =>
  `/services/logs?${rows.map(({ host, name }) => `of=${encodeURIComponent(`${host}/${name}`)}`).join("&")}`;

/** "registry.example/team/app:1.2@sha256:…" without its digest, and as its last part. */
export const unpinned = (image: string): string => image.replace(/@.*$/, "");
export const shortImage = (image: string): string => unpinned(image).split("/").at(-1) ?? image;

const rank = (row: { readonly verdict: Verdict }): number => verdicts.indexOf(row.verdict);
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

/** A Swarm's service, as a line among the containers. */
export type SwarmRow = SwarmState["services"][number] & { readonly host: string; readonly verdict: Verdict };

/** How a Swarm's service is: by its tasks, and by how its last update stands. */
export function swarmVerdict({ running, desired, update }: SwarmState["services"][number]): Verdict {
  if (desired > 0 && running === 0) return "down";
  if (update?.state === "paused" || update?.state === "rollback_paused") return "down";
  if (update?.state === "updating" || update?.state === "rollback_started") return "starting";
  if (running < desired || update?.state === "rollback_completed") return "warn";
  return desired === 0 ? "idle" : "up";
}

export const swarmRows = (states: readonly SwarmState[]): SwarmRow[] =>
  states.flatMap(({ host, services }) =>
    services.map((one) => ({ ...one, host, verdict: swarmVerdict(one) })),
  );

export type Group = {
  readonly key: string;
  readonly host: string;
  readonly project: string | null;
  readonly rows: readonly ServiceRow[];
  /** The Swarm's services of this stack, worst first; their tasks' containers are among the rows. */
  readonly swarm: readonly SwarmRow[];
  readonly worst: Verdict;
};

/** The rows that a view shows, by host and project; worst groups and rows first unless another order is asked for. */
export function grouped(rows: Iterable<ServiceRow>, view: View, services: readonly SwarmRow[] = []): Group[] {
  type Open = { host: string; project: string | null; rows: ServiceRow[]; swarm: SwarmRow[] };
  const groups = new Map<string, Open>();
  const groupOf = (host: string, project: string | null): Open => {
    const key = `${host}/${project ?? ""}`;
    const group = groups.get(key) ?? { host, project, rows: [], swarm: [] };
    groups.set(key, group);
    return group;
  };
  const shows = (host: string, project: string | null, verdict: Verdict, text: string): boolean =>
    (view.verdict === null || verdict === view.verdict) &&
    (view.host === null || host === view.host) &&
    (view.project === null || project === view.project) &&
    text.includes(view.search);
  for (const row of rows)
    if (shows(row.host, row.project, row.verdict, textOf(row))) groupOf(row.host, row.project).rows.push(row);
  for (const one of services)
    if (shows(one.host, one.stack, one.verdict, `${one.name} ${one.image}`.toLowerCase()))
      groupOf(one.host, one.stack).swarm.push(one);
  const compare = order[view.sort];
  return [...groups]
    .map(([key, { host, project, rows: all, swarm }]) => {
      const sorted = all.sort((a, b) => compare(a, b) || a.name.localeCompare(b.name));
      swarm.sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
      const worst = verdicts[Math.min(...[...sorted, ...swarm].map(rank))] ?? "idle";
      return { key, host, project, rows: sorted, swarm, worst };
    })
    .sort((a, b) => {
      const [one, other] = [a.rows[0], b.rows[0]];
      const byWorst = view.sort === "worst" ? verdicts.indexOf(a.worst) - verdicts.indexOf(b.worst) : 0;
      const byRows = byWorst || (one && other ? compare(one, other) : 0);
      // Containers of no project come last, unless they are worse.
      return byRows || Number(a.project === null) - Number(b.project === null) || a.key.localeCompare(b.key);
    });
}

const textOf = (row: ServiceRow): string =>
  `${row.name} ${row.service ?? ""} ${row.project ?? ""} ${row.image} ${row.id.slice(0, 12)}`.toLowerCase();
