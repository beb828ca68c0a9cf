// Who may call what, over the real router on a real database; the REST API's manners.
import { createRouterClient, ORPCError } from "@orpc/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { addUser, type House, openHouse, password } from "../auth/house.fixture";
import type { Role } from "../changes/kind";
import { db } from "../db/client";
import { registerRouting } from "../routing/files/register";
import type { ApiContext } from "./base";
import { contract } from "./contract";
import { examples } from "./examples";
import { answerExport, csvField } from "./export";
import { openApiDocument } from "./openapi";
import { origin, rest, signIn } from "./requests.fixture";
import { answerRest } from "./rest";
import { router } from "./router";
import { answerRpc } from "./rpc";
import { answerAuth, answerSetup } from "./sign-in";

const roles = ["viewer", "editor", "operator", "admin"] as const;
type KeyScope = "read" | "purge" | "all";

/** The lowest role, and the scopes of keys that are let in. A new procedure needs a row here. */
const expected: Readonly<Record<string, readonly [Role, readonly KeyScope[]]>> = {
  "purges.plan": ["editor", ["purge", "all"]],
  "purges.create": ["editor", ["purge", "all"]],
  "purges.get": ["viewer", ["read", "purge", "all"]],
  "purges.objects": ["viewer", ["read", "purge", "all"]],
  "purges.sites": ["viewer", ["read", "purge", "all"]],
  "purges.outbox": ["viewer", ["read", "all"]],
  "purges.doctor": ["operator", ["all"]],
  "changes.list": ["viewer", ["read", "all"]],
  "changes.get": ["viewer", ["read", "all"]],
  "changes.cancel": ["editor", ["purge", "all"]],
  "changes.undo": ["editor", ["all"]],
  "connections.list": ["viewer", ["read", "all"]],
  "connections.test": ["operator", ["all"]],
  "health.list": ["viewer", ["read", "all"]],
  "incidents.list": ["viewer", ["read", "all"]],
  "incidents.get": ["viewer", ["read", "all"]],
  "incidents.postMortem": ["viewer", ["read", "all"]],
  "incidents.maintenances": ["viewer", ["read", "all"]],
  "incidents.open": ["operator", ["all"]],
  "incidents.acknowledge": ["operator", ["all"]],
  "incidents.assign": ["operator", ["all"]],
  "incidents.note": ["operator", ["all"]],
  "incidents.close": ["operator", ["all"]],
  "incidents.announce": ["operator", ["all"]],
  "incidents.endMaintenance": ["operator", ["all"]],
  "alerts.list": ["viewer", ["read", "all"]],
  "alerts.suspects": ["viewer", ["read", "all"]],
  "alerts.planSilence": ["operator", ["all"]],
  "alerts.silence": ["operator", ["all"]],
  "alerts.expire": ["operator", ["all"]],
  "vcl.clusters": ["operator", ["all"]],
  "vcl.running": ["operator", ["all"]],
  "vcl.node": ["operator", ["all"]],
  "vcl.templates": ["operator", ["all"]],
  "vcl.check": ["operator", ["all"]],
  "vcl.tests": ["operator", ["all"]],
  "vcl.revisions": ["operator", ["all"]],
  "vcl.revision": ["operator", ["all"]],
  "vcl.save": ["operator", ["all"]],
  "vcl.planRollout": ["operator", ["all"]],
  "vcl.rollout": ["operator", ["all"]],
  "vcl.trial": ["operator", ["all"]],
  "vcl.planTry": ["operator", ["all"]],
  "vcl.try": ["operator", ["all"]],
  "vcl.endTry": ["operator", ["all"]],
  "routing.match": ["operator", ["all"]],
  "routing.overview": ["operator", ["all"]],
  "routing.trace": ["operator", ["all"]],
  "routing.directories": ["operator", ["all"]],
  "routing.files": ["operator", ["all"]],
  "routing.words": ["operator", ["all"]],
  "routing.check": ["operator", ["all"]],
  "routing.act": ["operator", ["all"]],
  "routing.revisions": ["operator", ["all"]],
  "routing.revision": ["operator", ["all"]],
  "routing.save": ["operator", ["all"]],
  "routing.planApply": ["operator", ["all"]],
  "routing.apply": ["operator", ["all"]],
  "notices.channels": ["operator", ["all"]],
  "notices.list": ["operator", ["all"]],
  "notices.test": ["operator", ["all"]],
  "notices.retry": ["operator", ["all"]],
  "health.river": ["viewer", ["read", "all"]],
  "health.events": ["viewer", ["read", "all"]],
  "health.get": ["viewer", ["read", "all"]],
  "health.signals": ["viewer", ["read", "all"]],
  "services.list": ["viewer", ["read", "all"]],
  "services.watch": ["viewer", ["read", "all"]],
  "services.get": ["viewer", ["read", "all"]],
  "services.usage": ["viewer", ["read", "all"]],
  "services.logs": ["viewer", ["read", "all"]],
  "services.planAct": ["operator", ["all"]],
  "services.act": ["operator", ["all"]],
  "services.choices": ["operator", ["all"]],
  "services.planDeploy": ["admin", ["all"]],
  "services.deploy": ["admin", ["all"]],
  "services.images": ["viewer", ["read", "all"]],
  "services.checkImage": ["operator", ["all"]],
  "services.longerUsage": ["viewer", ["read", "all"]],
  "services.deaths": ["viewer", ["read", "all"]],
  "services.imageTags": ["operator", ["all"]],
  "services.gone": ["viewer", ["read", "all"]],
  "swarm.get": ["viewer", ["read", "all"]],
  "swarm.plan": ["operator", ["all"]],
  "swarm.act": ["operator", ["all"]],
  "swarm.choices": ["operator", ["all"]],
  "cloudflare.get": ["viewer", ["read", "all"]],
  "cloudflare.planSecurity": ["operator", ["all"]],
  "cloudflare.security": ["operator", ["all"]],
  "cloudflare.planDevelopment": ["operator", ["all"]],
  "cloudflare.development": ["operator", ["all"]],
  "backup.repositories": ["operator", ["all"]],
  "backup.snapshots": ["operator", ["all"]],
  "backup.folder": ["operator", ["all"]],
  "backup.search": ["operator", ["all"]],
  "backup.history": ["operator", ["all"]],
  "backup.difference": ["operator", ["all"]],
  "backup.planUnlock": ["operator", ["all"]],
  "backup.unlock": ["operator", ["all"]],
  "backup.planInit": ["operator", ["all"]],
  "backup.init": ["operator", ["all"]],
  "users.me": ["viewer", ["read", "purge", "all"]],
  "users.list": ["admin", []],
  "users.create": ["admin", []],
  "users.update": ["admin", []],
  "users.remove": ["admin", []],
  "users.resetPassword": ["admin", []],
  "users.keys": ["viewer", []],
  "users.createKey": ["viewer", []],
  "users.removeKey": ["viewer", []],
  "live.stream": ["viewer", ["read", "all"]],
};
const procedures = Object.entries(contract).flatMap(([domain, group]) =>
  Object.keys(group).map((name) => `${domain}.${name}`),
);

