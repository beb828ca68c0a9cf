// When registries are asked: a clock that runs as fast as the work, a registry and an engine of the test's own making.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { type House, openHouse } from "../auth/house.fixture";
import { db } from "../db/client";
import { forgetSingleton } from "../runtime/singleton";
import { inspectedAs, watchableEngine } from "../systems/docker/engine.fixture";
import type { ServicesCollector } from "./collector";
import type { HostWatch } from "./host-watch";
import { keepCheck, startUpdates, updateOf } from "./updates";
import { Watched } from "./watched";

/** Sleeps move the clock and wait for nothing, until it stands at `until`; then they last until they are aborted. */
const clock = vi.hoisted(() => ({ until: 0, reached: () => {} }));
vi.mock("node:timers/promises", async (original) => ({
  ...(await original<typeof import("node:timers/promises")>()),
  setTimeout: async (ms: number, _value: unknown, { signal }: { signal: AbortSignal }) => {
    await new Promise((resolve) => setImmediate(resolve));
    if (Date.now() + ms <= clock.until) return void vi.setSystemTime(Date.now() + ms);
    clock.reached();
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  },
}));

const hour = 3_600_000;
const start = Date.UTC(2026, 10, 24);
const digest = `sha256:${"d".repeat(64)}`;
let house: House;
beforeEach(async () => {
  house = await openHouse();
  for (const name of ["config", "services.updates", "services.updates.answers", "services.updates.resting"])
    forgetSingleton(name);
  vi.useFakeTimers({ toFake: ["Date"], now: start });
});
afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await house.close();
});

/** A registry that says when it was asked, hours since the start; `fails` decides what it answers with. */
async function registry(fails = () => false) {
  const asked: number[] = [];
  const server = createServer((request, response) => {
    if (request.method === "HEAD") asked.push((Date.now() - start) / hour);
    if (fails()) response.writeHead(500).end();
    else if (request.url?.includes("/tags/list")) response.end('{"name":"team/app","tags":["1.0"]}');
    else
      response
        .writeHead(200, {
          "docker-content-digest": digest,
          "content-type": "application/vnd.oci.image.manifest.v1+json",
        })
        .end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const image = `127.0.0.1:${(server.address() as AddressInfo).port}/team/app:1.0`;
  return { asked, image };
}

/** What looks after the updates of one container of this image. */
async function watchedOf(image: string) {
  const engine = await watchableEngine(onTestFinished, {
    other(response) {
      response.end(
        JSON.stringify({ Id: "sha256:1", RepoDigests: [`${image.replace(/:[^:]*$/, "")}@${digest}`] }),
      );
      return true;
    },
  });
  const watched = new Watched(inspectedAs("app", { Config: { Image: image } }));
  const host = { engine, up: true, containers: new Map([[watched.id, watched]]) } as unknown as HostWatch;
  const touched: string[] = [];
  const collector = {
    hosts: () => [host],
    touch: ({ name }: Watched) => touched.push(name),
  } as unknown as ServicesCollector;
  return { collector, host, touched };
}

/** Runs them until so many hours after the start. */
async function run(collector: ServicesCollector, untilHours: number): Promise<void> {
  clock.until = start + untilHours * hour;
  const reached = new Promise<void>((resolve) => {
    clock.reached = resolve;
  });
  const stop = startUpdates(collector);
  await reached;
  await stop();
}

describe("registries are asked", () => {
  test.each([
    [0, 5.4],
    [0.5, 6],
    [1, 6.6],
  ])("every six hours, with jitter (%d): never sooner, hardly later", async (random, every) => {
    vi.spyOn(Math, "random").mockReturnValue(random);
    const { asked, image } = await registry();
    const { collector, host, touched } = await watchedOf(image);
    await run(collector, 24);
    expect(asked.map((at) => Math.round(at * 10) / 10)).toEqual(
      [0, 1, 2, 3, 4].map((n) => Math.round(n * every * 10) / 10).filter((at) => at < 24),
    );
    expect(asked[1]).toBeGreaterThan(every);
    expect(touched).toHaveLength(asked.length);
    const imageId = `sha256:${"1".repeat(64)}`;
    expect(updateOf(host.engine.name, image, imageId)).toMatchObject({ state: "same" });
  });

  test("sooner when they failed, and not anew because Sluice starts", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    const { asked, image } = await registry(() => Date.now() < start + 1.5 * hour);
    const { collector } = await watchedOf(image);
    await run(collector, 4);
    expect(asked.map((at) => Math.round(at))).toEqual([0, 1, 2]);
    forgetSingleton("services.updates");
    await run(collector, 7);
    expect(asked).toHaveLength(3);
    await run(collector, 9);
    expect(asked).toHaveLength(4);
  });
});

test("what was said of an image that no container has had for a month is forgotten", async () => {
  const { collector, host } = await watchedOf("app:1");
  const keep = (image: string, days: number) =>
    keepCheck(collector, host, image, "sha256:1", {
      state: "same",
      tags: [],
      problem: null,
      checkedAt: new Date(start - days * 24 * hour).toISOString(),
    });
  await keep("app:0.8", 29);
  await keep("app:0.9", 20);
  vi.setSystemTime(start + 2 * 24 * hour);
  await keep("app:1", 0);
  const rows = await db().imageCheck.findMany({ orderBy: { image: "asc" } });
  expect(rows.map(({ image }) => image)).toEqual(["app:0.9", "app:1"]);
  expect(updateOf(host.engine.name, "app:0.8", "sha256:1")).toBeNull();
  expect(updateOf(host.engine.name, "app:0.9", "sha256:1")).not.toBeNull();
});
