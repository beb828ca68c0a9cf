// The index of backups at 1,000,000 files: `npx tsx bench/backup-index.ts [files]`. Prints how quickly it is built, how
// large it is, what it takes to open folders, to search and to compare, and the memory of it. With a repository that
// restic can open by its environment (RESTIC_REPOSITORY, RESTIC_PASSWORD_FILE) and `--restic <snapshot> <folder> <name>`
// that snapshot is indexed too, and its folder and name are asked of both.
import { execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import * as z from "zod";
import { listing } from "../lib/backup/index/listing.fixture";
import { openIndex, type SnapshotIndex } from "../lib/backup/index/open";
import type { IndexedSnapshot, IndexNode } from "../lib/backup/index/shapes";

const { signal } = new AbortController();

function say(name: string, value: string): void {
  process.stdout.write(`${name.padEnd(44)} ${value}\n`);
}

/** Median, 95th percentile and slowest of what `ask` takes, ms; it is called with 0, 1, 2 … */
async function measure(name: string, times: number, ask: (time: number) => unknown): Promise<void> {
  const spent: number[] = [];
  for (let time = 0; time < times; time += 1) {
    const from = performance.now();
    await ask(time);
    spent.push(performance.now() - from);
  }
  spent.sort((one, other) => one - other);
  const at = (share: number) => (spent[Math.floor((times - 1) * share)] ?? Number.NaN).toFixed(2);
  say(name, `p50 ${at(0.5)}  p95 ${at(0.95)}  max ${at(1)} ms`);
}

function snapshot(day: number): IndexedSnapshot {
  return {
    id: `day${day}`,
    time: new Date(Date.UTC(2026, 0, day)).toISOString(),
    host: "web",
    paths: ["/srv"],
  };
}

/** Indexes and says what it took: time, memory above what there was before, the longest wait of others. */
async function build(
  index: SnapshotIndex,
  name: string,
  taken: IndexedSnapshot,
  nodes: AsyncIterable<IndexNode>,
  files: number,
): Promise<void> {
  const before = process.memoryUsage().rss;
  let most = before;
  const watching = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss);
  }, 50);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const from = performance.now();
  await index.add(taken, nodes, signal);
  const seconds = (performance.now() - from) / 1000;
  clearInterval(watching);
  delay.disable();
  const ms = (value: number) => (value / 1e6).toFixed(0);
  say(
    name,
    `${seconds.toFixed(1)} s, ${Math.round(files / seconds)} files/s, ${(index.size() / 1e6).toFixed(1)} MB, ` +
      `RSS ${(most / 1e6).toFixed(0)} MB (+${((most - before) / 1e6).toFixed(0)}), ` +
      `loop p50 ${ms(delay.percentile(50))} p99 ${ms(delay.percentile(99))} max ${ms(delay.max)} ms`,
  );
}

