// A Swarm made on the spot: seen, scaled, updated well and badly, drained.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { ChangeRow } from "../../changes/contract";
import { engine as changes } from "../../changes/engine";
import { changeDetail } from "../../changes/queries";
import { testImage } from "../../systems/docker/test-engine";
import { startTestRegistry, type TestRegistry } from "../../systems/oci/test-registry";
import { testStack, until } from "../../systems/test-stack";
import { watchLogs } from "../logs/logs";
import { actor, openServicesLab, type ServicesLab } from "../test-services";
import { type SwarmEvidence, type SwarmPlan, swarmEvidence } from "./contract";
import { swarmChoicesOf } from "./specs";
import { readSwarm } from "./state";

/** The container that Sluice is taken to run in. */
const self = { id: null as string | null };
vi.mock("../../systems/docker/self", async (original) => ({
  ...(await original<typeof import("../../systems/docker/self")>()),
  ownContainer: () => self.id,
}));
const host = "swarm";
const loop = "trap 'exit 0' TERM; while :; do sleep 0.1; done";

describe.skipIf(!testStack())("a Swarm", () => {
  let registry: TestRegistry;
  let lab: ServicesLab;
  beforeAll(async () => {
    registry = await startTestRegistry();
    lab = await openServicesLab(host, { ports: [registry.port] });
  }, 120_000);
  afterAll(async () => {
    await lab?.close();
    await registry?.stop();
  }, 60_000);

  /** An image of ours with this command, under a tag. */
  async function image(tag: string, script: string, repository = "swarmtest"): Promise<string> {
    const name = `${repository}:${tag}`;
    await lab.own.docker("create", "--name", "base", testImage, "true");
    await lab.own.docker("commit", "--change", `CMD ${JSON.stringify(["sh", "-c", script])}`, "base", name);
    await lab.own.docker("rm", "base");
    return name;
  }
  const act = (input: Record<string, unknown>) =>
    lab.change(`swarm.${input.act}`, { host, name: "app", ...input });
  const evidenceOf = async (row: ChangeRow): Promise<SwarmEvidence> =>
    swarmEvidence.parse((await changeDetail(row.id)).evidence);
  const service = (name: string, ...options: string[]) => serviceOf("swarmtest:1", name, ...options);
  const serviceOf = async (from: string, name: string, ...options: string[]) => {
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
      from,
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

    describe("from a registry", () => {
      const running = async (name: string) =>
        (await lab.own.docker("service", "ps", name, "-q", "--filter", "desired-state=running"))
          .split("\n")
          .sort();
      const specOf = async (name: string) =>
        JSON.parse(await lab.own.docker("service", "inspect", name))[0].Spec.TaskTemplate;
      const push = async (tag: string, script: string): Promise<string> => {
        const name = await image(tag, script, `${registry.name}/team/app`);
        await lab.own.docker("push", "-q", name);
        return name;
      };

      test("pinned to what the tag names now; a tag that moved is new, the same again makes its tasks anew", async () => {
        await serviceOf(await push("1", loop), "reg", "--replicas", "1");
        await push("2", `echo two; ${loop}`);
        await expect(act({ act: "deploy", name: "reg", image: ":none" })).rejects.toMatchObject({
          code: "NOT_FOUND",
          detail: { field: "image" },
        });
        const first = await act({ act: "deploy", name: "reg", image: ":2" });
        expect(first).toMatchObject({ state: "done", outcome: "deployed" });
        const before = await specOf("reg");
        expect(before.ContainerSpec.Image).toMatch(/\/team\/app:2@sha256:[0-9a-f]{64}$/);

        const shown = (
          await changes().plan("swarm.deploy", { host, act: "deploy", name: "reg", image: "2" }, actor())
        ).plan as SwarmPlan;
        await push("2", `echo other; ${loop}`);
        const input = { act: "deploy", name: "reg", image: "2" };
        await expect(act({ ...input, expectedImage: shown.target?.digest ?? "" })).rejects.toMatchObject({
          detail: { problem: "services.tagMoved" },
        });
        expect(await act(input)).toMatchObject({ state: "done", outcome: "deployed" });
        const second = await specOf("reg");
        expect(second.ContainerSpec.Image).not.toBe(before.ContainerSpec.Image);

        const tasks = await running("reg");
        expect(await act(input)).toMatchObject({ state: "done", outcome: "deployed" });
        expect((await specOf("reg")).ForceUpdate).toBe(second.ForceUpdate + 1);
        expect(await running("reg")).not.toEqual(tasks);
      }, 120_000);

      test("taken back whole: what was changed beside the image comes back too", async () => {
        const row = await act({ act: "deploy", name: "reg", image: "1" });
        await lab.own.docker(
          "service",
          "update",
          "-q",
          "--detach",
          "--no-resolve-image",
          "--env-add",
          "LATER=1",
          "reg",
        );
        const choices = await swarmChoicesOf(host, "reg");
        expect(choices.earlier[0]).toMatchObject({ kept: row.id, image: expect.stringContaining("app:2@") });
        expect(choices.tags).toEqual(expect.arrayContaining(["1", "2"]));
        expect(JSON.stringify(choices)).not.toContain("LATER");
        const undo = (
          await changes().plan(
            "swarm.deploy",
            { host, act: "deploy", name: "reg", image: "x", kept: row.id },
            actor(),
          )
        ).plan as SwarmPlan;
        expect(undo.differs).toEqual(["TaskTemplate.ContainerSpec.Env", "TaskTemplate.ContainerSpec.Image"]);
        const back = await changes().wait(await changes().undo(row.id, actor()), 60_000);
        expect(back).toMatchObject({ state: "done", outcome: "deployed" });
        const { ContainerSpec } = await specOf("reg");
        expect([ContainerSpec.Env, ContainerSpec.Image]).toEqual([
          undefined,
          expect.stringContaining("app:2@"),
        ]);
        await expect(act({ act: "deploy", name: "reg", image: "x", kept: 999 })).rejects.toMatchObject({
          detail: { problem: "swarm.specGone" },
        });
        await lab.own.docker("service", "rm", "reg");
      }, 120_000);
    });

    test("a deploy that brings back settings only, and somebody was faster: refused, not said to be done", async () => {
      await service("settings", "--replicas", "1");
      const first = await act({ act: "deploy", name: "settings", image: "swarmtest:1" });
      expect(first.state).toBe("done");
      await lab.own.docker(
        ...["service", "update", "-q", "--no-resolve-image", "--env-add", "LATER=1", "settings"],
      );
      const start = (kind: string, input: object) =>
        changes().start({
          kind: `swarm.${kind}`,
          input: { host, act: kind, name: "settings", ...input },
          actor: actor(),
          origin: "page",
        });
      const scaled = await start("scale", { replicas: 2 });
      // Planned before the other is over, and carried out after it.
      const second = await start("deploy", { image: "swarmtest:1", kept: first.id });
      expect((await changes().wait(scaled, 60_000)).state).toBe("done");
      expect(await changes().wait(second, 60_000)).toMatchObject({
        state: "failed",
        error: { code: "CONFLICT" },
      });
      const { Env } = JSON.parse(await lab.own.docker("service", "inspect", "settings"))[0].Spec.TaskTemplate
        .ContainerSpec;
      expect(Env).toEqual(["LATER=1"]);
      await lab.own.docker("service", "rm", "settings");
    }, 120_000);

    test.each([50, 400])(
      "the engine is restarted %i ms into a restart: asked once, and what is said is true",
      async (ms) => {
        await service("again", "--replicas", "1");
        const ended = act({ act: "restart", name: "again" });
        await sleep(ms);
        await lab.own.restart();
        const row = await ended;
        expect([row.error, row.outcome]).toEqual([null, "asWanted"]);
        const { ForceUpdate } = JSON.parse(await lab.own.docker("service", "inspect", "again"))[0].Spec
          .TaskTemplate;
        expect(ForceUpdate).toBe(1);
        await lab.own.docker("service", "rm", "again");
      },
      120_000,
    );

    test("Sluice's own service is only restarted, and its node not drained; a task's container is left to the Swarm", async () => {
      await service("own", "--replicas", "1");
      const row = await until("its container", async () =>
        lab.collector
          .snapshot()
          .rows.find(({ service: name, state }) => name === "own" && state === "running"),
      );
      const target = { by: "containers", ids: [row.id] };
      await expect(lab.change("service.stop", { host, act: "stop", target })).rejects.toMatchObject({
        detail: { problem: "services.swarmTask" },
      });
      self.id = row.id;
      try {
        for (const input of [
          { act: "scale", replicas: 0 },
          { act: "deploy", image: "swarmtest:2" },
        ])
          await expect(act({ ...input, name: "own" })).rejects.toMatchObject({
            code: "FORBIDDEN",
            detail: { problem: "swarm.self" },
          });
        const [node] = (await readSwarm(host)).nodes;
        await expect(
          act({ act: "availability", name: node?.hostname, availability: "drain" }),
        ).rejects.toMatchObject({ detail: { problem: "swarm.selfNode" } });
        expect(await act({ act: "restart", name: "own" })).toMatchObject({ state: "done" });
      } finally {
        self.id = null;
      }
      await lab.own.docker("service", "rm", "own");
    }, 90_000);

    test("a node is drained and taken back", async () => {
      await image("slow", "trap 'sleep 3; exit 0' TERM; while :; do sleep 0.1; done");
      await serviceOf("swarmtest:slow", "lingers", "--stop-grace-period", "20s");
      const [node] = (await readSwarm(host)).nodes;
      const row = await act({ act: "availability", name: node?.hostname, availability: "drain" });
      expect(row).toMatchObject({ state: "done", level: "disruptive" });
      expect(await evidenceOf(row)).toMatchObject({ running: 0, desired: 0 });
      // Those that take a while to end were waited for.
      expect(await lab.own.docker("ps", "-q", "--filter", "name=lingers")).toBe("");
      expect(await lab.own.docker("node", "inspect", "self", "-f", "{{.Spec.Availability}}")).toBe("drain");
      const back = await changes().wait(await changes().undo(row.id, actor()), 30_000);
      expect(back.state).toBe("done");
      expect(await lab.own.docker("node", "inspect", "self", "-f", "{{.Spec.Availability}}")).toBe("active");
    }, 60_000);
  });
});
