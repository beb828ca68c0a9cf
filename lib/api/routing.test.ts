// Putting Traefik's files in force over the API: who loses a guard is told, and must be agreed to by name.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRouterClient } from "@orpc/server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addUser, type House, openHouse } from "../auth/house.fixture";
import { db } from "../db/client";
import { registerRouting } from "../routing/files/register";
import { saveRevision } from "../routing/files/revisions";
import { closeServers, pages } from "../systems/test-server";
import { origin, signIn } from "./requests.fixture";
import { router } from "./router";

const text = (more: string) => `http:
  routers:
    admin: { rule: PathPrefix(\`/admin\`), service: s${more} }
  services:
    s: { loadBalancer: { servers: [{ url: "http://127.0.0.1:9" }] } }
  middlewares:
    net: { ipAllowList: { sourceRange: [10.0.0.0/8] } }
`;
const guardedFile = { name: "a.yml", text: text(", middlewares: [net]") };
let house: House;
let directory = "";
let cookie = "";
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "sluice-api-routing-"));
  writeFileSync(join(directory, guardedFile.name), guardedFile.text);
  const empty = ["tcp/routers", "tcp/services", "tcp/middlewares", "udp/routers", "udp/services"];
  const url = await pages({
    "/api/version": { Version: "3.7.9" },
    "/api/entrypoints": [{ name: "web", address: ":80" }],
    "/api/http/routers": [
      {
        ...{ name: "admin@file", provider: "file", status: "enabled", rule: "PathPrefix(`/admin`)" },
        ...{ service: "s", entryPoints: ["web"], middlewares: ["net@file"], priorityStr: "0" },
      },
    ],
    "/api/http/services": [{ name: "s@file" }],
    "/api/http/middlewares": [{ name: "net@file", provider: "file", type: "ipallowlist" }],
    ...Object.fromEntries(empty.map((list) => [`/api/${list}`, []])),
  });
  house = await openHouse(`
systems:
  traefik:
    - { name: edge, url: "${url}", directory: "${directory}", timeout: 1s }
`);
  registerRouting();
  await addUser("olga", "operator");
  cookie = await signIn("olga");
});
afterAll(async () => {
  await house.close();
  await closeServers();
  rmSync(directory, { recursive: true, force: true });
});

test("a guard that goes is told in the plan, and agreed to by its router's name alone", async () => {
  const headers = new Headers({ origin, host: "localhost:3000", cookie });
  const { routing } = createRouterClient(router, { context: { headers, requestId: "t", unsafe: true } });
  const files = [{ name: "a.yml", text: text("") }];
  const revision = await saveRevision({ traefik: "edge", files, newest: null, parent: null }, "Olga");
  const plan = await routing.planApply({ traefik: "edge", revision });
  expect(plan.guarded).toMatchObject([{ router: "admin@file", how: "unguarded", refused: false }]);
  const asked = { traefik: "edge", revision, watchS: 0, expected: plan.before.hash };
  const all = { ...asked, acceptAll: true };
  await expect(routing.apply(all)).rejects.toMatchObject({ code: "REFUSED" });
  expect(await db().change.count()).toBe(0);
  const { id } = await routing.apply({ ...asked, accepted: ["admin@file"] });
  expect(id).toBeGreaterThan(0);
});
