// A VCL's own tests, run on a throw-away varnishd before the VCL goes to any node.
import { AppError } from "../errors/app-error";
import { type Answered, ask } from "../systems/varnishd/ask";
import type { Seen } from "../systems/varnishd/log";
import { type Stub, startStub } from "../systems/varnishd/stub";
import { findVarnishd, type Varnishd, withVarnishd } from "../systems/varnishd/varnishd";
import type { VclTest, VclTestResult } from "./contract";
import { type Token, tokensOf } from "./tokens";

/** What of a backend is said by the trial, or would have another than the stub asked. */
const replaced = new Set([
  ...["host", "port", "path", "probe", "via", "authority"],
  ...["proxy_header", "preamble", "ssl", "ssl_sni", "ssl_verify_host", "ssl_verify_peer"],
]);
/**
 * The vmods of Varnish itself and of varnish-modules. Any other may read this machine's files, or reach a real backend or store, which no
 * text of ours can lead to the stub.
 */
const harmless = new Set([
  ...["blob", "cookie", "directors", "h2", "math", "proxy", "purge", "std", "unix"],
  ...["accept", "bodyaccess", "header", "saintmode", "str", "tcp", "var", "vsthrottle", "xkey"],
]);

/** The index of the bracket that closes the one at `open`; the last token where none does. */
function closing(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let at = open; at < tokens.length; at += 1) {
    if (tokens[at]?.text === "{") depth += 1;
    if (tokens[at]?.text === "}") depth -= 1;
    if (depth === 0) return at;
  }
  return tokens.length - 1;
}

/**
 * The VCL with every backend led to the stub on this port of 127.0.0.1. Probes are taken out, so that each backend is well
 * from the first request on; `none` stays none, and ACLs and directors stay as they are. All lines keep their numbers.
 */
export function onStub(text: string, port: number): string {
  const tokens = tokensOf(text).filter(({ type }) => type !== "comment");
  let [made, from] = ["", 0];
  /** Takes the tokens of these indexes out, both included. */
  const cut = (first: number, last: number) => {
    const [begin, end] = [tokens[first], tokens[last]];
    if (begin === undefined || end === undefined) return;
    made += text.slice(from, begin.at);
    from = end.at + end.text.length;
    made += text.slice(begin.at, from).replace(/[^\n]+/g, "");
  };
  for (let at = 0; at < tokens.length; at += 1) {
    const [word, name, open] = tokens.slice(at, at + 3);
    if (word?.type !== "word" || name?.type !== "word" || open?.text !== "{") continue;
    const end = closing(tokens, at + 2);
    if (word.text === "probe") cut(at, end);
    if (word.text !== "backend") continue;
    made += `${text.slice(from, open.at + 1)} .host = "127.0.0.1"; .port = "${port}";`;
    from = open.at + 1;
    for (let attribute = at + 3; attribute < end; ) {
      // .name = value; or .name = { … }
      let last = attribute + 3;
      if (tokens[last]?.text === "{") last = closing(tokens, last);
      else while (last < end && tokens[last]?.text !== ";") last += 1;
      if (tokens[last + 1]?.text === ";") last += 1;
      if (replaced.has(tokens[attribute + 1]?.text ?? "")) cut(attribute, Math.min(last, end - 1));
      attribute = last + 1;
    }
    at = end;
  }
  return made + text.slice(from);
}

/** Throws AppError INVALID_INPUT for a VCL that would reach more than the trial: files of this machine, or real backends. */
function refuse(text: string): void {
  // By the bare text, comments too: no way of quoting that a version reads otherwise may hide it.
  const [call] = /\b(?:fileread|blobread)\b/.exec(text) ?? [];
  if (call !== undefined) {
    throw new AppError("INVALID_INPUT", `A VCL that reads files (${call}) is not tried.`, {
      problem: "vclTrial.readsFiles",
      params: { call: `std.${call}` },
    });
  }
  const tokens = tokensOf(text).filter(({ type }) => type !== "comment");
  if (tokens.some(({ type }) => type === "inlineC"))
    throw new AppError("INVALID_INPUT", "A VCL with inline C is not tried.", { problem: "vclTrial.inlineC" });
  const vmod = tokens.find(({ text }, at) => tokens[at - 1]?.text === "import" && !harmless.has(text));
  if (vmod !== undefined) {
    throw new AppError("INVALID_INPUT", `A VCL with vmod ${vmod.text} is not tried.`, {
      problem: "vclTrial.vmod",
      params: { vmod: vmod.text },
    });
  }
}

