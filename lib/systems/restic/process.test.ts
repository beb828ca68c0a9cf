// What restic is started with: arguments that nobody's name can turn into options, an environment of its own, and no secret where others see it.
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { ResticRepository } from "./repository";
import { dump, listLocks, listNodes, listSnapshots, repositorySize, unlock } from "./restic";

const folder = mkdtempSync(join(tmpdir(), "sluice-restic-start-"));
const said = join(folder, "said");
const binary = join(folder, "restic");
const signal = new AbortController().signal;
const repository: ResticRepository = {
  ...{
    name: "main",
    repository: "rest:https://sluice:hunter22@backup.example.org/",
    password: "correct horse",
  },
  ...{ env: { AWS_SECRET_ACCESS_KEY: "storage-key", SAID: said }, cacert: "/etc/ca.pem" },
  ...{ timeout: 10_000, binary, cache: join(folder, "cache") },
};

beforeAll(() => {
  writeFileSync(
    binary,
    `#!/bin/sh
{ printf '%s\\0' "$@"; } > "$SAID.args"
env -0 > "$SAID.env"
case "$*" in *snapshots*) echo null;; *stats*) echo '{"total_size":7}';; *ls*) echo '{"tree":"a","paths":["/srv"]}';; esac
`,
  );
  chmodSync(binary, 0o755);
  vi.stubEnv("SLUICE_GATEWAY_TOKEN", "of Sluice's own");
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const args = () => readFileSync(`${said}.args`, "utf8").split("\0").slice(0, -1);
const id = "a".repeat(64);
const ca = "--cacert=/etc/ca.pem";
async function drained(all: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of all);
}

test.each([
  ["snapshots", () => listSnapshots(repository, signal), ["snapshots", "--json", "--no-lock"]],
  ["locks", () => listLocks(repository, signal), ["list", "locks", "--no-lock"]],
  ["size", () => repositorySize(repository, signal), ["stats", "--json", "--no-lock", "--mode=raw-data"]],
  ["unlock", () => unlock(repository, false, signal), ["unlock"]],
  ["unlock all", () => unlock(repository, true, signal), ["unlock", "--remove-all"]],
  ["ls", () => drained(listNodes(repository, id, signal)), ["ls", "--json", "--no-lock", "--", id]],
  [
    "a folder that looks like an option",
    () => drained(listNodes(repository, id, signal, "--password-command=id")),
    ["ls", "--json", "--no-lock", "--", id, "--password-command=id"],
  ],
  [
    "a file",
    async () => drained(await dump(repository, { snapshot: id, path: "-rf\n", archive: null }, signal)),
    ["dump", "--no-lock", "--", id, "-rf\n"],
  ],
  [
    "a folder as one file",
    async () => drained(await dump(repository, { snapshot: id, path: "/", archive: "zip" }, signal)),
    ["dump", "--no-lock", "--archive=zip", "--", id, "/"],
  ],
] as const)("%s", async (_, run, expected) => {
  await run();
  expect(args()).toEqual([ca, ...expected]);
});

test("secrets are in its environment only, and none of Sluice's own are", async () => {
  await listSnapshots(repository, signal);
  expect(args().join(" ")).not.toMatch(/correct horse|hunter22|storage-key/);
  const environment = readFileSync(`${said}.env`, "utf8").split("\0");
  expect(environment).toEqual(
    expect.arrayContaining([
      "RESTIC_PASSWORD=correct horse",
      `RESTIC_REPOSITORY=${repository.repository}`,
      `RESTIC_CACHE_DIR=${repository.cache}`,
      "RESTIC_PROGRESS_FPS=1",
      "AWS_SECRET_ACCESS_KEY=storage-key",
    ]),
  );
  expect(environment.some((line) => line.startsWith("SLUICE_"))).toBe(false);
});
