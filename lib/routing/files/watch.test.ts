// What Traefik shows nowhere: files that it rejects, files of another hand, and a mark that it does not show.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { type House, openHouse } from "../../auth/house.fixture";
import { db } from "../../db/client";
import { closeServers, pages } from "../../systems/test-server";
import { readDirectory } from "./directory";
import { hashOf, markerFile, markerFileName, markerName } from "./marker";
import { keepProved } from "./revisions";
import { applyKindName, targetOf, traefikCalled } from "./servers";
import { filesProblems, filesSoon } from "./watch";

const mark = markerName(1, "h", 1);
let house: House;
let directory: string;
const write = (name: string, text: string) => writeFileSync(join(directory, name), text);
const problems = async () => (await filesProblems(traefikCalled("edge"))).map(({ problem }) => problem);

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "sluice-watch-"));
  const url = await pages({ [`/api/http/middlewares/${mark}%40file`]: { name: `${mark}@file` } });
  house = await openHouse(`
systems:
  traefik:
    - { name: edge, url: "${url}", directory: "${directory}", timeout: 500ms }
    - { name: gone, url: "${url}", directory: "${directory}/none" }
`);
});
afterEach(() => vi.useRealTimers());
afterAll(async () => {
  await closeServers();
  await house.close();
  rmSync(directory, { recursive: true, force: true });
});

test("well; another hand's file, also while a change is at work; a broken one; one that cannot be read", async () => {
  write("a.yml", "# a\n");
  write(markerFileName, markerFile(mark).text);
  // Nothing was put in force by Sluice yet.
  expect(await problems()).toEqual([]);
  const hash = hashOf((await readDirectory(directory)).files);
  await keepProved("edge", { revision: 1, hash, changeId: 1 });
  expect(await filesSoon(traefikCalled("edge"), 0)).toMatchObject({ state: "up", served: true, expected: 1 });
  write("b.yml", "# b\n");
  expect(await problems()).toEqual(["routing.drift"]);
  const { driftSince } = await filesSoon(traefikCalled("edge"), 0);
  const change = await db().change.create({
    data: {
      kind: applyKindName,
      title: "",
      state: "running",
      level: "disruptive",
      actorType: "user",
      actorName: "Ada",
      origin: "page",
      input: "{}",
      plan: "{}",
      checkpoint: "{}",
      search: "",
      targets: { create: { target: targetOf("edge") } },
    },
  });
  expect(await problems()).toEqual([]);
  await db().change.update({ where: { id: change.id }, data: { state: "failed" } });
  expect(await problems()).toEqual(["routing.drift"]);
  expect(driftSince).not.toBeNull();
  // A name that Sluice does not write is read by Traefik all the same.
  write("b.yml", "");
  write(".b.yml", "http:\n  routers: {}\n");
  expect(await problems()).toEqual(["routing.rejected", "routing.drift"]);
  expect((await filesSoon(traefikCalled("edge"), 0)).rejected).toMatchObject([
    { file: ".b.yml", line: 2, effect: "rejected" },
  ]);
  rmSync(join(directory, ".b.yml"));
  rmSync(join(directory, "b.yml"));
  expect(await problems()).toEqual([]);
  expect((await filesProblems(traefikCalled("gone"))).map(({ problem }) => problem)).toEqual(["file.read"]);
});

test("a mark that Traefik does not show is told after half a minute", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  write(markerFileName, markerFile(markerName(1, "h", 2)).text);
  expect(await problems()).toEqual([]);
  expect(await filesSoon(traefikCalled("edge"), 0)).toMatchObject({ served: false });
  vi.setSystemTime(Date.now() + 31_000);
  expect(await problems()).toEqual(["routing.unshown"]);
  write(markerFileName, markerFile(mark).text);
  expect(await problems()).toEqual([]);
});
