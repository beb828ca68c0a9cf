// The overview's sentences and its drawing, from states and figures.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Component, Gate, HealthState, Layer } from "@/lib/health/contract";
import { layoutOf, passedOn } from "./layout";
import { needsOf, visitorsOf } from "./words";

const component = (
  key: string,
  layer: Layer,
  state: HealthState,
  more: Partial<Component> = {},
): Component => {
  const [kind = "", name = ""] = key.split("/");
  return {
    key,
    kind,
    name,
    layer,
    state,
    since: "2026-11-25T02:14:00.000Z",
    problem: null,
    concerns: [],
    failing: 0,
    latencyMs: null,
    version: null,
    facts: {},
    dependsOn: [],
    cause: null,
    ...more,
  };
};

describe("sentences", () => {
  test("visitors: by the sites; where there are none, by the way in; unknown is never fine", () => {
    expect(visitorsOf([component("site/a", "site", "up"), component("mariadb/db", "store", "down")])).toBe(
      "fine",
    );
    expect(visitorsOf([component("site/a", "site", "warn"), component("site/b", "site", "up")])).toBe(
      "cached",
    );
    expect(visitorsOf([component("site/a", "site", "up"), component("site/b", "site", "down")])).toBe(
      "errors",
    );
    expect(visitorsOf([component("site/a", "site", "unknown")])).toBe("unknown");
    expect(visitorsOf([component("nginx/a", "web", "down"), component("mariadb/db", "store", "up")])).toBe(
      "errors",
    );
    expect(visitorsOf([])).toBe("unknown");
  });

  test("one failure is one need, with what fails for it; worst and oldest first", () => {
    const db = component("mariadb/db", "store", "down");
    const web = component("nginx/web", "web", "down", { cause: "mariadb/db" });
    const site = component("site/a", "site", "warn", { cause: "mariadb/db" });
    const cache = component("redis/r", "store", "warn", { since: "2026-11-24T00:00:00.000Z" });
    const fresh = component("tcp/x", "side", "unknown");
    expect(
      needsOf([site, web, cache, db, fresh]).map(({ component: { key }, affected }) => [
        key,
        affected.map((one) => one.key),
      ]),
    ).toEqual([
      ["mariadb/db", ["site/a", "nginx/web"]],
      ["redis/r", []],
    ]);
    // Its cause is well again, and it is not yet: it stands for itself.
    expect(needsOf([web]).map(({ component: { key } }) => key)).toEqual(["nginx/web"]);
  });
});

const gate = (key: string, layer: Layer, requests: number | null, more: Partial<Gate> = {}): Gate => {
  const [kind = "", name = ""] = key.split("/");
  return {
    key,
    kind,
    name,
    layer,
    dependsOn: [],
    source: requests === null ? null : "counters",
    asOf: null,
    requests,
    absorbed: null,
    errors: null,
    p95: null,
    ...more,
  };
};

