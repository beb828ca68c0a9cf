// What a Swarm says, as viewers are told it.
import { expect, onTestFinished, test } from "vitest";
import { forgetSingleton } from "../../runtime/singleton";
import { watchableEngine } from "../../systems/docker/engine.fixture";
import { watching } from "../services.fixture";
import { readSwarm } from "./state";

test("secrets in a task's error, an update's message and a node's are not passed on", async () => {
  const says = 'exec: "serve --db-password=hunter2": not found';
  const answers: Record<string, unknown[]> = {
    "/nodes": [
      {
        ID: "n1",
        Version: { Index: 1 },
        Spec: { Role: "manager", Availability: "active" },
        Description: { Hostname: "node-1" },
        Status: { State: "down", Message: says },
      },
    ],
    "/services": [
      {
        ID: "s1",
        Version: { Index: 1 },
        UpdatedAt: "2026-11-24T09:00:00Z",
        Spec: { Name: "web", TaskTemplate: { ContainerSpec: { Image: "web:1" } }, Mode: { Replicated: {} } },
        UpdateStatus: { State: "paused", Message: says },
      },
    ],
    "/tasks": [
      {
        ID: "t1",
        ServiceID: "s1",
        NodeID: "n1",
        DesiredState: "running",
        UpdatedAt: "2026-11-24T09:00:00Z",
        Spec: {},
        Status: { State: "failed", Err: says },
      },
    ],
  };
  const engine = await watchableEngine(onTestFinished, {
    other(response, path) {
      const said = answers[/\/(?:nodes|services|tasks)\b/.exec(path)?.[0] ?? ""];
      if (said !== undefined) response.end(JSON.stringify(said));
      return said !== undefined;
    },
  });
  forgetSingleton("services.swarm");
  await watching(onTestFinished, engine);
  const state = await readSwarm(engine.name);
  expect(JSON.stringify(state)).not.toContain("hunter2");
  expect(state.services[0]?.tasks[0]?.error).toContain("--db-password=•••");
  expect(state.services[0]?.update?.message).toContain("not found");
  expect(state.nodes[0]?.message).toContain("not found");
});
