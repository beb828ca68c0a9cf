// A status page: who may see it, that it says what visitors notice and nothing else, and that a crowd costs one look.
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { auth } from "../auth/auth";
import { addUser, type House, openHouse, password } from "../auth/house.fixture";
import { db } from "../db/client";
import type { HealthState } from "../health/contract";
import { health } from "../health/service";
import type { IncidentEntry, MaintenanceRow } from "../incidents/contract";
import { addEntry } from "../incidents/rows";
import { forgetSingleton } from "../runtime/singleton";
import { stateOf, troubleOf, workOn } from "./judge";
import { mayBeIndexed, statusFor } from "./service";

const at = (minute: number) => new Date(Date.UTC(2026, 10, 25, 2, minute)).toISOString();
const since = (state: HealthState, minute = 0) => ({ state, since: at(minute) });

describe("how a site is", () => {
  test("down, partly, slow to update, well, or not known", () => {
    expect(stateOf(since("down", 14), [since("down")])).toEqual({ state: "down", since: at(14) });
    expect(stateOf(since("warn", 3), [])).toEqual({ state: "partial", since: at(3) });
    expect(stateOf(since("up"), [since("up"), since("down", 9), since("down", 5)])).toEqual({
      state: "slow",
      since: at(5),
    });
    expect(stateOf(since("up"), [since("warn"), since("unknown")])).toEqual({ state: "up", since: null });
    expect(stateOf(since("unknown"), [since("up")])).toEqual({ state: "unknown", since: null });
    expect(stateOf(null, [])).toEqual({ state: "unknown", since: null });
  });
});

describe("what an incident did to a site", () => {
  const entry = (minute: number, type: IncidentEntry["type"], component = "site/a") => ({
    at: at(minute),
    type,
    data: { component },
  });
  const of = (entries: ReturnType<typeof entry>[], closedAt: string | null = at(30)) =>
    troubleOf({ closedAt, entries }, "site/a", [], at(40));

  test("nothing, where only others failed", () => {
    expect(of([entry(1, "down", "site/ab"), entry(1, "opened"), entry(2, "down", "redis/a")])).toBeNull();
  });

  test("came and went: from first to last, and how long of it", () => {
    expect(
      of([
        entry(1, "degraded"),
        entry(3, "well"),
        entry(2, "down", "redis/a"),
        entry(10, "down"),
        entry(15, "well"),
      ]),
    ).toEqual({ state: "down", from: at(1), to: at(15), ms: 7 * 60_000 });
  });

  test("goes on; or ended with its incident", () => {
    expect(of([entry(5, "degraded")], null)).toEqual({
      state: "partial",
      from: at(5),
      to: null,
      ms: 35 * 60_000,
    });
    expect(of([entry(5, "degraded")])).toMatchObject({ to: at(30), ms: 25 * 60_000 });
  });

  test("suffered first and was down then, of which the incident has no entry", () => {
    const states = [{ state: "down" as const, since: at(6), until: at(8) }];
    const one = { closedAt: at(30), entries: [entry(5, "degraded"), entry(9, "well")] };
    expect(troubleOf(one, "site/a", states, at(40))?.state).toBe("down");
    const before = [{ state: "down" as const, since: at(1), until: at(5) }];
    expect(troubleOf(one, "site/a", before, at(40))?.state).toBe("partial");
  });
});

test("work: what is about the site, what it hangs on, or everything; now, later, and not what is over", () => {
  const work = (title: string, components: string[], from: number, to: number): MaintenanceRow => ({
    id: 1,
    title,
    components,
    startsAt: at(from),
    endsAt: at(to),
    endedAt: null,
    createdBy: "Ada",
  });
  const isBelow = (upper: string, lower: string) => upper === "site/a" && lower === "mariadb/db";
  expect(
    workOn(
      "site/a",
      [
        work("all", [], 0, 20),
        work("database", ["mariadb/db"], 10, 20),
        work("other", ["site/b"], 0, 20),
        work("tomorrow", ["site/a"], 30, 40),
        work("over", ["site/a"], 0, 10),
      ],
      isBelow,
      at(10),
    ),
  ).toEqual({
    now: [
      { title: "all", startsAt: at(0), endsAt: at(20) },
      { title: "database", startsAt: at(10), endsAt: at(20) },
    ],
    later: [{ title: "tomorrow", startsAt: at(30), endsAt: at(40) }],
  });
});

