// The index against a naive model in memory, and against kills, damage and loss of its file.
import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Sqlite from "better-sqlite3";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { listing } from "./listing.fixture";
import { openIndex, type SnapshotIndex } from "./open";
import type { DifferenceSums, IndexedSnapshot, IndexNode, Version } from "./shapes";

const { signal } = new AbortController();
let directory = "";
let file = "";
let open: SnapshotIndex[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sluice-index-"));
  file = join(directory, "index.db");
  open = [];
});
afterEach(async () => {
  for (const index of open) await index.close();
  rmSync(directory, { recursive: true, force: true });
});

function openHere(at = file): SnapshotIndex {
  const index = openIndex(at);
  open.push(index);
  return index;
}

function snapshot(id: string, day: number, host = "web", paths = ["/srv"]): IndexedSnapshot {
  return { id, time: new Date(Date.UTC(2026, 0, day)).toISOString(), host, paths };
}

async function* each(nodes: readonly IndexNode[]): AsyncGenerator<IndexNode> {
  yield* nodes;
}

function fileNode(path: string, size = 1): IndexNode {
  return { path, type: "file", size, mtimeMs: 1000, mode: 0o644 };
}
function folderNode(path: string): IndexNode {
  return { path, type: "dir", size: 0, mtimeMs: 1000, mode: 0o755 };
}

const byBytes = (one: string, other: string) => Buffer.compare(Buffer.from(one), Buffer.from(other));

/** Every page of a folder, two rows at a time. */
function wholeFolder(index: SnapshotIndex, id: string, path: string) {
  const entries = [];
  let after: string | undefined;
  do {
    const page = index.folder(id, path, { after, limit: 2 });
    if (page === null) return null;
    entries.push(...page.entries);
    after = page.next ?? undefined;
  } while (after !== undefined);
  return entries;
}

async function wholeDifference(index: SnapshotIndex, before: string, after: string, path: string) {
  const entries = [];
  let cursor: string | undefined;
  for (;;) {
    const page = await index.difference(before, after, { path, after: cursor, limit: 2 }, signal);
    if (page === null) return null;
    entries.push(...page.entries);
    if (page.next === null) return { sums: page.sums, entries };
    cursor = page.next;
  }
}

/** What the index is to answer, worked out from whole listings. */
class Model {
  readonly #snapshots: { readonly snapshot: IndexedSnapshot; readonly nodes: Map<string, Version> }[] = [];

