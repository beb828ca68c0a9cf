// Who takes a request when TCP routers stand at the same entry point: they have the connection before HTTP sees what is asked.
import { parseRule } from "../expression";
import { type Connection, hostsOf, type Seen, tcpRule } from "../match";
import { Lanes, type Rules, read, type Told } from "./lanes";
import type { Route } from "./situation";

type Test = (connection: Connection) => boolean;
type Tcp = { readonly route: Route; readonly test: Test; readonly any: boolean };
/** One entry point, with TLS or without. */
type Door = { readonly tcp: readonly Tcp[]; readonly hosts: readonly Test[]; readonly open: boolean };

/** HostSNI(`*`) and nothing else. */
function isAny(rule: string): boolean {
  const tree = parseRule(rule, ["HostSNI", "HostSNIRegexp", "ClientIP", "ALPN"]);
  return !("left" in tree) && tree.matcher === "HostSNI" && !tree.not && tree.value[0] === "*";
}

const textOfIp = (ip: Uint8Array | null): string =>
  ip === null
    ? ""
    : Array.from({ length: 8 }, (_, at) =>
        (((ip[2 * at] ?? 0) << 8) | (ip[2 * at + 1] ?? 0)).toString(16),
      ).join(":");

function doorOf(routes: readonly Route[], point: string, tls: boolean): Door {
  const here = routes.filter((one) => one.point === point && one.tls === tls);
  const tcp = here
    .filter(({ protocol, enabled }) => protocol === "tcp" && enabled)
    .flatMap((route): Tcp[] => {
      const { rule } = route;
      const found = rule === null ? null : read(() => ({ route, test: tcpRule(rule), any: isAny(rule) }));
      return found === null ? [] : [found];
    })
    .sort(({ route: a }, { route: b }) => (a.priority === b.priority ? 0 : a.priority > b.priority ? -1 : 1));
  if (tcp.length === 0 || !tls) return { tcp, hosts: [], open: false };
  // Also routers that are switched off have their hosts.
  const named = here
    .filter(({ protocol, rule }) => protocol === "http" && rule !== null)
    .map(({ rule, enabled }) => ({ enabled, hosts: read(() => hostsOf(rule ?? "")) ?? [] }));
  const hosts = new Set(named.flatMap((one) => one.hosts).filter((host) => host !== "*"));
  return {
    tcp,
    hosts: [...hosts].flatMap((host) => read(() => tcpRule(`HostSNI(${JSON.stringify(host)})`)) ?? []),
    open: named.some((one) => one.enabled && (one.hosts.length === 0 || one.hosts.includes("*"))),
  };
}

/** The routers of one situation: TCP ones first where Traefik asks them first. Those that are switched off take nothing. */
export class Takers {
  readonly #http: Lanes<Route>;
  readonly #doors = new Map<string, Door>();
  constructor(
    private readonly routes: readonly Route[],
    rules: Rules,
  ) {
    this.#http = new Lanes(
      routes.filter(({ protocol, enabled }) => protocol === "http" && enabled),
      rules,
    );
  }

  /** As `Lanes.take`. */
  take(point: string, tls: boolean, seen: Seen, told: Told): Route | null | "untold" {
    return this.#connection(point, tls, seen) ?? this.#http.take(point, tls, seen, told);
  }

  /** As `Lanes.toldBy`. */
  toldBy(name: string, point: string, tls: boolean, seen: Seen): Told | null {
    return this.#http.toldBy(name, point, tls, seen);
  }

  /**
   * Who takes the connection of a request, as a browser makes it; null: HTTP. The order is Traefik's (pkg/server/router/tcp/router.go,
   * ServeTCP, v3.7): `tcpConflictsOf` tells it.
   */
  #connection(point: string, tls: boolean, { host, ip }: Seen): Route | null {
    const key = `${tls} ${point}`;
    const door = this.#doors.get(key) ?? doorOf(this.routes, point, tls);
    this.#doors.set(key, door);
    if (door.tcp.length === 0) return null;
    const connection = { serverName: tls ? host : "", remoteIp: textOfIp(ip), alpn: ["h2", "http/1.1"] };
    if (door.hosts.some((claims) => claims(connection))) return null;
    const first = door.tcp.find(({ test }) => test(connection));
    return first === undefined || (first.any && door.open) ? null : first.route;
  }
}
