// Places, codes and words of what is told; that Traefik sees it the same way is tested on a real one (validate.stack.test.ts).
import { readFileSync } from "node:fs";
import { createTranslator } from "next-intl";
import { describe, expect, test } from "vitest";
import en from "@/messages/en.json";
import fr from "@/messages/fr.json";
import { cases, known } from "./cases.fixture";
import { decode } from "./decode";
import { isMediaType, parseBool, parseDuration, parseInt64, unquote, urlProblem } from "./go";
import type { Problem, Tell } from "./problem";
import { validateDirectory, validateFile } from "./validate";
import { readYaml, resolved } from "./yaml";

const reference = readFileSync(new URL("./fixtures/traefik-file-reference.yaml", import.meta.url), "utf8");
const check = (files: Readonly<Record<string, string>>): Problem[] =>
  validateDirectory(
    Object.entries(files).map(([name, text]) => ({ name, text })),
    known,
  );
/** Anchors that are used again and again, nine times each; the eighth level stands for 43 million. */
const nineTimes = (level: (use: string) => string): string =>
  [
    "x-0: &a0 {k: v}",
    ...Array.from({ length: 8 }, (_, index) => `x-${index + 1}: &a${index + 1} ${level(`*a${index}`)}`),
  ].join("\n");
const nine = (use: string) => Array.from({ length: 9 }, () => use).join(", ");
const middleware = (kind: string, options: unknown): string =>
  JSON.stringify({
    http: {
      routers: { r: { rule: "Path(`/`)", service: "noop@internal", middlewares: ["m"] } },
      middlewares: { m: { [kind]: options } },
    },
  });
const numbered = <T>(count: number, one: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => one(index));
/** Files of which more is made than anybody can wait for. */
const hostile = {
  "merges of merges": `http: {middlewares: {m: {headers: {customRequestHeaders: *a8}}}}\n`.replace(
    /^/,
    `${nineTimes((use) => `{<<: [${nine(use)}]}`)}\n`,
  ),
  "a long list again and again": `x-a: &a [${"x,".repeat(5000)}]\nhttp:\n  middlewares:\n${numbered(
    100,
    (index) => `    m${index}: {chain: {middlewares: *a}}\n`,
  ).join("")}`,
  "a long text again and again": `x-a: &a ${"x".repeat(100_000)}\nhttp:\n  middlewares:\n    m: {chain: {middlewares: [${"*a,".repeat(3000)}]}}\n`,
  "too many headers": `http:\n  middlewares:\n    m:\n      headers:\n        customRequestHeaders:\n${numbered(
    200_100,
    (index) => `          X-${index}: v\n`,
  ).join("")}`,
  "services that lead to services": JSON.stringify({
    http: {
      services: Object.fromEntries(
        numbered(20_000, (index) => [`s${index}`, { weighted: { services: [{ name: `s${index + 1}` }] } }]),
      ),
    },
  }),
  "many unknown keys": `http:\n  routers:\n${numbered(
    600,
    (index) => `    r${index}: {ruel: "Path(\`/\`)", service: s@docker}\n`,
  ).join("")}`,
};
const codesOf = (problems: readonly Problem[]): string[] => problems.map(({ code }) => code);
/** "line:column-endLine:endColumn code effect". */
const placed = (problems: readonly Problem[]): string[] =>
  problems.map(
    (one) => `${one.line}:${one.column}-${one.endLine}:${one.endColumn} ${one.code} ${one.effect}`,
  );

