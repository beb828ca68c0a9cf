// What leaves as a mark and comes back as what it was.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { AppError } from "../../errors/app-error";
import { forgetSingleton } from "../../runtime/singleton";
import { validateDirectory } from "../validate/validate";
import { masked, maskedValue, restored } from "./secrets";

const data = mkdtempSync(join(tmpdir(), "sluice-secrets-"));
process.env.SLUICE_DATA = data;
afterAll(() => rmSync(data, { recursive: true, force: true }));

const bcrypt = "$2y$10$abcdefghijklmnopqrstuuO1nNf3w0iP0Jc1xQe4cVb9yHk2sLmWq";
const apr1 = "$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/";
const crypt = "rqXexS6ZhobKA";
const sha = "{SHA}5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8";
const digest = "900150983cd24fb0d6963f7d28e17f72";
const key = (indent: string) =>
  ["-----BEGIN RSA PRIVATE KEY-----", "MIIEpAIBAAKCAQEA+/=", "-----END RSA PRIVATE KEY-----"].join(
    `\n${indent}`,
  );
const hidden = [
  bcrypt,
  apr1,
  crypt,
  sha,
  digest,
  "MIIEpAIBAAKCAQEA",
  "Basic YTpi",
  "it''s",
  "tokén\\u0021",
  "hunter2",
];
const text = `# users: "in a comment:${bcrypt}"
http:
  middlewares:
    auth:
      basicAuth:
        users:
          - anna:${bcrypt} # hers
          - "bert:${apr1}"
          - 'carl:${crypt}'
          - dora:${sha}
        removeHeader: true
    digest: {digestAuth: {users: ["eve:our realm:${digest}"]}}
    to:
      headers:
        accessControlAllowCredentials: true
        customRequestHeaders:
          Authorization: Basic YTpi
          X-Api-Key: 'it''s'
          X-Shown: shown
    plugin:
      plugin:
        x: {apiToken: "tokén\\u0021", secret: "{{ env \`X\` }}", password: hunter2, certFile: /a}
  serversTransports:
    t:
      certificates:
        - keyFile: |
            ${key("            ")}
          certFile: "${key("\\n").replaceAll("\n", "")}"
`;
const file = (content: string, name = "a.yml") => [{ name, text: content }];

test("hashes, keys and tokens become marks, and nothing else does", () => {
  const [{ text: out } = { text: "" }] = masked(file(text));
  for (const secret of hidden) expect(out).not.toContain(secret);
  expect(out.replace(/sluice-kept-[0-9a-f]{16}/g, "*")).toBe(`# users: "in a comment:*"
http:
  middlewares:
    auth:
      basicAuth:
        users:
          - anna:* # hers
          - "bert:*"
          - 'carl:*'
          - dora:*
        removeHeader: true
    digest: {digestAuth: {users: ["eve:our realm:*"]}}
    to:
      headers:
        accessControlAllowCredentials: true
        customRequestHeaders:
          Authorization: *
          X-Api-Key: '*'
          X-Shown: shown
    plugin:
      plugin:
        x: {apiToken: "*", secret: "{{ env \`X\` }}", password: *, certFile: /a}
  serversTransports:
    t:
      certificates:
        - keyFile: |
            *
          certFile: "*"
`);
  expect(restored(masked(file(text)), [file(text)])).toEqual(file(text));
  expect(masked(masked(file(text)))).toEqual(masked(file(text)));
});

test("Traefik would take the marks where it took the secrets", () => {
  const plain = text.replace(/^.*plugin:\n.*plugin:\n.*\n/m, "");
  const codes = (files: ReturnType<typeof file>) => validateDirectory(files, {}).map(({ code }) => code);
  expect(codes(masked(file(plain)))).toEqual(codes(file(plain)));
});

test("TOML, templates and broken YAML, too", () => {
  for (const [content, name] of [
    [`[a]\npassword = "hunter2"\nusers = ["a:${bcrypt}"]\n'token' = 'hunter2' # x\n`, "a.toml"],
    [`{{ range . }}\nusers:\n- "a:${bcrypt}"\n{{ end }}\npassword: hunter2\n`, "a.yml"],
    [`users: [ "a:${bcrypt}"\n  b: [\npassword: "hunter2"\n`, "a.yml"],
    [`a: 1\n---\npassword: hunter2\n`, "a.yml"],
    [`key: |\n  -----BEGIN PRIVATE KEY-----\n  hunter2\n`, "a.yml"],
  ] as const) {
    const out = masked(file(content, name));
    expect(out[0]?.text).not.toContain("hunter2");
    expect(out[0]?.text).not.toContain(bcrypt);
    expect(restored(out, [file(content, name)])).toEqual(file(content, name));
  }
});

const bare = (content: string, name?: string) =>
  masked(file(content, name))[0]?.text.replace(/sluice-kept-[0-9a-f]{16}/g, "*");
const hunted = "hunter2secret";

