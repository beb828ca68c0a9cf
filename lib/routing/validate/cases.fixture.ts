// Directories for Traefik and for our check of them: valid, rejected, and with routers that Traefik puts out of service.
import type { Known } from "./references";

export type Case = {
  readonly what: string;
  readonly files: Readonly<Record<string, string>>;
  /** What must be told of it; nothing at all where there are none. */
  readonly codes: readonly string[];
};
const one = (what: string, text: string, ...codes: string[]): Case => ({
  what,
  files: { "a.yml": text },
  codes,
});
const several = (what: string, files: Record<string, string>, ...codes: string[]): Case => ({
  what,
  files,
  codes,
});

/** HTTP of one router `r`, over what is given; JSON is YAML. */
type Parts = Readonly<Record<string, unknown>>;
const service = { loadBalancer: { servers: [{ url: "http://10.0.0.1:80" }] } };
const http = (parts: { router?: Parts; more?: Parts; tls?: Parts }): string =>
  JSON.stringify({
    http: {
      routers: { r: { rule: "Host(`a.example`)", entryPoints: ["web"], service: "s", ...parts.router } },
      services: { s: service },
      ...parts.more,
    },
    ...(parts.tls === undefined ? {} : { tls: parts.tls }),
  });
const withMiddleware = (middleware: Parts): string =>
  http({ router: { middlewares: ["m"] }, more: { middlewares: { m: middleware } } });
const withService = (made: unknown, more: Parts = {}): string =>
  http({ more: { services: { s: made, ...more } } });
const withTls = (options: Parts): string =>
  http({ router: { entryPoints: ["websecure"], tls: { options: "o" } }, tls: { options: { o: options } } });
const tcp = (router: Parts, more: Parts = {}): string =>
  JSON.stringify({
    tcp: {
      routers: { r: { rule: "HostSNI(`*`)", entryPoints: ["web"], service: "s", ...router } },
      services: { s: { loadBalancer: { servers: [{ address: "10.0.0.1:1" }] } } },
      ...more,
    },
  });
const udp = (router: Parts, more: Parts = {}): string =>
  JSON.stringify({
    udp: {
      routers: { r: { entryPoints: ["dns"], service: "s", ...router } },
      services: { s: { loadBalancer: { servers: [{ address: "10.0.0.1:1" }] } } },
      ...more,
    },
  });
/** A router `p` and its children. */
const family = (children: Readonly<Record<string, Parts>>, parent: Parts = {}): string => {
  const child = { rule: "Path(`/`)", parentRefs: ["p"], service: "noop@internal" };
  const all = Object.entries(children).map(([name, parts]) => [name, { ...child, ...parts }]);
  const p = { rule: "Host(`a`)", entryPoints: ["web"], ...parent };
  return JSON.stringify({ http: { routers: { p, ...Object.fromEntries(all) } } });
};
const routers = (text: string): string =>
  `http:\n  routers:\n    r:\n      rule: Host(\`a.example\`)\n      service: noop@internal\n${text}`;

