// Incidents as health itself feeds them: what really opens one, and what must not be swallowed by another.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { configSchema } from "../config/schema";
import { closeDatabase, db } from "../db/client";
import { openDatabase } from "../db/open";
import { AppError } from "../errors/app-error";
import { HealthKeeper } from "../health/keeper";
import type { Probed } from "../systems/system";
import { IncidentKeeper } from "./keeper";
import { wire } from "./service";

const directory = mkdtempSync(join(tmpdir(), "sluice-incidents-wired-"));
const config = configSchema.parse({
  systems: {
    nginx: [{ name: "web", url: "http://n", status: "/s" }],
    http: [
      { name: "app", url: "http://a", role: "symfony" },
      { name: "nuxt", url: "http://b", role: "nuxt" },
    ],
    mariadb: [{ name: "db", address: "db:3306" }],
    redis: [{ name: "cache", url: "redis://r" }],
  },
  sites: [{ name: "main", addresses: ["https://example.org"], caches: { nginx: ["web"] } }],
});
const target = (key: string) => {
  const [kind = "", name = ""] = key.split("/");
  return { kind, name, retries: 0 };
};
const keys = ["site/main", "nginx/web", "http/app", "http/nuxt", "mariadb/db", "redis/cache"];
/** Yesterday, so that no time of the test is in the future. */
const began = Date.now() - 86_400_000;
const at = (second: number) => began + second * 1000;

let health: HealthKeeper;
let keeper: IncidentKeeper;
let heard: string[];
let stops: (() => void)[];

