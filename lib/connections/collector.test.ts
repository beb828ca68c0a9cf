// The collector against a real server that goes away and comes back.
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type House, openHouse } from "../auth/house.fixture";
import { type Config, configSchema } from "../config/schema";
import { liveHub } from "../live/hub";
import { Collector } from "./collector";
import type { Connection } from "./contract";

let house: House;
beforeAll(async () => {
  house = await openHouse("");
});
afterAll(() => house.close());

/** An Nginx to the probe: something that answers HTTP. */
class Upstream {
  readonly sockets = new Set<Socket>();
  server: Server = createServer();
  port = 0;
  looks = 0;

  async up(): Promise<void> {
    this.server = createServer((_request, response) => {
      this.looks += 1;
      response.setHeader("server", "nginx/1.22.1");
      response.end("ok");
    });
    this.server.on("connection", (socket) => {
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket));
    });
    await new Promise<void>((resolve) => this.server.listen(this.port, "127.0.0.1", resolve));
    this.port = (this.server.address() as AddressInfo).port;
  }

  async down(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

const upstream = new Upstream();
let stop: (() => Promise<void>) | undefined;
afterEach(async () => {
  await stop?.();
  stop = undefined;
  await upstream.down();
});

const configOf = (systems: object): Config => configSchema.parse({ systems });
const nginx = () => ({
  nginx: [{ name: "web", url: `http://127.0.0.1:${upstream.port}`, timeout: "500ms", retries: 0 }],
});

function web(collector: Collector): Connection {
  const found = collector.all().find(({ name }) => name === "web");
  if (found === undefined) throw new Error("web is not there");
  return found;
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const end = Date.now() + 8000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`not in 8 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test("a system that goes away is told with why and when it was last well, and is found when it comes back", async () => {
  await upstream.up();
  const settings = configOf(nginx());
  const collector = new Collector({ config: () => settings, intervalMs: 50, maxIntervalMs: 200 });
  stop = collector.start();
  await until("up", () => web(collector).state === "up");
  expect(web(collector)).toMatchObject({
    kind: "nginx",
    source: "config",
    error: null,
    fix: null,
    doctor: false,
  });
  expect(web(collector).latencyMs).toBeGreaterThan(0);

  await upstream.down();
  await until("down", () => web(collector).state === "down");
  const gone = web(collector);
  expect(gone.error?.code).toBe("UNREACHABLE");
  expect(Date.parse(gone.lastGood ?? "")).toBeLessThanOrEqual(Date.parse(gone.at ?? ""));

  await upstream.up();
  await until("up again", () => web(collector).state === "up");
});

test("all who watch share one look, which a test button makes at once", async () => {
  await upstream.up();
  const settings = configOf(nginx());
  const collector = new Collector({ config: () => settings, intervalMs: 60_000 });
  stop = collector.start();
  await until("up", () => web(collector).state === "up");
  const before = upstream.looks;
  const answers = await Promise.all([1, 2, 3].map(() => collector.test("nginx", "web")));
  expect(answers.map(({ state }) => state)).toEqual(["up", "up", "up"]);
  expect(upstream.looks).toBe(before + 1);

  await upstream.down();
  expect(await collector.test("nginx", "web")).toMatchObject({ state: "down" });
  await expect(collector.test("nginx", "none")).rejects.toMatchObject({ code: "NOT_FOUND" });
  await upstream.up();
});

test("a failure that may be none is looked at again soon, and every look is told", async () => {
  await upstream.up();
  await upstream.down();
  const settings = configOf({ nginx: [{ ...nginx().nginx[0], interval: "60s", retries: 2 }] });
  const collector = new Collector({ config: () => settings, intervalMs: 60_000 });
  const looks: number[] = [];
  collector.onLook(({ target, probed }) => {
    expect([target.name, target.retries, probed.state]).toEqual(["web", 2, "down"]);
    looks.push(probed.at);
  });
  stop = collector.start();
  expect(collector.targets().map(({ name, intervalMs }) => [name, intervalMs])).toEqual([["web", 60_000]]);
  await until("three looks", () => looks.length >= 3);
  await upstream.up();
});

test("a system that is down is looked at less and less often", async () => {
  await upstream.up();
  await upstream.down();
  const settings = configOf(nginx());
  const collector = new Collector({ config: () => settings, intervalMs: 40, maxIntervalMs: 160 });
  const times: string[] = [];
  stop = collector.start();
  const seen = () => {
    const { at } = web(collector);
    if (at !== null && times.at(-1) !== at) times.push(at);
    return times.length >= 5;
  };
  await until("five looks", seen);
  const gaps = times.slice(1).map((at, index) => Date.parse(at) - Date.parse(times[index] ?? at));
  expect(gaps[1]).toBeGreaterThanOrEqual(75);
  expect(gaps[2]).toBeGreaterThanOrEqual(150);
  expect(gaps[3]).toBeGreaterThanOrEqual(150);
  await upstream.up();
});

test("with nothing configured every kind says which line would connect it; a reload is followed", async () => {
  await upstream.up();
  let settings = configOf({});
  const collector = new Collector({ config: () => settings, intervalMs: 60_000 });
  stop = collector.start();
  expect(collector.all().map(({ kind }) => kind)).toEqual([
    "cloudflare",
    "varnish",
    "nginx",
    "redis",
    "mariadb",
    "docker",
  ]);
  for (const { kind, name, state, fix } of collector.all()) {
    expect([name, state]).toEqual([null, "not_connected"]);
    expect(fix).toMatch(new RegExp(`^${kind}: \\[\\{ name: `));
  }
  settings = configOf(nginx());
  collector.follow();
  await until("up", () => web(collector).state === "up");
  settings = configOf({});
  collector.follow();
  expect(collector.all().every(({ state }) => state === "not_connected")).toBe(true);
  const left = new AbortController();
  for await (const event of liveHub().subscribe(left.signal)) {
    if (event.type === "snapshot")
      expect(event.connections.map(({ name }) => name)).toEqual(Array(6).fill(null));
    left.abort();
  }
});