describe("the complete sample of Traefik", () => {
  test("is decoded without a word", () => {
    const told: string[] = [];
    const tell: Tell = (_, __, code) => told.push(code);
    const trees = readYaml("a.yml", reference, tell);
    expect(trees?.map(({ name }) => name)).toEqual(["http", "tcp", "tls", "udp"]);
    decode(trees ?? [], { file: "a.yml", start: 0, end: 0 }, tell);
    expect(told).toEqual([]);
  });

  // Names that are somebody's own end with a number: Router0, name1.
  const free = /^(\w*(Router|Service|Middleware|ServersTransport|Options|Store|PluginConf)|name)\d+$/;
  const lines = reference.split("\n");
  const keys = lines.flatMap((line, index) => {
    const found = /^( *(?:- )?)(\w+):/.exec(line);
    return found ? [{ index, before: found[1]?.length ?? 0, key: found[2] ?? "" }] : [];
  });

  test(`with any one of its ${keys.length} keys misspelt, that key is told at its place`, () => {
    const silent: string[] = [];
    let fixed = 0;
    for (const { index, before, key } of keys) {
      const text = lines.with(index, (lines[index] ?? "").replace(`${key}:`, `${key}x:`)).join("\n");
      const effect = before === 0 ? "ignored" : "rejected";
      const told = validateFile("a.yml", text).filter(
        (one) => one.effect === effect && /^unknown(Top)?Key(Near)?$/.test(one.code),
      );
      if (free.test(key)) {
        if (told.length > 0) silent.push(`line ${index + 1}: ${key} may have any name`);
        continue;
      }
      fixed += 1;
      const place = `${index + 1}:${before + 1}-${index + 1}:${before + key.length + 2}`;
      if (placed(told).join() !== `${place} ${told[0]?.code} ${effect}` || told[0]?.params.key !== `${key}x`)
        silent.push(`line ${index + 1}: ${key}: ${placed(told)}`);
    }
    expect(silent).toEqual([]);
    expect(fixed).toBeGreaterThan(400);
  }, 120_000);

  test("with an empty map for any one of its maps, that is told, except where Traefik takes one", () => {
    // Of the tag file:"allowEmpty", and where names are free.
    const mayBeEmpty =
      /^(tls|sticky|cookie|healthCheck|compress|contentType|ipStrategy|spiffe|proxyProtocol)$/;
    const wrong: string[] = [];
    for (const [position, { index, before, key }] of keys.entries()) {
      const next = keys[position + 1];
      const below = lines[index + 1] ?? "";
      if (!next || next.before <= before || below.trim().startsWith("-")) continue;
      let end = index + 1;
      while (end < lines.length && /^ */.exec(lines[end] ?? "")?.[0].length !== undefined) {
        const line = lines[end] ?? "";
        if (line.trim() !== "" && line.search(/\S/) <= before) break;
        end += 1;
      }
      const text = [...lines.slice(0, index), `${" ".repeat(before)}${key}: {}`, ...lines.slice(end)].join(
        "\n",
      );
      const told = validateFile("a.yml", text).filter(({ effect }) => effect === "rejected");
      const place = `${index + 1}:${before + 1}-${index + 1}:${before + key.length + 1}`;
      const expected = free.test(key) || mayBeEmpty.test(key) ? [] : [`${place} emptyElement rejected`];
      // The same name may be both: weighted's sticky must not be empty, and loadBalancer's may.
      if (placed(told).join() !== expected.join() && !mayBeEmpty.test(key))
        wrong.push(`${key}: ${placed(told)}`);
    }
    expect(wrong).toEqual([]);
  }, 120_000);
});

