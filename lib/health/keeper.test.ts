// The keeper on a real database: what is kept, what a restart makes of it, and who is told.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { configSchema } from "../config/schema";
import { closeDatabase, db } from "../db/client";
import { openDatabase } from "../db/open";
import { AppError } from "../errors/app-error";
import { HealthKeeper } from "./keeper";
import { health, healthService, pruneStates } from "./service";

const directory = mkdtempSync(join(tmpdir(), "sluice-health-"));
const config = configSchema.parse({
  systems: {
    nginx: [{ name: "web", url: "http://n" }],
    mariadb: [{ name: "db", address: "db:3306" }],
  },
  sites: [{ name: "main", addresses: ["https://example.org"], caches: { nginx: ["web"] } }],
});
const target = (kind: string, name: string) => ({ kind, name, retries: 1 });
const web = target("nginx", "web");
const store = target("mariadb", "db");
const site = target("site", "main");
const all = [site, web, store];
const up = (at: number) => ({
  state: "up" as const,
  at,
  latencyMs: 1,
  data: { version: "1", facts: { status: 200 }, counters: { requests: at } },
});
const down = (at: number) => ({
  state: "down" as const,
  at,
  error: new AppError("UNREACHABLE", "refused", {
    problem: "http.connectionRefused",
    params: { address: "x" },
  }),
  lastGood: null,
});
const minute = 60_000;

beforeAll(async () => {
  process.env.SLUICE_DATA = directory;
  await openDatabase();
});
afterAll(async () => {
  await closeDatabase();
  rmSync(directory, { recursive: true, force: true });
});
beforeEach(async () => {
  await db().healthState.deleteMany();
  await db().healthWatch.deleteMany();
});

async function keeperOf(now: number, targets = all): Promise<HealthKeeper> {
  const keeper = new HealthKeeper(() => config);
  await keeper.open(now);
  keeper.follow(targets, now);
  return keeper;
}
const kept = async () =>
  (await db().healthState.findMany({ orderBy: { id: "asc" } })).map(
    ({ component, state, since }) => `${component} ${state} ${since.getTime()}`,
  );

test("changes are kept once each, the cause is found, listeners hear of both", async () => {
  const keeper = await keeperOf(1000);
  const heard: string[] = [];
  const shown: string[] = [];
  keeper.onChange(({ component, before }) => heard.push(`${component.key} ${before}>${component.state}`));
  keeper.onUpdate((one) => shown.push(`${one.key} ${one.state} ${one.cause}`));
  for (const at of [2000, 3000]) for (const one of all) keeper.see({ target: one, probed: up(at) });
  for (const at of [4000, 5000]) keeper.see({ target: store, probed: down(at) });
  for (const at of [4500, 5500]) keeper.see({ target: web, probed: down(at) });
  await keeper.settled();
  expect(await kept()).toEqual([
    "site/main up 2000",
    "nginx/web up 2000",
    "mariadb/db up 2000",
    "mariadb/db down 4000",
    "nginx/web down 4500",
  ]);
  expect(keeper.get("nginx/web")).toMatchObject({ state: "down", cause: "mariadb/db", facts: {} });
  expect(keeper.get("mariadb/db")).toMatchObject({
    state: "down",
    since: new Date(4000).toISOString(),
    cause: null,
    problem: { problem: "http.connectionRefused" },
  });
  expect(heard.slice(3)).toEqual(["mariadb/db up>down", "nginx/web up>down"]);
  // A failure that is not believed yet is shown as doubt, with the state as it was.
  expect(shown).toContain("mariadb/db up null");
  expect(keeper.all().map(({ key }) => key)).toEqual(["site/main", "nginx/web", "mariadb/db"]);
  expect(keeper.rates.perSecond("nginx/web", "requests", minute, 3000)).toBe(1000);
});

test("a password that is not taken any more wants a look, and is no outage", async () => {
  const keeper = await keeperOf(0);
  const refused = {
    ...down(1000),
    error: new AppError("UPSTREAM_AUTH", "db does not accept username and password.", {
      problem: "mariadb.auth",
      params: { system: "db" },
    }),
  };
  for (let look = 0; look < 4; look += 1) keeper.see({ target: store, probed: refused });
  await keeper.settled();
  expect(keeper.get("mariadb/db")).toMatchObject({ state: "warn", problem: { problem: "mariadb.auth" } });
});

test("the service of a new process forgets nothing before the looks begin", async () => {
  const since = new Date(Date.now() - minute);
  await db().healthState.create({ data: { component: "nginx/web", state: "down", since } });
  await db().healthWatch.create({ data: { id: 1, at: new Date() } });
  const stop = await healthService.start();
  try {
    health().follow([web]);
    expect(health().get("nginx/web")).toMatchObject({ state: "down", since: since.toISOString() });
    await health().settled();
    expect(await db().healthState.count()).toBe(1);
  } finally {
    await stop();
  }
});

test("a short restart changes nothing; after a longer one nobody knows what was", async () => {
  const first = await keeperOf(0);
  for (const one of all) first.see({ target: one, probed: up(1000) });
  await first.settled();
  await first.watched(10 * minute);

  const second = await keeperOf(11 * minute);
  expect(second.get("nginx/web")).toMatchObject({ state: "up", since: new Date(1000).toISOString() });
  await second.watched(20 * minute);

  const third = await keeperOf(60 * minute);
  expect(third.get("nginx/web")).toMatchObject({
    state: "unknown",
    since: new Date(20 * minute).toISOString(),
  });
  third.see({ target: web, probed: up(61 * minute) });
  await third.settled();
  expect((await kept()).filter((one) => one.startsWith("nginx"))).toEqual([
    "nginx/web up 1000",
    `nginx/web unknown ${20 * minute}`,
    `nginx/web up ${61 * minute}`,
  ]);
});

test("a component that is configured no more is unknown from then on", async () => {
  const keeper = await keeperOf(0);
  keeper.see({ target: web, probed: up(1000) });
  keeper.follow([site, store], 5000);
  await keeper.settled();
  expect(await kept()).toEqual(["nginx/web up 1000", "nginx/web unknown 5000"]);
  expect(keeper.get("nginx/web")).toBeNull();
  keeper.see({ target: web, probed: down(6000) });
  expect(keeper.get("nginx/web")).toBeNull();
});

test("old states go, the one in which the kept time began stays", async () => {
  const rows = [1000, 2000, 3000, 9000].map((at, index) => ({
    component: "nginx/web",
    state: index % 2 === 0 ? "up" : "down",
    since: new Date(at),
  }));
  await db().healthState.createMany({ data: rows });
  expect(await pruneStates(new Date(5000))).toBe(2);
  expect(await kept()).toEqual(["nginx/web up 3000", "nginx/web down 9000"]);
});
