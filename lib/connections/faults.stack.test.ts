// Every kind's look at the real server: well, hanging, stopped, well again. What is left is as it was.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sluiceYaml } from "@/lab/sluice-yaml.mjs";
import { type House, openHouse } from "../auth/house.fixture";
import { parseConfig } from "../config/parse";
import type { Config } from "../config/schema";
import { testStack, until } from "../systems/test-stack";
import { targetsOf } from "./targets";

const exec = promisify(execFile);
const stack = testStack();
const stackFile = process.env.SLUICE_STACK ?? ".lab/dev/stack.json";
const timeoutMs = 1500;

/** Each container, the systems that cannot answer without it, and how they are down when it is stopped. */
const containers: readonly [string, readonly string[], ("UNREACHABLE" | "TIMEOUT")?][] = [
  ["edge", ["cloudflare/cloudflare-site", "cloudflare/cloudflare-shop"]],
  ["traefik", ["traefik/traefik"]],
  ["varnish-1", ["varnish/varnish-1"]],
  ["nginx", ["nginx/nginx", "php_fpm/php", "http/symfony"]],
  // Asked through Nginx, which waits for an address that nobody has any more.
  ["php", ["php_fpm/php", "http/symfony"], "TIMEOUT"],
  ["nuxt", ["http/nuxt"]],
  ["redis", ["redis/redis", "messenger/messages"]],
  ["mariadb", ["mariadb/mariadb"]],
  ["solr", ["solr/solr"]],
  ["monitor", ["prometheus/prometheus", "alertmanager/alertmanager"]],
  ["mail", ["smtp/mail"]],
  ["s3", ["s3/backups"]],
];

/** The stack's own configuration, with time-outs that make a test short. */
function settings(): Config {
  const parsed = parseConfig(sluiceYaml(JSON.parse(readFileSync(stackFile, "utf8"))), stackFile, {});
  if (!parsed.ok) throw new Error("the stack's sluice.yaml is not valid");
  const systems = Object.fromEntries(
    Object.entries(parsed.config.systems).map(([kind, all]) => [
      kind,
      all.map((one) => ("timeout" in one ? { ...one, timeout: timeoutMs } : one)),
    ]),
  );
  return { ...parsed.config, systems: systems as Config["systems"] };
}

describe.skipIf(!stack)("looks", () => {
  if (!stack) return;
  const targets = targetsOf(settings());
  let house: House;
  // A look compares with what was rolled out.
  beforeAll(async () => {
    house = await openHouse("");
  });
  afterAll(() => house?.close());
  const called = (key: string) => {
    const target = targets.find(({ kind, name }) => `${kind}/${name}` === key);
    if (target === undefined) throw new Error(`the stack has no ${key}`);
    return target;
  };
  const looks = async (keys: readonly string[]) =>
    Object.fromEntries(
      await Promise.all(
        keys.map(async (key) => {
          const begun = performance.now();
          const seen = await called(key).probe();
          expect(performance.now() - begun, key).toBeLessThan(called(key).deadlineMs);
          return [key, seen.state === "down" ? seen.error.code : seen.state] as const;
        }),
      ),
    );
  const all = (keys: readonly string[], state: string) => Object.fromEntries(keys.map((key) => [key, state]));
  const docker = (...args: string[]) => exec("docker", args, { timeout: 60_000 });

  test("every system of the stack is in the table", () => {
    // The engine has one of its own to stop: lib/systems/docker.
    const asked = targets.map(({ kind, name }) => `${kind}/${name}`);
    const known = [...containers.flatMap(([, keys]) => keys), "varnish/varnish-2", "docker/engine"];
    const sites = asked.filter((key) => key.startsWith("site/"));
    expect(asked.sort()).toEqual([...new Set([...known, ...sites])].sort());
  });

  test.each(containers)(
    "%s: well, hanging, stopped, well again",
    async (name, keys, stopped = "UNREACHABLE") => {
      const container = stack.containers[name] ?? "";
      const well = (what: string) =>
        until(what, async () => Object.values(await looks(keys)).every((state) => state === "up"), 60_000);
      await well("it is well");
      await docker("pause", container);
      try {
        expect(await looks(keys)).toEqual(all(keys, "TIMEOUT"));
      } finally {
        await docker("unpause", container);
      }
      await well("it goes on");
      await docker("stop", "--time", "5", container);
      try {
        expect(await looks(keys)).toEqual(all(keys, stopped));
      } finally {
        await docker("start", container);
      }
      await well("it is back");
    },
    180_000,
  );
});
