// One address through the reference stack: from a cache, past it, to no router, with a node that is down, and a 404 of the application.
import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask, type Lab, openLab, port, stackOf } from "../purge/test-stack";
import { closeConnections } from "../systems/exchange";
import { freePort, testStack } from "../systems/test-stack";
import { startTestTraefik, type TestTraefik } from "../systems/traefik/test-traefik";
import type { Trace } from "./contract";
import { traceUrl } from "./service";

const stack = stackOf();

describe.skipIf(!stack)("the reference stack", () => {
  if (!stack) return;
  let lab: Lab;
  const address = (path: string) => `http://site.localhost:${port(stack, "edge")}${path}`;
  const trace = (path: string) => traceUrl({ url: address(path), method: "GET" }, null);
  const open = async (edit?: (yaml: string) => string) => {
    if (lab) await lab.close();
    lab = await openLab(edit);
  };
  const verdict = ({ verdict: { key, layer }, layers }: Trace) => [
    key,
    layer === null ? null : layers[layer]?.kind,
  ];
  /** An address that nobody has asked for. */
  let count = 0;
  const fresh = () => `/fr?fresh=${process.pid}-${Date.now()}-${count++}`;

  beforeAll(() => open());
  afterAll(async () => {
    await lab.close();
    await closeConnections();
    rmSync(lab.directory, { recursive: true, force: true });
  });

  test("a page that the nodes have: by Varnish, with its age, its node, its router and its VCL", async () => {
    const path = fresh();
    for (const node of ["varnish1", "varnish2"])
      expect((await ask(port(stack, node), path)).status).toBe(200);
    const told = await trace(path);
    expect(verdict(told)).toEqual(["cached", "varnish"]);
    const node = told.layers[told.verdict.layer ?? 0];
    expect(node?.cache).toBe("hit");
    expect(node?.facts).toContainEqual({ key: "before", value: "hit" });
    expect(node?.facts.map(({ key }) => key)).toContain("vcl");
    const traefik = told.layers.find(({ kind }) => kind === "traefik");
    expect(traefik).toMatchObject({
      ...{ state: "answered", point: "web", status: 200 },
      route: { state: "taken", router: "site@file" },
    });
    expect(traefik?.route?.servers.length).toBe(2);
    expect(told.layers.map(({ kind }) => kind)).toEqual([
      ...["edge", "traefik", "varnish", "varnish", "nginx", "origin", "application"],
    ]);
    expect(told.compared.state).not.toBe("differs");
    // The edge took it up: now it answers by itself.
    expect(verdict(await trace(path))).toEqual(["cached", "edge"]);
  });

  test("a page that no cache has: made for this request, and Varnish had nothing before", async () => {
    const told = await trace(fresh());
    expect(verdict(told)[0]).toBe("made");
    for (const node of told.layers.filter(({ kind }) => kind === "varnish"))
      expect(node.facts).toContainEqual({ key: "before", value: "miss" });
  });

  test("a 404 of the application", async () => {
    const told = await trace(`/fr/nothing-${Date.now()}`);
    expect(verdict(told)[1]).toBe("origin");
    expect(["faultApplication", "faultInside"]).toContain(told.verdict.key);
    expect(told.verdict.params.status).toBe(404);
  });

  test("a node that is down is told, and hides nothing", async () => {
    const closed = await freePort();
    await open((yaml) =>
      yaml.replace(`url: "http://127.0.0.1:${port(stack, "varnish2")}"`, `url: "http://127.0.0.1:${closed}"`),
    );
    const told = await trace(fresh());
    const [first, second] = told.layers.filter(({ kind }) => kind === "varnish");
    expect(first).toMatchObject({ state: "answered", status: 200 });
    expect(second).toMatchObject({ state: "silent", problem: { problem: "http.connectionRefused" } });
    expect(told.failing.map((index) => told.layers[index]?.name)).toEqual(["varnish-2"]);
  });

  describe("a Traefik that has no router for it", () => {
    let traefik: TestTraefik;
    const rules = {
      http: {
        routers: { other: { rule: "Host(`other.example`)", entryPoints: ["web"], service: "nowhere" } },
        services: { nowhere: { loadBalancer: { servers: [{ url: "http://127.0.0.1:9" }] } } },
      },
    };
    beforeAll(async () => {
      const started = testStack();
      if (!started) throw new Error("no stack");
      traefik = await startTestTraefik(started, {
        files: { "rules.yml": JSON.stringify(rules) },
        ports: { web: 80 },
        options: ["--entryPoints.web.address=:80"],
      });
    });
    afterAll(() => traefik.stop());

    test("says so", async () => {
      const web = `http://127.0.0.1:${traefik.ports.web}`;
      const own = `url: "${traefik.url}"\n      entry_points: { web: "${web}" }`;
      await open((yaml) =>
        yaml
          .replace(/^\s+entry_points: .*\n/m, "")
          .replace(`url: "http://127.0.0.1:${port(stack, "traefikApi")}"`, own)
          .replaceAll(`edge: "http://127.0.0.1:${port(stack, "edge")}"`, `edge: "${web}"`),
      );
      expect(verdict(await trace("/fr"))).toEqual(["noRouter", "traefik"]);
    });
  });
});
