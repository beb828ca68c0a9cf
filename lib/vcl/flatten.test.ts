// Includes put in place, and each character of the whole led back to its file.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { VclFile } from "./contract";
import { flatten, globbedFiles, IncludeCycle, includedFile } from "./flatten";
import { indexOf, tokensOf } from "./tokens";

const words = (text: string) =>
  tokensOf(text)
    .filter(({ type }) => type !== "comment")
    .map(({ text: token }) => token);

const file = (name: string, text: string): VclFile => ({ name, text });

/** Files of which each includes only later ones: pieces of text and includes, in any order. */
const piece = fc.oneof(
  fc.constantFrom(
    "sub a { }\n",
    "# a comment\n",
    '# include "file9.vcl";\n',
    "/* include */",
    '{"include "x";"} ',
    'set\n\treq.url = "é€";\r\n',
    "}",
    "\n",
    "# open at the end",
  ),
  fc.nat(4),
);
const project = fc.array(fc.array(piece, { maxLength: 8 }), { minLength: 1, maxLength: 5 }).map((files) =>
  files.map((pieces, index) =>
    file(
      `file${index}.vcl`,
      pieces
        .map((one, at) => {
          if (typeof one === "string")
            return at < pieces.length - 1 && one.endsWith("end") ? `${one}\n` : one;
          return index + 1 + one < files.length ? `include "file${index + 1 + one}.vcl"; ` : "";
        })
        .join(""),
    ),
  ),
);

/** What the compiler makes of includes: the tokens of one file among those of the other. */
function included(files: readonly VclFile[], main: VclFile): string[] {
  const tokens = words(main.text);
  return tokens.flatMap((token, index) => {
    if (tokens[index - 1] === "include" || (tokens[index - 2] === "include" && token === ";")) return [];
    if (token !== "include") return [token];
    const found = files.find(({ name }) => `"${name}"` === tokens[index + 1]);
    return found === undefined ? [] : included(files, found);
  });
}

test("the whole has the tokens that the compiler would see", () => {
  fc.assert(
    fc.property(project, (files) => {
      const [main] = files;
      if (main) expect(words(flatten(files).text)).toEqual(included(files, main));
    }),
    { numRuns: 300 },
  );
});

test("placeAt leads each character back to the same one of its file", () => {
  fc.assert(
    fc.property(project, (files) => {
      const flat = flatten(files);
      for (let at = 0; at < flat.text.length; at += 1) {
        const place = flat.placeAt(at);
        const own = files.find(({ name }) => name === place.file)?.text ?? "";
        const there = own[indexOf(own, place.line, place.column)];
        // Of line ends, some were put after an included file and are of no file.
        if (flat.text[at] !== "\n") expect(there).toBe(flat.text[at]);
      }
    }),
    { numRuns: 200 },
  );
});

test("one file is its own whole, byte for byte", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary" }).filter((text) => !text.includes("include")),
      (text) => {
        const flat = flatten([file("main.vcl", text)]);
        expect(flat.text).toBe(text);
        expect(flat.foreign).toEqual([]);
        expect(flat.placeAt(0)).toEqual({ file: "main.vcl", line: 1, column: 1 });
        expect(flat.placeAt(text.length + 10).file).toBe("main.vcl");
      },
    ),
  );
});

test("an include in the middle of a sub, and a comment at its file's end that swallows nothing", () => {
  const flat = flatten([
    file("main.vcl", 'sub vcl_recv { include "a.vcl"; return (hash); }'),
    file("a.vcl", "unset req.http.Cookie; # the end"),
  ]);
  expect(flat.text).toBe("sub vcl_recv { unset req.http.Cookie; # the end\n return (hash); }");
  expect(flat.placeAt(flat.text.indexOf("unset"))).toEqual({ file: "a.vcl", line: 1, column: 1 });
  expect(flat.placeAt(flat.text.indexOf("return"))).toEqual({ file: "main.vcl", line: 1, column: 33 });
});

