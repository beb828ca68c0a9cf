// Revisions of Traefik's files: numbered per Traefik, never saved over somebody else's, and who put which in force.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type House, openHouse } from "../../auth/house.fixture";
import { db } from "../../db/client";
import { markerFileName } from "./marker";
import {
  keepFound,
  keepMade,
  keepProved,
  newestOf,
  revisionOf,
  revisionsOf,
  revisionWith,
  saveRevision,
  wholeRevision,
} from "./revisions";

let house: House;
beforeAll(async () => {
  house = await openHouse();
});
afterAll(() => house.close());
const files = (text: string) => [{ name: "a.yml", text }];
const save = (text: string, newest: number | null, traefik = "edge") =>
  saveRevision({ traefik, files: files(text), newest, parent: newest, reason: "why" }, "Ada");

test("numbers count per Traefik; who is late is told", async () => {
  expect([await save("1", null), await save("2", 1), await save("1", null, "other")]).toEqual([1, 2, 1]);
  await expect(save("3", 1)).rejects.toMatchObject({
    code: "CONFLICT",
    detail: { problem: "routing.newer", params: { number: 2 } },
  });
  const race = await Promise.allSettled([save("3", 2), save("4", 2), save("5", 2)]);
  expect(race.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect(await newestOf("edge")).toBe(3);
  await expect(wholeRevision("edge", 9)).rejects.toMatchObject({ code: "NOT_FOUND" });
  await expect(
    saveRevision(
      { traefik: "edge", files: [{ name: markerFileName, text: "" }], newest: 3, parent: 3 },
      "Ada",
    ),
  ).rejects.toMatchObject({ detail: { problem: "routing.markerName" } });
});

test("what could not be read again is not saved, whoever made it", async () => {
  // Of more than one byte each.
  const much = files("é".repeat(1_000_001));
  const problem = { code: "TOO_LARGE", detail: { problem: "routing.tooLarge" } };
  await expect(
    saveRevision({ traefik: "big", files: much, newest: null, parent: null }, "Ada"),
  ).rejects.toMatchObject(problem);
  await expect(keepFound("big", much)).rejects.toMatchObject(problem);
  await expect(keepMade("big", much, { parent: null, author: "Sluice", reason: "x" })).rejects.toMatchObject(
    problem,
  );
  await keepFound("big", files("é".repeat(1_000_000)));
  expect(await revisionsOf("big")).toHaveLength(1);
});

test("what was found is kept once", async () => {
  const number = await keepFound("edge", files("found"));
  expect(await keepFound("edge", files("found"))).toBe(number);
  expect(await keepFound("edge", files("1"))).toBe(1);
  expect(await revisionOf("edge", number)).toMatchObject({
    origin: "found",
    author: "edge",
    contents: files("found"),
  });
  expect(await keepMade("edge", files("found"), { parent: 1, author: "Sluice", reason: "x" })).toBe(number);
});

test("what is in force, and by which change", async () => {
  const { hash } = await wholeRevision("edge", 2);
  expect(await revisionWith("edge", hash)).toBe(2);
  const change = await db().change.create({
    data: {
      kind: "traefik.apply",
      title: "edge: r2",
      state: "done",
      level: "disruptive",
      actorType: "user",
      actorName: "Ada",
      origin: "page",
      input: "{}",
      plan: JSON.stringify({ traefik: "edge", revision: 2 }),
      search: "",
      targets: { create: { target: "traefik:edge" } },
    },
  });
  await keepProved("edge", { revision: 2, hash, changeId: change.id });
  const rows = await revisionsOf("edge");
  expect(rows.filter(({ inForce }) => inForce).map(({ number }) => number)).toEqual([2]);
  expect(rows.find(({ number }) => number === 2)).toMatchObject({
    reason: "why",
    files: 1,
    bytes: 1,
    applied: { change: change.id, by: "Ada" },
  });
  expect((await revisionsOf("other")).map(({ inForce, applied }) => [inForce, applied])).toEqual([
    [false, null],
  ]);
});
