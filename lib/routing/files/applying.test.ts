// Changes of files against a Traefik of our own words: what is proved while there is a way back, and the way back over a restart.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type House, openHouse } from "../../auth/house.fixture";
import { engine } from "../../changes/engine";
import type { Actor } from "../../changes/kind";
import { db } from "../../db/client";
import { closeServers, web } from "../../systems/test-server";
import { readDirectory } from "./directory";
import { endDue } from "./maintenance";
import { markerIn } from "./marker";
import { registerRouting } from "./register";
import { newestOf, saveRevision } from "./revisions";

const ada: Actor = { type: "user", id: "u1", name: "Ada", role: "operator", sites: null, scopes: null };
const traefik = "edge";
const router = { name: "shop@docker", provider: "docker", rule: "Host(`a`)", service: "s", priorityStr: "1" };
let house: House;
let directory = "";
/** What Traefik says next. */
let asked: string[] = [];
let answer: (path: string) => [status: number, body: unknown] | null = () => null;

/** It shows the mark that stands in the directory. */
async function says(path: string): Promise<[status: number, body: unknown]> {
  asked.push(path);
  const own = answer(path);
  if (own !== null) return own;
  const mark = /^\/api\/http\/middlewares\/([^/]+)$/.exec(path)?.[1];
  if (mark !== undefined) {
    const there = markerIn((await readDirectory(directory)).marker);
    return [decodeURIComponent(mark) === `${there}@file` ? 200 : 404, {}];
  }
  if (path === "/api/version") return [200, { Version: "3.7.9" }];
  return [200, path === "/api/entrypoints" ? [{ name: "web", address: ":80" }] : []];
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "sluice-applying-"));
  const url = await web((request, response) => {
    void says((request.url ?? "").split("?")[0] ?? "").then(([status, body]) =>
      response.writeHead(status).end(JSON.stringify(body)),
    );
  });
  house = await openHouse(`
systems:
  traefik:
    - { name: ${traefik}, url: "${url}", directory: "${directory}", timeout: 2s }
`);
  registerRouting();
});
afterAll(async () => {
  await house.close();
  await closeServers();
  rmSync(directory, { recursive: true, force: true });
});

const saved = async (text: string, name = "a.yml") => {
  const newest = await newestOf(traefik);
  return saveRevision({ traefik, files: [{ name, text }], newest, parent: newest }, "Ada");
};
const apply = async (revision: number) => {
  const input = { traefik, revision, watchS: 0 };
  const id = await engine().start({ kind: "traefik.apply", input, actor: ada, origin: "page" });
  return engine().wait(id, 60_000);
};
const checkpointOf = async (id: number) =>
  JSON.parse((await db().change.findUniqueOrThrow({ where: { id } })).checkpoint ?? "null");
/** As if Sluice had ended in the middle of it: at its next start, with this of the checkpoint otherwise. */
const takenUp = async (id: number, more: object) => {
  const checkpoint = JSON.stringify({ ...(await checkpointOf(id)), ...more });
  await db().change.update({ where: { id }, data: { state: "running", evidence: null, checkpoint } });
  await engine().recover();
  return engine().wait(id, 60_000);
};
const there = () => readFileSync(join(directory, "a.yml"), "utf8");
const takingBack = { code: "CANCELLED", message: "Cancelled by Ada.", problem: "stopping", params: { a: 1 } };

let word = "";
beforeEach(async () => {
  answer = () => null;
  word = `# ${crypto.randomUUID()}\n`;
  expect(await apply(await saved(word))).toMatchObject({ state: "done", outcome: "inForce" });
  asked = [];
});

test("ended while it is put back: the next start goes on with that, and not forward", async () => {
  const bad = await apply(await saved("# bad\n"));
  expect(there()).toBe("# bad\n");
  const error = takingBack;
  expect(await takenUp(bad.id, { takingBack })).toMatchObject({ state: "failed", error });
  expect(there()).toBe(word);
  // All were in their places again, and only not seen there yet.
  expect(await checkpointOf(bad.id)).toMatchObject({ places: "before", tookBack: true, takingBack });
  expect(await takenUp(bad.id, {})).toMatchObject({ state: "failed", error });
  expect(there()).toBe(word);
  expect(markerIn((await readDirectory(directory)).marker)).not.toBeNull();
});

