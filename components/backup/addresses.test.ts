// Addresses of files with any name, and names as they are shown.
import { expect, test } from "vitest";
import { childOf, downloadAddress, folderAddress, parentOf, shownName } from "./addresses";

test("a path goes through an address whole, whatever is in it", () => {
  const path = "/srv/a&b=c/new\nline/?#%2e";
  const read = (address: string) => new URL(address, "http://x").searchParams.get("path");
  expect(read(folderAddress("main", "ab", path))).toBe(path);
  expect(read(downloadAddress("main", "ab", path, "zip"))).toBe(path);
  expect(folderAddress("main", "ab", "/")).toBe("/backups/main/ab");
});

test("up and down a tree", () => {
  expect(childOf("/", "srv")).toBe("/srv");
  expect(childOf("/srv", "media")).toBe("/srv/media");
  expect([parentOf("/srv/media"), parentOf("/srv")]).toEqual(["/srv", "/"]);
});

test("a newline in a name is seen", () => {
  expect(shownName("new\nline\u007f")).toBe("new␊line␡");
});