  add(snapshot: IndexedSnapshot, nodes: readonly IndexNode[]): void {
    this.#snapshots.push({
      snapshot,
      nodes: new Map(nodes.map(({ path, ...version }) => [path, version])),
    });
    this.#snapshots.sort(
      (one, other) =>
        Date.parse(one.snapshot.time) - Date.parse(other.snapshot.time) ||
        byBytes(one.snapshot.id, other.snapshot.id),
    );
  }
  remove(id: string): void {
    this.#snapshots.splice(this.#snapshots.findIndex(({ snapshot }) => snapshot.id === id) >>> 0, 1);
  }
  ids(): string[] {
    return this.#snapshots.map(({ snapshot }) => snapshot.id);
  }
  paths(): string[] {
    return [...new Set(this.#snapshots.flatMap(({ nodes }) => [...nodes.keys()]))];
  }
  #nodes(id: string): Map<string, Version> {
    return this.#snapshots.find(({ snapshot }) => snapshot.id === id)?.nodes ?? new Map();
  }
  folder(id: string, path: string) {
    const nodes = this.#nodes(id);
    if (path !== "" && nodes.get(path)?.type !== "dir") return null;
    return [...nodes]
      .filter(([at]) => at.slice(0, at.lastIndexOf("/")) === path)
      .map(([at, version]) => ({ name: at.slice(at.lastIndexOf("/") + 1), ...version }))
      .sort(
        (one, other) =>
          Number(other.type === "dir") - Number(one.type === "dir") || byBytes(one.name, other.name),
      );
  }
  search(text: string, only?: string) {
    const needle = text.toLowerCase();
    const hits = new Map<string, { version: Version; ids: string[] }>();
    for (const { snapshot, nodes } of this.#snapshots) {
      for (const [path, version] of nodes) {
        const isFolder = version.type === "dir";
        const whole = `${path}${isFolder ? "/" : ""}`.toLowerCase();
        const nameAt = path.toLowerCase().lastIndexOf("/") + 1;
        // The text reaches from wherever it begins into the name, not beyond it.
        const reaches = whole
          .split("")
          .some((_, at) => whole.startsWith(needle, at) && at + needle.length > nameAt);
        const inside = !needle.replace(/\/$/, "").includes("/");
        if (!reaches || (inside && !whole.includes(needle, nameAt))) continue;
        const key = `${isFolder} ${path}`;
        const ids = [...(hits.get(key)?.ids ?? []), snapshot.id];
        hits.set(key, {
          version: only === undefined || only === snapshot.id ? version : (hits.get(key)?.version ?? version),
          ids,
        });
      }
    }
    return [...hits]
      .filter(([, { ids }]) => only === undefined || ids.includes(only))
      .map(
        ([key, { version, ids }]) =>
          `${key} ${version.size} ${version.mode} ${ids[0]} ${ids.at(-1)} ${ids.length}`,
      )
      .sort();
  }
  history(path: string) {
    const runs: (Version & { first: string; last: string; snapshots: number })[] = [];
    const current = new Map<string, (typeof runs)[number] | undefined>();
    for (const { snapshot, nodes } of this.#snapshots) {
      const line = JSON.stringify([snapshot.host, snapshot.paths]);
      const version = nodes.get(path);
      const run = current.get(line);
      if (version && run && JSON.stringify({ ...run, ...version }) === JSON.stringify(run)) {
        run.last = snapshot.id;
        run.snapshots += 1;
        continue;
      }
      const begun = version && { ...version, first: snapshot.id, last: snapshot.id, snapshots: 1 };
      if (begun) runs.push(begun);
      current.set(line, begun);
    }
    return runs.reverse();
  }
  difference(one: string, other: string, path: string) {
    const [before, after] = [this.#nodes(one), this.#nodes(other)];
    const isFolder = (nodes: Map<string, Version>) => path === "" || nodes.get(path)?.type === "dir";
    if (!isFolder(before) && !isFolder(after)) return null;
    const rows = new Map<
      string,
      { folder: boolean; before: Version | null; after: Version | null; sums: DifferenceSums }
    >();
    const total = { ...noSums };
    for (const at of new Set([...before.keys(), ...after.keys()])) {
      for (const folder of [true, false]) {
        const side = (nodes: Map<string, Version>) => {
          const version = nodes.get(at);
          return version !== undefined && (version.type === "dir") === folder ? version : null;
        };
        const [b, a] = [side(before), side(after)];
        const differs = folder ? b?.mode !== a?.mode : JSON.stringify(b) !== JSON.stringify(a);
        if (!differs || !at.startsWith(`${path}/`)) continue;
        const sums = { ...noSums };
        if (!folder && b && a) Object.assign(sums, { changed: 1, changedFrom: b.size, changedTo: a.size });
        else if (!folder && a) Object.assign(sums, { added: 1, addedBytes: a.size });
        else if (!folder && b) Object.assign(sums, { removed: 1, removedBytes: b.size });
        const rest = at.slice(path.length + 1);
        const [name = ""] = rest.split("/");
        const child = `${path}/${name}`;
        const isChildFolder = rest !== name || folder;
        const key = `${isChildFolder ? 0 : 1}${name}`;
        const of = (nodes: Map<string, Version>) => {
          const version = nodes.get(child);
          return version !== undefined && (version.type === "dir") === isChildFolder ? version : null;
        };
        const row = rows.get(key) ?? {
          folder: isChildFolder,
          before: of(before),
          after: of(after),
          sums: { ...noSums },
        };
        row.sums = plus(row.sums, sums);
        rows.set(key, row);
        Object.assign(total, plus(total, sums));
      }
    }
    return {
      sums: total,
      entries: [...rows]
        .sort(([one], [other]) => byBytes(one, other))
        .map(([key, row]) => ({ name: key.slice(1), ...row })),
    };
  }
}

const noSums: DifferenceSums = {
  added: 0,
  addedBytes: 0,
  removed: 0,
  removedBytes: 0,
  changed: 0,
  changedFrom: 0,
  changedTo: 0,
};
function plus(one: DifferenceSums, other: DifferenceSums): DifferenceSums {
  return {
    added: one.added + other.added,
    addedBytes: one.addedBytes + other.addedBytes,
    removed: one.removed + other.removed,
    removedBytes: one.removedBytes + other.removedBytes,
    changed: one.changed + other.changed,
    changedFrom: one.changedFrom + other.changedFrom,
    changedTo: one.changedTo + other.changedTo,
  };
}

const names = ["a", "b", "Été", "x\ny", "photo.JPG", "photo-100%.jpg", "\\xff", "\u{1f600}z", "\uffee"];
const questions = [
  "a",
  "JPG",
  "photo",
  "é",
  "ÉT",
  "%",
  "_",
  "x\ny",
  "z",
  "0%.j",
  "a/photo",
  "été/",
  "a/b",
  "b/a/",
  "/a",
  "/x\ny/",
  "b/",
  "\\",
  "😀",
  '"',
  "hoto.jp",
];

/** A tree of up to 12 paths with all their folders, in some order. */
const trees = fc
  .array(
    fc.record({
      way: fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 }),
      type: fc.constantFrom("file" as const, "dir" as const, "symlink" as const),
      size: fc.integer({ min: 0, max: 2 }),
      mode: fc.constantFrom(0o644, 0o600),
    }),
    { maxLength: 12 },
  )
  .chain((made) => {
    const nodes = new Map<string, IndexNode>();
    for (const { way, type, size, mode } of made) {
      const paths = way.map((_, at) => `/${way.slice(0, at + 1).join("/")}`);
      const path = paths.pop() ?? "";
      if (paths.some((above) => (nodes.get(above)?.type ?? "dir") !== "dir")) continue;
      if (nodes.get(path)?.type === "dir") continue;
      for (const above of paths) if (!nodes.has(above)) nodes.set(above, folderNode(above));
      nodes.set(path, { path, type, size: type === "dir" ? 0 : size, mtimeMs: 1000, mode });
    }
    const all = [...nodes.values()];
    return fc.shuffledSubarray(all, { minLength: all.length });
  });

