// What is said of a real Traefik's routers, beside what it does; the reference stack's figures; one that is dead beside one that is not.
import http from "node:http";
import https from "node:https";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Config, configSchema } from "../../config/schema";
import { exchange } from "../../systems/exchange";
import { freePort, stackUrl, testStack, until } from "../../systems/test-stack";
import { startTestTraefik, type TestTraefik } from "../../systems/traefik/test-traefik";
import { type Conflict, traefikSeen } from "./contract";
import { traefiks } from "./service";

const stack = testStack();
const settings = (systems: Record<string, unknown>): Config => configSchema.parse({ systems });

const routes = {
  all: { rule: "Host(`shop.example`) && PathPrefix(`/`)", entryPoints: ["web"], priority: 90 },
  behind: { rule: "Host(`shop.example`) && Path(`/cart`)", entryPoints: ["web", "second"], priority: 80 },
  one: { rule: "Host(`tie.example`)", entryPoints: ["web"], priority: 50 },
  other: { rule: "PathPrefix(`/tie`)", entryPoints: ["web"], priority: 50 },
  older: { rule: "Path(`/{any}`)", ruleSyntax: "v2", entryPoints: ["second"], priority: 99 },
  "older-one": { rule: "Path(`/x`)", entryPoints: ["second"], priority: 50 },
  "older-other": { rule: "Path(`/x`)", entryPoints: ["second"], priority: 50 },
  redirected: { rule: "Host(`shop.example`)", entryPoints: ["moved"] },
  plain: { rule: "Host(`shop.example`)", entryPoints: ["raw"] },
  named: { rule: "Host(`db.example`)", entryPoints: ["named"], tls: {} },
  open: { rule: "PathPrefix(`/`)", entryPoints: ["open"], tls: {} },
  last: { rule: "PathPrefix(`/`)", entryPoints: ["last"], tls: {} },
};
const tcp = {
  "tcp-raw": { rule: "HostSNI(`*`)", entryPoints: ["raw"], service: "api" },
  "tcp-named": { rule: "HostSNI(`db.example`)", entryPoints: ["named"], service: "api", tls: {} },
  "tcp-open": { rule: "HostSNI(`db.example`)", entryPoints: ["open"], service: "api", tls: {} },
  "tcp-last": { rule: "HostSNI(`*`)", entryPoints: ["last"], service: "api", tls: {} },
};
/** JSON is YAML. HTTP routers send away to their own names; TCP ones lead to Traefik's API. */
const file = JSON.stringify({
  http: {
    routers: Object.fromEntries(
      Object.entries(routes).map(([name, one]) => [
        name,
        { ...one, service: "noop@internal", middlewares: [`to-${name}`] },
      ]),
    ),
    middlewares: Object.fromEntries(
      Object.keys(routes).map((name) => [
        `to-${name}`,
        { redirectRegex: { regex: ".*", replacement: `http://${name}.invalid/` } },
      ]),
    ),
  },
  tcp: {
    routers: tcp,
    services: { api: { loadBalancer: { servers: [{ address: "127.0.0.1:8080" }] } } },
  },
});
const ports = { web: 80, second: 81, moved: 82, raw: 83, named: 84, open: 85, last: 86 };

