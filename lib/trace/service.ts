// Asks for one address at every layer of its site, outermost first, and tells what each did with it.
import { config } from "../config/load";
import type { Config } from "../config/schema";
import { AppError, tellProblem, toAppError } from "../errors/app-error";
import { cachesOf, type VarnishCache } from "../purge/stack";
import type { Candidate, Routed } from "../routing/contract";
import { routersOf } from "../routing/service";
import { type Address, publicUrl, readAddress } from "../sites/address";
import { addressOf } from "../sites/site";
import { fetchThrough } from "../systems/http/fetch-through";
import { type ListedService, overviewOf } from "../systems/traefik/overview";
import { type Peek, peek } from "../systems/varnish/http";
import type { NodeVcl } from "../vcl/contract";
import { nodeSoon } from "../vcl/watch";
import type { Trace, TraceLayer, TraceRequest, TraceRoute } from "./contract";
import { headersOf, plainHeaders, shownHeaders } from "./headers";
import { edgeCache, factsOf, hasMark, nginxCache, pageOf, saidBy, varnishCache } from "./said";
import { failingIn, type Seen, verdictOf } from "./verdict";

type Server = Config["systems"]["traefik"][number];
type Request = { readonly method: "GET" | "HEAD"; readonly headers: Readonly<Record<string, string>> };

/** A page takes longer than a look at a system's health. */
const leastMs = 10_000;
const mostBytes = 16 * 1024 * 1024;
const vclFreshMs = 5000;

/** The address among the sites that this actor may see. Throws AppError INVALID_INPUT. */
function read(url: string, allowed: readonly string[] | null): Address {
  const sites = config().sites.filter(({ name }) => allowed === null || allowed.includes(name));
  try {
    return readAddress(url, sites);
  } catch (error) {
    const { code, message, detail } = toAppError(error);
    // Its words for these are of purging.
    const own = detail.problem === "url.foreignHost" || detail.problem === "url.scheme";
    const problem = own ? detail.problem?.replace("url.", "trace.") : detail.problem;
    throw new AppError(code, message, {
      ...detail,
      field: "url",
      ...(problem === undefined ? {} : { problem }),
    });
  }
}

/** One layer to ask; `base` is sluice.yaml's own, null where it tells none. */
type Layer = {
  readonly kind: Seen["kind"];
  readonly name: string | null;
  readonly point: string | null;
  readonly base: string | null;
  readonly path: string;
  readonly timeoutMs: number;
  /** Why it cannot be asked. */
  readonly unasked: string;
};

/** What is on the way of this address, outermost first. Entry points of the public address's scheme, where a Traefik has any. */
function layersOf(settings: Config, address: Address): Layer[] {
  const { site, host, typed, key } = address;
  const { protocol, origin } = addressOf(site, host);
  const caches = cachesOf(settings, site);
  const none = (kind: Seen["kind"], unasked: string): Layer[] => [
    { kind, name: null, point: null, base: null, path: typed, timeoutMs: leastMs, unasked },
  ];
  const named = (
    kind: Seen["kind"],
    list: readonly { name: string; url: string; timeout: number }[],
    path: string,
  ) =>
    list.length === 0
      ? none(kind, "trace.notConfigured")
      : list.map(
          ({ name, url, timeout }): Layer => ({
            ...{ kind, name, point: null, base: url, path, unasked: "" },
            timeoutMs: Math.max(timeout, leastMs),
          }),
        );
  const traefik = settings.systems.traefik.flatMap(({ name, timeout, entry_points }): Layer[] => {
    const points = Object.entries(entry_points);
    const own = points.filter(([, base]) => new URL(base).protocol === protocol);
    const common = { kind: "traefik", name, path: typed, timeoutMs: Math.max(timeout, leastMs) } as const;
    if (points.length === 0) return [{ ...common, point: null, base: null, unasked: "trace.noEntryPoints" }];
    return (own.length > 0 ? own : points).map(([point, base]) => ({ ...common, point, base, unasked: "" }));
  });
  const edge: Layer = {
    ...{ kind: "edge", name: caches.cloudflare?.name ?? host, point: null, path: typed },
    ...{ base: site.edge ?? origin, timeoutMs: leastMs, unasked: "" },
  };
  const nginx = settings.systems.nginx.filter(({ name }) => site.caches.nginx.includes(name));
  const inner: Layer[] =
    site.origin === undefined
      ? none("origin", "trace.noOrigin")
      : // The same server twice says nothing twice.
        nginx.some(({ url }) => url === site.origin)
        ? []
        : [
            {
              ...{ kind: "origin", name: new URL(site.origin).host, point: null, path: key },
              ...{ base: site.origin, timeoutMs: leastMs, unasked: "" },
            },
          ];
  return [
    edge,
    ...(traefik.length > 0 ? traefik : none("traefik", "trace.notConfigured")),
    ...named("varnish", caches.varnish, typed),
    ...named("nginx", nginx, key),
    ...inner,
  ];
}

