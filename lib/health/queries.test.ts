// The table of queries: its placeholders, its words in both languages, and what sluice.yaml may put in its place.
import { describe, expect, test } from "vitest";
import en from "../../messages/en.json";
import fr from "../../messages/fr.json";
import { configSchema } from "../config/schema";
import { faultOf, filled, kindQueries, queriesOf, signalNames } from "./queries";
import { labelsOf, matchersOf, queriesFor } from "./selector";

const rows = Object.entries(kindQueries).flatMap(([kind, { signals }]) =>
  signals.map((signal) => [`${kind}.${signal.key}`, kind, signal] as const),
);

test.each(rows)("%s has its words, and no placeholder that nobody fills", (_name, kind, { key, promql }) => {
  for (const messages of [en, fr]) {
    const words: Record<string, Record<string, string>> = messages.signals.of;
    expect(words[kind]?.[key]).toBeTruthy();
  }
  expect(filled(promql, 'a="b"', "1m")).not.toContain("$");
});

test("each kind's signals have names of their own", () => {
  for (const kind of Object.keys(kindQueries)) {
    const names = signalNames(kind) ?? [];
    expect(new Set(names).size).toBe(names.length);
  }
});

test("a label's value is never taken for a placeholder", () => {
  expect(filled("x{$labels}[$window]", 'a="$window"', "1m")).toBe('x{a="$window"}[1m]');
});

describe("what sluice.yaml says instead", () => {
  test("takes the place of one signal, and leaves the others", () => {
    const own = queriesOf("varnish", { varnish: { hit_ratio: "mine{$labels}", up: "also{$labels}" } });
    expect(own?.signals.find(({ key }) => key === "hit_ratio")).toMatchObject({
      promql: "mine{$labels}",
      unit: "share",
    });
    expect(own?.up).toBe("also{$labels}");
    expect(own?.signals.find(({ key }) => key === "requests")).toEqual(
      kindQueries.varnish?.signals.find(({ key }) => key === "requests"),
    );
    expect(queriesOf("cloudflare")).toBeNull();
    expect(queriesOf("toString")).toBeNull();
  });

  test.each([
    ["sum(x{$labels})", null],
    ['rate(x{code=~"5..$",$labels}[$window])', null],
    ["x{$labels}[$__rate_interval]", /^\$__rate_interval is not known here/],
    ["sum(x)", /^it needs \{\$labels\}/],
    ['x{$labels,code="5"}', /^it needs \{\$labels\}/],
  ])("%s", (promql, fault) => {
    if (fault === null) expect(faultOf(promql)).toBeNull();
    else expect(faultOf(promql)).toMatch(fault);
  });
});

describe("by which labels", () => {
  const settings = configSchema.parse({
    systems: {
      varnish: [
        { name: "a", url: "http://a", labels: { instance: 'a"9131', job: "v" } },
        { name: "b", url: "http://b" },
      ],
      redis: [{ name: "r", url: "redis://r" }],
      messenger: [
        { name: "m", url: "redis://r" },
        { name: "n", url: "redis://r", stream: "mails" },
      ],
      docker: [{ name: "d", labels: { instance: "cadvisor" }, node_labels: { instance: "node" } }],
      http: [
        { name: "app", url: "http://app", role: "symfony" },
        { name: "crm", url: "http://crm" },
      ],
    },
  });
  test("its own, none where it is alone, and nothing where others cannot be told from it", () => {
    expect(matchersOf(labelsOf(settings, "varnish", "a") ?? {})).toBe('instance="a\\"9131",job="v"');
    expect(labelsOf(settings, "varnish", "b")).toBeNull();
    expect(labelsOf(settings, "redis", "r")).toEqual({});
    expect(labelsOf(settings, "redis", "x")).toBeNull();
    expect(labelsOf(settings, "messenger", "n")).toEqual({ stream: "mails", group: "symfony" });
    expect(labelsOf(settings, "docker", "d")).toEqual({ instance: "node" });
  });
  test("only Symfony's own address is asked about", () => {
    expect(queriesFor(settings, "http", "app")).not.toBeNull();
    expect(queriesFor(settings, "http", "crm")).toBeNull();
  });
});
