// MariaDB's greeting on the reference stack, and what is no MariaDB.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type Connection, createConnection } from "mysql2/promise";
import { describe, expect, test } from "vitest";
import { testStack, until } from "../test-stack";
import { probe } from "./probe";
import type { MariadbServer } from "./server";

const exec = promisify(execFile);
const stack = testStack();

test("nobody there", async () => {
  expect(await probe({ name: "gone", address: "127.0.0.1:9", timeout: 1000 })).toMatchObject({
    state: "down",
    error: { code: "UNREACHABLE" },
  });
});

describe.skipIf(!stack)("mariadb", () => {
  if (!stack) return;
  /** Connections in use, and how many there may be, as the look says. */
  const looked = async (server: MariadbServer): Promise<string> => {
    const seen = await probe(server);
    return seen.state === "up" ? String(seen.data.facts.connections) : seen.state;
  };

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

  test("by an account: what it does; its counts grow; a wrong password is told, and never the password", async () => {
    const server = {
      name: "mariadb",
      address: `127.0.0.1:${stack.ports.mariadb}`,
      username: stack.secrets.mariadbUser,
      password: stack.secrets.mariadbPassword,
      timeout: 3000,
    };
    const queries = async () => {
      const seen = await probe(server);
      expect(seen).toMatchObject({
        state: "up",
        data: {
          version: expect.stringMatching(/^1\d\.\d+/),
          facts: { connections: expect.stringMatching(/^\d+ \/ \d+$/), readOnly: "OFF" },
          concerns: [],
        },
      });
      return seen.state === "up" ? (seen.data.counters?.queries ?? 0) : 0;
    };
    const first = await queries();
    expect(await queries()).toBeGreaterThan(first);
    const wrong = await probe({ ...server, password: "not-the-password" });
    expect(wrong).toMatchObject({
      state: "down",
      error: { code: "UPSTREAM_AUTH", detail: { problem: "mariadb.auth" } },
    });
    expect(JSON.stringify(wrong)).not.toContain("not-the-password");
    const silent = { ...server, address: `127.0.0.1:${stack.ports.redis}`, timeout: 400 };
    expect(await probe(silent)).toMatchObject({ state: "down", error: { code: "TIMEOUT" } });
  });

  test("every connection taken: said before, and told as its own word when there is none left", async () => {
    const { mariadbUser: username, mariadbPassword: password } = stack.secrets;
    const address = `127.0.0.1:${stack.ports.mariadb}`;
    const server = { name: "mariadb", address, username, password, timeout: 3000 };
    const most = async (count: number) =>
      exec("docker", [
        "exec",
        stack.containers.mariadb ?? "",
        "sh",
        "-c",
        `MYSQL_PWD=$MARIADB_ROOT_PASSWORD mariadb -uroot -e 'SET GLOBAL max_connections=${count}'`,
      ]);
    const before = Number((await looked(server)).split(" / ")[1]);
    const taken: Connection[] = [];
    const port = stack.ports.mariadb ?? 0;
    const mostTaken = 30;
    try {
      await most(mostTaken);
      let refused: unknown = null;
      while (refused === null && taken.length <= mostTaken) {
        await createConnection({ host: "127.0.0.1", port, user: username, password }).then(
          (one) => taken.push(one),
          (error: unknown) => {
            refused = error;
          },
        );
      }
      expect(refused).toMatchObject({ errno: 1040 });
      expect(await probe(server)).toMatchObject({
        state: "down",
        error: { code: "REFUSED", detail: { problem: "mariadb.refused", params: { code: 1040 } } },
      });
      // The site and the exporter come and go: one that is given back may be theirs at once.
      await taken.pop()?.end();
      await until("it answers, and says that it is nearly full", async () => {
        const seen = await probe(server);
        if (seen.state !== "up") await taken.pop()?.end();
        return (
          seen.state === "up" && seen.data.concerns?.some(({ problem }) => problem === "mariadb.nearlyFull")
        );
      });
    } finally {
      await Promise.all(taken.map((one) => one.end()));
      await until("an administrator gets in again", () =>
        most(before).then(
          () => true,
          () => false,
        ),
      );
    }
    expect(await looked(server)).toMatch(new RegExp(` / ${before}$`));
  }, 60_000);

  test("a server that hangs is down within its time-out", async () => {
    const container = stack.containers.mariadb ?? "";
    await exec("docker", ["pause", container]);
    try {
      const begun = performance.now();
      const server = { name: "mariadb", address: `127.0.0.1:${stack.ports.mariadb}`, timeout: 500 };
      const { mariadbUser: username, mariadbPassword: password } = stack.secrets;
      for (const one of [server, { ...server, username, password }])
        expect(await probe(one)).toMatchObject({ state: "down", error: { code: "TIMEOUT" } });
      expect(performance.now() - begun).toBeLessThan(3000);
    } finally {
      await exec("docker", ["unpause", container]);
    }
  });

  test("a Redis waits for us to speak: TIMEOUT, not a hang", async () => {
    const redis = { name: "redis", address: `127.0.0.1:${stack.ports.redis}`, timeout: 300 };
    expect(await probe(redis)).toMatchObject({ state: "down", error: { code: "TIMEOUT" } });
  });
});