async function madeUp(file: string, files: number): Promise<void> {
  const index = openIndex(file);
  await build(index, `first snapshot of ${files} files`, snapshot(1), listing(files, 1), files);
  say("bytes per million entries", `${(((index.size() / files) * 1e6) / 1e6).toFixed(1)} MB`);
  for (const day of [2, 3]) {
    await build(index, `day ${day}: 0.2 % differ`, snapshot(day), listing(files, day), files);
  }

  const folders = Math.ceil(files / 100);
  await measure("open a folder of 100", 200, (time) => {
    const number = (time * 7919) % folders;
    const month = String(Math.floor(number / 50)).padStart(4, "0");
    return index.folder("day2", `/srv/media/${month}/${String(number).padStart(6, "0")}`, { limit: 200 });
  });
  await measure("the root, a folder of folders", 100, (time) =>
    index.folder("day2", ["/", "/srv", "/srv/media"][time % 3] ?? "/", { limit: 200 }),
  );
  const words: readonly (readonly [string, string])[] = [
    ["in nearly every name", "photo"],
    ["in one of a thousand", "day2"],
    ["in a few", ((500_000 * 2_654_435_761) % 4_294_967_296).toString(36).slice(0, 4)],
    ["nowhere", "zebra-nowhere"],
    ["part of a path", "0084/004217/photo"],
    ["two letters", "7h"],
    ["two letters, nowhere", "~~"],
  ];
  for (const [name, word] of words) {
    let complete = true;
    let hits = 0;
    await measure(`search: ${name}`, 40, () => {
      const result = index.search(word, { limit: 200 });
      complete = result.complete;
      hits = result.hits.length;
    });
    say("", `${hits} hits${complete ? "" : ", more"}`);
  }
  await measure("search in one snapshot", 40, () => index.search("day1", { limit: 200, snapshotId: "day3" }));
  await measure("history of a file", 100, () => index.history("/srv/media/0000/000000/photo-0-0.jpg"));
  await measure("difference of two snapshots, first", 1, () =>
    index.difference("day1", "day3", { limit: 200 }, signal),
  );
  await measure("difference of two snapshots, a folder", 100, () =>
    index.difference("day1", "day3", { path: "/srv/media/0007", limit: 200 }, signal),
  );
  await measure("a snapshot of the middle taken out", 1, () => index.remove(["day2"], signal));

  const flat = `${file}-flat`;
  const one = openIndex(flat);
  await build(one, `one folder of ${files / 5} files`, snapshot(1), flatFolder(files / 5), files / 5);
  let after: string | undefined;
  await measure("its pages, one after the other", 100, () => {
    after = one.folder("day1", "/srv", { after, limit: 200 })?.next ?? undefined;
  });
  await measure("a difference of everything", 1, async () => {
    await one.add({ ...snapshot(2) }, flatFolder(0), signal);
    return one.difference("day1", "day2", { limit: 200 }, signal);
  });
  await one.close();
  await index.close();
}

async function* flatFolder(files: number): AsyncGenerator<IndexNode> {
  yield { path: "/srv", type: "dir", size: 0, mtimeMs: 0, mode: 0o755 };
  for (let number = 0; number < files; number += 1) {
    const name = String(number).padStart(9, "0");
    yield { path: `/srv/${name}.jpg`, type: "file", size: number, mtimeMs: number, mode: 0o644 };
  }
}

const nodeLine = z.object({
  path: z.string(),
  type: z.string(),
  size: z.number().default(0),
  mtime: z.string(),
  mode: z.number().default(0),
});

/** The same questions to restic and to an index of that snapshot. */
async function againstRestic(file: string, id: string, folder: string, name: string): Promise<void> {
  const restic = (...args: string[]) =>
    promisify(execFile)("restic", ["--no-lock", "--json", ...args], { maxBuffer: 2 ** 30, timeout: 300_000 });
  let files = 0;
  async function* nodes(): AsyncGenerator<IndexNode> {
    const child = spawn("restic", ["--no-lock", "--json", "ls", id], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    for await (const line of createInterface({ input: child.stdout })) {
      const { success, data } = nodeLine.safeParse(JSON.parse(line));
      if (!success) continue;
      files += 1;
      const type =
        data.type === "dir" || data.type === "file" || data.type === "symlink" ? data.type : "other";
      yield { ...data, type, mtimeMs: Date.parse(data.mtime) };
    }
  }
  const index = openIndex(file);
  const from = performance.now();
  await index.add({ ...snapshot(1), id }, nodes(), signal);
  const seconds = (performance.now() - from) / 1000;
  say(
    `restic ls into the index, ${files} nodes`,
    `${seconds.toFixed(1)} s, ${Math.round(files / seconds)} files/s`,
  );
  await measure("restic ls, whole", 3, () => restic("ls", id));
  await measure(`restic ls ${folder}`, 5, () => restic("ls", id, folder));
  await measure("the index's folder", 50, () => index.folder(id, folder, { limit: 200 }));
  await measure(`restic find ${name}`, 5, () => restic("find", "--ignore-case", `*${name}*`));
  await measure("the index's search", 50, () => index.search(name, { limit: 200 }));
  await index.close();
}

async function run(): Promise<void> {
  const [first, ...rest] = process.argv.slice(2);
  const directory = mkdtempSync(join(tmpdir(), "sluice-bench-index-"));
  try {
    const [id, folder, name] = rest;
    if (first !== "--restic") await madeUp(join(directory, "index.db"), Number(first ?? 1_000_000));
    else if (id !== undefined && folder !== undefined && name !== undefined) {
      await againstRestic(join(directory, "index.db"), id, folder, name);
    } else throw new RangeError("--restic <snapshot> <folder> <name>");
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
await run();
