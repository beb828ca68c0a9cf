// What registries are asked about the images of what runs: how, how often, and what is made of the answers.
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testImage } from "../systems/docker/test-engine";
import { startTestRegistry, type TestRegistry } from "../systems/oci/test-registry";
import { testStack, until } from "../systems/test-stack";
import { checkNow, imageTags } from "./images";
import { openServicesLab, type ServicesLab } from "./test-services";
import { checkImage, isResting } from "./updates";

const host = "images";

describe.skipIf(!testStack())("images and their registry", () => {
  let registry: TestRegistry;
  let lab: ServicesLab;
  /** In front of the registry: counts what is asked, and says "not now" when it is told to. */
  let door: Server;
  let limited = false;
  let away = false;
  const asked: string[] = [];
  let repository: string;

  beforeAll(async () => {
    registry = await startTestRegistry();
    door = createServer((incoming, answer) => {
      asked.push(`${incoming.method} ${incoming.url}`);
      if (away) {
        incoming.socket.destroy();
        return;
      }
      if (limited) {
        answer.writeHead(429, { "retry-after": "120" }).end();
        return;
      }
      const { method, url: path, headers } = incoming;
      const onward = request({ host: "127.0.0.1", port: registry.port, method, path, headers }, (got) => {
        answer.writeHead(got.statusCode ?? 502, got.headers);
        got.pipe(answer);
      });
      onward.on("error", () => answer.destroy());
      incoming.pipe(onward);
    });
    await new Promise<void>((resolve) => door.listen(0, "127.0.0.1", resolve));
    const { port } = door.address() as AddressInfo;
    repository = `127.0.0.1:${port}/team/app`;
    lab = await openServicesLab(host, { ports: [port] }, "updates: { enabled: false }\n");
    for (const tag of ["1.0", "1.1", "0.9", "edge"]) await publish(tag, tag);
    await lab.own.docker(
      "run",
      "-d",
      "--name",
      "app",
      "--network",
      "host",
      `${repository}:1.0`,
      "sleep",
      "600",
    );
    await lab.row("app");
  }, 120_000);
  afterAll(async () => {
    await lab?.close();
    await new Promise((resolve) => door.close(resolve));
    await registry?.stop();
  }, 60_000);

  async function publish(tag: string, content: string): Promise<void> {
    await lab.own.docker("create", "--name", "base", testImage, "true");
    await lab.own.docker("commit", "--change", `LABEL content=${content}`, "base", `${repository}:${tag}`);
    await lab.own.docker("rm", "base");
    await lab.own.docker("push", "-q", `${repository}:${tag}`);
  }
  const pulls = () => asked.filter((one) => /^GET .*\/manifests\//.test(one));

  test("the same digest: a HEAD, which counts as no pull; newer tags are told", async () => {
    asked.length = 0;
    expect((await checkNow(host, `${repository}:1.0`)).update).toMatchObject({
      state: "tags",
      tags: ["1.1"],
    });
    expect(pulls()).toEqual([]);
    expect(asked.some((one) => one.startsWith("HEAD /v2/team/app/manifests/1.0"))).toBe(true);
    // What another host would ask a moment later is known.
    asked.length = 0;
    const watched = [...lab.collector.host(host).containers.values()][0];
    await checkImage(lab.collector.host(host), `${repository}:1.0`, watched?.inspected.Image ?? "");
    expect(asked).toEqual([]);
  });

  test("tags of the repository, newer ones first, with sizes and dates; what a digest is, is asked once", async () => {
    const ask = () => imageTags({ host, image: `${repository}:1.0`, from: 0 });
    const found = await ask();
    expect(found).toMatchObject({ total: 4, whole: true });
    expect(found.tags.map(({ tag, newer }) => [tag, newer])).toEqual([
      ["1.1", true],
      ["edge", false],
      ["1.0", false],
      ["0.9", false],
    ]);
    for (const one of found.tags)
      expect(one).toMatchObject({ size: expect.any(Number), createdAt: expect.any(String), problem: null });
    asked.length = 0;
    expect(await ask()).toEqual(found);
    expect(pulls()).toEqual([]);
    await expect(imageTags({ host, image: "nothing:1", from: 0 })).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
  });

  test("another digest behind the same tag is told with the newer tags", async () => {
    const before = await lab.own.docker("image", "inspect", "-f", "{{.Id}}", `${repository}:1.0`);
    await publish("1.0", "moved");
    await lab.own.docker("tag", before, `${repository}:1.0`);
    expect((await checkNow(host, `${repository}:1.0`)).update).toMatchObject({
      state: "newer",
      tags: ["1.1"],
    });
  });

  test("a registry that is away is told with its address", async () => {
    const image = `${repository}:1.0`;
    away = true;
    expect((await checkNow(host, image)).update).toMatchObject({
      state: "unknown",
      problem: {
        problem: "http.reset",
        params: { address: expect.stringContaining(repository.split("/")[0] ?? "") },
      },
    });
    away = false;
  });

  test("a registry that limits us is left alone for as long as it says", async () => {
    limited = true;
    const image = `${repository}:1.0`;
    expect((await checkNow(host, image)).update).toMatchObject({
      state: "unknown",
      problem: { problem: "oci.limit", params: { registry: repository.split("/")[0] } },
    });
    limited = false;
    expect([
      isResting(image),
      isResting(image, Date.now() + 110_000),
      isResting(image, Date.now() + 121_000),
    ]).toEqual([true, true, false]);
    expect(isResting("docker.io/library/nginx")).toBe(false);
    await until(
      "it is asked by hand all the same",
      async () => (await checkNow(host, image)).update?.problem === null,
    );
  });
});
