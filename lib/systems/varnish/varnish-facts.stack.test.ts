// What a real varnishd tells of itself: a node of the stack, and one of our own that may be hurt.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { closeServers, web } from "../test-server";
import { freePort, stackUrl, testStack, until } from "../test-stack";
import { closeCli, command, status, type VarnishAdmin } from "./cli";
import { backendFacts, counterFacts, panicFact, parameterFacts, storageFacts, vclFacts } from "./facts";
import { startVarnishd } from "./test-varnishd";

const stack = testStack();

describe.skipIf(!stack)("facts of the stack's node", () => {
  if (!stack) return;
  const node = {
    name: "varnish-1",
    url: stackUrl(stack, "varnish1"),
    vcl: "sluice",
    timeout: 3000,
    admin: `127.0.0.1:${stack.ports.varnish1Admin}`,
    secret: readFileSync(stack.secrets.varnishSecretFile, "utf8"),
  } as const;
  afterAll(() => closeCli());

  test("what may not be changed is told as locked", async () => {
    const { changed, dangerous } = await parameterFacts(node);
    expect(changed).toContainEqual({
      name: "http_resp_size",
      value: "131072",
      default: "32k",
      units: "bytes",
    });
    expect(dangerous).toEqual([
      { name: "cc_command", on: null, locked: true },
      { name: "vcc_allow_inline_c", on: false, locked: true },
      { name: "vmod_path", on: null, locked: true },
    ]);
  });

  test("its counters, and no exporter where there is none", async () => {
    const { counters, rooms } = await counterFacts(node, `${stackUrl(stack, "varnish1Metrics")}/metrics`);
    // Every one of them is on the page of the exporter's version.
    expect(Object.entries(counters).filter(([, value]) => value === null)).toEqual([]);
    expect(counters.threads).toBeGreaterThanOrEqual(40);
    const s0 = rooms.find(({ name }) => name === "s0");
    expect((s0?.used ?? 0) + (s0?.free ?? 0)).toBe(128 * 1024 * 1024);
    await expect(counterFacts(node, node.url)).rejects.toMatchObject({
      code: "BAD_ANSWER",
      detail: { problem: "varnish.noMetrics" },
    });
  });
});

describe.skipIf(!stack)("facts of a varnishd of our own", () => {
  if (!stack) return;
  let node: VarnishAdmin;
  let stop = async () => {};
  beforeAll(async () => {
    const [admin, http, dead] = [await freePort(), await freePort(), await freePort()];
    const good = new URL(await web((_, response) => response.end("well"))).port;
    const vcl = `vcl 4.1;
import directors;
backend good { .host = "127.0.0.1"; .port = "${good}"; .probe = { .interval = 200ms; .window = 5; .threshold = 3; } }
backend dead { .host = "127.0.0.1"; .port = "${dead}"; .probe = { .interval = 200ms; .window = 5; .threshold = 3; } }
backend bare { .host = "127.0.0.1"; .port = "${dead}"; }
sub vcl_init { new turn = directors.round_robin(); turn.add_backend(good); turn.add_backend(dead); turn.add_backend(bare); }
sub vcl_recv { set req.backend_hint = turn.backend(); }`;
    stop = await startVarnishd(stack, {
      vcl,
      secret: "ours\n",
      args: [
        ...["-a", `127.0.0.1:${http}`, "-T", `127.0.0.1:${admin}`, "-s", "main=malloc,20M"],
        // Bans stay as they are while the test looks.
        ...["-p", "ban_lurker_age=600", "-p", "thread_pool_min=5"],
      ],
    });
    node = { name: "ours", admin: `127.0.0.1:${admin}`, secret: "ours" };
    await until(
      "it runs",
      async () => {
        try {
          return (await status(node)) === "running";
        } catch {
          return false;
        }
      },
      30_000,
    );
  });
  afterAll(async () => {
    closeCli();
    await stop();
    await closeServers();
  });

  test("VCLs, with labels and what they point at", async () => {
    await command(node, "vcl.inline", ["other", "vcl 4.1; backend default none;", "auto"]);
    await command(node, "vcl.label", ["canary", "other"]);
    expect(await vclFacts(node)).toMatchObject([
      { name: "boot", status: "active", labels: [], target: null },
      {
        name: "other",
        status: "available",
        state: "auto",
        temperature: "warm",
        labels: ["canary"],
        target: null,
      },
      { name: "canary", state: "label", labels: [], target: "other" },
    ]);
  });

  test("backends, with what their probes saw", async () => {
    const by = (rows: Awaited<ReturnType<typeof backendFacts>>, name: string) =>
      rows.find((one) => one.name === `boot.${name}`);
    const rows = await until("the probes have looked", async () => {
      const seen = await backendFacts(node);
      return by(seen, "good")?.good === 5 && by(seen, "dead")?.healthy === false && seen;
    });
    expect(by(rows, "good")).toMatchObject({
      type: "backend",
      healthy: true,
      admin: "probe",
      of: 5,
      threshold: 3,
    });
    expect(by(rows, "good")?.looks.slice(-5)).toEqual(Array(5).fill("good"));
    expect(by(rows, "good")?.averageMs).toBeGreaterThan(0);
    expect(by(rows, "good")?.changedAt).toBeGreaterThan(Date.now() - 600_000);
    expect(by(rows, "dead")).toMatchObject({ good: expect.any(Number), of: 5, averageMs: null });
    expect(by(rows, "dead")?.looks).toHaveLength(64);
    expect(by(rows, "dead")?.looks.at(-1)).toBe("bad");
    expect(by(rows, "dead")?.looks[0]).toBe("none");
    expect(by(rows, "bare")).toMatchObject({ healthy: true, good: null, of: null, looks: [] });
    expect(by(rows, "turn")).toMatchObject({ type: "round-robin", of: 3, looks: [] });
    await command(node, "backend.set_health", ["boot.bare", "sick"]);
    expect(by(await backendFacts(node), "bare")).toMatchObject({ healthy: false, admin: "sick" });
  });

  test("storage and parameters; what nobody locked is told as open", async () => {
    expect(await storageFacts(node)).toEqual([
      { name: "main", kind: "malloc" },
      { name: "Transient", kind: "malloc" },
    ]);
    await command(node, "param.set", ["vcc_allow_inline_c", "on"]);
    const { changed, dangerous } = await parameterFacts(node);
    expect(changed).toContainEqual({ name: "vcc_allow_inline_c", value: "on", default: "off", units: "" });
    expect(dangerous).toContainEqual({ name: "vcc_allow_inline_c", on: true, locked: false });
  });

  test("an answer that Varnish cut says so", async () => {
    await command(node, "param.set", ["cli_limit", "600"]);
    await expect(parameterFacts(node)).rejects.toMatchObject({
      code: "BAD_ANSWER",
      detail: { problem: "varnish.truncated", params: { verb: "param.show" } },
    });
    await command(node, "param.set", ["cli_limit", "48k"]);
    expect((await parameterFacts(node)).changed).not.toEqual([]);
  });

  // The last one: it kills the child.
  test("no panic, then one", async () => {
    expect(await panicFact(node)).toBeNull();
    await expect(command(node, "debug.panic.worker", [])).rejects.toMatchObject({
      detail: { problem: "varnish.child" },
    });
    expect(await until("the panic is told", () => panicFact(node))).toMatch(/^Panic at: .*You asked for it/s);
  });
});
