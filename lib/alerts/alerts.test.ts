// Alerts as one list: joined, mapped to components, and reached by silences as Alertmanager reaches them.
import { describe, expect, test } from "vitest";
import { configSchema } from "../config/schema";
import type { Component } from "../health/contract";
import type { HeldAlert } from "../systems/alertmanager/alerts";
import type { RuleAlert } from "../systems/prometheus/rules";
import { closeServers, pages } from "../systems/test-server";
import { AlertsGatherer } from "./gather";
import { componentFinder, joined, ownAlerts, worstFirst } from "./join";
import { isBroad, reaches, written } from "./matchers";

const at = "2026-11-25T18:00:00.000Z";
const rule = (labels: Record<string, string>, state: RuleAlert["state"] = "firing"): RuleAlert => ({
  labels,
  annotations: { summary: "s", runbook_url: "docs/x.md" },
  state,
  activeAt: at,
  value: 1,
});
const held = (labels: Record<string, string>, status: Partial<HeldAlert["status"]> = {}): HeldAlert => ({
  fingerprint: "f",
  labels,
  annotations: {},
  startsAt: at,
  status: { state: "active", silencedBy: [], inhibitedBy: [], ...status },
});
const nobody = () => null;

describe("the list", () => {
  test("each once: silences by labels, also where Alertmanager knows more of them; what others told it", () => {
    const all = joined(
      [
        rule({ alertname: "A", instance: "1" }),
        rule({ alertname: "A", instance: "2" }),
        rule({ alertname: "P" }, "pending"),
      ],
      [
        held({ alertname: "A", instance: "2", dc: "eu" }, { silencedBy: ["s"] }),
        held({ alertname: "A", instance: "1" }, { inhibitedBy: ["i"] }),
        held({ alertname: "Other" }),
      ],
      nobody,
    );
    expect(all.map(({ name, labels, state, source }) => [name, labels.instance, state, source])).toEqual([
      ["A", "1", "inhibited", "prometheus"],
      ["A", "2", "silenced", "prometheus"],
      ["P", undefined, "pending", "prometheus"],
      ["Other", undefined, "firing", "alertmanager"],
    ]);
    // With the labels by which it is silenced.
    expect(all[1]?.labels.dc).toBe("eu");
    // The same from look to look, whoever answers.
    const [alone] = joined([rule({ instance: "2", alertname: "A" })], [], nobody);
    expect(alone?.id).toBe(all[1]?.id);
  });

  test("what Sluice sees itself, and what fails for a deeper one", () => {
    const component = (key: string, state: Component["state"], cause: string | null): Component => ({
      key,
      kind: "",
      name: key.split("/")[1] ?? "",
      layer: "side",
      state,
      since: at,
      problem: null,
      concerns: [],
      failing: 0,
      latencyMs: null,
      version: null,
      facts: {},
      dependsOn: [],
      cause,
    });
    const own = ownAlerts([
      component("php_fpm/php", "warn", "mariadb/db"),
      component("redis/cache", "up", null),
      component("mariadb/db", "down", null),
      component("http/x", "unknown", null),
    ]).sort(worstFirst);
    expect(own.map(({ component: key, state, severity }) => [key, state, severity])).toEqual([
      ["mariadb/db", "firing", "critical"],
      ["php_fpm/php", "inhibited", "warning"],
    ]);
  });

  test("its component: by labels, by instance, by job; none rather than a guess", () => {
    const of = componentFinder(
      configSchema.parse({
        systems: {
          redis: [
            { name: "cache", url: "redis://a:6379", labels: { instance: "cache:9121" } },
            { name: "queue", url: "redis://b:6379", labels: { instance: "queue:9121", role: "queue" } },
          ],
          mariadb: [{ name: "db-1", address: "db-1:3306" }],
          php_fpm: [{ name: "php", url: "http://php/status" }],
        },
      }),
    );
    expect(of({ instance: "cache:9121", job: "redis" })).toBe("redis/cache");
    // Not all of its labels.
    expect(of({ instance: "queue:9121" })).toBeNull();
    expect(of({ instance: "queue:9121", role: "queue" })).toBe("redis/queue");
    expect(of({ instance: "db-1:9104" })).toBe("mariadb/db-1");
    expect(of({ instance: "10.0.0.1:9253", job: "php-fpm" })).toBe("php_fpm/php");
    expect(of({ job: "redis" })).toBeNull();
    expect(of({})).toBeNull();
  });

  test("who is away blanks nothing, and nothing is over until everybody has answered", async () => {
    const rules = {
      "/api/v1/rules": {
        status: "success",
        data: {
          groups: [
            {
              rules: [
                {
                  name: "A",
                  alerts: [{ labels: { alertname: "A" }, state: "firing", activeAt: at, value: "1" }],
                },
              ],
            },
          ],
        },
      },
    };
    const url = await pages(rules);
    const settings = configSchema.parse({
      systems: {
        prometheus: [{ name: "p", url, timeout: "500ms" }],
        alertmanager: [{ name: "am", url: "http://127.0.0.1:9" }],
      },
    });
    const gatherer = new AlertsGatherer();
    const first = await gatherer.gather(settings, [], 1000);
    expect(first.alerts.map(({ name }) => name)).toEqual(["A"]);
    expect(first.away).toMatchObject([
      { source: "alertmanager", problem: { problem: "http.connectionRefused" } },
    ]);
    expect(first.complete).toBe(false);
    await closeServers();
    const second = await gatherer.gather(settings, [], 5000);
    expect(second.alerts.map(({ name }) => name)).toEqual(["A"]);
    expect(second.away.map(({ source, since }) => [source, Date.parse(since)])).toEqual([
      ["prometheus", 5000],
      ["alertmanager", 1000],
    ]);
    // Another one's words are not its own.
    const other = configSchema.parse({ systems: { prometheus: [{ name: "p", url: "http://127.0.0.1:9" }] } });
    const third = await gatherer.gather(other, [], 9000);
    expect([third.alerts, third.complete, third.away.length]).toEqual([[], false, 1]);
  });
});

