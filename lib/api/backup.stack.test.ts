// Backups over the API, on a real repository: made, browsed before and after its index is there, searched, compared, taken away, unlocked.
import { execFile, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { addUser, type House, openHouse } from "../auth/house.fixture";
import * as shapes from "../backup/contract";
import { backupIndexService } from "../backup/index-service";
import { registerBackup } from "../backup/register";
import { repositoryCalled } from "../backup/repositories";
import { lookAtRepository } from "../backup/watch";
import { changeRow } from "../changes/contract";
import { engine } from "../changes/engine";
import { until } from "../systems/test-stack";
import { answerBackupFile } from "./backup-file";
import { origin, rest, signIn } from "./requests.fixture";

const root = mkdtempSync(join(tmpdir(), "sluice-backup-"));
const source = join(root, "source");
const secret = "the repository's own";
let house: House;
let cookie = "";
let stop: () => Promise<void> = async () => {};

const environment = () => ({
  ...process.env,
  RESTIC_REPOSITORY: join(root, "repository"),
  RESTIC_PASSWORD: secret,
  RESTIC_CACHE_DIR: join(root, "cache"),
});
const restic = (...args: string[]) => promisify(execFile)("restic", args, { env: environment() });

async function ask<T>(shape: z.ZodType<T>, method: string, path: string, body?: unknown): Promise<T> {
  const answer = await rest(method, path, { cookie }, body);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${answer.status} ${text}`);
  return shape.parse(JSON.parse(text));
}
const repositoryNow = async () => {
  const [one] = await ask(z.array(shapes.repository), "GET", "/backup/repositories");
  if (one === undefined) throw new Error("no repository");
  return one;
};
const folderAt = (snapshot: string, path: string) =>
  ask(
    shapes.folder,
    "GET",
    `/backup/repositories/main/snapshots/${snapshot}/folder?${new URLSearchParams({ path })}`,
  );
const file = (query: Record<string, string>, headers = { cookie }) =>
  answerBackupFile(new Request(`${origin}/api/v1/backup/file?${new URLSearchParams(query)}`, { headers }));
const look = () => lookAtRepository(repositoryCalled("main"));
const snapshots = async () => {
  const list = await ask(shapes.snapshotList, "GET", "/backup/repositories/main/snapshots");
  return list.snapshots;
};

beforeAll(async () => {
  mkdirSync(join(source, "-folder"), { recursive: true });
  writeFileSync(join(source, "-folder", "new\nline"), "one");
  writeFileSync(join(source, "site.sql"), "create table a;");
  house = await openHouse(`
systems:
  restic: [{ name: main, repository: "${join(root, "repository")}", password: "${secret}" }]
`);
  registerBackup();
  await addUser("operator", "operator");
  await addUser("viewer", "viewer");
  cookie = await signIn("operator");
});
afterAll(async () => {
  await stop();
  await house.close();
  rmSync(root, { recursive: true, force: true });
});

test("a repository is made, once", async () => {
  expect(await look()).toMatchObject({
    state: "down",
    error: { detail: { problem: "restic.noRepository" } },
  });
  expect(await repositoryNow()).toMatchObject({ state: "missing", snapshots: null });
  const row = await ask(changeRow, "POST", "/backup/inits", { repository: "main" });
  expect(await engine().wait(row.id, 60_000)).toMatchObject({ state: "done", outcome: "made" });
  const again = await rest("POST", "/backup/inits/plan", { cookie }, { repository: "main" });
  expect([again.status, await again.text()]).toEqual([409, expect.stringContaining("backup.thereAlready")]);
});

test("browsed by restic itself, then from the index; searched, compared, and its history told", async () => {
  await restic("backup", "--tag", "files", "--host", "web-1", "--", source);
  expect(await look()).toMatchObject({
    state: "up",
    data: { facts: { snapshots: 1, locks: 0 }, concerns: [] },
  });
  const [first] = await snapshots();
  if (first === undefined) throw new Error("no snapshot");
  expect(first).toMatchObject({ host: "web-1", tags: ["files"], indexed: false });
  const live = await folderAt(first.id, source);
  expect(live.indexed).toBe(false);
  expect(live.entries.map(({ name, type, size }) => ({ name, type, size }))).toEqual([
    { name: "-folder", type: "dir", size: 0 },
    { name: "site.sql", type: "file", size: 15 },
  ]);
  await expect(folderAt(first.id, `${source}/none`)).rejects.toThrow(/^404/);
  const common = { repository: "main", snapshot: first.id };
  expect((await file({ ...common, path: source })).status).toBe(422);
  expect(await (await file({ ...common, path: join(source, "site.sql") })).text()).toBe("create table a;");

  stop = await backupIndexService.start();
  writeFileSync(join(source, "site.sql"), "create table a; create table b;");
  await restic("backup", "--tag", "files", "--host", "web-1", "--", source);
  await look();
  await until("the index", async () => (await repositoryNow()).index.indexed === 2, 30_000);
  const indexed = await folderAt(first.id, source);
  expect(indexed).toEqual({ ...live, indexed: true });

  const found = await ask(shapes.found, "GET", "/backup/search?text=site");
  expect(found).toMatchObject({ complete: true, unindexed: 0 });
  expect(found.hits.map(({ repository, path, snapshots: count }) => [repository, path, count])).toEqual([
    ["main", join(source, "site.sql"), expect.any(Number)],
  ]);
  const path = new URLSearchParams({ path: join(source, "site.sql") });
  const history = await ask(shapes.fileHistory, "GET", `/backup/repositories/main/history?${path}`);
  expect(history.versions.map(({ size }) => size)).toEqual([31, 15]);
  const [second] = await snapshots();
  const between = new URLSearchParams({ before: first.id, after: second?.id ?? "", path: source });
  const differs = await ask(shapes.difference, "GET", `/backup/repositories/main/difference?${between}`);
  expect(differs.sums).toMatchObject({ added: 0, removed: 0, changed: 1, changedFrom: 15, changedTo: 31 });

  await restic("forget", "--", first.id);
  await look();
  await until("the forgotten one to be gone", async () => (await repositoryNow()).index.of === 1, 30_000);
  await until("the history to follow", async () => {
    const after = await ask(shapes.fileHistory, "GET", `/backup/repositories/main/history?${path}`);
    return after.versions.length === 1;
  });
});

test("a file and a folder are taken away; nothing else is", async () => {
  const [one] = await snapshots();
  const common = { repository: "main", snapshot: one?.id ?? "" };
  const text = await file({ ...common, path: join(source, "-folder", "new\nline") });
  expect([text.status, await text.text()]).toEqual([200, "one"]);
  expect(text.headers.get("content-disposition")).toMatch(/^attachment; filename="new_line"/);
  expect(text.headers.get("content-type")).toBe("application/octet-stream");
  const zip = await file({ ...common, path: source, archive: "zip" });
  expect(
    Buffer.from(await zip.arrayBuffer())
      .subarray(0, 2)
      .toString(),
  ).toBe("PK");

  // As what, is not said.
  expect((await file({ ...common, path: source })).status).toBe(422);
  const asIs = await file({ ...common, path: join(source, "site.sql"), archive: "zip" });
  expect([await asIs.text(), asIs.headers.get("content-disposition")]).toEqual([
    "create table a; create table b;",
    expect.stringContaining('filename="site.sql"'),
  ]);
  for (const path of ["/etc/passwd", `${source}/site`])
    expect((await file({ ...common, path })).status, path).toBe(404);
  for (const wrong of [
    { ...common, path: `${source}/../../etc/passwd` },
    { ...common, path: "etc" },
    { ...common, snapshot: "latest", path: "/" },
    { ...common, path: "/", archive: "rar" },
  ])
    expect((await file(wrong)).status, JSON.stringify(wrong)).toBe(422);
  expect((await file({ ...common, path: "/" }, { cookie: await signIn("viewer") })).status).toBe(403);
});

test("a lock that a killed backup left is told, and taken away as a change", async () => {
  const backup = spawn("restic", ["backup", "--stdin"], {
    env: environment(),
    stdio: ["pipe", "ignore", "ignore"],
  });
  await until("its lock", async () => {
    await look();
    return (await repositoryNow()).locks.length === 1;
  });
  const alive = await rest("POST", "/backup/unlocks/plan", { cookie }, { repository: "main" });
  expect([alive.status, await alive.text()]).toEqual([409, expect.stringContaining("backup.locksAlive")]);
  const forced = await rest("POST", "/backup/unlocks", { cookie }, { repository: "main", all: true });
  expect(forced.status).toBe(428);
  backup.kill("SIGKILL");
  await until("its end", async () => backup.signalCode !== null);

  expect(await look()).toMatchObject({ data: { concerns: [{ problem: "backup.staleLock" }] } });
  const row = await ask(changeRow, "POST", "/backup/unlocks", { repository: "main" });
  const ended = await engine().wait(row.id, 60_000);
  expect(ended).toMatchObject({ state: "done", outcome: "unlocked" });
  await look();
  expect((await repositoryNow()).locks).toEqual([]);
});

test("no secret is in what is told", async () => {
  const told = JSON.stringify(await repositoryNow());
  expect(told).not.toContain(secret);
});