describe("what is told", () => {
  test.each(cases)("$what", ({ files, codes }) => {
    const told = codesOf(check(files));
    for (const code of codes) expect(told).toContain(code);
    if (codes.length === 0) expect(told).toEqual([]);
  });

  const all = [
    ...cases.flatMap(({ files }) => check(files)),
    ...check({
      "a.yml": JSON.stringify({
        udp: {
          routers: { r: { entryPoints: ["dns"], service: "s" } },
          services: { s: { weighted: { services: [{ name: "s" }] } } },
        },
      }),
    }),
    ...(["merges of merges", "many unknown keys"] as const).flatMap((name) =>
      check({ "a.yml": hostile[name] }),
    ),
  ];

  test.each([
    ["en", en],
    ["fr", fr],
  ] as const)("has its sentence in %s, and every sentence is told of something", (locale, messages) => {
    const failed: string[] = [];
    const say = createTranslator({
      locale,
      messages: { validation: messages.routing.validation } as Record<string, Record<string, string>>,
      namespace: "validation",
      onError: (error) => failed.push(error.message),
    });
    for (const { code, params } of all) expect(say(code, params), code).toMatch(/[.?]$/);
    expect(failed).toEqual([]);
    expect([...new Set(codesOf(all))].sort()).toEqual(Object.keys(messages.routing.validation).sort());
  });

  test("stands where it is", () => {
    const text = [
      "http:",
      "  routers:",
      "    shop:",
      '      rule: "Host(`a.example`) & Path(`/`)"',
      "      service: none",
      "      entryPoints:",
      "        - web",
      "        - wbe",
      "  middlewares:",
      "    auth: &auth",
      "      basicAuth:",
      "        users: [somebody]",
      "    other: *auth",
    ].join("\n");
    expect(placed(check({ "a.yml": text }))).toEqual([
      "4:32-4:44 badRule disabled",
      "5:16-5:20 unknownService disabled",
      "8:11-8:14 unknownEntryPoint ignored",
      "12:17-12:25 badUser none",
      "12:17-12:25 badUser none",
    ]);
  });

  test("stands where it is behind a template's constant", () => {
    const text =
      'http:\n  routers: # {{ "a" }}{{/* b */}} c\n    r: {rule: Host(`a`), servce: {{ `s` }}, x: 1}\n';
    expect(placed(check({ "a.yml": text })).slice(0, 2)).toEqual([
      "3:5-3:6 routerWithoutService disabled",
      "3:26-3:32 unknownKeyNear rejected",
    ]);
  });

  test("never holds a password's hash", () => {
    const hash = "$apr1$never$told";
    const middlewares = {
      m: { basicAuth: { users: [hash, `a:b:${hash}`] } },
      n: { digestAuth: { users: [hash] } },
    };
    const told = check({ "a.yml": JSON.stringify({ http: { middlewares } }) });
    expect(codesOf(told)).toEqual(["badUser", "badUser", "badUser"]);
    expect(JSON.stringify(told)).not.toContain("never");
  });

  test("says what was meant", () => {
    const problems = validateFile("a.yml", "http:\n  routers:\n    r: {entrypoint: [web]}\n");
    expect(problems.find(({ effect }) => effect === "rejected")).toMatchObject({
      code: "unknownKeyNear",
      params: { key: "entrypoint", near: "entryPoints", where: "r" },
    });
    expect(validateFile("a.yml", "htpp: {}\n")[0]?.params).toEqual({ key: "htpp", near: "http" });
  });
});

