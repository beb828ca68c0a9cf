// The real varnishd: what it refuses, what it cannot reach, and that nothing of it stays.
import { chmod, mkdtemp, readdir, readFile, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../test-stack";
import { ask } from "./ask";
import { findVarnishd, type VarnishPrograms, withVarnishd } from "./varnishd";

let programs: VarnishPrograms;
let folder: string;
const before = process.env.TMPDIR;
const never = new AbortController().signal;

beforeAll(async () => {
  const found = await findVarnishd();
  if (found === null) throw new Error("varnishd is missing (Debian's package varnish)");
  programs = found;
  folder = await mkdtemp(join(tmpdir(), "sluice-varnishd-test-"));
  await chmod(folder, 0o711);
  process.env.TMPDIR = folder;
});
afterAll(async () => {
  if (before === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = before;
  await rm(folder, { recursive: true, force: true });
});

/** Processes that were started with our folder, or work in it. */
async function processes(): Promise<string[]> {
  const ids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const told = ids.map(async (id) =>
    Promise.all([readFile(`/proc/${id}/cmdline`, "utf8"), readlink(`/proc/${id}/cwd`)]).then(
      (words) => (words.some((word) => word.includes(folder)) ? `${id} ${words.join(" ")}` : ""),
      () => "",
    ),
  );
  return (await Promise.all(told)).filter((line) => line !== "");
}
async function nothingIsLeft() {
  expect(await readdir(folder)).toEqual([]);
  expect(await processes()).toEqual([]);
}

const vcl = (more: string) => `vcl 4.1;\nimport std;\nbackend default none;\n${more}\n`;
const root = { method: "GET", host: "a.example", path: "/", headers: [] };

test("serves the VCL, tells what it saw, and is gone", async () => {
  const got = await withVarnishd(
    programs,
    vcl('sub vcl_recv { return (synth(418, "tea")); }'),
    async (varnishd, signal) => {
      // The manager and its worker.
      expect(await processes()).toHaveLength(2);
      const answer = await ask(varnishd.port, root, signal);
      const seen = await until("the request is logged", async () =>
        (await varnishd.seen()).find(({ from }) => from === answer.from),
      );
      return { status: answer.status, cache: seen.cache };
    },
    never,
  );
  expect(got).toEqual({ status: 418, cache: "synth" });
  await nothingIsLeft();
});

test.each([
  [
    "an unknown name",
    "sub vcl_recv { set req.htttp.foo = 1; }",
    /'req\.htttp\.foo'[\s\S]*'<vcl\.inline>' Line 4/,
  ],
  ["a vcl_init that fails", 'sub vcl_init { return (fail("no luck")); }', /no luck/],
  ["inline C", "sub vcl_recv { C{ int x; }C }", /Inline-C not allowed/],
  ["an include of any path", 'include "/etc/hostname";', /unsafe/],
  ["an include of Varnish's own folder", 'include "default.vcl";', /Cannot read file/],
  ["a vmod of any path", 'import purge from "/tmp/libvmod_purge.so";', /unsafe/],
])("%s is refused in Varnish's words", async (_, more, says) => {
  const run = async () => expect.unreachable("it runs");
  await expect(withVarnishd(programs, vcl(more), run, never)).rejects.toMatchObject({
    code: "REFUSED",
    detail: { problem: "vclTrial.compile", params: { says: expect.stringMatching(says) } },
  });
  await nothingIsLeft();
});

test("a VCL reads nothing of Sluice's environment", async () => {
  process.env.SLUICE_TEST_SECRET = "s3cret";
  const more =
    'sub vcl_recv { return (synth(200, "<" + std.getenv("SLUICE_TEST_SECRET") + ">")); } sub vcl_synth { set resp.http.x-env = resp.reason; }';
  try {
    const headers = await withVarnishd(
      programs,
      vcl(more),
      async ({ port }, signal) => (await ask(port, root, signal)).headers,
      never,
    );
    expect(headers.get("x-env")).toBe("<>");
  } finally {
    delete process.env.SLUICE_TEST_SECRET;
  }
});

test("quotes, backslashes, line ends and letters beyond ASCII arrive as they are", async () => {
  const text = vcl(
    'sub vcl_recv { if (req.url ~ "^/a\\.b$") { return (synth(200)); } return (synth(404)); }',
  ).replaceAll("\n", "\r\n");
  const more = `\r\nsub vcl_synth { set resp.http.x = {"a "quoted" \\n thé"}; }\r\n`;
  const got = await withVarnishd(
    programs,
    text + more,
    ({ port }, signal) => Promise.all(["/a.b", "/axb"].map((path) => ask(port, { ...root, path }, signal))),
    never,
  );
  expect(got.map(({ status }) => status)).toEqual([200, 404]);
  expect(Buffer.from(got[0]?.headers.get("x") ?? "", "latin1").toString("utf8")).toBe('a "quoted" \\n thé');
});

test("a store that the VCL names is there", async () => {
  const more = "sub vcl_backend_response { set beresp.storage = storage.big; }";
  await withVarnishd(programs, vcl(more), async () => {}, never);
});

test.each(["while it compiles", "while it runs"])("stopped %s, nothing is left", async (when) => {
  const stop = new AbortController();
  const rules = Array.from(
    { length: 100 },
    (_, at) => `if (req.url ~ "^/${at}/") { set req.http.x = "${at}"; }`,
  );
  const trial = withVarnishd(
    programs,
    vcl(when === "while it runs" ? "" : `sub vcl_recv { ${rules.join("\n")} }`),
    async ({ port }, signal) => {
      stop.abort();
      return ask(port, root, signal);
    },
    stop.signal,
  );
  const ended = expect(trial).rejects.toMatchObject({ code: "CANCELLED" });
  if (when === "while it compiles") {
    // A process of its own.
    await until("the compiler works", async () => (await processes()).length > 1, 20_000);
    stop.abort();
  }
  await ended;
  await nothingIsLeft();
});

test("stopped before it begins, and by an error of what uses it", async () => {
  await expect(withVarnishd(programs, vcl(""), async () => {}, AbortSignal.abort())).rejects.toMatchObject({
    code: "CANCELLED",
  });
  const run = () => Promise.reject(new Error("mine"));
  await expect(withVarnishd(programs, vcl(""), run, never)).rejects.toThrow("mine");
  await nothingIsLeft();
});

test("a program that is no varnishd does not start", async () => {
  const run = async () => expect.unreachable("it runs");
  await expect(withVarnishd({ ...programs, path: "/bin/false" }, vcl(""), run, never)).rejects.toMatchObject({
    code: "REFUSED",
    detail: { problem: "vclTrial.start" },
  });
  await nothingIsLeft();
});
