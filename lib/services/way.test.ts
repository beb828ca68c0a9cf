import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Inspected } from "../systems/docker/containers";
import { dependentsOf } from "./acts/depends";
import type { HostWatch } from "./host-watch";
import { Watched } from "./watched";
import { isWayTo } from "./way";

const own = "f".repeat(64);
vi.mock("../systems/docker/self", async (original) => ({
  ...(await original<typeof import("../systems/docker/self")>()),
  ownContainer: () => own,
}));

const made = (
  id: string,
  name: string,
  Networks: object,
  more: { Ports?: object; HostConfig?: object } = {},
) =>
  new Watched({
    Id: id,
    Name: `/${name}`,
    Config: { Labels: {} },
    HostConfig: more.HostConfig ?? {},
    NetworkSettings: { Networks, Ports: more.Ports ?? {} },
  } as unknown as Inspected);

describe("the container through which an engine is reached", () => {
  const lab = { lab: { Aliases: ["sluice"], IPAddress: "10.1.0.2" } };
  const self = made(own, "sluice", lab);
  const proxy = made("a".repeat(64), "p-socket-proxy-1", {
    lab: { Aliases: ["socket-proxy"], IPAddress: "10.1.0.3" },
  });
  const namesake = made("b".repeat(64), "q-socket-proxy-1", { other: { Aliases: ["socket-proxy"] } });
  const published = made(
    "c".repeat(64),
    "published",
    {},
    {
      Ports: { "2375/tcp": [{ HostIp: "127.0.0.1", HostPort: "2400" }] },
    },
  );
  let host: HostWatch;
  const at = (url: string | undefined) =>
    ({ ...host, engine: { name: "h", socket: "", timeout: 1, url } }) as HostWatch;
  beforeEach(() => {
    const all = [self, proxy, namesake, published];
    host = { containers: new Map(all.map((one) => [one.id, one])) } as unknown as HostWatch;
  });

  test.each([
    ["tcp://socket-proxy:2375", ["p-socket-proxy-1"]],
    ["tcp://p-socket-proxy-1:2375", ["p-socket-proxy-1"]],
    ["tcp://10.1.0.3:2375", ["p-socket-proxy-1"]],
    ["tcp://127.0.0.1:2400", ["published"]],
    // By whatever name or address its host is reached.
    ["tcp://web-2.internal:2400", ["published"]],
    ["tcp://10.0.0.5:2400", ["published"]],
    ["tcp://127.0.0.1:2375", []],
    ["ssh://root@socket-proxy", []],
    [undefined, []],
  ])("%s", (url, names) => {
    const found = [self, proxy, namesake, published].filter((one) => isWayTo(at(url), one));
    expect(found.map(({ name }) => name)).toEqual(names);
  });
});

test("what shares a network, volumes or a link with a container needs it", () => {
  const one = made("1".repeat(64), "db", {});
  const others = [
    made("2".repeat(64), "net", {}, { HostConfig: { NetworkMode: `container:${one.id}` } }),
    made("3".repeat(64), "pid", {}, { HostConfig: { PidMode: "container:db" } }),
    made("4".repeat(64), "volumes", {}, { HostConfig: { VolumesFrom: ["db:ro"] } }),
    made("5".repeat(64), "link", {}, { HostConfig: { Links: ["/db:/link/mysql"] } }),
    made("6".repeat(64), "none", {}, { HostConfig: { Links: ["/dbs:/none/db"], NetworkMode: "bridge" } }),
  ];
  expect(dependentsOf(one, [one, ...others]).map(({ name }) => name)).toEqual([
    "net",
    "pid",
    "volumes",
    "link",
  ]);
});