/** A tree without one of the nodes that have nothing below them. */
function pruned(tree: readonly IndexNode[] = [], number: number): readonly IndexNode[] {
  const ends = tree.filter(({ path }) => !tree.some((other) => other.path.startsWith(`${path}/`)));
  return tree.filter((node) => node !== ends[number % Math.max(ends.length, 1)]);
}

const acts = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        tree: trees,
        day: fc.integer({ min: 1, max: 28 }),
        host: fc.constantFrom("web", "db"),
      }),
    },
    { weight: 1, arbitrary: fc.record({ remove: fc.nat(20) }) },
    {
      weight: 2,
      arbitrary: fc.record({ again: fc.nat(20), without: fc.nat(20), day: fc.integer({ min: 1, max: 28 }) }),
    },
  ),
  { minLength: 1, maxLength: 8 },
);

describe("an index answers as the listings would", () => {
  test("whatever was added and removed, in any order of time", async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(acts, async (acts) => {
        run += 1;
        const index = openIndex(join(directory, `${run}.db`));
        try {
          const model = new Model();
          const trees = new Map<string, readonly IndexNode[]>();
          for (const [number, act] of acts.entries()) {
            const ids = model.ids();
            if ("remove" in act) {
              const id = ids[act.remove % Math.max(ids.length, 1)];
              if (id === undefined) continue;
              model.remove(id);
              await index.remove([id, "unknown"], signal);
            } else {
              const tree =
                "tree" in act ? act.tree : pruned(trees.get(ids[act.again % ids.length] ?? ""), act.without);
              const taken = snapshot(`s${number}`, act.day, "host" in act ? act.host : "web");
              trees.set(taken.id, tree);
              model.add(taken, tree);
              await index.add(taken, each(tree), signal);
            }
          }
          await compare(index, model);
        } finally {
          await index.close();
        }
      }),
      { numRuns: 80 },
    );
  }, 120_000);

  async function compare(index: SnapshotIndex, model: Model): Promise<void> {
    const ids = model.ids();
    const paths = model.paths();
    expect(index.ids()).toEqual(ids);
    for (const id of ids) {
      for (const path of ["", ...paths]) {
        expect(wholeFolder(index, id, path === "" ? "/" : path)).toEqual(model.folder(id, path));
      }
    }
    for (const text of questions) {
      for (const only of [undefined, ids[0]]) {
        const { hits, complete } = index.search(text, { limit: 1000, snapshotId: only, budgetMs: 60_000 });
        expect(complete).toBe(true);
        const told = hits.map(
          ({ path, type, size, mode, first, last, snapshots }) =>
            `${type === "dir"} ${path} ${size} ${mode} ${first.id} ${last.id} ${snapshots}`,
        );
        expect(told.sort(), `search ${JSON.stringify(text)}`).toEqual(model.search(text, only));
      }
    }
    for (const path of paths) {
      const told = index
        .history(path)
        .map(({ first, last, ...rest }) => ({ ...rest, first: first.id, last: last.id }));
      // Two runs of different hosts may begin at once.
      const sorted = (rows: readonly object[]) =>
        rows.map((row) => JSON.stringify(Object.entries(row).sort())).sort();
      expect(sorted(told)).toEqual(sorted(model.history(path)));
    }
    for (const one of ids.slice(0, 3)) {
      for (const other of ids.slice(-3)) {
        for (const path of ["", ...paths]) {
          const told = await wholeDifference(index, one, other, path === "" ? "/" : path);
          expect(told, `${one} ${other} ${path}`).toEqual(model.difference(one, other, path));
        }
      }
    }
  }

  test("a listing that names no folders still has them, and a path named twice counts once", async () => {
    const index = openHere();
    await index.add(snapshot("one", 1), each([fileNode("/srv/a/x", 1), fileNode("/srv/a/x", 2)]), signal);
    expect(wholeFolder(index, "one", "/srv")?.map(({ name, type }) => [name, type])).toEqual([["a", "dir"]]);
    expect(wholeFolder(index, "one", "/srv/a/")?.map(({ name, size }) => [name, size])).toEqual([["x", 2]]);
  });

  test("a path of 4,000 characters in 2,000 folders", async () => {
    const index = openHere();
    const path = "/d".repeat(1999);
    await index.add(snapshot("one", 1), each([fileNode(`${path}/needle`)]), signal);
    await index.add(snapshot("two", 2), each([fileNode(`${path}/needle`, 5)]), signal);
    expect(index.search("needle", { limit: 5 }).hits.map((hit) => hit.path)).toEqual([`${path}/needle`]);
    expect(index.folder("one", path, { limit: 5 })?.entries).toHaveLength(1);
    expect(index.history(`${path}/needle`).map(({ size }) => size)).toEqual([5, 1]);
    const page = await index.difference("one", "two", { limit: 5 }, signal);
    expect(page?.sums).toMatchObject({ changed: 1, changedFrom: 1, changedTo: 5 });
  });

  test("a search says when there is more, and gives up in time", async () => {
    const index = openHere();
    await index.add(snapshot("one", 1), listing(3000, 1), signal);
    expect(index.search("photo", { limit: 10 })).toMatchObject({ complete: false });
    expect(index.search("photo", { limit: 10 }).hits).toHaveLength(10);
    expect(index.search("photo", { limit: 5000, budgetMs: 0 })).toMatchObject({ complete: false });
    expect(index.search("/", { limit: 10 })).toEqual({ hits: [], complete: true });
  });
});