type Round = { readonly first: Answered; readonly second: Answered };

/** A test's request twice, with nothing cached before; or what kept it from being answered. */
async function round(
  varnishd: Varnishd,
  stub: Stub,
  test: VclTest,
  signal: AbortSignal,
): Promise<Round | Error> {
  await varnishd.forget();
  stub.answerWith(test.backend);
  try {
    const first = await ask(varnishd.port, test.request, signal);
    return { first, second: await ask(varnishd.port, test.request, signal) };
  } catch (error) {
    signal.throwIfAborted();
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** What the log says of these connections, by port. A request's end is logged a moment after its answer; a look takes 0.1 s. */
async function seenFrom(
  varnishd: Varnishd,
  ports: readonly number[],
  signal: AbortSignal,
): Promise<ReadonlyMap<number, Seen>> {
  for (let tries = 1; ; tries += 1) {
    signal.throwIfAborted();
    const seen = new Map((await varnishd.seen()).map((one) => [one.from, one]));
    if (tries === 20 || ports.every((port) => seen.has(port))) return seen;
  }
}

function judged(test: VclTest, round: Round | Error, seen: ReadonlyMap<number, Seen>): VclTestResult {
  const failed = (problem: string): VclTestResult => ({
    name: test.name,
    ok: false,
    checks: [],
    problem: { problem, params: {} },
  });
  if (round instanceof Error) return failed("vclTrial.noAnswer");
  const [first, second] = [seen.get(round.first.from), seen.get(round.second.from)];
  if (first === undefined || second === undefined) return failed("vclTrial.notLogged");
  const { cache, backend, status, headers } = test.expect;
  const checks: VclTestResult["checks"] = [];
  const check = (what: string, expected: string | number | null, was: string | number | null | undefined) =>
    checks.push({
      what,
      expected: String(expected ?? ""),
      seen: String(was ?? ""),
      ok: expected === (was ?? null),
    });
  if (cache !== undefined) check("cache", cache, second.cache);
  if (backend !== undefined) check("backend", backend, second.backend ?? first.backend);
  if (status !== undefined) check("status", status, round.second.status);
  for (const { name, value } of headers)
    check(`header ${name}`, value, round.second.headers.get(name.toLowerCase()));
  return { name: test.name, ok: checks.every(({ ok }) => ok), checks, problem: null };
}

/**
 * Runs the tests of a VCL (one text, as `flatten` gives it) on a varnishd of its own; "absent" where this machine has none.
 *
 * Each request is sent twice with nothing cached before, and what is expected is about the second; only the backend may be
 * the one that the first asked, for a hit asks none. The client is 127.0.0.1: an acl that lets this address purge answers
 * PURGE with 200, any other with what it has for strangers. In `checks`, `what` is "cache", "backend", "status" or
 * "header <name>"; an empty text stands for none.
 *
 * Throws AppError INVALID_INPUT (a VCL that reads files, holds C, or has a vmod of elsewhere), and as `withVarnishd`.
 */
export async function runTrials(
  text: string,
  tests: readonly VclTest[],
  signal: AbortSignal,
): Promise<{ state: "ran"; results: VclTestResult[]; version: string } | { state: "absent" }> {
  const programs = await findVarnishd();
  if (programs === null) return { state: "absent" };
  refuse(text);
  const stub = await startStub();
  try {
    const run = async (varnishd: Varnishd, limit: AbortSignal) => {
      const rounds: (Round | Error)[] = [];
      for (const test of tests) rounds.push(await round(varnishd, stub, test, limit));
      const ports = rounds.flatMap((one) => (one instanceof Error ? [] : [one.first.from, one.second.from]));
      const seen = await seenFrom(varnishd, ports, limit);
      return tests.map((test, at) => judged(test, rounds[at] ?? new Error("not run"), seen));
    };
    const results = await withVarnishd(programs, onStub(text, stub.port), run, signal);
    return { state: "ran", results, version: programs.version };
  } finally {
    await stub.close();
  }
}
