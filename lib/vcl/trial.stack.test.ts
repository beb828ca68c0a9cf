// Tests of VCLs on the real varnishd.
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { findVarnishd } from "../systems/varnishd/varnishd";
import { type VclTest, vclTest } from "./contract";
import { runTrials } from "./trial";

const never = new AbortController().signal;

beforeAll(async () => {
  if ((await findVarnishd()) === null) throw new Error("varnishd is missing (Debian's package varnish)");
});

type Wanted = {
  method?: string;
  host?: string;
  path?: string;
  headers?: Record<string, string>;
  answers?: Record<string, string>;
  status?: number;
  expect: Omit<VclTest["expect"], "headers"> & { headers?: Record<string, string | null> };
};
const listed = <V>(headers: Record<string, V> = {}) =>
  Object.entries(headers).map(([name, value]) => ({ name, value }));
const a = (name: string, { method, host, path, headers, answers, status, ...more }: Wanted): VclTest =>
  vclTest.parse({
    name,
    request: {
      method: method ?? "GET",
      host: host ?? "www.example",
      path: path ?? "/",
      headers: listed(headers),
    },
    backend: { status, headers: listed(answers) },
    expect: { ...more.expect, headers: listed(more.expect.headers) },
  });

async function run(text: string, tests: VclTest[]) {
  const ran = await runTrials(text, tests, never);
  if (ran.state !== "ran") return expect.unreachable("there is a varnishd");
  expect(ran.version).toMatch(/^\d+\.\d+/);
  return ran.results;
}
/** Of what does not hold: the tests' names with what was seen. */
const amiss = (results: Awaited<ReturnType<typeof run>>) =>
  results
    .filter(({ ok }) => !ok)
    .map(({ name, checks, problem }) => ({ name, problem, amiss: checks.filter(({ ok }) => !ok) }));

const networks = (...all: string[]) => all.map((one) => `    "${one}";`).join("\n");
const recommended = (...acl: string[]) =>
  readFileSync("lab/images/varnish/default.vcl", "utf8")
    .replace(/^@(SLUICE|PURGER)_NETWORKS@$/gm, networks(...acl))
    .replace("@BACKEND_HOST@", '    .host = "nginx.invalid";')
    .replace("@BACKEND_PORT@", '    .port = "8080";');

describe("the recommended VCL", () => {
  test("its tests hold", async () => {
    const tests = [
      a("a page", {
        expect: { cache: "hit", backend: "default", status: 200, headers: { "X-Cache": "HIT", Via: null } },
      }),
      a("campaigns", { path: "/a?utm_source=x", expect: { cache: "hit" } }),
      a("not to be kept", {
        answers: { "Cache-Control": "no-store" },
        expect: { cache: "miss", headers: { "X-Cache": "MISS" } },
      }),
      a("the same page, to be kept", { expect: { cache: "hit" } }),
      a("a session", {
        headers: { Cookie: "a=1; PHPSESSID=2" },
        expect: { cache: "pass", backend: "default" },
      }),
      a("another cookie", { headers: { Cookie: "_ga=1" }, expect: { cache: "hit" } }),
      a("administration", { path: "/admin/login", expect: { cache: "pass" } }),
      a("not administration", { path: "/administer", expect: { cache: "hit" } }),
      a("a form", { method: "POST", expect: { cache: "pass", status: 200 } }),
      a("a head", { method: "HEAD", expect: { cache: "hit", status: 200 } }),
      a("an error", { status: 503, expect: { cache: "miss", status: 503 } }),
      a("the health", { path: "/lab-health", expect: { cache: "synth", status: 200 } }),
      a("tags are taken off", {
        answers: { "Cache-Control": "max-age=9", "Cache-Tags": "a,b" },
        expect: { cache: "hit", headers: { "Cache-Tags": null, xkey: null } },
      }),
      a("a purge", {
        method: "PURGE",
        expect: { cache: "synth", status: 200, headers: { "Sluice-VCL": "1" } },
      }),
      a("a ban", { method: "BAN", headers: { "Sluice-Ban-All": "1" }, expect: { status: 200 } }),
      a("a look", { method: "PEEK", expect: { status: 404 } }),
    ];
    expect(amiss(await run(recommended("127.0.0.1"), tests))).toEqual([]);
  });

  test("strangers may not purge", async () => {
    const results = await run(recommended("192.0.2.1"), [
      a("a purge", { method: "PURGE", expect: { status: 403 } }),
    ]);
    expect(amiss(results)).toEqual([]);
  });
});

const two = `vcl 4.1;
import std;
import directors;
probe well { .url = "/health"; .interval = 1h; .initial = 0; .threshold = 8; }
acl purgers { "192.0.2.0"/24; }
backend shop { .host = "shop.invalid"; .port = "81"; .probe = well; }
backend blog { .path = "/run/blog.sock"; .proxy_header = 1; }
backend pool1 { .host = "10.255.255.1"; .probe = { .url = "/"; } }
sub vcl_init { new pool = directors.round_robin(); pool.add_backend(pool1); }
sub vcl_recv {
  if (req.method == "PURGE") {
    if (client.ip !~ purgers) { return (synth(405)); }
    return (purge);
  }
  if (req.http.host == "blog.example") { set req.backend_hint = blog; }
  if (req.http.host == "pool.example") { set req.backend_hint = pool.backend(); }
  if (req.http.host == "old.example") { return (synth(301, "https://www.example" + req.url)); }
  if (req.http.Upgrade) { return (pipe); }
  if (!std.healthy(req.backend_hint)) { return (synth(503)); }
  if (req.restarts == 0 && req.url == "/again") { set req.url = "/admin"; return (restart); }
  if (req.url ~ "^/admin") { return (pass); }
}
sub vcl_synth {
  if (resp.status == 301) { set resp.http.Location = resp.reason; set resp.reason = "Moved"; return (deliver); }
}
sub vcl_deliver { unset resp.http.X-Varnish; }
`;

