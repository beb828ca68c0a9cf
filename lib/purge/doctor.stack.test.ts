// The purge doctor on the real stack: all well there, and each fault found where one is made.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runDoctor } from "./doctor";
import { ask, editor, type Lab, openLab, operator, port, stackOf } from "./test-stack";

describe.skipIf(stackOf() === null)("the purge doctor on the stack", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab((yaml) =>
      yaml
        .replace(
          "  nginx:",
          `    - { name: not-varnish, url: "http://127.0.0.1:${port(stackOf() ?? { ports: {}, containers: {} }, "origin")}" }\n    - { name: gone, url: "http://127.0.0.1:9", timeout: 500ms }\n  nginx:`,
        )
        .replace("varnish: [varnish-1, varnish-2]", "varnish: [varnish-1, varnish-2, not-varnish, gone]"),
    );
  });
  afterAll(() => lab?.close());
  const statuses = async (kind: "varnish" | "cloudflare", name: string) => {
    const findings = await runDoctor(kind, name, undefined, operator);
    return { findings, by: Object.fromEntries(findings.map(({ check, status }) => [check, status])) };
  };

  test("a node with the recommended VCL passes every check", async () => {
    const { findings, by } = await statuses("varnish", "varnish-1");
    expect(by, JSON.stringify(findings, null, 1)).toEqual({
      reach: "ok",
      peek: "ok",
      boot: "ok",
      acl: "ok",
      host: "ok",
      encoding: "ok",
      tags: "ok",
      headerRoom: "ok",
      ban: "ok",
      softPurge: "ok",
    });
  });

  test("what is no Varnish, and what is not there, is told", async () => {
    expect((await statuses("varnish", "not-varnish")).by).toMatchObject({
      reach: "warn",
      peek: "warn",
      acl: "fail",
    });
    expect((await statuses("varnish", "gone")).by).toEqual({ reach: "unknown" });
  });

  test("Cloudflare: token, zone, scope, limits and edge", async () => {
    const { findings, by } = await statuses("cloudflare", "cloudflare-site");
    expect(by, JSON.stringify(findings, null, 1)).toEqual({
      token: "ok",
      zone: "ok",
      scope: "ok",
      limits: "ok",
      edge: "ok",
    });
  });

  test("a token that may not purge is found", async () => {
    const control = (scopes: string[]) =>
      ask(port(lab.stack, "cloudflareControl"), "/scopes", {
        method: "POST",
        body: JSON.stringify({ scopes }),
      });
    await control(["zone_read"]);
    try {
      const { findings, by } = await statuses("cloudflare", "cloudflare-site");
      expect(by).toMatchObject({ token: "ok", scope: "fail" });
      expect(findings.find(({ check }) => check === "scope")?.fix).toBe("scope.cachePurge");
    } finally {
      await control(["cache_purge", "zone_read", "analytics_read", "zone_settings_edit"]);
    }
  });

  test("it is for operators, and for systems that exist", async () => {
    await expect(runDoctor("varnish", "varnish-1", undefined, editor)).rejects.toMatchObject({
      code: "FORBIDDEN",
    });
    await expect(runDoctor("varnish", "nowhere", undefined, operator)).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
  });
});
