// What restic says, as recorded of 0.14 and 0.18, and what Sluice makes of it.
import { describe, expect, test } from "vitest";
import { faultOf, wordsOf } from "./faults";
import type { ResticRepository } from "./repository";
import { versionIn } from "./restic";

const repository: ResticRepository = {
  ...{
    name: "main",
    repository: "rest:https://sluice:hunter22@backup.example.org/",
    password: "correct horse",
  },
  ...{ env: { AWS_SECRET_ACCESS_KEY: "s3cr3t-key" }, timeout: 1000, binary: "restic", cache: "/tmp/cache" },
};

describe("failures", () => {
  test.each([
    ["0.14 wrong password", 1, "Fatal: wrong password or no key found", "UPSTREAM_AUTH", "password"],
    ["0.18 wrong password", 12, "Fatal: wrong password or no key found", "UPSTREAM_AUTH", "password"],
    [
      "0.14 no repository",
      1,
      "Fatal: unable to open config file: stat /tmp/none/config: no such file or directory\nIs there a repository at the following location?\n/tmp/none",
      "REFUSED",
      "noRepository",
    ],
    [
      "0.18 no repository",
      10,
      '{"message_type":"exit_error","code":10,"message":"Fatal: repository does not exist: unable to open config file: stat /tmp/none/config: no such file or directory\\nIs there a repository at the following location?\\n/tmp/none"}',
      "REFUSED",
      "noRepository",
    ],
    ["an exit code alone", 10, "", "REFUSED", "noRepository"],
    [
      "0.14 a server that is away",
      1,
      'Fatal: unable to open config file: client.Head: Head "http://127.0.0.1:1/config": dial tcp 127.0.0.1:1: connect: connection refused\nIs there a repository at the following location?\nrest:http://127.0.0.1:1/',
      "UNREACHABLE",
      "unreachable",
    ],
    [
      "S3 keys that are not known",
      1,
      "Fatal: unable to open config file: Stat: The Access Key Id you provided does not exist in our records.\nIs there a repository at the following location?\ns3:https://s3.example.org/b",
      "UPSTREAM_AUTH",
      "keys",
    ],
    [
      "no address",
      1,
      "Fatal: parsing repository location failed: invalid backend\nIf the repository is in a local directory, you need to add a `local:` prefix",
      "CONFIG_INVALID",
      "address",
    ],
    [
      "0.14 there is one already",
      1,
      "Fatal: create repository at /tmp/repo failed: config file already exists",
      "CONFLICT",
      "exists",
    ],
    [
      "0.14 no such snapshot",
      1,
      'invalid id "0123456789abcdef": no matching ID found for prefix "0123456789abcdef"',
      "NOT_FOUND",
      "noSnapshot",
    ],
    [
      "0.18 no such snapshot",
      1,
      'Load(<snapshot/0000000000>, 0, 0) failed: open /srv/repo/snapshots/00: no such file or directory\n{"message_type":"exit_error","code":1,"message":"failed to load snapshot [null]: open /srv/repo/snapshots/00: no such file or directory"}',
      "NOT_FOUND",
      "noSnapshot",
    ],
    [
      "0.18 over REST, no repository",
      10,
      '{"message_type":"exit_error","code":10,"message":"Fatal: repository does not exist: unable to open config file: \\u003cconfig/\\u003e does not exist\\nIs there a repository at the following location?\\nrest:http://127.0.0.1:18433/none/"}',
      "REFUSED",
      "noRepository",
    ],
    [
      "0.18 there is one already",
      1,
      "Fatal: create repository at /srv/repo failed: Fatal: unable to open repository at /srv/repo: config file already exists",
      "CONFLICT",
      "exists",
    ],
    ["no such file", 2, 'cannot dump file: path "/srv/x" not found in snapshot', "NOT_FOUND", "noFile"],
    [
      "a link",
      2,
      'cannot dump file: "/srv/link" should be a file, but is a "symlink"',
      "NOT_FOUND",
      "noFile",
    ],
    [
      "0.14 not ours to read",
      1,
      "Fatal: unable to open repository at /srv/repo: ReadDir: open /srv/repo/keys: permission denied",
      "REFUSED",
      "denied",
    ],
    ["a full disk", 1, "Fatal: write /srv/repo/tmp: no space left on device", "DISK_FULL", "diskFull"],
    ["anything else", 1, "Fatal: number of used blobs is larger than 4", "REFUSED", "failed"],
  ] as const)("%s", (_, code, stderr, expectedCode, problem) => {
    const error = faultOf(repository, code, stderr);
    expect([error.code, error.detail.problem]).toEqual([expectedCode, `restic.${problem}`]);
  });

  test("a lock: who holds it, and since when", () => {
    const stderr = `unable to create lock in backend: repository is already locked exclusively by PID 3148 on web-1 by root (UID 0, GID 0)
lock was created at 2026-11-27 02:37:11 (5.985617994s ago)
storage ID 870a2c93
the \`unlock\` command can be used to remove stale locks`;
    expect(faultOf(repository, 1, stderr)).toMatchObject({
      code: "CONFLICT",
      detail: {
        problem: "restic.locked",
        params: { who: "web-1 (PID 3148)", since: "2026-11-27 02:37:11" },
      },
    });
  });

  test("no secret is passed on", () => {
    const says = wordsOf(
      repository,
      "Fatal: Head https://sluice:hunter22@backup.example.org/config with s3cr3t-key and correct horse: boom",
    );
    expect(says).toMatch(/boom$/);
    expect(says).not.toMatch(/hunter22|s3cr3t-key|correct horse/);
  });

  test("0.18 tells its last words as JSON", () => {
    expect(wordsOf(repository, '{"message_type":"exit_error","code":1,"message":"Fatal: boom"}\n')).toBe(
      "boom",
    );
  });
});

test("only the last words are told", () => {
  const told = wordsOf(
    repository,
    "Stat(<config/>) failed: stat /srv/repo/config: permission denied\nFatal: unable to open config file: stat /srv/repo/config: permission denied\nIs there a repository at the following location?\n/srv/repo\n",
  );
  expect(told).toBe("unable to open config file: stat /srv/repo/config: permission denied");
});

test("the version in what the program says", () => {
  expect(versionIn("restic 0.14.0 compiled with go1.19.8 on linux/amd64\n")).toBe("0.14.0");
  expect(versionIn("restic 0.18.1-dev (compiled manually) compiled with go1.25 on linux/amd64")).toBe(
    "0.18.1-dev",
  );
  expect(versionIn("bash: restic: command not found")).toBeNull();
});
