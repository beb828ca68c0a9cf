// What Traefik's HTTP provider is answered: by whose token, and never an empty 200.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type House, openHouse } from "../auth/house.fixture";
import { db } from "../db/client";
import { markerName } from "../routing/files/marker";
import { keepProved, saveRevision, wholeRevision } from "../routing/files/revisions";
import { applyKindName, targetOf } from "../routing/files/servers";
import { type Served, serve } from "./serve.fixture";
import { answerTraefik } from "./traefik-provider";

const token = "provider-token-1";
let house: House;
let served: Served;

beforeAll(async () => {
  house = await openHouse(`
systems:
  traefik:
    - { name: edge-1, url: "http://127.0.0.1:9", provider_token: ${token} }
    - { name: other, url: "http://127.0.0.1:9", provider_token: other-token }
    - { name: files, url: "http://127.0.0.1:9", directory: /etc/traefik/dynamic }
`);
  served = await serve(answerTraefik);
});
afterAll(async () => {
  await served.close();
  await house.close();
});
beforeEach(async () => {
  await db().routingState.deleteMany();
  await db().change.deleteMany();
});

async function ask(name = "edge-1", sent: string | null = token, method = "GET") {
  const headers: Record<string, string> = sent === null ? {} : { authorization: `Bearer ${sent}` };
  const answer = await fetch(`${served.url}/api/traefik/${name}`, { method, headers });
  return { status: answer.status, text: await answer.text(), headers: answer.headers };
}
const saved = async (text: string, newest: number | null) => {
  const number = await saveRevision(
    { traefik: "edge-1", files: [{ name: "a.yml", text }], newest, parent: newest },
    "Ada",
  );
  return { number, hash: (await wholeRevision("edge-1", number)).hash };
};
const change = (revision: number, hash: string, checkpoint: object | null) =>
  db().change.create({
    data: {
      kind: applyKindName,
      title: "",
      state: "running",
      level: "disruptive",
      actorType: "user",
      actorName: "Ada",
      origin: "page",
      input: "{}",
      plan: JSON.stringify({ revision, hash }),
      checkpoint: checkpoint === null ? null : JSON.stringify(checkpoint),
      search: "",
      targets: { create: { target: targetOf("edge-1") } },
    },
  });

test("who may not, and what there is not", async () => {
  const answers = [
    await ask("edge-1", "wrong"),
    await ask("edge-1", null),
    await ask("edge-1", "other-token"),
    await ask("nothing"),
    await ask("files"),
    await ask("__proto__"),
    await ask("%E0%A4%A"),
    await ask("nothing", token),
    await ask("edge-1", token, "HEAD"),
    // Nothing is in force yet: Traefik keeps what it has.
    await ask(),
  ];
  expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401, 401, 401, 401, 405, 503]);
  // Whether there is such a Traefik is nothing to whoever has no token of it.
  const told = (text = "") => ({ ...JSON.parse(text), requestId: "" });
  expect(told(answers[3]?.text)).toEqual(told(answers[0]?.text));
  expect(answers.map(({ text }) => text).join()).not.toContain(token);
});

test("what is in force, or on its way there, or on its way back", async () => {
  const first = await saved("http:\n  routers:\n    one: { rule: Host(`a`), service: s }\n", null);
  const second = await saved("http:\n  routers:\n    two: { rule: Host(`b`), service: s }\n", 1);
  const waiting = await change(first.number, first.hash, null);
  expect((await ask()).status).toBe(503);
  const step = (checkpoint: object) =>
    db().change.update({ where: { id: waiting.id }, data: { checkpoint: JSON.stringify(checkpoint) } });
  await step({ places: "before", tookBack: false });
  expect((await ask()).status).toBe(503);
  await step({ places: "new", tookBack: false });
  expect(JSON.parse((await ask()).text).http).toMatchObject({
    routers: { one: { rule: "Host(`a`)" } },
    middlewares: { [markerName(first.number, first.hash, waiting.id)]: {} },
  });
  // Back to nothing: what it was given must be taken from it.
  await step({ places: "before", tookBack: true });
  const { status, text, headers } = await ask();
  expect([status, headers.get("cache-control")]).toEqual([200, "no-store"]);
  const { http, ...others } = JSON.parse(text);
  expect([Object.keys(http), Object.keys(http.middlewares), others]).toEqual([
    ["middlewares"],
    [expect.stringMatching(/^sluice-0-/)],
    {},
  ]);
  await db().change.update({ where: { id: waiting.id }, data: { state: "failed" } });
  expect((await ask()).status).toBe(503);

  await keepProved("edge-1", { revision: second.number, hash: second.hash, changeId: 77 });
  const force = JSON.parse((await ask()).text);
  expect(Object.keys(force.http.routers)).toEqual(["two"]);
  expect(Object.keys(force.http.middlewares)).toEqual([markerName(second.number, second.hash, 77)]);
  expect((await ask("other", "other-token")).status).toBe(503);
});