test.each([
  ["a number", "redis:\n  password: 12345678\n", "redis:\n  password: *\n"],
  ["a block", `password: |-\n    ${hunted}\n    more\nx: 1\n`, "password: |-\n    *\nx: 1\n"],
  ["an alias", `x: &p ${hunted}\npassword: *p\n`, "x: &p *\npassword: *p\n"],
  [
    "a list",
    `apiKeys:\n  - ${hunted}\n  - 2\ntokens: [${hunted}, "b"]\n`,
    'apiKeys:\n  - *\n  - *\ntokens: [*, "*"]\n',
  ],
  ["a comment", `# password: ${hunted}\nx: 1 # token = "${hunted}"\n`, '# password: *\nx: 1 # token = "*"\n'],
  [
    "beside a template",
    `secret: "${hunted}{{ 1 }}"\ntoken: "{{ env "X" }}"\n`,
    'secret: "*"\ntoken: "{{ env "X" }}"\n',
  ],
  [
    "an address",
    `url: http://ann:${hunted}@10.0.0.1:80/x?api_key=${hunted}&y=1#z\n`,
    "url: http://ann:*@10.0.0.1:80/x?api_key=*&y=1#z\n",
  ],
  [
    "headers",
    `Cookie: s=${hunted}\nX-Auth-Key: ${hunted}\nX-Auth: a\nX-Signature: a\n`,
    "Cookie: *\nX-Auth-Key: *\nX-Auth: *\nX-Signature: *\n",
  ],
  ["commas in broken YAML", "a: [\nX-Token: a,b # c\nx: 1\n", "a: [\nX-Token: * # c\nx: 1\n"],
  [
    "an action begun far above",
    `a: {{ \npassword: ${hunted}\nb: {c: {}}\n`,
    "a: {{ \npassword: *\nb: {c: {}}\n",
  ],
  ["broken YAML", `a: [\npassword: '${hunted}''s'\n`, "a: [\npassword: '*'\n"],
  [
    "a list in broken YAML",
    `a: {{ \nusers:\n\n  - "a:b"\n  - carl:${crypt} # x\nb: 1\n`,
    `a: {{ \nusers:\n\n  - "a:*"\n  - carl:* # x\nb: 1\n`,
  ],
  [
    "no secrets",
    "accessControlAllowCredentials: true\nsticky: {cookie: {name: a}}\nurl: http://[::1]:80/@x\ntoken: null\n",
    null,
  ],
])("what was not seen before: %s", (_, content, expected) => {
  expect(bare(content)).toBe(expected ?? content);
  // An alias uses it where it would be seen: it stays a mark.
  if (!content.includes("*p"))
    expect(restored(masked(file(content)), [file(content)])).toEqual(file(content));
  expect(masked(masked(file(content)))).toEqual(masked(file(content)));
});

test("TOML's lists, tables in a line, numbers and long texts", () => {
  const content = `redis = { password = "${hunted}", db = 1 }\npin_secret = 1234\ntokens = [\n "a", # one\n 'b',\n]\nusers = ["carl:${crypt}"]\nsecret = """\nx\n"""\nx = 1\n`;
  expect(bare(content, "a.toml")).toBe(
    'redis = { password = "*", db = 1 }\npin_secret = *\ntokens = [\n "*", # one\n \'*\',\n]\nusers = ["carl:*"]\nsecret = """*"""\nx = 1\n',
  );
  expect(restored(masked(file(content, "a.toml")), [file(content, "a.toml")])).toEqual(
    file(content, "a.toml"),
  );
});

test("a secret comes back only where it is a mark again", () => {
  const source = file(`redis:\n  password: ${hunted}\nusers:\n  - "a:${crypt}"\n`);
  const [mark = "", other = ""] = masked(source)[0]?.text.match(/sluice-kept-\w+/g) ?? [];
  const problem = (content: string, name?: string) => {
    try {
      restored(file(content, name), [source]);
      return null;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      expect(error.message).not.toContain(hunted);
      return [error.code, error.detail.problem, error.detail.params?.line];
    }
  };
  for (const [line, content] of [
    [3, `http:\n  routers:\n    r: {rule: x, service: ${mark}}\n`],
    [2, `customResponseHeaders:\n  X-Foo: ${mark}\n`],
    [1, `${mark}: 1\n`],
    [1, `# ${mark}\n`],
    [1, `accessControlAllowCredentials: ${mark}\n`],
    [1, `password: a ${mark}\n`],
    [1, `password: "${mark}${other}"\n`],
    [2, `service: &s\n  ${mark}\npassword: *s\n`],
    [1, `password: &s ${mark}\nservice: *s\n`],
    [1, `tokens: &s [${mark}]\nmiddlewares: *s\n`],
    [1, `url: http://${mark}@a\n`],
    [2, `password: ${mark}\nservice: ${mark}\n`],
  ] as const)
    expect(problem(content), content).toEqual(["INVALID_INPUT", "routing.secretSeen", line]);
  expect(problem(`service = "${mark}"\n`, "a.toml")).toEqual(["INVALID_INPUT", "routing.secretSeen", 1]);
  for (const content of [
    `secret: '${mark}'\n`,
    `tokens:\n- ${mark}\n`,
    `users: ["b:${other}"]\n`,
    `address: http://u:${mark}@a/\n`,
    `password: &s ${mark}\ntoken: *s\n`,
  ])
    expect(problem(content), content).toBeNull();
});

