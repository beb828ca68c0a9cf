// Routers whose guard would be gone: Traefik serves without a router that it has switched off, and its requests fall to the next one.
import { requestsOf } from "../conflicts";
import type { Guarded } from "../files/contract";
import { type HttpRequest, seenOf } from "../match";
import { Lanes, Rules } from "./lanes";
import type { Guard, Route } from "./situation";

const exact = { headersKnown: true };
const placeOf = ({ name, point }: Route): string => `${name} ${point}`;

/** Guards of one router that the other has none like. */
export function lostGuards(from: readonly Guard[], to: readonly Guard[]): string[] {
  const kept = new Set(to.map(({ kind }) => kind));
  return from.filter(({ kind }) => !kept.has(kind)).map(({ name }) => name);
}

const addressOf = (tls: boolean, { host, path, query }: HttpRequest): string =>
  `${tls ? "https" : "http"}://${host}${path}${query === "" ? "" : `?${query}`}`;

/** How a router that took requests ends. */
type Fall = {
  readonly to: Route | null;
  readonly example: HttpRequest | null;
  readonly lost: readonly string[];
};

/**
 * Guards that the routers `after` have no more. A request that a router takes now, of each alternative of its rule, is put to the new ones:
 * so also a guard is found missing whose router stands, but no longer takes the request. Told are those that are switched off, guarding or
 * not, and those whose requests another router without such a guard takes. That a service without servers ("closed") is taken away is no
 * loss: somebody opens again.
 */
export function guardedOf(before: readonly Route[], after: readonly Route[]): Guarded[] {
  const rules = new Rules();
  const [old, now] = [before, after].map(
    (all) =>
      new Lanes(
        all.filter(({ enabled }) => enabled),
        rules,
      ),
  );
  if (old === undefined || now === undefined) return [];
  const places = new Map(after.map((one) => [placeOf(one), one]));
  const found = new Map<string, Guarded>();
  for (const route of before) {
    const there = places.get(placeOf(route));
    const how = there === undefined ? "removed" : there.enabled ? "unguarded" : "disabled";
    if (!route.enabled || (how !== "disabled" && route.guards.length === 0)) continue;
    const guards = route.guards.filter(({ kind }) => how === "disabled" || kind !== "closed");
    const falls = fallsOf(route, guards, old, now);
    const [worst] = falls.sort((a, b) => b.lost.length - a.lost.length);
    const self = there === undefined ? [] : lostGuards(guards, there.guards);
    const lost = worst?.lost ?? (how === "unguarded" ? self : []);
    if (how !== "disabled" && lost.length === 0) continue;
    const key = `${how} ${route.name}`;
    const known = found.get(key);
    if (known !== undefined && (known.falls !== null || worst?.to === undefined)) continue;
    found.set(key, {
      router: route.name,
      how,
      middlewares: how === "disabled" ? guards.map(({ name }) => name) : [...lost],
      falls: worst?.to?.name ?? null,
      example: worst?.example ? addressOf(route.tls, worst.example) : null,
      refused: how === "disabled",
    });
  }
  return [...found.values()];
}

/** Who takes what a router takes now: one request for each answer. */
function fallsOf(route: Route, guards: readonly Guard[], old: Lanes<Route>, now: Lanes<Route>): Fall[] {
  const falls = new Map<string | null, Fall>();
  for (const example of route.rule === null ? [] : requestsOf(route.rule)) {
    const seen = seenOf(example);
    if (old.take(route.point, route.tls, seen, exact) !== route) continue;
    const to = now.take(route.point, route.tls, seen, exact);
    if (to === "untold" || falls.has(to?.name ?? null)) continue;
    falls.set(to?.name ?? null, { to, example, lost: to === null ? [] : lostGuards(guards, to.guards) });
  }
  return [...falls.values()];
}