let house: House;
const cookies = new Map<Role, string>();
const keys = new Map<KeyScope, string>();

beforeAll(async () => {
  house = await openHouse();
  for (const role of roles) {
    await addUser(role, role, { sites: role === "editor" ? ["north"] : [] });
    cookies.set(role, await signIn(role));
  }
  for (const scope of ["read", "purge", "all"] as const) {
    const made = await rest("POST", "/keys", as("admin"), { name: scope, scope });
    keys.set(scope, (await made.json()).key);
  }
  await db().change.create({
    data: {
      kind: "purge",
      title: "South",
      state: "done",
      level: "reversible",
      site: "south",
      actorType: "user",
      actorName: "Omar",
      origin: "page",
      reason: '=HYPERLINK("http://evil.example")',
      input: "{}",
      plan: JSON.stringify({
        target: { by: "site", site: "south" },
        mode: "hard",
        warm: "no",
        sites: ["south"],
        pages: 0,
        objects: [],
        objectCount: 0,
        layers: [],
        secondPassMs: 0,
        level: "disruptive",
        confirmation: null,
        warnings: [],
      }),
      search: "south",
    },
  });
});
afterAll(() => house.close());

const as = (role: Role): Record<string, string> => ({ cookie: cookies.get(role) ?? "" });
const by = (scope: KeyScope): Record<string, string> => ({ authorization: `Bearer ${keys.get(scope)}` });

