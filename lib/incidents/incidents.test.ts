// Incidents: one for each cause, folded, reopened, closed when all is well, silent during announced work; and the post-mortem.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { configSchema } from "../config/schema";
import { closeDatabase, db } from "../db/client";
import { openDatabase } from "../db/open";
import { type Component, exporterSaysUp, type HealthState } from "../health/contract";
import { below } from "../health/graph";
import type { HostWatch } from "../services/host-watch";
import type { Watched } from "../services/watched";
import { partsOf, touches } from "./containers";
import { isCauseWell, othersOf } from "./contract";
import { readEvidence } from "./evidence";
import { foldOf } from "./fold";
import { IncidentKeeper } from "./keeper";
import { postMortem } from "./markdown";
import { toEntry } from "./rows";
import { weightOf } from "./suspects";

const directory = mkdtempSync(join(tmpdir(), "sluice-incidents-"));
const nodes = new Map([
  ["site/main", { dependsOn: ["nginx/web"] }],
  ["nginx/web", { dependsOn: ["php_fpm/php"] }],
  ["php_fpm/php", { dependsOn: ["mariadb/db", "redis/cache"] }],
  ["mariadb/db", { dependsOn: [] }],
  ["redis/cache", { dependsOn: [] }],
]);
const alone = new Set<string>();
const relations = {
  isBelow: (upper: string, lower: string) => below(upper, nodes).includes(lower),
  isAlone: (key: string) => alone.has(key),
};

beforeAll(async () => {
  process.env.SLUICE_DATA = directory;
  await openDatabase();
});
afterAll(async () => {
  await closeDatabase();
  rmSync(directory, { recursive: true, force: true });
});

afterEach(() => alone.clear());

describe("folding", () => {
  const second = 1000;
  const minute = 60 * second;
  const open = (cause: string, ...others: { component: string; until: number | null }[]) => [
    { id: 7, cause, brokeAt: 0, components: [{ component: cause, until: null }, ...others] },
  ];
  const joins = (cause: string | null, beside = false) => ({ act: "join", id: 7, cause, beside });
  const opens = { act: "open" };
  const well = new Set<string>();
  const known = { ...relations, isDown: (key: string) => !well.has(key) };
  const fold = (key: string, root: string, one: ReturnType<typeof open>, since = 10 * second) =>
    foldOf(key, root, since, one, known);
  afterEach(() => well.clear());

  test("a new cause opens one; the same and a deeper one join it; another store is another incident", () => {
    expect(fold("mariadb/db", "mariadb/db", [])).toEqual({ act: "open", cause: "mariadb/db" });
    expect(fold("nginx/web", "mariadb/db", open("mariadb/db"))).toEqual(joins(null));
    expect(fold("mariadb/db", "mariadb/db", open("nginx/web"))).toEqual(joins("mariadb/db"));
    expect(fold("redis/cache", "redis/cache", open("mariadb/db"))).toMatchObject(opens);
    // One that was opened by hand is nobody's cause.
    const byHand = [{ id: 1, cause: null, brokeAt: 0, components: [] }];
    expect(foldOf("redis/cache", "redis/cache", 0, byHand, known)).toMatchObject(opens);
  });

  test("what fails long after is no deeper cause of what was down before, and does not fail for it", () => {
    expect(fold("mariadb/db", "mariadb/db", open("nginx/web"), 4 * minute)).toEqual(joins("mariadb/db"));
    expect(fold("mariadb/db", "mariadb/db", open("nginx/web"), 6 * minute)).toMatchObject(opens);
    expect(fold("nginx/web", "nginx/web", open("mariadb/db"), 6 * minute)).toMatchObject(opens);
    expect(fold("php_fpm/php", "mariadb/db", open("mariadb/db"), 6 * minute)).toEqual(joins(null));
  });

  test("two that are down by themselves are one where they went together, and neither is called the other's cause", () => {
    alone.add("nginx/web");
    expect(fold("nginx/web", "nginx/web", open("mariadb/db"))).toEqual(joins(null, true));
    expect(fold("mariadb/db", "mariadb/db", open("nginx/web"))).toEqual(joins(null, true));
    // A site that fails for the deeper one.
    expect(fold("site/main", "mariadb/db", open("nginx/web"))).toEqual(joins(null, true));
    expect(fold("nginx/web", "nginx/web", open("mariadb/db"), 2 * minute)).toMatchObject(opens);
    expect(fold("mariadb/db", "mariadb/db", open("nginx/web"), 2 * minute)).toMatchObject(opens);
  });

  test("what fails again before it was long well is still the same; what fails for something new is not", () => {
    const still = open("mariadb/db", { component: "site/main", until: null });
    expect(fold("site/main", "site/main", still, 9 * minute)).toEqual(joins(null, true));
    expect(fold("site/main", "redis/cache", still, 9 * minute)).toEqual({
      act: "open",
      cause: "redis/cache",
    });
    const mended = open("mariadb/db", { component: "site/main", until: 8 * minute });
    expect(fold("site/main", "site/main", mended, 8.5 * minute)).toEqual(joins(null, true));
    expect(fold("site/main", "site/main", mended, 10 * minute)).toMatchObject(opens);
    // What fails for something that stands in it: that one is why.
    expect(
      fold(
        "site/main",
        "php_fpm/php",
        open("mariadb/db", { component: "php_fpm/php", until: null }),
        9 * minute,
      ),
    ).toEqual(joins(null));
    expect(fold("site/main", "site/main", still, 61 * minute)).toMatchObject(opens);
  });

  test("an incident whose cause is well, or which an alert opened, takes nothing in", () => {
    well.add("mariadb/db");
    expect(fold("nginx/web", "nginx/web", open("mariadb/db"))).toMatchObject(opens);
    expect(fold("site/main", "site/main", open("mariadb/db"))).toMatchObject(opens);
  });
});

