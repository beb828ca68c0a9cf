// What is offered where. A | marks the cursor.
import { describe, expect, it } from "vitest";
import { choicesAt } from "./vcl-complete";
import { vmods } from "./vcl-vmods";
import { subs, variables } from "./vcl-words";

const other = {
  name: "parts/own.vcl",
  text: `acl office { "192.0.2.0"/24; }
probe light { .url = "/"; }
backend shop { .host = "192.0.2.1"; }
sub clean { unset req.http.X-Shop; }
sub both { }
`,
};
const head = `vcl 4.1;
import std;
import directors as d;
include "parts/own.vcl";
sub vcl_init { new pool = d.round_robin(); }
sub vcl_recv { call clean; call both; }
sub vcl_deliver { call both; }
`;
/** The labels that are offered at | in a text after the head. */
function offered(text: string, top = head): string[] {
  const whole = top + text;
  const at = whole.indexOf("|");
  const main = { name: "main.vcl", text: whole.replace("|", "") };
  return choicesAt(main.text, at, [main, other])?.choices.map(({ label }) => label) ?? [];
}
const inSub = (sub: string, text: string) => offered(`sub ${sub} { ${text} }`);

describe("variables", () => {
  it("are only those of the scope, and of the subroutine", () => {
    expect(inSub("vcl_recv", "if (req.|")).toContain("req.url");
    expect(inSub("vcl_recv", "if (req.|").every((label) => label.startsWith("req."))).toBe(true);
    expect(inSub("vcl_recv", "if (|")).not.toContain("beresp.ttl");
    expect(inSub("vcl_recv", "if (beresp.|")).toEqual([]);
    expect(inSub("vcl_backend_response", "if (beresp.|")).toContain("beresp.ttl");
    expect(inSub("vcl_backend_response", "if (|")).not.toContain("req.url");
  });
  it("may be set, or unset, where they are offered for it", () => {
    expect(inSub("vcl_recv", "set |")).toContain("req.url");
    expect(inSub("vcl_recv", "set |")).not.toContain("req.restarts");
    expect(inSub("vcl_recv", "unset |")).toEqual(["req.http."]);
    expect(inSub("vcl_synth", "set resp.|")).toContain("resp.body");
    expect(inSub("vcl_deliver", "set resp.|")).not.toContain("resp.body");
  });
  it("of headers are the common ones and those of these files", () => {
    expect(inSub("vcl_recv", "set req.http.|")).toEqual(
      expect.arrayContaining(["req.http.X-Shop", "req.http.Cookie"]),
    );
    expect(inSub("vcl_recv", "set req.http.Coo|")).not.toContain("req.http.Coo");
    expect(inSub("vcl_recv", "set resp.http.|")).toEqual([]);
  });
  it("in a subroutine of one’s own must suit all that call it", () => {
    expect(offered("sub clean { set |")).toContain("req.url");
    expect(offered("sub clean { set |")).not.toContain("resp.status");
    expect(offered("sub both { if (obj.|")).toEqual([]);
    expect(offered("sub nobody { set |")).toEqual(
      expect.arrayContaining(["req.url", "beresp.ttl", "resp.status"]),
    );
  });
});

describe("return", () => {
  it.each(["vcl_recv", "vcl_hash", "vcl_backend_response", "vcl_fini"] as const)(
    "gives the actions of %s",
    (sub) => {
      expect(inSub(sub, "return (|").sort()).toEqual([...subs[sub].returns].sort());
    },
  );
  it("gives what all callers may return", () => {
    expect(offered("sub both { return (|").sort()).toEqual(["fail", "restart", "synth"]);
  });
});

describe("vmods", () => {
  it("are offered after import", () => {
    expect(offered("import |", "")).toEqual(vmods.map(({ name }) => name));
  });
  it("give only their functions after the dot", () => {
    const functions = vmods.find(({ name }) => name === "std")?.functions.map(({ name }) => `std.${name}`);
    expect(inSub("vcl_recv", "std.|")).toEqual(functions);
    expect(inSub("vcl_recv", "if (std.he|")).toEqual(functions);
  });
  it("go by the name they were imported under, and objects by what they are", () => {
    expect(inSub("vcl_init", "new x = |")).toContain("d.shard");
    expect(inSub("vcl_init", "pool.|")).toEqual(["pool.add_backend", "pool.remove_backend", "pool.backend"]);
  });
});

describe("what the files define", () => {
  it("is offered where it fits", () => {
    expect(inSub("vcl_recv", "call |")).toEqual(["clean", "both"]);
    expect(inSub("vcl_recv", "if (client.ip ~ |")).toEqual(["office"]);
    expect(inSub("vcl_recv", "set req.backend_hint = |")).toEqual(["shop", "pool"]);
    expect(inSub("vcl_init", "pool.add_backend(|")).toEqual(["shop", "pool"]);
    expect(offered("backend x { .probe = |")).toEqual(["light"]);
    expect(offered('include "pa|')).toEqual(["parts/own.vcl"]);
  });
});

describe("fields", () => {
  it("are those of the block", () => {
    expect(offered("backend x { .|")).toContain(".first_byte_timeout");
    expect(offered("backend x { .probe = { .|")).toContain(".threshold");
    expect(offered("probe x { |")).not.toContain(".host");
    expect(offered('backend x { .host = "a"; |')).toContain(".port");
  });
});

describe("statements", () => {
  it("are those of the place", () => {
    expect(offered("|")).toEqual(expect.arrayContaining(["sub", "backend", "acl"]));
    expect(offered("sub |")).toEqual(Object.keys(subs));
    expect(inSub("vcl_init", "|")).toContain("new");
    expect(inSub("vcl_recv", "|")).not.toContain("new");
    expect(inSub("vcl_hash", "|")).toContain("hash_data");
    expect(inSub("vcl_recv", "|")).not.toContain("else");
    expect(inSub("vcl_recv", "if (true) { } |")).toContain("else");
  });
});

it.each([
  ["a comment", "# set req.|"],
  ["a string", 'set req.url = "req.|'],
  ["a long string", 'set req.url = {"req.|'],
  ["C code", "C{ req.|"],
  ["a number", "set req.ttl = 10s|"],
  ["an acl", "} acl a { |"],
])("offers nothing in %s", (_, text) => expect(inSub("vcl_recv", text)).toEqual([]));

it("has each name once, with a type and a place to be used", () => {
  const names = variables.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const one of variables) {
    expect(one.type, one.name).toMatch(/^[A-Z]+$/);
    expect(one.name, one.name).not.toBe("");
    expect(one.read.length + one.write.length + one.unset.length, one.name).toBeGreaterThan(0);
    // What can be set can be read, but for bodies.
    if (one.type !== "BODY") for (const sub of one.write) expect(one.read, one.name).toContain(sub);
  }
  for (const { functions, objects } of vmods)
    for (const one of [...functions, ...objects, ...objects.flatMap(({ methods }) => methods)])
      expect(one.name, one.help).not.toBe("");
});
