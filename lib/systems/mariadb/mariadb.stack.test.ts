// MariaDB's greeting on the reference stack, and what is no MariaDB.
import { describe, expect, test } from "vitest";
import { testStack } from "../test-stack";
import { probe } from "./probe";

const stack = testStack();

test("nobody there", async () => {
  expect(await probe({ name: "gone", address: "127.0.0.1:9", timeout: 1000 })).toMatchObject({
    state: "down",
    error: { code: "UNREACHABLE" },
  });
});

describe.skipIf(!stack)("mariadb", () => {
  if (!stack) return;
  test("greets with its version, as often as it is asked", async () => {
    const server = { name: "mariadb", address: `127.0.0.1:${stack.ports.mariadb}`, timeout: 3000 };
    // More than max_connect_errors (100): a probe that broke off would be blocked by then, where names are resolved.
    for (let look = 0; look < 120; look++) {
      expect(await probe(server)).toMatchObject({
        state: "up",
        data: { version: expect.stringMatching(/^1\d\.\d+/), facts: { product: "MariaDB" } },
      });
    }
  });

  test("a Redis waits for us to speak: TIMEOUT, not a hang", async () => {
    const redis = { name: "redis", address: `127.0.0.1:${stack.ports.redis}`, timeout: 300 };
    expect(await probe(redis)).toMatchObject({ state: "down", error: { code: "TIMEOUT" } });
  });
});
