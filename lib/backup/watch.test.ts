// What is said of a repository that answers, which locks were left behind, and which paths are taken.
import { hostname } from "node:os";
import { expect, test } from "vitest";
import { snapshotPath } from "./contract";
import { concernsOf, isStale } from "./watch";

const now = Date.parse("2026-11-27T12:00:00Z");
const before = (hours: number) => new Date(now - hours * 3_600_000).toISOString();
const snapshot = (time: string) => ({
  ...{ id: "a".repeat(64), time, host: "web-1", user: "root", paths: ["/srv"], tags: [] },
  ...{ tree: "b".repeat(64), files: null, bytes: null },
});
const repository = { name: "main", max_age: 26 * 3_600_000 };
const problems = (seen: Parameters<typeof concernsOf>[1]) =>
  concernsOf(repository, seen, now).map(({ problem }) => problem);

test("an old newest snapshot, none at all, and a lock that was left behind", () => {
  const lock = { id: "c", since: before(1), host: "web-1", user: "root", pid: 12, exclusive: false };
  expect(problems({ snapshots: [snapshot(before(25))], locks: [{ ...lock, stale: false }] })).toEqual([]);
  expect(problems({ snapshots: [snapshot(before(27)), snapshot(before(50))], locks: [] })).toEqual([
    "backup.old",
  ]);
  expect(problems({ snapshots: [], locks: [{ ...lock, stale: true }] })).toEqual([
    "backup.noSnapshot",
    "backup.staleLock",
  ]);
});

test("a lock is stale as restic says: after half an hour, or when its process is not there", () => {
  const elsewhere = { host: "another-host", pid: 1 };
  expect(isStale({ ...elsewhere, since: before(0.4) }, now)).toBe(false);
  expect(isStale({ ...elsewhere, since: before(0.6) }, now)).toBe(true);
  expect(isStale({ host: hostname(), pid: process.pid, since: before(0) }, now)).toBe(false);
  // More than any system has.
  expect(isStale({ host: hostname(), pid: 2 ** 22 + 5, since: before(0) }, now)).toBe(true);
});

test.each(["/", "/srv", "/srv/-rf", "/srv/new\nline", "/srv/...", "/srv/a*[b]?\\q"])("a path: %j", (path) => {
  expect(snapshotPath.safeParse(path).success).toBe(true);
});
test.each(["", "srv", "/srv/", "/srv/../etc", "/..", "/srv/./x", "/srv//x", "//", "/a\0b"])(
  "no path: %j",
  (path) => {
    expect(snapshotPath.safeParse(path).success).toBe(false);
  },
);
