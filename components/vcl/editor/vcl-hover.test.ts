// What is told of a word.
import { expect, it } from "vitest";
import { meaningAt } from "./vcl-hover";

const text = `import std;
acl office { "192.0.2.0"/24; }
backend shop { .host = "h"; .probe = { .window = 5; } }
sub vcl_init { new p = directors.round_robin(); p.add_backend(shop); }
sub vcl_recv {
  set req.http.X-A = std.tolower(req.url); # std.log
  if (client.ip ~ office) { return (pass); }
}
`;
const files = [{ name: "main.vcl", text }];
const at = (word: string, after = "") => meaningAt(text, text.indexOf(word, text.indexOf(after)) + 1, files);

it.each([
  ["req.url", "STRING req.url"],
  ["req.http.X-A", "HEADER req.http.X-A"],
  ["std.tolower", "STRING std.tolower(STRING s)"],
  ["directors.round_robin", "new … = directors.round_robin()"],
  ["p.add_backend", "VOID p.add_backend(BACKEND backend)"],
  ["vcl_recv", "sub vcl_recv"],
  ["set", "set"],
  [".host", ".host"],
  [".window", ".window"],
])("tells what %s is", (word, title) => {
  const meaning = at(word);
  expect(meaning?.title).toBe(title);
  expect(meaning?.help).not.toBe("");
  expect(text.slice(meaning?.from, meaning?.to)).toBe(word);
});

it("tells where a variable may be used", () => {
  expect(at("req.url")?.use).toEqual({ read: "client", write: "client", unset: null });
  expect(at("client.ip")?.use).toEqual({ read: "all", write: null, unset: null });
});

it("tells what return() does with a word, and what else the word means elsewhere", () => {
  expect(at("pass")?.title).toBe("return (pass)");
  expect(at("std", "import")?.title).toBe("vmod std");
});

it("tells where one’s own things are defined", () => {
  expect(at("office", "client.ip")).toMatchObject({
    title: "acl office",
    defined: { file: "main.vcl", line: 2 },
  });
  expect(at("shop", "add_backend")).toMatchObject({ title: "backend shop", defined: { line: 3 } });
});

it("is silent in comments and strings, and on what it does not know", () => {
  expect(at("std.log")).toBeNull();
  expect(at('"h"')).toBeNull();
  expect(meaningAt("sub vcl_recv { set nobody.knows = 1; }", 22, [])).toBeNull();
});
