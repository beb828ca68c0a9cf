// An engine whose looks fail, and one whose event stream has died without a word: what it says of health is found all the same.
import type { ServerResponse } from "node:http";
import { afterEach, expect, test } from "vitest";
import { closeServers, web } from "../systems/test-server";
import { until } from "../systems/test-stack";
import { HostWatch } from "./host-watch";

const id = "a".repeat(64);

/** An engine with one container, whose health and whose failures the test says. */
async function fakeEngine() {
  const told = { health: "healthy", failingLooks: 0, looks: 0, streams: 0 };
  const streams = new Set<ServerResponse>();
  const address = await web((request, response) => {
    const path = (request.url ?? "").replace(/^\/v[\d.]+/, "").split("?")[0];
    const json = (body: unknown) =>
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (path === "/version") return json({ Version: "20.10.24", ApiVersion: "1.41", MinAPIVersion: "1.12" });
    if (path === "/info")
      return json({
        ContainersRunning: 1,
        NCPU: 2,
        MemTotal: 1e9,
        SystemTime: new Date().toISOString(),
        Swarm: {},
        Name: "fake",
      });
    if (path === "/events") {
      told.streams++;
      streams.add(response);
      response.writeHead(200, { "content-type": "application/json" });
      response.flushHeaders();
      return;
    }
    if (path === "/containers/json")
      return json([
        {
          Id: id,
          Names: ["/web"],
          Image: "web:1",
          State: "running",
          Status: `Up 3 minutes (${told.health})`,
        },
      ]);
    if (path === `/containers/${id}/json`) {
      told.looks++;
      if (told.failingLooks > 0) {
        told.failingLooks--;
        return response.writeHead(500).end('{"message":"busy"}');
      }
      return json({
        Id: id,
        Name: "/web",
        Created: "2026-11-25T00:00:00Z",
        Image: "sha256:1",
        RestartCount: 0,
        State: {
          Status: "running",
          Running: true,
          ExitCode: 0,
          StartedAt: "2026-11-25T00:00:00Z",
          FinishedAt: "0001-01-01T00:00:00Z",
          Health: { Status: told.health, FailingStreak: 0, Log: [] },
        },
        Config: { Image: "web:1" },
        HostConfig: {},
        NetworkSettings: {},
      });
    }
    return response.writeHead(404).end('{"message":"no such path"}');
  });
  const event = (Action: string) => {
    const at = Date.now();
    const body = {
      Type: "container",
      Action,
      Actor: { ID: id, Attributes: { name: "web", image: "web:1" } },
      time: Math.floor(at / 1000),
      timeNano: at * 1e6,
    };
    for (const stream of streams) stream.write(`${JSON.stringify(body)}\n`);
  };
  return { told, event, url: address.replace(/^http:/, "tcp:") };
}

const watches: HostWatch[] = [];
async function watched(url: string): Promise<HostWatch> {
  const host = new HostWatch(
    { name: "fake", socket: "", url, timeout: 2000 },
    { host() {}, row() {}, met() {}, found() {}, gone() {}, death() {} },
    { compareMs: 150, eventMs: 50 },
  );
  watches.push(host);
  host.start();
  await until("the engine is watched", async () => host.up && host.containers.has(id), 5000);
  return host;
}
afterEach(async () => {
  for (const host of watches.splice(0)) await host.stop();
  await closeServers();
});
const healthOf = (host: HostWatch) => host.containers.get(id)?.inspected.State.Health?.Status;

test("a look that fails after an event is made again", async () => {
  const engine = await fakeEngine();
  const host = await watched(engine.url);
  // The list says nothing of it: only the look that was due does.
  engine.told.failingLooks = 1;
  const before = engine.told.looks;
  engine.event("update");
  await until("it was looked at twice", async () => engine.told.looks >= before + 2, 5000);
  expect(host.up).toBe(true);
  expect(engine.told.streams).toBe(1);
});

test("a change that no event told is found by the comparison, and the stream is opened anew", async () => {
  const engine = await fakeEngine();
  const host = await watched(engine.url);
  engine.told.health = "unhealthy";
  await until("its health is known", async () => healthOf(host) === "unhealthy", 5000);
  await until("another stream", async () => engine.told.streams === 2, 5000);
  await until("up again", async () => host.up, 5000);
});

test("a change whose event came is no reason to open another", async () => {
  const engine = await fakeEngine();
  const host = await watched(engine.url);
  for (const health of ["unhealthy", "healthy", "unhealthy"]) {
    engine.told.health = health;
    engine.event(`health_status: ${health}`);
    await until("its health is known", async () => healthOf(host) === health, 5000);
  }
  expect(engine.told.streams).toBe(1);
});