// They are given more time than they need, where others work too: what they must not do would take hours, or all memory.
describe("hostile files", { timeout: 120_000 }, () => {
  test.each([
    "merges of merges",
    "a long list again and again",
    "a long text again and again",
    "too many headers",
  ] as const)("%s: it is told once that there is too much", (name) => {
    expect(check({ "a.yml": hostile[name] }).map(({ code, effect }) => [code, effect])).toEqual([
      ["tooMuch", "none"],
    ]);
  });

  test("an anchor is used as often as one likes, where that is not much", () => {
    const uses = numbered(20_000, (index) => `          X-${index}: *a\n`).join("");
    const text = `x-a: &a v\nhttp:\n  middlewares:\n    m:\n      headers:\n        customRequestHeaders:\n${uses}`;
    expect(codesOf(check({ "a.yml": text }))).toEqual(["unknownTopKey"]);
  });

  test("an anchor stands for the last one before it, and for nothing where there is none", () => {
    const text =
      "http:\n  routers:\n    r: {rule: &a Path(`/`), service: noop@internal}\n    s: {rule: &a none, service: noop@internal}\n    t: {rule: *a, service: noop@internal}\n";
    expect(placed(check({ "a.yml": text }))).toEqual([
      "4:18-4:22 badRule disabled",
      "5:15-5:17 badRule disabled",
    ]);
    expect(codesOf(check({ "a.yml": "x-a: *a\nx-b: &a v\n" }))).toContain("yamlSyntax");
  });

  test("what leads too deep is not followed; what else there is, is told", () => {
    const routers = (count: number) => ({
      http: {
        routers: Object.fromEntries(
          numbered(count, (index) => [
            `r${index}`,
            { rule: "Path(`/`)", ...(index > 0 ? { parentRefs: [`r${index - 1}`] } : {}) },
          ]),
        ),
      },
    });
    const parents = JSON.stringify(routers(15_000));
    expect(codesOf(check({ "a.yml": parents, "b.yml": "htpp: {}" })).sort()).toEqual([
      "tooMuch",
      "unknownTopKeyNear",
    ]);
    expect(codesOf(check({ "a.yml": hostile["services that lead to services"] }))).toEqual(["tooMuch"]);
    expect(codesOf(check({ "a.yml": `x-a: ${"[".repeat(50_000)}` }))).not.toEqual([]);
  });

  test.each([
    ["a rule of negations", `Path(\`/\`) && ${"!".repeat(20_000)}Path(\`/x\`)`],
    ["a rule of parentheses", `${"(".repeat(20_000)}Path(\`/x\`)`],
  ])("%s is refused", (_, rule) => {
    const text = JSON.stringify({ http: { routers: { r: { rule, service: "noop@internal" } } } });
    expect(check({ "a.yml": text })).toMatchObject([
      { code: "badRule", params: { reason: "it is nested too deeply" } },
    ]);
  });

  test("a long rule is read", () => {
    const rule = numbered(20_000, (index) => `Host(\`h${index}\`)`).join(" || ");
    const text = JSON.stringify({ http: { routers: { r: { rule, service: "noop@internal" } } } });
    expect(check({ "a.yml": text })).toEqual([]);
  });

  test.each([
    "constructor()",
    "toString() > 1",
    "__proto__()",
    "hasOwnProperty",
    "(".repeat(20_000),
    "NetworkErrorRatio(".repeat(20_000),
  ])("the expression %# is refused", (expression) => {
    expect(codesOf(check({ "a.yml": middleware("circuitBreaker", { expression }) }))).toContain(
      "badExpression",
    );
    const retryExpression = expression;
    expect(codesOf(check({ "a.yml": middleware("buffering", { retryExpression }) }))).toContain(
      "badExpression",
    );
  });

  test("a template's parentheses are counted", () => {
    const text = `x: "{{ ${"(".repeat(20_000)}"a"${")".repeat(20_000)} }}"`;
    expect(check({ "a.yml": text })).toMatchObject([
      { code: "templateBroken", params: { reason: "parentheses are nested too deeply" } },
    ]);
    expect(codesOf(check({ "a.yml": `x: "{{ ${"(".repeat(20)}now${")".repeat(20)} }}"` }))).toEqual([
      "templateNotChecked",
    ]);
  });

  test("places are found behind many templates", () => {
    const text = `${numbered(20_000, (index) => `{{ "k${index}" }}: x\n`).join("")}http: {servces: {a: 1}}\n`;
    expect(placed(check({ "a.yml": text })).at(-1)).toBe("20001:8-20001:15 unknownKey rejected");
  });

  test("durations and media types of any length are looked at once", () => {
    expect(parseDuration(`${"1".repeat(50_000)}x`)).toBeNull();
    expect(parseDuration(`${"1".repeat(100)}.5x`)).toBeNull();
    expect(isMediaType(`a${" ".repeat(200_000)}x`)).toBe(false);
    expect(isMediaType("text/html; charset=utf-8")).toBe(true);
    expect(parseInt64(`-${"0".repeat(50_000)}7`)).toBe(-7n);
    expect(parseInt64("9".repeat(1_000_000))).toBeNull();
  });

  test("of each effect the first ones are told, and that there are more", () => {
    const keys = numbered(20_000, (index) => `k${index}: x\n`).join("");
    const wrong = numbered(20_000, (index) => `    r${index}: {ruel: x}\n`).join("");
    const told = check({ "a.yml": `${keys}http:\n  routers:\n${wrong}` });
    for (const effect of ["ignored", "rejected"]) {
      const codes = codesOf(told.filter((one) => one.effect === effect));
      expect(codes, effect).toHaveLength(501);
      expect(codes, effect).toContain("moreProblems");
    }
  });
});

