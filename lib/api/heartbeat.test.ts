// Heartbeats over HTTP: what is taken, what is refused and changes nothing, and what the pages say of the job.
import { writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { type House, openHouse } from "../auth/house.fixture";
import { configSource } from "../config/load";
import { configSchema } from "../config/schema";
import { collector, connectionsService } from "../connections/service";
import { db } from "../db/client";
import { health, healthService } from "../health/service";
import { probe } from "../heartbeats/look";
import { concernsOf, problemOf } from "../systems/test-server";
import { answerHeartbeat } from "./heartbeat";
import { type Served, serve } from "./serve.fixture";

const token = "backup-token-1";
let house: House;
let served: Served;
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  house = await openHouse(`
systems:
  heartbeat:
    - { name: backup, every: 1d, grace: 1h, token: ${token} }
    - { name: import, every: 10m, token: import-token }
`);
  served = await serve(answerHeartbeat);
  for (const service of [healthService, connectionsService]) stops.push(await service.start());
});
beforeEach(async () => {
  await db().heartbeat.deleteMany();
});
afterAll(async () => {
  await served.close();
  for (const stop of stops.reverse()) await stop();
  await house.close();
});
afterEach(() => vi.restoreAllMocks());

type Sent = { method?: string; body?: BodyInit; token?: string | null; name?: string; headers?: HeadersInit };
async function send({ method = "POST", name = "backup", token: sent = token, body, headers }: Sent = {}) {
  const answer = await fetch(`${served.url}/api/heartbeat/${name}`, {
    method,
    headers: { ...(sent === null ? {} : { authorization: `Bearer ${sent}` }), ...headers },
    ...(body === undefined ? {} : { body }),
  });
  const text = await answer.text();
  return { status: answer.status, told: text === "" ? null : JSON.parse(text) };
}
const say = (report: object) => send({ body: JSON.stringify(report) });
const kept = () => db().heartbeat.findUnique({ where: { name: "backup" } });
const job = configSchema.parse({
  systems: { heartbeat: [{ name: "backup", every: "1d", grace: "1h", token }] },
}).systems.heartbeat[0];
const seen = (now?: number) => {
  if (job === undefined) throw new Error("no job");
  return probe(job, now);
};
const hour = 3_600_000;

test("ok, by POST with and without a body and by GET; it is on disk when it is answered", async () => {
  for (const sent of [
    {},
    { body: '{"state":"ok"}' },
    { body: " \n" },
    { method: "GET" },
    { body: '{"detail":"12 GB"}', headers: { "content-type": "application/x-www-form-urlencoded" } },
  ]) {
    await db().heartbeat.deleteMany();
    const { status, told } = await send(sent);
    expect([status, told.name, told.state], JSON.stringify(sent)).toEqual([200, "backup", "ok"]);
    const row = await kept();
    expect(row?.at.toISOString()).toBe(told.at);
    expect(Date.parse(told.due) - Date.parse(told.at)).toBe(25 * hour);
  }
  expect(await kept()).toMatchObject({ state: "ok", detail: "12 GB" });
});

test("an unknown name, a wrong token, another job's token and none: all the same, and nothing is read or kept", async () => {
  const huge = "x".repeat(64 * 1024);
  const refused = await Promise.all([
    send({ name: "nothing" }),
    send({ name: "%00" }),
    send({ name: "__proto__" }),
    send({ token: "wrong" }),
    send({ token: "import-token" }),
    send({ token: null }),
    send({ token: null, headers: { authorization: `Basic ${btoa(`backup:${token}`)}` } }),
    send({ token: null, headers: { cookie: `token=${token}` } }),
    send({ token: "wrong", body: huge }),
    send({ token: "wrong", method: "GET" }),
  ]);
  const shapes = new Set(
    refused.map(({ status, told: { requestId, ...rest } }) => JSON.stringify([status, rest])),
  );
  expect([...shapes]).toEqual([
    JSON.stringify([
      401,
      {
        code: "UNAUTHENTICATED",
        message: "There is no heartbeat of this name with this token.",
        status: 401,
        problem: "heartbeat.token",
      },
    ]),
  ]);
  const inAddress = await fetch(`${served.url}/api/heartbeat/backup?token=${token}`, { method: "POST" });
  expect(inAddress.status).toBe(401);
  expect(await db().heartbeat.count()).toBe(0);
});