describe.skipIf(!stack)("real Traefiks", () => {
  if (!stack) return;
  let traefik: TestTraefik;
  let conflicts: Conflict[] = [];
  beforeAll(async () => {
    traefik = await startTestTraefik(stack, {
      files: { "routes.yml": file },
      ports,
      options: [
        ...Object.entries(ports).map(([name, port]) => `--entryPoints.${name}.address=:${port}`),
        "--entryPoints.moved.http.redirections.entryPoint.to=named",
      ],
    });
    const [seen] = await traefiks(settings({ traefik: [{ name: "own", url: traefik.url }] }));
    conflicts = seen?.now?.conflicts ?? [];
  }, 60_000);
  afterAll(() => traefik?.stop());

  /** Who answers: a router's name, "tcp", or a status. */
  const ask = (port: keyof typeof ports, host: string, path: string, tls: boolean): Promise<string> =>
    new Promise((resolve, reject) => {
      const options = {
        host: "127.0.0.1",
        port: traefik.ports[port],
        path,
        headers: { Host: host, Connection: "close" },
        timeout: 5000,
        agent: false,
        ...(tls ? { servername: host, rejectUnauthorized: false } : {}),
      };
      const sent = (tls ? https : http).request(options, (answer) => {
        let body = "";
        answer.on("data", (chunk: Buffer) => {
          body += chunk.toString();
        });
        answer.on("end", () => {
          const to = /^http:\/\/([^.]+)\.invalid\//.exec(answer.headers.location ?? "")?.[1];
          resolve(to ?? (body.includes('"Version"') ? "tcp" : String(answer.statusCode)));
        });
      });
      sent.on("error", reject);
      sent.on("timeout", () => sent.destroy(new Error("no answer in time")));
      sent.end();
    });
  const told = (kind: Conflict["kind"]) =>
    conflicts
      .filter((one) => one.kind === kind)
      .map(
        (one) =>
          `${one.router} ${one.entryPoints.join("+")} ${one.others.join("+")} ${one.all ? "all" : "some"} ${one.names.join("+")}`,
      );

  test("shadowed: it is so, where it is so; a redirection is meant to take everything", async () => {
    expect(told("shadowed")).toEqual(["behind@file web all@file all "]);
    expect(await ask("web", "shop.example", "/cart", false)).toBe("all");
    expect(await ask("second", "shop.example", "/cart", false)).toBe("older");
    expect(await ask("moved", "shop.example", "/cart", false)).not.toBe("redirected");
  });

  test("a tie is told with a request that one of both takes; nothing below rules of Traefik 2", async () => {
    expect(told("tie")).toEqual(["one@file web other@file all "]);
    expect(told("duplicate")).toEqual([]);
    const example = conflicts.find(({ kind }) => kind === "tie")?.example;
    const { host, pathname } = new URL(example?.url ?? "");
    expect(["one", "other"]).toContain(await ask("web", host, pathname, false));
    expect(await ask("second", host, "/x", false)).toBe("older");
  });

  test("TCP before HTTP, and HTTP before TCP", async () => {
    expect(told("tcpFirst").sort()).toEqual([
      "tcp-open@file open open@file some ",
      "tcp-raw@file raw plain@file all ",
    ]);
    expect(told("httpFirst").sort()).toEqual([
      "tcp-last@file last last@file all *",
      "tcp-named@file named named@file all db.example",
    ]);
    expect(await ask("raw", "shop.example", "/api/version", false)).toBe("tcp");
    expect(await ask("open", "db.example", "/api/version", true)).toBe("tcp");
    expect(await ask("open", "shop.example", "/api/version", true)).toBe("open");
    expect(await ask("named", "db.example", "/api/version", true)).toBe("named");
    expect(await ask("last", "db.example", "/api/version", true)).toBe("last");
  });

  test("the stack's figures by router and service, in the shape that leaves; one that is dead takes nothing from it", async () => {
    const url = stackUrl(stack, "traefikApi");
    const prometheus = [
      { name: "prometheus", url: stackUrl(stack, "prometheus"), scrape_interval: "5s", timeout: "3s" },
    ];
    const dead = `http://127.0.0.1:${await freePort()}`;
    const [alive, other] = await until(
      "Prometheus has seen requests",
      async () => {
        await exchange({
          base: stackUrl(stack, "traefik"),
          host: "site.localhost",
          path: "/fr",
          timeoutMs: 8000,
        });
        const seen = await traefiks(
          settings({
            traefik: [
              { name: "alive", url, labels: { instance: "traefik" } },
              { name: "dead", url: dead },
            ],
            prometheus,
          }),
        );
        return (seen[0]?.now?.routers.rows.find(({ name }) => name === "site@file")?.figures?.perSecond ??
          0) > 0
          ? seen
          : null;
      },
      40_000,
    );
    expect(traefikSeen.parse(alive)).toEqual(alive);
    expect(alive?.now?.live).toMatchObject({ state: "told", routersMissing: false, windowMs: 300_000 });
    const figures = alive?.now?.services.rows.find(({ name }) => name === "varnish@file")?.figures;
    expect(figures?.perSecond).toBeGreaterThan(0);
    expect(figures?.errors).toBeGreaterThanOrEqual(0);
    expect(figures?.p95Ms).toBeGreaterThan(0);
    expect(alive?.now?.conflicts).toEqual([]);
    expect(traefikSeen.parse(other)).toMatchObject({
      traefik: "dead",
      problem: { problem: "http.connectionRefused" },
      now: null,
    });
  }, 60_000);

  test("without Prometheus, or without labels among several, that is said; Prometheus' failures too", async () => {
    const url = stackUrl(stack, "traefikApi");
    const state = async (systems: Record<string, unknown>) =>
      (await traefiks(settings(systems)))[0]?.now?.live;
    expect(await state({ traefik: [{ name: "a", url }] })).toMatchObject({ state: "none" });
    const prometheus = [{ name: "prometheus", url: `http://127.0.0.1:${await freePort()}` }];
    expect(
      await state({
        traefik: [
          { name: "a", url },
          { name: "b", url },
        ],
        prometheus,
      }),
    ).toMatchObject({ state: "ambiguous" });
    expect(await state({ traefik: [{ name: "a", url }], prometheus })).toMatchObject({
      state: "failed",
      problem: { problem: "http.connectionRefused" },
    });
    const real = [{ name: "prometheus", url: stackUrl(stack, "prometheus") }];
    const labels = { instance: "nobody" };
    expect(await state({ traefik: [{ name: "a", url, labels }], prometheus: real })).toMatchObject({
      state: "quiet",
      routersMissing: false,
    });
  });
});