test("why it is put back is kept before it is", async () => {
  answer = (path) =>
    path === "/api/http/routers" && asked.some((one) => one.includes("sluice-"))
      ? [200, [{ ...router, status: "disabled" }]]
      : null;
  const row = await apply(await saved("# bad\n"));
  expect(row).toMatchObject({ state: "failed", error: { problem: "routing.worse.disabled" } });
  expect(await checkpointOf(row.id)).toMatchObject({
    tookBack: true,
    takingBack: { code: "CONFLICT", problem: "routing.worse.disabled", params: { name: "http shop@docker" } },
  });
  expect(there()).toBe(word);
});

test("a Traefik that does not answer for a moment when it is proved is asked again", async () => {
  let hiccups = 0;
  answer = (path) => {
    const overviews = asked.filter((one) => one === "/api/version").length;
    // Planned (twice), before, and shown: the next ones are the proof.
    if (path !== "/api/http/routers" || overviews < 5 || hiccups === 3) return null;
    hiccups += 1;
    return [500, "busy"];
  };
  expect(await apply(await saved("# good\n"))).toMatchObject({ state: "done", outcome: "inForce" });
  expect(hiccups).toBe(3);
  expect(there()).toBe("# good\n");
});

test("what the proof finds is put back", async () => {
  answer = (path) =>
    path === "/api/http/routers" && asked.filter((one) => one === path).length >= 5
      ? [200, [{ ...router, status: "disabled" }]]
      : null;
  expect(await apply(await saved("# bad\n"))).toMatchObject({
    state: "failed",
    error: { problem: "routing.worse.disabled" },
  });
  expect(there()).toBe(word);
});

test("back to files that Traefik rejects is no way back, and is told so", async () => {
  writeFileSync(join(directory, "a.yml"), "http:\n  routers: {}\n");
  answer = (path) =>
    path === "/api/http/routers" && asked.some((one) => one.includes("sluice-"))
      ? [200, [{ ...router, status: "disabled" }]]
      : null;
  const row = await apply(await saved("# bad\n"));
  expect(row).toMatchObject({ state: "failed", error: { problem: "change.notTakenBack" } });
  expect(there()).toBe("http:\n  routers: {}\n");
});

test("ended between writing and placing, and others' files meanwhile: nothing of it is left", async () => {
  const { id } = await apply(await saved("# new\n", "deep/down/new.yml"));
  expect(existsSync(join(directory, "deep/down/new.yml"))).toBe(true);
  for (const name of ["deep/down/new.yml", "sluice-revision.yml"])
    writeFileSync(join(directory, `${name}.sluice-${id}.new`), "waiting");
  writeFileSync(join(directory, "b.yml"), "# another hand\n");
  rmSync(join(directory, "deep/down/new.yml"));
  expect(await takenUp(id, { places: "before" })).toMatchObject({
    state: "failed",
    error: { problem: "routing.changed" },
  });
  expect(readdirSync(directory).sort()).toEqual(["b.yml", "sluice-revision.yml"]);
});

test("a maintenance that cannot be ended is tried again after ever longer times", async () => {
  const text = `http:
  routers:
    # sluice: until 2026-01-01T00:00:00.000Z maintenance
    maintenance: { rule: PathPrefix(\`/\`), entryPoints: [web], priority: 1000000, service: maintenance }
  services:
    maintenance: { loadBalancer: { servers: [] } }
`;
  expect(await apply(await saved(text))).toMatchObject({ state: "done" });
  answer = () => [500, "busy"];
  const tried: number[] = [];
  const begun = Date.now();
  for (let minute = 0; minute <= 200; minute += 1) {
    asked = [];
    await endDue(new Date(begun + minute * 60_000));
    if (asked.length > 0) tried.push(minute);
  }
  expect(tried).toEqual([0, 2, 6, 14, 30, 62, 122, 182]);
  answer = () => null;
  await endDue(new Date(begun + 300 * 60_000));
  // Nothing else was in it.
  expect(existsSync(join(directory, "a.yml"))).toBe(false);
  expect(await db().routingMaintenance.count()).toBe(0);
});
