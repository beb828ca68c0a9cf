import { describe, expect, test } from "vitest";
import type { Inspected } from "../../systems/docker/containers";
import type { ImageDetail } from "../../systems/docker/images";
import { descriptionOf, differences, pathsThatDiffer } from "./recreate";

const id = "a".repeat(64);
const inspected = (more: {
  Config?: object;
  HostConfig?: object;
  Mounts?: object[];
  Networks?: object;
}): Inspected =>
  ({
    Id: id,
    Name: "/app",
    Created: "",
    Image: "sha256:1",
    RestartCount: 0,
    State: {},
    Config: { Image: "app:1", Hostname: id.slice(0, 12), ...more.Config },
    HostConfig: { NetworkMode: "default", ...more.HostConfig },
    Mounts: more.Mounts ?? [],
    NetworkSettings: { Networks: more.Networks ?? {} },
  }) as unknown as Inspected;
const image = (Config: NonNullable<ImageDetail["Config"]>): ImageDetail => ({ Id: "sha256:1", Config });
const created = (one: Inspected, from: ImageDetail | null) =>
  descriptionOf(one, from, "app:2", "sha256:2").create;

describe("command and entry point are judged together (moby merges them so)", () => {
  const from = image({ Cmd: ["serve"], Entrypoint: ["/entry"] });
  test.each([
    ["both the image's: its own come from the new one", ["serve"], ["/entry"], {}],
    ["a command of its own", ["work"], ["/entry"], { Cmd: ["work"] }],
    [
      "an entry point of its own, the image's command",
      ["serve"],
      ["sh"],
      { Cmd: ["serve"], Entrypoint: ["sh"] },
    ],
    ["the image's entry point, said by itself: no command", null, ["/entry"], { Entrypoint: ["/entry"] }],
    ["no entry point although the image has one", ["serve"], null, { Entrypoint: [""], Cmd: ["serve"] }],
  ])("%s", (_name, Cmd, Entrypoint, wanted) => {
    const { Cmd: cmd, Entrypoint: entrypoint } = created(inspected({ Config: { Cmd, Entrypoint } }), from);
    expect(JSON.parse(JSON.stringify({ Cmd: cmd, Entrypoint: entrypoint }))).toEqual(wanted);
  });

  test("of an image that is not there any more all is kept", () => {
    expect(created(inspected({ Config: { Cmd: ["a"], Entrypoint: null } }), null)).toMatchObject({
      Cmd: ["a"],
      Entrypoint: [""],
    });
  });
});

describe("volumes", () => {
  const volume = (Name: string, Destination: string) => ({ Type: "volume", Name, Destination, RW: true });

  test("anonymous ones come along by name, whoever made them and however their place is written", () => {
    const one = inspected({
      Config: { Volumes: { "/b/": {} } },
      HostConfig: { Mounts: [{ Type: "volume", Target: "/a/" }], Binds: ["named:/c/:ro"] },
      Mounts: [volume("v1", "/a"), volume("v2", "/b"), volume("named", "/c")],
    });
    expect(created(one, null).HostConfig).toMatchObject({
      Mounts: [{ Type: "volume", Target: "/a/", Source: "v1" }],
      Binds: ["named:/c/:ro", "v2:/b"],
    });
  });

  test("beside volumes of another container its own are kept, and the other's are not taken", () => {
    const one = inspected({
      Config: { Volumes: { "/own": {} } },
      HostConfig: { VolumesFrom: ["other"] },
      Mounts: [volume("v1", "/own"), volume("v2", "/others")],
    });
    expect(created(one, null).HostConfig).toMatchObject({ Binds: ["v1:/own"], VolumesFrom: ["other"] });
  });

  test("the comparison looks at what is really mounted; what only the new image brings is no difference", () => {
    const old = inspected({
      HostConfig: { Mounts: [{ Type: "volume", Target: "/a" }] },
      Mounts: [volume("v1", "/a")],
    });
    const empty = inspected({
      HostConfig: { Mounts: [{ Type: "volume", Target: "/a" }] },
      Mounts: [volume("v9", "/a")],
    });
    expect(differences(old, empty, null, null)).toEqual(["Mounts./a"]);
    const more = inspected({ Mounts: [volume("v1", "/a"), volume("v3", "/new")] });
    expect(differences(old, more, image({}), image({ Volumes: { "/new": {} } }))).toEqual([]);
  });
});

describe("networks", () => {
  test("in another container's network it has no host name and no ports of its own", () => {
    const one = inspected({
      Config: { Hostname: "theirs", ExposedPorts: { "80/tcp": {} } },
      HostConfig: { NetworkMode: `container:${"b".repeat(64)}` },
    });
    const made = created(one, null);
    expect([made.Hostname, made.ExposedPorts, made.NetworkingConfig]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("the priority of a gateway stays", () => {
    const one = inspected({
      HostConfig: { NetworkMode: "front" },
      Networks: { front: { GwPriority: 5 }, back: { GwPriority: 0 } },
    });
    const { create, networks } = descriptionOf(one, null, "app:2", "");
    expect(create.NetworkingConfig).toEqual({ EndpointsConfig: { front: { GwPriority: 5 } } });
    expect(networks).toEqual([{ name: "back", settings: {} }]);
  });
});

test("paths of what differs hold no values", () => {
  const one = { TaskTemplate: { ContainerSpec: { Image: "a", Env: ["SECRET=1"] } }, Labels: null };
  const other = { TaskTemplate: { ContainerSpec: { Image: "a", Env: ["SECRET=2"] } }, Labels: {} };
  expect(pathsThatDiffer(one, other)).toEqual(["TaskTemplate.ContainerSpec.Env"]);
});