async function signInAs(name: string): Promise<Headers> {
  const { headers } = await auth().api.signInEmail({
    body: { email: `${name}@example.org`, password },
    returnHeaders: true,
  });
  return new Headers({
    cookie: headers
      .getSetCookie()
      .map((one) => one.split(";")[0])
      .join("; "),
  });
}

describe("who may see it", () => {
  let house: House;
  const people: Record<string, Headers> = { stranger: new Headers() };
  beforeAll(async () => {
    house = await openHouse(`
systems:
  redis: [{ name: secret-cache, url: "redis://10.9.8.7:6379" }]
sites:
  - name: open
    title: The open one
    addresses: ["http://open.example"]
    caches: { redis: [{ system: secret-cache, keys: ["x"] }] }
    status: { public: true, title: "Our shop", index: true }
  - { name: own, addresses: ["http://own.example"], status: { index: true } }
  - { name: none, addresses: ["http://none.example"] }
`);
    await addUser("ed", "editor", { sites: ["own", "none"] });
    await addUser("other", "editor", { sites: ["open"] });
    await addUser("vera", "viewer");
    await addUser("fresh", "viewer", { mustChangePassword: true });
    for (const name of ["ed", "other", "vera", "fresh"]) people[name] = await signInAs(name);
    health().follow(
      [
        { kind: "site", name: "open", retries: 0 },
        { kind: "site", name: "own", retries: 0 },
        { kind: "redis", name: "secret-cache", retries: 0 },
      ],
      Date.now(),
    );
  });
  afterAll(() => house.close());
  beforeEach(() => forgetSingleton("status.pages"));
  const sees = async (who: string, site: string) =>
    (await statusFor(site, people[who] ?? new Headers())) !== null;

  test.each([
    ["stranger", { open: true, own: false, none: false, nowhere: false }],
    ["ed", { open: true, own: true, none: false, nowhere: false }],
    ["other", { open: true, own: false, none: false, nowhere: false }],
    ["vera", { open: true, own: true, none: false, nowhere: false }],
    // The one-time password comes first.
    ["fresh", { open: true, own: false, none: false, nowhere: false }],
  ])("%s", async (who, wanted) => {
    const found = Object.fromEntries(
      await Promise.all(
        Object.keys(wanted).map(async (site): Promise<[string, boolean]> => [site, await sees(who, site)]),
      ),
    );
    expect(found).toEqual(wanted);
  });

  test("only a public one may be found by search engines", () => {
    expect([
      mayBeIndexed("open"),
      mayBeIndexed("own"),
      mayBeIndexed("none"),
      mayBeIndexed("nowhere"),
    ]).toEqual([true, false, false, false]);
  });

  test("what it tells: the site's own words, and nothing of what is behind it", async () => {
    const now = Date.now();
    const opened = new Date(now - 20 * 60_000);
    const incident = await db().incident.create({
      data: {
        title: "secret-cache",
        state: "acknowledged",
        severity: "critical",
        cause: "redis/secret-cache",
        openedBy: "probe",
        acknowledgedBy: "Ada Admin",
        openedAt: opened,
        components: {
          create: [
            { component: "redis/secret-cache", since: opened },
            { component: "site/open", since: opened },
          ],
        },
      },
    });
    await addEntry(incident.id, { type: "down", at: opened, data: { component: "site/open" } });
    await addEntry(incident.id, { type: "note", actor: "Ada Admin", text: "10.9.8.7 is full" });
    await db().maintenance.create({
      data: {
        title: "A new <b>design</b>",
        components: '["site/open"]',
        startsAt: new Date(now - 1000),
        endsAt: new Date(now + 3_600_000),
        createdBy: "Ada Admin",
      },
    });
    const page = await statusFor("open", new Headers());
    expect(page).toMatchObject({
      title: "Our shop",
      state: "unknown",
      now: [{ title: "A new <b>design</b>" }],
      troubles: [{ state: "down", from: opened.toISOString(), to: null }],
    });
    expect(page?.days).toHaveLength(90);
    expect(JSON.stringify(page)).not.toMatch(/secret-cache|redis|10\.9|Ada|full/);
  });

  test("a crowd costs one look", async () => {
    const asked = vi.spyOn(db().incident, "findMany");
    const pages = await Promise.all(Array.from({ length: 50 }, () => statusFor("open", new Headers())));
    expect(new Set(pages).size).toBe(1);
    expect(asked).toHaveBeenCalledTimes(1);
    asked.mockRestore();
  });
});
