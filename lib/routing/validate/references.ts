// What the routers of a directory lead to, built as Traefik v3.7 builds it: which of them, and of what they use, it puts out of service.
import { hostOfAddress } from "../address";
import { RuleError } from "../expression";
import { httpRule, serverNamesOf, tcpRule } from "../match";
import type { Value } from "./decode";
import { isStatusRange, urlProblem } from "./go";
import { checkMiddleware, checkTcpMiddleware, type Refuse, textOf, textsOf } from "./middlewares";
import type { Effect, Params, Place, Tell } from "./problem";
import { type Branch, type RouterTree, routerTree } from "./router-tree";
import { cipherSuites, curves, tlsVersions } from "./tls-names";

type Names = {
  readonly routers?: readonly string[];
  readonly services?: readonly string[];
  readonly middlewares?: readonly string[];
};
/** What exists beside the files. What is left out is not known, and nothing is said of references to it. */
export type Known = {
  /** All of them, as Traefik's API lists them. */
  readonly entryPoints?: readonly string[];
  /** Those of `entryPoints` that are UDP's. */
  readonly udpEntryPoints?: readonly string[];
  readonly certResolvers?: readonly string[];
  /** Those of routers that name none; all but "traefik" when left out. */
  readonly defaultEntryPoints?: readonly string[];
  /** What reads the files: "file" when left out, "http" where Traefik fetches them. */
  readonly provider?: string;
  /** Of other providers, as "name@provider". */
  readonly others?: { readonly http?: Names; readonly tcp?: Names; readonly udp?: Names };
  /** Names ("auth@file") of services and middlewares of these files that routers of other providers use. */
  readonly used?: { readonly http?: Omit<Names, "routers">; readonly tcp?: Omit<Names, "routers"> };
};

type Protocol = "http" | "tcp" | "udp";
type Kind = "routers" | "services" | "middlewares" | "serversTransports";
/** A router, service, middleware … of the files; of one name the first file's. */
type Element = {
  readonly name: string;
  readonly id: string;
  readonly value: Value;
  /** What every problem of it tells: its name, and where it stands ("http.routers.shop"). */
  readonly about: { readonly name: string; readonly element: string };
};
type Elements = ReadonlyMap<string, Element>;

/** As Traefik completes a name: an element's own provider, which a name with @ in it falsifies. */
const qualified = (name: string, from: string): string =>
  name.includes("@") ? name : `${name}@${from.split("@")[1] ?? ""}`;
const mostPriority = 2n ** 63n - 1n - 1000n;
const internalServices = ["noop", "acme-http", "api", "dashboard", "rest", "ping", "prometheus"];
/** What Traefik itself brings: not in any file. */
const isInternal = (id: string): boolean => id.endsWith("@internal");

/** The names in one place of all files, merged as Traefik merges them. */
function merged(
  files: readonly Value[],
  section: string,
  kind: string,
  provider: string,
  tell: Tell,
): Map<string, Element> {
  const all = new Map<string, Element>();
  for (const file of files)
    for (const [name, value] of file.fields.get(section)?.fields.get(kind)?.fields ?? []) {
      const id = section === "tls" && name === "default" ? name : `${name}@${provider}`;
      const first = all.get(id);
      const about = { name, element: `${section}.${kind}.${name}` };
      if (first === undefined) all.set(id, { name, id, value, about });
      else tell(value.key, "ignored", "nameTaken", { ...about, file: first.value.key.file });
    }
  return all;
}

type Verdict = "fine" | "broken" | "unknown";

class Build {
  readonly #elements: Readonly<Record<Protocol, Readonly<Record<Kind, Elements>>>>;
  readonly #tlsOptions: Elements;
  readonly #provider: string;
  /** By protocol, kind and id: what came of it; "open" while it is made. */
  readonly #made = new Map<string, Verdict | "open">();
  /** Elements that something stops. */
  readonly #stopped = new Set<Element>();
  /** Whether what is made now is used by a router. */
  #used = true;

