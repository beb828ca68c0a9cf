// What editors are told of plans and proofs.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PurgeObject, PurgePlan, PurgeProof } from "@/lib/purge/contract";
import {
  answersByLayer,
  bookmarklet,
  cachedNow,
  languageOf,
  longestWait,
  pastedLines,
  relatedCount,
  relatedTo,
  timeline,
} from "./words";

const object = (label: string, value: string): PurgeObject => ({
  type: "url",
  host: "site.test",
  value,
  label,
  site: "site",
});
const plan = (objects: readonly PurgeObject[], layers: PurgePlan["layers"] = []): PurgePlan => ({
  target: { by: "url", urls: ["site.test/fr/x"] },
  mode: "hard",
  warm: "no",
  sites: ["site"],
  pages: 1,
  objects: [...objects],
  objectCount: objects.length,
  layers,
  secondPassMs: 500,
  level: "reversible",
  confirmation: null,
  warnings: [],
});
const node = (
  layer: "varnish" | "cloudflare",
  verdict: "fresh" | "stale" | "unknown",
  waiting = 0,
): PurgeProof["layers"][number] => ({
  layer,
  system: "s",
  verdict,
  purged: 1,
  failed: 0,
  waiting,
  before: null,
  revision: null,
  evidence: "",
  why: [],
  spans: [{ what: "purge", from: 10, to: 400 }],
  checked: { fresh: 1, stale: 0, unknown: 0, of: 1 },
});
const proof = (layers: PurgeProof["layers"]): PurgeProof => ({
  verdict: "fresh",
  freshAfterMs: 1,
  layers,
  origin: null,
  cloudflare: null,
  warmed: null,
});

describe("relatedTo", () => {
  it("says each kind once, siblings by language, unknown labels as other", () => {
    const made = plan([
      object("page", "/fr/x"),
      object("data", "/api?path=%2Ffr%2Fx"),
      object("data", "/api?path=/fr/x"),
      object("sibling", "/en/x"),
      object("sibling", "/de/x"),
      object("teaser", "/t"),
    ]);
    expect(relatedTo(made)).toEqual([
      { label: "data", count: 2, language: null },
      { label: "sibling", count: 1, language: "en" },
      { label: "sibling", count: 1, language: "de" },
      { label: "other", count: 1, language: null },
    ]);
    expect(relatedCount(made)).toBe(5);
  });
});

it("reads the language of a path", () => {
  expect(["/en/x", "/fr", "/fr-CH/x", "/english/x", "/", "/en?x"].map(languageOf)).toEqual([
    "en",
    "fr",
    "fr",
    null,
    null,
    "en",
  ]);
});

describe("answersByLayer", () => {
  it("lets the worst node speak", () => {
    expect(
      answersByLayer(
        proof([node("varnish", "fresh"), node("varnish", "stale"), node("cloudflare", "fresh")]),
      ),
    ).toEqual([
      { layer: "varnish", systems: 2, fresh: 1, waiting: 0, verdict: "stale" },
      { layer: "cloudflare", systems: 1, fresh: 1, waiting: 0, verdict: "fresh" },
    ]);
    expect(answersByLayer(proof([node("varnish", "fresh"), node("varnish", "unknown", 3)]))[0]?.verdict).toBe(
      "waiting",
    );
    expect(answersByLayer(proof([node("varnish", "fresh"), node("varnish", "unknown")]))[0]?.verdict).toBe(
      "unknown",
    );
  });
});

it("numbers pasted lines as the person sees them", () => {
  expect(pastedLines("a\r\n\n  b \n")).toEqual([
    { line: 1, text: "a" },
    { line: 3, text: "b" },
  ]);
  fc.assert(
    fc.property(fc.string(), (text) =>
      pastedLines(text).every((line) => line.text.trim() === line.text && line.text !== ""),
    ),
  );
});

it("counts what is cached now, and the longest wait", () => {
  const layer: PurgePlan["layers"][number] = {
    layer: "varnish",
    system: "varnish-1",
    operations: 2,
    waitMs: 1200,
    now: [
      { object: 0, cached: { state: "miss" } },
      { object: 1, cached: { state: "unknown", why: "TIMEOUT" } },
    ],
    error: null,
  };
  expect(cachedNow(layer)).toEqual({ hit: 0, miss: 1, unknown: 1 });
  expect(longestWait(plan([], [layer]))).toBe(1200);
  expect(longestWait(plan([]))).toBeNull();
});

it("measures the common time line", () => {
  expect(timeline(proof([node("varnish", "fresh")])).totalMs).toBe(400);
  expect(timeline(proof([])).totalMs).toBe(1);
});

it("makes a bookmark that carries the whole address", () => {
  const made = bookmarklet("https://sluice.test");
  const opened: string[] = [];
  const run = new Function("open", "location", made.slice("javascript:".length));
  run((to: string) => opened.push(to), { href: "https://www.test/fr/a?b=c&d=é#f" });
  expect(new URL(opened[0] ?? "").searchParams.get("url")).toBe("https://www.test/fr/a?b=c&d=é#f");
});
