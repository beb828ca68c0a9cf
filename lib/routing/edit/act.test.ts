// The usual acts on files of many layouts: what they write, that nothing else changes, and that Traefik would take the result.
import { compare, hash } from "bcryptjs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AppError } from "../../errors/app-error";
import { type ConfigFile, configFiles } from "../files/contract";
import { validateDirectory } from "../validate/validate";
import { applyAct } from "./act";
import { act as actSchema } from "./contract";
import { endsIn } from "./maintenance-ends";
import { contentOf, patched } from "./patch";

const known = { entryPoints: ["web", "websecure"], certResolvers: ["le"] };
/** A service without servers is what a maintenance wants: 503. */
const problemsOf = (files: readonly ConfigFile[]) =>
  validateDirectory(files, known)
    .filter(({ code }) => code !== "noServers")
    .map(({ code, params, effect }) => JSON.stringify({ code, params, effect }));

/** Does an act as the API would, twice; says what came of it. */
async function done(files: readonly ConfigFile[], given: unknown, file?: string): Promise<ConfigFile[]> {
  const act = actSchema.parse(given);
  const before = new Set(problemsOf(files));
  const after = await applyAct(files, act, file);
  expect(problemsOf(after).filter((one) => !before.has(one))).toEqual([]);
  expect(await applyAct(after, act, file)).toEqual(after);
  return after;
}
const textIn = (files: readonly ConfigFile[], name: string): string =>
  files.find((one) => one.name === name)?.text ?? "(no such file)";
const one = (text: string, name = "a.yml"): ConfigFile[] => [{ name, text }];
const refused = async (files: readonly ConfigFile[], given: unknown, file?: string): Promise<unknown> => {
  const error = await applyAct(files, actSchema.parse(given), file).catch((thrown: unknown) => thrown);
  if (!(error instanceof AppError)) throw new Error(`not refused: ${JSON.stringify(error)}`);
  return { code: error.code, problem: error.detail.problem, params: error.detail.params };
};
/** Lines that are not in the other text, in their order; the rest must be there in the same order. */
function added(before: string, after: string): string[] {
  const old = before.split(/(?<=\n)/);
  let next = 0;
  const rest = after.split(/(?<=\n)/).filter((line) => {
    if (line !== old[next]) return true;
    next += 1;
    return false;
  });
  expect(old.slice(next)).toEqual([]);
  return rest;
}

const site = `# Our sites.\t(tabs\tin a comment)
http:
    routers:
        # The shop comes first.
        shop:   # since 2019
            rule: "Host(\`shop.example\`)"   # quoted as it is
            entryPoints:   [ web ]
            middlewares:
            # limits first
            - limit    # keep
            service: 'backend'
            priority: 0x10
            # end of the shop

        admin: {rule: 'Host(\`admin.example\`)', service: backend, entryPoints: [websecure], tls: {options: modern}}
    # What they use.
    middlewares:
        limit: &limit
            rateLimit: {average:   100, burst: 50}
        same: *limit
    services:
        backend:
            loadBalancer:
                servers:
                - url: http://10.0.0.1:8080/a-very-long-address-that-nobody-folds-although-it-goes-on-and-on-and-on-for-ever
tls:
    options:
        modern: {minVersion: VersionTLS12}
# the end
`;
const lines = (text: string, from: string, to: string) => text.replace(from, to);