const refusedMiddlewares: readonly (readonly [code: string, middleware: Parts])[] = [
  ["middlewareWithoutKind", {}],
  ["middlewareWithTwoKinds", { addPrefix: { prefix: "/a" }, stripPrefix: { prefixes: ["/b"] } }],
  ["noPrefix", { addPrefix: { prefix: "" } }],
  ["noUsers", { basicAuth: { realm: "x" } }],
  ["badUser", { basicAuth: { users: ["somebody"] } }],
  ["badUser", { digestAuth: { users: ["a:b"] } }],
  ["badRegex", { redirectRegex: { regex: "(", replacement: "x" } }],
  ["badRegex", { redirectRegex: { regex: "(?=a)", replacement: "x" } }],
  ["badRegex", { replacePathRegex: { regex: "a{2,1}", replacement: "x" } }],
  ["badRegex", { stripPrefixRegex: { regex: ["ok", "["] } }],
  ["badRegex", { headers: { accessControlAllowOriginListRegex: ["*"] } }],
  ["badRegex", { forwardAuth: { address: "http://a", authResponseHeadersRegex: "(" } }],
  ["certWithoutKey", { forwardAuth: { address: "http://a", tls: { cert: "x" } } }],
  ["badAddress", { ipAllowList: { sourceRange: ["10.0.0.0/33"] } }],
  ["badAddress", { ipAllowList: { sourceRange: ["10.0.0.01"] } }],
  ["badAddress", { ipAllowList: { sourceRange: ["10.0.0.1"], ipStrategy: { excludedIPs: ["nobody"] } } }],
  ["noSourceRange", { ipAllowList: { rejectStatusCode: 403 } }],
  ["badStatus", { ipAllowList: { sourceRange: ["10.0.0.1"], rejectStatusCode: 299 } }],
  ["badSubnet", { ipAllowList: { sourceRange: ["10.0.0.1"], ipStrategy: { ipv6Subnet: 129 } } }],
  ["badAddress", { ipWhiteList: { sourceRange: ["x"] } }],
  ["oneCriterion", { rateLimit: { sourceCriterion: { requestHost: true, requestHeaderName: "X" } } }],
  [
    "oneCriterion",
    { inFlightReq: { amount: 1, sourceCriterion: { ipStrategy: { depth: 1 }, requestHost: true } } },
  ],
  ["negativePeriod", { rateLimit: { average: 1, period: "-1s" } }],
  ["noHeaders", { headers: { frameDeny: false } }],
  ["bothContentTypes", { compress: { excludedContentTypes: ["text/a"], includedContentTypes: ["text/b"] } }],
  ["badContentType", { compress: { excludedContentTypes: ["text/"] } }],
  ["badEncoding", { compress: { encodings: ["deflate"] } }],
  ["badEncoding", { compress: { encodings: ["gzip"], defaultEncoding: "br" } }],
  ["badExpression", { circuitBreaker: { expression: "NetworkErrorRatio() > 1" } }],
  ["badExpression", { circuitBreaker: { expression: "LatencyAtQuantileMS(50) > 100" } }],
  ["badExpression", { circuitBreaker: { checkPeriod: "1s" } }],
  ["badExpression", { circuitBreaker: { expression: "!(NetworkErrorRatio() > 0.5)" } }],
  ["badExpression", { buffering: { retryExpression: "IsNetworkError() && Attempts()" } }],
  ["negativeSize", { buffering: { maxRequestBodyBytes: -1 } }],
  ["noScheme", { redirectScheme: { permanent: true } }],
  ["noAttempts", { retry: { initialInterval: "1s" } }],
  ["retryOfNothing", { retry: { attempts: 2, disableRetryOnNetworkError: true } }],
  ["badStatusRange", { retry: { attempts: 2, status: ["5xx"] } }],
  ["badStatusRange", { errors: { status: ["500-"], service: "s" } }],
  ["badStatusRange", { errors: { status: ["500"], statusRewrites: { x: 500 }, service: "s" } }],
  ["unknownService", { errors: { status: ["500"], service: "none" } }],
  ["noServiceNamed", { errors: { status: ["500"] } }],
  ["unknownMiddleware", { chain: { middlewares: ["none"] } }],
  ["recursion", { chain: { middlewares: ["m"] } }],
];
const takenMiddlewares: readonly Parts[] = [
  { addPrefix: { prefix: "no-slash" } },
  { basicAuth: { users: ["a:b"] } },
  { digestAuth: { realm: "nobody" } },
  {
    circuitBreaker: {
      expression: "LatencyAtQuantileMS(50.0) > 100 || ResponseCodeRatio(500, 600, 0, 600) > 0.25",
    },
  },
  { buffering: { retryExpression: 'IsNetworkError() && Attempts() < 3 && RequestMethod() == "GET"' } },
  { compress: {} },
  { compress: { excludedContentTypes: ["text/event-stream; charset=utf-8"] } },
  { contentType: {} },
  { headers: { stsSeconds: 0 } },
  { headers: { customRequestHeaders: { "X-A": "" } } },
  {
    ipAllowList: {
      sourceRange: ["10.0.0.0/8", "::1", "fe80::/10"],
      ipStrategy: { depth: 1, excludedIPs: ["never read"] },
    },
  },
  { rateLimit: { average: 100, burst: 50 } },
  { retry: { attempts: 2, status: ["500-599", "429"] } },
  { errors: { status: ["500-599"], service: "s", statusRewrites: { "500-503": 502 } } },
  { stripPrefix: { prefixes: "/a, /b" } },
  { redirectRegex: { regex: "(?i)^http://(.*)", replacement: "https://$1" } },
  { encodedCharacters: { allowEncodedSlash: true } },
  { grpcWeb: { allowOrigins: ["*"] } },
  { passTLSClientCert: { pem: true } },
];

