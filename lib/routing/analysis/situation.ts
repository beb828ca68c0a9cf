// The HTTP routers of a Traefik at each of its entry points: those in force by its API, and those that there would be with a draft.
import type { ListedRouter, TraefikOverview } from "../../systems/traefik/overview";
import { httpPriority } from "../match";
import { understands } from "../overview/service";
import type { Known } from "../validate/references";
import type { Laned } from "./lanes";
import { type Element, fieldsOf, type Model, textOf, textsOf } from "./model";

/** What stands between a request and a service. "closed": a service without servers, which answers 503. */
export type Guard = { readonly name: string; readonly kind: "auth" | "address" | "rate" | "closed" };
/** A router at one entry point. */
export type Route = Laned & {
  /** With its provider, as that knows it: "shop@file". */
  readonly name: string;
  readonly provider: string;
  readonly enabled: boolean;
  readonly guards: readonly Guard[];
};
type Point = Pick<TraefikOverview["entryPoints"][number], "name" | "asDefault" | "tls" | "middlewares">;

/** What the files of one Traefik are looked at beside. */
export type Surroundings = {
  /** What reads the files: "file" or "http". */
  readonly provider: string;
  /** Null: Traefik does not answer. */
  readonly overview: TraefikOverview | null;
};

const kinds: Readonly<Record<string, Guard["kind"]>> = {
  basicauth: "auth",
  digestauth: "auth",
  forwardauth: "auth",
  ipallowlist: "address",
  ipwhitelist: "address",
  ratelimit: "rate",
  inflightreq: "rate",
};

const qualified = (name: string, provider: string): string =>
  name.includes("@") ? name : `${name}@${provider}`;
const isUdp = ({ address }: { readonly address: string }): boolean => address.endsWith("/udp");
const bare = (name: string): string => name.slice(0, name.lastIndexOf("@"));
const providerOf = (name: string): string => name.slice(name.lastIndexOf("@") + 1);

/** The entry points of routers that name none, as getDefaultsEntrypoints has it (cmd/traefik, v3.7). */
function defaultsOf(points: TraefikOverview["entryPoints"]): string[] {
  const flagged = points.filter(({ asDefault }) => asDefault);
  return (flagged.length > 0 ? flagged : points)
    .filter((point) => !isUdp(point) && point.name !== "traefik")
    .map(({ name }) => name);
}

/** What Traefik has beside the files, for `validateDirectory`. */
export function knownOf({ provider, overview }: Surroundings): Known {
  if (overview === null) return { provider };
  const { entryPoints, routers, services, middlewares } = overview;
  const mine = `@${provider}`;
  const of = (protocol: ListedRouter["protocol"]) => {
    const others = (all: readonly { readonly protocol: string; readonly name: string }[]) =>
      all.filter((one) => one.protocol === protocol && !one.name.endsWith(mine)).map(({ name }) => name);
    return {
      routers: others(routers.map((one) => ({ ...one, name: one.source }))),
      services: others(services),
      middlewares: others(middlewares),
    };
  };
  const usedBy = (protocol: ListedRouter["protocol"]) => {
    const foreign = routers.filter((one) => one.protocol === protocol && one.provider !== provider);
    const ours = (names: readonly string[]) => [...new Set(names.filter((name) => name.endsWith(mine)))];
    return {
      services: ours(foreign.map(({ service }) => service)),
      middlewares: ours(foreign.flatMap((one) => one.middlewares)),
    };
  };
  return {
    provider,
    entryPoints: entryPoints.map(({ name }) => name),
    udpEntryPoints: entryPoints.filter(isUdp).map(({ name }) => name),
    defaultEntryPoints: defaultsOf(entryPoints),
    others: { http: of("http"), tcp: of("tcp"), udp: of("udp") },
    used: { http: usedBy("http"), tcp: usedBy("tcp") },
  };
}

/** Kinds of middlewares by their names, chains with what is in them. `model`: of the files; others by what Traefik's API says. */
class Guards {
  readonly #types: ReadonlyMap<string, string>;
  constructor(
    private readonly model: Model,
    private readonly surroundings: Surroundings,
    /** Whether the API knows better what is in the files. */
    private readonly inForce: boolean,
  ) {
    const listed = surroundings.overview?.middlewares ?? [];
    this.#types = new Map(
      listed
        .filter(({ protocol }) => protocol === "http")
        .map(({ name, type }) => [name, type.toLowerCase()]),
    );
  }

  of(middlewares: readonly string[], service: string): Guard[] {
    const found = new Map<string, Guard>();
    const seen = new Set<string>();
    const add = (name: string): void => {
      if (seen.has(name)) return;
      seen.add(name);
      const mine = this.#mine("middlewares", name);
      const [written] = Object.keys(mine?.fields ?? {});
      const listed = this.#types.get(name);
      const type = ((this.inForce ? listed : undefined) ?? written ?? listed ?? "").toLowerCase();
      const kind = kinds[type];
      if (kind !== undefined) found.set(name, { name, kind });
      if (type === "chain")
        for (const one of textsOf(fieldsOf(mine?.fields, "chain"), "middlewares"))
          add(qualified(one, providerOf(name)));
    };
    for (const name of middlewares) add(name);
    const balancer = fieldsOf(this.#mine("services", service)?.fields, "loadBalancer");
    const servers = balancer?.servers;
    if (balancer !== undefined && (servers === undefined || servers.length === 0))
      found.set(service, { name: service, kind: "closed" });
    return [...found.values()];
  }

  #mine(section: string, name: string): Element | undefined {
    return providerOf(name) === this.surroundings.provider
      ? this.model.elements.get(`http.${section}.${bare(name)}`)
      : undefined;
  }
}