describe("what two snapshots share is stored once", () => {
  test("ten days of 20,000 files are little larger than one, also from containers with made-up host names", async () => {
    const index = openHere();
    await index.add(snapshot("1", 1, "0123456789ab"), listing(20_000, 1), signal);
    const first = versionsIn(file);
    for (let day = 2; day <= 10; day += 1) {
      await index.add(
        snapshot(String(day), day, `${day}123456789ab`.slice(-12)),
        listing(20_000, day),
        signal,
      );
    }
    expect(first).toBeGreaterThan(20_000);
    expect(versionsIn(file)).toBeLessThan(first * 1.15);
    await index.remove(["2", "3", "4", "5", "6", "7", "8", "9", "10"], signal);
    expect(versionsIn(file)).toBe(first);
  }, 60_000);

  test("what nobody holds any more leaves the file", async () => {
    const index = openHere();
    await index.add(snapshot("1", 1), listing(20_000, 1), signal);
    const full = index.size();
    await index.remove(["1"], signal);
    expect(index.size()).toBeLessThan(full / 4);
    expect(index.search("photo", { limit: 5 }).hits).toEqual([]);
  }, 60_000);
});

describe("others are served meanwhile", () => {
  test("the event loop turns while a listing that never waits is indexed, and reads see none of it", async () => {
    const index = openHere();
    await index.add(snapshot("one", 1), listing(1000, 1), signal);
    let turns = 0;
    let seen = 0;
    let done = false;
    const watch = () => {
      if (done) return;
      turns += 1;
      if (index.ids().length !== 1 || index.search("day2", { limit: 1 }).hits.length > 0) seen += 1;
      setImmediate(watch);
    };
    watch();
    // The last step makes it visible and resolves.
    await index.add(snapshot("two", 2), listing(20_000, 2), signal).finally(() => {
      done = true;
    });
    expect(turns).toBeGreaterThan(20);
    expect(seen).toBe(0);
    expect(index.search("day2", { limit: 1 }).hits).toHaveLength(1);
  }, 60_000);

  test("a cancelled run leaves the index as it was, and so does a listing that fails", async () => {
    const index = openHere();
    await index.add(snapshot("one", 1), listing(2000, 1), signal);
    const before = index.search("photo", { limit: 5000, budgetMs: 60_000 });
    const stored = versionsIn(file);
    const stop = new AbortController();
    async function* stopped() {
      for await (const node of listing(30_000, 2)) {
        if (node.path.endsWith("-0.jpg") && node.path.includes("/000250/")) stop.abort(new Error("enough"));
        yield node;
      }
    }
    await expect(index.add(snapshot("two", 2), stopped(), stop.signal)).rejects.toThrow("enough");
    async function* failing() {
      yield* listing(15_000, 2);
      throw new Error("restic died");
    }
    await expect(index.add(snapshot("two", 2), failing(), signal)).rejects.toThrow("restic died");
    expect(index.ids()).toEqual(["one"]);
    expect(index.search("photo", { limit: 5000, budgetMs: 60_000 })).toEqual(before);
    await index.add(snapshot("three", 3), listing(2000, 1), signal);
    expect(await wholeDifference(index, "one", "three", "/")).toEqual({ sums: noSums, entries: [] });
    // What the two had ended goes on.
    expect(versionsIn(file)).toBe(stored);
  }, 60_000);

  test("a removal that was cut short is ended by the next change", async () => {
    const index = openHere();
    await index.add(snapshot("one", 1), listing(20_000, 1), signal);
    await index.add(snapshot("two", 2), listing(1000, 1), signal);
    const stop = new AbortController();
    const removal = index.remove(["one"], stop.signal);
    setImmediate(() => stop.abort());
    await expect(removal).rejects.toThrow();
    expect(index.ids()).toEqual(["two"]);
    await index.add(snapshot("three", 3), listing(1000, 1), signal);
    const db = new Sqlite(file, { readonly: true });
    expect(db.prepare("SELECT count(*) FROM node").pluck().get()).toBeLessThan(2000);
    db.close();
  }, 60_000);
});

