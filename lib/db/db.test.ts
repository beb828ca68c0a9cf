// The database's door: directory, lease, migrations, and a connection whose writes are in order and durable.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import Sqlite from "better-sqlite3";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { migrations } from "@/generated/migrations";
import { Prisma } from "@/generated/prisma/client";
import { closeDatabase, db } from "./client";
import { keepLease } from "./lease";
import { databaseFile } from "./location";
import { migrate } from "./migrate";
import { openDatabase } from "./open";

const root = mkdtempSync(join(tmpdir(), "sluice-db-"));
let runs = 0;
beforeEach(() => {
  process.env.SLUICE_DATA = join(root, String(++runs), "data");
});
afterEach(closeDatabase);
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("opening", () => {
  test("makes directory and file for their owner alone, in WAL, written through to the disk", async () => {
    const { migrated } = await openDatabase();
    expect(migrated).toEqual(migrations.map(({ name }) => name));
    expect(statSync(process.env.SLUICE_DATA ?? "").mode & 0o777).toBe(0o700);
    expect(statSync(databaseFile()).mode & 0o777).toBe(0o600);
    const one = async (pragma: string): Promise<unknown> =>
      Object.values((await db().$queryRawUnsafe<Record<string, unknown>[]>(`PRAGMA ${pragma}`))[0] ?? {})[0];
    expect(await one("journal_mode")).toBe("wal");
    expect(Number(await one("synchronous"))).toBe(2);
    expect(Number(await one("foreign_keys"))).toBe(1);
    expect(Number(await one("busy_timeout"))).toBe(5000);
  });

  test("a data directory that cannot be one is said", async () => {
    mkdirSync(join(root, String(runs)), { recursive: true });
    writeFileSync(process.env.SLUICE_DATA ?? "", "a file");
    await expect(openDatabase()).rejects.toMatchObject({
      code: "DATABASE",
      message: expect.stringContaining("SLUICE_DATA"),
    });
    rmSync(process.env.SLUICE_DATA ?? "");
  });

  test("a directory that may not be made or written is said, even to root", async () => {
    const mine = process.env.SLUICE_DATA;
    process.env.SLUICE_DATA = "/dev/null/data";
    await expect(openDatabase()).rejects.toMatchObject({
      code: "DATABASE",
      message: expect.stringMatching(/^The data directory \/dev\/null\/data cannot be .*SLUICE_DATA/),
    });
    process.env.SLUICE_DATA = mine;
  });

  test("a file that is no database is said, and left as it is", async () => {
    mkdirSync(process.env.SLUICE_DATA ?? "", { recursive: true });
    writeFileSync(databaseFile(), "Dear diary, ".repeat(1000));
    const before = statSync(databaseFile()).size;
    await expect(openDatabase()).rejects.toMatchObject({
      code: "DATABASE",
      message: expect.stringContaining("not a database"),
    });
    expect(statSync(databaseFile()).size).toBe(before);
    rmSync(databaseFile());
  });
});

describe("migrations", () => {
  const first = { name: "1_first", sql: 'CREATE TABLE "A" ("id" INTEGER PRIMARY KEY);' };
  const second = { name: "2_second", sql: 'ALTER TABLE "A" ADD COLUMN "b" TEXT;' };
  const columns = (connection: Sqlite.Database) =>
    (connection.pragma('table_info("A")') as { name: string }[]).map(({ name }) => name);

  test("pending ones are applied once, in order", () => {
    const connection = new Sqlite(":memory:");
    expect(migrate(connection, [first])).toEqual(["1_first"]);
    expect(migrate(connection, [first, second])).toEqual(["2_second"]);
    expect(migrate(connection, [first, second])).toEqual([]);
    expect(columns(connection)).toEqual(["id", "b"]);
  });

  test("one that fails leaves nothing of itself", () => {
    const connection = new Sqlite(":memory:");
    const broken = { name: "2_second", sql: `${second.sql} CREATE TABLE nonsense` };
    expect(() => migrate(connection, [first, broken])).toThrow();
    expect(columns(connection)).toEqual(["id"]);
    expect(migrate(connection, [first, second])).toEqual(["2_second"]);
  });

  test("a database of a newer program, or of another build, is refused untouched", () => {
    const connection = new Sqlite(":memory:");
    migrate(connection, [first, second]);
    const third = { name: "3_third", sql: 'DROP TABLE "A";' };
    expect(() => migrate(connection, [first])).toThrow(
      /made by a newer Sluice \(it has the migration 2_second\)/,
    );
    expect(() => migrate(connection, [{ ...first, sql: `${first.sql} ` }, second, third])).toThrow(
      /another build/,
    );
    expect(columns(connection)).toEqual(["id", "b"]);
  });

  test("the last one is of prisma/schema.prisma as it is now (else: node scripts/migration.mjs)", () => {
    const prisma = join(import.meta.dirname, "../../prisma");
    const last = migrations.at(-1)?.name ?? "";
    expect(readFileSync(join(prisma, "migrations", last, "schema.prisma"), "utf8")).toBe(
      readFileSync(join(prisma, "schema.prisma"), "utf8"),
    );
  });

  test("the ones we ship make what prisma/schema.prisma describes", async () => {
    await openDatabase();
    // One read of each model: a table or column that is missing fails it.
    const names = Object.values(Prisma.ModelName);
    expect(names.length).toBeGreaterThan(7);
    for (const name of names) {
      const delegate = Reflect.get(db(), name.charAt(0).toLowerCase() + name.slice(1)) as {
        findFirst(): Promise<unknown>;
      };
      await delegate.findFirst();
    }
  });
});

