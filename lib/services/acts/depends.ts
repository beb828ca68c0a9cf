// Who needs whom among a project's containers, by Compose's own label: "mariadb:service_healthy:true,redis:service_started:false".
import type { Inspected } from "../../systems/docker/containers";

/** What of a container says whom it needs. */
type Subject = {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly inspected: Inspected;
};

/** The services this one needs. Compose before 2 writes no such label: then nothing is known, and the list is empty. */
export function needsOf(labels: Readonly<Record<string, string>>): string[] {
  return (labels["com.docker.compose.depends_on"] ?? "")
    .split(",")
    .map((part) => part.split(":")[0]?.trim() ?? "")
    .filter((name) => name !== "");
}

const projectOf = (one: Subject) => one.labels["com.docker.compose.project"] ?? null;
const serviceOf = (one: Subject) => one.labels["com.docker.compose.service"] ?? one.name;

/** Whether `one` lives in the network, the processes or the memory of `other`, and goes wrong without it. */
export function sharesWith(one: Subject, { id, name }: Subject): boolean {
  const { NetworkMode, PidMode, IpcMode } = one.inspected.HostConfig;
  return [NetworkMode, PidMode, IpcMode].some(
    (mode) => mode === `container:${id}` || mode === `container:${name}`,
  );
}

/** Whether `one` says that it needs `other`: by Compose's label, or by what it shares with it (network, volumes, links). */
function needs(one: Subject, other: Subject): boolean {
  if (one === other) return false;
  const project = projectOf(other);
  if (project !== null && projectOf(one) === project && needsOf(one.labels).includes(serviceOf(other)))
    return true;
  const { VolumesFrom, Links } = one.inspected.HostConfig;
  const volumes = (VolumesFrom ?? []).map((from) => from.split(":")[0] ?? "");
  // "/other:/one/alias"
  const links = (Links ?? []).map((link) => link.split(":")[0]?.replace(/^\//, ""));
  return (
    sharesWith(one, other) ||
    volumes.some((from) => from === other.name || (from.length >= 12 && other.id.startsWith(from))) ||
    links.includes(other.name)
  );
}

/** Containers that say they need this one. */
export const dependentsOf = <T extends Subject>(one: T, all: readonly T[]): T[] =>
  all.filter((other) => needs(other, one));

/** Whether it is a task of a Swarm, which is made anew whatever is done to it. */
export const isTask = ({ labels }: Subject): boolean => labels["com.docker.swarm.task.id"] !== undefined;

/** What a deploy calls a container that it has put aside, until it is done with it. */
const aside = /^(.+)\.(?:before|next|failed)-\d+$/;

/** The name of the container that this one is put aside for by a deploy, or null. */
export const asideOf = (name: string): string | null => aside.exec(name)?.[1] ?? null;

/** What is needed before what needs it; otherwise by name. A circle is cut where it is met. */
export function inOrder<T extends Subject>(containers: readonly T[]): T[] {
  const sorted = [...containers].sort((a, b) => a.name.localeCompare(b.name));
  const done = new Set<T>();
  const open = new Set<T>();
  const order: T[] = [];
  const visit = (one: T): void => {
    if (done.has(one) || open.has(one)) return;
    open.add(one);
    for (const other of sorted) if (needs(one, other)) visit(other);
    open.delete(one);
    done.add(one);
    order.push(one);
  };
  for (const one of sorted) visit(one);
  return order;
}

/** Whether it consumes messages: by its label, its command, or its service's name. */
export function isWorker(one: Subject): boolean {
  const command = [...textsOf(one.inspected.Config.Entrypoint), ...textsOf(one.inspected.Config.Cmd)].join(
    " ",
  );
  return (
    one.labels["sluice.role"] === "worker" ||
    /messenger:consume/.test(command) ||
    /(^|[-_])workers?([-_]|$)/.test(serviceOf(one))
  );
}

/** A command's words, which the engine keeps as a list or not at all. */
export const textsOf = (value: unknown): string[] =>
  Array.isArray(value)
    ? value.filter((one): one is string => typeof one === "string")
    : typeof value === "string"
      ? [value]
      : [];