describe("the keeper", () => {
  let states: Map<string, Component>;
  let keeper: IncidentKeeper;
  let heard: string[];
  const began = Date.now() - 60_000;

  beforeEach(async () => {
    await db().incident.deleteMany();
    await db().maintenance.deleteMany();
    states = new Map();
    heard = [];
    keeper = new IncidentKeeper({ get: (key) => states.get(key) ?? null, ...relations }, { calmMs: 30 });
    keeper.onEvent(({ event, incident }) => heard.push(`${event} ${incident.title}`));
  });
  afterEach(() => keeper.stop());

  /** `key` is in `state` from `second` on. */
  function turn(key: string, state: HealthState, second: number, cause: string | null = null): void {
    const [kind = "", name = ""] = key.split("/");
    const before = states.get(key)?.state ?? "up";
    const one: Component = {
      key,
      kind,
      name,
      layer: "side",
      state,
      since: new Date(began + second * 1000).toISOString(),
      problem: null,
      concerns: [],
      failing: 0,
      latencyMs: null,
      version: null,
      facts: {},
      dependsOn: [],
      cause,
    };
    states.set(key, one);
    keeper.see(one, before);
  }
  const all = () =>
    db().incident.findMany({ include: { components: true, entries: true }, orderBy: { id: "asc" } });
  async function closed(): Promise<void> {
    const end = Date.now() + 5000;
    while ((await keeper.current()).length > 0) {
      if (Date.now() > end) throw new Error("it stays open");
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await keeper.settled();
  }

  test("thirty notices are one incident: its cause found late, its children folded, closed when the last one is well", async () => {
    turn("nginx/web", "down", 1);
    turn("mariadb/db", "down", 4);
    turn("php_fpm/php", "warn", 5, "mariadb/db");
    turn("nginx/web", "down", 1, "mariadb/db");
    await keeper.settled();
    const [one, ...others] = await all();
    expect(others).toEqual([]);
    expect(one).toMatchObject({
      title: "db",
      cause: "mariadb/db",
      state: "open",
      openedAt: new Date(began + 1000),
    });
    expect(one?.components.map(({ component }) => component).sort()).toEqual([
      "mariadb/db",
      "nginx/web",
      "php_fpm/php",
    ]);
    expect(heard).toEqual(["opened web"]);

    turn("mariadb/db", "up", 20);
    turn("php_fpm/php", "up", 21);
    await keeper.settled();
    expect(await keeper.current()).toHaveLength(1);
    turn("nginx/web", "up", 25);
    await closed();
    expect((await all())[0]).toMatchObject({
      state: "closed",
      closedBy: "probe",
      closedAt: new Date(began + 25_000),
    });
    expect(heard).toEqual(["opened web", "closed db"]);
  });

  test("two that are down by themselves: one incident says so of both; it is over for the cause before it is for the other", async () => {
    alone.add("nginx/web");
    turn("mariadb/db", "down", 1);
    turn("nginx/web", "down", 4);
    turn("site/main", "down", 5, "mariadb/db");
    await keeper.settled();
    const [one, ...others] = await keeper.current();
    expect(others).toEqual([]);
    if (one === undefined) throw new Error("there is none");
    expect(one).toMatchObject({ title: "db", cause: "mariadb/db" });
    expect(othersOf(one)).toEqual({ becauseOfIt: ["main"], besideIt: ["web"] });
    expect(isCauseWell(one)).toBe(false);
    turn("mariadb/db", "up", 9);
    turn("site/main", "up", 9);
    await keeper.settled();
    const [left] = await keeper.current();
    expect(left !== undefined && isCauseWell(left)).toBe(true);
  });

  test("that its exporter says that it is up ends nothing while it does not answer", async () => {
    turn("mariadb/db", "down", 1);
    await keeper.settled();
    const before = states.get("mariadb/db");
    if (before === undefined) throw new Error("it is not known");
    const silent = { problem: exporterSaysUp, params: {} };
    keeper.see({ ...before, state: "disagree", problem: silent }, "down");
    await keeper.settled();
    expect((await keeper.current())[0]?.components).toMatchObject([{ component: "mariadb/db", until: null }]);
    turn("mariadb/db", "up", 90);
    await closed();
  });

  test("what is taken out of the configuration while it is down ends in its incident, and that ends", async () => {
    turn("mariadb/db", "down", 1);
    await keeper.settled();
    states.delete("mariadb/db");
    keeper.forget("mariadb/db", new Date(began + 9000));
    await closed();
    const [one] = await all();
    expect(one?.entries.map(({ type }) => type)).toEqual(["opened", "down", "gone", "closed"]);
    expect(one?.closedAt).toEqual(new Date(began + 9000));
  });

  test("there is something new to look at when one opens, when its cause is found, and when it breaks again", async () => {
    const turns: string[] = [];
    keeper.onTurn(({ cause }) => turns.push(cause ?? "none"));
    turn("nginx/web", "down", 1);
    turn("site/main", "down", 2, "nginx/web");
    turn("mariadb/db", "down", 4);
    turn("php_fpm/php", "down", 5, "mariadb/db");
    await keeper.settled();
    expect(turns).toEqual(["nginx/web", "mariadb/db"]);
    for (const key of ["nginx/web", "site/main", "mariadb/db", "php_fpm/php"]) turn(key, "up", 9);
    await closed();
    turn("mariadb/db", "down", 20);
    await keeper.settled();
    expect(turns).toEqual(["nginx/web", "mariadb/db", "mariadb/db"]);
  });

  test("evidence is read as it was kept before there could be several", () => {
    const old = { at: "2026-11-25T10:00:05.000Z", components: [], logs: [] };
    expect(readEvidence(null)).toEqual([]);
    expect(readEvidence(JSON.stringify(old))).toEqual([{ ...old, snapshots: [] }]);
    expect(readEvidence(JSON.stringify([old, old]))).toHaveLength(2);
  });

  test("what only suffers opens none; two causes are two; a flapping one is reopened", async () => {
    turn("site/main", "warn", 1);
    turn("php_fpm/php", "warn", 1, "mariadb/db");
    await keeper.settled();
    expect(await all()).toEqual([]);
    turn("mariadb/db", "down", 2);
    turn("redis/cache", "down", 3);
    await keeper.settled();
    expect((await all()).map(({ cause }) => cause)).toEqual(["mariadb/db", "redis/cache"]);
    turn("mariadb/db", "up", 5);
    turn("redis/cache", "up", 5);
    await closed();
    turn("redis/cache", "down", 10);
    await keeper.settled();
    expect((await all()).map(({ state }) => state)).toEqual(["closed", "open"]);
    expect(heard.at(-1)).toBe("reopened cache");
  });

  test("what wanted a look before for a reason of its own is not dragged in, nor its time", async () => {
    turn("php_fpm/php", "warn", -3 * 86_400);
    turn("nginx/web", "warn", 3);
    turn("mariadb/db", "down", 4);
    // Health names the cause of all that is ill above it.
    turn("php_fpm/php", "warn", -3 * 86_400, "mariadb/db");
    turn("nginx/web", "warn", 3, "mariadb/db");
    await keeper.settled();
    const [one] = await all();
    expect(one?.components.map(({ component }) => component).sort()).toEqual(["mariadb/db", "nginx/web"]);
    expect(one?.openedAt).toEqual(new Date(began + 3000));
    turn("mariadb/db", "up", 6);
    // One of them still wants a look, for itself now: that keeps nothing open.
    turn("nginx/web", "warn", 3);
    await closed();
    expect(heard).toEqual(["opened db", "closed db"]);
  });

  test("closed by hand while it was down, well meanwhile, down again: it closes by itself, and nobody has acknowledged it", async () => {
    turn("mariadb/db", "down", 1);
    turn("nginx/web", "down", 2, "mariadb/db");
    await keeper.settled();
    const [{ id } = { id: 0 }] = await all();
    const data = {
      state: "closed",
      closedAt: new Date(began + 3000),
      closedBy: "Ada",
      acknowledgedBy: "Ada",
    };
    await db().incident.update({ where: { id }, data });
    turn("nginx/web", "up", 4);
    turn("mariadb/db", "up", 4);
    turn("mariadb/db", "down", 6);
    await keeper.settled();
    expect(await all()).toMatchObject([{ id, state: "open", acknowledgedBy: null }]);
    turn("mariadb/db", "up", 8);
    await closed();
    expect(heard).toEqual(["opened db", "reopened db", "closed db"]);
  });

  test("after a restart: what is down and in no incident joins or opens one, what is well ends, what was closed by hand stays so", async () => {
    turn("redis/cache", "down", 1);
    turn("mariadb/db", "down", 1);
    await keeper.settled();
    const byHand = { state: "closed", closedAt: new Date(), closedBy: "Ada" };
    await db().incident.updateMany({ where: { cause: "mariadb/db" }, data: byHand });
    // Health kept it, and the incident did not: Sluice died between the two.
    const kept = (key: string, state: HealthState, second: number): Component => {
      const one = states.get("redis/cache");
      if (one === undefined) throw new Error("not there");
      return { ...one, key, state, since: new Date(began + second * 1000).toISOString() };
    };
    keeper.takeUp([
      kept("redis/cache", "up", 5),
      kept("mariadb/db", "down", 1),
      kept("site/main", "down", 6),
    ]);
    await keeper.settled();
    const found = await all();
    expect(found.map(({ cause, state }) => [cause, state])).toEqual([
      ["redis/cache", "open"],
      ["mariadb/db", "closed"],
    ]);
    expect(found[0]?.components.map(({ component, until }) => [component, until !== null])).toEqual([
      ["redis/cache", true],
      ["site/main", false],
    ]);
  });

  test("one that breaks again while it calms down is not closed", async () => {
    turn("redis/cache", "down", 1);
    turn("redis/cache", "up", 2);
    turn("redis/cache", "down", 3);
    await keeper.settled();
    await new Promise((resolve) => setTimeout(resolve, 80));
    await keeper.settled();
    expect((await keeper.current()).map(({ components }) => components)).toMatchObject([
      [{ component: "redis/cache", until: null }],
    ]);
    expect(heard).toEqual(["opened cache"]);
  });

  test("announced work opens none, also for what depends on it; what still fails at its end opens one", async () => {
    const window = await db().maintenance.create({
      data: {
        title: "upgrade",
        components: '["mariadb/db"]',
        startsAt: new Date(began - 1000),
        endsAt: new Date(began + 3_600_000),
        createdBy: "Ada",
      },
    });
    turn("mariadb/db", "down", 1);
    turn("nginx/web", "down", 2, "mariadb/db");
    await keeper.settled();
    expect(await all()).toEqual([]);
    turn("redis/cache", "down", 3);
    await keeper.settled();
    expect((await all()).map(({ cause }) => cause)).toEqual(["redis/cache"]);
    await db().maintenance.update({ where: { id: window.id }, data: { endedAt: new Date() } });
    keeper.afterWork();
    await keeper.settled();
    const opened = (await all()).find(({ cause }) => cause === "mariadb/db");
    expect(opened?.components.map(({ component }) => component).sort()).toEqual(["mariadb/db", "nginx/web"]);
    // It began when it began, not when it was told.
    expect(opened?.openedAt).toEqual(new Date(began + 1000));
  });

  test("a restart of Sluice takes up what is open, and closes what got well meanwhile", async () => {
    turn("redis/cache", "down", 1);
    await keeper.settled();
    keeper.stop();
    await db().incidentComponent.updateMany({ data: { until: new Date(began + 9000) } });
    const next = new IncidentKeeper({ get: () => null, ...relations }, { calmMs: 20 });
    await next.open();
    await closed();
    next.stop();
    expect((await all())[0]?.state).toBe("closed");
  });

  /** An alert about `component` that fires from `second` on. */
  const fires = (name: string, component: string | null, second: number, opens = true) => ({
    id: `${name} ${component}`,
    name,
    component,
    since: new Date(began + second * 1000).toISOString(),
    opens,
  });

  test("a grave alert opens one, which closes when it resolves; thirty of its name are one; a slight one opens none", async () => {
    const machines = Array.from({ length: 30 }, (_, n) => ({
      ...fires("NodeDown", null, 1),
      id: `node ${n}`,
    }));
    keeper.seeAlerts([...machines, fires("Slow", "redis/cache", 1, false)], true);
    await keeper.settled();
    const [one, ...others] = await all();
    expect(others).toEqual([]);
    expect(one).toMatchObject({ title: "NodeDown", cause: null, openedBy: "alert", severity: "critical" });
    expect(one?.entries.filter(({ type }) => type === "alert")).toHaveLength(30);
    // Seen again: nothing new.
    keeper.seeAlerts(machines, true);
    keeper.seeAlerts(machines.slice(1), true);
    // Nobody answered: nothing is over.
    keeper.seeAlerts([], false);
    await keeper.settled();
    await new Promise((resolve) => setTimeout(resolve, 80));
    await keeper.settled();
    expect((await all())[0]).toMatchObject({ state: "open", entries: { length: 32 } });
    keeper.seeAlerts([], true);
    await keeper.settled();
    await closed();
    expect((await all())[0]).toMatchObject({ state: "closed", closedBy: "alert" });
    expect(heard).toEqual(["opened NodeDown", "closed NodeDown"]);
  });

  test("an alert joins the incident of its component, and of what that fails for; it keeps it open", async () => {
    turn("mariadb/db", "down", 2);
    const [db, php] = [fires("MariadbDown", "mariadb/db", 5), fires("PhpFpmQueue", "php_fpm/php", 6)];
    keeper.seeAlerts([db, php], true);
    await keeper.settled();
    expect((await all()).map(({ title }) => title)).toEqual(["db"]);
    turn("mariadb/db", "up", 20);
    await keeper.settled();
    await new Promise((resolve) => setTimeout(resolve, 80));
    await keeper.settled();
    expect(await keeper.current()).toHaveLength(1);
    keeper.seeAlerts([], true);
    await closed();
    expect((await all())[0]?.entries.map(({ type }) => type)).toEqual([
      "opened",
      "down",
      "alert",
      "alert",
      "well",
      "alert",
      "alert",
      "closed",
    ]);
  });

  test("what an alert told of first is called by its cause when that is seen to be down", async () => {
    const alert = fires("RedisDown", "redis/cache", 1);
    keeper.seeAlerts([alert], true);
    await keeper.settled();
    expect((await all()).map(({ title, cause }) => [title, cause])).toEqual([["RedisDown", "redis/cache"]]);
    turn("redis/cache", "down", 2);
    await keeper.settled();
    expect((await all()).map(({ title, cause }) => [title, cause])).toEqual([["cache", "redis/cache"]]);
    keeper.seeAlerts([], true);
    turn("redis/cache", "up", 4);
    await closed();
  });

  test("announced work keeps alerts from opening; what still fires at its end opens one", async () => {
    const window = await db().maintenance.create({
      data: {
        title: "upgrade",
        components: '["mariadb/db"]',
        startsAt: new Date(began - 1000),
        endsAt: new Date(began + 3_600_000),
        createdBy: "Ada",
      },
    });
    const firing = [fires("MariadbDown", "mariadb/db", 1), fires("PhpFpmDown", "php_fpm/php", 1)];
    keeper.seeAlerts(firing, true);
    await keeper.settled();
    expect(await all()).toEqual([]);
    keeper.seeAlerts([fires("DiskFull", null, 1)], true);
    await keeper.settled();
    expect((await all()).map(({ title }) => title)).toEqual(["DiskFull"]);
    await db().maintenance.update({ where: { id: window.id }, data: { endedAt: new Date() } });
    keeper.seeAlerts(firing, true);
    await keeper.settled();
    // One: the deeper one is found under what it was opened for.
    expect((await keeper.current()).map(({ title }) => title).filter((one) => one !== "DiskFull")).toEqual([
      "MariadbDown",
    ]);
  });

  test("closed by hand while it fires: not opened again, also after a restart; what fires anew opens it", async () => {
    const alert = fires("DiskFull", null, 1);
    keeper.seeAlerts([alert], true);
    await keeper.settled();
    await db().incident.updateMany({ data: { state: "closed", closedAt: new Date(), closedBy: "Ada" } });
    keeper.seeAlerts([alert], true);
    await keeper.settled();
    expect(await keeper.current()).toEqual([]);
    const next = new IncidentKeeper({ get: () => null, ...relations }, { calmMs: 20 });
    await next.open();
    next.seeAlerts([alert], true);
    await next.settled();
    expect(await next.current()).toEqual([]);
    next.seeAlerts([], true);
    next.seeAlerts([alert], true);
    await next.settled();
    expect(await next.current()).toHaveLength(1);
    next.stop();
    // A restart in which it resolved, and nobody saw it.
    const last = new IncidentKeeper({ get: () => null, ...relations }, { calmMs: 20 });
    await last.open();
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(await last.current()).toHaveLength(1);
    last.seeAlerts([], true);
    await closed();
    last.stop();
  });

  test("as a post-mortem: what people wrote cannot become Markdown of its own", async () => {
    turn("redis/cache", "down", 1);
    await keeper.settled();
    const [one] = await all();
    const text = postMortem({
      id: one?.id ?? 0,
      title: "cache",
      state: "closed",
      severity: "critical",
      cause: "redis/cache",
      openedBy: "probe",
      openedAt: "2026-11-25T02:14:00.000Z",
      acknowledgedBy: null,
      acknowledgedAt: null,
      assignee: null,
      closedBy: "Ada",
      closedAt: "2026-11-25T02:20:00.000Z",
      components: [],
      tickets: [{ tracker: "t", id: "3", key: "#3", url: "https://t.example/3" }],
      entries: [
        ...(one?.entries.map(toEntry) ?? []),
        {
          id: 9,
          at: "2026-11-25T02:15:00.000Z",
          type: "note",
          actor: "Ada",
          text: "# [x](javascript:1)\n<b>",
          data: {},
        },
      ],
      suspects: [],
      changes: [],
      deaths: [
        {
          id: 1,
          at: "2026-11-25T02:14:00.000Z",
          host: "engine",
          container: "abc",
          name: "shop-cache-1",
          exitCode: 137,
          oom: true,
          requested: false,
        },
      ],
      evidence: [
        {
          at: "2026-11-25T10:00:05.000Z",
          components: [
            {
              component: "redis/cache",
              state: "down",
              facts: { memory: "1M" },
              factsAt: "2026-11-25T09:59:50.000Z",
            },
          ],
          snapshots: [
            {
              component: "php_fpm/php",
              kind: "workers",
              columns: ["seconds", "address"],
              rows: [[12.5, "/fr/*x*"]],
              more: 0,
              problem: null,
            },
          ],
          logs: [
            {
              container: "shop-cache-1",
              lines: [{ at: "2026-11-25T10:00:01Z", stream: "stderr", text: "# Out of memory", cut: 0 }],
            },
          ],
        },
      ],
    });
    expect(text).toContain("- redis/cache: down, at 2026-11-25 09:59:50 UTC: memory 1M");
    expect(text).toContain("    12.5 | /fr/*x*");
    expect(text).toContain("    # Out of memory");
    expect(text).toContain("(after 6 min)");
    expect(text).toContain("opened redis/cache");
    expect(text).toContain("shop\\-cache\\-1: code 137, for its memory");
    expect(text).toContain("note, by Ada: \\# \\[x\\]\\(javascript:1\\) \\<b\\>");
  });
});

test("suspects: done to the thing itself, failed, and late come first", () => {
  const done = { state: "done" as const, outcome: "deployed" };
  expect(weightOf(done, "own", 50)).toBeGreaterThan(weightOf(done, null, 1));
  expect(weightOf(done, "near", 10)).toBeGreaterThan(weightOf(done, null, 1));
  expect(weightOf({ state: "failed", outcome: null }, null, 10)).toBeGreaterThan(weightOf(done, null, 10));
  expect(touches(["container:engine/shop-php-1"], { names: [], containers: ["engine/shop-php-1"] })).toBe(
    true,
  );
  // Another stack's container of the same name.
  expect(
    touches(["container:engine/staging-php-1"], { names: ["php"], containers: ["engine/shop-php-1"] }),
  ).toBe(false);
  expect(touches(["varnish:varnish-1"], { names: ["varnish-1"], containers: [] })).toBe(true);
});

test("a component's containers: by its address, else by name within the same projects", () => {
  const container = (id: string, name: string, project: string, service: string, port?: number) =>
    ({
      id,
      name,
      labels: { "com.docker.compose.project": project, "com.docker.compose.service": service },
      inspected: {
        NetworkSettings: {
          Ports: port === undefined ? {} : { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: String(port) }] },
          Networks: { net: { Aliases: [service] } },
        },
      },
    }) as unknown as Watched;
  const all = [
    container("1", "live-db", "live", "db", 3306),
    container("2", "live-php", "live", "php"),
    container("3", "staging-db", "staging", "db", 3307),
    container("4", "staging-php", "staging", "php"),
    container("5", "lonely", "", "lonely"),
  ];
  const hosts = [{ containers: new Map(all.map((one) => [one.id, one])) } as unknown as HostWatch];
  const { systems } = configSchema.parse({
    systems: {
      mariadb: [{ name: "db", address: "127.0.0.1:3306" }],
      php_fpm: [{ name: "php", url: "http://127.0.0.1:8080/status" }],
      tcp: [{ name: "byname", address: "staging-db:3306" }],
    },
  });
  const of = (key: string) => partsOf(key, { systems }, hosts).map((one) => one.container.name);
  expect(of("mariadb/db")).toEqual(["live-db"]);
  expect(of("tcp/byname")).toEqual(["staging-db"]);
  expect(of("http/lonely")).toEqual(["lonely"]);
  expect(of("http/nobody")).toEqual([]);
  const { systems: live } = configSchema.parse({
    systems: {
      mariadb: [{ name: "db", address: "127.0.0.1:3306" }],
      php_fpm: [{ name: "php", address: "php:9" }],
    },
  });
  // Two stacks, one of them ours: "php" is a name in both networks.
  expect(
    partsOf("http/php", { systems: { ...live, php_fpm: [] } }, hosts).map((one) => one.container.name),
  ).toEqual(["live-php"]);
});
