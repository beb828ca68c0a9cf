// A directory as Traefik reads it, and the ways out of it that there are not.

import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { configFiles } from "./contract";
import { dropLeft, readDirectory, rejectedIn, stageDirectory, stepsBetween } from "./directory";
import { hashOf, markerFile, markerFileName, markerIn, markerName } from "./marker";

let house: string;
let root: string;
beforeEach(() => {
  house = mkdtempSync(join(tmpdir(), "sluice-directory-"));
  root = join(house, "dynamic");
  mkdirSync(root);
});
afterEach(() => rmSync(house, { recursive: true, force: true }));
const at = (name: string) => join(root, name);
const write = (name: string, text = `# ${name}\n`) => writeFileSync(at(name), text);
const marker = markerFile(markerName(3, "hash", 7));
const bring = async (files: readonly { name: string; text: string }[]) => {
  const staged = await stageDirectory(root, await readDirectory(root), files, marker, "sluice-7");
  try {
    await staged.place();
  } finally {
    await staged.drop();
  }
};
const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => "good",
    (error) => `${error.code} ${error.detail?.problem}`,
  );

test("what Traefik reads and nothing else, in its order; what Sluice does not write is apart", async () => {
  mkdirSync(at("sub"));
  mkdirSync(at("..data"));
  for (const name of ["b.yml", "a.YAML", "c.toml", "sub/d.yaml", "e.yml.new", "notes.txt", ".hidden.yml"])
    write(name);
  write("..data/f.yml");
  writeFileSync(at("g.yml"), Buffer.from([0x23, 0xff, 0x0a]));
  writeFileSync(join(house, "outside.yml"), "# outside\n");
  symlinkSync(join(house, "outside.yml"), at("link.yml"));
  symlinkSync(at("b.yml"), at("inner.yml"));
  symlinkSync(at("nowhere"), at("dangling.yml"));
  symlinkSync(house, at("folder"));
  execFileSync("mkfifo", [at("pipe.yml")]);
  write(markerFileName, marker.text);
  const held = await readDirectory(root);
  expect(held.files.map(({ name }) => name)).toEqual(["b.yml", "c.toml", "sub/d.yaml"]);
  expect(held.apart.map(({ name, why }) => [name, why])).toEqual([
    ["..data/f.yml", "name"],
    [".hidden.yml", "name"],
    ["a.YAML", "name"],
    ["g.yml", "encoding"],
    ["inner.yml", "link"],
    ["link.yml", "link"],
  ]);
  expect(markerIn(held.marker)).toBe(markerName(3, "hash", 7));
});

test("a folder that is not there, and one that is too much", async () => {
  rmSync(root, { recursive: true });
  expect(await refusal(readDirectory(root))).toBe("REFUSED file.read");
  mkdirSync(root);
  for (let index = 0; index <= 300; index += 1) write(`f${index}.yml`, "");
  expect(await refusal(readDirectory(root))).toBe("TOO_LARGE routing.tooLarge");
});

test("what is read can be kept as a revision: it has the limits of one", async () => {
  write("a.yml", "é".repeat(1_000_000));
  const { files } = await readDirectory(root);
  expect(configFiles.safeParse(files).success).toBe(true);
  write("b.yml", "#");
  expect(await refusal(readDirectory(root))).toBe("TOO_LARGE routing.tooLarge");
});

test("folders that were made for files go with them, and no others", async () => {
  write("a.yml");
  mkdirSync(at("kept"));
  write("kept/notes.txt");
  mkdirSync(at("empty"));
  const with_ = [
    { name: "made/deep/b.yml", text: "b" },
    { name: "kept/c.yml", text: "c" },
  ];
  const before = (await readDirectory(root)).files;
  await bring([...before, ...with_]);
  expect(existsSync(at("made/deep/b.yml"))).toBe(true);
  await bring(before);
  expect(readdirSync(root).sort()).toEqual(["a.yml", "empty", "kept", markerFileName].sort());
  // Staged, and never placed.
  const staged = await stageDirectory(root, await readDirectory(root), with_, marker, "sluice-7");
  await staged.drop();
  expect(readdirSync(root).sort()).toEqual(["a.yml", "empty", "kept", markerFileName].sort());
});

test("what a run that was cut off left is taken away: its own, and nobody else's", async () => {
  const files = [{ name: "made/b.yml", text: "b" }];
  await stageDirectory(root, await readDirectory(root), files, marker, "sluice-7");
  write("a.yml.sluice-8.new");
  expect(readdirSync(at("made"))).toHaveLength(1);
  await dropLeft(root, ["a.yml", "made/b.yml"], "sluice-7");
  expect(readdirSync(root)).toEqual(["a.yml.sluice-8.new"]);
});