describe("the file", () => {
  test("a process killed in the middle of indexing leaves what was there before", async () => {
    await killedIn(file);
    const index = openHere();
    expect(index.remade).toBe(false);
    expect(index.ids()).toEqual(["one"]);
    expect(index.search("day2", { limit: 5 }).hits).toEqual([]);
    expect(index.search("day1", { limit: 50 }).hits).toHaveLength(30);
    await index.add(snapshot("two", 2), listing(30_000, 2), signal);
    const fresh = openHere(join(directory, "fresh.db"));
    await fresh.add(snapshot("one", 1), listing(30_000, 1), signal);
    await fresh.add(snapshot("two", 2), listing(30_000, 2), signal);
    for (const path of ["/", "/srv/media", "/srv/media/0002", "/srv/media/0002/000109"]) {
      expect(await wholeDifference(index, "one", "two", path)).toEqual(
        await wholeDifference(fresh, "one", "two", path),
      );
    }
    const db = new Sqlite(file, { readonly: true });
    expect(db.pragma("integrity_check", { simple: true })).toBe("ok");
    db.close();
  }, 90_000);

  test("it is for its owner only", () => {
    openHere();
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test.each([
    [
      "of something else",
      () => writeFileSync(file, "not a database, but long enough to be taken for one".repeat(100)),
    ],
    [
      "of another schema",
      () => {
        const db = new Sqlite(file);
        db.pragma("user_version = 999");
        db.close();
      },
    ],
  ])("one %s is made anew", async (_, spoil) => {
    const index = openIndex(file);
    await index.add(snapshot("one", 1), listing(100, 1), signal);
    await index.close();
    spoil();
    const again = openHere();
    expect(again.remade).toBe(true);
    expect(again.ids()).toEqual([]);
    await again.add(snapshot("one", 1), listing(100, 1), signal);
    expect(again.ids()).toEqual(["one"]);
  });

  test("one that is lost begins empty", async () => {
    const index = openHere();
    expect(index.remade).toBe(false);
    expect(index.ids()).toEqual([]);
  });

  test("damage met while reading is said, and then it is made anew", async () => {
    const index = openIndex(file);
    await index.add(snapshot("one", 1), listing(20_000, 1), signal);
    await index.close();
    const again = openHere();
    expect(again.ids()).toEqual(["one"]);
    const handle = openSync(file, "r+");
    const size = statSync(file).size;
    for (let at = 4096; at < size; at += 4096) writeSync(handle, Buffer.alloc(2048, 0xa5), 0, 2048, at);
    closeSync(handle);
    expect(() => {
      for (const month of [0, 1, 2, 3]) wholeFolder(again, "one", `/srv/media/000${month}`);
      again.search("photo", { limit: 100_000 });
    }).toThrow(
      expect.objectContaining({
        code: "DATABASE",
        detail: expect.objectContaining({ problem: "backup.indexDamaged" }),
      }),
    );
    expect(again.remade).toBe(true);
    expect(again.ids()).toEqual([]);
    await again.add(snapshot("one", 1), listing(100, 1), signal);
    expect(again.ids()).toEqual(["one"]);
  }, 60_000);
});

/** How many versions of files and folders are stored. */
function versionsIn(at: string): number {
  const db = new Sqlite(at, { readonly: true });
  try {
    return db.prepare<[], number>("SELECT count(*) FROM version").pluck().get() ?? 0;
  } finally {
    db.close();
  }
}

/** Runs the fixture on that file until it is in the middle, and kills it. */
async function killedIn(at: string): Promise<void> {
  const child = spawn(
    process.execPath,
    ["--import", "tsx", fileURLToPath(new URL("./kill.fixture.ts", import.meta.url)), at],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const middle = new Promise<void>((resolve, reject) => {
    child.stdout.once("data", () => resolve());
    child.once("exit", () => reject(new Error("it ended by itself")));
  });
  await middle;
  child.kill("SIGKILL");
  await ended;
}