/** What Traefik has beside the files. */
export const known: Known = {
  entryPoints: ["web", "websecure", "traefik", "dns"],
  udpEntryPoints: ["dns"],
  certResolvers: [],
  others: { http: { routers: [], services: [], middlewares: [] }, tcp: {}, udp: {} },
};

export const cases: readonly Case[] = [
  // Taken.
  one("a plain router", http({})),
  one("no file at all", ""),
  one("only a comment", "# nothing yet\n"),
  one(
    "names in any case",
    "HTTP:\n  Routers:\n    r: {RULE: Host(`a`), SERVICE: noop@internal, EntryPoints: [web]}\n",
  ),
  one(
    "numbers and booleans in quotes",
    http({ router: { priority: "+12" }, more: { middlewares: { m: { retry: { attempts: "3" } } } } }),
  ),
  one("a list as one text", http({ router: { entryPoints: "web, websecure" } })),
  one(
    "anchors and merges",
    "http:\n  routers:\n    a: &a {rule: Host(`a`), service: noop@internal, entryPoints: [web]}\n    b:\n      <<: *a\n      rule: Host(`b`)\n",
  ),
  one(
    "a constant template",
    routers("").replace("Host(`a.example`)", '{{ "Path(`/{{x`)" }} # {{/* why */}}'),
  ),
  one("another's service, of Traefik itself", http({ router: { service: "noop@internal" } })),
  one("a name with its own provider", http({ router: { service: "s@file" } })),
  ...takenMiddlewares.map((middleware) =>
    one(`takes ${JSON.stringify(middleware)}`, withMiddleware(middleware)),
  ),
  one(
    "a weighted service",
    withService({ weighted: { services: [{ name: "t", weight: 2 }] } }, { t: service }),
  ),
  one(
    "a mirror",
    withService({ mirroring: { service: "t", mirrors: [{ name: "t", percent: 100 }] } }, { t: service }),
  ),
  one("TCP", tcp({})),
  one("UDP", udp({})),
  one("TLS", http({ router: { entryPoints: ["websecure"], tls: {} } })),
  one("a parent and its child", family({ c: {} })),
  one("three generations", family({ c: { service: "" }, d: { parentRefs: ["c"] } })),

  // Rejected.
  one("broken YAML", "http: [", "yamlSyntax"),
  one("a tab", "http:\n\trouters: {}\n", "yamlSyntax"),
  one("a value after a value", routers("      service: a: b\n"), "yamlSyntax"),
  one("one key twice", routers("      service: s\n"), "duplicateKey"),
  one("no map", "- http\n", "notAMap"),
  one("a merge of no map", routers("      <<: x\n"), "mergeNotMap"),
  one("an anchor that nobody has", routers("      middlewares: *none\n"), "yamlSyntax"),
  one("an unknown key", routers("      midlewares: [a]\n"), "unknownKeyNear"),
  one("quite another key", routers("      colour: blue\n"), "unknownKey"),
  one("an unknown kind", withMiddleware({ basicauthx: { users: [] } }), "unknownKeyNear"),
  one("empty routers", "http:\n  routers: {}\n", "emptyElement"),
  one("routers of nothing", "http:\n  routers:\n    a:\n", "emptyElement", "nothingGiven"),
  one("http of nothing but comments", "http: {}\n", "emptyElement"),
  one("an empty middleware kind", withMiddleware({ addPrefix: {} }), "emptyElement"),
  one("a text for a map", withMiddleware({ addPrefix: "/a" }), "emptyElement"),
  one("a map for a text", http({ router: { service: { name: "s" } } }), "mapForValue"),
  one("no number", http({ router: { priority: "high" } }), "notNumber"),
  one("half a number", http({ router: { priority: 1.5 } }), "notNumber"),
  one("too great a number", routers("      priority: 9223372036854775808\n"), "notNumber"),
  one("no boolean", withMiddleware({ passTLSClientCert: { pem: "yes" } }), "notBoolean"),
  one("no duration", withMiddleware({ retry: { attempts: 1, initialInterval: "1 s" } }), "notDuration"),
  one("a duration in days", withMiddleware({ retry: { attempts: 1, initialInterval: "1d" } }), "notDuration"),
  one("nothing in a list", routers("      middlewares: [a, ~]\n"), "nothingInList"),
  one("a list in a list", routers("      middlewares: [[a]]\n"), "listInList"),
  one(
    "a date",
    routers(
      "  middlewares:\n    m:\n      headers:\n        customRequestHeaders:\n          X-Version: 2024-01-01\n",
    ),
    "dateUnquoted",
  ),
  one("two kinds in a plugin's list", withMiddleware({ plugin: { p: { list: [true, 1] } } }), "mixedList"),
  one("a template that does not end", routers("").replace("a.example", "{{ env"), "templateBroken"),
  one("a template's unknown function", routers("").replace("a.example", "{{ uuid }}"), "templateBroken"),
  one(
    "a template's block that does not end",
    routers("").replace("a.example", "{{ if true }}"),
    "templateBroken",
  ),
  one("a template's field", routers("").replace("a.example", "{{ .Host }}"), "templateFails"),
  several("a good file beside a broken one", { "a.yml": http({}), "b.yml": "http: [" }, "yamlSyntax"),

  // Passed over.
  one("an unknown top-level key", "htpp:\n  routers: {}\n", "unknownTopKeyNear"),
  one("an extension at the top", "x-anchors: [~, [a]]\n", "unknownTopKey"),
  one("a second document", `${routers("")}---\nhttp: [\n`, "moreDocuments"),
  one("a switch in words", http({ router: { entryPoints: ["websecure"], tls: "no" } }), "switchedOff"),
  one("nothing where a value may be", routers("      tls:\n"), "nothingGiven"),
  one(
    "an internal field",
    http({ more: { services: { s: { loadBalancer: { servers: [{ url: "http://a", fenced: true }] } } } } }),
    "notForFiles",
  ),
  one(
    "a text where servers are listed",
    withService({ loadBalancer: { servers: "http://a" } }),
    "valueForList",
  ),
  one("a text for a router", "http:\n  routers:\n    r: shop\n", "valueForMap", "routerWithoutRule"),
  one("a list for a text", http({ router: { service: ["s"] } }), "listForValue", "unknownService"),
  one(
    "a list of routers",
    `http: {routers: [{rule: "Host(\`a\`)", service: noop@internal, entryPoints: [web]}]}`,
    "listForMap",
  ),
  one(
    "a number that Traefik reads otherwise",
    "http:\n  middlewares:\n    m:\n      headers:\n        customRequestHeaders: {X-Version: 1.10}\n",
    "numberChanged",
  ),
  one(
    "a key that is a number",
    "http:\n  routers:\n    404: {rule: Host(`a`), service: noop@internal, entryPoints: [web]}\n",
    "keyNotText",
  ),
  one(
    "headers in headers",
    withMiddleware({ headers: { customRequestHeaders: { "X-A": { b: "c" } } } }),
    "flattened",
  ),
  several(
    "one name in two files",
    { "b.yml": http({}), "a.yml": http({ router: { service: "none" } }) },
    "nameTaken",
    "unknownService",
  ),
  several(
    "one name in a file and in a directory",
    { "b.yml": http({ router: { service: "none" } }), "a/z.yml": http({}) },
    "nameTaken",
  ),
  several(
    "files that are not read",
    { "a.yml": http({}), "b.yml.tmp": "http: [", "c.json": "{" },
    "fileNotRead",
  ),
  one("one entry point of two", http({ router: { entryPoints: ["web", "none"] } }), "unknownEntryPoint"),
  one(
    "a certificate resolver that nobody has",
    http({ router: { entryPoints: ["websecure"], tls: { certResolver: "none" } } }),
    "unknownResolver",
  ),
  one("a TLS version that is none", withTls({ minVersion: "TLS1.2" }), "badTlsVersion"),
  one(
    "a transport's TLS versions",
    withService({ loadBalancer: { servers: [{ url: "https://a" }] } }).replace(
      '"services"',
      '"serversTransports":{"t":{"minVersion":"VersionTLS13"}},"services"',
    ),
    "minAboveMax",
  ),
  one(
    "a store of one's own",
    JSON.stringify({ tls: { stores: { mine: { defaultGeneratedCert: { resolver: "x" } } } } }),
    "customStore",
  ),
  one(
    "a certificate without a key",
    JSON.stringify({ tls: { certificates: [{ certFile: "/none" }] } }),
    "certificateWithoutFile",
  ),
  one(
    "TLS options without a host",
    http({
      router: { rule: "PathPrefix(`/`)", entryPoints: ["websecure"], tls: { options: "o" } },
      tls: { options: { o: { sniStrict: true } } },
    }),
    "tlsOptionsWithoutHost",
  ),
  one(
    "TLS options at odds",
    http({
      router: { entryPoints: ["websecure"], tls: { options: "o" } },
      more: {
        routers: {
          r: { rule: "Host(`a`)", entryPoints: ["websecure"], service: "s", tls: { options: "o" } },
          q: {
            rule: "Host(`a`) && Path(`/q`)",
            entryPoints: ["websecure"],
            service: "s",
            tls: { options: "p" },
          },
        },
      },
      tls: { options: { o: { sniStrict: true }, p: { sniStrict: false } } },
    }),
    "tlsOptionsConflict",
  ),
  one(
    "a UDP entry point for two",
    JSON.stringify({
      udp: {
        routers: { a: { entryPoints: ["dns"], service: "s" }, b: { entryPoints: ["dns"], service: "s" } },
        services: { s: { loadBalancer: { servers: [{ address: "10.0.0.1:1" }] } } },
      },
    }),
    "udpEntryPointTaken",
  ),
  one(
    "what nobody uses",
    http({
      more: {
        middlewares: { m: { addPrefix: { prefix: "" } } },
        services: { s: service, t: { middlewares: ["m"] } },
      },
    }),
    "noPrefix",
    "serviceWithoutKind",
  ),
  one(
    "servers without a host",
    withService({ loadBalancer: { servers: [{ url: "10.0.0.1" }] } }),
    "urlWithoutHost",
  ),
  one("a load balancer of nobody", withService({ loadBalancer: { servers: [] } }), "noServers"),
  one("old rules", http({ router: { ruleSyntax: "v2", rule: "Host(`a`, `b`)" } }), "ruleSyntaxOld"),

  one(
    "less indented than its first line",
    "  http:\n    routers: {a: {rule: Host(`a`), service: noop@internal}}\nhttp: [\n",
    "restNotRead",
  ),
  one(
    "one key in two cases",
    routers("      entryPoints: [web]\n      Rule: Host(`b`)\n"),
    "sameKeyInOtherCase",
  ),
  one(
    "servers by name",
    withService({ loadBalancer: { servers: { a: { url: "http://a" } } } }),
    "mapForList",
  ),
  one("no address to ask", withMiddleware({ forwardAuth: { address: "auth:9000" } }), "badAuthAddress"),
  one("rules of another kind", http({ router: { ruleSyntax: "v4" } }), "ruleSyntaxUnknown"),
  one(
    "a transport's TLS version that is none",
    withService(service).replace('"services"', '"serversTransports":{"t":{"maxVersion":"1.2"}},"services"'),
    "transportTlsVersion",
  ),
  one(
    "a TCP middleware of two kinds",
    tcp(
      { middlewares: ["m"] },
      { middlewares: { m: { inFlightConn: { amount: 1 }, ipAllowList: { sourceRange: ["10.0.0.1"] } } } },
    ),
    "tcpMiddlewareWithTwoKinds",
  ),
  one(
    "a template that only Traefik can fill",
    routers("      entryPoints: [web]\n").replace("a.example", '{{ env "HOME" | len }}.example'),
    "templateNotChecked",
  ),
  several(
    "TOML beside YAML",
    {
      "a.yml": http({ router: { service: "t" } }),
      "b.toml":
        '[http.services.t.loadBalancer]\n[[http.services.t.loadBalancer.servers]]\nurl = "http://a"\n',
    },
    "tomlNotChecked",
  ),

  // Out of service.
  one("no rule", http({ router: { rule: "" } }), "routerWithoutRule"),
  one("no service", http({ router: { service: "" } }), "routerWithoutService"),
  one("a rule that is none", http({ router: { rule: "Host(a.example)" } }), "badRule"),
  one("a matcher that there is not", http({ router: { rule: "Domain(`a.example`)" } }), "badRule"),
  one("rules of v2 without saying so", http({ router: { rule: "Host(`a`, `b`)" } }), "badRule"),
  one("an unknown service", http({ router: { service: "none" } }), "unknownService"),
  one("another provider's service", http({ router: { service: "s@docker" } }), "unknownService"),
  one("no service of Traefik", http({ router: { service: "nothing@internal" } }), "unknownService"),
  one("an unknown middleware", http({ router: { middlewares: ["none"] } }), "unknownMiddleware"),
  one("no entry point", http({ router: { entryPoints: ["none"] } }), "noEntryPoint"),
  one("UDP's entry point", http({ router: { entryPoints: ["dns"] } }), "noEntryPoint"),
  one(
    "too high a priority",
    routers("      entryPoints: [web]\n      priority: 9223372036854775807\n"),
    "priorityTooHigh",
  ),
  one(
    "a name with @",
    JSON.stringify({
      http: {
        routers: { "r@x": { rule: "Host(`a`)", entryPoints: ["web"], service: "s" } },
        services: { s: service },
      },
    }),
    "unknownService",
  ),
  ...refusedMiddlewares.map(([code, middleware]) =>
    one(`refuses ${JSON.stringify(middleware)}`, withMiddleware(middleware), code),
  ),
  one("a service without a kind", withService({ middlewares: ["m"] }), "serviceWithoutKind"),
  one("an empty service", withService({}), "serviceWithoutKind"),
  one(
    "a service of two kinds",
    withService({ ...service, weighted: { services: [{ name: "t" }] } }, { t: service }),
    "serviceWithTwoKinds",
  ),
  one("a service's middleware", withService({ ...service, middlewares: ["none"] }), "unknownMiddleware"),
  one(
    "a service that leads to itself",
    withService({ weighted: { services: [{ name: "s" }] } }),
    "recursion",
  ),
  one(
    "services in a circle",
    withService({ weighted: { services: [{ name: "t" }] } }, { t: { mirroring: { service: "s" } } }),
    "recursion",
  ),
  one(
    "a child that there is not",
    withService({ weighted: { services: [{ name: "none" }] } }),
    "unknownService",
  ),
  one(
    "a mirror that there is not",
    withService({ mirroring: { service: "t", mirrors: [{ name: "none" }] } }, { t: service }),
    "unknownService",
  ),
  one(
    "a fallback that there is not",
    withService(
      { failover: { service: "t", fallback: "none" } },
      { t: { loadBalancer: { ...service.loadBalancer, healthCheck: { path: "/" } } } },
    ),
    "unknownService",
  ),
  one(
    "a failover without a health check",
    withService({ failover: { service: "t", fallback: "t" } }, { t: service }),
    "childWithoutHealthCheck",
  ),
  one(
    "a health check without the children's",
    withService({ weighted: { services: [{ name: "t" }], healthCheck: {} } }, { t: service }),
    "childWithoutHealthCheck",
  ),
  one(
    "a highest random weight of nobody",
    withService({ highestRandomWeight: { services: [{ name: "none" }] } }),
    "unknownService",
  ),
  one(
    "too many percent",
    withService({ mirroring: { service: "t", mirrors: [{ name: "t", percent: 101 }] } }, { t: service }),
    "badPercent",
  ),
  one(
    "a broken child",
    withService({ weighted: { services: [{ name: "t" }] } }, { t: { loadBalancer: { strategy: "best" } } }),
    "badStrategy",
    "brokenService",
  ),
  one("a URL that is none", withService({ loadBalancer: { servers: [{ url: "10.0.0.1:80" }] } }), "badUrl"),
  one("a URL with a blank", withService({ loadBalancer: { servers: [{ url: "http://a b" }] } }), "badUrl"),
  one(
    "a URL with words for a port",
    withService({ loadBalancer: { servers: [{ url: "http://a:http" }] } }),
    "badUrl",
  ),
  one(
    "a transport that there is not",
    withService({ loadBalancer: { ...service.loadBalancer, serversTransport: "none" } }),
    "unknownTransport",
  ),
  one(
    "TLS options that there are not",
    http({ router: { entryPoints: ["websecure"], tls: { options: "none" } } }),
    "unknownTlsOptions",
  ),
  one(
    "a cipher suite that is none",
    withTls({ cipherSuites: ["TLS_AES"] }),
    "badCipherSuite",
    "brokenTlsOptions",
  ),
  one("a curve that is none", withTls({ curvePreferences: ["P-256"] }), "badCurve"),
  one(
    "a client authentication that is none",
    withTls({ clientAuth: { clientAuthType: "require" } }),
    "badClientAuth",
  ),
  one(
    "a client authentication without its authority",
    withTls({ clientAuth: { clientAuthType: "VerifyClientCertIfGiven" } }),
    "clientAuthWithoutCa",
  ),
  one(
    "default TLS options that are broken",
    http({
      router: { entryPoints: ["websecure"], tls: {} },
      tls: { options: { default: { cipherSuites: ["x"] } } },
    }),
    "badCipherSuite",
  ),
  one(
    "a parent that there is not",
    http({ router: { parentRefs: ["none"], entryPoints: [] } }),
    "unknownParent",
  ),
  one(
    "routers in a circle",
    JSON.stringify({
      http: {
        routers: {
          a: { rule: "Host(`a`)", parentRefs: ["b"], service: "noop@internal" },
          b: { rule: "Host(`a`)", parentRefs: ["a"] },
        },
      },
    }),
    "routerNotReached",
  ),
  one("a parent with a service", family({ c: {} }, { service: "noop@internal" }), "serviceAndChildren"),
  one("a child with an entry point", family({ c: { entryPoints: ["web"] }, d: {} }), "childWithEntryPoints"),
  one("a child with TLS", family({ c: { tls: {} }, d: {} }), "childWithTls"),
  one("a child with TLS alone", family({ c: { tls: {} } }), "childWithTls"),
  one(
    "a child with observability",
    family({ c: { observability: { metrics: true } }, d: {} }),
    "childWithObservability",
  ),
  one(
    "children that are all broken",
    family({ c: { service: "none" }, d: { rule: "Nothing()" } }),
    "noChildLeft",
  ),
  one(
    "a parent of its own parent",
    family({
      c: { service: "", parentRefs: ["p", "d"] },
      d: { service: "", parentRefs: ["c"] },
      e: { parentRefs: ["c"] },
    }),
    "routerCycle",
  ),
  one(
    "a child whose middleware is none",
    family({ c: { middlewares: ["none"] }, d: {} }),
    "unknownMiddleware",
  ),
  one("TCP without a rule", tcp({ rule: "" }), "routerWithoutRule"),
  one("TCP without a service", tcp({ service: "" }), "routerWithoutService"),
  one("a host without TLS", tcp({ rule: "HostSNI(`a.example`)" }), "hostWithoutTls"),
  one("a TCP rule that is none", tcp({ rule: "Host(`a.example`)" }), "badRule"),
  one("an unknown TCP service", tcp({ service: "none" }), "unknownService"),
  one("an unknown TCP middleware", tcp({ middlewares: ["none"] }), "unknownMiddleware"),
  one(
    "TCP sources that are none",
    tcp({ middlewares: ["m"] }, { middlewares: { m: { ipAllowList: { sourceRange: ["x"] } } } }),
    "badAddress",
  ),
  one(
    "TCP's proxy protocol",
    tcp(
      {},
      {
        services: {
          s: { loadBalancer: { servers: [{ address: "10.0.0.1:1" }], proxyProtocol: { version: 3 } } },
        },
      },
    ),
    "badProxyProtocol",
  ),
  one(
    "a TCP transport that there is not",
    tcp(
      {},
      {
        services: { s: { loadBalancer: { servers: [{ address: "10.0.0.1:1" }], serversTransport: "none" } } },
      },
    ),
    "unknownTransport",
  ),
  one(
    "TCP's TLS options",
    tcp({ rule: "HostSNI(`a.example`)", tls: { options: "none" } }),
    "unknownTlsOptions",
  ),
  one(
    "a TCP service of two kinds",
    tcp(
      {},
      {
        services: {
          s: {
            loadBalancer: { servers: [{ address: "10.0.0.1:1" }] },
            weighted: { services: [{ name: "t" }] },
          },
        },
      },
    ),
    "serviceWithTwoKinds",
  ),
  one(
    "a TCP server without a port",
    tcp({}, { services: { s: { loadBalancer: { servers: [{ address: "10.0.0.1" }] } } } }),
    "badServerAddress",
  ),
  one("an unknown UDP service", udp({ service: "none" }), "unknownService"),
  one("UDP without a service", udp({ service: "" }), "routerWithoutService"),
  one("UDP on an entry point of TCP", udp({ entryPoints: ["web"] }), "noEntryPoint"),
];