test("a revision: what changed is written, what went is taken away, the mark stands there; nothing else is left", async () => {
  write("same.yml");
  write("other.yml", "old");
  write("gone.yml");
  write("notes.txt");
  const wanted = [
    { name: "same.yml", text: "# same.yml\n" },
    { name: "other.yml", text: "new" },
    { name: "sub/fresh.yaml", text: "é\n" },
  ];
  const { files } = await readDirectory(root);
  expect(stepsBetween(files, wanted)).toMatchObject({
    writes: [{ name: "other.yml" }, { name: "sub/fresh.yaml" }],
    removes: ["gone.yml"],
  });
  await bring(wanted);
  const held = await readDirectory(root);
  expect(hashOf(held.files)).toBe(hashOf(wanted));
  expect(markerIn(held.marker)).toBe(markerName(3, "hash", 7));
  expect(readdirSync(root).sort()).toEqual(
    ["notes.txt", "other.yml", "same.yml", markerFileName, "sub"].sort(),
  );
  const without = await stageDirectory(root, held, wanted, null, "sluice-7");
  await without.place();
  expect(existsSync(at(markerFileName))).toBe(false);
});

test("the directory itself may be behind a link", async () => {
  const link = join(house, "link");
  symlinkSync(root, link);
  const staged = await stageDirectory(
    link,
    await readDirectory(link),
    [{ name: "a.yml", text: "a" }],
    marker,
    "m",
  );
  await staged.place();
  expect((await readDirectory(root)).files).toEqual([{ name: "a.yml", text: "a" }]);
});

test("no name leads out of the directory, or through a link", async () => {
  const outside = join(house, "outside.yml");
  writeFileSync(outside, "untouched");
  for (const name of [
    "../outside.yml",
    "sub/../../outside.yml",
    "/etc/outside.yml",
    outside,
    "..\\outside.yml",
    "a/./b.yml",
    ".hidden.yml",
    "a\u0000.yml",
    "a\n.yml",
    "outside.txt",
    "",
    "..yml",
  ]) {
    const files = [{ name, text: "evil" }];
    expect(configFiles.safeParse(files).success, name).toBe(false);
    expect(await refusal(bring(files)), name).toBe("REFUSED routing.apart");
  }
  symlinkSync(outside, at("link.yml"));
  symlinkSync(house, at("folder"));
  mkdirSync(at("folder.yml"));
  for (const name of ["link.yml", "folder/outside.yml", "folder.yml"])
    expect(await refusal(bring([{ name, text: "evil" }])), name).toBe("REFUSED routing.apart");
  expect(readFileSync(outside, "utf8")).toBe("untouched");
  expect(readdirSync(house).sort()).toEqual(["dynamic", "outside.yml"]);
  // The mark's own place may be a trap too.
  symlinkSync(outside, at(markerFileName));
  expect(await refusal(bring([]))).toBe("REFUSED routing.apart");
  expect(readFileSync(outside, "utf8")).toBe("untouched");
});

test("what cannot be written is met before anything changes", async () => {
  write("a.yml", "old");
  write("sub", "a file where a folder should be");
  expect(
    await refusal(
      bring([
        { name: "a.yml", text: "new" },
        { name: "sub/b.yml", text: "new" },
      ]),
    ),
  ).toBe("REFUSED routing.apart");
  expect(readFileSync(at("a.yml"), "utf8")).toBe("old");
  expect(readdirSync(root).sort()).toEqual(["a.yml", "sub"]);
});

test("the mark is no part of the hash, is another for each change, and is configuration that Traefik takes", async () => {
  const files = [
    { name: "b.yml", text: "2" },
    { name: "a.yml", text: "1" },
  ];
  expect(hashOf(files)).toBe(hashOf([...files].reverse()));
  expect(hashOf([{ name: "a.yml", text: "1b.yml" }])).not.toBe(hashOf([{ name: "a.ymlb.yml", text: "1" }]));
  expect(markerName(12, "h", 1)).toMatch(/^sluice-12-[0-9a-f]{12}$/);
  expect(markerName(12, "h", 1)).not.toBe(markerName(12, "h", 2));
  expect(rejectedIn({ files: [marker], apart: [] })).toEqual([]);
  expect(
    rejectedIn({ files: [], apart: [{ name: ".x.yml", text: "http:\n  routers: {}\n", why: "name" }] }),
  ).toHaveLength(1);
});