/** "in" when the procedure's policy lets these headers in (whatever it says to the empty input), else the refusal's code. */
async function knock(procedure: string, headers: Record<string, string>): Promise<string> {
  const context: ApiContext = {
    headers: new Headers({ origin, host: "localhost:3000", ...headers }),
    requestId: "test",
    unsafe: true,
  };
  const client = createRouterClient(router, { context });
  const [domain = "", name = ""] = procedure.split(".");
  const group = client[domain as keyof typeof client] as unknown as Record<
    string,
    (input: unknown) => Promise<unknown>
  >;
  try {
    // Input that no procedure takes, so that nothing is done: permission is judged before it is read.
    const answer = await group[name]?.(
      procedure === "users.me" ? undefined : { id: "no such thing", kind: 5 },
    );
    if (answer !== null && typeof answer === "object" && Symbol.asyncIterator in answer) {
      await (answer as AsyncGenerator).return(undefined);
    }
    return "in";
  } catch (error) {
    if (!(error instanceof ORPCError)) throw error;
    return error.code === "UNAUTHENTICATED" || error.code === "FORBIDDEN" ? error.code : "in";
  }
}

test("every procedure has its row", () => {
  expect(procedures.sort()).toEqual(Object.keys(expected).sort());
});

describe.each(procedures)("%s", (procedure) => {
  const [lowest, scopes] = expected[procedure] ?? ["admin", []];

  test.each(roles)("as %s", async (role) => {
    const allowed = roles.indexOf(role) >= roles.indexOf(lowest);
    expect(await knock(procedure, as(role))).toBe(allowed ? "in" : "FORBIDDEN");
  });

  test.each(["read", "purge", "all"] as const)("with a key for %s", async (scope) => {
    expect(await knock(procedure, by(scope))).toBe(scopes.includes(scope) ? "in" : "FORBIDDEN");
  });

  test("from nobody, by a bad key, or from another site's page", async () => {
    expect(await knock(procedure, {})).toBe("UNAUTHENTICATED");
    expect(await knock(procedure, { ...as("admin"), authorization: `Bearer slc_${"x".repeat(43)}` })).toBe(
      "UNAUTHENTICATED",
    );
    expect(await knock(procedure, { ...as("admin"), origin: "https://evil.example" })).toBe("FORBIDDEN");
    expect(await knock(procedure, { ...as("admin"), origin: "null" })).toBe("FORBIDDEN");
  });
});

test("an editor sees and touches nothing of another site", async () => {
  const { id } = await db().change.findFirstOrThrow();
  for (const [method, path] of [
    ["GET", `/purges/${id}`],
    ["GET", `/purges/${id}/objects`],
    ["GET", `/changes/${id}`],
    ["POST", `/changes/${id}/cancel`],
    ["POST", `/changes/${id}/undo`],
  ] as const) {
    const answer = await rest(method, path, as("editor"));
    expect([path, answer.status]).toEqual([path, 403]);
  }
  expect(await (await rest("GET", "/changes", as("editor"))).json()).toMatchObject({ rows: [] });
  expect(await (await rest("GET", "/changes", as("viewer"))).json()).toMatchObject({ rows: [{ id }] });
  const sites = await (await rest("GET", "/sites", as("editor"))).json();
  expect(sites.map(({ name }: { name: string }) => name)).toEqual(["north"]);
  const foreign = { target: { by: "url", urls: ["http://south.example/x"] } };
  const purge = await rest("POST", "/purges", as("editor"), foreign);
  expect(purge.status).toBeGreaterThanOrEqual(400);
  expect(purge.status).toBeLessThan(500);
  expect(await db().change.count()).toBe(1);
  const file = await answerExport(
    new Request(`${origin}/api/v1/changes/export?format=csv`, { headers: as("editor") }),
  );
  expect((await file.text()).trim().split("\r\n")).toHaveLength(1);
});