/** Numbers that are the same in every run (mulberry32). */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides;
  };
}

/** Routers, services and middlewares that refer to each other by chance, over two files. */
export function drawn(count: number, seed: number): Case[] {
  const roll = dice(seed);
  const pick = <T>(all: readonly T[]): T => all[roll(all.length)] as T;
  const some = <T>(most: number, make: () => T): T[] => Array.from({ length: roll(most + 1) }, make);
  const serviceName = () => pick(["s0", "s1", "s2", "s3", "s4", "s5", "s1@file", "noop@internal", "none"]);
  const middlewareName = () => pick(["m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7@file", "none"]);
  const checked = () => (roll(2) === 0 ? { healthCheck: {} } : {});
  const middlewaresOf = () => (roll(3) === 0 ? { middlewares: some(2, middlewareName) } : {});
  const weighted = () => ({ services: some(3, () => ({ name: serviceName() })), ...checked() });
  const madeService = (): Parts =>
    pick<() => Parts>([
      () => ({
        loadBalancer: {
          servers: [{ url: "http://a" }],
          ...(roll(2) === 0 ? { healthCheck: { path: "/" } } : {}),
        },
      }),
      () => ({ loadBalancer: { servers: [{ url: "http://a" }], healthCheck: { path: "/" } } }),
      () => ({
        loadBalancer: {
          servers: [{ url: pick(["http://a", "a:80", "http://a:b"]) }],
          strategy: pick(["p2c", "hrw", "x"]),
        },
      }),
      () => ({ weighted: weighted() }),
      () => ({ highestRandomWeight: weighted() }),
      () => ({
        mirroring: {
          service: serviceName(),
          mirrors: some(2, () => ({ name: serviceName(), percent: roll(120) })),
          ...checked(),
        },
      }),
      () => ({ failover: { service: serviceName(), fallback: serviceName(), ...checked() } }),
      () => ({
        failover: {
          service: serviceName(),
          fallback: serviceName(),
          errors: { status: [pick(["500-599", "5xx"])] },
        },
      }),
    ])();
  const madeMiddleware = (): Parts =>
    pick<() => Parts>([
      () => ({ addPrefix: { prefix: pick(["/a", "/b", ""]) } }),
      () => ({ stripPrefix: { prefixes: ["/a"] } }),
      () => ({ chain: { middlewares: some(3, middlewareName) } }),
      () => ({ errors: { status: ["500"], service: serviceName() } }),
      () => ({ retry: { attempts: roll(4) } }),
    ])();
  const named = (letter: string, number: number, make: () => unknown) =>
    Object.fromEntries(Array.from({ length: number }, (_, index) => [`${letter}${index}`, make()]));
  const madeRouter = (): Parts => ({
    rule: pick(["Host(`a`)", "Host(`b`) && Path(`/`)", "Path(`x`)", "PathPrefix(`/`)"]),
    ...(roll(8) === 0 ? {} : { service: serviceName() }),
    ...(roll(3) === 0 ? { parentRefs: some(2, () => pick(["r0", "r1", "r2", "r3@file", "none"])) } : {}),
    ...(roll(2) === 0 ? { entryPoints: [pick(["web", "websecure", "web", "none"])] } : {}),
    ...(roll(4) === 0 ? { tls: { options: pick(["", "default", "o", "bad", "none"]) } } : {}),
    ...middlewaresOf(),
  });
  return Array.from({ length: count }, (_, index) => ({
    what: `drawn ${index}`,
    codes: [],
    files: {
      "a.yml": JSON.stringify({
        http: {
          routers: named("r", 7, madeRouter),
          services: named("s", 5, () => ({ ...madeService(), ...middlewaresOf() })),
          middlewares: named("m", 6, madeMiddleware),
        },
        tls: { options: { o: { sniStrict: true }, bad: { cipherSuites: ["x"] } } },
      }),
      "b.yml": JSON.stringify({
        http: { routers: named("r", 3, madeRouter), middlewares: named("m", 8, madeMiddleware) },
      }),
    },
  }));
}
