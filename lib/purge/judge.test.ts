// What two looks at a layer prove, and what they do not; who may purge what, and how dangerous it is.
import { describe, expect, test } from "vitest";
import type { Actor, Role } from "@/lib/changes/kind";
import { AppError } from "@/lib/errors/app-error";
import type { PurgeTarget } from "./contract";
import { readPrefix, readTags } from "./gather";
import { permitPurge } from "./permit";
import { levelOf } from "./plan";
import { judge, type Reading } from "./reading";

const purgedAt = 1_000_000;
const at = purgedAt + 2000;
const seen = (hash: string, more: Partial<Extract<Reading, { ok: true }>> = {}): Reading => ({
  ok: true,
  status: 200,
  hash,
  ageS: 0,
  cache: "HIT",
  revision: null,
  askedAt: at,
  at,
  ...more,
});
const dead: Reading = { ok: false, error: new AppError("TIMEOUT", "no answer") };
const verdict = (layer: Reading[], origin: Reading[] | null) => {
  const { verdict: word, why } = judge(layer, origin, purgedAt);
  return [word, why];
};

describe("a layer is", () => {
  const same = [seen("a"), seen("a")];
  test("fresh when its body is the origin's", () => expect(verdict(same, same)).toEqual(["fresh", null]));
  test("stale when it is not", () =>
    expect(verdict([seen("old"), seen("old")], same)).toEqual(["stale", "bodyDiffers"]));
  test("stale when its status is not", () =>
    expect(verdict([seen("a", { status: 404 }), seen("a", { status: 404 })], same)).toEqual([
      "stale",
      "statusDiffers",
    ]));
  test("fresh when the page is gone in both", () => {
    const gone = (text: string) => [seen(text, { status: 404 }), seen(text, { status: 404 })];
    expect(verdict(gone("x"), gone("y"))).toEqual(["fresh", "gone"]);
  });
  test("unknown when it gives no answer, or an error of its own", () => {
    expect(verdict([dead, dead], same)).toEqual(["unknown", "noAnswer"]);
    expect(verdict([seen("a", { status: 503 }), seen("a", { status: 503 })], same)).toEqual([
      "unknown",
      "layerFails",
    ]);
  });
  test("unknown when the origin gives none or fails", () => {
    expect(verdict(same, [dead, dead])).toEqual(["unknown", "originNoAnswer"]);
    expect(verdict(same, [seen("a", { status: 500 }), seen("a", { status: 500 })])).toEqual([
      "unknown",
      "originFails",
    ]);
  });
  test("judged by its age where the origin differs from itself", () => {
    const origin = [seen("a"), seen("b")];
    expect(verdict([seen("c"), seen("c", { ageS: 1 })], origin)).toEqual(["fresh", "cannotCompare"]);
    expect(verdict([seen("c"), seen("c", { ageS: 60 })], origin)).toEqual(["stale", "olderThanPurge"]);
    expect(verdict([seen("c"), seen("c", { ageS: null })], origin)).toEqual(["unknown", "cannotCompare"]);
  });
  test("not fresh when the purge left an older copy, though its text is the same", () => {
    expect(verdict([seen("a", { ageS: 60 }), seen("a", { ageS: 60 })], same)).toEqual([
      "unknown",
      "olderThanPurge",
    ]);
  });
  test("judged by its age where there is no origin", () => {
    expect(verdict(same, null)).toEqual(["fresh", "noOrigin"]);
    expect(verdict([seen("a", { ageS: 60 }), seen("a", { ageS: 60 })], null)).toEqual([
      "stale",
      "olderThanPurge",
    ]);
  });
});

describe("permission and level", () => {
  const actor = (role: Role, more: Partial<Actor> = {}): Actor => ({
    type: "user",
    id: "1",
    name: "x",
    role,
    sites: role === "editor" ? ["main"] : null,
    scopes: null,
    ...more,
  });
  const url = { by: "url" as const, urls: ["a"] };
  const may = (target: Parameters<typeof permitPurge>[0], who: Actor) => {
    try {
      permitPurge(target, who);
      return true;
    } catch (error) {
      expect(error).toMatchObject({ code: "FORBIDDEN" });
      return false;
    }
  };
  test("editors purge addresses, operators areas", () => {
    expect((["viewer", "editor", "operator", "admin"] as const).map((role) => may(url, actor(role)))).toEqual(
      [false, true, true, true],
    );
    for (const target of [
      { by: "prefix", site: "main", prefix: "/a" },
      { by: "tag", site: "main", tags: ["a"] },
      { by: "site", site: "main" },
      { by: "everything" },
    ] satisfies PurgeTarget[]) {
      expect(
        (["viewer", "editor", "operator", "admin"] as const).map((role) => may(target, actor(role))),
        target.by,
      ).toEqual([false, false, true, true]);
    }
  });
  test("a key needs the scope, and nobody leaves his sites", () => {
    expect(may(url, actor("operator", { scopes: ["read"] }))).toBe(false);
    expect(may(url, actor("operator", { scopes: ["purge"] }))).toBe(true);
    expect(may({ by: "site", site: "shop" }, actor("operator", { sites: ["main"] }))).toBe(false);
    expect(may({ by: "everything" }, actor("operator", { sites: ["main"] }))).toBe(false);
  });
  test("levels", () => {
    expect(levelOf(url, 1).level).toBe("reversible");
    expect(levelOf(url, 1001).level).toBe("disruptive");
    expect(levelOf({ by: "site", site: "main" }, 0).level).toBe("disruptive");
    expect(levelOf({ by: "everything" }, 0)).toEqual({ level: "destructive", confirmation: "everything" });
  });
});

describe("prefixes and tags", () => {
  test("are read as caches have them", () => {
    expect(readPrefix(" /fr/a/../b/ ")).toBe("/fr/b/");
    expect(readTags([" a ", "a", "b"])).toEqual(["a", "b"]);
  });
  test.each(["fr", "/", "/a*", "/a?b", "/a\nb", "/a\\b"])("the prefix %j is refused", (prefix) => {
    expect(() => readPrefix(prefix)).toThrowError(expect.objectContaining({ code: "INVALID_INPUT" }));
  });
  test.each(["", "a b", "a,b", "é"])("the tag %j is refused", (tag) => {
    expect(() => readTags([tag])).toThrowError(expect.objectContaining({ code: "INVALID_INPUT" }));
  });
});