test("what a roll-out of Traefik's files did in detail is for operators", async () => {
  registerRouting();
  const said = JSON.stringify({ rule: "Host(`hidden.example`)" });
  const { id } = await db().change.create({
    data: {
      kind: "traefik.apply",
      title: "edge: r2",
      state: "done",
      level: "disruptive",
      actorType: "user",
      actorName: "Omar",
      origin: "page",
      input: said,
      plan: said,
      evidence: said,
      log: { create: { level: "info", message: "hidden.example" } },
      search: "edge",
    },
  });
  try {
    for (const headers of [as("viewer"), as("operator"), by("read")]) {
      const got = await rest("GET", `/changes/${id}`, headers);
      const hidden = headers.cookie === cookies.get("viewer");
      const text = await got.text();
      expect(JSON.parse(text)).toMatchObject({ title: "edge: r2", actor: { name: "Omar" }, shown: !hidden });
      expect(text.includes("hidden.example")).toBe(!hidden);
    }
    for (const format of ["csv", "json"]) {
      const url = `${origin}/api/v1/changes/export?format=${format}`;
      const file = await (await answerExport(new Request(url, { headers: as("viewer") }))).text();
      expect(file).toContain("edge: r2");
      expect(file).not.toContain("hidden.example");
    }
  } finally {
    await db().change.delete({ where: { id } });
  }
});

test("a key is shown once, follows its maker, and ends with them", async () => {
  const id = await addUser("maker", "editor", { sites: ["north"] });
  const cookie = await signIn("maker");
  const refused = await rest("POST", "/keys", { cookie }, { name: "k", scope: "purge", sites: ["south"] });
  expect(await refused.json()).toMatchObject({ code: "FORBIDDEN", field: "sites" });
  const { key, row } = await (await rest("POST", "/keys", { cookie }, { name: "k", scope: "all" })).json();
  expect(key).toMatch(/^slc_/);
  expect(key.startsWith(row.start)).toBe(true);
  expect(await (await rest("GET", "/keys", { cookie })).text()).not.toContain(key);
  expect(JSON.stringify(await db().apiKey.findMany())).not.toContain(key);

  const bearer = { authorization: `Bearer ${key}` };
  expect(await (await rest("GET", "/me", bearer)).json()).toMatchObject({ role: "editor", sites: ["north"] });
  expect((await rest("GET", "/me", { "x-api-key": key })).status).toBe(200);
  await db().user.update({ where: { id }, data: { role: "viewer" } });
  expect(await (await rest("GET", "/me", bearer)).json()).toMatchObject({ role: "viewer" });
  await db().user.update({ where: { id }, data: { banned: true } });
  expect((await rest("GET", "/me", bearer)).status).toBe(401);
  await db().user.update({ where: { id }, data: { banned: false } });
  await db().apiKey.update({ where: { id: row.id }, data: { expiresAt: new Date(Date.now() - 1) } });
  expect((await rest("GET", "/me", bearer)).status).toBe(401);
});

test("users: made with a one-time password, changed, reset, removed; the last administrator stays", async () => {
  const made = await rest("POST", "/users", as("admin"), {
    name: "Élise",
    email: "Elise@Example.org",
    role: "editor",
    sites: ["north"],
  });
  const { user, password: once } = await made.json();
  expect(user).toMatchObject({ email: "elise@example.org", role: "editor", sites: ["north"] });
  expect(await (await rest("GET", "/me", { cookie: await signIn("elise", once) })).json()).toMatchObject({
    mustChangePassword: true,
  });
  const twice = await rest("POST", "/users", as("admin"), {
    name: "E",
    email: "elise@example.org",
    role: "viewer",
  });
  expect(await twice.json()).toMatchObject({ code: "CONFLICT", field: "email", status: 409 });
  const nowhere = { name: "E", email: "e@example.org", role: "editor", sites: ["nowhere"] };
  expect(await (await rest("POST", "/users", as("admin"), nowhere)).json()).toMatchObject({
    problem: "users.unknownSite",
  });

  const cookie = await signIn("elise", once);
  const reset = await (await rest("POST", `/users/${user.id}/password`, as("admin"))).json();
  expect((await rest("GET", "/me", { cookie })).status).toBe(401);
  await expect(signIn("elise", once)).rejects.toThrow();
  await signIn("elise", reset.password);
  expect((await rest("DELETE", `/users/${user.id}`, as("admin"))).status).toBe(200);
  await expect(signIn("elise", reset.password)).rejects.toThrow();

  const { id } = await (await rest("GET", "/me", as("admin"))).json();
  for (const change of [{ role: "viewer" }, { banned: true }]) {
    expect((await rest("PATCH", `/users/${id}`, as("admin"), change)).status).toBe(409);
  }
  expect((await rest("DELETE", `/users/${id}`, as("admin"))).status).toBe(409);
});

