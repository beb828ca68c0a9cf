// What leaves as a mark and comes back as what it was.
import fc from "fast-check";
import { expect, test } from "vitest";
import { AppError } from "../../errors/app-error";
import { validateDirectory } from "../validate/validate";
import { masked, maskedValue, restored } from "./secrets";

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
  const bare = out.replace(/sluice-kept-[0-9a-f]{16}/g, "*");
  expect(bare).toBe(`# users: "in a comment:*"
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
  expect(maskedValue("users[0]", `a:${bcrypt}`)).toBe(
    masked(file(`users: ["a:${bcrypt}"]`))[0]?.text.slice(9, -2),
  );
});