  constructor(
    private readonly files: readonly Value[],
    private readonly known: Known,
    /** Whether names that are nowhere may yet be somewhere. */
    private readonly openWorld: boolean,
    private readonly tell: Tell,
  ) {
    this.#provider = known.provider ?? "file";
    const of = (protocol: Protocol) => {
      const one = (kind: Kind) => merged(files, protocol, kind, this.#provider, tell);
      return {
        routers: one("routers"),
        services: one("services"),
        middlewares: one("middlewares"),
        serversTransports: one("serversTransports"),
      };
    };
    this.#elements = { http: of("http"), tcp: of("tcp"), udp: of("udp") };
    this.#tlsOptions = merged(files, "tls", "options", this.#provider, tell);
  }

  all(): void {
    this.#tls();
    for (const [, transport] of this.#elements.http.serversTransports) this.#transport(transport);
    this.#httpRouters();
    for (const [, router] of this.#elements.tcp.routers) this.#tcpRouter(router);
    this.#udpRouters();
    for (const protocol of ["http", "tcp"] as const) {
      for (const id of this.known.used?.[protocol]?.services ?? []) this.#service(protocol, id);
      for (const id of this.known.used?.[protocol]?.middlewares ?? []) this.#middleware(protocol, id);
    }
    // What nobody uses is not made by Traefik, which so finds nothing wrong with it.
    this.#used = false;
    for (const protocol of ["http", "tcp", "udp"] as const) {
      for (const [id] of this.#elements[protocol].services) this.#service(protocol, id);
      for (const [id] of this.#elements[protocol].middlewares) this.#middleware(protocol, id);
    }
    for (const [id] of this.#tlsOptions) this.#options(id);
  }

  /** Tells what stops an element; unused ones are not stopped. */
  #stop(element: Element, at: Place, code: string, params: Params = {}): void {
    const effect: Effect = this.#used ? "disabled" : "none";
    this.#stopped.add(element);
    this.tell(at, effect, code, { ...element.about, ...params });
  }

  /** Makes something once. */
  #once(key: string, make: () => Verdict): Verdict | "open" {
    const made = this.#made.get(key);
    if (made !== undefined) return made;
    this.#made.set(key, "open");
    const verdict = make();
    this.#made.set(key, verdict);
    return verdict;
  }

  /** Whether a name that no file has is one of another provider. */
  #elsewhere(protocol: Protocol, kind: Exclude<Kind, "serversTransports">, id: string): Verdict {
    if (kind === "services" && isInternal(id) && protocol === "http")
      return internalServices.includes(id.replace("@internal", "")) ? "unknown" : "broken";
    const others = this.known.others?.[protocol]?.[kind];
    if (id.endsWith(`@${this.#provider}`)) return this.openWorld ? "unknown" : "broken";
    return others === undefined || others.includes(id) ? "unknown" : "broken";
  }

  /** A reference to a service or middleware: whether who refers to it can be made. */
  #refer(
    protocol: Protocol,
    kind: "services" | "middlewares",
    name: string,
    at: Place,
    from: Element,
    verdictOf: (id: string) => Verdict | "open",
  ): boolean {
    const id = qualified(name, from.id);
    const what = kind === "services" ? "Service" : "Middleware";
    const params = { [kind === "services" ? "service" : "middleware"]: name };
    if (!this.#elements[protocol][kind].has(id)) {
      if (this.#elsewhere(protocol, kind, id) !== "broken") return true;
      this.#stop(from, at, `unknown${what}`, params);
      return false;
    }
    const verdict = verdictOf(id);
    if (verdict === "open") {
      // TCP and UDP have no such check: Traefik's stack overflows.
      if (protocol === "http") this.#stop(from, at, "recursion", { to: name });
      else
        this.tell(
          at,
          this.#used ? "rejected" : "none",
          "deadlyRecursion",
          { ...from.about, to: name },
          "error",
        );
      return false;
    }
    if (verdict === "broken") this.#stop(from, at, `broken${what}`, params);
    return verdict !== "broken";
  }

  // Middlewares

  #middlewares(protocol: Protocol, from: Element, holder: Value): boolean {
    return textsOf(holder, "middlewares")
      .map(({ text, at }) =>
        this.#refer(protocol, "middlewares", text, at, from, (id) => this.#middleware(protocol, id)),
      )
      .every(Boolean);
  }

  #middleware(protocol: Protocol, id: string): Verdict | "open" {
    const element = this.#elements[protocol].middlewares.get(id);
    if (element === undefined) return "unknown";
    return this.#once(`${protocol} middleware ${id}`, () => {
      const { fields } = element.value;
      let fine = true;
      const refuse: Refuse = (at, code, params, effect, severity) => {
        if (effect === undefined) {
          fine = false;
          this.#stop(element, at, code, params);
        } else this.tell(at, effect, code, { ...element.about, ...params }, severity);
      };
      const kinds = [...fields.keys()];
      const [first, second] = kinds;
      if (first === undefined) refuse(element.value.key, "middlewareWithoutKind");
      else if (first === "plugin") return "unknown";
      else if (second !== undefined && protocol === "http")
        refuse(fields.get(second)?.key ?? element.value.key, "middlewareWithTwoKinds", { first, second });
      else if (second !== undefined)
        this.tell(
          fields.get(first)?.key ?? element.value.key,
          "ignored",
          "tcpMiddlewareWithTwoKinds",
          element.about,
          "error",
        );
      for (const [kind, value] of fields) {
        if (protocol !== "http") checkTcpMiddleware(kind, value, refuse);
        else checkMiddleware(kind, value, refuse);
        if (kind === "chain" && !this.#middlewares("http", element, value)) fine = false;
        if (kind === "errors" && !this.#toService("http", element, value, "service", true)) fine = false;
      }
      return fine ? "fine" : "broken";
    });
  }

  // Services

  /** A field that names a service. */
  #toService(protocol: Protocol, from: Element, holder: Value, field: string, needed: boolean): boolean {
    const found = holder.fields.get(field);
    if (found === undefined || found.text === "") {
      if (needed) this.#stop(from, found?.at ?? holder.key, "noServiceNamed", { key: field });
      return !needed;
    }
    return this.#refer(protocol, "services", found.text, found.at, from, (id) => this.#service(protocol, id));
  }

