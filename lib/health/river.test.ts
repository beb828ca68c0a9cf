// The first gate's figures from Cloudflare: per second over five minutes, as of when, and nothing where nothing recent is known.
import { afterAll, expect, test } from "vitest";
import { gatherTraffic } from "../cloudflare/traffic";
import { closeServers, web } from "../systems/test-server";
import { Rates } from "./rates";
import { hourOf, zoneFigures } from "./river";

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

test("the last hour: requests at the router, what was cached by the layer that has a backend", () => {
  const now = Date.parse("2026-11-26T12:00:00Z");
  const rates = new Rates();
  // Twenty minutes of looks, each minute 600 requests more at the router; the two nodes share them and ask for a quarter.
  for (let minute = 20; minute >= 0; minute -= 1) {
    const at = now - minute * 60_000;
    const done = (20 - minute) * 600;
    rates.add("traefik/edge", at, { requests: done, failed: done / 10 });
    rates.add("varnish/a", at, { requests: done / 2, backendRequests: done / 4, failed: 0 });
    rates.add("varnish/b", at, { requests: done / 2, backendRequests: 0, failed: 0 });
    rates.add("nginx/web", at, { requests: done * 7 });
  }
  const gates = [
    { key: "nginx/web", layer: "web" as const },
    { key: "varnish/a", layer: "cache" as const },
    { key: "varnish/b", layer: "cache" as const },
    { key: "traefik/edge", layer: "router" as const },
  ];
  const hour = hourOf({ rates }, gates, now);
  expect([hour.requests.at(-1), hour.cached.at(-1), hour.errors.at(-1)]).toEqual([10, 0.75, 0.1]);
  expect([hour.requests[0], hour.cached[0], hour.errors[0]]).toEqual([null, null, null]);
  const behindCache = hourOf({ rates }, gates.slice(0, 3), now);
  expect([behindCache.requests.at(-1), behindCache.cached.at(-1), behindCache.errors.at(-1)]).toEqual([
    10, 0.75, 0,
  ]);
  const none = hourOf({ rates: new Rates() }, gates, now);
  expect(none.requests.every((one) => one === null) && none.cached.every((one) => one === null)).toBe(true);
});
