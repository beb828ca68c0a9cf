// What is kept of deaths: bounded in number, age and size, however many names there are.
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { type House, openHouse } from "../auth/house.fixture";
import { db } from "../db/client";
import { frame, inspectedAs, watchableEngine } from "../systems/docker/engine.fixture";
import type { ContainerEvent } from "../systems/docker/events";
import { deathsOf, goneOf, keepDeath, keepFound } from "./deaths";
import type { HostWatch } from "./host-watch";
import { Watched } from "./watched";

let house: House;
beforeAll(async () => {
  house = await openHouse();
});
afterAll(() => house.close());
beforeEach(() => db().containerDeath.deleteMany());

const day = 86_400_000;

/** Keeps the death of a container of this name, with `log` as its last words. */
async function die(name: string, at = Date.now(), log = ""): Promise<void> {
  const engine = await watchableEngine(onTestFinished, {
    other(response) {
      response.end(log === "" ? undefined : frame(log));
      return true;
    },
  });
  const watched = new Watched(inspectedAs(name));
  const event = { event: "die", detail: "1", at } as ContainerEvent;
  await keepDeath({ engine } as HostWatch, { watched, event, requested: false, oom: false });
}

const earlier = (count: number, at: number) =>
  db().containerDeath.createMany({
    data: Array.from({ length: count }, (_, index) => ({
      host: "test",
      container: `c${index}-${at}`,
      name: `run-${index}-${at}`,
      image: "app:1",
      at: new Date(at),
      exitCode: 1,
      oom: false,
      requested: false,
      lines: "[]",
    })),
  });

test("a new name with every run: those of the last 90 days are kept, 2,000 at most", async () => {
  await earlier(3, Date.now() - 91 * day);
  await earlier(5, Date.now() - 89 * day);
  await die("one");
  expect(await db().containerDeath.count()).toBe(6);
  await earlier(2100, Date.now() - day);
  await die("two");
  expect(await db().containerDeath.count()).toBe(2000);
  expect(await deathsOf("test", "two", null)).toHaveLength(1);
  expect(await deathsOf("test", "one", null)).toHaveLength(0);
});

test("of one name the last twenty; tasks of a Swarm's service are one name", async () => {
  const task = (index: number) => `web.${(index % 3) + 1}.${`task${index}`.padEnd(25, "x")}`;
  for (let index = 0; index < 22; index++) await die(task(index), Date.now() - (22 - index) * 1000);
  expect(await db().containerDeath.count({ where: { name: "web" } })).toBe(20);
  expect(await db().containerDeath.count()).toBe(20);
  const [last] = await deathsOf("test", task(30), null);
  expect(last?.container).toBe(inspectedAs(task(21)).Id);
  expect(await goneOf((_host, name) => name === "web")).toEqual([]);
  expect((await goneOf(() => false)).map(({ name }) => name)).toEqual(["web"]);
});

test("of a death that was long-winded the newest lines, each cut with what is missing counted", async () => {
  const at = Date.parse("2026-11-24T09:00:50Z");
  const lines = Array.from(
    { length: 50 },
    (_, index) => `2026-11-24T09:00:${String(index).padStart(2, "0")}Z ${index} ${"é".repeat(30_000)}\n`,
  );
  await die("wordy", at, lines.join(""));
  const row = await db().containerDeath.findFirstOrThrow({ where: { name: "wordy" } });
  expect(Buffer.byteLength(row.lines)).toBeLessThanOrEqual(64 * 1024);
  const kept = (await deathsOf("test", "wordy", null))[0]?.lines ?? [];
  expect(kept.map(({ text }) => text.split(" ")[0])).toEqual(["47", "48", "49"]);
  expect(kept.at(-1)).toMatchObject({ cut: 60_000 - (8192 - 3) * 2 });
});

test("one that had ended before Sluice watched is kept once, and not beside the same death that was heard", async () => {
  const engine = await watchableEngine(onTestFinished, {
    other(response) {
      response.end(frame("2026-11-25T10:00:00.000000000Z last words\n"));
      return true;
    },
  });
  const host = { engine } as HostWatch;
  const ended = new Watched(inspectedAs("before"));
  const State = {
    ...ended.inspected.State,
    Status: "exited",
    ExitCode: 42,
    FinishedAt: "2026-11-25T10:00:01.5Z",
  };
  ended.inspected = { ...ended.inspected, State };
  await keepFound(host, ended);
  await keepFound(host, ended);
  expect(await deathsOf("test", "before", null)).toMatchObject([{ exitCode: 42, requested: false }]);
  ended.inspected = { ...ended.inspected, State: { ...State, FinishedAt: "2026-11-25T10:00:03Z" } };
  await keepFound(host, ended);
  expect(await db().containerDeath.count()).toBe(1);
});
