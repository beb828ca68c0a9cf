// The name that a download has: one that no header and no disk takes amiss.
import { expect, test } from "vitest";
import { attachment } from "./backup-file";

const id = "ab".repeat(32);

test.each([
  ["/srv/site.sql", null, `attachment; filename="site.sql"; filename*=UTF-8''site.sql`],
  ["/srv/media", "zip", `attachment; filename="media.zip"; filename*=UTF-8''media.zip`],
  ["/", "tar", `attachment; filename="abababab.tar"; filename*=UTF-8''abababab.tar`],
  ['/srv/a"b\\c%', null, `attachment; filename="a_b_c_"; filename*=UTF-8''a%22b%5Cc%25`],
  [
    "/srv/new\r\nX-Evil: 1",
    null,
    `attachment; filename="new__X-Evil: 1"; filename*=UTF-8''new__X-Evil%3A%201`,
  ],
  ["/srv/été", null, `attachment; filename="_t_"; filename*=UTF-8''%C3%A9t%C3%A9`],
  ["/srv/it's(1)*", null, `attachment; filename="it's(1)*"; filename*=UTF-8''it%27s%281%29%2a`],
] as const)("%j as %s", (path, archive, expected) => {
  expect(attachment(path, archive, id)).toBe(expected);
  expect(() => new Headers({ "content-disposition": attachment(path, archive, id) })).not.toThrow();
});

test("half a character is no reason to fail", () => {
  expect(attachment("/srv/\ud83d", null, id)).toBe(`attachment; filename="_"; filename*=UTF-8''_`);
});