/** What Traefik's rules and its servers say. */
function routeOf(
  routed: Routed | undefined,
  point: string | null,
  services: readonly ListedService[],
): TraceRoute {
  const nothing = { router: null, rule: null, service: null, middlewares: [], servers: [] };
  if (routed === undefined || routed.problem !== null)
    return { ...nothing, state: "untold", problem: routed?.problem ?? null };
  const points = routed.entryPoints.filter(({ name }) => point === null || name === point);
  const taken = points.map(({ candidates }) => candidates).find(([first]) => first?.state === "taken");
  const [first] = taken ?? [];
  if (taken === undefined || first === undefined) return { ...nothing, state: "nobody", problem: null };
  return {
    state: taken.some(({ state }: Candidate) => state === "tie") ? "unsure" : "taken",
    router: first.name,
    rule: first.rule,
    service: first.service,
    middlewares: first.middlewares,
    servers: [...serversOf(first, services)],
    problem: null,
  };
}

/** A service without a provider is of its router's. */
function serversOf(
  { name, service }: Candidate,
  services: readonly ListedService[],
): ListedService["servers"] {
  const full = service.includes("@") ? service : `${service}@${name.split("@").at(-1) ?? ""}`;
  return services.find((one) => one.protocol === "http" && one.name === full)?.servers ?? [];
}

/** A Traefik's routes of this address by scheme, and its services; neither throws. */
async function rulesOf(
  servers: readonly Server[],
  address: Address,
  schemes: readonly string[],
  { method, headers }: Request,
): Promise<(layer: Layer) => TraceRoute> {
  const rest = publicUrl(address.site, address.host, address.typed).replace(/^https?:/, "");
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const [routed, services] = await Promise.all([
    Promise.all(
      schemes.map(async (scheme) => {
        const asked = { url: `${scheme}${rest}`, method, headers: lines.join("\n") };
        return [scheme, await routersOf(asked)] as const;
      }),
    ),
    Promise.all(
      servers.map(async (server) => {
        const found = await overviewOf(server).catch(() => null);
        return [server.name, found?.services ?? []] as const;
      }),
    ),
  ]);
  const byScheme = new Map(routed);
  const byName = new Map(services);
  return ({ name, point, base }) => {
    const scheme = base === null ? (schemes[0] ?? "") : new URL(base).protocol;
    const own = byScheme.get(scheme)?.find(({ traefik }) => traefik === name);
    return routeOf(own, point, byName.get(name ?? "") ?? []);
  };
}

