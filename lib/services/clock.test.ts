// Engines whose clocks are not ours: what is compared with our time is compared by theirs.
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type House, openHouse } from "../auth/house.fixture";
import { db } from "../db/client";
import { inspectedAs, watchableEngine } from "../systems/docker/engine.fixture";
import { until } from "../systems/test-stack";
import { deathsOf } from "./deaths";
import { watching } from "./services.fixture";

const minute = 60_000;

describe("deaths in the last ten minutes", () => {
  /** Watches a container that died these many minutes ago, on an engine whose clock is `skewMs` ahead. */
  async function diedOn(skewMs: number, minutesAgo: readonly number[]) {
    const web = inspectedAs("web", { HostConfig: { RestartPolicy: { Name: "always" } } });
    const asked: number[] = [];
    const engine = await watchableEngine(onTestFinished, {
      skewMs,
      containers: () => [{ ...web, RestartCount: 3 }],
      events(response) {
        for (const ago of minutesAgo)
          response.write(
            `${JSON.stringify({
              Type: "container",
              Action: "die",
              Actor: { ID: web.Id, Attributes: { name: "web", exitCode: "1" } },
              time: (Date.now() + skewMs) / 1000 - ago * 60,
            })}\n`,
          );
      },
    });
    const collector = await watching(onTestFinished, engine, {
      deathsSince: async (_host, _container, from) => {
        asked.push(from);
        return [];
      },
    });
    const heard = () => [...collector.host(engine.name).containers.values()][0]?.events.length;
    await until("its deaths are heard", async () => heard() === minutesAgo.length);
    const row = collector.snapshot().rows[0];
    return { deaths: row?.deaths, reasons: row?.reasons, since: (asked[0] ?? 0) - Date.now() };
  }

  test("of an engine that is behind, a loop is seen", async () => {
    const seen = await diedOn(-11 * minute, [3, 2, 1]);
    expect(seen).toMatchObject({ deaths: 3, reasons: ["loop"] });
    // What is kept of before is asked for by its clock too.
    expect(Math.abs(seen.since + 21 * minute)).toBeLessThan(5000);
  });

  test("of one that is ahead, what is long over does not count", async () => {
    const seen = await diedOn(11 * minute, [15, 12, 1]);
    expect(seen).toMatchObject({ deaths: 1, reasons: ["restarted"] });
    expect(Math.abs(seen.since - minute)).toBeLessThan(5000);
  });
});

describe("changes before a death", () => {
  let house: House;
  beforeAll(async () => {
    house = await openHouse();
  });
  afterAll(() => house.close());

  test("are those of the fifteen minutes before it, and stand where they were by the engine's clock", async () => {
    const now = Date.UTC(2026, 10, 24, 12);
    const skewMs = -20 * minute;
    const change = (title: string, minutes: number) =>
      db().change.create({
        data: {
          kind: "service.restart",
          title,
          state: "done",
          level: "disruptive",
          actorType: "user",
          actorName: "Ada",
          origin: "page",
          input: "{}",
          plan: "{}",
          search: "",
          createdAt: new Date(now + minutes * minute),
        },
      });
    for (const [title, minutes] of [
      ["long before", -20],
      ["just before", -2],
      ["after", 2],
    ] as const)
      await change(title, minutes);
    const at = new Date(now + skewMs);
    await db().containerDeath.create({
      data: {
        host: "behind",
        container: "c",
        name: "web",
        image: "web:1",
        at,
        exitCode: 1,
        oom: false,
        requested: false,
        lines: "[]",
      },
    });
    const [death] = await deathsOf("behind", "web", null, skewMs);
    expect(death?.before.map(({ detail, at }) => [detail, at])).toEqual([
      ["just before", new Date(at.getTime() - 2 * minute).toISOString()],
    ]);
  });
});
