// History with 100,000 rows: right, by index, and quick.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { closeDatabase, db } from "../db/client";
import { databaseFile } from "../db/location";
import { openDatabase } from "../db/open";
import type { ChangeFilter } from "./contract";
import { engine } from "./engine";
import type { Actor } from "./kind";
import { changeDetail, exportChanges, listChanges, matchingQuery, pruneChanges } from "./queries";
import { toyKind } from "./toy.fixture";

const count = 100_000;
const directory = mkdtempSync(join(tmpdir(), "sluice-history-"));
const start = Date.UTC(2026, 0, 1);
const minute = 60_000;
/** A page of history must not take longer than this; the goal is far below, the machine may be busy. */
const iso = (n: number): string => new Date(start + n * minute).toISOString();

beforeAll(async () => {
  process.env.SLUICE_DATA = directory;
  await openDatabase();
  const connection = new Sqlite(databaseFile());
  const change = connection.prepare(
    `INSERT INTO "Change" ("id","kind","title","state","outcome","level","site","actorType","actorName","origin","input","plan","evidence","search","createdAt","finishedAt")
     VALUES (@id,@kind,@title,@state,@outcome,'reversible',@site,'user',@actor,'page',@json,@json,@json,@search,@at,@at)`,
  );
  const target = connection.prepare('INSERT INTO "ChangeTarget" ("changeId","target") VALUES (?, ?)');
  // As large as a purge's plan and proof are.
  const json = JSON.stringify({ filler: "x".repeat(1200) });
  connection.transaction(() => {
    for (let id = 1; id <= count; id++) {
      const url = `https://www.example.org/en/article-${id % 5000}`;
      const actor = id % 1000 === 0 ? "Rare" : `person${id % 20}`;
      const site = id % 3 === 0 ? "shop" : "example";
      const title = `Purge ${url}`;
      change.run({
        id,
        json,
        title,
        actor,
        site,
        kind: id % 50 === 0 ? "deploy" : "purge",
        state: id % 100 === 7 ? "failed" : "done",
        outcome: id % 100 === 7 ? "stale" : "fresh",
        search: `${title} ${actor} ${id === 123 ? "needle'\"-*" : ""}`.toLowerCase(),
        at: iso(id).replace("Z", "+00:00"),
      });
      target.run(id, `url:${url}`);
    }
  })();
  connection.close();
  // The first question of a process opens the connection and compiles Prisma's queries: not what is measured.
  await listChanges({}, null, 1);
}, 120_000);
afterAll(async () => {
  await closeDatabase();
  rmSync(directory, { recursive: true, force: true });
});

/** The same by reading every row: what the indexed answer must equal. */
async function byHand(
  filter: ChangeFilter,
  cursor: number | null,
  limit: number,
  sites: readonly string[] | null,
): Promise<number[]> {
  const found: number[] = [];
  for (let id = count; id >= 1 && found.length < limit; id--) {
    const url = `https://www.example.org/en/article-${id % 5000}`;
    const actor = id % 1000 === 0 ? "Rare" : `person${id % 20}`;
    const site = id % 3 === 0 ? "shop" : "example";
    const search = `purge ${url} ${actor} ${id === 123 ? "needle'\"-*" : ""}`.toLowerCase();
    const failed = id % 100 === 7;
    const fits =
      (cursor === null || id < cursor) &&
      (filter.kind === undefined || filter.kind === (id % 50 === 0 ? "deploy" : "purge")) &&
      (filter.actor === undefined || filter.actor === actor) &&
      (filter.site === undefined || filter.site === site) &&
      (sites === null || sites.includes(site)) &&
      (filter.state === undefined || filter.state === (failed ? "failed" : "done")) &&
      (filter.outcome === undefined || filter.outcome === (failed ? "stale" : "fresh")) &&
      (filter.target === undefined || filter.target === `url:${url}`) &&
      (filter.from === undefined || iso(id) >= filter.from) &&
      (filter.to === undefined || iso(id) <= filter.to) &&
      (filter.search ?? "")
        .toLowerCase()
        .split(/\s+/)
        .every((word) => search.includes(word));
    if (fits) found.push(id);
  }
  return found;
}

const cases: readonly [
  name: string,
  filter: ChangeFilter,
  cursor: number | null,
  sites: readonly string[] | null,
][] = [
  ["everything, the newest", {}, null, null],
  ["everything, far back", {}, 500, null],
  ["a kind", { kind: "deploy" }, 50_000, null],
  ["a rare actor", { actor: "Rare" }, null, null],
  ["an actor nobody knows", { actor: "Nobody" }, null, null],
  ["a state", { state: "failed" }, 30_000, null],
  ["an outcome of a site", { outcome: "stale", site: "shop" }, null, null],
  ["a target", { target: "url:https://www.example.org/en/article-77" }, null, null],
  ["an editor's sites", {}, null, ["shop"]],
  ["an editor of no site", {}, null, []],
  ["a week long ago", { from: iso(1000), to: iso(11_080) }, null, null],
  ["a week long ago of a rare actor", { from: iso(1000), to: iso(11_080), actor: "Rare" }, null, null],
  ["before there was anything", { to: iso(-10) }, null, null],
  ["after everything", { from: iso(count + 10) }, null, null],
  ["a word everywhere", { search: "purge" }, null, null],
  ["a word everywhere, far back", { search: "EXAMPLE" }, 500, null],
  ["part of an address", { search: "article-4999" }, null, null],
  ["two words", { search: "article-4980 rare" }, null, null],
  ["a word of one change, with all that FTS5 minds", { search: "needle'\"-*" }, null, null],
  ["a word nowhere", { search: "zebra" }, null, null],
  ["two letters", { search: "en" }, null, null],
  ["a common word, rarely of this actor", { search: "purge", actor: "Rare" }, null, null],
];

