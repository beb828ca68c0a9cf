// Asks each Traefik for its routers, and tells which of them would take a request.
import { config } from "../config/load";
import { AppError, tellProblem, toAppError } from "../errors/app-error";
import { type EntryPoint, entryPoints, httpRouters, type TraefikRouter } from "../systems/traefik/routers";
import type { TraefikServer } from "../systems/traefik/traefik";
import { parseIp } from "./address";
import type { Candidate, Routed, RoutedRequest } from "./contract";
import { canonicalHost, type HttpRequest } from "./match";
import { fromBytes, partsOfUrl, routingPath, throughEntryPoint, toBytes } from "./path";
import { routerFor } from "./routers";

const mostShown = 50;
/** Parents and children deeper than that are a mistake. */
const mostLevels = 20;
type Asked = HttpRequest & { readonly tls: boolean };

const invalid = (field: string, problem: string, message: string) =>
  new AppError("INVALID_INPUT", message, { problem, params: {}, field });

/** The headers that somebody wrote, one a line. Throws AppError INVALID_INPUT. */
function headersOf(text: string): Record<string, string[]> {
  const headers: Record<string, string[]> = {};
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === "") continue;
    const cut = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*?)[ \t]*$/.exec(line);
    if (cut === null) throw invalid("headers", "routing.header", "A header is written as Name: value.");
    const [, name = "", value = ""] = cut;
    headers[name] = [...(headers[name] ?? []), value];
  }
  return headers;
}

/** As a browser sends it: in punycode. */
function asciiHost(host: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is what is asked for
  if (/^[\x00-\x7f]*$/.test(host) || !URL.canParse(`http://${host}`)) return host;
  return new URL(`http://${host}`).host;
}

/** What would be sent. Throws AppError INVALID_INPUT. */
function requestOf({ url, method, client = "", headers = "" }: RoutedRequest): Asked {
  const parts = partsOfUrl(url);
  if (parts === null)
    throw invalid("url", "routing.url", "Write a whole address, such as https://www.example.org/en.");
  if (client !== "" && parseIp(client) === null)
    throw invalid("client", "routing.client", "This is no IP address.");
  const sent = headersOf(headers);
  const named = Object.entries(sent).find(([name]) => name.toLowerCase() === "host")?.[1][0];
  return {
    tls: parts.tls,
    method,
    host: named ?? asciiHost(parts.host),
    path: parts.path,
    query: parts.query,
    headers: sent,
    remoteAddr: client.includes(":") ? `[${client}]:0` : `${client}:0`,
  };
}

/** What each Traefik of the configuration would do with a request. Throws AppError INVALID_INPUT; one that does not answer says so. */
export async function routersOf(asked: RoutedRequest): Promise<Routed[]> {
  const request = requestOf(asked);
  return Promise.all(
    config().systems.traefik.map(async (server): Promise<Routed> => {
      try {
        return await routedBy(server, request);
      } catch (error) {
        const says = toAppError(error).message.slice(0, 300);
        const problem = tellProblem(error, { problem: "health.failed", params: { says } });
        return { traefik: server.name, problem, seen: null, entryPoints: [] };
      }
    }),
  );
}

async function routedBy(server: TraefikServer, request: Asked): Promise<Routed> {
  const [routers, points] = await Promise.all([httpRouters(server), entryPoints(server)]);
  const path = throughEntryPoint(toBytes(request.path));
  if (path === null) {
    const problem = { problem: "routing.path", params: {} };
    return { traefik: server.name, problem, seen: null, entryPoints: [] };
  }
  // Traefik's default makes a semicolon what an ampersand is.
  const sent = { ...request, path: fromBytes(path), query: request.query.replaceAll(";", "&") };
  return {
    traefik: server.name,
    problem: null,
    seen: {
      tls: request.tls,
      host: canonicalHost(request.host),
      path: fromBytes(routingPath(path) ?? path),
    },
    entryPoints: points
      .map((point) => at(point, routers, sent))
      .filter(({ candidates }) => candidates.length > 0)
      // The ones that take it first.
      .sort((a, b) => Number(isTaken(b)) - Number(isTaken(a))),
  };
}

const isTaken = ({ candidates }: Routed["entryPoints"][number]): boolean => candidates[0]?.state === "taken";

const shown = (
  { name, rule, priority, service, middlewares, errors }: TraefikRouter,
  state: Candidate["state"],
  parts: Candidate["parts"] = [],
): Candidate => ({
  name,
  rule,
  priority: String(priority),
  service,
  middlewares: [...middlewares],
  state,
  parts,
  errors: [...errors],
});

/** All who are asked at an entry point; then the children of who takes it, and theirs (multi-layer routing, Traefik 3.6). */
function at(
  { name, address }: EntryPoint,
  routers: readonly TraefikRouter[],
  request: Asked,
): Routed["entryPoints"][number] {
  const own = routers.filter(
    ({ parents, entryPoints, tls }) =>
      parents.length === 0 && entryPoints.includes(name) && tls === request.tls,
  );
  const first = among(own, request);
  const below: Routed["entryPoints"][number]["below"] = [];
  for (let [taken] = first.candidates; taken?.state === "taken" && below.length < mostLevels; ) {
    const parent = taken.name;
    const children = routers.filter(({ parents }) => parents.includes(parent));
    if (children.length === 0) break;
    const next = among(children, request);
    below.push({ parent, ...next });
    [taken] = next.candidates;
  }
  return { name, address, ...first, below };
}

/** Which of these takes a request, and why the others do not. */
function among(
  own: readonly TraefikRouter[],
  request: Asked,
): Pick<Routed["entryPoints"][number], "candidates" | "more"> {
  const enabled = own.filter((one) => one.enabled);
  const { winner, ties, candidates } = routerFor(enabled, request);
  const asked = candidates.map(({ router, priority, state, parts, error }): Candidate => {
    const how =
      state !== "matches" ? "misses" : router === winner ? "taken" : ties.includes(router) ? "tie" : "later";
    const one = shown({ ...router, priority }, how, [...parts]);
    return error === null ? one : { ...one, errors: [...one.errors, error] };
  });
  const holding = ({ parts }: Candidate) => parts.filter(({ holds }) => holds).length;
  const all = [
    ...asked.filter(({ state }) => state !== "misses"),
    ...own.filter((one) => !one.enabled).map((one) => shown(one, "disabled")),
    ...asked.filter(({ state }) => state === "misses").sort((a, b) => holding(b) - holding(a)),
  ];
  return { candidates: all.slice(0, mostShown), more: Math.max(0, all.length - mostShown) };
}
