// Both languages say the same things: the same keys, the same values in each, and no key a page asks for is missing.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createTranslator, IntlErrorCode } from "next-intl";
import { describe, expect, it } from "vitest";
import { entryTypes } from "@/lib/incidents/contract";
import en from "./en.json";
import fr from "./fr.json";

function flat(tree: object, prefix = ""): Map<string, string> {
  return new Map(
    Object.entries(tree).flatMap(([key, value]: [string, unknown]) =>
      typeof value === "object" && value !== null
        ? [...flat(value, `${prefix}${key}.`)]
        : [[`${prefix}${key}`, String(value)] as const],
    ),
  );
}

/** The text between the brace at `from` and its partner. */
function braced(message: string, from: number): string {
  let depth = 0;
  for (let at = from; at < message.length; at++) {
    if (message[at] === "{") depth++;
    else if (message[at] === "}" && --depth === 0) return message.slice(from + 1, at);
  }
  return message.slice(from + 1);
}

/** The values a message takes, with those within the branches of a plural or a select: "{count, plural, one {{name}} …}" -> count, name. */
function values(message: string): string[] {
  const found: string[] = [];
  for (let at = message.indexOf("{"); at >= 0; at = message.indexOf("{", at)) {
    const inner = braced(message, at);
    at += inner.length + 2;
    const [, name = "", choice, branches = ""] =
      /^\s*(\w+)\s*(?:,\s*(plural|select|selectordinal)\s*,([\s\S]*)|,.*)?$/.exec(inner) ?? [];
    found.push(name);
    if (choice === undefined) continue;
    for (let from = branches.indexOf("{"); from >= 0; from = branches.indexOf("{", from)) {
      const branch = braced(branches, from);
      found.push(...values(branch));
      from += branch.length + 2;
    }
  }
  return found;
}

/** The values and tags a message takes. */
function takes(message: string): string[] {
  const tags = [...message.matchAll(/<([a-z]+)>/g)].map((match) => `<${match[1]}>`);
  return [...new Set([...values(message), ...tags])].sort();
}

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? files(join(folder, entry.name))
      : /(?<!\.test)\.tsx?$/.test(entry.name)
        ? [join(folder, entry.name)]
        : [],
  );
}

const english = flat(en);
const french = flat(fr);

it("has the same keys in both languages", () => {
  expect([...french.keys()].sort()).toEqual([...english.keys()].sort());
});

it("takes the same values in both languages", () => {
  const different = [...english].filter(
    ([key, message]) => takes(message).join() !== takes(french.get(key) ?? "").join(),
  );
  expect(different.map(([key]) => key)).toEqual([]);
});

describe.each([
  ["en", en],
  ["fr", fr],
])("%s", (locale, messages) => {
  it("has only messages that can be formatted", () => {
    const broken: string[] = [];
    const t = createTranslator({
      locale,
      messages,
      onError: (error) => {
        // A value that is missing here is given by the page; what must not be is a message that cannot be read.
        if (error.code === IntlErrorCode.INVALID_MESSAGE) broken.push(error.message);
      },
    }) as unknown as (key: string, values: object) => string;
    for (const key of flat(messages).keys()) t(key, { count: 3 });
    expect(broken).toEqual([]);
  });
});

it("writes French as French is written", () => {
  for (const [key, message] of french) {
    expect(message, key).not.toMatch(/[a-zà-ÿ]'[a-zà-ÿ]/i);
    expect(message, `${key}: a narrow space before ? ! ;`).not.toMatch(/\S[?!;](\s|$)/);
    expect(message, key).not.toMatch(/"|“/);
  }
});

it("has every key that a page asks for by name", () => {
  const asked = ["components", "app", "lib/i18n"].flatMap((folder) =>
    files(folder).flatMap((file) =>
      [...readFileSync(file, "utf8").matchAll(/\bt(?:\.rich|\.has)?\(\s*"([\w.-]+)"/g)].map(
        (match) => match[1] ?? "",
      ),
    ),
  );
  expect(asked.length).toBeGreaterThan(100);
  expect([...new Set(asked)].filter((key) => !english.has(key))).toEqual([]);
});

it("has every problem, log line and finding that the server names", () => {
  const sources = files("lib").map((file) => readFileSync(file, "utf8"));
  const named = (space: string, pattern: RegExp) =>
    sources.flatMap((text) => [...text.matchAll(pattern)].map((match) => `${space}.${match[1]}`));
  const doctor = readFileSync("lib/purge/doctor.ts", "utf8");
  const asked = [
    ...named("problems", /\bproblem: "([\w.]+)"/g),
    ...named(
      "log",
      /(?:\b(?:log|note)\(\s*"(?:info|warn|error)",\s*|\bmessage: )"((?:change|purge|services|swarm)\.\w+)"/g,
    ),
    // Facts that a probe tells, under their names in lib/systems.
    ...named("facts", /\bfacts\.(\w+) =/g),
    ...sources.flatMap((text) =>
      [...text.matchAll(/\bfacts: \{([^}]+)\}/g)].flatMap((match) =>
        (match[1] ?? "")
          .split(",")
          .map((entry) => entry.trim().split(":")[0] ?? "")
          .filter((name) => /^\w+$/.test(name))
          .map((name) => `facts.${name}`),
      ),
    ),
    ...[
      ...doctor.matchAll(
        /"((?:reach|peek|boot|acl|host|encoding|tags|headerRoom|ban|softPurge|token|zone|scope|limits|edge)\.\w+)"/g,
      ),
    ]
      .map((match) => match[1] ?? "")
      .map((key) => (english.has(`doctor.${key}`) ? `doctor.${key}` : `doctorFix.${key}`)),
  ];
  expect(asked.length).toBeGreaterThan(120);
  expect([...new Set(asked)].filter((key) => !english.has(key))).toEqual([]);
});

it("every kind of an incident's entries has its words", () => {
  for (const type of entryTypes) expect(en.incidents.entries).toHaveProperty(type);
});
