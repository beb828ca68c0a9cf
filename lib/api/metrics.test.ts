// /metrics over HTTP: who may read it, and that what it tells is true.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { recordPeers } from "../auth/client-address";
import { addUser, type House, openHouse } from "../auth/house.fixture";
import { engine } from "../changes/engine";
import { toyKind } from "../changes/toy.fixture";
import { configSource } from "../config/load";
import { db } from "../db/client";
import { health } from "../health/service";
import { subscribe } from "../live/hub";
import { countChanges } from "../metrics/changes";
import { owe } from "../purge/owed";
import { answerMetrics } from "./metrics";
import { rest, signIn } from "./requests.fixture";
import { type Served, serve } from "./serve.fixture";

const token = "a-token-of-twenty-four-b";
const systems = `
systems:
  varnish: [{ name: varnish-1, url: "http://127.0.0.1:9" }, { name: varnish-2, url: "http://127.0.0.1:9" }]
`;
let house: House;
let served: Served;
let stopPeers: () => void;
const files = mkdtempSync(join(tmpdir(), "sluice-metrics-"));

beforeAll(async () => {
  house = await openHouse(`metrics: { token: ${token} }${systems}`);
  stopPeers = recordPeers();
  countChanges();
  served = await serve(answerMetrics);
});
afterAll(async () => {
  await served.close();
  stopPeers();
  await house.close();
  rmSync(files, { recursive: true, force: true });
});

function configure(metrics: string): void {
  writeFileSync(process.env.SLUICE_CONFIG ?? "", metrics + systems);
  configSource().reload();
}
const ask = (headers: Record<string, string> = {}) => fetch(`${served.url}/metrics`, { headers });
const status = async (headers?: Record<string, string>) => (await ask(headers)).status;
const bearer = (text: string) => ({ authorization: `Bearer ${text}` });
async function figures(): Promise<string[]> {
  const answer = await ask(bearer(token));
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
  return (await answer.text()).split("\n");
}

test("off, by token, by network; a session or a made-up address opens nothing", async () => {
  await addUser("admin", "admin");
  const cookie = await signIn("admin");
  configure("");
  expect([await status(), await status(bearer(token)), await status({ cookie })]).toEqual([404, 404, 404]);

  configure(`metrics: { token: ${token} }`);
  const wrong = ["wrong", `${token}x`, token.slice(1), ""];
  for (const one of wrong) expect(await status(bearer(one)), one).toBe(401);
  expect([await status(), await status({ cookie }), await status(bearer(token))]).toEqual([401, 401, 200]);

  configure('metrics: { networks: ["10.0.0.0/8"] }');
  const pretends = { "x-forwarded-for": "10.0.0.1", "x-sluice-peer": "10.0.0.1" };
  expect([await status(), await status(pretends)]).toEqual([401, 401]);
  configure('metrics: { networks: ["127.0.0.0/8"] }');
  expect(await status()).toBe(200);

  writeFileSync(join(files, "token"), `${token}\n`);
  configure(`metrics: { token_file: ${join(files, "token")} }`);
  expect([await status(), await status(bearer(token))]).toEqual([401, 200]);
});

test("changes: those at work now, and each that ended once, also when it is told again", async () => {
  engine().register(toyKind("interrupted"));
  const actor = {
    type: "system",
    id: null,
    name: "test",
    role: "operator",
    sites: null,
    scopes: null,
  } as const;
  const start = (to: number) =>
    engine().start({
      kind: "toy",
      input: { file: join(files, `count-${to}`), from: 0, to, stepMs: 5 },
      actor,
      origin: "api",
    });
  const short = await start(2);
  await engine().wait(short, 5000);
  await engine().amend(short, { outcome: "counted" });
  const long = await start(100_000);
  expect(await figures()).toContainEqual(
    expect.stringMatching(/^sluice_changes_active\{kind="toy",state="(planned|running)"\} 1$/),
  );
  await engine().cancel(long, actor);
  await engine().wait(long, 5000);
  const after = await figures();
  const ended = after.filter((line) => line.startsWith("sluice_changes_total{"));
  expect(ended).toHaveLength(2);
  expect(ended).toContainEqual(expect.stringMatching(/kind="toy",state="done",outcome="\w+"\} 1$/));
  expect(ended).toContainEqual('sluice_changes_total{kind="toy",state="cancelled",outcome=""} 1');
  expect(after.filter((line) => line.startsWith("sluice_changes_active"))).toEqual([]);
  expect(after).toContain('sluice_change_duration_seconds_count{kind="toy"} 2');

  expect(after).toContainEqual(expect.stringMatching(/^sluice_build_info\{version="\d/));
  await owe("varnish-2", short, [{ type: "url", host: "a", value: "/", soft: false } as never], null, null);
  expect((await figures()).filter((line) => line.startsWith("sluice_outbox_waiting{"))).toEqual([
    'sluice_outbox_waiting{node="varnish-1"} 0',
    'sluice_outbox_waiting{node="varnish-2"} 1',
  ]);
});

test("components, incidents, viewers, calls of the API", async () => {
  const target = { kind: "redis", name: "cache", retries: 0 };
  health().follow([target]);
  health().see({
    target,
    probed: { state: "up", at: Date.now(), latencyMs: 20, data: { version: "7", facts: {} } },
  });
  await db().incident.create({
    data: { title: "x", state: "open", severity: "critical", openedBy: "x", openedAt: new Date() },
  });
  const ended = new AbortController();
  const viewer = subscribe(["change"], ended.signal);
  await viewer.next();
  await rest("GET", "/systems");
  const lines = await figures();
  for (const line of [
    'sluice_component_state{kind="redis",name="cache",state="up"} 1',
    'sluice_component_state{kind="redis",name="cache",state="down"} 0',
    'sluice_component_probe_seconds{kind="redis",name="cache"} 0.02',
    'sluice_incidents_open{severity="critical"} 1',
    'sluice_incidents_open{severity="warning"} 0',
    "sluice_live_viewers 1",
    'sluice_api_requests_total{procedure="connections.list",outcome="UNAUTHENTICATED"} 1',
  ])
    expect(lines).toContain(line);
  ended.abort();
  await viewer.return();
  health().follow([]);
  expect((await figures()).filter((line) => line.includes('name="cache"'))).toEqual([]);
  expect(lines.some((line) => line.startsWith("process_cpu_seconds_total"))).toBe(true);
  expect(lines.join("\n")).not.toContain(token);
});
