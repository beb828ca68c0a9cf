// What may be asked of Varnish at all: tags in groups, patterns as one word, bans on the object only.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { AppError } from "../../errors/app-error";
import { banRegex } from "./ban-regex";
import { type BanCondition, banArguments } from "./cli";
import { tagGroups } from "./http";

test("groups keep every tag in order and fit their bytes", () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[a-z0-9]{1,30}$/), { maxLength: 60 }), (tags) => {
      const groups = tagGroups(tags, 64);
      expect(groups.flat()).toEqual(tags);
      for (const group of groups) expect(group.join(" ").length).toBeLessThanOrEqual(64);
    }),
  );
});

test("a pattern stays one word and means the same", () => {
  expect(banRegex("^/a b")).toBe("^/a\\x20b");
  expect(banRegex("a&b'c\"d")).toBe("a\\x26b\\x27c\\x22d");
  expect(banRegex("a\\&b\\\\&c")).toBe("a\\x26b\\\\\\x26c");
  fc.assert(
    fc.property(
      fc.stringMatching(/^[a-z&"' \\.[\]?=-]{1,20}$/),
      fc.stringMatching(/^[a-z&"' .?=-]{0,20}$/),
      (pattern, text) => {
        let written: string;
        let own: RegExp;
        try {
          written = banRegex(pattern);
          own = new RegExp(pattern);
        } catch {
          return;
        }
        expect(written).toMatch(/^[^\s"'&]+$/);
        expect(new RegExp(written).test(text)).toBe(own.test(text));
      },
    ),
  );
  for (const bad of ["", "a\n", "é", "\\Qa b\\E", "(?x) a", "(?ix)a", "(*UTF)a", "a\\", "x".repeat(2001)]) {
    expect(() => banRegex(bad), bad).toThrow(AppError);
  }
});

test("a ban never names the request", () => {
  const make = (field: string, value = "x", operator = "==") =>
    banArguments([{ field, operator, value } as BanCondition]);
  expect(make("obj.http.x-url", '^/a" && req.url ~ "', "~")).toEqual([
    "obj.http.x-url",
    "~",
    "^/a\\x22\\x20\\x26\\x26\\x20req.url\\x20~\\x20\\x22",
  ]);
  expect(() => make("obj.http.x-url", "/a && req.url")).toThrow(AppError);
  expect(() => make("obj.http.x-url", "&&")).toThrow(AppError);
  for (const field of [
    "req.url",
    "req.http.host",
    "obj.http.x == y && req.url",
    "obj.http.",
    "obj.http.a b",
    "OBJ",
    "beresp.http.x",
    "obj.http.x\nstop",
  ]) {
    expect(() => make(field), field).toThrow(AppError);
  }
  expect(() => make("obj.status", "abc")).toThrow(AppError);
  expect(() => make("obj.http.x", "a\nstop")).toThrow(AppError);
  expect(() => make("obj.http.x", "x", "&&")).toThrow(AppError);
  expect(() => banArguments([])).toThrow(AppError);
});