test("malformed, unknown, too large: told, and what was there stays", async () => {
  await say({ detail: "before" });
  const before = await kept();
  const cases: [body: BodyInit, status: number, problem: string][] = [
    ["{", 422, "request.malformed"],
    ["state=fail", 422, "request.malformed"],
    [Buffer.from([0xff, 0xfe, 0x00]), 422, "request.malformed"],
    ["[]", 422, "input.invalid"],
    ["null", 422, "input.invalid"],
    ['{"state":"FAIL"}', 422, "input.invalid"],
    ['{"status":"fail"}', 422, "input.invalid"],
    ['{"detail":7}', 422, "input.invalid"],
    [JSON.stringify({ detail: "x".repeat(2001) }), 422, "input.invalid"],
    ['{"at":"yesterday"}', 422, "input.invalid"],
    ['{"at":"2026-01-01T00:00:00"}', 422, "input.invalid"],
    [JSON.stringify({ at: new Date(Date.now() + hour).toISOString() }), 422, "heartbeat.future"],
    [JSON.stringify({ detail: "x".repeat(17 * 1024) }), 413, "request.tooLarge"],
  ];
  for (const [body, status, problem] of cases) {
    const answer = await send({ body });
    expect([answer.status, answer.told.problem], String(body).slice(0, 60)).toEqual([status, problem]);
  }
  // Chunked: what is declared tells nothing.
  const stream = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(Buffer.alloc(4096, 32)),
  });
  const chunked = await fetch(`${served.url}/api/heartbeat/backup`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: stream,
    duplex: "half",
  } as RequestInit).then(
    ({ status }) => status,
    () => "cut off",
  );
  expect([413, "cut off"]).toContain(chunked);
  for (const method of ["HEAD", "PUT", "DELETE"]) expect((await send({ method })).status).toBe(405);
  expect(await kept()).toEqual(before);
});

test("a report of its own time counts from then, once: the same again and an older one are refused", async () => {
  const at = (hours: number) => new Date(Date.now() - hours * hour).toISOString();
  const two = at(2);
  expect((await say({ at: two, detail: "first" })).status).toBe(200);
  const repeated = await Promise.all([say({ at: two, detail: "again" }), say({ at: at(3), state: "fail" })]);
  expect(repeated.map(({ status, told }) => [status, told.problem])).toEqual([
    [409, "heartbeat.replayed"],
    [409, "heartbeat.replayed"],
  ]);
  expect(await kept()).toMatchObject({ detail: "first", state: "ok" });
  const one = at(1);
  const race = await Promise.all(Array.from({ length: 8 }, () => say({ at: one })));
  expect(race.map(({ status }) => status).sort()).toEqual([200, ...Array(7).fill(409)]);
  await db().heartbeat.deleteMany();
  const first = await Promise.all(Array.from({ length: 8 }, () => say({ at: one })));
  expect(first.filter(({ status }) => status === 200)).toHaveLength(1);
});

test("never, ok, late, failed; passwords in what it says are not kept", async () => {
  expect(concernsOf(await seen())).toEqual(["heartbeat.never"]);
  const { told } = await say({ detail: "mysqldump --password hunter2 done" });
  const at = Date.parse(told.at);
  const well = await seen(at + 25 * hour - 1);
  expect(problemOf(well)).toBe("up");
  expect(concernsOf(well)).toEqual([]);
  const late = await seen(at + 25 * hour);
  expect(problemOf(late)).toBe("heartbeat.late");
  const shown = told.at.slice(0, 16).replace("T", " ");
  expect(late).toMatchObject({ error: { detail: { params: { name: "backup", at: `${shown} UTC` } } } });
  await say({ state: "fail", detail: "the disk is full" });
  const failed = await seen();
  expect(problemOf(failed)).toBe("heartbeat.failedBy");
  expect(failed).toMatchObject({ error: { detail: { params: { detail: "the disk is full" } } } });
  await say({ state: "fail" });
  expect(problemOf(await seen())).toBe("heartbeat.failed");
  expect(JSON.stringify(well)).not.toContain("hunter2");
});

test("it is a component, whose state follows a report at once", async () => {
  const state = () => health().get("heartbeat/backup")?.state;
  const becomes = (wanted: string) => vi.waitFor(() => expect(state()).toBe(wanted), 3000);
  await collector().test("heartbeat", "backup");
  await becomes("warn");
  await send();
  await becomes("up");
  await say({ state: "fail", detail: "no space" });
  await becomes("down");
  expect(health().get("heartbeat/backup")?.problem?.problem).toBe("heartbeat.failedBy");
  await send({ method: "GET" });
  await becomes("up");
  // Not in sluice.yaml any more: nothing to report to.
  writeFileSync(process.env.SLUICE_CONFIG ?? "", "");
  configSource().reload();
  expect((await send()).status).toBe(401);
});
