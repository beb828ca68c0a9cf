// What each Traefik does now: its own lists, how its routers get in each other's way, and its figures from Prometheus.
import { createHash } from "node:crypto";
import { config } from "../../config/load";
import type { Config } from "../../config/schema";
import { AppError, tellProblem, toAppError } from "../../errors/app-error";
import { labelsOf, matchersOf } from "../../health/selector";
import { singleton } from "../../runtime/singleton";
import { type PrometheusTarget, query } from "../../systems/prometheus/prometheus";
import {
  type ListedRouter,
  type ListedService,
  overviewOf,
  type TraefikOverview,
} from "../../systems/traefik/overview";
import { anyClient, conflictsOf, Effort, type Ranked, tcpConflictsOf, udpShadowed } from "../conflicts";
import { type HttpRequest, hostsOf } from "../match";
import type { Conflict, Figures, TraefikNow, TraefikSeen } from "./contract";

type Server = Config["systems"]["traefik"][number];

/** Who looks within this time after an answer sees the same. */
const freshMs = 5000;
/** For all that one Traefik is asked: each call has its own time besides. */
const roundMs = 10_000;
const mostRows = 1000;
const mostConflicts = 200;
/** Of a rate: four scrapes at least, and long enough to be calm. */
const leastWindowS = 300;
const dayMs = 86_400_000;

type Made = { settings: Config; until: number; seen: Promise<TraefikSeen[]> };
/** `judged`: the conflicts of each Traefik's routers, as long as these are the same. */
type Kept = { made: Made | null; judged: Map<string, { readonly of: string; readonly found: Judged }> };
const last = () => singleton("routing.overview", (): Kept => ({ made: null, judged: new Map() }));

/**
 * Every Traefik of the configuration, once for everybody who looks within a few seconds; one that does not answer says so. `withinMs`: for
 * each of them.
 */
export function traefiks(settings: Config = config(), withinMs = roundMs): Promise<TraefikSeen[]> {
  const kept = last();
  if (kept.made?.settings === settings && kept.made.until > Date.now()) return kept.made.seen;
  const seen = Promise.all(settings.systems.traefik.map((server) => look(settings, server, withinMs)));
  // Nobody asks anew while an answer is on its way.
  const made: Made = { settings, until: Number.POSITIVE_INFINITY, seen };
  kept.made = made;
  void seen.then(() => {
    made.until = Date.now() + freshMs;
  });
  return seen;
}

async function look(settings: Config, server: Server, withinMs: number): Promise<TraefikSeen> {
  const signal = AbortSignal.timeout(withinMs);
  try {
    const [overview, live] = await Promise.all([overviewOf(server, signal), liveOf(settings, server.name)]);
    return { traefik: server.name, problem: null, now: await nowOf(server, overview, live) };
  } catch (thrown) {
    const { origin: address } = new URL(server.url);
    const late = new AppError("TIMEOUT", `${address} did not tell everything within ${withinMs} ms.`, {
      problem: "http.timeout",
      params: { address, ms: withinMs },
    });
    const error = signal.aborted && toAppError(thrown).code === "CANCELLED" ? late : thrown;
    const says = toAppError(error).message.slice(0, 300);
    const problem = tellProblem(error, { problem: "health.failed", params: { says } });
    return { traefik: server.name, problem, now: null };
  }
}

const rank = { disabled: 0, warning: 1, enabled: 2 } as const;

/** Of TCP and UDP there are few: where rows are left out, they are none of theirs. */
const badness = ({ status, protocol }: Pick<ListedRouter, "status" | "protocol">): number =>
  2 * rank[status] + Number(protocol === "http");

/** The first rows, faulty ones before all others. */
function firstOf<T>(all: readonly T[], order: (one: T) => number): { rows: T[]; more: number } {
  const sorted = [...all].sort((a, b) => order(a) - order(b));
  return { rows: sorted.slice(0, mostRows), more: Math.max(0, all.length - mostRows) };
}