/** What nodes had of this address before anybody asked for it, and what VCL they run. */
async function nodesBefore(
  nodes: readonly VarnishCache[],
  address: Address,
  request: Request,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, { before: Peek | null; vcl: NodeVcl }>> {
  const { accept, "accept-encoding": encoding } = request.headers;
  const variant = {
    ...(accept === undefined ? {} : { accept }),
    ...(encoding === undefined ? {} : { acceptEncoding: encoding }),
  };
  return new Map(
    await Promise.all(
      nodes.map(async (node) => {
        const [before, vcl] = await Promise.all([
          peek(node, address.host, address.typed, { ...variant, signal }).catch(() => null),
          nodeSoon(node, vclFreshMs),
        ]);
        return [node.name, { before, vcl }] as const;
      }),
    ),
  );
}

/** The request at one layer. Never throws for what the layer does. */
async function ask(
  { kind, name, base, path, timeoutMs }: Layer,
  { site, host }: Address,
  { method, headers }: Request,
  signal: AbortSignal | undefined,
): Promise<Pick<Seen, "kind" | "name" | "answer" | "error" | "page">> {
  if (base === null) return { kind, name, answer: null, error: null, page: null };
  try {
    const request = { base, host, path, method, headers, timeoutMs, signal, maxBytes: mostBytes };
    const answer = await fetchThrough(request);
    return { kind, name, answer, error: null, page: pageOf(site, method, answer) };
  } catch (error) {
    const told = toAppError(error);
    // What cannot be sent is the asker's to change, and who went away waits for no answer.
    if (told.code === "INVALID_INPUT" || told.code === "CANCELLED") throw told;
    return { kind, name, answer: null, error: told, page: null };
  }
}

const refusals = new Set([401, 403, 429]);

/** A layer as it was asked, and the VCL that a node runs. */
type Looked = Seen & { readonly layer: Layer; readonly vcl: NodeVcl | null };

function layerOf(
  { layer, vcl, answer, error, before, route }: Looked,
  page: TraceLayer["page"],
  sent: Request["headers"],
): TraceLayer {
  const { kind, name, point, base, unasked } = layer;
  const headers = answer?.headers ?? {};
  const plain = plainHeaders(headers, sent);
  const hit = before?.state === "hit" ? before : null;
  const own =
    kind === "varnish" ? varnishCache(headers) : kind === "nginx" ? nginxCache(headers) : edgeCache(headers);
  const cache = kind === "varnish" && own === "hit" && hit !== null && hit.ttlS <= 0 ? "stale" : own;
  const isPeeked = before !== null && before.state !== "unsupported";
  return {
    ...{ kind, name, point, page, route },
    address: base === null ? null : new URL(base).origin,
    state:
      answer !== null
        ? refusals.has(answer.status)
          ? "refused"
          : "answered"
        : error === null
          ? "unasked"
          : "silent",
    problem:
      error !== null
        ? tellProblem(error, { problem: "health.failed", params: { says: error.message.slice(0, 300) } })
        : answer === null
          ? { problem: unasked, params: {} }
          : null,
    status: answer?.status ?? null,
    ms: answer?.ms ?? null,
    cache: kind === "traefik" || kind === "origin" ? null : cache,
    facts: [
      ...saidBy[kind](plain),
      ...factsOf({
        location: plain.location?.slice(0, 500),
        before: isPeeked ? before.state : null,
        beforeAge: hit === null ? null : Math.round(hit.ageS),
        ttl: hit === null ? null : Math.round(hit.ttlS),
        grace: hit === null ? null : Math.round(hit.graceS),
        vcl: vcl === null ? null : vcl.revision === null ? vcl.active : `r${vcl.revision}`,
      }),
    ],
    headers: shownHeaders(headers, sent),
  };
}

/** The application, by the marks it leaves in the innermost answer. */
function applicationOf(seen: readonly Seen[], sent: Request["headers"]): TraceLayer {
  const from = seen.findLast(({ answer }) => answer !== null);
  const answer = from?.answer ?? null;
  const isSeen = answer !== null && hasMark(answer.headers);
  return {
    ...{ kind: "application", name: null, point: null, address: null, cache: null, page: null, route: null },
    state: isSeen ? "answered" : "unasked",
    problem: isSeen ? null : { problem: "trace.noMark", params: {} },
    status: isSeen ? answer.status : null,
    ms: null,
    facts: answer === null ? [] : saidBy.application(plainHeaders(answer.headers, sent)),
    headers: isSeen
      ? shownHeaders(answer.headers, sent).filter(({ name }) => name.startsWith("x-debug"))
      : [],
  };
}

/** Which layers give another page than the innermost. That one is asked again: one that differs from itself proves nothing. */
async function comparedOf(
  seen: readonly Looked[],
  again: (one: Looked) => Promise<string | null>,
): Promise<Trace["compared"]> {
  const pages = seen.filter(({ page }) => page !== null);
  const truth = pages.at(-1);
  if (truth === undefined || pages.length < 2) return { state: "none", truth: null, differing: [] };
  const others = pages.filter(({ page }) => page !== truth.page).reverse();
  const steady = others.length === 0 || (await again(truth)) === truth.page;
  return {
    state: others.length === 0 ? "same" : steady ? "differs" : "unsteady",
    truth: seen.indexOf(truth),
    differing: steady ? others.map((one) => seen.indexOf(one)) : [],
  };
}

/**
 * Asks for an address at each layer that sluice.yaml has for its site, and at nothing else. `allowed`: the sites that the actor may see,
 * null for all. Throws AppError INVALID_INPUT for what cannot be asked; a layer that does not answer is told.
 */
export async function traceUrl(
  { url, method, headers: text = "" }: TraceRequest,
  allowed: readonly string[] | null,
  signal?: AbortSignal,
): Promise<Trace> {
  const settings = config();
  const address = read(url, allowed);
  const { site } = address;
  const sent = headersOf(text);
  const common = { accept: "*/*", "user-agent": "Sluice-Trace/1" };
  const encoding = site.accept_encodings[0] ?? "gzip";
  const request: Request = { method, headers: { ...common, "accept-encoding": encoding, ...sent } };
  const layers = layersOf(settings, address);
  const bases = layers.flatMap(({ kind, base }) => (kind === "traefik" && base !== null ? [base] : []));
  const schemes = [
    ...new Set([addressOf(site, address.host).protocol, ...bases.map((base) => new URL(base).protocol)]),
  ];
  // What each had, before a request changes it.
  const [routeAt, nodes] = await Promise.all([
    rulesOf(settings.systems.traefik, address, schemes, request),
    nodesBefore(cachesOf(settings, site).varnish, address, request, signal),
  ]);
  const look = async (layer: Layer): Promise<Looked> => {
    const node = layer.kind === "varnish" ? nodes.get(layer.name ?? "") : undefined;
    return {
      ...(await ask(layer, address, request, signal)),
      route: layer.kind === "traefik" && layer.name !== null ? routeAt(layer) : null,
      before: node?.before ?? null,
      ...{ layer, vcl: node?.vcl ?? null },
    };
  };
  // The public address first and alone, as a visitor would meet it: the others would fill what it goes through.
  const [edge, ...inner] = layers;
  const seen = edge === undefined ? [] : [await look(edge), ...(await Promise.all(inner.map(look)))];
  const compared = await comparedOf(
    seen,
    async ({ layer }) => (await ask(layer, address, request, signal)).page,
  );
  const isCompared = compared.state === "same" || compared.state === "differs";
  const pageAt = ({ page }: Looked, index: number): TraceLayer["page"] => {
    if (!isCompared || page === null || index === compared.truth) return null;
    return compared.differing.includes(index) ? "differs" : "same";
  };
  const all: readonly Seen[] = seen;
  const { layer, behind, ...verdict } = verdictOf(all, sent);
  const place = (one: Seen | null) => (one === null ? null : all.indexOf(one));
  return {
    site: site.name,
    method,
    url: publicUrl(site, address.host, address.typed),
    key: address.key,
    verdict: { ...verdict, layer: place(layer), behind: place(behind) },
    failing: failingIn(all).map((one) => all.indexOf(one)),
    compared,
    layers: [...seen.map((one, index) => layerOf(one, pageAt(one, index), sent)), applicationOf(seen, sent)],
  };
}