describe("a page of 100,000", () => {
  test.each(cases)("%s", { timeout: 30_000 }, async (_name, filter, cursor, sites) => {
    const expected = await byHand(filter, cursor, 51, sites);
    const page = await listChanges(filter, cursor, 50, sites);
    expect(page.rows.map(({ id }) => id)).toEqual(expected.slice(0, 50));
    expect(page.next).toBe(expected.length > 50 ? expected[49] : null);
  });

  test.each(cases)(
    "%s: the plan reads no whole table and sorts nothing",
    async (_name, filter, cursor, sites) => {
      const { sql, values } = matchingQuery(filter, cursor, 51, sites);
      const plan = await db().$queryRawUnsafe<{ detail: string }[]>(`EXPLAIN QUERY PLAN ${sql}`, ...values);
      const steps = plan.map(({ detail }) => detail);
      expect(steps.filter((step) => step.includes("TEMP B-TREE FOR ORDER BY"))).toEqual([]);
      // By the newest id first, ended by LIMIT, is the one scan that may be: and only where nothing narrows it down.
      const narrowed = filter.actor ?? filter.kind ?? filter.target ?? filter.state ?? filter.outcome;
      if (narrowed !== undefined) expect(steps.filter((step) => /^SCAN c\b/.test(step))).toEqual([]);
    },
  );
});

test("pages join without a gap or a repetition", async () => {
  const seen: number[] = [];
  let cursor: number | null = null;
  do {
    const page = await listChanges({ state: "failed" }, cursor, 200);
    seen.push(...page.rows.map(({ id }) => id));
    cursor = page.next;
  } while (cursor !== null);
  expect(seen).toEqual(Array.from({ length: 1000 }, (_, n) => (999 - n) * 100 + 7));
});

test("export reads everything that matches, newest first", async () => {
  let rows = 0;
  let last = Number.POSITIVE_INFINITY;
  for await (const row of exportChanges({ kind: "deploy" })) {
    expect(row.id).toBeLessThan(last);
    last = row.id;
    rows++;
  }
  expect(rows).toBe(2000);
});

test("detail of what is not there is NOT_FOUND", async () => {
  await expect(changeDetail(9_999_999)).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test("what a kind shows operators only is left out for everybody below", async () => {
  const kept = { input: { filler: "x".repeat(1200) }, log: [{ message: "toy.counted" }] };
  const open = toyKind("resume", "purge");
  await db().changeLog.create({ data: { changeId: 49, level: "info", message: "toy.counted" } });
  const as = (role: Actor["role"]): Actor => ({
    type: "user",
    id: "one",
    name: "One",
    role,
    sites: null,
    scopes: null,
  });
  engine().register(open);
  expect(await changeDetail(49, as("viewer"))).toMatchObject({ shown: true, ...kept });
  engine().register({ ...open, seen: "operator" });
  for (const role of ["viewer", "editor"] as const)
    expect(await changeDetail(49, as(role))).toMatchObject({
      title: "Purge https://www.example.org/en/article-49",
      state: "done",
      outcome: "fresh",
      actor: { name: "person9" },
      shown: false,
      input: null,
      plan: null,
      evidence: null,
      log: [],
    });
  expect(await changeDetail(49, as("operator"))).toMatchObject({ shown: true, plan: kept.input, ...kept });
  // Nobody says who may see what a kind that is not known any more did.
  expect(await changeDetail(50, as("operator"))).toMatchObject({ kind: "deploy", shown: false, plan: null });
});

test("retention takes old ended changes, with their targets and words, but none that is active or owed", {
  timeout: 60_000,
}, async () => {
  await db().change.update({ where: { id: 100 }, data: { state: "running" } });
  await db().outbox.create({ data: { node: "varnish-1", changeId: 200, operations: "[]", count: 0 } });
  expect(await pruneChanges(new Date(start + 1000 * minute))).toBe(997);
  expect((await listChanges({ to: iso(999) }, null, 50)).rows.map(({ id }) => id)).toEqual([200, 100]);
  expect(await db().changeTarget.count({ where: { changeId: { lt: 1000 } } })).toBe(2);
  expect((await listChanges({ search: "needle" }, null, 10)).rows).toEqual([]);
  expect(await pruneChanges(new Date(start + 1000 * minute))).toBe(0);
});
