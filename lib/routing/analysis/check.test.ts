// A draft beside what a Traefik's API says, and beside one that does not answer.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { configSchema } from "../../config/schema";
import { closeServers, pages } from "../../systems/test-server";
import { filesChecked } from "../files/contract";
import { checkFiles } from "./check";
import { wordsFor } from "./words";

afterEach(closeServers);

const server = (url: string, more: Record<string, unknown> = {}) => {
  const [one] = configSchema.parse({
    systems: { traefik: [{ name: "edge", url, directory: "/rules", ...more }] },
  }).systems.traefik;
  if (one === undefined) throw new Error("there is no Traefik");
  return one;
};
const hash = "$2y$05$abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ01234";
const text = (users: string, more = "") => `
http:
  routers:
    site: { rule: Host(\`a.example\`), service: s, entryPoints: [web] }
    admin: { rule: "Host(\`a.example\`) && PathPrefix(\`/admin\`)", service: s, entryPoints: [web, gone], middlewares: [auth] }
  services:
    s: { loadBalancer: { servers: [{ url: "http://10.0.0.1" }] } }
  middlewares:
    auth: { basicAuth: { users: ["${users}"] } }
${more}`;
const files = (users: string, more = "") => [{ name: "a.yml", text: text(users, more) }];
const router = (name: string, rule: string, more: Record<string, unknown> = {}) => ({
  ...{
    name,
    provider: name.split("@")[1],
    status: "enabled",
    rule,
    entryPoints: ["web"],
    service: "s",
    priorityStr: "0",
  },
  ...more,
});
const traefik = () =>
  pages({
    "/api/version": { Version: "3.7.9" },
    "/api/entrypoints": [
      { name: "web", address: ":80" },
      { name: "traefik", address: ":8080" },
    ],
    "/api/http/routers": [
      router("site@file", "Host(`a.example`)"),
      router("admin@file", "Host(`a.example`) && PathPrefix(`/admin`)", { middlewares: ["auth@file"] }),
      router("shop@docker", "Host(`a.example`) && PathPrefix(`/shop`)", {
        middlewares: ["auth@file"],
        service: "shop",
      }),
    ],
    "/api/http/services": [{ name: "s@file" }, { name: "shop@docker" }, { name: "noop@internal" }],
    "/api/http/middlewares": [
      { name: "auth@file", provider: "file", type: "basicauth" },
      { name: "limit@docker", provider: "docker", type: "ratelimit" },
    ],
    ...Object.fromEntries(
      ["tcp/routers", "tcp/services", "tcp/middlewares", "udp/routers", "udp/services"].map((list) => [
        `/api/${list}`,
        [],
      ]),
    ),
  });

test("problems, differences, guards and recent requests are told together, without secrets", async () => {
  const directory = mkdtempSync(join(tmpdir(), "sluice-check-"));
  const log = join(directory, "access.log");
  const line = {
    ...{ entryPointName: "web", RequestMethod: "GET", RequestAddr: "a.example", RequestPath: "/shop/1" },
    ...{
      RequestScheme: "http",
      RouterName: "shop@docker",
      StartUTC: "2026-11-27T01:02:03Z",
      ClientAddr: "192.0.2.1:1",
    },
  };
  writeFileSync(log, `${JSON.stringify(line)}\n`);
  try {
    const edge = server(await traefik(), { access_log: log });
    const same = await checkFiles(edge, files(`a:${hash}`), files(`a:${hash}`));
    expect(same.guarded).toEqual([]);
    expect(same).toMatchObject({
      differences: [],
      problem: null,
      impact: { state: "told", requests: 1, shifts: [] },
    });
    expect(same.problems.map(({ code, known }) => [code, known])).toEqual([["unknownEntryPoint", true]]);

    const broken = filesChecked.parse(await checkFiles(edge, files(`a-${hash}`), files(`a:${hash}`)));
    expect(
      broken.problems.filter(({ known }) => !known).map(({ code, effect }) => [code, effect]),
    ).toContainEqual(["badUser", "disabled"]);
    expect(broken.guarded.map((one) => [one.router, one.how, one.falls])).toEqual([
      ["admin@file", "disabled", "site@file"],
      ["shop@docker", "disabled", "site@file"],
    ]);
    expect(broken.impact.shifts).toEqual([
      {
        ...{ from: "shop@docker", to: "site@file", requests: 1, unguarded: ["auth@file"] },
        examples: ["GET http://a.example/shop/1"],
      },
    ]);
    expect(broken.differences.map(({ name, fields }) => [name, fields.map(({ path }) => path)])).toEqual([
      ["auth", ["basicAuth.users[0]"]],
    ]);
    expect(JSON.stringify(broken)).not.toContain("abcdefghijklm");
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test("a middleware that only another provider's router uses is made, too", async () => {
  const edge = server(await traefik());
  const only = (users: string) => [
    { name: "a.yml", text: `http: { middlewares: { auth: { basicAuth: { users: ["${users}"] } } } }` },
  ];
  const { problems } = await checkFiles(edge, only("nobody"), only(`a:${hash}`));
  expect(problems).toMatchObject([{ code: "badUser", effect: "disabled", severity: "error" }]);
});

test("of what Traefik would not take, the problems are told, and that nothing changes", async () => {
  const edge = server(await traefik());
  const found = await checkFiles(edge, files(`a:${hash}`, "  routres: {}"), files(`a:${hash}`));
  expect(found.problems.some(({ effect }) => effect === "rejected")).toBe(true);
  expect(found).toMatchObject({ differences: [], guarded: [], impact: { state: "none" } });
});

test("a Traefik that does not answer is told; what can be said without it is said", async () => {
  const edge = server("http://127.0.0.1:1", { access_log: "/nowhere/access.log" });
  const found = filesChecked.parse(await checkFiles(edge, files("nobody"), files(`a:${hash}`)));
  expect(found.problem).not.toBeNull();
  expect(found.problems.map(({ code }) => code)).toContain("badUser");
  expect(found.differences).toHaveLength(1);
  expect(found.guarded).toMatchObject([{ router: "admin@file", how: "disabled", falls: "site@file" }]);
  expect(found.impact).toMatchObject({ state: "failed", shifts: [] });
  const words = await wordsFor(edge, files(`a:${hash}`));
  expect(words).toMatchObject({ entryPoints: ["gone", "web"], middlewares: ["auth"], services: ["s"] });
});

test("words are the fields of each struct, and names of the files and of others", async () => {
  const words = await wordsFor(server(await traefik()), files(`a:${hash}`));
  expect(words.fields[""]?.map(({ name }) => name)).toEqual(["http", "tcp", "udp", "tls"]);
  expect(words.fields["http.routers.*"]).toContainEqual({ name: "priority", takes: "number" });
  expect(words.fields["http.services.*.loadBalancer.servers[]"]).toContainEqual({
    name: "url",
    takes: "text",
  });
  expect(words.fields["http.routers.*"]?.some(({ name }) => name === "defaultRule")).toBe(false);
  expect(words).toMatchObject({
    entryPoints: ["traefik", "web"],
    routers: ["admin", "shop@docker", "site"],
    middlewares: ["auth", "limit@docker"],
  });
  expect(words.services).toContain("noop@internal");
});