test("no answer holds a secret", async () => {
  for (const path of ["/me", "/users", "/keys", "/changes", "/systems", "/sites", "/outbox"]) {
    const text = await (await rest("GET", path, as("admin"))).text();
    expect(text).not.toContain(password);
    expect(text).not.toMatch(/"(password|hash|token|secret|backupCodes)"/);
    for (const key of keys.values()) expect(text).not.toContain(key);
  }
});

describe("the REST API's errors are one envelope", () => {
  test("unknown route", async () => {
    const answer = await rest("GET", "/nothing/here", as("admin"));
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({
      code: "NOT_FOUND",
      status: 404,
      requestId: expect.any(String),
    });
  });

  test("bad JSON", async () => {
    const answer = await answerRest(
      new Request(`${origin}/api/v1/purges`, {
        method: "POST",
        headers: { ...by("purge"), "content-type": "application/json" },
        body: "{ no",
      }),
    );
    expect(answer.status).toBe(400);
    const body = await answer.json();
    expect(body).toMatchObject({ code: "INVALID_INPUT", status: 400, problem: "request.malformed" });
    expect(body.requestId).toBe(answer.headers.get("x-request-id"));
  });

  test("a body without end is read to a bound, from nobody too, whatever it says of itself", async () => {
    const chunk = new Uint8Array(1024 * 1024).fill(32);
    for (const [answer, path, mebibytes] of [
      [answerRest, "/api/v1/purges", 8],
      [answerRpc, "/api/rpc/purges/create", 8],
      [answerAuth, "/api/auth/sign-in/email", 1],
      [answerSetup, "/api/setup", 1],
    ] as const) {
      let sent = 0;
      const body = new ReadableStream<Uint8Array>({
        pull: (stream) => {
          sent++;
          stream.enqueue(chunk);
        },
      });
      const init = { method: "POST", headers: { origin, host: "localhost:3000" }, body, duplex: "half" };
      const refused = await answer(new Request(origin + path, init));
      expect(refused.status, path).toBe(413);
      expect(await refused.json(), path).toMatchObject({ code: "TOO_LARGE", problem: "request.tooLarge" });
      expect(sent, path).toBeLessThanOrEqual(mebibytes + 2);
    }
    const declared = await answerRest(
      new Request(`${origin}/api/v1/purges`, {
        method: "POST",
        headers: { ...by("purge"), "content-length": "9000000" },
        body: "{}",
      }),
    );
    expect(declared.status).toBe(413);
  });

  test("wrong input, at its field", async () => {
    const answer = await rest("POST", "/purges", by("purge"), { target: { by: "url", urls: [] } });
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({
      code: "INVALID_INPUT",
      problem: "input.tooFew",
      field: "target.urls",
    });
    const lines = Array.from({ length: 10_001 }, (_, line) => `http://north.example/${line}`);
    const many = await rest("POST", "/purges", by("purge"), { target: { by: "url", urls: lines } });
    expect(await many.json()).toMatchObject({
      problem: "input.tooMany",
      field: "target.urls",
      params: { maximum: 10_000 },
    });
  });

  test("nobody, and what is not there", async () => {
    expect((await rest("GET", "/changes")).status).toBe(401);
    const answer = await rest("GET", "/changes/999999", as("viewer"));
    expect([answer.status, (await answer.json()).code]).toEqual([404, "NOT_FOUND"]);
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });

  test("a method that would change something needs our own page or a key", async () => {
    const { origin: _, ...bare } = { origin: "", ...as("admin") };
    const request = (headers: Record<string, string>) =>
      answerRest(new Request(`${origin}/api/v1/changes/1/cancel`, { method: "POST", headers }));
    expect(await (await request(bare)).json()).toMatchObject({ problem: "auth.crossSite" });
    expect((await request(by("purge"))).status).not.toBe(403);
  });
});