describe("matchers", () => {
  const one = (name: string, operator: "=" | "!=" | "=~" | "!~", value: string) => ({
    name,
    value,
    isRegex: operator.endsWith("~"),
    isEqual: operator.startsWith("="),
  });
  test.each([
    [one("a", "=", "x"), { a: "x" }, true],
    [one("a", "=", "x"), { a: "xy" }, false],
    [one("a", "=~", "x|y"), { a: "y" }, true],
    // Anchored at both ends, also around an alternative.
    [one("a", "=~", "x|y"), { a: "xz" }, false],
    [one("a", "=~", "x"), { a: "ax" }, false],
    [one("a", "!=", "x"), {}, true],
    [one("a", "!~", "x.*"), { a: "xy" }, false],
    [one("a", "=~", "(?i)X"), { a: "x" }, true],
  ])("%o on %o: %s", (matcher, labels, expected) => {
    expect(reaches([matcher])(labels)).toBe(expected);
  });

  test.each([
    ["a(b", 4],
    ["ab*{2,1}", 4],
    ["*x", 1],
    ["(?=x)", 1],
    ["x\\", 3],
  ])("%s does not parse: where", (pattern, position) => {
    expect(() => reaches([one("b", "=", "x"), one("a", "=~", pattern)])).toThrow(
      expect.objectContaining({
        code: "INVALID_INPUT",
        detail: expect.objectContaining({
          problem: "alerts.pattern",
          field: "matchers.1.value",
          params: expect.objectContaining({ position }),
        }),
      }),
    );
  });

  test("none, and those that an empty label fits, are refused; what takes any value is broad", () => {
    const refused = (...all: Parameters<typeof isBroad>[0]) => {
      try {
        return isBroad(all);
      } catch (error) {
        return (error as { detail: { problem: string } }).detail.problem;
      }
    };
    expect(refused()).toBe("alerts.noMatcher");
    expect(refused(one("a", "=~", ".*"))).toBe("alerts.matchesEmpty");
    expect(refused(one("a", "!=", "x"), one("b", "=", ""))).toBe("alerts.matchesEmpty");
    expect(refused(one("alertname", "=~", ".+"))).toBe(true);
    expect(refused(one("alertname", "=~", ".+"), one("severity", "!=", "info"))).toBe(true);
    expect(refused(one("alertname", "=~", ".+"), one("severity", "=", "info"))).toBe(false);
    expect(refused(one("alertname", "=", "A"))).toBe(false);
  });

  test("as they are written", () => {
    expect([one("a", "=", 'x"'), one("a", "!~", "y")].map(written)).toEqual(['a="x\\""', 'a!~"y"']);
  });
});