describe("secrets are told in no problem", () => {
  const hash = "$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/";
  const at = (kind: string, more: string): string =>
    [
      "http:",
      "  routers:",
      "    r: {rule: Path(`/`), service: s, middlewares: [m]}",
      "  services: {s: {loadBalancer: {servers: [{url: 'http://a'}]}}}",
      "  middlewares:",
      "    m:",
      `      ${kind}:`,
      ...more.split("\n").map((line) => `        ${line}`),
    ].join("\n");
  const server = (url: string) =>
    JSON.stringify({
      http: {
        routers: { r: { rule: "Path(`/`)", service: "s" } },
        services: { s: { loadBalancer: { servers: [{ url }] } } },
      },
    });

  test.each([
    ["numberChanged", "0123456", at("rateLimit", "average: 1\nredis: {password: 0123456}")],
    ["numberChanged", "0123456", at("headers", "customRequestHeaders: {X-Api-Key: 0123456}")],
    ["badUrl", "s3cret", server("http://bob:s3cret@10.0.0.1:80x")],
    ["urlWithoutHost", "s3cret", server("http:/bob:s3cret@10.0.0.1")],
    [
      "badAuthAddress",
      "s3cret",
      at("forwardAuth", "address: bob:s3:cret@auth:99").replace("s3:cret", "s3cret"),
    ],
    ["badAuthAddress", "cret", at("forwardAuth", "address: bob:s3:cret@auth:99")],
    ["yamlSyntax", "IgXLP6", at("basicAuth", `users: !!int 'admin:${hash}'`)],
    ["yamlSyntax", "IgXLP6", at("basicAuth", `users:\n  - *admin:${hash}`)],
    ["nothingGiven", "IgXLP6", at("basicAuth", `users:\n  admin:${hash}:`)],
    ["unknownKey", "IgXLP6", at("basicAuth", `users: ['a:b']\n'admin:${hash}': x`)],
    ["templateBroken", "IgXLP6", at("basicAuth", `users: ['{{ "a""admin:${hash}" }}']`)],
    ["templateBroken", "s3cret", at("basicAuth", `users: ['{{ "a""s3cret" }}']`)],
  ])("%s without %s", (code, secret, text) => {
    const told = check({ "a.yml": text });
    expect(codesOf(told)).toContain(code);
    expect(JSON.stringify(told.map(({ params }) => params))).not.toContain(secret);
  });

  test("what is told is short", () => {
    const told = check({ "a.yml": `http: {${"k".repeat(5000)}: 1}` });
    expect(codesOf(told)).toContain("unknownKey");
    expect(
      Math.max(...told.flatMap(({ params }) => Object.values(params)).map((one) => String(one).length)),
    ).toBe(200);
  });
});