  #service(protocol: Protocol, id: string): Verdict | "open" {
    const element = this.#elements[protocol].services.get(id);
    if (element === undefined) return "unknown";
    return this.#once(`${protocol} service ${id}`, () => {
      const { value } = element;
      const kinds = [...value.fields.keys()].filter((name) => name !== "middlewares");
      const [kind, second] = kinds;
      const of = kind === undefined ? undefined : value.fields.get(kind);
      if (kind === undefined || of === undefined) {
        this.#stop(element, value.key, "serviceWithoutKind");
        return "broken";
      }
      if (second !== undefined) {
        this.#stop(element, value.fields.get(second)?.key ?? value.key, "serviceWithTwoKinds", {
          first: kind,
          second,
        });
        return "broken";
      }
      const checks = [
        kind === "loadBalancer"
          ? this.#loadBalancer(protocol, element, of)
          : this.#children(protocol, kind, element, of),
        protocol !== "http" || this.#middlewares("http", element, value),
      ];
      return checks.every(Boolean) ? "fine" : "broken";
    });
  }

  #children(protocol: Protocol, kind: string, element: Element, of: Value): boolean {
    const healthChecked = of.fields.has("healthCheck");
    const list = (field: string): boolean =>
      (of.fields.get(field)?.items ?? [])
        .map((child) => {
          const made = this.#toService(protocol, element, child, "name", true);
          return (
            made &&
            (!healthChecked || kind === "mirroring" || this.#reports(protocol, element, child, "name"))
          );
        })
        .every(Boolean);
    if (kind === "weighted" || kind === "highestRandomWeight") return list("services");
    let fine = this.#toService(protocol, element, of, "service", true);
    if (kind === "mirroring") {
      fine = list("mirrors") && fine;
      for (const mirror of of.fields.get("mirrors")?.items ?? []) {
        const percent = mirror.fields.get("percent");
        if (percent === undefined || (percent.whole >= 0n && percent.whole <= 100n)) continue;
        this.#stop(element, percent.at, "badPercent", { value: Number(percent.whole) });
        fine = false;
      }
    } else {
      const statuses = textsOf(of.fields.get("errors"), "status");
      if (fine && statuses.length === 0) fine = this.#reports(protocol, element, of, "service");
      for (const { text, at } of statuses)
        if (!isStatusRange(text)) {
          this.#stop(element, at, "badStatusRange", { value: text });
          fine = false;
        }
      const fallback = this.#toService(protocol, element, of, "fallback", true);
      fine = fallback && (!healthChecked || this.#reports(protocol, element, of, "fallback")) && fine;
    }
    return fine;
  }

  /** Whether a child tells its parent of its health: it must have a health check itself. */
  #reports(protocol: Protocol, parent: Element, holder: Value, field: string): boolean {
    const found = holder.fields.get(field);
    const id = qualified(found?.text ?? "", parent.id);
    if (this.#updates(protocol, id)) return true;
    this.#stop(parent, found?.at ?? holder.key, "childWithoutHealthCheck", { service: found?.text ?? "" });
    return false;
  }

  #updates(protocol: Protocol, id: string): boolean {
    const value = this.#elements[protocol].services.get(id)?.value;
    if (value === undefined) return !isInternal(id);
    const [kind, of] = [...value.fields].find(([name]) => name !== "middlewares") ?? [];
    if (of === undefined || !of.fields.has("healthCheck")) return false;
    if (kind !== "mirroring") return true;
    return this.#updates(protocol, qualified(textOf(of, "service"), id));
  }

  #loadBalancer(protocol: Protocol, element: Element, of: Value): boolean {
    let fine = true;
    const stop = (at: Place, code: string, params: Params) => {
      fine = false;
      this.#stop(element, at, code, params);
    };
    const servers = of.fields.get("servers")?.items ?? [];
    const strategy = of.fields.get("strategy");
    if (strategy && !["", "wrr", "p2c", "hrw", "leasttime"].includes(strategy.text))
      stop(strategy.at, "badStrategy", { value: strategy.text });
    for (const server of servers) {
      const address = server.fields.get(protocol === "http" ? "url" : "address");
      const text = address?.text ?? "";
      const at = address?.at ?? server.key;
      if (protocol !== "http") {
        if (hostOfAddress(text) === null)
          this.tell(at, "ignored", "badServerAddress", { ...element.about, value: text }, "error");
        continue;
      }
      const reason = urlProblem(text);
      if (reason !== null) stop(at, "badUrl", { value: text, reason });
      else if (!/^(https?|h2c):\/\/[^/]/i.test(text))
        this.tell(at, "none", "urlWithoutHost", { ...element.about, value: text }, "error");
    }
    if (servers.length === 0) this.tell(of.key, "none", "noServers", { ...element.about });
    if (servers.length > 0 || of.fields.has("healthCheck")) {
      const transport = of.fields.get("serversTransport");
      const id = qualified(transport?.text ?? "", element.id);
      const mine = id.endsWith(`@${this.#provider}`) && !this.openWorld;
      if (transport && transport.text !== "" && mine && !this.#elements[protocol].serversTransports.has(id))
        stop(transport.at, "unknownTransport", { transport: transport.text });
      if (protocol === "tcp") {
        const named = transport && transport.text !== "";
        const from = named ? this.#elements.tcp.serversTransports.get(id)?.value : of;
        const version = from?.fields.get("proxyProtocol")?.fields.get("version");
        if (version && (version.whole < 1n || version.whole > 2n))
          stop(version.at, "badProxyProtocol", { value: Number(version.whole) });
      }
    }
    return fine;
  }

  // TLS

  #tlsNames(element: Element, value: Value, effect: Effect): boolean {
    let fine = true;
    const each = (field: string, known: readonly string[], code: string) => {
      for (const { text, at } of textsOf(value, field))
        if (!known.includes(text)) {
          fine = false;
          this.tell(at, effect, code, { ...element.about, value: text }, "error");
        }
    };
    each("cipherSuites", cipherSuites, "badCipherSuite");
    each("curvePreferences", curves, "badCurve");
    return fine;
  }

  /** TLS options, as the routers that use them find them. */
  #options(id: string): Verdict | "open" {
    const element = this.#tlsOptions.get(id);
    if (element === undefined) return "unknown";
    return this.#once(`options ${id}`, () => {
      const { value } = element;
      for (const field of ["minVersion", "maxVersion"]) {
        const version = value.fields.get(field);
        if (version && version.text !== "" && !tlsVersions.includes(version.text))
          this.tell(
            version.at,
            "ignored",
            "badTlsVersion",
            { ...element.about, value: version.text },
            "error",
          );
      }
      let fine = this.#tlsNames(element, value, this.#used ? "disabled" : "none");
      const auth = value.fields.get("clientAuth");
      const type = auth?.fields.get("clientAuthType");
      const known = [
        "NoClientCert",
        "RequestClientCert",
        "RequireAnyClientCert",
        "VerifyClientCertIfGiven",
        "RequireAndVerifyClientCert",
      ];
      if (type && type.text !== "") {
        const needsFiles =
          type.text === "VerifyClientCertIfGiven" || type.text === "RequireAndVerifyClientCert";
        if (!known.includes(type.text)) {
          this.#stop(element, type.at, "badClientAuth", { value: type.text });
          fine = false;
        } else if (needsFiles && textsOf(auth, "caFiles").length === 0) {
          this.#stop(element, type.at, "clientAuthWithoutCa", { value: type.text });
          fine = false;
        }
      }
      return fine ? "fine" : "broken";
    });
  }

  /** Whether a router can have its TLS options. */
  #routerOptions(router: Element, tls: Value): boolean {
    const found = tls.fields.get("options");
    const named = found && found.text !== "" && found.text !== "default" ? found : undefined;
    const id = named === undefined ? "default" : qualified(named.text, router.id);
    const at = named?.at ?? tls.key;
    if (named && !this.#tlsOptions.has(id)) {
      if (this.openWorld || !id.endsWith(`@${this.#provider}`)) return true;
      this.#stop(router, at, "unknownTlsOptions", { options: named.text });
      return false;
    }
    if (this.#options(id) !== "broken") return true;
    this.#stop(router, at, "brokenTlsOptions", { options: named?.text ?? "default" });
    return false;
  }

  #resolver(router: Element, tls: Value): void {
    const found = tls.fields.get("certResolver");
    if (!found || found.text === "" || this.known.certResolvers?.includes(found.text) !== false) return;
    this.tell(found.at, "ignored", "unknownResolver", { ...router.about, resolver: found.text }, "error");
  }

  #tls(): void {
    for (const file of this.files) {
      const tls = file.fields.get("tls");
      for (const certificate of tls?.fields.get("certificates")?.items ?? [])
        for (const field of ["certFile", "keyFile"])
          if (textOf(certificate, field) === "")
            this.tell(certificate.key, "ignored", "certificateWithoutFile", { key: field }, "error");
      for (const [name, store] of tls?.fields.get("stores")?.fields ?? [])
        if (name !== "default") this.tell(store.key, "ignored", "customStore", { name });
    }
  }

  /** A transport that cannot be configured is replaced by the default one, without its TLS. */
  #transport(element: Element): void {
    const { value, about } = element;
    const ignored = (at: Place, code: string, params: Params = {}) =>
      this.tell(at, "ignored", code, { ...about, ...params }, "error");
    this.#tlsNames(element, value, "ignored");
    const [least, most] = ["minVersion", "maxVersion"].map((field) => value.fields.get(field));
    for (const version of [least, most])
      if (version && version.text !== "" && !tlsVersions.includes(version.text))
        ignored(version.at, "transportTlsVersion", { value: version.text });
    const rank = (version: Value | undefined) => tlsVersions.indexOf(version?.text ?? "");
    if (least && rank(least) > rank(most) && (most === undefined || most.text === "" || rank(most) >= 0))
      ignored(least.at, "minAboveMax", { value: least.text });
  }

  // Routers

  /** The entry points of a router: false where none of them exists. */
  #entryPoints(router: Element, udp: boolean): boolean {
    const { entryPoints, udpEntryPoints } = this.known;
    if (entryPoints === undefined) return true;
    const valid = udp
      ? (udpEntryPoints ?? entryPoints)
      : entryPoints.filter((one) => !udpEntryPoints?.includes(one));
    const named = textsOf(router.value, "entryPoints");
    const unknown = named.filter(({ text }) => !valid.includes(text));
    const none = named.length > 0 && unknown.length === named.length;
    for (const { text, at } of unknown) {
      if (none) this.#stop(router, at, "noEntryPoint", { entryPoint: text });
      else this.tell(at, "ignored", "unknownEntryPoint", { ...router.about, entryPoint: text }, "error");
    }
    return !none;
  }

  #priority(router: Element): boolean {
    const priority = router.value.fields.get("priority");
    if (!priority || priority.whole <= mostPriority) return true;
    this.#stop(router, priority.at, "priorityTooHigh");
    return false;
  }

  #rule(router: Element, test: (rule: string) => unknown): boolean {
    const { value, about } = router;
    const rule = value.fields.get("rule");
    const syntax = value.fields.get("ruleSyntax");
    if (syntax && syntax.text !== "" && syntax.text !== "default")
      this.tell(syntax.at, "none", syntax.text === "v2" ? "ruleSyntaxOld" : "ruleSyntaxUnknown", {
        ...about,
        value: syntax.text,
      });
    if (rule === undefined || rule.text === "") {
      this.#stop(router, rule?.at ?? value.key, "routerWithoutRule");
      return false;
    }
    if (syntax?.text === "v2") return true;
    try {
      test(rule.text);
      return true;
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      const start = rule.from + error.at;
      const exact = rule.from >= 0 && error.at > 0 && start < rule.at.end;
      this.#stop(router, exact ? { ...rule.at, start } : rule.at, "badRule", { reason: error.message });
      return false;
    }
  }

  #parentId(name: string): string {
    return qualified(name, `@${this.#provider}`);
  }

  #branch(router: Element): Branch {
    const { value, id } = router;
    const texts = (field: string) => textsOf(value, field).map(({ text }) => text);
    const tls = value.fields.get("tls");
    const options = textOf(tls, "options");
    const named = options === "" || options === "default" ? "default" : qualified(options, id);
    return {
      id,
      rule: textOf(value, "rule"),
      parents: texts("parentRefs").map((name) => this.#parentId(name)),
      entryPoints: texts("entryPoints"),
      options: tls === undefined ? null : named,
    };
  }

  #httpRouters(): void {
    const routers = this.#elements.http.routers;
    const { entryPoints = [""], udpEntryPoints = [] } = this.known;
    const tree = routerTree(
      [...routers.values()].map((router) => this.#branch(router)),
      this.known.defaultEntryPoints ??
        entryPoints.filter((one) => one !== "traefik" && !udpEntryPoints.includes(one)),
    );
    for (const [id, host] of tree.conflicts) {
      const router = routers.get(id);
      const found = router?.value.fields.get("tls")?.fields.get("options");
      // Whoever has the default ones keeps them.
      if (!router || !found || found.text === "" || found.text === "default") continue;
      const code = host === "" ? "tlsOptionsWithoutHost" : "tlsOptionsConflict";
      this.tell(found.at, "ignored", code, { ...router.about, options: found.text, host }, "error");
    }
    for (const { from, to } of tree.cycles) {
      const router = routers.get(from);
      if (!router) continue;
      const other = routers.get(to)?.name ?? to;
      this.tell(router.value.key, "ignored", "routerCycle", { ...router.about, to: other }, "error");
    }
    const looped = new Set(tree.cycles.map(({ from }) => from));
    for (const [, router] of routers) this.#arranged(router, tree);
    const built = new Set<Element>();
    const build = (router: Element): void => {
      if (built.has(router)) return;
      built.add(router);
      const children = (tree.children.get(router.id) ?? []).flatMap((id) => routers.get(id) ?? []);
      const made = this.#routerTls(router);
      // Traefik passes over children with whom something is wrong already.
      const good = children.filter((child) => !this.#stopped.has(child) && !looped.has(child.id));
      if (made) for (const child of good) build(child);
      const left = good.some((child) => !this.#stopped.has(child));
      if (made && children.length > 0 && !left) this.#stop(router, router.value.key, "noChildLeft");
      // At odds on one of its entry points, it has no children there.
      this.#handled(router, children.length > 0 && !tree.conflicts.has(router.id));
    };
    for (const [, router] of routers)
      if (textsOf(router.value, "parentRefs").length === 0) {
        const there = this.#entryPoints(router, false);
        if (this.#priority(router) && there) build(router);
      }
    this.#used = false;
    for (const [, router] of routers)
      if (!built.has(router)) {
        this.#routerTls(router);
        this.#handled(router, (tree.children.get(router.id) ?? []).length > 0);
      }
    this.#used = true;
  }

  /** What a router's place among the others says against it. */
  #arranged(router: Element, tree: RouterTree): void {
    const { value, id } = router;
    const parents = textsOf(value, "parentRefs");
    const tls = value.fields.get("tls");
    if (tree.lost.has(id)) {
      this.#stop(router, tls?.key ?? value.key, "childWithTls");
      return;
    }
    let outside = false;
    for (const { text, at } of parents) {
      if (tree.children.get(this.#parentId(text))?.includes(id)) continue;
      if (tree.cycles.some(({ from, to }) => from === this.#parentId(text) && to === id)) continue;
      const there = this.#elements.http.routers.has(this.#parentId(text));
      if (there || this.#elsewhere("http", "routers", this.#parentId(text)) === "broken")
        this.#stop(router, at, "unknownParent", { parent: text });
      else outside = true;
    }
    if (!tree.reached.has(id) && !outside) this.#stop(router, value.key, "routerNotReached");
    for (const [field, code] of [
      ["tls", "childWithTls"],
      ["observability", "childWithObservability"],
      ["entryPoints", "childWithEntryPoints"],
    ] as const) {
      const found = value.fields.get(field);
      const given = field === "entryPoints" ? textsOf(value, field).length > 0 : found !== undefined;
      if (parents.length > 0 && found && given) this.#stop(router, found.key, code);
    }
    const children = tree.children.get(id) ?? [];
    const service = value.fields.get("service");
    if (textOf(value, "service") === "") {
      if (children.length === 0 || tree.conflicts.has(id))
        this.#stop(router, service?.at ?? value.key, "routerWithoutService");
    } else if (service && children.length > 0) this.#stop(router, service.at, "serviceAndChildren");
  }

  #routerTls(router: Element): boolean {
    const tls = router.value.fields.get("tls");
    if (tls === undefined) return true;
    this.#resolver(router, tls);
    return this.#routerOptions(router, tls);
  }

  #handled(router: Element, isParent: boolean): void {
    if (!isParent && textOf(router.value, "service") !== "")
      this.#toService("http", router, router.value, "service", true);
    this.#middlewares("http", router, router.value);
    this.#rule(router, httpRule);
  }

  #tcpRouter(router: Element): void {
    const { value } = router;
    const tls = value.fields.get("tls");
    const rule = value.fields.get("rule");
    this.#entryPoints(router, false);
    const service = value.fields.get("service");
    if (!service || service.text === "") this.#stop(router, service?.at ?? value.key, "routerWithoutService");
    else this.#toService("tcp", router, value, "service", true);
    this.#priority(router);
    if (this.#rule(router, tcpRule) && rule && textOf(value, "ruleSyntax") !== "v2") {
      const [first] = serverNamesOf(rule.text);
      if (tls === undefined && first !== undefined && first !== "*")
        this.#stop(router, rule.at, "hostWithoutTls", { host: first });
    }
    if (tls) {
      this.#resolver(router, tls);
      if (!tls.fields.get("passthrough")?.on) this.#routerOptions(router, tls);
    }
    this.#middlewares("tcp", router, value);
  }

  #udpRouters(): void {
    const taken = new Map<string, Element>();
    // The last name in order has an entry point.
    const routers = [...this.#elements.udp.routers.values()].sort((a, b) => (a.id > b.id ? -1 : 1));
    for (const router of routers) {
      const { value } = router;
      this.#entryPoints(router, true);
      const service = value.fields.get("service");
      if (!service || service.text === "")
        this.#stop(router, service?.at ?? value.key, "routerWithoutService");
      else this.#toService("udp", router, value, "service", true);
      for (const { text, at } of textsOf(value, "entryPoints")) {
        const first = taken.get(text);
        if (first === undefined) taken.set(text, router);
        else if (first !== router)
          this.tell(
            at,
            "ignored",
            "udpEntryPointTaken",
            { ...router.about, entryPoint: text, first: first.name },
            "error",
          );
      }
    }
  }
}

/** Tells what Traefik finds in files that it decoded, in its order. `openWorld`: a name that is in none of them may be elsewhere. */
export function checkReferences(files: readonly Value[], known: Known, openWorld: boolean, tell: Tell): void {
  new Build(files, known, openWorld, tell).all();
}
