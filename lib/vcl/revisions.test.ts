// Revisions in the database: what was found beside what was saved, and what was found that no revision could have.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type House, openHouse } from "../auth/house.fixture";
import { db } from "../db/client";
import { vclFiles } from "./contract";
import { flatten } from "./flatten";
import { keepFound, revisionOf, revisionsOf, saveRevision, wholeRevision } from "./revisions";

let house: House;
beforeAll(async () => {
  house = await openHouse();
});
afterAll(() => house.close());

const main = (text: string) => [{ name: "main.vcl", text }];
const saving = (cluster: string, text: string, newest: number | null) =>
  saveRevision({ cluster, files: main(text), tests: [], newest, parent: newest }, "Ada");

test("what was found on a node meanwhile does not keep a draft from being saved; what somebody saved does", async () => {
  const first = await saving("drafts", "# one", null);
  await keepFound("drafts", "node-1", main("# found"));
  expect(await saving("drafts", "# two", first)).toBe(3);
  await expect(saving("drafts", "# three", first)).rejects.toMatchObject({
    detail: { problem: "vcl.newer", params: { number: 3 } },
  });
  expect(await saving("drafts", "# three", 3)).toBe(4);
});

test.each([
  [
    "two files of one name",
    [...main('include "a.vcl";'), { name: "a.vcl", text: "# 1" }, { name: "a.vcl", text: "# 2" }],
  ],
  [
    "a path with ..",
    [...main('include "/etc/varnish/../a.vcl";'), { name: "/etc/varnish/../a.vcl", text: "# a" }],
  ],
  [
    "over 50 files",
    [
      ...main(Array.from({ length: 60 }, (_, at) => `include "${at}.vcl";`).join("\n")),
      ...Array.from({ length: 60 }, (_, at) => ({ name: `${at}.vcl`, text: `# ${at}` })),
    ],
  ],
])("found with %s, it is kept as its one text", async (name, files) => {
  const number = await keepFound(name, "node-1", files);
  const whole = await wholeRevision(name, number);
  expect(whole.text).toBe(flatten(files).text);
  expect(whole.files).toEqual(main(whole.text));
  expect(await revisionsOf(name)).toHaveLength(1);
});

test("what is too long for any revision is refused", async () => {
  await expect(keepFound("long", "node-1", main("#".repeat(1_050_000)))).rejects.toMatchObject({
    code: "CONFLICT",
    detail: { problem: "vcl.cannotKeep" },
  });
});

test("one row that cannot be read does not take the others away; sizes are of the texts", async () => {
  const good = await saving("rows", "é", null);
  const bad = await saving("rows", "# bad", good);
  await db().vclRevision.update({
    where: { cluster_number: { cluster: "rows", number: bad } },
    data: { files: JSON.stringify([...main("ab"), ...main("c")]) },
  });
  const sizes = async () => (await revisionsOf("rows")).map(({ number, bytes }) => [number, bytes]);
  expect(await sizes()).toEqual([
    [bad, 3],
    [good, 2],
  ]);
  // And again, from what is known.
  expect(await sizes()).toEqual([
    [bad, 3],
    [good, 2],
  ]);
  expect((await revisionOf("rows", good)).bytes).toBe(2);
});

test("a text with NUL is no text of a VCL", () => {
  expect(vclFiles.safeParse(main("a\u0000b")).success).toBe(false);
  expect(vclFiles.safeParse(main("ab")).success).toBe(true);
});
