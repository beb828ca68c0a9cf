// A Swarm made on the spot: seen, scaled, updated well and badly, drained.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ChangeRow } from "../../changes/contract";
import { engine as changes } from "../../changes/engine";
import { changeDetail } from "../../changes/queries";
import { testImage } from "../../systems/docker/test-engine";
import { testStack, until } from "../../systems/test-stack";
import { watchLogs } from "../logs/logs";
import { actor, openServicesLab, type ServicesLab } from "../test-services";
import { type SwarmEvidence, swarmEvidence } from "./contract";
import { readSwarm } from "./state";

const host = "swarm";
const loop = "trap 'exit 0' TERM; while :; do sleep 0.1; done";

describe.skipIf(!testStack())("a Swarm", () => {
  let lab: ServicesLab;
  beforeAll(async () => {
    lab = await openServicesLab(host);
  }, 120_000);
  afterAll(() => lab?.close(), 60_000);

  /** An image of ours with this command, under a tag. */
  async function image(tag: string, script: string): Promise<string> {
    const name = `swarmtest:${tag}`;
    await lab.own.docker("create", "--name", "base", testImage, "true");
    await lab.own.docker("commit", "--change", `CMD ${JSON.stringify(["sh", "-c", script])}`, "base", name);
    await lab.own.docker("rm", "base");
    return name;
  }
  const act = (input: Record<string, unknown>) =>
    lab.change(`swarm.${input.act}`, { host, name: "app", ...input });
  const evidenceOf = async (row: ChangeRow): Promise<SwarmEvidence> =>
    swarmEvidence.parse((await changeDetail(row.id)).evidence);
  const service = async (name: string, ...options: string[]) => {
    await lab.own.docker(
      ...["service", "create", "--detach", "--network", "host", "--name", name, "--no-resolve-image"],
      ...[
        "--update-monitor",
        "2s",
        "--update-delay",
        "0s",
        "--restart-delay",
        "100ms",
        "--stop-grace-period",
        "1s",
      ],
      ...options,
      "swarmtest:1",
    );
    await until(
      `${name} runs`,
      async () => {
        const { services } = await readSwarm(host);
        return services.some((one) => one.name === name && one.desired > 0 && one.running === one.desired);
      },
      30_000,
    );
  };

  test("an engine that manages none says so", async () => {
    await expect(readSwarm(host)).rejects.toMatchObject({
      code: "CONFLICT",
      detail: { problem: "docker.notManager" },
    });
  });

  describe("once it is made", () => {
    beforeAll(async () => {
      await lab.own.docker("swarm", "init", "--advertise-addr", "127.0.0.1");
      await image("1", loop);
      await image("2", `echo two; ${loop}`);
      await image("bad", "echo '[error] no database' >&2; sleep 0.2; exit 9");
      await until("the Swarm is read anew", () => readSwarm(host).catch(() => null));
    }, 60_000);

    test("nodes, services and tasks are told; its containers stand under their service", async () => {
      await service("app", "--replicas", "2", "--update-failure-action", "rollback");
      const { nodes, services } = await readSwarm(host);
      expect(nodes).toMatchObject([
        { role: "manager", leader: true, state: "ready", availability: "active" },
      ]);
      expect(services).toMatchObject([
        { name: "app", replicas: 2, running: 2, desired: 2, image: "swarmtest:1" },
      ]);
      expect(services[0]?.tasks.filter(({ state }) => state === "running")).toHaveLength(2);
      const row = await until("a task's container", async () =>
        lab.collector.snapshot().rows.find(({ service: name }) => name === "app"),
      );
      await expect(
        lab.change("service.deploy", { host, id: row.id, image: "swarmtest:2" }),
      ).rejects.toMatchObject({
        detail: { problem: "services.swarmTask" },
      });
    }, 60_000);

    test("scaled up, and back", async () => {
      const row = await act({ act: "scale", replicas: 3 });
      expect(row).toMatchObject({ state: "done", outcome: "asWanted", level: "reversible" });
      expect(await evidenceOf(row)).toMatchObject({ now: "3", running: 3, desired: 3 });
      const back = await changes().wait(await changes().undo(row.id, actor()), 60_000);
      expect(back).toMatchObject({ state: "done", level: "disruptive" });
      expect((await evidenceOf(back)).now).toBe("2");
    }, 90_000);

    test("a good update is done once it has stood still; undo brings the image back", async () => {
      const row = await act({ act: "deploy", image: "swarmtest:2" });
      expect(row).toMatchObject({ state: "done", outcome: "deployed" });
      expect(await evidenceOf(row)).toMatchObject({ now: "swarmtest:2", running: 2 });
      const back = await changes().wait(await changes().undo(row.id, actor()), 90_000);
      expect([back.state, (await evidenceOf(back)).now]).toEqual(["done", "swarmtest:1"]);
    }, 120_000);

    test("an update that fails and rolls itself back is a failure, with what its tasks said", async () => {
      const row = await act({ act: "deploy", image: "swarmtest:bad" });
      expect(row).toMatchObject({ state: "failed", outcome: "rolledBack" });
      const evidence = await evidenceOf(row);
      expect(evidence).toMatchObject({ now: "swarmtest:1", running: 2, desired: 2 });
      expect(evidence.errors[0]).toMatchObject({
        error: expect.stringContaining("non-zero exit (9)"),
        exitCode: 9,
      });
      const { services } = await readSwarm(host);
      expect(services[0]?.update?.state).toBe("rollback_completed");
    }, 120_000);

    test("one that stands still is a failure too", async () => {
      await service("stuck", "--replicas", "1", "--update-failure-action", "pause");
      const row = await act({ act: "deploy", name: "stuck", image: "swarmtest:bad" });
      expect(row).toMatchObject({ state: "failed", outcome: "paused" });
      await lab.own.docker("service", "rm", "stuck");
    }, 120_000);

    test("what somebody else changed meanwhile is refused; a global service has no number; roles", async () => {
      await expect(act({ act: "scale", replicas: 1, expected: 1 })).rejects.toMatchObject({
        detail: { problem: "swarm.outOfSequence" },
      });
      await service("everywhere", "--mode", "global");
      await expect(act({ act: "scale", name: "everywhere", replicas: 2 })).rejects.toMatchObject({
        detail: { problem: "swarm.notReplicated" },
      });
      await expect(act({ act: "scale", name: "nobody", replicas: 2 })).rejects.toMatchObject({
        code: "NOT_FOUND",
      });
      await expect(
        lab.change(
          "swarm.deploy",
          { host, act: "deploy", name: "app", image: "swarmtest:2" },
          { role: "operator" },
        ),
      ).rejects.toMatchObject({ code: "FORBIDDEN" });
      await lab.own.docker("service", "rm", "everywhere");
    }, 60_000);

    test("the log of a service, from all its tasks", async () => {
      await service("talk", "--replicas", "2", "--env", "WHO={{.Task.Slot}}");
      await lab.own.docker(
        "service",
        "update",
        "--detach",
        "--image",
        "swarmtest:2",
        "--no-resolve-image",
        "talk",
      );
      const control = new AbortController();
      const lines: string[] = [];
      const query = {
        of: [{ host, id: "talk", kind: "swarm" as const }],
        regex: false,
        tail: 100,
        follow: true,
      };
      for await (const event of watchLogs(query, control.signal)) {
        if (event.type === "history" || event.type === "lines")
          lines.push(...event.lines.map(({ text }) => text));
        if (lines.length >= 2) break;
      }
      expect(lines).toEqual(["two", "two"]);
      await lab.own.docker("service", "rm", "talk");
    }, 60_000);

    test("a node is drained and taken back", async () => {
      const [node] = (await readSwarm(host)).nodes;
      const row = await act({ act: "availability", name: node?.hostname, availability: "drain" });
      expect(row).toMatchObject({ state: "done", level: "disruptive" });
      expect(await lab.own.docker("node", "inspect", "self", "-f", "{{.Spec.Availability}}")).toBe("drain");
      const back = await changes().wait(await changes().undo(row.id, actor()), 30_000);
      expect(back.state).toBe("done");
      expect(await lab.own.docker("node", "inspect", "self", "-f", "{{.Spec.Availability}}")).toBe("active");
    }, 60_000);
  });
});
