// HTTP routers as Traefik v3.7 arranges them before it builds any: TLS options by host, then parents and their children.
import { RuleError } from "../expression";
import { hostsOf } from "../match";

/** Names are complete ("shop@file"). */
export type Branch = {
  readonly id: string;
  readonly rule: string;
  readonly parents: readonly string[];
  readonly entryPoints: readonly string[];
  /** The complete name of its TLS options, or "default"; null without TLS. */
  readonly options: string | null;
};
export type RouterTree = {
  /** Children with TLS and no entry point: they are lost when routers are sorted by entry points. */
  readonly lost: ReadonlySet<string>;
  /** Routers whose TLS options are not taken, with the host that has others; empty where the rule names no host. */
  readonly conflicts: ReadonlyMap<string, string>;
  readonly children: ReadonlyMap<string, readonly string[]>;
  /** Which router leads back to which one. */
  readonly cycles: readonly { readonly from: string; readonly to: string }[];
  /** What is reached from a router without parents. */
  readonly reached: ReadonlySet<string>;
};

const hostsIn = (rule: string): string[] | null => {
  try {
    return hostsOf(rule);
  } catch (error) {
    if (error instanceof RuleError) return null;
    throw error;
  }
};

/** Routers that are at odds, by entry point ("findConflictingRouters" of pkg/server/aggregator.go). */
function conflictsOn(point: string, branches: readonly Branch[]): Map<string, string> {
  const found = new Map<string, string>();
  const byHost = new Map<string, Map<string, string[]>>();
  for (const { id, rule, options, entryPoints } of branches) {
    const hosts = options !== null && entryPoints.includes(point) ? hostsIn(rule) : null;
    if (hosts === null || options === null) continue;
    if (hosts.length === 0 && options !== "default") found.set(id, "");
    for (const host of hosts) {
      const all = byHost.get(host) ?? new Map<string, string[]>();
      all.set(options, [...(all.get(options) ?? []), id]);
      byHost.set(host, all);
    }
  }
  for (const [host, all] of byHost)
    if (all.size > 1) for (const id of [...all.values()].flat()) found.set(id, host);
  return found;
}

/** `defaults`: the entry points of those that name none and have no parent. */
export function routerTree(given: readonly Branch[], defaults: readonly string[]): RouterTree {
  const lost = new Set<string>();
  const branches: Branch[] = [];
  for (const one of given) {
    if (one.options !== null && one.parents.length > 0 && one.entryPoints.length === 0) lost.add(one.id);
    else if (one.parents.length > 0 || one.entryPoints.length > 0) branches.push(one);
    else branches.push({ ...one, entryPoints: defaults });
  }
  const points = [...new Set(branches.flatMap(({ entryPoints }) => entryPoints))];
  const byPoint = new Map(points.map((point) => [point, conflictsOn(point, branches)]));
  const conflicts = new Map([...byPoint.values()].flatMap((found) => [...found]));
  // One that is at odds everywhere has other names from there on, and children look for it in vain.
  const renamed = new Set(
    branches
      .filter(
        ({ id, entryPoints }) =>
          entryPoints.length > 0 && entryPoints.every((point) => byPoint.get(point)?.has(id)),
      )
      .map(({ id }) => id),
  );
  const known = new Set(branches.map(({ id }) => id).filter((id) => !renamed.has(id)));
  const children = new Map<string, string[]>();
  for (const { id, parents } of branches)
    for (const parent of new Set(parents))
      if (known.has(parent)) children.set(parent, [...(children.get(parent) ?? []), id].sort());
  const cycles: { from: string; to: string }[] = [];
  const reached = new Set<string>();
  const path: string[] = [];
  const walk = (id: string): void => {
    reached.add(id);
    path.push(id);
    for (const child of children.get(id) ?? []) {
      if (!path.includes(child)) {
        if (!reached.has(child)) walk(child);
        continue;
      }
      cycles.push({ from: id, to: child });
      children.set(
        id,
        (children.get(id) ?? []).filter((one) => one !== child),
      );
    }
    path.pop();
  };
  for (const { id, parents } of [...branches].sort((a, b) => (a.id < b.id ? -1 : 1)))
    if (parents.length === 0 && !reached.has(id)) walk(id);
  return { lost, conflicts, children, cycles, reached };
}
