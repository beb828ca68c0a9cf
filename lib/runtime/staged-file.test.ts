// Files put in place of others: their readers, their links and their owners stay.
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test } from "vitest";
import { placeFiles, stageFile } from "./staged-file";

const folder = mkdtempSync(join(tmpdir(), "sluice-staged-"));
const umask = process.umask();
afterEach(() => void process.umask(umask));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const place = async (path: string, text: string) => placeFiles([await stageFile(path, text, "test")]);
const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

test.each([0o644, 0o640, 0o600])("the rights stay as they are (%o), whatever the umask", async (rights) => {
  const path = join(folder, `rights-${rights}`);
  writeFileSync(path, "old");
  chmodSync(path, rights);
  process.umask(0o077);
  await place(path, "new");
  expect([readFileSync(path, "utf8"), mode(path)]).toEqual(["new", rights.toString(8)]);
});

test("a new file can be read by everybody", async () => {
  process.umask(0o077);
  await place(join(folder, "fresh"), "new");
  expect(mode(join(folder, "fresh"))).toBe("644");
});

test("a link stays one", async () => {
  const [real, link] = [join(folder, "real.vcl"), join(folder, "link.vcl")];
  writeFileSync(real, "old");
  symlinkSync(real, link);
  await place(link, "new");
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
  expect(readFileSync(real, "utf8")).toBe("new");
});

test.skipIf(process.getuid?.() !== 0)("the owner and the group stay", async () => {
  const path = join(folder, "owned");
  writeFileSync(path, "old", { mode: 0o640 });
  chownSync(path, 1234, 4321);
  await place(path, "new");
  expect(statSync(path)).toMatchObject({ uid: 1234, gid: 4321 });
});
