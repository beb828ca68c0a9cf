// The containers of the reference stack, as the Docker Engine tells of them.
import { describe, expect, test } from "vitest";
import { testStack } from "../test-stack";
import { discover } from "./discover";
import { probe, readVersion } from "./engine";

const stack = testStack();
const engine = {
  name: "docker",
  socket: process.env.SLUICE_TEST_DOCKER_SOCKET ?? "/var/run/docker.sock",
  timeout: 5000,
};

describe.skipIf(!stack)("docker", () => {
  if (!stack) return;
  test("finds the stack's systems at their published ports", async () => {
    const found = (await discover(engine)).filter(({ container }) =>
      Object.values(stack.containers).includes(container),
    );
    const at = (name: string) => found.find((one) => one.name === name)?.address;
    expect(at("varnish-1")).toBe(`127.0.0.1:${stack.ports.varnish1}`);
    expect(at("redis")).toBe(`127.0.0.1:${stack.ports.redis}`);
    expect(at("nginx")).toBe(`127.0.0.1:${stack.ports.nginx}`);
    expect(at("mariadb")).toBe(`127.0.0.1:${stack.ports.mariadb}`);
    expect(found.find((one) => one.name === "varnish-2")?.admin).toBe(
      `127.0.0.1:${stack.ports.varnish2Admin}`,
    );
    // Roles that Sluice does not know yet are not shown.
    expect(found.map(({ kind }) => kind).sort()).toEqual(["mariadb", "nginx", "redis", "varnish", "varnish"]);
  });

  test("version and probe", async () => {
    expect((await readVersion(engine)).api).toMatch(/^1\.\d+$/);
    expect(await probe(engine)).toMatchObject({
      state: "up",
      data: { facts: { running: expect.any(Number) } },
    });
  });
});
