// How quick a page of history is with 100,000 rows: `npx tsx bench/history.ts`. Prints ms and the ratio to 1,000 rows.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import type { ChangeFilter } from "../lib/changes/contract";
import { listChanges } from "../lib/changes/queries";
import { closeDatabase } from "../lib/db/client";
import { databaseFile } from "../lib/db/location";
import { openDatabase } from "../lib/db/open";

const minute = 60_000;
const start = Date.UTC(2026, 0, 1);

/** Rows `from` to `to`, each as large as a purge of one page is. */
function insert(from: number, to: number): void {
  const connection = new Sqlite(databaseFile());
  const change = connection.prepare(
    `INSERT INTO "Change" ("id","kind","title","state","outcome","level","site","actorType","actorName","origin","input","plan","evidence","search","createdAt","finishedAt")
     VALUES (@id,'purge',@title,'done',@outcome,'reversible',@site,'user',@actor,'page',@json,@json,@json,@search,@at,@at)`,
  );
  const target = connection.prepare('INSERT INTO "ChangeTarget" ("changeId","target") VALUES (?, ?)');
  const json = JSON.stringify({ filler: "x".repeat(1200) });
  connection.transaction(() => {
    for (let id = from; id <= to; id += 1) {
      const url = `https://www.example.org/en/article-${id % 5000}`;
      const actor = `person${id % 20}`;
      change.run({
        id,
        json,
        actor,
        title: `Purge ${url}`,
        site: id % 3 === 0 ? "shop" : "example",
        outcome: id % 100 === 7 ? "stale" : "fresh",
        search: `purge ${url} ${actor}`,
        at: new Date(start + id * minute).toISOString().replace("Z", "+00:00"),
      });
      target.run(id, `url:${url}`);
    }
  })();
  connection.close();
}

const questions: readonly (readonly [string, ChangeFilter, boolean])[] = [
  ["the newest page", {}, false],
  ["a page half way back", {}, true],
  ["one outcome", { outcome: "stale" }, false],
  ["one actor", { actor: "person7" }, false],
  ["one target", { target: "url:https://www.example.org/en/article-77" }, false],
  ["a word everywhere", { search: "purge" }, false],
  ["part of an address", { search: "article-499" }, false],
  ["a word nowhere", { search: "zebra" }, false],
];

/** Median and 99th percentile of `times` askings, ms. */
async function measure(
  filter: ChangeFilter,
  cursor: number | null,
  times = 60,
): Promise<{ p50: number; p99: number }> {
  const spent: number[] = [];
  for (let time = 0; time < times + 5; time += 1) {
    const from = performance.now();
    await listChanges(filter, cursor, 50);
    // The first ones warm the caches of the database.
    if (time >= 5) spent.push(performance.now() - from);
  }
  spent.sort((one, other) => one - other);
  const at = (share: number) =>
    spent[Math.min(spent.length - 1, Math.floor(spent.length * share))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

const directory = mkdtempSync(join(tmpdir(), "sluice-bench-history-"));
process.env.SLUICE_DATA = directory;
try {
  await openDatabase();
  const results = new Map<string, { p50: number; p99: number }[]>();
  let rows = 0;
  for (const count of [1_000, 100_000]) {
    insert(rows + 1, count);
    rows = count;
    for (const [name, filter, back] of questions) {
      const measured = await measure(filter, back ? Math.floor(count / 2) : null);
      results.set(name, [...(results.get(name) ?? []), measured]);
    }
  }
  process.stdout.write(
    "a page of 50 rows            1,000 rows p50/p99 ms   100,000 rows p50/p99 ms   ratio p50\n",
  );
  for (const [name, [few, many]] of results) {
    if (!few || !many) continue;
    const show = ({ p50, p99 }: { p50: number; p99: number }) => `${p50.toFixed(2)} / ${p99.toFixed(2)}`;
    process.stdout.write(
      `${name.padEnd(28)} ${show(few).padEnd(23)} ${show(many).padEnd(25)} ${(many.p50 / few.p50).toFixed(2)}\n`,
    );
  }
} finally {
  await closeDatabase();
  rmSync(directory, { recursive: true, force: true });
}
