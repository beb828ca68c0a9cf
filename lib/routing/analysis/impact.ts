// Recent requests of the access log through the routers in force and through those that there would be.
import { setImmediate as nextTurn } from "node:timers/promises";
import { maskedText } from "../../errors/mask";
import { type LoggedRequest, readAccessLog } from "../../systems/traefik/access-log";
import type { Impact, Shift } from "../files/contract";
import { type Seen, seenOf } from "../match";
import { fromBytes, throughEntryPoint, toBytes } from "../path";
import { Takers } from "./connections";
import { lostGuards } from "./guard";
import { Rules } from "./lanes";
import type { Route } from "./situation";

const mostExamples = 5;
/** How long requests are replayed before others have a turn. */
const turnMs = 20;
const silent: Omit<Impact, "state"> = {
  problem: null,
  requests: 0,
  untold: 0,
  from: null,
  to: null,
  shifts: [],
};

/** Requests that rules cannot tell apart. */
type Group = { readonly one: LoggedRequest; readonly examples: Set<string>; count: number };

// A query may hold a password.
const addressOf = ({ method, tls, host, path, query }: LoggedRequest): string =>
  maskedText(
    `${method} ${tls ? "https" : "http"}://${host}${path}${query === "" ? "" : `?${query}`}`.slice(0, 500),
  );

/** Maintenance that ends is no loss. */
const lost = (from: Route | null, to: Route | null): string[] =>
  to === null
    ? []
    : lostGuards(
        (from?.guards ?? []).filter(({ kind }) => kind !== "closed"),
        to.guards,
      );

/** Once for all that are the same in what the rules ask for. */
function grouped(requests: readonly LoggedRequest[], asked: ReadonlySet<string>): Group[] {
  const groups = new Map<string, Group>();
  const asks = (...matchers: string[]) => matchers.some((one) => asked.has(one));
  const [method, path, query, client] = [
    asks("Method"),
    asks("Path", "PathPrefix", "PathRegexp"),
    asks("Query", "QueryRegexp"),
    asks("ClientIP"),
  ];
  for (const one of requests) {
    const key = JSON.stringify([
      ...[one.entryPoint, one.tls, one.host.toLowerCase(), one.router, method && one.method],
      ...[path && one.path, query && one.query, client && one.client.replace(/:\d+$/, "")],
    ]);
    const group = groups.get(key) ?? { one, examples: new Set(), count: 0 };
    groups.set(key, group);
    group.count += 1;
    if (group.examples.size < mostExamples) group.examples.add(addressOf(one));
  }
  return [...groups.values()];
}

/** What the matchers see of a request; null where the entry point refuses its path. */
function sightOf({ method, host, path, query, client }: LoggedRequest): Seen | null {
  const sent = throughEntryPoint(toBytes(path));
  if (sent === null) return null;
  return seenOf({
    method,
    host,
    path: fromBytes(sent),
    // Traefik's default makes a semicolon what an ampersand is.
    query: query.replaceAll(";", "&"),
    headers: {},
    remoteAddr: client,
  });
}

type Tally = Omit<Shift, "examples" | "requests"> & { requests: number; readonly examples: Set<string> };

/**
 * Who takes these requests now, and who would. Where a rule asks for headers, the router that the log names tells whether it held:
 * `sourceOf` gives that router's name as its provider knows it.
 */
export async function replayed(
  requests: readonly LoggedRequest[],
  before: readonly Route[],
  after: readonly Route[],
  sourceOf: (router: string) => string = (router) => router,
  signal?: AbortSignal,
): Promise<Impact> {
  const [first] = requests;
  const last = requests.at(-1);
  if (first === undefined || last === undefined) return { ...silent, state: "empty" };
  const rules = new Rules();
  const [old, now] = [new Takers(before, rules), new Takers(after, rules)];
  const shifts = new Map<string, Tally>();
  let untold = 0;
  let turn = performance.now() + turnMs;
  for (const { one, count, examples } of grouped(requests, rules.asked())) {
    if (performance.now() > turn) {
      await nextTurn();
      signal?.throwIfAborted();
      turn = performance.now() + turnMs;
    }
    const seen = sightOf(one);
    if (seen === null) continue;
    const { entryPoint: point, tls } = one;
    const told = (one.router === null ? null : old.toldBy(sourceOf(one.router), point, tls, seen)) ?? {
      headersKnown: false,
    };
    const from = old.take(point, tls, seen, told);
    const to = from === "untold" ? from : now.take(point, tls, seen, told);
    if (from === "untold" || to === "untold") {
      untold += count;
      continue;
    }
    const unguarded = lost(from, to);
    if (from?.name === to?.name && unguarded.length === 0) continue;
    const key = JSON.stringify([from?.name, to?.name, unguarded]);
    const shift = shifts.get(key) ?? {
      ...{ from: from?.name ?? null, to: to?.name ?? null, unguarded },
      ...{ requests: 0, examples: new Set<string>() },
    };
    shifts.set(key, shift);
    shift.requests += count;
    for (const example of examples) if (shift.examples.size < mostExamples) shift.examples.add(example);
  }
  const times = requests.map(({ at }) => at.getTime());
  return {
    state: "told",
    problem: null,
    requests: requests.length,
    untold,
    from: new Date(times.reduce((a, b) => Math.min(a, b))).toISOString(),
    to: new Date(times.reduce((a, b) => Math.max(a, b))).toISOString(),
    shifts: [...shifts.values()]
      .map((one) => ({ ...one, examples: [...one.examples] }))
      .sort((a, b) => b.unguarded.length - a.unguarded.length || b.requests - a.requests),
  };
}

/** The same with the requests of an access log. `path` undefined: there is none. */
export async function impactOf(
  path: string | undefined,
  before: readonly Route[],
  after: readonly Route[],
  sourceOf: (router: string) => string,
  signal?: AbortSignal,
): Promise<Impact> {
  if (path === undefined) return { ...silent, state: "none" };
  const log = await readAccessLog(path);
  if (log.state === "failed") return { ...silent, state: "failed", problem: log.problem };
  return replayed(log.requests, before, after, sourceOf, signal);
}
