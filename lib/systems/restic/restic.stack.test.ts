// The real restic on repositories of this test's own: Debian's, and a current one where SLUICE_RESTIC_CURRENT names it.
import { execFile, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort, until } from "../test-stack";
import { appendOnly } from "./append-only";
import type { ResticRepository } from "./repository";
import {
  checkRepository,
  dump,
  initRepository,
  listLocks,
  listNodes,
  listSnapshots,
  repositorySize,
  resticVersion,
  unlock,
} from "./restic";

const current = process.env.SLUICE_RESTIC_CURRENT;
const binaries = ["restic", ...(current === undefined || current === "" ? [] : [current])];
const signal = new AbortController().signal;
const hasRclone = spawnSync("rclone", ["version"]).status === 0;
const names = ["-rf", "--help", "new\nline", "a*[b]?\\q", "é à", "plain"];

async function gathered<T>(all: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const one of all) list.push(one);
  return list;
}

describe.each(binaries)("%s", (binary) => {
  let root = "";
  let repository: ResticRepository;
  const source = () => join(root, "-source");
  const environment = () => ({
    ...process.env,
    RESTIC_REPOSITORY: repository.repository,
    RESTIC_PASSWORD: repository.password,
    RESTIC_CACHE_DIR: repository.cache,
  });
  const newest = async () => {
    const [snapshot] = await listSnapshots(repository, signal);
    if (snapshot === undefined) throw new Error("no snapshot");
    return snapshot;
  };

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "sluice-restic-"));
    repository = {
      ...{ name: "main", repository: join(root, "repository"), password: "correct horse" },
      ...{ env: {}, timeout: 60_000, binary, cache: join(root, "cache") },
    };
    await mkdir(join(source(), "-folder"), { recursive: true });
    for (const name of names) await writeFile(join(source(), name), `text of ${name}`);
    await writeFile(Buffer.concat([Buffer.from(`${source()}/bad`), Buffer.from([0xff, 0xfe])]), "bytes");
    await symlink("plain", join(source(), "link"));
    await initRepository(repository, signal);
    await promisify(execFile)(binary, ["backup", "--tag", "files", "--host", "web-1", "--", source()], {
      env: environment(),
    });
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  test("what it is, and what it holds", async () => {
    expect(await resticVersion(repository)).toMatch(/^0\.\d+\.\d+/);
    expect(await newest()).toMatchObject({ host: "web-1", tags: ["files"], paths: [source()] });
    expect(await repositorySize(repository, signal)).toBeGreaterThan(100);
    await checkRepository(repository, signal);
  });

  test("names that look like options, with newlines and without UTF-8", async () => {
    const { id } = await newest();
    const all = await gathered(listNodes(repository, id, signal));
    for (const name of names) expect(all.map((node) => node.path)).toContain(`${source()}/${name}`);
    expect(all.find(({ name }) => name === "bad\uFFFD\uFFFD")).toMatchObject({ type: "file", size: 5 });
    expect(all.find(({ name }) => name === "link")?.type).toBe("symlink");
    const inFolder = await gathered(listNodes(repository, id, signal, source()));
    expect(inFolder.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
    for (const name of names) {
      const pieces = await dump(
        repository,
        { snapshot: id, path: `${source()}/${name}`, archive: null },
        signal,
      );
      expect(Buffer.concat(await gathered(pieces)).toString()).toBe(`text of ${name}`);
    }
    const zip = await dump(repository, { snapshot: id, path: source(), archive: "zip" }, signal);
    expect(
      Buffer.concat(await gathered(zip))
        .subarray(0, 2)
        .toString(),
    ).toBe("PK");
  });

  test("what is not there is told at once", async () => {
    const { id } = await newest();
    const gone = "0".repeat(64);
    await expect(
      dump(repository, { snapshot: id, path: `${source()}/*`, archive: null }, signal),
    ).rejects.toMatchObject({ code: "NOT_FOUND", detail: { problem: "restic.noFile" } });
    await expect(gathered(listNodes(repository, gone, signal))).rejects.toMatchObject({
      code: "NOT_FOUND",
      detail: { problem: "restic.noSnapshot" },
    });
    const wrong = { ...repository, password: "wrong" };
    await expect(listSnapshots(wrong, signal)).rejects.toMatchObject({
      detail: { problem: "restic.password" },
    });
    const nowhere = { ...repository, repository: join(root, "nowhere") };
    await expect(listSnapshots(nowhere, signal)).rejects.toMatchObject({
      detail: { problem: "restic.noRepository" },
    });
    await expect(initRepository(repository, signal)).rejects.toMatchObject({
      code: "CONFLICT",
      detail: { problem: "restic.exists" },
    });
    const away = { ...repository, repository: "rest:http://127.0.0.1:1/", timeout: 3000 };
    const error: unknown = await listSnapshots(away, signal).catch((thrown: unknown) => thrown);
    // A current one tries again until its time is over.
    expect(error).toMatchObject({ code: expect.stringMatching(/^(UNREACHABLE|TIMEOUT)$/) });
    const missing = { ...repository, binary: join(root, "no-restic") };
    await expect(listSnapshots(missing, signal)).rejects.toMatchObject({
      detail: { problem: "restic.missing" },
    });
  });

  test("the password by a command; one that fails says nothing of it", async () => {
    const { password: _, ...without } = repository;
    const asked = { ...without, password_command: ["printf", "%s\n", "correct horse"] };
    expect(await listSnapshots(asked, signal)).not.toHaveLength(0);
    const failing = { ...without, password_command: ["sh", "-c", "echo correct horse >&2; exit 3"] };
    const error: unknown = await listSnapshots(failing, signal).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ detail: { problem: "restic.passwordCommand", params: { why: "3" } } });
    expect(JSON.stringify(error)).not.toContain("correct horse");
  });

  test("the lock of a killed backup: told, and taken away", async () => {
    const backup = spawn(binary, ["backup", "--stdin", "--host", "web-1"], {
      env: environment(),
      stdio: ["pipe", "ignore", "ignore"],
    });
    const [lock] = await until("a lock", async () => {
      const locks = await listLocks(repository, signal);
      return locks.length > 0 && locks;
    });
    expect(lock).toMatchObject({ exclusive: false, pid: backup.pid });
    await unlock(repository, false, signal);
    expect(await listLocks(repository, signal)).toHaveLength(1);
    backup.kill("SIGKILL");
    await until("its end", async () => backup.signalCode !== null);
    await unlock(repository, false, signal);
    expect(await listLocks(repository, signal)).toEqual([]);
  });

  test("a reader who takes no more keeps nobody waiting once it is cancelled", async () => {
    const large = join(root, "large");
    await writeFile(large, randomBytes(20_000_000));
    await promisify(execFile)(binary, ["backup", "--tag", "large", "--", large], { env: environment() });
    const { id } = await newest();
    const what = { snapshot: id, path: large, archive: null };
    // More than there is room for at once.
    for (let round = 0; round < 3; round += 1) {
      const controller = new AbortController();
      const pieces = await dump(repository, what, controller.signal);
      await pieces.next();
      controller.abort();
    }
    expect(Buffer.concat(await gathered(await dump(repository, what, signal)))).toHaveLength(20_000_000);
  });

  test("a reader who leaves, or cancels, leaves no process and no lock", async () => {
    const { id } = await newest();
    for await (const node of listNodes(repository, id, signal)) {
      expect(node.path).toMatch(/^\//);
      break;
    }
    const controller = new AbortController();
    const pieces = await dump(repository, { snapshot: id, path: "/", archive: "tar" }, controller.signal);
    controller.abort();
    await gathered(pieces).catch(() => {});
    const over = new AbortController();
    over.abort();
    await expect(listSnapshots(repository, over.signal)).rejects.toMatchObject({ code: "CANCELLED" });
    await expect(listSnapshots({ ...repository, timeout: 1 }, signal)).rejects.toMatchObject({
      code: "TIMEOUT",
    });
    expect(await listLocks(repository, signal)).toEqual([]);
    await checkRepository(repository, signal);
  });

  test.skipIf(!hasRclone)("a REST server, and one that lets nothing be taken away", async () => {
    for (const only of [false, true]) {
      const port = await freePort();
      const more = only ? ["--append-only"] : [];
      const server = spawn(
        "rclone",
        ["serve", "restic", "--addr", `127.0.0.1:${port}`, ...more, repository.repository],
        { stdio: "ignore" },
      );
      try {
        const there = { ...repository, repository: `rest:http://127.0.0.1:${port}/` };
        await until("the server", () => fetch(`http://127.0.0.1:${port}/`).catch(() => null));
        expect(await listSnapshots(there, signal)).not.toHaveLength(0);
        expect(await appendOnly(there)).toBe(only);
        await expect(
          listSnapshots({ ...there, repository: `${there.repository}none/` }, signal),
        ).rejects.toMatchObject({ detail: { problem: "restic.noRepository" } });
      } finally {
        server.kill();
      }
    }
    expect(await appendOnly(repository)).toBeNull();
  });
});

test("one that does not end by itself is killed", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sluice-restic-deaf-"));
  try {
    const binary = join(folder, "restic");
    await writeFile(
      binary,
      `#!/bin/sh\ntrap "" INT\necho $$ > "${folder}/pid"\nwhile :; do sleep 1; done\n`,
      {
        mode: 0o755,
      },
    );
    const deaf = { name: "deaf", repository: "/nowhere", password: "p", env: {}, cache: folder };
    await expect(listSnapshots({ ...deaf, timeout: 500, binary }, signal)).rejects.toMatchObject({
      code: "TIMEOUT",
    });
    const pid = Number(await readFile(join(folder, "pid"), "utf8"));
    expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
