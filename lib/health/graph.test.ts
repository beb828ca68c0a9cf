// What hangs on what, and which of several failures is the cause.
import { expect, test } from "vitest";
import { configSchema } from "../config/schema";
import { below, causeOf, graphOf } from "./graph";

const config = configSchema.parse({
  systems: {
    cloudflare: [{ name: "cf", token: "t", zone: "0".repeat(32) }],
    varnish: [
      { name: "varnish-1", url: "http://v1" },
      { name: "varnish-2", url: "http://v2" },
    ],
    nginx: [{ name: "nginx", url: "http://n" }],
    mariadb: [{ name: "db", address: "db:3306" }],
    redis: [
      { name: "cache", url: "redis://r" },
      { name: "queue", url: "redis://q", depends_on: ["db"] },
    ],
    docker: [{ name: "engine" }],
  },
  sites: [
    { name: "shop", addresses: ["https://shop.example"], caches: { varnish: ["varnish-1"] } },
    { name: "bare", addresses: ["https://bare.example"] },
  ],
});
const nodes = new Map(graphOf(config).map((node) => [node.key, node]));
/** `down`: when each went down, in seconds, or all at once. */
const cause = (
  key: string,
  down: readonly string[] | Readonly<Record<string, number>>,
  alone: string[] = [],
) => {
  const times = new Map(Array.isArray(down) ? down.map((one) => [one, 0]) : Object.entries(down));
  return causeOf(key, nodes, (one) => ({
    state: times.has(one) ? "down" : "up",
    since: 1000 * (times.get(one) ?? 0),
    alone: alone.includes(one),
  }));
};

test("each layer leads to the next one that is there; what depends_on says replaces it; a site goes through its own caches", () => {
  const of = (key: string) => [...(nodes.get(key)?.dependsOn ?? [])].sort();
  expect(of("cloudflare/cf")).toEqual(["varnish/varnish-1", "varnish/varnish-2"]);
  expect(of("varnish/varnish-1")).toEqual(["nginx/nginx"]);
  expect(of("nginx/nginx")).toEqual(["mariadb/db", "redis/cache", "redis/queue"]);
  expect(of("redis/queue")).toEqual(["mariadb/db"]);
  expect(of("docker/engine")).toEqual([]);
  expect(of("site/shop")).toEqual(["varnish/varnish-1"]);
  expect(of("site/bare")).toEqual(["cloudflare/cf"]);
  expect(below("site/shop", nodes)).not.toContain("varnish/varnish-2");
});

test("the deepest failure is the cause, also of those that fail for it", () => {
  expect(cause("site/shop", ["mariadb/db", "nginx/nginx", "varnish/varnish-1"])).toBe("mariadb/db");
  expect(cause("nginx/nginx", ["mariadb/db", "redis/queue"])).toBe("mariadb/db");
  expect(cause("mariadb/db", ["mariadb/db"])).toBeNull();
  expect(cause("site/shop", ["varnish/varnish-2"])).toBeNull();
});

test("what is down by itself fails for nothing, and is why those above it fail when the other did them no harm", () => {
  expect(cause("nginx/nginx", ["nginx/nginx", "mariadb/db"], ["nginx/nginx"])).toBeNull();
  const both = { "mariadb/db": 0, "nginx/nginx": 300, "site/shop": 310 };
  expect(cause("site/shop", both, ["nginx/nginx"])).toBe("nginx/nginx");
  // At the same time: the deepest one.
  expect(cause("site/shop", { ...both, "nginx/nginx": 5, "site/shop": 10 }, ["nginx/nginx"])).toBe(
    "mariadb/db",
  );
  // It got on without its database for a while: that is why all the same.
  expect(cause("site/shop", { "mariadb/db": 0, "site/shop": 600 })).toBe("mariadb/db");
});

test("a circle that somebody wrote ends, and has a cause", () => {
  const circle = new Map([
    ["a/a", { dependsOn: ["b/b"] }],
    ["b/b", { dependsOn: ["a/a"] }],
    ["c/c", { dependsOn: ["a/a"] }],
  ]);
  expect(below("a/a", circle)).toEqual(["b/b"]);
  expect(causeOf("c/c", circle, () => ({ state: "down", since: 0, alone: false }))).toMatch(/^[ab]\//);
});