async function nowOf(server: Server, overview: TraefikOverview, live: Live): Promise<TraefikNow> {
  const { conflicts, all } = await judged(server.name, overview);
  const isDown = ({ servers }: ListedService) => servers.some(({ up }) => !up);
  return {
    version: overview.version,
    entryPoints: overview.entryPoints.map(({ name, address }) => ({
      name,
      address,
      routers: overview.routers.filter(({ entryPoints }) => entryPoints.includes(name)).length,
    })),
    routers: firstOf(
      overview.routers.map(({ old: _, priority, ...one }) => ({
        ...one,
        priority: String(priority),
        entryPoints: [...one.entryPoints],
        middlewares: [...one.middlewares],
        faults: [...one.faults],
        figures: one.protocol === "http" ? (live.routers.get(one.name) ?? null) : null,
      })),
      badness,
    ),
    services: firstOf(
      overview.services
        .toSorted((a, b) => Number(isDown(b)) - Number(isDown(a)))
        .map((one) => ({
          ...one,
          usedBy: [...one.usedBy],
          servers: [...one.servers],
          faults: [...one.faults],
          figures: one.protocol === "http" ? (live.services.get(one.name) ?? null) : null,
        })),
      badness,
    ),
    middlewares: firstOf(
      overview.middlewares.map((one) => ({ ...one, usedBy: [...one.usedBy] })),
      badness,
    ),
    certificates:
      overview.certificates === null
        ? null
        : firstOf(
            overview.certificates.map(({ notAfter, sans, ...one }) => ({
              ...one,
              sans: [...sans],
              notAfter: notAfter.toISOString(),
              days: Math.floor((notAfter.getTime() - Date.now()) / dayMs),
            })),
            ({ days }) => days,
          ),
    soonDays: server.tls_days,
    conflicts: conflicts.slice(0, mostConflicts),
    moreConflicts: Math.max(0, conflicts.length - mostConflicts),
    unseenConflicts: !all,
    live: live.told,
  };
}

/** An entry point's own redirection to another takes everything, as it is meant to. */
const isRedirection = (name: string): boolean => /-to-.+@internal$/.test(name);

/**
 * Whether a rule says to that Traefik what it says here: 3 before 3.7 takes "*.example" for a host of that name, 2 has other rules
 * altogether.
 */
export function understands(version: string): (router: Pick<ListedRouter, "rule" | "old">) => boolean {
  const [, major = "3", minor = "7"] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  if (Number(major) < 3) return () => false;
  const wildcards = Number(major) > 3 || Number(minor) >= 7;
  return ({ rule, old }) => {
    if (old || wildcards) return !old;
    try {
      return !hostsOf(rule).some((host) => host.startsWith("*"));
    } catch {
      // It is no expression.
      return false;
    }
  };
}

const exampleOf = (request: HttpRequest, tls: boolean): NonNullable<Conflict["example"]> => ({
  method: request.method,
  url: `${tls ? "https" : "http"}://${request.host}${request.path}${request.query === "" ? "" : `?${request.query}`}`,
  headers: Object.entries(request.headers)
    .flatMap(([name, values]) => values.map((value) => `${name}: ${value}`))
    .join("\n"),
  client: clientOf(request.remoteAddr.replace(/:\d+$/, "").replace(/^\[|\]$/g, "")),
});
const clientOf = (address: string): string => (address === anyClient ? "" : address);

type Judged = { readonly conflicts: readonly Conflict[]; readonly all: boolean };

/** Conflicts are looked for once, as long as routers are the same: that may take a second. */
async function judged(name: string, overview: TraefikOverview): Promise<Judged> {
  const { version, entryPoints, routers } = overview;
  const said = [version, entryPoints, routers.map((one) => ({ ...one, priority: String(one.priority) }))];
  const of = createHash("sha256").update(JSON.stringify(said)).digest("hex");
  const kept = last().judged.get(name);
  if (kept?.of === of) return kept.found;
  const found = await conflictsIn(overview);
  last().judged.set(name, { of, found });
  return found;
}