test("which file an include means", () => {
  const files = ["main.vcl", "b.vcl", "sites/a.vcl", "sites/b.vcl", "/etc/varnish/c.vcl"].map((name) =>
    file(name, ""),
  );
  const found = (path: string, from = "main.vcl") => includedFile(files, path, from)?.name;
  expect(found("b.vcl")).toBe("b.vcl");
  expect(found("b.vcl", "sites/a.vcl")).toBe("b.vcl");
  expect(found("./b.vcl", "sites/a.vcl")).toBe("sites/b.vcl");
  expect(found("./b.vcl")).toBe("b.vcl");
  expect(found("c.vcl")).toBe("/etc/varnish/c.vcl");
  expect(found("tes/b.vcl")).toBeUndefined();
});

test("what is no file of ours is left to the node, and named", () => {
  const text =
    'include "/etc/varnish/other.vcl";\ninclude +glob "/etc/varnish/conf.d/*.vcl";\n# include "x.vcl";';
  const flat = flatten([file("main.vcl", text), file("x.vcl", "")]);
  expect(flat.text).toBe(text);
  expect(flat.foreign).toEqual([
    { path: "/etc/varnish/other.vcl", file: "main.vcl", line: 1, column: 1 },
    { path: "/etc/varnish/conf.d/*.vcl", file: "main.vcl", line: 2, column: 1 },
  ]);
});

test("a cycle, of one file or of several, is told at its place", () => {
  const cycle = (files: VclFile[]) => {
    try {
      flatten(files);
    } catch (error) {
      if (error instanceof IncludeCycle) return { path: error.path, place: error.place };
      throw error;
    }
    return null;
  };
  expect(cycle([file("main.vcl", '\n  include "main.vcl";')])).toEqual({
    path: "main.vcl",
    place: { file: "main.vcl", line: 2, column: 3 },
  });
  expect(
    cycle([
      file("main.vcl", 'include "a.vcl";'),
      file("a.vcl", 'include "b.vcl";'),
      file("b.vcl", 'include "./a.vcl";'),
    ]),
  ).toEqual({ path: "./a.vcl", place: { file: "b.vcl", line: 1, column: 1 } });
  // Twice the same file is no cycle.
  expect(cycle([file("main.vcl", 'include "a.vcl"; include "a.vcl";'), file("a.vcl", "")])).toBeNull();
});

test("files that each include the next twice do not go on for ever", () => {
  const files = Array.from({ length: 50 }, (_, index) =>
    file(`f${index}.vcl`, index < 49 ? `include "f${index + 1}.vcl";`.repeat(2) : ""),
  );
  expect(() => flatten(files)).toThrow(IncludeCycle);
  const long = [file("main.vcl", 'include "a.vcl";'.repeat(20)), file("a.vcl", "#".repeat(100_000))];
  expect(() => flatten(long)).toThrow(IncludeCycle);
});

test("a folder of includes is taken in the order of its names", () => {
  const files = [
    file("main.vcl", 'include +glob "/etc/varnish/conf.d/*.vcl";\nsub x { }'),
    file("/etc/varnish/conf.d/b.vcl", "# b"),
    file("/etc/varnish/conf.d/a.vcl", "# a"),
    file("/etc/varnish/conf.d/sub/c.vcl", "# c"),
    file("/etc/varnish/conf.d/d.txt", "# d"),
  ];
  const flat = flatten(files);
  expect(flat.text).toBe("# a\n# b\n\nsub x { }");
  expect(flat.foreign).toEqual([]);
  expect(flat.placeAt(flat.text.indexOf("# b"))).toEqual({
    file: "/etc/varnish/conf.d/b.vcl",
    line: 1,
    column: 1,
  });
  const found = (path: string, from = "main.vcl") => globbedFiles(files, path, from).map(({ text }) => text);
  expect(found("conf.d/?.vcl")).toEqual(["# a", "# b"]);
  expect(found("./*.vcl", "/etc/varnish/conf.d/a.vcl")).toEqual(["# a", "# b"]);
  expect(found("conf.d/[!a].vcl")).toEqual(["# b"]);
  expect(found("conf.d/[")).toEqual([]);
});

test("a file of a node whose name we write otherwise", () => {
  const files = [file("main.vcl", 'include "/etc/my vcl.vcl";'), file("/etc/my_vcl.vcl", "# there")];
  expect(flatten(files)).toMatchObject({ text: "# there\n", foreign: [] });
});
