// Each warning: a VCL that has it, at its exact place, and ones that nearly have it.
import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import en from "@/messages/en.json";
import fr from "@/messages/fr.json";
import { templates } from "./templates";
import { type VclWarning, vclWarnings, warningsOf } from "./warnings";

const main = (text: string) => [{ name: "main.vcl", text: `vcl 4.1;\nbackend default none;\n${text}` }];
const keys = (text: string) => warningsOf(main(text)).map(({ warning }) => warning);

/** `‹ ›` is what the warning points at. The others are close to it, and right. */
const cases: Record<VclWarning, { has: string[]; not: string[] }> = {
  banOnRequest: {
    has: [
      `acl p { "127.0.0.1"; }
       sub vcl_recv { if (client.ip ~ p) { ban(‹"req.http.host == "› + req.http.host + " && req.url ~ " + req.url); } }`,
      `import std; acl p { "127.0.0.1"; }
       sub vcl_recv { if (client.ip ~ p && std.ban(‹"obj.status != 0 && req.url ~ /"›)) { return (synth(200)); } }`,
    ],
    not: [
      `acl p { "127.0.0.1"; }
       sub vcl_recv { if (client.ip ~ p) { ban("obj.http.x-url ~ " + req.url); set req.http.a = "req.url"; } }`,
    ],
  },
  purgeOpen: {
    has: [
      `sub vcl_recv { if (req.method == "PURGE") { return (‹purge›); } }`,
      `import xkey;
       sub vcl_recv { if (req.http.xkey && req.http.Authorization) { set req.http.n = ‹xkey.purge›(req.http.xkey); } }`,
    ],
    not: [
      `acl p { "127.0.0.1"; } sub vcl_recv { if (req.method == "PURGE" && client.ip ~ p) { return (purge); } }`,
      `sub vcl_recv { if (req.method == "PURGE") {
         if (req.http.X-Purge-Token != "dLx1") { return (synth(403)); } return (purge); } }`,
      `sub vcl_recv { if (req.method == "PURGE" && client.ip == "127.0.0.1") { return (purge); } }`,
      `acl p { "127.0.0.1"; } sub allowed { if (client.ip !~ p) { return (synth(403)); } }
       sub vcl_recv { if (req.method == "PURGE") { call allowed; return (purge); } }`,
      `sub vcl_recv { if (req.method == "PURGE") { return (synth(405)); } }`,
    ],
  },
  purgeByHeader: {
    has: [
      `import std; acl p { "127.0.0.1"; }
       sub vcl_recv { if (req.method == "PURGE") {
         if (std.ip(‹req.http.X-Forwarded-For›, "0.0.0.0") !~ p) { return (synth(403)); } return (purge); } }`,
      `import std; acl p { "127.0.0.1"; }
       sub gone { if (std.ip(‹req.http.X-Forwarded-For›, "0.0.0.0") ~ p) { ban("obj.status != 0"); } }
       sub vcl_recv { call gone; }`,
      `sub vcl_recv { if (req.method == "BAN" && ‹req.http.x-real-ip› == "10.0.0.1") { ban("obj.status != 0"); } }`,
    ],
    not: [
      `import std; acl p { "127.0.0.1"; }
       sub vcl_recv { if (client.ip ~ p && req.method == "PURGE") { return (purge); }
         set req.http.X-Forwarded-For = client.ip;
         if (req.method == "PURGE" && std.ip(req.http.X-Forwarded-For, "0.0.0.0") ~ p) { return (purge); } }`,
      // Who may see a page, asked of what a proxy in front says.
      `import std; acl p { "127.0.0.1"; }
       sub vcl_recv { if (req.method == "PURGE" && client.ip ~ p) { return (purge); }
         if (req.url ~ "^/admin" && std.ip(req.http.X-Real-IP, "0.0.0.0") !~ p) { return (synth(403)); } }`,
    ],
  },
  cookieHashed: {
    has: [`sub vcl_hash { hash_data(‹req.http.cookie›); }`],
    not: [
      `sub vcl_recv { set req.http.Cookie = regsub(req.http.Cookie, "^.*lang=(..).*$", "\\1"); }
       sub vcl_hash { hash_data(req.http.Cookie); }`,
      `sub vcl_hash { hash_data(req.http.X-Cookie); }`,
    ],
  },
  cookieIgnored: {
    has: [
      `sub vcl_recv { if (req.http.Authorization) { return (pass); } return (‹hash›); }`,
      `sub vcl_recv { if (req.method == "GET" || req.method == "HEAD") { return(‹hash›); } }`,
    ],
    not: [
      `sub vcl_recv { if (req.http.Cookie ~ "session") { return (pass); } return (hash); }`,
      `sub vcl_recv { unset req.http.cookie; return (hash); }`,
      `sub vcl_recv { if (req.url ~ "\\.css$") { return (hash); } }`,
      `sub vcl_recv { if (req.method == "PEEK") { return (hash); } }`,
      `sub vcl_recv { if (req.method != "GET") { return (pass); } }`,
    ],
  },
  hashWithoutUrl: {
    has: [
      `sub vcl_hash { hash_data(req.http.host); hash_data(req.http.X-Forwarded-Proto); return (‹lookup›); }`,
      `sub vcl_hash { hash_data(regsub(req.http.host, "^www", "")); return (‹lookup›); }`,
    ],
    not: [
      `sub vcl_hash { hash_data(req.http.X-Forwarded-Proto); }`,
      `sub vcl_recv { set req.http.x-key = req.http.host + req.url; } sub vcl_hash { hash_data(req.http.x-key); return (lookup); }`,
      `import std; sub vcl_hash { hash_data(std.querysort(req.url)); hash_data(req.http.Host); return (lookup); }`,
    ],
  },
  hashWithoutHost: {
    has: [`sub vcl_hash { hash_data(req.url); return (‹lookup›); }`],
    not: [
      `sub vcl_recv { set req.http.host = "www.example.org"; } sub vcl_hash { hash_data(req.url); return (lookup); }`,
      `sub vcl_hash { hash_data(req.url); if (req.http.host) { hash_data(req.http.host); } else { hash_data(server.ip); } return (lookup); }`,
      `sub vcl_hash { hash_data(req.url); }`,
      `sub vcl_hash { hash_data(req.url.lower()); hash_data(req.http.host.lower()); return (lookup); }`,
    ],
  },
  encodingHashed: {
    has: [`sub vcl_hash { if (req.http.Accept-Encoding) { hash_data(‹req.http.Accept-Encoding›); } }`],
    not: [`sub vcl_hash { if (req.http.Accept-Encoding ~ "br") { hash_data("br"); } }`],
  },
  agentSplits: {
    has: [
      `sub vcl_hash { hash_data(‹req.http.User-Agent›); }`,
      `sub vcl_backend_response { set beresp.http.Vary = ‹"Accept-Encoding, User-Agent"›; }`,
    ],
    not: [
      `sub vcl_recv { set req.http.User-Agent = "mobile"; } sub vcl_backend_response { set beresp.http.Vary = "User-Agent"; }`,
      `sub vcl_backend_response { set beresp.http.Vary = "X-User-Agent-Class"; } sub vcl_deliver { set resp.http.Vary = "User-Agent"; }`,
    ],
  },
  noGrace: {
    has: [`sub vcl_backend_response { if (beresp.status == 200) { set ‹beresp.ttl› = 1h; } }`],
    not: [
      `sub vcl_backend_response { set beresp.ttl = 1h; set beresp.grace = 6h; }`,
      `sub vcl_backend_response { set beresp.ttl = 0s; }`,
      `sub vcl_backend_response { if (beresp.status == 404) { set beresp.ttl = 30s; } }`,
      `sub vcl_backend_response { if (bereq.url ~ "/basket") { set beresp.ttl = 120s; set beresp.uncacheable = true; } }`,
      `sub vcl_recv { return (pass); }`,
    ],
  },
  deliverUnchecked: {
    has: [
      `sub vcl_backend_response { if (beresp.status >= 500) { set beresp.uncacheable = true; } return (‹deliver›); }`,
    ],
    not: [
      `sub vcl_backend_response { if (beresp.http.set-cookie) { set beresp.uncacheable = true; } return (deliver); }`,
      `sub vcl_backend_response { if (bereq.uncacheable) { return (deliver); } }`,
      `sub vcl_backend_response { if (beresp.http.Cache-Control ~ "private") { set beresp.uncacheable = true; } return (deliver); }`,
      `sub vcl_deliver { return (deliver); }`,
    ],
  },
  errorsKept: {
    has: [
      `sub vcl_backend_response { set beresp.grace = 1h; if (beresp.status >= 500) { set beresp.ttl = ‹5m›; } }`,
      `sub vcl_backend_response { set beresp.grace = 1h; if (beresp.status == 200 || beresp.status == 503) { set beresp.ttl = ‹1h›; } }`,
      `sub vcl_backend_error { set beresp.grace = 0s; set beresp.ttl = ‹120s›; }`,
    ],
    not: [
      `sub vcl_backend_response { set beresp.grace = 1h; if (beresp.status >= 500) { set beresp.ttl = 5s; } }`,
      `sub vcl_backend_response { set beresp.grace = 1h; if (beresp.status >= 500) { set beresp.uncacheable = true; set beresp.ttl = 2m; } }`,
      `sub vcl_backend_response { set beresp.grace = 1h; if (beresp.status >= 400 && beresp.status < 500) { set beresp.ttl = 2m; } }`,
      `sub vcl_backend_response { set beresp.grace = 1h; if (beresp.status >= 500) { set beresp.ttl = 1s; } else { set beresp.ttl = 1h; } }`,
      `sub vcl_backend_error { set beresp.grace = 1h; if (beresp.status == 701) { set beresp.status = 301; set beresp.ttl = 1h; } }`,
    ],
  },
  privateKept: {
    has: [
      `sub vcl_backend_response { unset ‹beresp.http.Cache-Control›; set beresp.grace = 1h; set beresp.ttl = 1h; }`,
      `sub vcl_backend_response { set ‹beresp.http.cache-control› = "public, max-age=60"; }`,
    ],
    not: [
      `sub vcl_backend_response { if (beresp.http.Cache-Control ~ "private") { return (pass(60s)); } unset beresp.http.Cache-Control; }`,
      `sub vcl_backend_response { if (bereq.url ~ "\\.css$") { unset beresp.http.Cache-Control; } }`,
      `sub vcl_deliver { unset resp.http.Cache-Control; }`,
    ],
  },
  pipedMethod: {
    has: [
      `sub vcl_recv { if (req.method == "POST" || req.method == "PUT") { return (‹pipe›); } }`,
      `sub vcl_recv { if (req.method != "GET" && req.method != "HEAD") { return (‹pipe›); } }`,
    ],
    not: [
      `sub vcl_recv { if (req.method != "GET" && req.method != "HEAD" && req.method != "POST" && req.method != "PUT") { return (pipe); } }`,
      `sub vcl_recv { if (req.method == "CONNECT") { return (pipe); } }`,
      `sub vcl_recv { if (req.method == "POST" && req.url ~ "^/upload") { return (pipe); } }`,
      `sub vcl_recv { if (req.method == "GET") { return (pass); } else { return (pipe); } }`,
    ],
  },
  upgradeLost: {
    has: [`sub vcl_recv { if (req.http.upgrade ~ "(?i)websocket") { return (‹pipe›); } }`],
    not: [
      `sub vcl_recv { if (req.http.Upgrade ~ "(?i)websocket") { return (pipe); } }
       sub vcl_pipe { if (req.http.Upgrade) { set bereq.http.upgrade = req.http.upgrade; } }`,
      `sub vcl_recv { if (req.http.Upgrade) { return (pass); } if (req.url ~ "^/big") { return (pipe); } }`,
    ],
  },
  passForgotten: {
    has: [
      `sub vcl_backend_response { if (beresp.http.Set-Cookie) { set beresp.uncacheable = true; set beresp.ttl = ‹0s›; return (deliver); } }`,
      `sub vcl_backend_response { if (beresp.http.Set-Cookie) { set beresp.ttl = ‹0s›; set beresp.uncacheable = true; } return (deliver); }`,
    ],
    not: [
      `sub vcl_backend_response { if (beresp.http.Set-Cookie) { set beresp.uncacheable = true; set beresp.ttl = 0s; set beresp.ttl = 120s; return (deliver); } set beresp.grace = 1s; }`,
      // The built-in code gives it its time.
      `sub vcl_backend_response { if (beresp.http.Set-Cookie) { set beresp.uncacheable = true; set beresp.ttl = 0s; } }`,
    ],
  },
  forwardedTwice: {
    has: [
      `sub vcl_recv { if (req.http.x-forwarded-for) { set ‹req.http.X-Forwarded-For› = req.http.X-Forwarded-For + ", " + client.ip; } }`,
    ],
    not: [
      `sub vcl_recv { set req.http.X-Forwarded-For = client.ip; }`,
      `sub vcl_recv { set req.http.X-Forwarded-For = regsub(req.http.X-Forwarded-For, ", [^,]*$", ""); }`,
    ],
  },
  noProbe: {
    has: [
      `import directors; probe up { .url = "/"; }
       backend ‹a› { .host = "127.0.0.1"; } backend b { .host = "127.0.0.1"; .probe = up; }
       sub vcl_init { new d = directors.fallback(); d.add_backend(a); d.add_backend(b); }`,
    ],
    not: [
      `import directors; backend a { .host = "127.0.0.1"; }
       sub vcl_init { new d = directors.fallback(); d.add_backend(a); }`,
      `import directors; probe default { .url = "/"; } backend a { .host = "127.0.0.1"; } backend b { .host = "127.0.0.1"; }
       sub vcl_init { new d = directors.random(); d.add_backend(a, 1); d.add_backend(b, 2); }`,
      `import directors; backend a { .host = "127.0.0.1"; } backend b { .host = "127.0.0.1"; }
       sub vcl_init { new d = directors.random(); d.add_backend(a, 1); new e = directors.random(); e.add_backend(b, 2); }`,
    ],
  },
  restartLoop: {
    has: [`sub vcl_deliver { if (resp.status == 503) { return (‹restart›); } }`],
    not: [
      `sub vcl_deliver { if (resp.status == 503 && req.restarts == 0) { return (restart); } }`,
      `sub vcl_deliver { if (resp.status == 401 && !req.http.x-tried) { set req.http.x-tried = "1"; return (restart); } }`,
    ],
  },
  inlineC: {
    has: [`sub vcl_recv { ‹C{› int a = 1; (void)a; }C }`],
    not: [`sub vcl_recv { set req.http.a = "C{ }C"; # C{ }C\n }`],
  },
};