describe("the drawing", () => {
  const gates = [
    gate("cloudflare/cf", "edge", null, { dependsOn: ["varnish/1", "varnish/2"] }),
    gate("varnish/1", "cache", 60, { absorbed: 50, errors: 0.5, dependsOn: ["nginx/n"] }),
    gate("varnish/2", "cache", 40, { absorbed: 20, dependsOn: ["nginx/n"] }),
    gate("nginx/n", "web", 34, { dependsOn: ["mariadb/db"] }),
    gate("mariadb/db", "store", 200),
  ];
  const river = layoutOf(gates);

  test("bands carry what flows; what nobody tells is drawn as the least that came in", () => {
    expect(Object.fromEntries(river.bands.map(({ key, amount }) => [key, amount]))).toEqual({
      "visitors cloudflare/cf": null,
      "cloudflare/cf varnish/1": 60,
      "cloudflare/cf varnish/2": 40,
      "varnish/1 nginx/n": 10,
      "varnish/2 nginx/n": 20,
    });
    const edge = river.gates.find((one) => one.gate.key === "cloudflare/cf");
    expect(edge?.height).toBeCloseTo(130);
    expect(river.visitors).toBeNull();
  });

  test("errors are a strand, what a cache serves falls away and is told once for its layer", () => {
    expect(river.bands.find(({ key }) => key === "varnish/1 nginx/n")?.errors).toMatch(/^M/);
    expect(river.bands.find(({ key }) => key === "varnish/2 nginx/n")?.errors).toBeNull();
    expect(river.falls.map(({ told }) => told)).toEqual([null, { share: 0.7, perSecond: 70 }]);
  });

  test("stores hang on the last gate; gates of one column do not touch", () => {
    expect(river.threads.map(({ key }) => key)).toEqual(["nginx/n mariadb/db"]);
    const [first, second] = river.gates.filter((one) => one.gate.layer === "cache");
    expect((first?.boxY ?? 0) + (first?.boxHeight ?? 0)).toBeLessThan((second?.boxY ?? 0) - 40);
  });

  test("gates that say they hand on nothing lead no band of what the inner ones get", () => {
    const { bands, gates } = layoutOf([
      gate("cloudflare/a", "edge", 0),
      gate("cloudflare/b", "edge", 0),
      gate("varnish/1", "cache", 5),
    ]);
    expect(bands.filter(({ key }) => key.endsWith("varnish/1")).map(({ amount }) => amount)).toEqual([0, 0]);
    expect(gates.find((one) => one.gate.key === "cloudflare/a")?.height).toBeLessThan(3);
  });

  test("beside a gate that tells what it gets, one that does not gets nobody knows how much", () => {
    const inner = [gate("php_fpm/p", "app", 8), gate("http/a", "app", null), gate("http/b", "app", null)];
    const amounts = (gates: readonly Gate[]) => layoutOf(gates).bands.map(({ amount }) => amount);
    expect(amounts([gate("nginx/n", "web", 10), ...inner])).toEqual([10, 8, null, null]);
    expect(amounts([gate("nginx/n", "web", 10), ...inner.slice(1)])).toEqual([10, 5, 5]);
  });

  test("a cache that seems to have served more than it was asked draws no fall without end", () => {
    const drawn = layoutOf([gate("varnish/1", "cache", 1e-320, { absorbed: 1e6 })]);
    for (const { path, told } of drawn.falls) {
      expect(path).not.toMatch(/NaN|Infinity/);
      // Nor is a share told of next to nothing.
      expect(told).toBeNull();
    }
    expect(drawn.falls).toHaveLength(1);
    const [fall] = layoutOf([gate("varnish/1", "cache", 2, { absorbed: 1e6 })]).falls;
    expect(fall?.told).toEqual({ share: 1, perSecond: 2 });
  });

  test("any river can be drawn: no NaN, nothing above the picture, nothing below its edge", () => {
    const amount = fc.option(fc.double({ min: 0, max: 1e6, noNaN: true }));
    const any = fc.array(
      fc.record({
        layer: fc.constantFrom<Layer>("edge", "router", "cache", "web", "app", "store"),
        requests: amount,
        absorbed: amount,
      }),
      { maxLength: 9 },
    );
    fc.assert(
      fc.property(any, (rows) => {
        const all = rows.map(({ layer, requests, absorbed }, index) =>
          gate(`${layer}/${index}`, layer, requests, { absorbed: requests === null ? null : absorbed }),
        );
        const drawn = layoutOf(all);
        for (const { path } of [...drawn.bands, ...drawn.falls]) expect(path).not.toMatch(/NaN|Infinity/);
        for (const { boxY, boxHeight } of drawn.gates) {
          expect(boxY).toBeGreaterThan(0);
          expect(boxY + boxHeight).toBeLessThanOrEqual(drawn.height);
        }
        for (const one of all) expect(passedOn(one) ?? 0).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