describe("a route", () => {
  const given = {
    act: "route",
    name: "docs",
    hosts: ["docs.example", "www.docs.example"],
    path: "/v2",
    to: { servers: ["http://10.0.0.7:80"] },
    entryPoints: ["websecure"],
    certResolver: "le",
    middlewares: ["limit"],
  };
  const written = `        docs:
            rule: (Host(\`docs.example\`) || Host(\`www.docs.example\`)) && PathPrefix(\`/v2\`)
            entryPoints: [websecure]
            middlewares: [limit]
            service: docs
            tls:
                certResolver: le
`;
  const server = `        docs:
            loadBalancer:
                servers:
                - url: http://10.0.0.7:80
`;

  test("is put behind the others, in the file's own indentation; every other line stays", async () => {
    const after = textIn(await done(one(site), given, "a.yml"), "a.yml");
    expect(added(site, after).join("")).toBe(written + server);
    expect(after).toContain(`tls: {options: modern}}\n${written}    # What they use.\n`);
    expect(after).toContain(`for-ever\n${server}tls:\n`);
  });

  test("goes into a file of its own where none is named", async () => {
    const after = await done(one(site), { ...given, middlewares: [] });
    expect(textIn(after, "a.yml")).toBe(site);
    expect(textIn(after, "sluice.yml")).toBe(`http:
  services:
    docs:
      loadBalancer:
        servers:
          - url: http://10.0.0.7:80
  routers:
    docs:
      rule: (Host(\`docs.example\`) || Host(\`www.docs.example\`)) && PathPrefix(\`/v2\`)
      entryPoints: [websecure]
      service: docs
      tls:
        certResolver: le
`);
  });

  test("that is there keeps what the form does not know, and its comments", async () => {
    const after = await done(one(site), {
      ...given,
      name: "shop",
      hosts: ["shop.example"],
      path: undefined,
      to: { service: "backend" },
      entryPoints: ["web"],
      certResolver: null,
      middlewares: ["limit"],
    });
    expect(after).toEqual(one(site));
    const other = await done(one(site), {
      ...given,
      name: "shop",
      hosts: ["new.example"],
      path: undefined,
      to: { service: "backend" },
      entryPoints: [],
      certResolver: "",
      middlewares: ["same", "limit"],
    });
    expect(textIn(other, "a.yml")).toBe(
      [
        [`rule: "Host(\`shop.example\`)"   #`, "rule: Host(`new.example`)   #"],
        ["            entryPoints:   [ web ]\n", ""],
        ["            # limits first\n", "            - same\n            # limits first\n"],
        ["            # end of the shop\n", "            # end of the shop\n            tls: {}\n"],
      ].reduce((text, [from = "", to = ""]) => lines(text, from, to), site),
    );
  });

  test("leaves what the form does not know of router, TLS and servers", async () => {
    const text = `http:
  routers:
    docs:
      rule: Host(\`docs.example\`)
      priority: 7
      observability: {accessLogs: false}
      service: docs
      tls:
        options: modern
        domains: [{main: docs.example}]
  services:
    docs:
      loadBalancer:
        passHostHeader: false
        servers:
          - url: http://10.0.0.7:80
            weight: 3 # the big one
          - url: http://10.0.0.8:80
`;
    const servers = ["http://10.0.0.9:80", "http://10.0.0.7:80"];
    const after = await done(one(text), { ...given, middlewares: [], to: { servers } });
    expect(contentOf(textIn(after, "a.yml"))).toMatchObject({
      http: {
        routers: {
          docs: {
            priority: 7,
            observability: { accessLogs: false },
            tls: { certResolver: "le", options: "modern", domains: [{ main: "docs.example" }] },
          },
        },
        services: {
          docs: {
            loadBalancer: {
              passHostHeader: false,
              servers: [{ url: "http://10.0.0.9:80" }, { url: "http://10.0.0.7:80", weight: 3 }],
            },
          },
        },
      },
    });
    expect(textIn(after, "a.yml")).toContain("weight: 3 # the big one\n");
  });

  test("with TLS takes the options that its host has", async () => {
    const after = await done(one(site), { ...given, hosts: ["admin.example"], middlewares: [] }, "a.yml");
    expect(contentOf(textIn(after, "a.yml"))).toMatchObject({
      http: { routers: { docs: { tls: { certResolver: "le", options: "modern" } } } },
    });
  });

  test("a path with backticks, quotes or braces stays one", async () => {
    const after = await done([], { ...given, hosts: ["a.example"], path: '/`"\\{{x', middlewares: [] });
    expect(textIn(after, "sluice.yml")).not.toContain("{{");
    expect(contentOf(textIn(after, "sluice.yml"))).toMatchObject({
      http: { routers: { docs: { rule: 'Host(`a.example`) && PathPrefix("/`\\"\\\\{{x")' } } },
    });
  });
});

