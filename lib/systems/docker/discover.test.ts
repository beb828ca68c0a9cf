// Which containers are systems, and where they are reached.

import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { type ContainerRow, listContainers } from "./containers";
import { imageName, reach, recognise } from "./discover";
import { negotiate, probe } from "./engine";

const container = (more: Partial<ContainerRow>): ContainerRow => ({
  Id: "0123456789abcdef",
  Names: ["/web"],
  Image: "varnish:7.1",
  State: "running",
  Labels: {},
  Ports: [],
  ...more,
});
const published = (PrivatePort: number, PublicPort: number, IP = "127.0.0.1") => ({
  IP,
  PrivatePort,
  PublicPort,
  Type: "tcp",
});

test("speaks the older of the two versions", () => {
  expect(negotiate({ ApiVersion: "1.41", MinAPIVersion: "1.12" })).toBe("1.41");
  expect(negotiate({ ApiVersion: "1.99", MinAPIVersion: "1.44" })).toBe("1.51");
  expect(negotiate({ ApiVersion: "1.9" })).toBe("1.9");
  expect(() => negotiate({ ApiVersion: "1.99", MinAPIVersion: "1.52" })).toThrow(/1\.52/);
});

test("names of images", () => {
  expect(imageName("varnish")).toBe("varnish");
  expect(imageName("docker.io/library/redis:7-alpine")).toBe("redis");
  expect(imageName("registry:5000/team/nginx@sha256:abc")).toBe("nginx");
  expect(imageName("prom/varnish-exporter:1")).toBe("varnish-exporter");
});

test("the published port, never the container's own address", () => {
  const row = container({
    Ports: [published(80, 8080, "0.0.0.0"), published(6082, 6082)],
    NetworkSettings: { Networks: { bridge: {} } },
  });
  expect(reach(row, 80, null)).toBe("127.0.0.1:8080");
  expect(reach(row, 6082, null)).toBe("127.0.0.1:6082");
  expect(reach(row, 81, null)).toBeNull();
  expect(reach(container({ Ports: [published(80, 8080, "::")] }), 80, null)).toBe("[::1]:8080");
  expect(reach(container({ Ports: [published(80, 1, "192.0.2.1"), published(80, 2)] }), 80, null)).toBe(
    "127.0.0.1:2",
  );
});

test("by name when Sluice is a container of the same network", () => {
  const networks = (name: string) => ({ NetworkSettings: { Networks: { [name]: {} } } });
  const row = container({ Ports: [published(80, 8080)], ...networks("lab") });
  expect(reach(row, 80, container(networks("lab")))).toBe("web:80");
  expect(reach(row, 80, container(networks("other")))).toBe("127.0.0.1:8080");
  // On the default bridge nobody knows names.
  expect(reach(container({ ...networks("bridge") }), 80, container(networks("bridge")))).toBeNull();
});

test("labels count more than images, and what stands still does not count", () => {
  const found = recognise(
    [
      container({
        Names: ["/cache"],
        Ports: [published(80, 18011)],
        Labels: { "sluice.role": "varnish", "sluice.name": "varnish-1" },
      }),
      container({ Names: ["/store"], Image: "valkey/valkey:8", Ports: [published(6379, 6379)] }),
      container({ Names: ["/db"], Image: "mariadb", Ports: null, Labels: null }),
      container({ Names: ["/off"], Image: "nginx", State: "exited" }),
      container({ Names: ["/php"], Image: "nginx", Labels: { "sluice.role": "php" } }),
      container({ Names: ["/none"], Image: "nginx", Labels: { "sluice.ignore": "true" } }),
      container({ Names: ["/app"], Image: "registry.example/shop/app:1" }),
    ],
    null,
  );
  expect(found.map(({ kind, name, address, why }) => [kind, name, address, why.problem])).toEqual([
    ["mariadb", "db", null, "docker.notPublished"],
    ["redis", "store", "127.0.0.1:6379", "docker.byImage"],
    ["varnish", "varnish-1", "127.0.0.1:18011", "docker.byLabel"],
  ]);
  expect(found[0]?.line).toBe('ports: ["127.0.0.1:3306:3306"]');
});

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

async function socketThatSays(answer: (path: string) => string | null): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "sluice-docker-"));
  const socket = join(dir, "docker.sock");
  const server = createServer((request, response) => {
    const said = answer(request.url ?? "");
    if (said !== null) response.end(said);
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  cleanUps.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(dir, { recursive: true });
  });
  return socket;
}

test("no engine, a silent one and one that talks nonsense", async () => {
  expect(await probe({ name: "none", socket: "/nowhere/docker.sock", timeout: 500 })).toMatchObject({
    state: "down",
    error: { code: "UNREACHABLE" },
  });
  const silent = await socketThatSays(() => null);
  expect(await probe({ name: "silent", socket: silent, timeout: 200 })).toMatchObject({
    state: "down",
    error: { code: "TIMEOUT" },
  });
  const nonsense = await socketThatSays(() => "<html>");
  expect(await probe({ name: "nonsense", socket: nonsense, timeout: 2000 })).toMatchObject({
    state: "down",
    error: { code: "BAD_ANSWER" },
  });
  const half = await socketThatSays((path) =>
    path === "/version" ? '{"Version":"1","ApiVersion":"1.41"}' : "not json",
  );
  await expect(listContainers({ name: "half", socket: half, timeout: 2000 })).rejects.toMatchObject({
    code: "BAD_ANSWER",
  });
});
