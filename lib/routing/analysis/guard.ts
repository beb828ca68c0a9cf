// Routers whose guard would be gone: Traefik serves without a router that it has switched off, and its requests fall to the next one.
import { contains, parseNetwork } from "../address";
import { requestsOf } from "../conflicts";
import type { Guarded } from "../files/contract";
import { type HttpRequest, hostsOf, seenOf, serverNamesOf } from "../match";
import { Takers } from "./connections";
import { Rules, read } from "./lanes";
import { textsOf } from "./model";
import type { Guard, Route } from "./situation";

const exact = { headersKnown: true };
const placeOf = ({ name, point }: Route): string => `${name} ${point}`;

/** Whether each of the networks lies in one of those of before. */
function within(networks: readonly string[], before: readonly string[]): boolean {
  const wide = before.flatMap((text) => parseNetwork(text) ?? []);
  return networks.every((text) => {
    const one = parseNetwork(text);
    return one !== null && wide.some((other) => other.bits <= one.bits && contains(other, one.bytes));
  });
}

/**
 * Whether a guard does for another. It does while it is the same one: users that come or go, or another rate, are nobody's loss. Another
 * one does only if it is the same in all but its name; an address list, or one of CAs, if it lets in nobody more.
 */
function standsFor(to: Guard, from: Guard): boolean {
  if (to.kind !== from.kind) return false;
  if (to.kind === "closed") return true;
  const isSame = to.name === from.name && to.type === from.type;
  if (to.fields === null || from.fields === null) return isSame;
  const same = (name: string): boolean =>
    JSON.stringify(to.fields?.[name] ?? "") === JSON.stringify(from.fields?.[name] ?? "");
  if (to.kind === "address")
    // Whose address is looked at is told by the strategy.
    return (
      same("ipStrategy") && within(textsOf(to.fields, "sourceRange"), textsOf(from.fields, "sourceRange"))
    );
  if (to.kind === "clientCert") {
    const known = textsOf(from.fields, "caFiles");
    return textsOf(to.fields, "caFiles").every((file) => known.includes(file));
  }
  // Who is asked by a forwardAuth.
  if (isSame) return same("address");
  return to.type === from.type && JSON.stringify(to.fields) === JSON.stringify(from.fields);
}

/** Guards of one router for which the other has none. */
export function lostGuards(from: readonly Guard[], to: readonly Guard[]): string[] {
  return from.filter((one) => !to.some((other) => standsFor(other, one))).map(({ name }) => name);
}

const addressOf = (tls: boolean, { host, path, query }: HttpRequest): string =>
  `${tls ? "https" : "http"}://${host}${path}${query === "" ? "" : `?${query}`}`;

/** How a router that took requests ends. */
type Fall = {
  readonly to: Route | null;
  readonly example: HttpRequest;
};

/** A router's guards that are missed when they are gone. That a service without servers is taken away is no loss: somebody opens again. */
const missed = (guards: readonly Guard[]): Guard[] => guards.filter(({ kind }) => kind !== "closed");

/**
 * Guards that the routers `after` have no more. Requests of each alternative of every rule, the old ones and the new ones, are put to both:
 * so also a guard is found missing whose router stands, and from which another one takes requests. Told are routers that are switched off,
 * guarding or not, and those whose requests are taken by one without such a guard.
 */
export function guardedOf(before: readonly Route[], after: readonly Route[]): Guarded[] {
  const places = new Map(after.map((one) => [placeOf(one), one]));
  const falls = fallsOf(before, after);
  const found = new Map<string, Guarded>();
  for (const route of before.filter(({ protocol }) => protocol === "http")) {
    const there = places.get(placeOf(route));
    const how = there === undefined ? "removed" : there.enabled ? "unguarded" : "disabled";
    if (!route.enabled || (how !== "disabled" && route.guards.length === 0)) continue;
    const guards = how === "disabled" ? route.guards : missed(route.guards);
    const lostBy = ({ to }: Fall): string[] => (to === null ? [] : lostGuards(guards, to.guards));
    const [worst] = (falls.get(route) ?? [])
      .map((fall) => ({ ...fall, lost: lostBy(fall) }))
      .sort((a, b) => b.lost.length - a.lost.length);
    const self = there === undefined ? [] : lostGuards(guards, there.guards);
    const lost = worst?.lost ?? (how === "unguarded" ? self : []);
    if (how !== "disabled" && lost.length === 0) continue;
    const key = `${how} ${route.name}`;
    const known = found.get(key);
    if (known !== undefined && (known.falls !== null || worst?.to === undefined)) continue;
    found.set(key, {
      router: route.name,
      how,
      middlewares: how === "disabled" ? guards.map(({ name }) => name) : lost,
      falls: worst?.to?.name ?? null,
      example: worst === undefined ? null : addressOf(route.tls, worst.example),
      refused: how === "disabled",
    });
  }
  return [...found.values()];
}

/** Server names that a TCP rule wants. */
const serverNames = (rule: string): string[] =>
  (read(() => serverNamesOf(rule)) ?? []).filter((name) => !name.startsWith("*"));

/** Requests of a rule; of one that names no host also those to `hosts`. */
function* alsoOf(rule: string, hosts: readonly string[]): Generator<HttpRequest> {
  const isOpen = read(() => hostsOf(rule))?.length === 0;
  for (const example of requestsOf(rule)) {
    yield example;
    if (isOpen) for (const host of hosts) yield { ...example, host };
  }
}

/** Who takes what each router takes now: one request for each answer. */
function fallsOf(before: readonly Route[], after: readonly Route[]): ReadonlyMap<Route, readonly Fall[]> {
  const rules = new Rules();
  const [old, now] = [new Takers(before, rules), new Takers(after, rules)];
  const found = new Map<Route, Fall[]>();
  const asked = new Set<string>();
  const names = new Map<string, string[]>();
  for (const { protocol, tls, point, rule } of after)
    if (protocol === "tcp" && tls && rule !== null)
      names.set(point, [...(names.get(point) ?? []), ...serverNames(rule)]);
  for (const { protocol, rule, point, tls } of [...before, ...after]) {
    const key = JSON.stringify([rule, point, tls]);
    if (protocol !== "http" || rule === null || asked.has(key)) continue;
    asked.add(key);
    for (const example of alsoOf(rule, (tls && names.get(point)) || [])) {
      const seen = seenOf(example);
      const from = old.take(point, tls, seen, exact);
      if (from === "untold" || from === null) continue;
      const to = now.take(point, tls, seen, exact);
      const falls = found.get(from) ?? [];
      found.set(from, falls);
      if (to !== "untold" && !falls.some((one) => one.to?.name === to?.name)) falls.push({ to, example });
    }
  }
  return found;
}
