// The collector on the reference stack: every system up, with what its server says of itself.
import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sluiceYaml } from "@/lab/sluice-yaml.mjs";
import { type House, openHouse } from "../auth/house.fixture";
import { config } from "../config/load";
import { Collector } from "./collector";

const stackFile = process.env.SLUICE_STACK ?? ".lab/dev/stack.json";

describe.skipIf(!existsSync(stackFile))("connections on the stack", () => {
  let house: House;
  beforeAll(async () => {
    house = await openHouse(sluiceYaml(JSON.parse(readFileSync(stackFile, "utf8"))));
  });
  afterAll(() => house.close());

  test("every system is up; a version where the server tells one", { timeout: 30_000 }, async () => {
    expect(config().sites.length).toBeGreaterThan(0);
    const collector = new Collector({ intervalMs: 60_000 });
    const stop = collector.start();
    try {
      const configured = collector.all().filter(({ source }) => source === "config");
      expect(configured.length).toBeGreaterThanOrEqual(7);
      for (const { kind, name } of configured) {
        const tested = await collector.test(kind, name ?? "");
        expect([kind, name, tested.state, tested.error]).toEqual([kind, name, "up", null]);
        if (["varnish", "redis", "mariadb", "docker"].includes(kind))
          expect(tested.version).toMatch(/^\d+\./);
        expect(tested.doctor).toBe(kind === "varnish" || kind === "cloudflare");
      }
    } finally {
      await stop();
    }
  });
});
