// What of a Swarm is left alone, because Sluice lives by it.
import { describe, expect, test, vi } from "vitest";
import type { SwarmService, SwarmTask } from "../../systems/docker/swarm";
import { refuseOwnNode, refuseOwnService } from "./own";

const self = "f".repeat(64);
vi.mock("../../systems/docker/self", async (original) => ({
  ...(await original<typeof import("../../systems/docker/self")>()),
  ownContainer: () => self,
}));

const service = (name: string, Endpoint: object = {}, aliases: string[] = []) =>
  ({
    ID: `id-${name}`,
    Spec: { Name: name, TaskTemplate: { Networks: [{ Aliases: aliases }] } },
    Endpoint,
  }) as unknown as SwarmService;
const task = (name: string, NodeID: string, ContainerID = "a", State = "running") =>
  ({
    ServiceID: `id-${name}`,
    NodeID,
    Status: { State, ContainerStatus: { ContainerID } },
  }) as unknown as SwarmTask;
const at = (url?: string) => ({ name: "swarm", socket: "", timeout: 1, url });

const web = service("web", { Ports: [{ PublishedPort: 8080, PublishMode: "ingress" }] });
const proxy = service("ops_proxy", { VirtualIPs: [{ Addr: "10.0.1.5/24" }] }, ["socket-proxy"]);
const published = service("published", { Ports: [{ PublishedPort: 2400, PublishMode: "ingress" }] });
const all = [web, proxy, published];

describe("the service that leads to the Swarm", () => {
  test.each([
    ["tcp://ops_proxy:2375", ["ops_proxy"]],
    ["tcp://socket-proxy:2375", ["ops_proxy"]],
    ["tcp://tasks.socket-proxy:2375", ["ops_proxy"]],
    ["tcp://10.0.1.5:2375", ["ops_proxy"]],
    ["tcp://127.0.0.1:2400", ["published"]],
    ["tcp://node-1.internal:2400", ["published"]],
    ["tcp://node-1.internal:2376", []],
    ["ssh://web", []],
    ["ssh://root@socket-proxy:8080", []],
    [undefined, []],
  ])("%s is neither scaled nor deployed, even from outside of the Swarm", (url, names) => {
    for (const act of ["scale", "deploy"]) {
      const kept = all.filter((one) => {
        try {
          refuseOwnService(at(url), act, one, null);
          return false;
        } catch (error) {
          expect(error).toMatchObject({ code: "FORBIDDEN", detail: { problem: "swarm.way" } });
          return true;
        }
      });
      expect(kept.map(({ Spec }) => Spec.Name)).toEqual(names);
    }
    for (const one of all) refuseOwnService(at(url), "restart", one, null);
  });

  test("Sluice's own is only restarted", () => {
    const own = task("web", "n1", self);
    expect(() => refuseOwnService(at(), "scale", web, own)).toThrow(/only be restarted/);
    refuseOwnService(at(), "restart", web, own);
    refuseOwnService(at(), "scale", proxy, own);
  });
});

describe("a drain", () => {
  const drain = (tasks: SwarmTask[], url?: string, services = all) =>
    refuseOwnNode(at(url), { ID: "n1", name: "node-1" }, services, tasks);
  const wayNode = expect.objectContaining({ detail: expect.objectContaining({ problem: "swarm.wayNode" }) });

  test("of Sluice's own node is refused", () => {
    expect(() => drain([task("web", "n1", self)])).toThrow(/would end Sluice/);
    drain([task("web", "n2", self)]);
  });

  test("of the only node where the way's tasks run is refused", () => {
    const url = "tcp://socket-proxy:2375";
    expect(() => drain([task("ops_proxy", "n1")], url)).toThrow(wayNode);
    expect(() => drain([task("ops_proxy", "n1"), task("ops_proxy", "n2", "b", "failed")], url)).toThrow(
      wayNode,
    );
    drain([task("ops_proxy", "n1"), task("ops_proxy", "n2")], url);
    drain([task("ops_proxy", "n2")], url);
    drain([task("ops_proxy", "n1")], "ssh://socket-proxy");
  });

  test("of a node whose own port leads there is refused, whatever runs elsewhere", () => {
    const host = service("host", { Ports: [{ PublishedPort: 2500, PublishMode: "host" }] });
    const tasks = [task("host", "n1"), task("host", "n2")];
    expect(() => drain(tasks, "tcp://127.0.0.1:2500", [host])).toThrow(wayNode);
    drain([task("host", "n2")], "tcp://127.0.0.1:2500", [host]);
  });
});