test("RPC answers the pages with the same codes", async () => {
  const call = (headers: Record<string, string>) =>
    answerRpc(
      new Request(`${origin}/api/rpc/users/me`, {
        method: "POST",
        headers: { origin, host: "localhost:3000", "content-type": "application/json", ...headers },
        body: "{}",
      }),
    );
  expect((await call({})).status).toBe(401);
  expect(await (await call(as("viewer"))).json()).toMatchObject({ json: { role: "viewer" } });
});

test("the stream begins with a snapshot, over RPC and REST", async () => {
  const answer = await rest("GET", "/live", by("read"));
  expect(answer.headers.get("content-type")).toContain("text/event-stream");
  expect(answer.headers.get("cache-control")).toContain("no-transform");
  const reader = answer.body?.getReader();
  let text = "";
  while (reader !== undefined && !text.includes("snapshot")) {
    const { value, done } = await reader.read();
    if (done) break;
    text += new TextDecoder().decode(value);
  }
  await reader?.cancel();
  expect(text).toContain('"type":"snapshot"');
});

test("the description names every route, who may call it and how errors look; its examples are good", async () => {
  const document = await openApiDocument();
  expect(document.openapi).toMatch(/^3\.1/);
  expect(Object.keys(document.components?.securitySchemes ?? {})).toEqual(["apiKey", "session"]);
  const operations = Object.values(document.paths ?? {}).flatMap((item) =>
    (["get", "post", "patch", "delete"] as const).flatMap((method) => item?.[method] ?? []),
  );
  expect(operations.map(({ operationId }) => operationId).sort()).toEqual(
    [...procedures, "changes.export"].sort(),
  );
  for (const { responses, description } of operations) {
    expect(responses?.default).toEqual({ $ref: "#/components/responses/Error" });
    expect(description).toMatch(/Role: /);
  }
  expect(document.paths?.["/purges"]?.post?.responses).toHaveProperty("200");
  expect(document.paths?.["/purges"]?.post?.responses).toHaveProperty("202");
  const inputs: Record<string, unknown> = {
    "POST /purges": contract.purges.create["~orpc"].inputSchema,
    "POST /purges/plan": contract.purges.plan["~orpc"].inputSchema,
    "POST /services/acts": contract.services.act["~orpc"].inputSchema,
    "POST /swarm/acts": contract.swarm.act["~orpc"].inputSchema,
    "POST /silences": contract.alerts.silence["~orpc"].inputSchema,
    "POST /services/deploys": contract.services.deploy["~orpc"].inputSchema,
    "POST /cloudflare/security": contract.cloudflare.security["~orpc"].inputSchema,
    "POST /services/logs": contract.services.logs["~orpc"].inputSchema,
    "POST /users": contract.users.create["~orpc"].inputSchema,
    "POST /keys": contract.users.createKey["~orpc"].inputSchema,
  };
  for (const [name, group] of Object.entries(examples)) {
    const schema = inputs[name] as { parse(value: unknown): unknown };
    for (const { value } of Object.values(group)) schema.parse(value);
    const [method = "", path = ""] = name.split(" ");
    const item = document.paths?.[path] as Record<string, { requestBody: { content: object } }> | undefined;
    expect(JSON.stringify(item?.[method.toLowerCase()]?.requestBody)).toContain('"examples"');
  }
});

test("history as a file: no formula, complete, only for who may read", async () => {
  const ask = (query: string, headers: Record<string, string>) =>
    answerExport(new Request(`${origin}/api/v1/changes/export?${query}`, { headers }));
  expect((await ask("format=csv", {})).status).toBe(401);
  expect((await ask("format=csv", by("purge"))).status).toBe(403);
  expect((await ask("format=xls", by("read"))).status).toBe(422);
  const csv = await ask("format=csv&site=south", by("read"));
  expect(csv.headers.get("content-disposition")).toMatch(/^attachment; filename="sluice-history-.*\.csv"$/);
  expect(await csv.text()).toContain(`"'=HYPERLINK(""http://evil.example"")"`);
  const json = await (await ask("format=json", by("read"))).json();
  expect(json).toMatchObject([{ title: "South", site: "south" }]);
  expect(csvField(" =1+1")).toBe("' =1+1");
  expect(csvField("plain, text")).toBe('"plain, text"');
});
