// The HTTP and TCP routers of a Traefik at each of its entry points: those in force by its API, and those that there would be with a draft.
import type { ListedRouter, TraefikOverview } from "../../systems/traefik/overview";
import { hostsOf, httpPriority, tcpPriority } from "../match";
import { understands } from "../overview/service";
import type { Known } from "../validate/references";
import { type Laned, read } from "./lanes";
import { type Element, type Fields, fieldsOf, type Model, textOf, textsOf } from "./model";

/**
 * What stands between a request and a service. "chain": one of which only the name is known; "clientCert": TLS options that want a
 * certificate; "closed": a service without servers, which answers 503.
 */
export type Guard = {
  readonly name: string;
  readonly kind: "auth" | "address" | "rate" | "chain" | "clientCert" | "closed";
  /** As Traefik's API has it: "basicauth". */
  readonly type: string;
  /** Its options, which may hold password hashes; null: they are in none of the files. */
  readonly fields: Fields | null;
};
/** A router at one entry point. Those of TCP take connections before HTTP sees a request of them. */
export type Route = Laned & {
  readonly protocol: "http" | "tcp";
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

/** The hosts that a router's rule names. */
const namedHosts = ({ fields }: Element): string[] => read(() => hostsOf(textOf(fields, "rule"))) ?? [];

/** Kinds of middlewares by their names, chains with what is in them. `model`: of the files; others by what Traefik's API says. */
class Guards {
  readonly #types: ReadonlyMap<string, string>;
  readonly #options = new Map<string, ReadonlyMap<string, ReadonlySet<string>>>();
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
      const fields =
        mine === undefined ? null : written === undefined ? {} : (fieldsOf(mine.fields, written) ?? {});
      if (kind !== undefined) found.set(name, { name, kind, type, fields });
      // What another provider's chain is made of, the API does not tell here: it may be a guard.
      if (type === "chain" && mine === undefined)
        found.set(name, { name, kind: "chain", type, fields: null });
      if (type === "chain")
        for (const one of textsOf(fieldsOf(mine?.fields, "chain"), "middlewares"))
          add(qualified(one, providerOf(name)));
    };
    for (const name of middlewares) add(name);
    const balancer = fieldsOf(this.#mine("services", service)?.fields, "loadBalancer");
    const servers = balancer?.servers;
    if (balancer !== undefined && (servers === undefined || servers.length === 0))
      found.set(service, { name: service, kind: "closed", type: "", fields: null });
    return [...found.values()];
  }

  /**
   * The certificate that a client must show: of a file's router with TLS by its options, of another one by those called "default".
   * Routers of one host with different options get the default ones, and so does one that names no host (pkg/server/router/tcp/manager.go,
   * v3.7).
   */
  ofTls(router: string, point: string): Guard[] {
    const own = this.#mine("routers", router);
    const asked = own === undefined ? "default" : this.#optionOf(own);
    const hosts = own === undefined ? [] : namedHosts(own);
    const isOwn =
      hosts.length > 0 && hosts.every((host) => (this.#optionsAt(point).get(host)?.size ?? 1) === 1);
    const name = isOwn ? asked : "default";
    if (name !== "default" && providerOf(name) !== this.surroundings.provider)
      return [{ name, kind: "clientCert", type: "", fields: null }];
    const bareName = name === "default" ? name : bare(name);
    const fields = fieldsOf(this.model.elements.get(`tls.options.${bareName}`)?.fields, "clientAuth");
    const type = textOf(fields, "clientAuthType");
    // Any other kind lets in who has none, or one of their own making.
    return fields !== undefined && type === "RequireAndVerifyClientCert"
      ? [{ name, kind: "clientCert", type, fields }]
      : [];
  }

  #optionOf({ fields }: Element): string {
    const name = textOf(fieldsOf(fields, "tls"), "options") || "default";
    return name === "default" ? name : qualified(name, this.surroundings.provider);
  }

  /** TLS options by the hosts of an entry point's routers. */
  #optionsAt(point: string): ReadonlyMap<string, ReadonlySet<string>> {
    const kept = this.#options.get(point);
    if (kept !== undefined) return kept;
    const found = new Map<string, Set<string>>();
    for (const one of this.model.elements.values()) {
      if (one.protocol !== "http" || one.section !== "routers" || one.fields.tls === undefined) continue;
      const points = textsOf(one.fields, "entryPoints");
      if (points.length > 0 && !points.includes(point)) continue;
      for (const host of namedHosts(one))
        found.set(host, (found.get(host) ?? new Set()).add(this.#optionOf(one)));
    }
    this.#options.set(point, found);
    return found;
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
    protocol: "http",
    name: router.source,
    provider: router.provider,
    rule,
    priority: router.priority === 0n ? BigInt(httpPriority(router.rule)) : router.priority,
    point,
    tls: router.tls,
    enabled: enabled && router.status !== "disabled",
    guards: [
      ...guards.of(
        router.middlewares.map((name) => qualified(name, router.provider)),
        qualified(router.service, router.provider),
      ),
      ...(router.tls ? guards.ofTls(router.source, point) : []),
    ],
  }));
}