describe("the lease", () => {
  const children: ChildProcess[] = [];
  afterAll(() => {
    for (const child of children) child.kill("SIGKILL");
  });
  function other(): { child: ChildProcess; firstLine: Promise<string>; ended: Promise<number | null> } {
    const child = spawn(
      process.execPath,
      ["--import", "tsx", join(import.meta.dirname, "lease.fixture.ts")],
      {
        env: { ...process.env, SLUICE_LOG: "silent" },
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    children.push(child);
    const firstLine = new Promise<string>((resolve) =>
      createInterface({ input: child.stdout }).once("line", resolve),
    );
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    return { child, firstLine, ended };
  }

  test("a second process is refused with a message; after SIGKILL the next one starts at once", {
    timeout: 30_000,
  }, async () => {
    const first = other();
    expect(await first.firstLine).toBe("held");
    await expect(openDatabase()).rejects.toMatchObject({
      code: "CONFLICT",
      message: expect.stringMatching(
        new RegExp(`Another Sluice \\(process ${first.child.pid}\\) is running on .*SLUICE_DATA`),
      ),
    });
    first.child.kill("SIGKILL");
    await first.ended;
    const began = performance.now();
    await openDatabase();
    expect(performance.now() - began).toBeLessThan(2000);
    const second = other();
    expect(await second.firstLine).toMatch(/^CONFLICT Another Sluice/);
  });

  test("given back, it is free; taken away, the loser is told", { timeout: 30_000 }, async () => {
    const { lease } = await openDatabase();
    const lost = new Promise<void>((resolve) => {
      const stop = keepLease(lease, () => void stop().then(resolve));
    });
    await db().lease.updateMany({ data: { holder: "{}" } });
    await lost;
    await db().lease.deleteMany();
    const again = await openDatabase();
    await keepLease(again.lease, () => {})();
    expect(await db().lease.count()).toBe(0);
  });

  test("one held on another machine is waited for, and taken when it is not renewed", {
    timeout: 30_000,
  }, async () => {
    await openDatabase();
    const holder = JSON.stringify({ id: "x", machine: "elsewhere", pid: 1, started: null });
    await db().lease.updateMany({ data: { holder, expiresAt: new Date(Date.now() + 1200) } });
    const began = performance.now();
    await openDatabase();
    expect(performance.now() - began).toBeGreaterThan(1000);

    await db().lease.updateMany({ data: { holder, expiresAt: new Date(Date.now() + 10_000) } });
    const renewal = setTimeout(() => {
      db()
        .lease.updateMany({ data: { expiresAt: new Date(Date.now() + 15_000) } })
        .catch(() => {});
    }, 300);
    await expect(openDatabase()).rejects.toMatchObject({
      code: "CONFLICT",
      message: expect.stringContaining("another machine"),
    });
    clearTimeout(renewal);
  });
});

describe("the one connection", () => {
  test("a write from outside an open transaction waits for it, and is not rolled back with it", async () => {
    await openDatabase();
    const item = (value: string) => ({ data: { type: "url", host: "h", value } });
    let outside: Promise<unknown> = Promise.resolve();
    const failing = db().$transaction(async (tx) => {
      await tx.purgeItem.create(item("inside"));
      outside = db()
        .purgeItem.create(item("outside"))
        .then(() => "kept");
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(await Promise.race([outside, Promise.resolve("waits")])).toBe("waits");
      throw new Error("roll back");
    });
    await expect(failing).rejects.toThrow("roll back");
    expect(await outside).toBe("kept");
    expect((await db().purgeItem.findMany()).map(({ value }) => value)).toEqual(["outside"]);
  });

  test("transactions follow each other", async () => {
    await openDatabase();
    await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        db().$transaction(async (tx) => {
          const count = await tx.purgeItem.count();
          await tx.purgeItem.create({ data: { type: "url", host: String(count), value: String(n) } });
        }),
      ),
    );
    expect(
      (await db().purgeItem.findMany({ orderBy: { id: "asc" } })).map(({ host }) => Number(host)),
    ).toEqual(Array.from({ length: 20 }, (_, n) => n));
  });
});
