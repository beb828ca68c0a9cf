// Which entry point an address is asked through, and how much worse is worse.
import { expect, test } from "vitest";
import { configSchema } from "../../config/schema";
import { switchedOn } from "./maintenance";
import { checkProbes, entryPointFor, worseThan } from "./signals";

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

test("a maintenance page that is new, and one that was there", () => {
  const on = [{ name: "a.yml", text: "http:\n  routers:\n    # sluice: maintenance shop\n    shop: {}\n" }];
  const ends = [{ name: "b.yml", text: "  # sluice: until 2026-11-27T12:00:00.000Z shop\n" }];
  expect([switchedOn([], on), switchedOn(on, on), switchedOn(on, []), switchedOn(on, ends)]).toEqual([
    true,
    false,
    false,
    false,
  ]);
});
