// Which entry point an address is asked through, and how much worse is worse.
import { afterEach, expect, test } from "vitest";
import { configSchema } from "../../config/schema";
import { closeServers, pages } from "../../systems/test-server";
import { switchedOn } from "./maintenance";
import { checkProbes, entryPointFor, type May, probeAgain, worseThan } from "./signals";

afterEach(closeServers);

const server = configSchema.parse({
  systems: {
    traefik: [
      {
        name: "edge",
        url: "http://edge:8080",
        entry_points: { web: "http://edge", alt: "http://edge:8081", websecure: "https://edge:8443" },
      },
    ],
  },
}).systems.traefik[0];
const window = (requests: number, errors: number) => ({ seconds: 10, requests, errors });

test("by its port, else by its scheme", () => {
  if (server === undefined) throw new Error("no server");
  expect(
    ["http://a/", "http://a:8081/x", "http://a:9999/", "https://a/"].map((url) => entryPointFor(server, url)),
  ).toEqual(["http://edge", "http://edge:8081", "http://edge", "https://edge:8443"]);
  const plain = { ...server, entry_points: { web: "http://edge" } };
  expect(() => checkProbes(plain, ["http://a/", "https://a/"])).toThrow(
    expect.objectContaining({
      code: "INVALID_INPUT",
      detail: expect.objectContaining({ field: "probes.1" }),
    }),
  );
});

test("five failures and five points more than before", () => {
  expect(worseThan(window(1000, 0), window(4, 4))).toBe(false);
  expect(worseThan(window(1000, 0), window(1000, 40))).toBe(false);
  expect(worseThan(window(1000, 0), window(50, 5))).toBe(true);
  expect(worseThan(window(100, 20), window(100, 24))).toBe(false);
  expect(worseThan(window(100, 20), window(100, 26))).toBe(true);
  expect(worseThan(null, window(100, 6))).toBe(true);
  expect(worseThan(window(0, 0), window(10, 6))).toBe(true);
  expect(worseThan(window(100, 0), null)).toBe(false);
});

test("an address that answers otherwise: which is a failure", async () => {
  if (server === undefined) throw new Error("no server");
  const told = {
    "/401": [401, ""],
    "/403": [403, ""],
    "/404": [404, ""],
    "/502": [502, ""],
    "/503": [503, ""],
    "/200": "",
  };
  const here = { ...server, entry_points: { web: await pages(told) } };
  const fails = async (before: number | null, after: number, more: Partial<May> = {}) => {
    const url = `http://a.example/${after}`;
    const may = { expects503: false, opens: false, asked: [], ...more };
    const [probed] = await probeAgain(here, [{ url, status: before }], may, AbortSignal.timeout(5000));
    return probed?.ok === false;
  };
  const asked = { asked: ["http://a.example/404", "http://a.example/200"] };
  expect(
    await Promise.all([
      // It answered.
      fails(200, 404),
      fails(200, 502),
      fails(200, 503),
      fails(301, 401),
      fails(200, 503, { expects503: true }),
      fails(200, 502, { expects503: true }),
      // It asked who one is; somebody agreed that it does so no more.
      fails(401, 200),
      fails(403, 200),
      fails(401, 200, { opens: true }),
      fails(401, 403),
      fails(403, 404),
      // It was not there before, either; somebody wants it to be.
      fails(404, 404),
      fails(404, 404, asked),
      fails(null, 404, asked),
      fails(404, 200, asked),
      fails(502, 502),
    ]),
  ).toEqual([
    true,
    true,
    true,
    false,
    false,
    true,
    true,
    true,
    false,
    false,
    true,
    false,
    true,
    true,
    false,
    false,
  ]);
});

test("a maintenance page that is new, and one that was there", () => {
  const on = [{ name: "a.yml", text: "http:\n  routers:\n    # sluice: maintenance shop\n    shop: {}\n" }];
  const ends = [{ name: "b.yml", text: "  # sluice: until 2026-11-27T12:00:00.000Z shop\n" }];
  expect([switchedOn([], on), switchedOn(on, on), switchedOn(on, []), switchedOn(on, ends)]).toEqual([
    true,
    false,
    false,
    false,
  ]);
  // Words are no page: neither by themselves, nor above a router that was there.
  const words = [{ name: "a.yml", text: "# sluice: maintenance shop\n" }];
  const plain = [{ name: "a.yml", text: "http:\n  routers:\n    shop: {}\n" }];
  expect([switchedOn([], words), switchedOn(plain, on)]).toEqual([false, false]);
});