describe("several files", () => {
  const router = (service: string) =>
    JSON.stringify({ http: { routers: { r: { rule: "Path(`/`)", service } } } });

  test("see each other's names, and one alone assumes that there are others", () => {
    const services = JSON.stringify({
      http: { services: { s: { loadBalancer: { servers: [{ url: "http://a" }] } } } },
    });
    expect(check({ "a.yml": router("s"), "b.yml": services })).toEqual([]);
    expect(codesOf(check({ "a.yml": router("s") }))).toEqual(["unknownService"]);
    expect(validateFile("a.yml", router("s"))).toEqual([]);
  });

  test.each([
    ["broken", "http: ["],
    ["a template", "# {{ now }}\n"],
  ])("one that is %s may hold what another refers to", (_, text) => {
    expect(codesOf(check({ "a.yml": router("s"), "b.yml": text }))).not.toContain("unknownService");
  });

  test("of other providers count where they are known", () => {
    const files = [{ name: "a.yml", text: router("s@docker") }];
    expect(validateDirectory(files, {})).toEqual([]);
    expect(validateDirectory(files, { others: { http: { services: ["s@docker"] } } })).toEqual([]);
    expect(codesOf(validateDirectory(files, { others: { http: { services: [] } } }))).toEqual([
      "unknownService",
    ]);
  });

  test("are read by the bytes of their names, a directory among them", () => {
    const told = check({ "b.yml": router("s"), "B.yml": router("noop@internal"), "a/x.yml": router("t") });
    expect(told.map(({ file, code, params }) => [file, code, params.file ?? ""])).toEqual([
      ["a/x.yml", "nameTaken", "B.yml"],
      ["b.yml", "nameTaken", "B.yml"],
    ]);
  });
});

describe("values as Go reads them", () => {
  test.each([
    ["1", "int 1"],
    ["0777", "int 511"],
    ["08", "float 8"],
    ["0x1F", "int 31"],
    ["0o17", "int 15"],
    ["1_000", "int 1000"],
    ["18446744073709551615", "int 18446744073709551615"],
    ["18446744073709551616", "float 18446744073709551616"],
    ["1.10", "float 1.100000"],
    ["1e3", "float 1000"],
    [".5", "float 0.500000"],
    ["yes", "text yes"],
    ["True", "bool true"],
    ["~", "nothing "],
    ["2024-02-29", "date 2024-02-29"],
    ["2023-02-29", "text 2023-02-29"],
    ["2024-01-01T10:00:00Z", "date 2024-01-01T10:00:00Z"],
    ["10:30", "text 10:30"],
  ])("%s is %s", (word, expected) => {
    const { kind, text } = resolved(word);
    expect(`${kind} ${text}`).toBe(expected);
  });

  test("durations, numbers, booleans", () => {
    expect(["10s", "1h30m", "1.5h", ".5s", "-1s", "42", "0", "1µs"].map(parseDuration)).toEqual([
      1e10, 5.4e12, 5.4e12, 5e8, -1e9, 4.2e10, 0, 1000,
    ]);
    expect(["10", "10 s", "1d", "s", "", "1.s.", "99999999h"].slice(1).map(parseDuration)).toEqual(
      Array(6).fill(null),
    );
    expect(["+5", "-9223372036854775808", "9223372036854775808", "1.0"].map(parseInt64)).toEqual([
      5n,
      -9223372036854775808n,
      null,
      null,
    ]);
    expect(["t", "TRUE", "0", "yes", ""].map(parseBool)).toEqual([true, true, false, null, null]);
  });

  test("strings in quotes", () => {
    expect(['"a\\tb"', "`a\\`", "'x'", '"\\x41\\u00e9"', '"\'"'].map(unquote)).toEqual([
      "a\tb",
      "a\\",
      "x",
      "Aé",
      "'",
    ]);
    expect(['"a', '"\\q"', "'ab'", "`a`b`", '"a"b"'].map(unquote)).toEqual(Array(5).fill(null));
  });

  test("URLs", () => {
    const fine = [
      "http://a",
      "http://a:80/b?c#d",
      "http://[::1]:80",
      "h2c://a",
      "a",
      "http://u:p@a",
      "mailto:x",
      "http://é",
    ];
    for (const url of fine) expect(urlProblem(url), url).toBeNull();
    const wrong = [
      "10.0.0.1:80",
      ":80",
      "http://a b",
      "http://a:b",
      "http://[::1",
      "http://a:1:2",
      "http://a/%zz",
      "http://a\n",
    ];
    for (const url of wrong) expect(urlProblem(url), url).not.toBeNull();
  });
});