const rulesOf = (overview: TraefikOverview | null) => {
  const understood = understands(overview?.version ?? "3.7");
  return (rule: string, old: boolean): string | null => (understood({ rule, old }) ? rule : null);
};

function listed(router: ListedRouter, rule: string | null, guards: Guards, enabled = true): Route[] {
  return router.entryPoints.map((point) => ({
    name: router.source,
    provider: router.provider,
    rule,
    priority: router.priority === 0n ? BigInt(httpPriority(router.rule)) : router.priority,
    point,
    tls: router.tls,
    enabled: enabled && router.status !== "disabled",
    guards: guards.of(
      router.middlewares.map((name) => qualified(name, router.provider)),
      qualified(router.service, router.provider),
    ),
  }));
}

/** What Traefik has in force. `current`: its files. */
export function inForce(current: Model, surroundings: Surroundings & { overview: TraefikOverview }): Route[] {
  const guards = new Guards(current, surroundings, true);
  const ruleOf = rulesOf(surroundings.overview);
  return surroundings.overview.routers
    .filter(({ protocol }) => protocol === "http")
    .flatMap((router) => listed(router, ruleOf(router.rule, router.old), guards));
}

/**
 * What Traefik would have with the files of `draft`, and what of other providers stays. `stopped`: what it puts out of service
 * (`judgeDirectory`). Routers with parents are left out: they take what their parents take. Without an overview routers that name no entry
 * point are at all that anybody names.
 */
export function withFiles(
  draft: Model,
  stopped: ReadonlySet<string>,
  current: Model,
  surroundings: Surroundings,
): Route[] {
  const { provider, overview } = surroundings;
  const guards = new Guards(draft, surroundings, false);
  const ruleOf = rulesOf(overview);
  const stands = (section: string, name: string): boolean => {
    if (providerOf(name) !== provider) return true;
    const key = `http.${section}.${bare(name)}`;
    // What is in neither is where nobody looks: in a file of another kind.
    return !stopped.has(key) && (draft.elements.has(key) || draft.hidden || !current.elements.has(key));
  };
  const key = (name: string): string => `http.routers.${bare(name)}`;
  const others = (overview?.routers ?? [])
    .filter(
      (one) =>
        one.protocol === "http" &&
        (one.provider !== provider ||
          !(current.elements.has(key(one.source)) || draft.elements.has(key(one.source)))),
    )
    .flatMap((one) => {
      const complete = (name: string) => qualified(name, one.provider);
      const whole =
        one.middlewares.every((name) => stands("middlewares", complete(name))) &&
        stands("services", complete(one.service));
      return listed(one, ruleOf(one.rule, one.old), guards, whole);
    });
  const written = [...draft.elements.values()].filter(
    ({ protocol, section }) => protocol === "http" && section === "routers",
  );
  const named = [draft, current].flatMap(({ elements }) =>
    [...elements.values()]
      .filter(({ protocol, section }) => protocol === "http" && section === "routers")
      .flatMap(({ fields }) => textsOf(fields, "entryPoints")),
  );
  const guessed = [...new Set(named.length > 0 ? named : ["web"])];
  const points = new Map<string, Point>(
    (
      overview?.entryPoints ??
      guessed.map((name) => ({ name, asDefault: false, tls: false, middlewares: [] }))
    ).map((one) => [one.name, one]),
  );
  const defaults = overview === null ? guessed : defaultsOf(overview.entryPoints);
  const mine = written.flatMap(({ name, fields }): Route[] => {
    if (textsOf(fields, "parentRefs").length > 0) return [];
    const rule = textOf(fields, "rule");
    const asked = BigInt(textOf(fields, "priority") || 0);
    const at = textsOf(fields, "entryPoints");
    return (at.length > 0 ? at : defaults).flatMap((one) => {
      const point = points.get(one);
      if (point === undefined) return [];
      const middlewares = [...point.middlewares, ...textsOf(fields, "middlewares")].map((each) =>
        qualified(each, provider),
      );
      return {
        name: `${name}@${provider}`,
        provider,
        rule: ruleOf(rule, textOf(fields, "ruleSyntax") === "v2"),
        priority: asked === 0n ? BigInt(httpPriority(rule)) : asked,
        point: one,
        tls: point.tls || fields.tls !== undefined,
        enabled:
          !stopped.has(`http.routers.${name}`) && middlewares.every((each) => stands("middlewares", each)),
        guards: guards.of(middlewares, qualified(textOf(fields, "service"), provider)),
      };
    });
  });
  return [...others, ...mine];
}
