// Grafana's addresses, as its own pages read them.
import { expect, test } from "vitest";
import { dashboardLink, exploreLink, unknownVariables } from "./links";

const home = { url: "https://g.example.org/grafana", org: 1 };
const range = { from: 1_764_072_000_000, to: 1_764_075_600_000 };
const component = { kind: "varnish", name: "varnish-1", labels: { instance: "varnish-1:9131" } };

test("a dashboard with its variables and the range in milliseconds", () => {
  const vars = {
    node: "{name}",
    instance: "{labels.instance}",
    both: "{kind}/{name}",
    zone: "{labels.zone}",
  };
  const link = new URL(dashboardLink(home, { uid: "abc", vars }, component, range));
  expect(link.origin + link.pathname).toBe("https://g.example.org/grafana/d/abc");
  // A label that the component has not: the dashboard's own default stays.
  expect([...link.searchParams]).toEqual([
    ["orgId", "1"],
    ["var-node", "varnish-1"],
    ["var-instance", "varnish-1:9131"],
    ["var-both", "varnish/varnish-1"],
    ["from", "1764072000000"],
    ["to", "1764075600000"],
  ]);
});

test("Explore: one pane with the same query and range, as texts, under a key that is no number", () => {
  const expr = 'sum(rate(x{a="b&c"}[1m])) > 0 # %';
  const link = new URL(exploreLink(home, "prom", expr, range));
  expect(link.searchParams.get("schemaVersion")).toBe("1");
  const panes = JSON.parse(link.searchParams.get("panes") ?? "");
  const [[key, pane]] = Object.entries(panes) as [[string, unknown]];
  expect(key).toMatch(/^(?!\d+$)[a-z0-9]{3}$/);
  expect(pane).toEqual({
    datasource: "prom",
    queries: [{ refId: "A", datasource: { type: "prometheus", uid: "prom" }, expr }],
    range: { from: "1764072000000", to: "1764075600000" },
  });
});

test("placeholders that are none", () => {
  expect(unknownVariables("{kind}-{name}-{labels.instance}-plain")).toEqual([]);
  expect(unknownVariables("{host} {labels.} {}")).toEqual(["{host}", "{labels.}", "{}"]);
});
