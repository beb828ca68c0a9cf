// Who needs whom among a project's containers, by Compose's own label: "mariadb:service_healthy:true,redis:service_started:false".
import type { Watched } from "../watched";

/** The services this one needs. Compose before 2 writes no such label: then nothing is known, and the list is empty. */
export function needsOf(labels: Readonly<Record<string, string>>): string[] {
  return (labels["com.docker.compose.depends_on"] ?? "")
    .split(",")
    .map((part) => part.split(":")[0]?.trim() ?? "")
    .filter((name) => name !== "");
}

const projectOf = (one: Watched) => one.labels["com.docker.compose.project"] ?? null;
const serviceOf = (one: Watched) => one.labels["com.docker.compose.service"] ?? one.name;

/** Containers of the same project that say they need this one. */
export function dependentsOf(one: Watched, all: readonly Watched[]): Watched[] {
  const project = projectOf(one);
  if (project === null) return [];
  return all.filter(
    (other) =>
      other !== one && projectOf(other) === project && needsOf(other.labels).includes(serviceOf(one)),
  );
}

/** What is needed before what needs it; otherwise by name. A circle is cut where it is met. */
export function inOrder(containers: readonly Watched[]): Watched[] {
  const sorted = [...containers].sort((a, b) => a.name.localeCompare(b.name));
  const done = new Set<Watched>();
  const open = new Set<Watched>();
  const order: Watched[] = [];
  const visit = (one: Watched): void => {
    if (done.has(one) || open.has(one)) return;
    open.add(one);
    const needs = needsOf(one.labels);
    for (const other of sorted)
      if (projectOf(other) === projectOf(one) && needs.includes(serviceOf(other))) visit(other);
    open.delete(one);
    done.add(one);
    order.push(one);
  };
  for (const one of sorted) visit(one);
  return order;
}

/** Whether it consumes messages: by its label, its command, or its service's name. */
export function isWorker(one: Watched): boolean {
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