/** Conflicts of all entry points; the same one at several is told once. */
async function conflictsIn({ version, entryPoints, routers }: TraefikOverview): Promise<Judged> {
  const effort = new Effort();
  const found = new Map<string, Conflict>();
  const understood = understands(version);
  const byName = new Map(routers.map((one) => [`${one.protocol} ${one.name}`, one]));
  const told = (
    kind: Conflict["kind"],
    protocol: Conflict["protocol"],
    entryPoint: string,
    router: string,
    others: readonly string[],
    more: Partial<Pick<Conflict, "tls" | "all" | "names" | "example">> = {},
  ) => {
    const source = (of: string, name: string) => byName.get(`${of} ${name}`)?.source ?? name;
    const other = kind === "httpFirst" || kind === "tcpFirst" ? "http" : protocol;
    const one: Conflict = {
      kind,
      protocol,
      entryPoints: [entryPoint],
      tls: more.tls ?? false,
      router: source(protocol, router),
      others: [...new Set(others.map((name) => source(other, name)))],
      all: more.all ?? true,
      names: more.names ?? [],
      example: more.example ?? null,
    };
    const key = JSON.stringify([kind, protocol, one.tls, one.router, one.others, one.all, one.names]);
    const there = found.get(key);
    if (there === undefined) found.set(key, one);
    else there.entryPoints.push(entryPoint);
  };
  const leads = (name: string): string => {
    const { service = "", middlewares } = byName.get(`http ${name}`) ?? {};
    // One without a service leads to its children: no other has the same ones.
    return JSON.stringify([service === "" ? { name } : service, middlewares]);
  };

  for (const { name: point } of entryPoints) {
    const here = routers.filter((one) => one.entryPoints.includes(point));
    const on = here.filter(({ status }) => status !== "disabled");
    const http = here.filter(({ protocol }) => protocol === "http");
    for (const tls of [false, true]) {
      const ranked: Ranked[] = on
        .filter((one) => one.protocol === "http" && one.tls === tls)
        .map((one) => ({
          name: one.name,
          rule: understood(one) ? one.rule : null,
          priority: one.priority,
        }));
      for (const one of await conflictsOf(ranked, effort)) {
        if (one.kind === "never") told("never", "http", point, one.router, [], { tls });
        else if (one.kind === "shadowed") {
          if (!one.by.every(isRedirection)) told("shadowed", "http", point, one.router, one.by, { tls });
        } else if (one.kind === "duplicate" || leads(one.router) !== leads(one.other))
          // Of two that lead the same way it does not matter which one it is.
          told(one.kind, "http", point, one.router, [one.other], {
            tls,
            example: exampleOf(one.example, tls),
          });
      }
    }
    const tcp = on.filter((one) => one.protocol === "tcp" && !one.old);
    const before = http
      .filter((one) => understood(one))
      .map((one) => ({ ...one, enabled: one.status !== "disabled" }));
    for (const one of tcpConflictsOf(tcp, before)) {
      const tls = tcp.find(({ name }) => name === one.router)?.tls ?? false;
      if (one.kind === "tcpFirst")
        told("tcpFirst", "tcp", point, one.router, one.over, { tls, all: one.all });
      else told("httpFirst", "tcp", point, one.router, one.by, { tls, all: one.all, names: [...one.names] });
    }
    const udp = on.filter(({ protocol }) => protocol === "udp").map(({ name }) => name);
    for (const { router, by } of udpShadowed(udp)) told("shadowed", "udp", point, router, by);
  }
  return { conflicts: [...found.values()], all: !effort.isSpent };
}

type Live = {
  readonly told: TraefikNow["live"];
  readonly routers: ReadonlyMap<string, Figures>;
  readonly services: ReadonlyMap<string, Figures>;
};
const silent = (state: TraefikNow["live"]["state"], problem: TraefikNow["live"]["problem"] = null): Live => ({
  told: { state, problem, windowMs: leastWindowS * 1000, routersMissing: false },
  routers: new Map(),
  services: new Map(),
});

/** Traefik's figures by "router" or "service" (doc.traefik.io/traefik/observability/metrics), each by its name. Throws as `query`. */
async function figuresBy(
  target: PrometheusTarget,
  by: "router" | "service",
  matchers: string,
  windowS: number,
): Promise<Map<string, Figures>> {
  const over = (metric: string, more = "") =>
    `rate(traefik_${by}_${metric}{${more}${matchers}}[${windowS}s])`;
  const ask = async (promql: string): Promise<Map<string, number | null>> => {
    const { series } = await query(target, promql);
    return new Map(series.map(({ labels, samples }) => [labels[by] ?? "", samples[0]?.value ?? null]));
  };
  const [rates, failed, p95] = await Promise.all([
    ask(`sum by (${by}) (${over("requests_total")})`),
    ask(`sum by (${by}) (${over("requests_total", 'code=~"5..",')})`),
    ask(`1000 * histogram_quantile(0.95, sum by (le, ${by}) (${over("request_duration_seconds_bucket")}))`),
  ]);
  return new Map(
    [...rates].map(([name, rate]) => {
      const perSecond = rate ?? 0;
      const errors = perSecond === 0 ? null : (failed.get(name) ?? 0) / perSecond;
      return [name, { perSecond, errors, p95Ms: perSecond === 0 ? null : (p95.get(name) ?? null) }];
    }),
  );
}

/** What Prometheus knows of a Traefik's routers and services. It never fails: without figures the rest is still worth a look. */
async function liveOf(settings: Config, name: string): Promise<Live> {
  const [target] = settings.systems.prometheus;
  if (target === undefined) return silent("none");
  const labels = labelsOf(settings, "traefik", name);
  if (labels === null) return silent("ambiguous");
  const windowS = Math.max(leastWindowS, Math.ceil(target.scrape_interval / 250));
  try {
    const [routers, services] = await Promise.all([
      figuresBy(target, "router", matchersOf(labels), windowS),
      figuresBy(target, "service", matchersOf(labels), windowS),
    ]);
    const told = routers.size > 0 || services.size > 0;
    return {
      told: {
        state: told ? "told" : "quiet",
        problem: null,
        windowMs: windowS * 1000,
        routersMissing: services.size > 0 && routers.size === 0,
      },
      routers,
      services,
    };
  } catch (error) {
    const says = toAppError(error).message.slice(0, 300);
    return silent("failed", tellProblem(error, { problem: "health.failed", params: { says } }));
  }
}
