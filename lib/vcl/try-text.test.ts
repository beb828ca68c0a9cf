// The texts of a trial: the door goes in and comes out again exactly, wherever the VCL's own words stand.
import { describe, expect, test } from "vitest";
import { flatten } from "./flatten";
import { changesVcl, type Door, draftText, enterPath, tryName, withDoor, withoutDoor } from "./try-text";

const door: Door = { change: 12, base: "boot", token: "a".repeat(32), enter: "b".repeat(32), seconds: 3600 };
const backend = 'backend default { .host = "origin"; }\n';

describe("the door", () => {
  const texts = {
    plain: `vcl 4.1;\n${backend}sub vcl_recv { return (hash); }\n`,
    "of 4.0, on one line": `vcl 4.0; ${backend}`,
    "after comments that speak of it": `# vcl 4.0;\n/* vcl 4.1; */ // vcl\nvcl 4.1 ;\n${backend}`,
    "with imports, and no sub at all": `vcl 4.1;\r\nimport std;\r\n${backend}`,
    "with words like commands": `vcl 4.1;\n# "\nvcl.use boot\n${backend}`,
    "with includes made one": flatten([
      { name: "main.vcl", text: 'vcl 4.1;\ninclude "a.vcl";\n' },
      { name: "a.vcl", text: `vcl 4.0;\n${backend}` },
    ]).text,
  };
  test.each(Object.entries(texts))("goes in and comes out: %s", (_, text) => {
    const whole = withDoor(text, door);
    expect(whole).not.toBe(text);
    expect(withoutDoor(whole)).toEqual({ text, door });
    expect(withoutDoor(text)).toBeNull();
  });

  test("stands before everything but the version", () => {
    const text = texts["after comments that speak of it"];
    expect(withDoor(text, door).indexOf("sub vcl_recv")).toBeLessThan(
      withDoor(text, door).indexOf("backend"),
    );
    expect(withDoor(text, door).startsWith(text.slice(0, text.indexOf("vcl 4.1 ;") + 9))).toBe(true);
  });

  test("that somebody changed is no door of ours", () => {
    const whole = withDoor(texts.plain, door);
    expect(withoutDoor(whole.replace("(302", "(200"))).toBeNull();
    expect(withoutDoor(whole.replace(`== "${door.token}"`, '== ""'))).toBeNull();
    // At another place it would not come first.
    const [block = ""] = /\n\/\/ sluice-try 12 [\s\S]*sluice-try end\n/.exec(whole) ?? [];
    expect(withoutDoor(`${texts.plain}${block}`)).toBeNull();
  });

  test("needs a version", () => {
    expect(() => withDoor(backend, door)).toThrow(/begins with/);
    expect(() => withDoor("", door)).toThrow(/begins with/);
  });

  test("its address does not hold the cookie's value", () => {
    expect(enterPath(door.enter, true)).not.toContain(door.token);
    expect(enterPath(door.enter, true)).not.toBe(enterPath(door.enter, false));
  });
});

test("a draft that ends with a comment still gets what stands at its end", () => {
  const text = `vcl 4.1;\n${backend}# the end`;
  const draft = draftText(text, { revision: 7, token: door.token });
  expect(draft).toMatch(/# the end\nsub vcl_deliver \{\n {4}set resp\.http\.X-Sluice-Try = "r7";/);
  // The key of its objects is made of the secret, and is not the secret.
  expect(draft).not.toContain(door.token);
  expect(draft).not.toBe(draftText(text, { revision: 7, token: "c".repeat(32) }));
});

test("a VCL that changes to another one", () => {
  expect(changesVcl("vcl 4.1;\nsub vcl_recv { return( vcl (other)); }")).toBe(true);
  expect(
    changesVcl('vcl 4.1;\n# return (vcl(other))\nsub vcl_recv { set req.http.x = "return (vcl(x))"; }'),
  ).toBe(false);
});

test("names of trials are told from others", () => {
  expect(tryName.exec("sluice-top-c12")?.[1]).toBe("12");
  for (const name of ["sluice-r3-c12", "sluice-try-c", "boot", "sluice-check-ab"])
    expect(tryName.test(name)).toBe(false);
});