describe("any layout", () => {
  const limit = {
    act: "ipAllowList",
    name: "office",
    ranges: ["10.0.0.0/8", "2001:db8::1"],
    routers: ["shop"],
  };

  test("CRLF, and a last line without its end", async () => {
    const text = site.replaceAll("\n", "\r\n").trimEnd();
    const after = textIn(await done(one(text), limit, "a.yml"), "a.yml");
    expect(after.replaceAll("\r\n", "")).not.toMatch(/[\r\n]/);
    expect(after.endsWith("# the end")).toBe(true);
    expect(added(text, after).join("")).toBe(
      '            - office\r\n        office:\r\n            ipAllowList:\r\n                sourceRange: [10.0.0.0/8, "2001:db8::1"]\r\n',
    );
  });

  test("JSON stays JSON", async () => {
    const value = {
      http: {
        routers: { shop: { rule: "Host(`a`)", service: "s", middlewares: ["m"] } },
        services: { s: { loadBalancer: { servers: [{ url: "http://a" }] } } },
        middlewares: { m: { addPrefix: { prefix: "/a" } } },
      },
    };
    for (const text of [
      JSON.stringify(value),
      JSON.stringify(value, null, "\t"),
      JSON.stringify(value, null, 2),
    ]) {
      const after = textIn(await done(one(text), limit, "a.yml"), "a.yml");
      expect(JSON.parse(after)).toMatchObject({
        http: {
          routers: { shop: { middlewares: ["office", "m"] } },
          middlewares: {
            office: { ipAllowList: { sourceRange: limit.ranges } },
            m: value.http.middlewares.m,
          },
        },
      });
    }
  });

  test("what an alias stands for stays as it is for the others", async () => {
    const text = `http:
  routers:
    one: &one
      rule: Host(\`a\`)
      service: noop@internal
      entryPoints: &points
        - web
    shop: *one
    two:
      <<: *one
      rule: Host(\`b\`)
`;
    const after = textIn(await done(one(text), limit, "a.yml"), "a.yml");
    expect(after).toBe(`http:
  routers:
    one: &one
      rule: Host(\`a\`)
      service: noop@internal
      entryPoints: &points
        - web
    shop:
      <<: *one
      middlewares: [office]
    two:
      <<: *one
      rule: Host(\`b\`)
  middlewares:
    office:
      ipAllowList:
        sourceRange: [10.0.0.0/8, "2001:db8::1"]
`);
    // The others would change with it.
    expect(await refused(one(text), { ...limit, routers: ["one"] })).toEqual({
      code: "REFUSED",
      problem: "routing.edit.layout",
      params: { file: "a.yml" },
    });
    const three = await done(one(text), { ...limit, routers: ["two"] }, "a.yml");
    expect(textIn(three, "a.yml")).toContain("      rule: Host(`b`)\n      middlewares: [office]\n");
  });

  test("empty sections, comments alone, a document's start", async () => {
    const route = {
      act: "route",
      name: "r",
      hosts: ["a"],
      to: { servers: ["http://b"] },
      entryPoints: [],
      certResolver: null,
    };
    const body = (step: string) => `${step}services:\n`;
    for (const text of [
      "",
      "# only\n# comments",
      "---\n",
      "{}\n",
      "http:\n",
      "http: {} # soon\n",
      "http: # soon\n",
      "http:\n  routers:\n",
    ]) {
      const after = textIn(await applyAct(one(text), actSchema.parse(route), "a.yml"), "a.yml");
      expect(problemsOf(one(after)), text).toEqual([]);
      expect(contentOf(after)).toMatchObject({ http: { routers: { r: { service: "r" } } } });
      for (const comment of text.match(/#.*/g) ?? []) expect(after).toContain(comment);
      expect(after).toContain(body("  "));
    }
  });

  test("what no form can edit is refused, and new things go elsewhere", async () => {
    const files = [
      { name: "a.toml", text: "[http.routers.toml]\n" },
      { name: "b.yml", text: "http:\n  routers:\n    templated:\n      rule: {{ env `RULE` }}\n" },
      { name: "c.yml", text: "http:\n  routers:\n    broken: [\n" },
      { name: "d.yml", text: "HTTP:\n  routers:\n    cased:\n      rule: x\n" },
      { name: "sluice.yml", text: "a: 1\na: 2\n" },
    ];
    const why = async (router: string) => refused(files, { ...limit, routers: [router] });
    expect(await why("toml")).toMatchObject({ code: "REFUSED", problem: "routing.edit.toml" });
    expect(await why("templated")).toMatchObject({ code: "REFUSED", problem: "routing.edit.template" });
    expect(await why("broken")).toMatchObject({ problem: "routing.edit.syntax", params: { file: "c.yml" } });
    expect(await why("cased")).toMatchObject({ problem: "routing.edit.layout", params: { file: "d.yml" } });
    expect(await why("none")).toEqual({
      code: "INVALID_INPUT",
      problem: "routing.edit.noRouter",
      params: { name: "none" },
    });
    expect(await refused(files, { ...limit, routers: [] }, "b.yml")).toMatchObject({
      problem: "routing.edit.template",
    });
    expect(await refused(files, { ...limit, routers: [] }, "new.toml")).toMatchObject({
      problem: "routing.edit.toml",
    });
    const after = await applyAct(files, actSchema.parse({ ...limit, routers: [] }));
    expect(after.slice(0, -1)).toEqual(files);
    expect(after.at(-1)?.name).toBe("sluice-2.yml");
  });

  test("names that every object has", async () => {
    const on = await done(one(site), { ...limit, name: "constructor", routers: ["shop"] }, "a.yml");
    expect(contentOf(textIn(on, "a.yml"))).toMatchObject({
      http: { middlewares: { constructor: { ipAllowList: { sourceRange: limit.ranges } } } },
    });
    const down = { act: "maintenance", name: "toString", on: true, entryPoints: [] };
    expect(await done(await done(one(site), down), { ...down, on: false })).toEqual(one(site));
  });

  test("a name that is something else's", async () => {
    for (const given of [
      { act: "basicAuth", name: "limit", users: [{ name: "a", password: "b" }], routers: [] },
      { act: "headers", name: "limit", response: [{ name: "X", value: "1" }], routers: [] },
      {
        act: "canary",
        name: "backend",
        parts: [
          { service: "a", weight: 1 },
          { service: "b", weight: 1 },
        ],
        routers: [],
      },
      { act: "maintenance", name: "shop", on: true, entryPoints: [] },
      { act: "maintenance", name: "shop", on: false, entryPoints: [] },
      { act: "maintenance", name: "backend", on: true, entryPoints: [] },
    ])
      expect(await refused(one(site), given)).toMatchObject({
        code: "CONFLICT",
        problem: "routing.edit.taken",
      });
  });

  test("YAML's own words and dates come out as the texts that they are", async () => {
    const values = [
      "2026-01-01",
      "012",
      "yes",
      "null",
      "1_000",
      "~",
      "a: b",
      "a #b",
      " a ",
      "{{ env }}",
      'it\'s "x"',
      "*a",
      "- a",
      "%",
      "@a",
      "a:",
      "",
    ];
    const response = values.map((value, index) => ({ name: `X-${index}`, value }));
    const after = textIn(await done([], { act: "headers", name: "h", response, routers: [] }), "sluice.yml");
    const content = contentOf(after) as {
      http: { middlewares: { h: { headers: { customResponseHeaders: object } } } };
    };
    expect(Object.values(content.http.middlewares.h.headers.customResponseHeaders)).toEqual(values);
    expect(after).toContain('X-0: "2026-01-01"');
    expect(after).not.toContain("{{");
  });

  test("whatever is patched: it says what was wanted, and the lines of the rest are those of before", () => {
    const word = fc.constantFrom("a", "b", "yes", "0x1", "{{", "c d", "é", "k: v", "#");
    const value = fc.oneof(
      word,
      fc.integer(),
      fc.boolean(),
      fc.array(word, { minLength: 1 }),
      fc.dictionary(word, word, { minKeys: 1 }),
    );
    fc.assert(
      fc.property(fc.dictionary(word, value, { minKeys: 1 }), fc.boolean(), (tree, crlf) => {
        const text = crlf ? site.replaceAll("\n", "\r\n") : site;
        const after = patched(text, { http: { middlewares: { fresh: { plugin: tree } } } });
        expect(contentOf(after ?? "")).toMatchObject({ http: { middlewares: { fresh: { plugin: tree } } } });
        added(text, after ?? "");
        expect(patched(after ?? "", { http: { middlewares: { fresh: null } } })).toBe(text);
      }),
    );
  });

  test("1,000 routers within a second of the processor", async () => {
    const router = (number: number) =>
      `    r${number}: # number ${number}\n      rule: Host(\`r${number}.example\`)\n      service: s\n      middlewares:\n        - m\n`;
    const text = `http:\n  middlewares:\n    m:\n      addPrefix:\n        prefix: /a\n  services:\n    s:\n      loadBalancer:\n        servers:\n          - url: http://a\n  routers:\n${Array.from({ length: 1000 }, (_, number) => router(number)).join("")}`;
    const start = process.cpuUsage();
    const act = actSchema.parse({ ...limit, routers: ["r0", "r500", "r999"] });
    const after = textIn(await applyAct(one(text), act), "a.yml");
    expect(process.cpuUsage(start).user).toBeLessThan(1_000_000);
    expect(added(text, after)).toEqual(Array.from({ length: 3 }, () => "        - office\n"));
  });
});

describe("middlewares", () => {
  test("headers are these exactly; empty ones are taken away by Traefik", async () => {
    const text = `http:
  middlewares:
    h:
      headers:
        stsSeconds: 60 # a minute
        customResponseHeaders:
          # why
          X-Old: "1"
          X-Both: 'same'
`;
    const both = { name: "X-Both", value: "same" };
    const response = [both, { name: "Server", value: "" }];
    const after = await done(one(text), { act: "headers", name: "h", response, routers: [] });
    expect(textIn(after, "a.yml")).toBe(
      text.replace('          X-Old: "1"\n', "").replace("'same'\n", "'same'\n          Server: \"\"\n"),
    );
    const none = await done(after, { act: "headers", name: "h", routers: [] });
    expect(contentOf(textIn(none, "a.yml"))).toEqual({
      http: { middlewares: { h: { headers: { stsSeconds: 60 } } } },
    });
    expect(await refused([], { act: "headers", name: "h", routers: [] })).toMatchObject({
      problem: "routing.edit.noHeaders",
    });
  });

  test("users of basic auth: hashed, kept, left out", async () => {
    const [old, secret] = [await hash("old", 4), "correct horse"];
    const text = `http:\n  middlewares:\n    auth:\n      basicAuth:\n        removeHeader: true\n        users:\n          # Anna\n          - "anna:${old}"\n          # Bert has left\n          - 'bert:x$y'\n`;
    const users = [{ name: "anna" }, { name: "carl", password: secret }];
    const after = textIn(
      await done(one(text), { act: "basicAuth", name: "auth", users, realm: "Ours", routers: [] }),
      "a.yml",
    );
    const made = /carl:(\S+)/.exec(after)?.[1] ?? "";
    expect(after).toBe(
      `${text.replace("          - 'bert:x$y'\n", `          - carl:${made}\n`)}        realm: Ours\n`,
    );
    expect(made).toMatch(/^\$2[aby]\$10\$/);
    expect(await compare(secret, made)).toBe(true);
    const no = (given: object) =>
      refused(one(text), { act: "basicAuth", name: "auth", routers: [], ...given });
    expect(await no({ users: [{ name: "dora" }] })).toMatchObject({ problem: "routing.edit.noPassword" });
    expect(await no({ users: [{ name: "dora", password: "é".repeat(40) }] })).toMatchObject({
      problem: "routing.edit.passwordLong",
    });
  });

  test("keep what the forms do not know", async () => {
    const auth = `anna:${await hash("a", 4)}`;
    const text = `http:
  middlewares:
    auth: {basicAuth: {users: ["${auth}"], removeHeader: true, headerField: X-User}}
    h: {headers: {stsSeconds: 60, customRequestHeaders: {X-A: "1"}, accessControlAllowOriginList: ["*"]}}
    office: {ipAllowList: {sourceRange: [10.0.0.0/8], rejectStatusCode: 404, ipStrategy: {depth: 1, excludedIPs: [10.1.0.0/16]}}}
`;
    const before = contentOf(text);
    let files = one(text);
    for (const given of [
      { act: "basicAuth", name: "auth", users: [{ name: "anna" }], routers: [] },
      { act: "headers", name: "h", request: [{ name: "X-A", value: "1" }], routers: [] },
      { act: "ipAllowList", name: "office", ranges: ["10.0.0.0/8"], depth: 1, routers: [] },
    ])
      files = await done(files, given);
    expect(contentOf(textIn(files, "a.yml"))).toEqual(before);
    const direct = await done(files, {
      act: "ipAllowList",
      name: "office",
      ranges: ["10.0.0.0/8"],
      routers: [],
    });
    expect(textIn(direct, "a.yml")).toContain("ipStrategy: {excludedIPs: [10.1.0.0/16]}");
  });

  test("a hash that would take hours to compare is written anew", async () => {
    const costly = `anna:$2y$31$${"a".repeat(53)}`;
    const text = `http:\n  middlewares:\n    auth:\n      basicAuth:\n        users: ["${costly}"]\n`;
    const given = (password?: string) =>
      actSchema.parse({ act: "basicAuth", name: "auth", users: [{ name: "anna", password }], routers: [] });
    expect(textIn(await applyAct(one(text), given()), "a.yml")).toBe(text);
    expect(textIn(await applyAct(one(text), given("pass")), "a.yml")).toMatch(/anna:\$2[aby]\$10\$/);
  });

  test("networks and rates, with proxies before them or not", async () => {
    const office = { act: "ipAllowList", name: "office", ranges: ["10.0.0.0/8"], depth: 2, routers: [] };
    const first = await done([], office);
    expect(contentOf(textIn(first, "sluice.yml"))).toEqual({
      http: {
        middlewares: { office: { ipAllowList: { sourceRange: ["10.0.0.0/8"], ipStrategy: { depth: 2 } } } },
      },
    });
    expect(textIn(await done(first, { ...office, depth: 0 }), "sluice.yml")).not.toContain("ipStrategy");
    expect(await refused([], { ...office, ranges: ["10.0.0.0/8", "10.0.0.0/33"] })).toEqual({
      code: "INVALID_INPUT",
      problem: "routing.edit.network",
      params: { value: "10.0.0.0/33" },
    });
    const rate = { act: "rateLimit", name: "rate", average: 5, periodS: 60, burst: 3, depth: 1, routers: [] };
    const text =
      "http:\n  middlewares:\n    rate:\n      rateLimit:\n        average: 1\n        sourceCriterion:\n          requestHost: true\n";
    expect(textIn(await done(one(text), rate), "a.yml")).toBe(
      "http:\n  middlewares:\n    rate:\n      rateLimit:\n        average: 5\n        sourceCriterion:\n          ipStrategy:\n            depth: 1\n        period: 60s\n        burst: 3\n",
    );
    expect(textIn(await done(one(text), { ...rate, depth: 0 }), "a.yml")).toContain("requestHost: true");
  });

  test("TLS options, for routers that have TLS", async () => {
    const given = {
      act: "tlsOptions",
      name: "strict",
      minVersion: "VersionTLS13",
      sniStrict: true,
      routers: ["admin"],
    };
    const after = textIn(await done(one(site), given, "a.yml"), "a.yml");
    expect(added(lines(site, "{options: modern}", "{options: strict}"), after).join("")).toBe(
      "        strict:\n            minVersion: VersionTLS13\n            sniStrict: true\n",
    );
    const no = (more: object) => refused(one(site), { ...given, ...more });
    expect(await no({ routers: ["shop"] })).toMatchObject({
      problem: "routing.edit.noTls",
      params: { name: "shop" },
    });
    expect(await no({ cipherSuites: ["TLS_AES"] })).toMatchObject({ problem: "routing.edit.cipherSuite" });
    expect(await no({ maxVersion: "VersionTLS12" })).toMatchObject({ problem: "routing.edit.tlsVersions" });
  });
});

test("a canary takes over the routers, and keeps what else the service says", async () => {
  const next =
    "        next:\n            loadBalancer:\n                servers:\n                - url: http://10.0.0.2\n";
  const text = lines(site, "tls:\n    options", `${next}tls:\n    options`);
  const parts = [
    { service: "backend", weight: 9 },
    { service: "next", weight: 1 },
  ];
  const given = { act: "canary", name: "split", parts, cookie: "part", routers: ["shop"] };
  const after = await done(one(text), given, "a.yml");
  expect(
    added(lines(text, "service: 'backend'", "service: split"), textIn(after, "a.yml")).join(""),
  ).toBe(`        split:
            weighted:
                services:
                - name: backend
                  weight: 9
                - name: next
                  weight: 1
                sticky:
                    cookie:
                        name: part
`);
  const moved = await done(after, { ...given, parts: [parts[0], { service: "next", weight: 5 }] });
  expect(textIn(moved, "a.yml")).toBe(lines(textIn(after, "a.yml"), "weight: 1\n", "weight: 5\n"));
  const no = (more: object) => refused(one(text), { ...given, ...more });
  expect(await no({ parts: [parts[0], { service: "split@file", weight: 1 }] })).toMatchObject({
    problem: "routing.edit.itself",
  });
  expect(await no({ parts: parts.map((part) => ({ ...part, weight: 0 })) })).toMatchObject({
    problem: "routing.edit.weights",
  });
});

describe("maintenance", () => {
  const given = {
    act: "maintenance",
    on: true,
    hosts: ["shop.example", "admin.example"],
    entryPoints: [],
    tls: true,
    bypass: {
      networks: ["10.0.0.0/8"],
      header: { name: "X-Pass", value: "a`b" },
      cookie: { name: "pass", value: "0123456789" },
    },
    retryAfterS: 600,
    until: "2026-12-01T06:00:00Z",
  };

  test("stands above all, has an end, and goes without a trace", async () => {
    const high = lines(site, "priority: 0x10", "priority: 20000");
    const on = await done(one(high), given, "a.yml");
    const rule = (hosts: string) =>
      `${hosts} && !ClientIP(\`10.0.0.0/8\`) && !Header(\`X-Pass\`, "a\`b") && !HeaderRegexp(\`Cookie\`, \`(^|; *)pass=0123456789(;|$)\`)`;
    expect(contentOf(textIn(on, "a.yml"))).toMatchObject({
      http: {
        routers: {
          maintenance: {
            rule: rule("(Host(`shop.example`) || Host(`admin.example`))"),
            priority: 20_001,
            middlewares: ["maintenance"],
            service: "maintenance",
          },
          "maintenance-tls": { rule: rule("Host(`shop.example`)"), priority: 20_001, tls: {} },
          "maintenance-tls-2": { rule: rule("Host(`admin.example`)"), tls: { options: "modern" } },
        },
        services: { maintenance: { loadBalancer: { servers: [] } } },
        middlewares: { maintenance: { headers: { customResponseHeaders: { "Retry-After": "600" } } } },
      },
    });
    expect(textIn(on, "a.yml")).toContain(
      "        # sluice: until 2026-12-01T06:00:00Z maintenance\n        maintenance:\n",
    );
    expect(endsIn(on)).toEqual([
      { name: "maintenance", until: new Date("2026-12-01T06:00:00Z"), file: "a.yml" },
    ]);
    const later = await done(on, { ...given, tls: false, until: undefined });
    expect(endsIn(later)).toEqual([]);
    expect(textIn(later, "a.yml")).toContain(
      "        # sluice: maintenance maintenance\n        maintenance:\n",
    );
    expect(textIn(later, "a.yml")).not.toContain("maintenance-tls");
    for (const files of [on, later])
      expect(await done(files, { act: "maintenance", on: false, entryPoints: [] })).toEqual(one(high));
  });

  test("in a file of its own, which goes with it; with a service that there is", async () => {
    const on = await done(one(site), { ...given, service: "backend", bypass: {}, hosts: [], path: "/shop" });
    expect(textIn(on, "sluice.yml")).toMatch(/^http:\n {2}routers:\n {4}# sluice: until \S+ maintenance\n/);
    expect(textIn(on, "sluice.yml")).toContain("rule: PathPrefix(`/shop`)\n");
    expect(textIn(on, "sluice.yml")).not.toContain("services");
    expect(await done(on, { ...given, on: false })).toEqual(one(site));
    expect(await done(one(site), { ...given, on: false })).toEqual(one(site));
  });

  test("in braces the comment has a line, too", async () => {
    const text = "http: {routers: {a: {rule: Host(`a`), service: noop@internal}}}\n";
    const on = await done(one(text), { ...given, service: "noop@internal", retryAfterS: undefined }, "a.yml");
    expect(endsIn(on)).toHaveLength(1);
    const off = await done(on, { ...given, on: false });
    expect(endsIn(off)).toEqual([]);
    expect(contentOf(textIn(off, "a.yml"))).toEqual(contentOf(text));
  });
});

describe("redirects", () => {
  const given = (csv: string, more: object = {}) => ({
    act: "redirects",
    name: "moved",
    csv,
    entryPoints: [],
    certResolver: null,
    ...more,
  });
  const written = async (csv: string, files: ConfigFile[] = []) => {
    const after = await done(files, given(csv));
    const { http } = contentOf(textIn(after, "sluice.yml")) as unknown as {
      http: {
        routers: Record<string, { rule: string; middlewares: string[]; priority?: number }>;
        middlewares: Record<
          string,
          { redirectRegex: { regex: string; replacement: string; permanent: boolean } }
        >;
      };
    };
    return Object.values(http.routers).map(({ rule, middlewares, priority }) => ({
      rule,
      priority,
      ...http.middlewares[middlewares[0] ?? ""]?.redirectRegex,
    }));
  };

  test("of all forms, one middleware for each target", async () => {
    const csv = `from,to,kind\r\n"https://Old.example:443/a%20b/é",https://new.example/$1,permanent\r\n\r\nold.example/x,/y#z,302\n/every,new.example,\nold.example/?id=3&all,https://new.example/3\nbücher.example/,/every?q=1\n"a.example/,""`;
    const rows = await written(csv.replace('"a.example/,""', "a.example/,new.example"));
    expect(rows.map(({ rule }) => rule)).toEqual([
      "Host(`old.example`) && Path(`/a b/é`)",
      "Host(`old.example`) && Path(`/x`)",
      "Path(`/every`)",
      "Host(`old.example`) && Path(`/`) && Query(`id`, `3`) && Query(`all`)",
      "Host(`xn--bcher-kva.example`) && Path(`/`)",
      "Host(`a.example`) && Path(`/`)",
    ]);
    expect(rows.map(({ replacement }) => replacement)).toEqual([
      "https://new.example/$$1$1",
      "/y$1#z",
      "https://new.example$1",
      "https://new.example/3",
      "/every?q=1",
      "https://new.example$1",
    ]);
    expect(rows.map(({ permanent }) => permanent)).toEqual([true, false, true, true, true, true]);
    expect(new Set(rows.map(({ regex }) => regex))).toEqual(new Set(["^[^?]*(\\?.*)?$", "^.*$"]));
    const after = await done([], given(csv.replace('"a.example/,""', "a.example/,new.example")));
    expect(textIn(after, "sluice.yml").match(/redirectRegex/g)).toHaveLength(5);
  });

  test("stand above what is there for the host, and are added to those of before", async () => {
    const files = one(lines(site, "priority: 0x10", "priority: 900"));
    const first = await done(files, given("shop.example/a;/1\nshop.example/b;/2"));
    expect(textIn(first, "sluice.yml").match(/priority: 901/g)).toHaveLength(2);
    const second = textIn(await done(first, given("shop.example/b\t/1\nshop.example/c\t/3")), "sluice.yml");
    const { http } = contentOf(second) as unknown as { http: { routers: object; middlewares: object } };
    expect(Object.keys(http.routers)).toEqual(["moved-1", "moved-2", "moved-3"]);
    expect(Object.keys(http.middlewares)).toEqual(["moved-1", "moved-3"]);
    expect(http.routers).toMatchObject({
      "moved-2": { middlewares: ["moved-1"] },
      "moved-3": { middlewares: ["moved-3"] },
    });
  });

  test("each faulty line is told", async () => {
    const csv = [
      "a.example/,b.example/",
      "a.example",
      "a b/,c",
      "a.example/x,http://",
      "/a,/b,never",
      "/a%zz,/b",
      "/c,/c",
      "a.example/,c.example/",
      "/d,//other.example/",
      "/e,ftp://other.example/",
      "/f,new",
      'x"y,/z',
    ].join("\n");
    const error = await applyAct([], actSchema.parse(given(csv))).catch((thrown: unknown) => thrown);
    if (!(error instanceof AppError)) throw new Error("not refused");
    expect(error.code).toBe("INVALID_INPUT");
    expect(
      (error.detail.problems ?? [])
        .map(({ field, problem }) => `${field} ${problem.split(".").at(-1)}`)
        .sort(),
    ).toEqual([
      "csv.10 to",
      "csv.11 to",
      "csv.12 quote",
      "csv.2 columns",
      "csv.3 from",
      "csv.4 to",
      "csv.5 kind",
      "csv.6 from",
      "csv.7 itself",
      "csv.8 twice",
      "csv.9 to",
    ]);
    expect(await refused([], given("from,to\n"))).toMatchObject({ problem: "routing.csv.none" });
  });

  test("more than the files may hold are refused, and it is said how many fit", async () => {
    const filler = (bytes: number) => ({ name: "z.yml", text: `#${"é".repeat(bytes / 2)}`.slice(0, -1) });
    expect(configFiles.safeParse([{ name: "z.yml", text: "x".repeat(2_000_000) }]).success).toBe(true);
    expect(configFiles.safeParse([{ name: "z.yml", text: "x".repeat(2_000_001) }]).success).toBe(false);
    const files = [filler(1_950_000)];
    const table = (count: number) =>
      Array.from(
        { length: count },
        (_, number) => `/o${1000 + number},https://w.example/n${1000 + number}`,
      ).join("\n");
    const error = await applyAct(files, actSchema.parse(given(table(1000)))).catch(
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof AppError)) throw new Error("not refused");
    expect([error.code, error.detail.problem, error.detail.params?.count]).toEqual([
      "INVALID_INPUT",
      "routing.csv.tooMany",
      1000,
    ]);
    const fits = Number(error.detail.params?.fits);
    expect(
      configFiles.safeParse(await applyAct(files, actSchema.parse(given(table(fits - 2))))).success,
    ).toBe(true);
    await expect(applyAct(files, actSchema.parse(given(table(fits + 5))))).rejects.toThrow(AppError);
    const route = {
      act: "route",
      name: "r",
      hosts: ["a.example"],
      to: { service: "s" },
      entryPoints: [],
      certResolver: null,
    };
    expect(await refused([filler(1_999_998)], route)).toMatchObject({ problem: "routing.edit.tooLarge" });
  });

  test("thousands of them, twice", async () => {
    const csv = Array.from(
      { length: 3000 },
      (_, number) => `old.example/page-${number},https://new.example/${number}`,
    ).join("\n");
    const act = actSchema.parse(given(csv));
    const start = process.cpuUsage();
    const after = await applyAct(one(site), act);
    const again = await applyAct(after, act);
    expect(process.cpuUsage(start).user).toBeLessThan(10_000_000);
    expect(again).toEqual(after);
    expect(textIn(after, "sluice.yml").match(/redirectRegex/g)).toHaveLength(3000);
  });
});
