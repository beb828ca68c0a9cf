// What of a Swarm Sluice itself lives by: its own service, the node it runs on, the service it reaches the Swarm through.
import { AppError } from "../../errors/app-error";
import { isOwn, ownContainer } from "../../systems/docker/self";
import type { SwarmService, SwarmTask } from "../../systems/docker/swarm";
import { type DockerEngine, portOf } from "../../systems/docker/target";

/** Sluice's own task, or null when it runs outside of this Swarm. */
export function ownTask(tasks: readonly SwarmTask[]): SwarmTask | null {
  const own = ownContainer();
  return tasks.find(({ Status }) => isOwn(Status.ContainerStatus?.ContainerID ?? "", own)) ?? null;
}

const refused = (problem: string, message: string, params: Record<string, string>) =>
  new AppError("FORBIDDEN", message, { problem, params, field: "name" });

/** Whether the engine's `url` leads to this service: by its name, an alias, an address of it, or a port the nodes publish for it. */
export function isWayThrough(engine: DockerEngine, { Spec, Endpoint }: SwarmService): boolean {
  const { url } = engine;
  if (url === undefined || url.startsWith("ssh:")) return false;
  const host = new URL(url).hostname.replace(/^\[|\]$/g, "").replace(/^tasks\./, "");
  const names = [Spec.Name, ...(Spec.TaskTemplate.Networks ?? []).flatMap(({ Aliases }) => Aliases ?? [])];
  const addresses = (Endpoint?.VirtualIPs ?? []).map(({ Addr }) => Addr?.split("/")[0]);
  const port = portOf({ ...engine, url });
  // Every node of a Swarm publishes it, by whatever name or address one of them is reached.
  const published = (Endpoint?.Ports ?? []).some(({ PublishedPort }) => PublishedPort === port);
  return published || names.includes(host) || addresses.includes(host);
}

/**
 * The service that `url` leads to is neither scaled nor deployed, wherever Sluice runs; nor is its own, which may be restarted.
 * Throws AppError FORBIDDEN.
 */
export function refuseOwnService(
  engine: DockerEngine,
  act: string,
  service: SwarmService,
  own: SwarmTask | null,
): void {
  if (act === "restart") return;
  const { Name } = service.Spec;
  if (own?.ServiceID === service.ID)
    throw refused("swarm.self", `Sluice runs as ${Name}: it may only be restarted.`, { service: Name });
  if (isWayThrough(engine, service))
    throw refused("swarm.way", `Sluice reaches the Swarm through ${Name}.`, { service: Name });
}

/** A drain would end Sluice in the middle of it, or the only way to the Swarm. Throws AppError FORBIDDEN. */
export function refuseOwnNode(
  engine: DockerEngine,
  node: { readonly ID: string; readonly name: string },
  all: readonly SwarmService[],
  tasks: readonly SwarmTask[],
): void {
  if (ownTask(tasks)?.NodeID === node.ID)
    throw refused("swarm.selfNode", `Sluice runs on ${node.name}: draining it would end Sluice.`, {
      node: node.name,
    });
  for (const service of all.filter((one) => isWayThrough(engine, one))) {
    const at = tasks
      .filter(({ ServiceID, Status }) => ServiceID === service.ID && Status.State === "running")
      .map(({ NodeID }) => NodeID);
    // A port in host mode is the node's own: tasks elsewhere do not answer there.
    const fixed = (service.Endpoint?.Ports ?? []).some(({ PublishMode }) => PublishMode === "host");
    if (!at.includes(node.ID) || (!fixed && at.some((one) => one !== node.ID))) continue;
    const { Name } = service.Spec;
    throw refused("swarm.wayNode", `Sluice reaches the Swarm through ${Name}, which runs on ${node.name}.`, {
      service: Name,
      node: node.name,
    });
  }
}