async function begin(second: number): Promise<void> {
  health = new HealthKeeper(() => config);
  await health.open(at(second));
  keeper = new IncidentKeeper(health, { calmMs: 30 });
  stops = wire(keeper, health);
  keeper.onEvent(({ event, incident }) => heard.push(`${event} ${incident.title}`));
  health.follow(keys.map(target), at(second));
  await keeper.open();
}
async function end(): Promise<void> {
  await keeper.settled();
  keeper.stop();
  for (const stop of stops) stop();
  await health.settled();
}
async function look(key: string, state: "up" | "warn" | "down", second: number): Promise<void> {
  const error = new AppError("UNREACHABLE", "refused", {
    problem: "http.connectionRefused",
    params: { address: "x" },
  });
  const concerns =
    state === "warn" ? [{ problem: "site.failing", params: { address: "x", status: 500 } }] : [];
  const probed: Probed =
    state === "down"
      ? { state, at: at(second), error, lastGood: null }
      : { state: "up", at: at(second), latencyMs: 1, data: { version: "1", facts: {}, concerns } };
  health.see({ target: target(key), probed });
  await keeper.settled();
}
/** Each incident with its components: "(beside)" the cause, "." where it ended. */
async function all(): Promise<Record<string, string[]>[]> {
  await keeper.settled();
  const rows = await db().incident.findMany({ include: { components: true }, orderBy: { id: "asc" } });
  return rows.map(({ title, components }) => ({
    [title]: components
      .map(({ component, beside, until }) => `${component}${beside ? " (beside)" : ""}${until ? "." : ""}`)
      .sort(),
  }));
}
async function closed(): Promise<void> {
  const limit = Date.now() + 5000;
  while ((await keeper.current()).length > 0) {
    if (Date.now() > limit) throw new Error(`it stays open: ${JSON.stringify(await all())}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

beforeAll(async () => {
  process.env.SLUICE_DATA = directory;
  await openDatabase();
});
afterAll(async () => {
  await closeDatabase();
  rmSync(directory, { recursive: true, force: true });
});
beforeEach(async () => {
  heard = [];
  for (const table of [
    "incidentEntry",
    "incidentComponent",
    "incident",
    "healthState",
    "healthWatch",
  ] as const)
    await (db()[table] as { deleteMany(): Promise<unknown> }).deleteMany();
  await begin(0);
  for (const key of keys) await look(key, "up", 1);
});
afterEach(end);

test("what is down opens one, what fails for it is in it, and it closes with the last one", async () => {
  await look("site/main", "down", 10);
  await look("http/app", "down", 12);
  await look("mariadb/db", "down", 14);
  expect(await all()).toEqual([{ db: ["http/app", "mariadb/db", "site/main"] }]);
  for (const key of ["mariadb/db", "http/app", "site/main"]) await look(key, "up", 60);
  await closed();
  expect(heard).toEqual(["opened main", "closed db"]);
});

test("an old incident of something above does not swallow a new outage", async () => {
  await look("http/nuxt", "down", 10);
  await look("mariadb/db", "down", 36_000);
  expect(await all()).toEqual([{ nuxt: ["http/nuxt"] }, { db: ["mariadb/db"] }]);
  expect(heard).toEqual(["opened nuxt", "opened db"]);
  expect(health.get("http/nuxt")?.cause).toBeNull();
});

test("what breaks hours later does not fail for something that is silent to us only, nor for an old alert", async () => {
  await look("mariadb/db", "down", 10);
  health.exportersSay(new Map([["mariadb/db", true]]));
  await look("mariadb/db", "down", 80);
  expect(health.get("mariadb/db")?.state).toBe("disagree");
  await look("http/nuxt", "down", 7200);
  expect(heard).toEqual(["opened db", "opened nuxt"]);
  keeper.seeAlerts(
    [
      {
        id: "a",
        name: "Evictions",
        component: "redis/cache",
        since: new Date(at(7900)).toISOString(),
        opens: true,
      },
    ],
    true,
  );
  await look("http/app", "down", 36_000);
  expect(heard).toEqual(["opened db", "opened nuxt", "opened Evictions", "opened app"]);
});

test("that exporters contradict us after a minute makes no second incident of one", async () => {
  await look("mariadb/db", "down", 10);
  await look("nginx/web", "down", 12);
  const both = [{ db: ["mariadb/db", "nginx/web (beside)"] }];
  expect(await all()).toEqual(both);
  health.exportersSay(
    new Map([
      ["nginx/web", true],
      ["mariadb/db", true],
    ]),
  );
  await look("mariadb/db", "down", 72);
  await look("nginx/web", "down", 74);
  expect(await all()).toEqual(both);
  expect(heard).toEqual(["opened db"]);
});

test.each([
  ["mariadb/db", "redis/cache"],
  ["redis/cache", "mariadb/db"],
])("%s first, %s an hour later: two incidents, and the site stays in its own", async (first, second) => {
  await look(first, "down", 10);
  await look("site/main", "down", 12);
  await look(second, "down", 3600);
  const [a = {}, b = {}] = await all();
  expect(Object.values(a)).toEqual([[first, "site/main"].sort()]);
  expect(Object.values(b)).toEqual([[second]]);
  expect(heard).toHaveLength(2);
});

test("a site that fails for the one and then for the other ends with each", async () => {
  await look("mariadb/db", "down", 10);
  await look("redis/cache", "down", 12);
  await look("site/main", "down", 14);
  await look("redis/cache", "up", 100);
  await look("mariadb/db", "up", 200);
  await look("site/main", "up", 201);
  await closed();
  expect(heard.filter((one) => one.startsWith("closed"))).toHaveLength(2);
});

test("what goes down by itself later is its own incident, also after a restart", async () => {
  await look("nginx/web", "down", 10);
  await look("site/main", "down", 11);
  await end();
  await health.watched(at(20));
  await begin(30);
  keeper.takeUp(health.all());
  await look("nginx/web", "down", 40);
  await look("mariadb/db", "down", 7200);
  expect(heard).toEqual(["opened web", "opened db"]);
  expect(await all()).toEqual([{ web: ["nginx/web", "site/main"] }, { db: ["mariadb/db"] }]);
});

test("what was taken out of the configuration keeps no incident open, and is not called well", async () => {
  await look("mariadb/db", "down", 10);
  await look("http/app", "down", 12);
  const [one] = await keeper.current();
  const byHand = { state: "closed", closedAt: new Date(at(20)), closedBy: "Ada" };
  await db().incident.update({ where: { id: one?.id ?? 0 }, data: byHand });
  await look("mariadb/db", "up", 30);
  health.follow(keys.filter((key) => key !== "http/app").map(target), at(40));
  await look("mariadb/db", "down", 100);
  await look("mariadb/db", "up", 120);
  await closed();
  await look("mariadb/db", "down", 10_000);
  health.follow([], at(10_010));
  await closed();
  const rows = await db().incident.findMany({ orderBy: { id: "asc" } });
  expect(rows.map(({ closedBy }) => closedBy)).toEqual(["probe", "sluice"]);
});

test("what fails long after an old outage is told, also where it only suffered until then", async () => {
  await look("redis/cache", "down", 10);
  await look("http/app", "down", 20);
  await look("http/app", "up", 30);
  await look("site/main", "down", 86_400);
  expect(heard).toEqual(["opened cache", "opened main"]);
});

test("closed by hand it stays closed while it fails, whatever is said of it; what fails anew opens it again", async () => {
  await look("mariadb/db", "down", 10);
  await look("http/app", "down", 12);
  const [one] = await keeper.current();
  const byHand = { state: "closed", closedAt: new Date(at(60)), closedBy: "Ada" };
  await db().incident.update({ where: { id: one?.id ?? 0 }, data: byHand });
  health.exportersSay(new Map([["mariadb/db", true]]));
  await look("mariadb/db", "down", 75);
  health.exportersSay(new Map());
  await look("mariadb/db", "down", 80);
  keeper.takeUp(health.all());
  await keeper.settled();
  expect(await keeper.current()).toEqual([]);
  await look("mariadb/db", "up", 90);
  await look("mariadb/db", "down", 100);
  await keeper.settled();
  expect(heard).toEqual(["opened db", "reopened db"]);
});

test("what only suffered when its incident was closed by hand is told when it goes down", async () => {
  await look("mariadb/db", "down", 10);
  await look("site/main", "warn", 12);
  const [one] = await keeper.current();
  expect(one?.components.map(({ component }) => component)).toContain("site/main");
  const byHand = { state: "closed", closedAt: new Date(at(60)), closedBy: "Ada" };
  await db().incident.update({ where: { id: one?.id ?? 0 }, data: byHand });
  keeper.takeUp(health.all());
  await keeper.settled();
  expect(heard).toEqual(["opened db"]);
  await look("site/main", "down", 120);
  expect(heard).toHaveLength(2);
  expect((await keeper.current())[0]?.components.map(({ component }) => component)).toContain("site/main");
});

test("announced work says nothing is well that is not, and hides nothing from an open incident", async () => {
  await look("mariadb/db", "down", 10);
  const work = { title: "repair", components: '["mariadb/db"]', createdBy: "Ada" };
  await db().maintenance.create({
    data: { ...work, startsAt: new Date(at(20)), endsAt: new Date(Date.now() + 60_000) },
  });
  await look("mariadb/db", "up", 30);
  await look("mariadb/db", "down", 31);
  await new Promise((resolve) => setTimeout(resolve, 120));
  await keeper.settled();
  expect(heard).toEqual(["opened db"]);
  await look("mariadb/db", "up", 50);
  await closed();
  // Nothing is open: what fails now waits for the end of the work.
  await look("mariadb/db", "down", 2000);
  expect(await keeper.current()).toEqual([]);
  await end();
  await health.watched(at(2010));
  await begin(2020);
  await db().maintenance.updateMany({ data: { endedAt: new Date() } });
  keeper.takeUp(health.all());
  await keeper.settled();
  expect(await keeper.current()).toHaveLength(1);
  await db().maintenance.deleteMany();
});

test("flapping is one incident; another of it that breaks soon after is another one", async () => {
  for (const second of [10, 200, 400]) {
    await look("mariadb/db", "down", second);
    await look("http/nuxt", "down", second + 2);
    await look("nginx/web", "down", second + 3);
    for (const key of ["mariadb/db", "http/nuxt", "nginx/web"]) await look(key, "up", second + 40);
    await closed();
  }
  expect(await db().incident.count()).toBe(1);
  const rounds = ["opened db", "closed db", "reopened db", "closed db", "reopened db", "closed db"];
  expect(heard).toEqual(rounds);
  await look("http/nuxt", "down", 460);
  expect(heard).toEqual([...rounds, "opened nuxt"]);
});

test("an alert's incident takes in no outage of another", async () => {
  const since = new Date(at(5)).toISOString();
  keeper.seeAlerts([{ id: "a", name: "Evictions", component: "redis/cache", since, opens: true }], true);
  await look("http/app", "down", 35);
  expect(heard).toEqual(["opened Evictions", "opened app"]);
});

test("an incident that an error lost is opened when all is compared again", async () => {
  await look("mariadb/db", "down", 10);
  await db().incident.deleteMany();
  keeper.takeUp(health.all());
  expect(await all()).toEqual([{ db: ["mariadb/db"] }]);
  // Not one that somebody closed while it was down.
  await db().incident.updateMany({ data: { state: "closed", closedAt: new Date(), closedBy: "Ada" } });
  keeper.takeUp(health.all());
  await keeper.settled();
  expect(await keeper.current()).toEqual([]);
});
