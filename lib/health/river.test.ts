// The first gate's figures from Cloudflare: per second over five minutes, as of when, and nothing where nothing recent is known.
import { afterAll, expect, test } from "vitest";
import { gatherTraffic } from "../cloudflare/traffic";
import { closeServers, web } from "../systems/test-server";
import { zoneFigures } from "./river";

afterAll(closeServers);

test("a zone's gate", async () => {
  const now = Date.parse("2026-11-25T12:00:20Z");
  const row = (datetimeMinute: string, cacheStatus: string, count: number) => ({
    count,
    sum: { edgeResponseBytes: 1000 },
    dimensions: { datetimeMinute, cacheStatus },
  });
  const zone = {
    all: [
      // Before the last five minutes of what is told: not of the rate.
      row("2026-11-25T11:51:00Z", "hit", 60_000),
      row("2026-11-25T11:52:00Z", "hit", 2400),
      row("2026-11-25T11:56:00Z", "miss", 600),
    ],
    failed: [{ count: 30, dimensions: { datetimeMinute: "2026-11-25T11:56:00Z" } }],
    threats: [],
  };
  const api = await web((_, response) =>
    response.end(JSON.stringify({ data: { viewer: { zones: [zone] } }, errors: null })),
  );
  const none = { source: null, asOf: null, requests: null, absorbed: null, errors: null, p95: null };
  expect(zoneFigures("cf", now)).toEqual(none);
  await gatherTraffic(
    { name: "cf", api, token: "t", zone: "0".repeat(32), plan: "pro", urls_per_call: 30, timeout: 1000 },
    now,
  );
  expect(zoneFigures("cf", now)).toEqual({
    source: "cloudflare",
    asOf: "2026-11-25T11:57:00.000Z",
    requests: 10,
    absorbed: 8,
    errors: 0.01,
    p95: null,
  });
  expect(zoneFigures("cf", now + 20 * 60_000)).toEqual(none);
});
