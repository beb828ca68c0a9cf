// How VCL is cut into words, and how lines are indented.
import { readFileSync } from "node:fs";
import { getIndentation, indentUnit, syntaxTree } from "@codemirror/language";
import { EditorState } from "@codemirror/state";
import { describe, expect, it } from "vitest";
import { vclLanguage, vclTokens } from "./vcl-language";

const recommended = readFileSync(new URL("../../../lab/images/varnish/default.vcl", import.meta.url), "utf8");
const styles = (text: string) => vclTokens(text).tokens.map(({ style, text: of }) => [of, style]);
const styleOf = (text: string, word: string) =>
  vclTokens(text).tokens.find((one) => one.text === word)?.style;

describe("tokens", () => {
  it("cuts a statement", () => {
    expect(styles("set beresp.ttl = 1.5h; // why\n")).toEqual([
      ["set", "keyword"],
      ["beresp.ttl", "variableName.special"],
      ["=", "operator"],
      ["1.5h", "number"],
      [";", "punctuation"],
      ["// why", "comment"],
    ]);
  });

  it("knows what it is by where it stands", () => {
    const text = `import std;
sub hash { call pass; }
sub vcl_recv {
  if (req.url ~ "^/a" && client.ip !~ pass) { std.log("a"); return (pass); }
  set req.http.X = regsub(req.url, "a", "b");
}
backend b { .host = "h"; .probe = { .url = "/"; } }`;
    expect(styleOf(text, "std")).toBe("namespace");
    expect(styleOf(text, "hash")).toBe("labelName");
    expect(styleOf(text, '"^/a"')).toBe("regexp");
    expect(styleOf(text, "std.log")).toBe("variableName.function");
    expect(styleOf(text, "regsub")).toBe("variableName.standard");
    expect(styleOf(text, "req.http.X")).toBe("variableName.special");
    expect(styleOf(text, ".probe")).toBe("propertyName");
    expect(
      vclTokens(text)
        .tokens.filter((one) => one.text === "pass")
        .map(({ style }) => style),
    ).toEqual(["labelName", "variableName", "atom"]);
  });

  it.each([
    ['{"', '"}', "string"],
    ['"""', '"""', "string"],
    ["/*", "*/", "comment"],
    ["C{", "}C", "meta"],
  ])("takes what lies over lines between %s and %s as one", (from, to, style) => {
    const text = `${from} set "\n# ; {\n${to} set`;
    expect(
      new Set(
        vclTokens(text)
          .tokens.slice(0, -1)
          .map((one) => one.style),
      ),
    ).toEqual(new Set([style]));
    expect(vclTokens(text).tokens.at(-1)).toMatchObject({ text: "set", style: "keyword" });
    expect(vclTokens(text).open).toBeNull();
    expect(vclTokens(`${from} set`).open).not.toBeNull();
  });

  it("reads the recommended VCL without losing a character or its place", () => {
    const { tokens, open } = vclTokens(recommended);
    expect(open).toBeNull();
    let rest = "";
    let at = 0;
    for (const { from, text } of tokens) {
      rest += recommended.slice(at, from);
      expect(recommended.slice(from, from + text.length)).toBe(text);
      at = from + text.length;
    }
    expect((rest + recommended.slice(at)).trim()).toBe("");
    const words = tokens.filter(({ style }) => style === "variableName").map(({ text }) => text);
    // What is left without a meaning of its own are names of ACLs and probes, and the marks the container fills in.
    expect(new Set(words.filter((word) => !/^[A-Z_]+$/.test(word)))).toEqual(
      new Set(["sluice", "purgers", "backend_probe"]),
    );
  });

  it("has a tag for every style", () => {
    const warned: unknown[] = [];
    const warn = console.warn;
    console.warn = (...args) => warned.push(args);
    const state = EditorState.create({ doc: recommended, extensions: vclLanguage });
    expect(syntaxTree(state).topNode.firstChild).not.toBeNull();
    console.warn = warn;
    expect(warned).toEqual([]);
  });
});

describe("indentation", () => {
  const indentAt = (text: string, line: number) => {
    const state = EditorState.create({ doc: text, extensions: [vclLanguage, indentUnit.of("    ")] });
    return getIndentation(state, state.doc.line(line).from);
  };
  it("goes in with each bracket and out with its end", () => {
    const text = 'sub vcl_recv {\nif (a\n&& b) {\nset req.url = "/";\n}\n}\n';
    expect([1, 2, 3, 4, 5, 6].map((line) => indentAt(text, line))).toEqual([0, 4, 8, 8, 4, 0]);
  });
  it("leaves long strings alone", () => {
    expect(indentAt('sub vcl_synth {\nsynthetic({"<p>\nx\n"});\n}', 3)).toBeNull();
  });
});