describe.each(vclWarnings)("%s", (warning) => {
  test.each(cases[warning].has)("%s", (marked) => {
    const [before = "", pointed = ""] = marked.split(/[‹›]/);
    const text = marked.replace(/[‹›]/g, "");
    const lines = `vcl 4.1;\nbackend default none;\n${before}`.split("\n");
    const column = (lines.at(-1)?.length ?? 0) + 1;
    expect(warningsOf(main(text)).filter((one) => one.warning === warning)).toEqual([
      {
        severity: "warning",
        nodes: [],
        file: "main.vcl",
        line: lines.length,
        column,
        endLine: lines.length,
        endColumn: column + pointed.length,
        says: null,
        warning,
      },
    ]);
  });

  test.each(cases[warning].not)("not: %s", (text) => {
    expect(keys(text)).not.toContain(warning);
  });

  test("has its words", () => {
    expect(en.vcl.warnings).toHaveProperty(warning);
    expect(fr.vcl.warnings).toHaveProperty(warning);
  });
});

test("none on the recommended VCL, none on the templates", () => {
  const recommended = readFileSync("lab/images/varnish/default.vcl", "utf8");
  expect(warningsOf([{ name: "default.vcl", text: recommended }])).toEqual([]);
  expect(templates).toHaveLength(3);
  for (const { files } of templates) expect(warningsOf(files)).toEqual([]);
});