test("backends, redirects, pipes and restarts", async () => {
  const tests = [
    a("the first backend", { expect: { cache: "hit", backend: "shop" } }),
    a("by host", { host: "blog.example", expect: { cache: "hit", backend: "blog" } }),
    a("by a director", { host: "pool.example", expect: { cache: "hit", backend: "pool1" } }),
    a("an old name", {
      host: "old.example",
      path: "/x?y",
      expect: { cache: "synth", status: 301, headers: { location: "https://www.example/x?y" } },
    }),
    a("a socket", {
      headers: { Upgrade: "websocket", Connection: "Upgrade" },
      expect: { cache: "pipe", backend: "shop", status: 200 },
    }),
    a("again", { path: "/again", expect: { cache: "pass" } }),
    a("a purge", { method: "PURGE", expect: { cache: "synth", status: 405 } }),
    a("what the backend says", {
      status: 404,
      answers: { "Cache-Control": "max-age=5", "X-A": "1", Link: "<a>" },
      expect: { status: 404, headers: { "x-a": "1", link: "<a>" } },
    }),
    a("a method that nobody knows", { method: "BAN", expect: { cache: "pipe", status: 200 } }),
    a("a body is announced, and none sent", {
      method: "PUT",
      headers: { "Content-Length": "9", "Transfer-Encoding": "chunked" },
      expect: { cache: "pass", status: 200 },
    }),
  ];
  expect(amiss(await run(two, tests))).toEqual([]);
});

test("what does not hold is told with what was seen", async () => {
  const [only] = await run(two, [
    a("wrong", {
      expect: {
        cache: "pass",
        backend: "blog",
        status: 301,
        headers: { "Cache-Control": null, "X-None": "1" },
      },
    }),
  ]);
  expect(only).toEqual({
    name: "wrong",
    ok: false,
    problem: null,
    checks: [
      { what: "cache", expected: "pass", seen: "hit", ok: false },
      { what: "backend", expected: "blog", seen: "shop", ok: false },
      { what: "status", expected: "301", seen: "200", ok: false },
      { what: "header Cache-Control", expected: "", seen: "max-age=60", ok: false },
      { what: "header X-None", expected: "1", seen: "", ok: false },
    ],
  });
});

test("a hundred tests, each with nothing cached before", async () => {
  const began = performance.now();
  const tests = Array.from({ length: 100 }, (_, at) =>
    a(`${at}`, {
      answers: { "Cache-Control": at % 2 === 0 ? "private" : "max-age=60", "X-At": `${at}` },
      expect: { cache: at % 2 === 0 ? "miss" : "hit", headers: { "X-At": `${at}` } },
    }),
  );
  expect(amiss(await run(two, tests))).toEqual([]);
  expect(performance.now() - began).toBeLessThan(15_000);
});

test.each([
  [
    "std.fileread",
    'import std;\nsub vcl_recv { set req.http.x = std.fileread("/etc/passwd"); }',
    "readsFiles",
  ],
  [
    "std.fileread under another name",
    'import std as s;\nsub vcl_recv { set req.http.x = s . fileread("/etc/passwd"); }',
    "readsFiles",
  ],
  ["inline C", "sub vcl_recv { C{ int x; }C }", "inlineC"],
  ["a vmod that reads files", 'import file;\nsub vcl_init { new f = file.reader("/etc/passwd"); }', "vmod"],
  [
    "a vmod that reaches a store",
    'import redis;\nsub vcl_init { new r = redis.db("10.0.0.1:6379"); }',
    "vmod",
  ],
  ["backends of a vmod", 'import dynamic;\nsub vcl_init { new d = dynamic.director(port = "80"); }', "vmod"],
])("%s is refused", async (_, more, problem) => {
  await expect(runTrials(`vcl 4.1;\nbackend default none;\n${more}`, [], never)).rejects.toMatchObject({
    code: "INVALID_INPUT",
    detail: { problem: `vclTrial.${problem}` },
  });
});

test("what does not compile is told in Varnish's words, by the lines of the text", async () => {
  const text =
    'vcl 4.1;\nbackend a {\n  .host = "a.invalid";\n  .probe = {\n    .url = "/";\n  }\n}\nsub vcl_recv { set req.htttp = "1"; }\n';
  await expect(runTrials(text, [], never)).rejects.toMatchObject({
    code: "REFUSED",
    detail: { problem: "vclTrial.compile", params: { says: expect.stringContaining("Line 8 Pos 20") } },
  });
});

test("stopped in the middle", async () => {
  const tests = Array.from({ length: 50 }, (_, at) => a(`${at}`, { expect: { cache: "hit" } }));
  await expect(runTrials(two, tests, AbortSignal.timeout(500))).rejects.toMatchObject({ code: "CANCELLED" });
});
