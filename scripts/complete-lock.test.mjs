// package-lock.json serves every platform, or npm ci refuses it on all of them.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { lockFile, missingPlatforms } from "./complete-lock.mjs";

test("package-lock.json has the packages of every platform (else: node scripts/complete-lock.mjs)", () => {
  expect(Object.keys(missingPlatforms(JSON.parse(readFileSync(lockFile, "utf8"))))).toEqual([]);
});

test("a platform's missing package is found, with what its name says", () => {
  const lock = {
    packages: {
      "node_modules/tool": {
        version: "1.2.3",
        dev: true,
        optionalDependencies: {
          "tool-linux-x64-musl": "1.2.3",
          "tool-darwin-arm64": "1.2.3",
          fsevents: "~2.3.2",
        },
      },
      "node_modules/tool-darwin-arm64": { version: "1.2.3" },
    },
  };
  expect(missingPlatforms(lock)).toEqual({
    "node_modules/tool-linux-x64-musl": {
      version: "1.2.3",
      cpu: ["x64"],
      dev: true,
      libc: ["musl"],
      optional: true,
      os: ["linux"],
    },
  });
});