test("asked over all files, told in the file where it stands", () => {
  const purge = {
    name: "conf/purge.vcl",
    text: '\n  sub vcl_recv { if (req.method == "PURGE") { return (purge); } }',
  };
  const acl = {
    name: "acl.vcl",
    text: 'acl purgers { "127.0.0.1"; } sub who { if (client.ip !~ purgers) { return (synth(403)); } }',
  };
  const whole = (names: string[]) => ({
    name: "main.vcl",
    text: `vcl 4.1;\n${names.map((name) => `include "${name}";`).join("\n")}\n`,
  });
  expect(warningsOf([whole(["conf/purge.vcl"]), purge, acl])).toMatchObject([
    { warning: "purgeOpen", file: "conf/purge.vcl", line: 2, column: 55, endLine: 2, endColumn: 60 },
  ]);
  expect(warningsOf([whole(["acl.vcl", "conf/purge.vcl"]), purge, acl])).toEqual([]);
  // What is not seen may be where it is asked.
  expect(warningsOf([whole(["conf/purge.vcl", "/etc/varnish/acl.vcl"]), purge])).toEqual([]);
  expect(warningsOf([whole(["main.vcl", "conf/purge.vcl"]), purge])).toEqual([]);
});

test("any text is read to its end", () => {
  const words =
    'sub vcl_recv { } ( ) ; if else elseif return hash purge set beresp.ttl = 0s C{ }C " {" "} import acl p backend ~'.split(
      " ",
    );
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...words), { maxLength: 60 }), (parts) => {
      const text = parts.join(" ");
      for (const { line, column, endColumn } of warningsOf([{ name: "main.vcl", text }])) {
        expect(line).toBe(1);
        expect(text.slice(column - 1, endColumn - 1).trim()).not.toBe("");
      }
    }),
    { numRuns: 500 },
  );
});

test("a megabyte of rules, chained or nested, is read within seconds", () => {
  const begun = performance.now();
  const chained = `sub vcl_recv { if (req.url == "/") { return (pass); } ${'else if (req.url == "/a") { return (hash); } '.repeat(15_000)} }`;
  expect(keys(chained)).toEqual([]);
  const nested = `sub vcl_recv { ${"if (req.url) { set beresp.ttl = 0s; ".repeat(20_000)}`;
  expect(keys(nested)).toEqual([]);
  expect(performance.now() - begun).toBeLessThan(10_000);
});
