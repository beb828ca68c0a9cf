// The analytics of a zone from what Cloudflare may answer: figures put together, refusals told in words, nonsense refused.
import { afterEach, expect, test } from "vitest";
import { toAppError } from "../../errors/app-error";
import { closeServers, web } from "../test-server";
import { readTraffic } from "./analytics";

afterEach(closeServers);

const from = Date.parse("2026-11-25T10:00:30Z");
const range = { from, to: from + 180_000 };
let accounts = 0;
/** A zone of an account of its own: limits are the account's. */
const zoneAt = (api: string) => ({
  name: "cf",
  api,
  token: `token-${++accounts}`,
  zone: "0".repeat(32),
  plan: "pro" as const,
  urls_per_call: 30,
  timeout: 1000,
});

type Told = { status?: number; headers?: Record<string, string>; body: unknown };
const data = (zone: unknown) => ({ data: { viewer: { zones: [zone] } }, errors: null });
const error = (message: string, code?: string) => ({
  data: null,
  errors: [{ message, path: ["viewer"], ...(code && { extensions: { code } }) }],
});
const quiet = data({ all: [], failed: [] });
const noThreats = data({ threats: [] });

/** Answers queries for traffic and for threats as told; the queries that came. */
async function cloudflare(traffic: Told, threats: Told = { body: noThreats }) {
  const asked: { query: string; variables: Record<string, string> }[] = [];
  const api = await web((request, response) => {
    let text = "";
    request.on("data", (chunk) => (text += chunk));
    request.on("end", () => {
      const query = JSON.parse(text);
      asked.push(query);
      const { status = 200, headers = {}, body } = query.query.includes("firewallEvents") ? threats : traffic;
      response.writeHead(status, headers).end(typeof body === "string" ? body : JSON.stringify(body));
    });
  });
  return { zone: zoneAt(api), asked };
}
const refusal = async (told: Told) => {
  const { zone } = await cloudflare(told);
  return readTraffic(zone, range).then(
    () => "good",
    (thrown: unknown) => `${toAppError(thrown).code} ${toAppError(thrown).detail.problem}`,
  );
};

test("minutes are put together: what the cache answered, what failed, what was blocked; silence is none", async () => {
  const row = (minute: string, cacheStatus: string, count: number, bytes: number) => ({
    count,
    sum: { edgeResponseBytes: bytes },
    dimensions: { datetimeMinute: `2026-11-25T${minute}:00Z`, cacheStatus },
  });
  const few = (minute: string, count: number) => ({
    count,
    dimensions: { datetimeMinute: `2026-11-25T${minute}:00Z` },
  });
  const all = [
    row("10:00", "hit", 5, 500),
    row("10:00", "miss", 2, 300),
    row("10:00", "revalidated", 1, 10),
    row("10:02", "dynamic", 4, 40),
    // Of another time than was asked for.
    row("11:00", "hit", 99, 99),
  ];
  const { zone, asked } = await cloudflare(
    { body: data({ all, failed: [few("10:02", 3)] }) },
    { body: data({ threats: [few("10:00", 7)] }) },
  );
  expect(await readTraffic(zone, range)).toEqual({
    from: Date.parse("2026-11-25T10:00:00Z"),
    threatsProblem: null,
    minutes: [
      { requests: 8, cached: 6, bytes: 810, cachedBytes: 510, failed: 0, threats: 7 },
      { requests: 0, cached: 0, bytes: 0, cachedBytes: 0, failed: 0, threats: 0 },
      { requests: 4, cached: 0, bytes: 40, cachedBytes: 0, failed: 3, threats: 0 },
    ],
  });
  expect(asked.map(({ variables }) => variables)).toEqual(
    Array(2).fill({
      zoneTag: zone.zone,
      from: "2026-11-25T10:00:00.000Z",
      to: "2026-11-25T10:03:00.000Z",
    }),
  );
});

test.each([
  ["zone does not have access to the path", "authz", "cloudflare.analyticsPlan"],
  ["not authorized for that account", "authz", "cloudflare.analyticsPermission"],
  ["limit reached, please try reduced time period", undefined, "cloudflare.analyticsLimit"],
])("threats refused (%s) leave the traffic", async (message, code, problem) => {
  const { zone } = await cloudflare({ body: quiet }, { body: error(message, code) });
  const { minutes, threatsProblem } = await readTraffic(zone, range);
  expect(minutes.map(({ requests, threats }) => [requests, threats])).toEqual(Array(3).fill([0, null]));
  expect(threatsProblem?.detail.problem).toBe(problem);
});

test.each<[string, Told]>([
  [
    "UPSTREAM_AUTH cloudflare.10000",
    { status: 400, body: { success: false, errors: [{ code: 10000, message: "Authentication error" }] } },
  ],
  [
    "UPSTREAM_AUTH cloudflare.analyticsPermission",
    { status: 403, body: { success: false, errors: [{ code: 9109, message: "Unauthorized" }] } },
  ],
  [
    "UPSTREAM_AUTH cloudflare.analyticsPermission",
    { body: error('zone "0" is not authorized for the user', "authz") },
  ],
  [
    "UPSTREAM_LIMIT cloudflare.analyticsLimit",
    { body: error("rate limiter budget depleted, try again after 5 minutes") },
  ],
  ["UPSTREAM_LIMIT cloudflare.analyticsLimit", { status: 429, body: "too many" }],
  ["REFUSED cloudflare.analyticsOther", { body: error("cannot request data older than 2678400s") }],
  ["BAD_ANSWER cloudflare.server", { status: 502, body: "<h1>bad gateway</h1>" }],
  ["BAD_ANSWER cloudflare.garbage", { body: "<h1>hello</h1>" }],
  ["BAD_ANSWER cloudflare.garbage", { body: { data: null, errors: null } }],
  ["BAD_ANSWER cloudflare.garbage", { body: { data: { viewer: { zones: [] } } } }],
  ["BAD_ANSWER cloudflare.garbage", { body: data({ all: [{ count: "many" }], failed: [] }) }],
  [
    "BAD_ANSWER cloudflare.garbage",
    {
      body: data({
        all: [],
        failed: [{ count: -1, dimensions: { datetimeMinute: "2026-11-25T10:00:00Z" } }],
      }),
    },
  ],
])("%s", async (told, answer) => {
  expect(await refusal(answer)).toBe(told);
});

test("after a 429 nothing is asked for as long as Cloudflare says", async () => {
  const { zone, asked } = await cloudflare({ status: 429, headers: { "retry-after": "60" }, body: "" });
  const thrown = await readTraffic(zone, range).catch((one: unknown) => toAppError(one));
  expect(thrown).toMatchObject({ detail: { retryAfterMs: 60_000 } });
  await expect(readTraffic(zone, range)).rejects.toMatchObject({ code: "UPSTREAM_LIMIT" });
  expect(asked).toHaveLength(1);
});
