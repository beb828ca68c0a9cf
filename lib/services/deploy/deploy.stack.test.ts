// Deploys on a real engine, from real registries: good ones, bad ones, and an engine or a Sluice that goes away in the middle.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ChangeRow } from "../../changes/contract";
import { engine as changes } from "../../changes/engine";
import { changeDetail } from "../../changes/queries";
import { db } from "../../db/client";
import { forgetSingleton } from "../../runtime/singleton";
import { testImage } from "../../systems/docker/test-engine";
import { login, startTestRegistry, type TestRegistry } from "../../systems/oci/test-registry";
import { testStack, until } from "../../systems/test-stack";
import { registerServices } from "../register";
import { actor, openServicesLab, type ServicesLab } from "../test-services";
import { type DeployEvidence, type DeployPlan, deployEvidence, imageOf } from "./contract";
import { deployChoices } from "./plan";

const host = "deploy";
const loop = "trap 'exit 0' TERM; while :; do sleep 0.1; done";

describe.skipIf(!testStack())("deploys", () => {
  let open: TestRegistry;
  let closed: TestRegistry;
  let lab: ServicesLab;
  const app = (tag: string) => `${open.name}/team/app:${tag}`;

  /** Makes an image of these words, and pushes it; with `forget` it is taken off the engine again. */
  async function publish(name: string, script: string, version: string, forget = true): Promise<void> {
    await lab.own.docker("rm", "-f", "base").catch(() => {});
    await lab.own.docker("create", "--name", "base", testImage, "true");
    await lab.own.docker(
      "commit",
      ...["--change", `CMD ${JSON.stringify(["sh", "-c", script])}`],
      ...["--change", `ENV VERSION=${version}`, "--change", `LABEL version=${version}`],
      "base",
      name,
    );
    await lab.own.docker("push", "-q", name);
    await lab.own.docker("rm", "base");
    if (forget) await lab.own.docker("rmi", name);
  }

  beforeAll(async () => {
    open = await startTestRegistry();
    closed = await startTestRegistry({ auth: true });
    const yaml = `  registry: [{ name: closed, url: "${closed.url}", username: ${login.username}, password: ${login.password} }]\n`;
    lab = await openServicesLab(host, { ports: [open.port, closed.port] }, yaml);
    await publish(app("1"), `echo one; ${loop}`, "1", false);
    await publish(app("2"), `echo two; ${loop}`, "2");
    await publish(app("crash"), "echo about to fail; sleep 0.2; exit 3", "3");
    await publish(app("sick"), `touch /sick; ${loop}`, "4");
    await publish(app("errors"), "while :; do echo '[error] it does not work'; sleep 0.05; done", "5");
  }, 180_000);
  afterAll(async () => {
    await lab?.close();
    await open?.stop();
    await closed?.stop();
  }, 60_000);

  /** A container with all that must stay as it is. */
  async function runApp(name: string, ip: string): Promise<string> {
    await lab.own.docker("network", "create", "--subnet", "10.99.0.0/24", "front").catch(() => {});
    await lab.own.docker("network", "create", "back").catch(() => {});
    const id = await lab.own.docker(
      ...["run", "-d", "--name", name, "--network", "front", "--ip", ip, "--network-alias", "web"],
      ...["-e", "OWN=1", "-v", `${name}-data:/data`, "-v", "/anonymous", "--memory", "64m", "--cpus", "0.5"],
      ...[
        "--restart",
        "always",
        "--label",
        "com.docker.compose.project=shop",
        "--label",
        "com.docker.compose.service=app",
      ],
      ...["--label", "com.docker.compose.image=sha256:old", "--label", "com.docker.compose.config-hash=abc"],
      ...["--health-cmd", "test ! -f /sick", "--health-interval", "300ms", "--health-retries", "2"],
      ...["--cap-drop", "NET_RAW", "--read-only=false", "--stop-timeout", "2", app("1")],
    );
    await lab.own.docker("network", "connect", "--alias", "app-back", "back", name);
    await lab.row(name, ({ health }) => health === "healthy");
    return id;
  }
  const inspect = async (name: string) => JSON.parse(await lab.own.docker("inspect", name))[0];
  const names = async () => (await lab.own.docker("ps", "-a", "--format", "{{.Names}}")).split("\n").sort();
  const deploy = (id: string, image: string, more: object = {}) =>
    lab.change("service.deploy", { host, id, image, watchMs: 1500, ...more });
  const evidenceOf = async (row: ChangeRow): Promise<DeployEvidence> =>
    deployEvidence.parse((await changeDetail(row.id)).evidence);

  test("a good one: the image's own settings are new, everything else is as it was; and back again", async () => {
    await runApp("good", "10.99.0.10");
    const before = await inspect("good");
    const plan = (await changes().plan("service.deploy", { host, id: "good", image: "2" }, actor()))
      .plan as DeployPlan;
    expect(plan.to).toMatchObject({
      image: app("2"),
      local: false,
      digest: expect.stringMatching(/^sha256:/),
    });
    expect(plan.env).toEqual([{ name: "VERSION", what: "changed" }]);
    expect(plan.labels).toEqual([{ name: "version", what: "changed" }]);
    expect(plan.compose).toBe(true);

    const row = await deploy("good", "2", { expected: undefined });
    const evidence = await evidenceOf(row);
    expect(row).toMatchObject({ state: "done", outcome: "deployed" });
    expect(evidence).toMatchObject({
      differs: [],
      container: { image: app("2"), state: "running", health: "healthy" },
    });
    const after = await inspect("good");
    expect(after.Config.Env).toEqual(expect.arrayContaining(["OWN=1", "VERSION=2"]));
    expect(after.Config.Env).not.toContain("VERSION=1");
    expect(after.Config.Labels).toMatchObject({
      version: "2",
      "com.docker.compose.config-hash": "abc",
      "com.docker.compose.image": after.Image,
    });
    expect(after.Config.Cmd[2]).toContain("echo two");
    expect(after.Config.Hostname).toBe(after.Id.slice(0, 12));
    expect(after.NetworkSettings.Networks.front.IPAddress).toBe("10.99.0.10");
    expect(after.NetworkSettings.Networks.front.Aliases).toContain("web");
    expect(after.NetworkSettings.Networks.back.Aliases).toContain("app-back");
    const volumes = (one: typeof after) => one.Mounts.map((mount: { Name: string }) => mount.Name).sort();
    expect(volumes(after)).toEqual(volumes(before));
    for (const key of ["Memory", "NanoCpus", "CapDrop", "RestartPolicy"])
      expect(after.HostConfig[key]).toEqual(before.HostConfig[key]);
    expect(await names()).toEqual(["good"]);

    const undone = await changes().wait(await changes().undo(row.id, actor()), 60_000);
    expect(undone).toMatchObject({ state: "done", outcome: "deployed" });
    expect((await inspect("good")).Image).toBe(before.Image);
    const choices = await deployChoices({ host, id: "good" });
    expect(choices).toMatchObject({ newer: ["2"], problem: null });
    expect(choices.earlier.map(({ image }) => image)).toEqual([app("2"), app("1")]);
    await lab.own.docker("rm", "-f", "good");
  }, 90_000);

  test.each([
    ["crash", "ended", /about to fail/],
    ["sick", "unhealthy", null],
    ["errors", "errors", /does not work/],
  ])(
    "%s: rolled back to the same container, with what was wrong",
    async (tag, reason, words) => {
      const id = await runApp("kept", "10.99.0.11");
      const row = await deploy("kept", app(tag), { watchMs: 4000 });
      expect(row).toMatchObject({ state: "failed", outcome: "rolledBack" });
      const evidence = await evidenceOf(row);
      expect(evidence.reason).toBe(reason);
      if (words !== null) expect(evidence.lines.map(({ text }) => text).join("\n")).toMatch(words);
      const now = await inspect("kept");
      expect([now.Id, now.State.Running]).toEqual([id, true]);
      expect(now.NetworkSettings.Networks.front.IPAddress).toBe("10.99.0.11");
      expect(await names()).toEqual(["kept"]);
      await lab.own.docker("rm", "-f", "kept");
    },
    60_000,
  );

  test("what cannot be pulled is refused before anything is touched", async () => {
    const id = await runApp("same", "10.99.0.12");
    await expect(deploy("same", app("none"))).rejects.toMatchObject({
      code: "NOT_FOUND",
      detail: { field: "image" },
    });
    // What ran before is not on the host any more: its tag is not taken instead.
    const pruned = `sha256:${"0".repeat(64)}`;
    await expect(deploy("same", app("2"), { imageId: pruned })).rejects.toMatchObject({
      detail: { problem: "services.imageGone" },
    });
    await expect(deploy("same", "Team/App")).rejects.toMatchObject({ code: "INVALID_INPUT" });
    await expect(deploy("same", "127.0.0.1:1/app:1")).rejects.toMatchObject({ code: "UNREACHABLE" });
    await expect(
      lab.change("service.deploy", { host, id: "same", image: app("2") }, { role: "operator" }),
    ).rejects.toMatchObject({
      code: "FORBIDDEN",
    });
    expect((await inspect("same")).Id).toBe(id);
    await lab.own.docker(
      "run",
      "-d",
      "--rm",
      "--network",
      "host",
      "--name",
      "brief",
      testImage,
      "sleep",
      "60",
    );
    await lab.row("brief");
    await expect(deploy("brief", app("2"))).rejects.toMatchObject({
      detail: { problem: "services.autoRemove" },
    });
    await lab.own.docker("rm", "-f", "brief", "same");
  });

  test("from a registry with a sign-in: with it, and refused without", async () => {
    const image = `${closed.name}/private/app:1`;
    await lab.own.docker("login", "-u", login.username, "-p", login.password, closed.name);
    await publish(image, `echo private; ${loop}`, "9");
    await lab.own.docker("logout", closed.name);
    await runApp("private", "10.99.0.13");
    expect(await deploy("private", image)).toMatchObject({ state: "done", outcome: "deployed" });
    // The same registry by a name that sluice.yaml gives no sign-in for.
    const unknown = `localhost:${closed.port}/private/app:1`;
    await expect(deploy("private", unknown)).rejects.toMatchObject({ code: "UPSTREAM_AUTH" });
    await lab.own.docker("rm", "-f", "private");
  }, 60_000);

  test("the new container is taken away by somebody: the old one runs as before, and nothing is left", async () => {
    const id = await runApp("clean", "10.99.0.17");
    const before = await inspect("clean");
    const running = deploy("clean", app("2"), { watchMs: 60_000 });
    await until(
      "it is watched",
      async () => {
        const [all, now] = await Promise.all([names(), inspect("clean").catch(() => null)]);
        return (
          all.some((name) => name.startsWith("clean.before")) && now?.State.Running === true && now.Id !== id
        );
      },
      20_000,
    );
    await lab.own.docker("rm", "-f", "clean");
    const row = await running;
    expect(row).toMatchObject({ state: "failed", outcome: "rolledBack" });
    expect((await evidenceOf(row)).reason).toBe("gone");
    const now = await inspect("clean");
    expect([now.Id, now.State.Running, now.Image]).toEqual([id, true, before.Image]);
    expect((await names()).filter((name) => name.startsWith("clean"))).toEqual(["clean"]);
    await lab.own.docker("rm", "-f", "clean");
  }, 60_000);

  /** Whatever became of it: one container of that name runs, and what was said of it is so. */
  async function isTrue(row: ChangeRow, name: string): Promise<void> {
    await until(
      `${name} runs`,
      async () => (await inspect(name).catch(() => null))?.State.Running === true,
      20_000,
    );
    const now = await inspect(name);
    const wanted = row.state === "done" ? app("2") : app("1");
    expect([row.state, row.outcome, now.Config.Image]).toEqual([row.state, row.outcome, wanted]);
    expect((await names()).filter((one) => one.startsWith(name))).toEqual([name]);
  }

  test.each([150, 900, 2200])(
    "the engine is restarted after %i ms: nothing is lost, and what is said is true",
    async (ms) => {
      const name = `restart-${ms}`;
      await runApp(name, "10.99.0.14");
      await lab.own.docker("rmi", app("2")).catch(() => {});
      const ended = deploy(name, app("2"), { watchMs: 3000 });
      await sleep(ms);
      await lab.own.restart();
      await isTrue(await ended, name);
      await lab.own.docker("rm", "-f", name);
    },
    120_000,
  );

  test("Sluice dies in the middle and goes on after its start", async () => {
    await runApp("resumed", "10.99.0.15");
    const id = await changes().start({
      kind: "service.deploy",
      input: { host, id: "resumed", image: app("2"), watchMs: 3000 },
      actor: actor(),
      origin: "page",
    });
    await until(
      "it is being watched",
      async () => {
        const { progress } = await changes().wait(id, 0);
        return progress?.step === "watch" || progress?.step === "healthy";
      },
      20_000,
    );
    await changes().stop(0);
    forgetSingleton("changes.engine");
    // As at a start: changes are taken up before the services run.
    forgetSingleton("services");
    registerServices();
    expect(await changes().recover()).toMatchObject({ resumed: 1 });
    const row = await changes().wait(id, 60_000);
    expect(row).toMatchObject({ state: "done", outcome: "deployed" });
    await isTrue(row, "resumed");
    await lab.own.docker("rm", "-f", "resumed");
  }, 90_000);

  test("cancelled while it is watched: as it was before", async () => {
    const before = await runApp("cancelled", "10.99.0.16");
    const id = await changes().start({
      kind: "service.deploy",
      input: { host, id: "cancelled", image: app("2"), watchMs: 60_000 },
      actor: actor(),
      origin: "page",
    });
    await until(
      "it is being watched",
      async () => (await changes().wait(id, 0)).progress?.step === "watch",
      20_000,
    );
    await changes().cancel(id, actor());
    expect((await changes().wait(id, 30_000)).state).toBe("cancelled");
    const now = await inspect("cancelled");
    expect([now.Id, now.State.Running]).toEqual([before, true]);
    await lab.own.docker("rm", "-f", "cancelled");
  }, 60_000);

  const policyOf = async (name: string) => (await inspect(name)).HostConfig.RestartPolicy.Name as string;
  const begin = (id: string, more: object = {}) =>
    changes().start({
      kind: "service.deploy",
      input: { host, id, image: app("2"), watchMs: 60_000, ...more },
      actor: actor(),
      origin: "page",
    });
  const watched = (id: number) =>
    until(
      "it is being watched",
      async () => (await changes().wait(id, 0)).progress?.step === "watch",
      20_000,
    );

  test("anonymous volumes of a mount, and a command with an entry point of its own, stay", async () => {
    const id = await lab.own.docker(
      ...["run", "-d", "--name", "mounts", "--network", "host", "--mount", "type=volume,target=/x"],
      ...["-v", "/y/", "--entrypoint", "sh", app("1"), "-c", `echo one; ${loop}`],
    );
    await lab.own.docker("exec", "mounts", "sh", "-c", "echo kept > /x/file; echo kept > /y/file");
    await lab.row("mounts");
    // A container in the network of another, which cannot be given a host name.
    await lab.own.docker("run", "-d", "--name", "inside", "--network", `container:${id}`, app("1"));
    await lab.row("inside");
    await expect(deploy("mounts", app("2"))).rejects.toMatchObject({
      detail: { problem: "services.sharedNetwork" },
    });
    expect(await deploy("inside", app("2"))).toMatchObject({ state: "done", outcome: "deployed" });
    await lab.own.docker("rm", "-f", "inside");
    await until("inside is gone", async () =>
      lab.collector.snapshot().rows.every(({ name }) => name !== "inside"),
    );
    const row = await deploy("mounts", app("2"));
    expect([row.outcome, (await evidenceOf(row)).differs]).toEqual(["deployed", []]);
    for (const file of ["/x/file", "/y/file"])
      expect(await lab.own.docker("exec", "mounts", "cat", file)).toBe("kept");
    const { Cmd, Entrypoint } = (await inspect("mounts")).Config;
    expect([Entrypoint, Cmd]).toEqual([["sh"], ["-c", `echo one; ${loop}`]]);
    await lab.own.docker("rm", "-f", "mounts");
  }, 60_000);

  test("the engine is restarted while it is watched: never are both at work, whatever the policy", async () => {
    await lab.own.docker("run", "-d", "--name", "alone", "--restart", "always", app("1"));
    await lab.row("alone");
    const id = await begin("alone", { watchMs: 6000 });
    await watched(id);
    expect(await policyOf(`alone.before-${id}`)).toBe("no");
    await lab.own.restart();
    const states = new Set<string>();
    const ended = changes().wait(id, 60_000);
    let over = false;
    void ended.then(() => {
      over = true;
    });
    while (!over) {
      const all = await lab.own
        .docker("ps", "--filter", "name=alone", "--format", "{{.Names}}")
        .catch(() => "");
      states.add(all);
      await sleep(100);
    }
    expect([...states].filter((all) => all.includes("\n"))).toEqual([]);
    await isTrue(await ended, "alone");
    expect(await policyOf("alone")).toBe("always");
    await lab.own.docker("rm", "-f", "alone");
  }, 120_000);

  test("somebody starts the old one while the new one is watched: it is stopped again, and goes", async () => {
    await runApp("aside", "10.99.0.18");
    const id = await begin("aside", { watchMs: 4000 });
    await watched(id);
    await lab.own.docker("network", "disconnect", "front", `aside.before-${id}`);
    await lab.own.docker("start", `aside.before-${id}`);
    const row = await changes().wait(id, 30_000);
    expect(row).toMatchObject({ state: "done", outcome: "deployed" });
    expect((await changeDetail(id)).log.map(({ message }) => message)).toContain("services.oldAgain");
    await isTrue(row, "aside");
    await lab.own.docker("rm", "-f", "aside");
  }, 60_000);

  test("cancelled while the old one still ends: it is waited for, and runs again with its policy", async () => {
    const slow = "trap 'sleep 4; exit 0' TERM; while :; do sleep 0.1; done";
    const before = await lab.own.docker(
      ...["run", "-d", "--name", "slow", "--restart", "always", "--stop-timeout", "20", app("1")],
      ...["sh", "-c", slow],
    );
    await lab.row("slow");
    const id = await begin("slow");
    await until("it stops", async () => (await changes().wait(id, 0)).progress?.step === "switch", 20_000);
    await changes().cancel(id, actor());
    expect((await changes().wait(id, 60_000)).state).toBe("cancelled");
    // Longer than its stop takes: a late one would end it now.
    await sleep(5000);
    const now = await inspect("slow");
    expect([now.Id, now.State.Running, now.HostConfig.RestartPolicy.Name]).toEqual([before, true, "always"]);
    expect((await names()).filter((name) => name.startsWith("slow"))).toEqual(["slow"]);
    await lab.own.docker("rm", "-f", "slow");
  }, 90_000);

  test("Sluice dies while it goes back, and goes on going back", async () => {
    const before = await runApp("back", "10.99.0.19");
    const id = await begin("back");
    await watched(id);
    await changes().stop(0);
    // As it is when the way back was begun: by a cancel, for example.
    const { checkpoint } = await db().change.findUniqueOrThrow({ where: { id } });
    const givingUp = { code: "CANCELLED", message: "Cancelled by Ada." };
    await db().change.update({
      where: { id },
      data: { checkpoint: JSON.stringify({ ...JSON.parse(checkpoint ?? ""), givingUp }) },
    });
    forgetSingleton("changes.engine");
    registerServices();
    expect(await changes().recover()).toMatchObject({ resumed: 1 });
    const row = await changes().wait(id, 60_000);
    expect(row).toMatchObject({ state: "failed", error: { message: "Cancelled by Ada." } });
    const now = await inspect("back");
    expect([now.Id, now.State.Running]).toEqual([before, true]);
    expect((await names()).filter((name) => name.startsWith("back"))).toEqual(["back"]);
    await lab.own.docker("rm", "-f", "back");
  }, 90_000);

  test.each([
    ["while it was watched", "hand-1", {}],
    ["after it had gone back", "hand-2", { givingUp: { code: "CANCELLED", message: "Cancelled by Ada." } }],
    [
      "after it was found good",
      "hand-3",
      { verdict: { good: true, reason: null, detail: null, watchedMs: 1, errors: 0, lines: [] } },
    ],
  ])(
    "Sluice dies %s, and the old one runs again by somebody's hand: it is left to run",
    async (_when, name, more) => {
      await lab.own.docker("run", "-d", "--name", name, "--restart", "always", "--network", "host", app("1"));
      await lab.row(name);
      const id = await begin(name);
      await watched(id);
      await changes().stop(0);
      await lab.own.docker("rm", "-f", name);
      await lab.own.docker("rename", `${name}.before-${id}`, name);
      await lab.own.docker("start", name);
      const before = await inspect(name);
      expect(before.HostConfig.RestartPolicy.Name).toBe("no");
      const { checkpoint } = await db().change.findUniqueOrThrow({ where: { id } });
      await db().change.update({
        where: { id },
        data: { checkpoint: JSON.stringify({ ...JSON.parse(checkpoint ?? ""), ...more }) },
      });
      forgetSingleton("changes.engine");
      registerServices();
      expect(await changes().recover()).toMatchObject({ resumed: 1 });
      expect((await changes().wait(id, 60_000)).state).toBe("failed");
      const now = await inspect(name);
      expect([now.Id, now.State.StartedAt, now.HostConfig.RestartPolicy.Name]).toEqual([
        before.Id,
        before.State.StartedAt,
        "always",
      ]);
      expect((await names()).filter((one) => one.startsWith(name))).toEqual([name]);
      await lab.own.docker("rm", "-f", name);
    },
    60_000,
  );

  test("a tag that moved after the plan was shown is refused; one that failed means on the host what it meant", async () => {
    const moving = `${open.name}/team/moving:1`;
    await publish(moving, `echo a; ${loop}`, "a", false);
    await lab.own.docker("run", "-d", "--name", "moving", "--network", "host", moving);
    await lab.row("moving");
    const before = await inspect("moving");
    const shown = (await changes().plan("service.deploy", { host, id: "moving", image: moving }, actor()))
      .plan as DeployPlan;
    await publish(moving, "exit 3", "b");
    await lab.own.docker("tag", before.Image, moving);
    await expect(deploy("moving", moving, { expectedImage: imageOf(shown.to) })).rejects.toMatchObject({
      detail: { problem: "services.tagMoved" },
    });
    expect(await deploy("moving", moving)).toMatchObject({ outcome: "rolledBack" });
    expect((await inspect("moving")).Id).toBe(before.Id);
    expect(await lab.own.docker("image", "inspect", "-f", "{{.Id}}", moving)).toBe(before.Image);
    await lab.own.docker("rm", "-f", "moving");
  }, 60_000);

  test("back to what was pruned from the host: pulled again by its digest", async () => {
    await runApp("pruned", "10.99.0.20");
    const first = await inspect("pruned");
    const row = await deploy("pruned", app("2"));
    expect(row.outcome).toBe("deployed");
    // Nobody else uses it, and its tag names another image in the registry by now.
    await lab.own.docker("rmi", "-f", first.Image);
    await publish(app("1"), `echo other; ${loop}`, "other");
    const undone = await changes().wait(await changes().undo(row.id, actor()), 60_000);
    expect(undone).toMatchObject({ state: "done", outcome: "deployed" });
    expect((await inspect("pruned")).Image).toBe(first.Image);
    await lab.own.docker("rm", "-f", "pruned");
  }, 60_000);

  test("what is wrong with a new one is told without its secrets", async () => {
    await publish(app("leak"), "echo '[error] cannot reach mysql://root:hunter2@db'; exit 4", "7");
    await runApp("leaking", "10.99.0.21");
    const row = await deploy("leaking", app("leak"));
    const { lines } = await evidenceOf(row);
    expect(lines.map(({ text }) => text).join()).toMatch(/mysql:\/\/root:•••@db/);
    expect(JSON.stringify(await changeDetail(row.id))).not.toContain("hunter2");
    await lab.own.docker("rm", "-f", "leaking");
  }, 60_000);
});