const priorityOfTcp = (rule: string): bigint => BigInt(read(() => tcpPriority(rule)) ?? 0);

/** Routers of TCP; what they guard with is not looked at. */
const listedTcp = (router: ListedRouter): Route[] =>
  router.entryPoints.map((point) => ({
    ...{
      protocol: "tcp",
      name: router.source,
      provider: router.provider,
      point,
      tls: router.tls,
      guards: [],
    },
    rule: router.old ? null : router.rule,
    priority: router.priority === 0n ? priorityOfTcp(router.rule) : router.priority,
    enabled: router.status !== "disabled",
  }));

/** What Traefik has in force. `current`: its files. */
export function inForce(current: Model, surroundings: Surroundings & { overview: TraefikOverview }): Route[] {
  const guards = new Guards(current, surroundings, true);
  const ruleOf = rulesOf(surroundings.overview);
  return surroundings.overview.routers.flatMap((router) =>
    router.protocol === "http"
      ? listed(router, ruleOf(router.rule, router.old), guards)
      : router.protocol === "tcp"
        ? listedTcp(router)
        : [],
  );
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
  const others = (overview?.routers ?? [])
    .filter(({ protocol, provider: by, source }) => {
      const key = `${protocol}.routers.${bare(source)}`;
      return (
        protocol !== "udp" && (by !== provider || !(current.elements.has(key) || draft.elements.has(key)))
      );
    })
    .flatMap((one) => {
      if (one.protocol === "tcp") return listedTcp(one);
      const complete = (name: string) => qualified(name, one.provider);
      const whole =
        one.middlewares.every((name) => stands("middlewares", complete(name))) &&
        stands("services", complete(one.service));
      return listed(one, ruleOf(one.rule, one.old), guards, whole);
    });
  const written = [...draft.elements.values()].filter(
    ({ protocol, section }) => protocol !== "udp" && section === "routers",
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
  const mine = written.flatMap(({ protocol, name, fields }): Route[] => {
    if (textsOf(fields, "parentRefs").length > 0) return [];
    const rule = textOf(fields, "rule");
    const asked = BigInt(textOf(fields, "priority") || 0);
    const at = textsOf(fields, "entryPoints");
    return (at.length > 0 ? at : defaults).flatMap((one) => {
      const point = points.get(one);
      if (point === undefined) return [];
      if (protocol === "tcp")
        return {
          ...{ protocol, name: `${name}@${provider}`, provider, point: one, guards: [] },
          rule: textOf(fields, "ruleSyntax") === "v2" ? null : rule,
          priority: asked === 0n ? priorityOfTcp(rule) : asked,
          tls: fields.tls !== undefined,
          enabled: !stopped.has(`tcp.routers.${name}`),
        };
      const middlewares = [...point.middlewares, ...textsOf(fields, "middlewares")].map((each) =>
        qualified(each, provider),
      );
      const tls = point.tls || fields.tls !== undefined;
      return {
        protocol: "http",
        name: `${name}@${provider}`,
        provider,
        rule: ruleOf(rule, textOf(fields, "ruleSyntax") === "v2"),
        priority: asked === 0n ? BigInt(httpPriority(rule)) : asked,
        point: one,
        tls,
        enabled:
          !stopped.has(`http.routers.${name}`) && middlewares.every((each) => stands("middlewares", each)),
        guards: [
          ...guards.of(middlewares, qualified(textOf(fields, "service"), provider)),
          ...(tls ? guards.ofTls(`${name}@${provider}`, one) : []),
        ],
      };
    });
  });
  return [...others, ...mine];
}
