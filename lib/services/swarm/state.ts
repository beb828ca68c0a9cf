// What a Swarm's manager says, asked at most once in two seconds whoever looks.
import { maskedText } from "../../errors/mask";
import { singleton } from "../../runtime/singleton";
import { atOf, imageOf, listNodes, listServices, listTasks, replicasOf } from "../../systems/docker/swarm";
import type { DockerEngine } from "../../systems/docker/target";
import { services } from "../service";
import type { SwarmState } from "./contract";

const keptMs = 2000;
/** Tasks shown of each service: those that run, and the last that failed. */
const maxTasks = 50;

type Asked = { readonly at: number; readonly state: Promise<SwarmState> };
/** A Swarm's own words, without the secrets of a command or an address in them: every viewer reads them. */
const saysOf = (text: string | null | undefined): string | null => (text ? maskedText(text) : null);
const asked = () => singleton("services.swarm", () => new Map<string, Asked>());

/** The Swarm that a host manages. Throws AppError NOT_FOUND, CONFLICT (no manager), and as `call`. */
export function readSwarm(hostName: string): Promise<SwarmState> {
  const { engine } = services().host(hostName);
  const known = asked().get(hostName);
  if (known !== undefined && Date.now() - known.at < keptMs) return known.state;
  const state = read(engine);
  asked().set(hostName, { at: Date.now(), state });
  return state;
}

async function read(engine: DockerEngine): Promise<SwarmState> {
  const [nodes, all, tasks] = await Promise.all([listNodes(engine), listServices(engine), listTasks(engine)]);
  const hostnames = new Map(nodes.map((node) => [node.ID, node.Description.Hostname]));
  return {
    host: engine.name,
    nodes: nodes.map((node) => ({
      id: node.ID,
      hostname: node.Description.Hostname,
      role: node.Spec.Role,
      leader: node.ManagerStatus?.Leader === true,
      state: node.Status.State,
      availability: node.Spec.Availability,
      engine: node.Description.Engine?.EngineVersion ?? null,
      address: node.Status.Addr ?? null,
      message: saysOf(node.Status.Message),
      cpus: node.Description.Resources?.NanoCPUs ? node.Description.Resources.NanoCPUs / 1e9 : null,
      memory: node.Description.Resources?.MemoryBytes ?? null,
    })),
    services: all
      .map((one) => ({
        id: one.ID,
        name: one.Spec.Name,
        stack: one.Spec.Labels?.["com.docker.stack.namespace"] ?? null,
        image: imageOf(one.Spec),
        replicas: replicasOf(one.Spec),
        running: one.ServiceStatus?.RunningTasks ?? 0,
        desired: one.ServiceStatus?.DesiredTasks ?? 0,
        updatedAt: atOf(one.UpdatedAt),
        update: one.UpdateStatus?.State
          ? {
              state: one.UpdateStatus.State,
              message: saysOf(one.UpdateStatus.Message) ?? "",
              at: atOf(one.UpdateStatus.CompletedAt ?? one.UpdateStatus.StartedAt),
            }
          : null,
        tasks: tasks
          .filter((task) => task.ServiceID === one.ID)
          .sort((a, b) => b.UpdatedAt.localeCompare(a.UpdatedAt))
          .slice(0, maxTasks)
          .map((task) => ({
            id: task.ID,
            slot: task.Slot ?? null,
            node: hostnames.get(task.NodeID ?? "") ?? "",
            state: task.Status.State,
            desired: task.DesiredState,
            error: saysOf(task.Status.Err),
            exitCode: task.Status.ContainerStatus?.ExitCode ?? null,
            at: atOf(task.UpdatedAt),
          })),
      }))
      .sort(
        (a, b) =>
          Number(a.running >= a.desired) - Number(b.running >= b.desired) || a.name.localeCompare(b.name),
      ),
  };
}