test("marks are this server's, and the same after a restart", () => {
  const content = file("password: hunter2\n");
  const before = masked(content);
  forgetSingleton("routing.files.markKey");
  forgetSingleton("auth.secret");
  expect(masked(content)).toEqual(before);
  process.env.SLUICE_DATA = join(data, "other");
  forgetSingleton("routing.files.markKey");
  forgetSingleton("auth.secret");
  expect(masked(content)).not.toEqual(before);
});

test.each([
  ["open templates", `a: ${"{{".repeat(100_000)}`],
  ["open lists", `a: ${"[".repeat(200_000)}`],
  ["digests on one line", `a: "${`x:y:${digest} `.repeat(5000)}"`],
  ["many tokens", Array.from({ length: 5000 }, (_, index) => `a${index}token: v${index}`).join("\n")],
  ["addresses without end", `a: ${"x://u:".repeat(30_000)}`],
  ["open quotes", `# ${"token: '".repeat(25_000)}`],
  [
    "an anchor used often",
    `a: &a x\n${Array.from({ length: 5000 }, (_, index) => `t${index}token: *a`).join("\n")}`,
  ],
])("takes no time that grows with the square: %s", (_, content) => {
  const start = process.cpuUsage();
  masked([...file(content), ...file(content, "a.toml")]);
  expect(process.cpuUsage(start).user).toBeLessThan(2_500_000);
});

test("a mark moves with its line, from whatever source; one that nobody explains is refused", () => {
  const [one, other] = [file(`users:\n- a:${bcrypt}\n`), file(`password: hunter2\n`)];
  const moved = [
    {
      name: "new.yml",
      text: masked(other)
        .concat(masked(one))
        .map((each) => each.text)
        .join("\r\n"),
    },
  ];
  expect(restored(moved, [one, other])[0]?.text).toBe(`password: hunter2\n\r\nusers:\n- a:${bcrypt}\n`);
  try {
    restored(moved, [other]);
    throw new Error("not refused");
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    expect([error.code, error.detail.problem, error.detail.params]).toEqual([
      "INVALID_INPUT",
      "routing.secretLost",
      { file: "new.yml", line: 4 },
    ]);
  }
});

test("whatever the file: what was masked comes back byte for byte", () => {
  const part = fc.constantFrom(
    ...[
      bcrypt,
      apr1,
      sha,
      digest,
      crypt,
      key("  "),
      "users:\n- ",
      "password: ",
      "Authorization: ",
      "token: '",
      'secret: "',
      "a:b:",
      "a:",
    ],
    ...[
      "\n",
      "\r\n",
      "  ",
      "# ",
      "'",
      '"',
      "{",
      "}",
      "[",
      "]",
      ", ",
      "|\n  ",
      "&a ",
      "*a",
      "{{ x }}",
      "é",
      "sluice-kept-",
      "0123456789abcdef",
      "-----BEGIN PRIVATE KEY-----",
    ],
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(part, fc.string()), { maxLength: 12 }), fc.boolean(), (parts, toml) => {
      const files = file(parts.join(""), toml ? "a.toml" : "a.yml");
      expect(restored(masked(files), [files])).toEqual(files);
    }),
    { numRuns: 300 },
  );
});

test("values for a comparison", () => {
  const shown = (path: string, value: string) =>
    maskedValue(path, value).replace(/sluice-kept-[0-9a-f]{16}/g, "*");
  expect(shown("basicAuth.users[0]", `anna:${bcrypt}`)).toBe("anna:*");
  expect(shown("digestAuth.users[10]", "anna:realm:x")).toBe("anna:realm:*");
  expect(shown("headers.customRequestHeaders.Authorization", "Basic YTpi")).toBe("*");
  expect(shown("redis.password", "hunter2")).toBe("*");
  expect(shown("certificates[0].keyFile", key(""))).toBe("*");
  expect(shown("rule", "Host(`a:b`)")).toBe("Host(`a:b`)");
  expect(shown("loadBalancer.servers[0].url", "http://ann:p@ss@a:80/")).toBe("http://ann:*@a:80/");
  expect(shown("plugin.x.tokens[1]", "1234")).toBe("*");
  expect(shown("errors.query", "/e --token abcdef")).toBe("/e --token •••");
  expect(maskedValue("users[0]", `a:${bcrypt}`)).toBe(
    masked(file(`users: ["a:${bcrypt}"]`))[0]?.text.slice(9, -2),
  );
});
