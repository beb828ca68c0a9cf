// What a dynamic configuration file of Traefik v3.7 may hold, as its Go structs say: a table, because the decoder that it describes
// takes more than a strict schema would, and each way in which it does has its own words.

/** `internal`: the decoder knows the name, and passes over it in files. `raw`: a plugin's own. */
export type Type =
  | { readonly is: "text" | "int" | "bool" | "duration" | "internal" | "raw" }
  | { readonly is: "list" | "map"; readonly of: Type }
  | Struct;
/** `mayBeEmpty`: "{}" says something (the tag file:"allowEmpty"). */
export type Struct = {
  readonly is: "struct";
  readonly mayBeEmpty: boolean;
  readonly fields: Readonly<Record<string, Type>>;
};

const text = { is: "text" } as const;
const int = { is: "int" } as const;
const bool = { is: "bool" } as const;
const duration = { is: "duration" } as const;
const internal = { is: "internal" } as const;
const raw = { is: "raw" } as const;
const list = (of: Type): Type => ({ is: "list", of });
const map = (of: Type): Type => ({ is: "map", of });
const struct = (fields: Record<string, Type>): Struct => ({ is: "struct", mayBeEmpty: false, fields });
const mayBeEmpty = (one: Struct): Struct => ({ ...one, mayBeEmpty: true });
/** Fields of one type, their names apart by blanks. */
const all = (type: Type, names: string): Record<string, Type> =>
  Object.fromEntries(names.split(" ").map((name) => [name, type]));

const domain = struct({ main: text, sans: list(text) });
const routerTls = struct({
  options: text,
  resolvedOptions: internal,
  certResolver: text,
  domains: list(domain),
});
const observability = struct({
  ...all(bool, "accessLogs metrics tracing"),
  traceVerbosity: text,
  metadata: internal,
});
const router = struct({
  entryPoints: list(text),
  middlewares: list(text),
  service: text,
  rule: text,
  parentRefs: list(text),
  ruleSyntax: text,
  priority: int,
  tls: mayBeEmpty(routerTls),
  observability,
  defaultRule: internal,
  deniedEncodedPathCharacters: internal,
});
const cookie = struct({
  name: text,
  secure: bool,
  httpOnly: bool,
  sameSite: text,
  maxAge: int,
  path: text,
  domain: text,
  expires: internal,
});
const sticky = struct({ cookie: mayBeEmpty(cookie) });
const server = struct({ url: text, weight: int, preservePath: bool, ...all(internal, "fenced scheme port") });
const serverHealthCheck = struct({
  ...all(text, "scheme mode path method"),
  status: int,
  port: int,
  ...all(duration, "interval unhealthyInterval timeout"),
  hostname: text,
  followRedirects: bool,
  headers: map(text),
});
const passiveHealthCheck = struct({ failureWindow: duration, maxFailedAttempts: int });
const responseForwarding = struct({ flushInterval: duration });
const serversLoadBalancer = struct({
  sticky: mayBeEmpty(sticky),
  servers: list(server),
  strategy: text,
  healthCheck: serverHealthCheck,
  passiveHealthCheck,
  passHostHeader: bool,
  responseForwarding,
  serversTransport: text,
  nginxUpstreamHashBy: internal,
});
const weight = struct({ name: text, weight: int });
const healthCheck = struct({});
const highestRandomWeight = struct({ services: list(weight), healthCheck: mayBeEmpty(healthCheck) });
const weightedService = struct({ name: text, weight: int, ...all(internal, "headers status grpcStatus") });
const weightedRoundRobin = struct({
  services: list(weightedService),
  sticky,
  healthCheck: mayBeEmpty(healthCheck),
});
const mirrorService = struct({ name: text, percent: int });
const mirroring = struct({
  service: text,
  mirrorBody: bool,
  maxBodySize: int,
  mirrors: list(mirrorService),
  healthCheck: mayBeEmpty(healthCheck),
});
const failoverError = struct({ maxRequestBodyBytes: int, status: list(text) });
const failover = struct({
  service: text,
  fallback: text,
  healthCheck: mayBeEmpty(healthCheck),
  errors: failoverError,
});
const service = struct({
  middlewares: list(text),
  loadBalancer: serversLoadBalancer,
  highestRandomWeight,
  weighted: weightedRoundRobin,
  mirroring,
  failover,
});
const addPrefix = struct({ prefix: text });
const stripPrefix = struct({ prefixes: list(text), forceSlash: bool });
const stripPrefixRegex = struct({ regex: list(text) });
const replacePath = struct({ path: text });
const replacePathRegex = struct({ regex: text, replacement: text });
const chain = struct({ middlewares: list(text) });
const ipStrategy = struct({ depth: int, excludedIPs: list(text), ipv6Subnet: int });
const ipWhiteList = struct({ sourceRange: list(text), ipStrategy: mayBeEmpty(ipStrategy) });
const ipAllowList = struct({
  sourceRange: list(text),
  ipStrategy: mayBeEmpty(ipStrategy),
  rejectStatusCode: int,
});
const headers = struct({
  customRequestHeaders: map(text),
  customResponseHeaders: map(text),
  accessControlAllowCredentials: bool,
  ...all(
    list(text),
    "accessControlAllowHeaders accessControlAllowMethods accessControlAllowOriginList accessControlAllowOriginListRegex accessControlExposeHeaders",
  ),
  accessControlMaxAge: int,
  addVaryHeader: bool,
  allowedHosts: list(text),
  hostsProxyHeaders: list(text),
  sslProxyHeaders: map(text),
  stsSeconds: int,
  ...all(bool, "stsIncludeSubdomains stsPreload forceSTSHeader frameDeny"),
  customFrameOptionsValue: text,
  contentTypeNosniff: bool,
  browserXssFilter: bool,
  ...all(
    text,
    "customBrowserXSSValue contentSecurityPolicy contentSecurityPolicyReportOnly publicKey referrerPolicy permissionsPolicy",
  ),
  isDevelopment: bool,
  featurePolicy: text,
  sslRedirect: bool,
  sslTemporaryRedirect: bool,
  sslHost: text,
  sslForceHost: bool,
});
const encodedCharacters = struct(
  all(
    bool,
    "allowEncodedSlash allowEncodedBackSlash allowEncodedNullCharacter allowEncodedSemicolon allowEncodedPercent allowEncodedQuestionMark allowEncodedHash",
  ),
);
const errorPage = struct({
  status: list(text),
  statusRewrites: map(int),
  service: text,
  query: text,
  errorRequestHeaders: list(text),
  nginxHeaders: internal,
});
const sourceCriterion = struct({ ipStrategy, requestHeaderName: text, requestHost: bool });
const redisTls = struct({ ...all(text, "ca cert key"), insecureSkipVerify: bool });
const redis = struct({
  endpoints: list(text),
  tls: redisTls,
  username: text,
  password: text,
  ...all(int, "db poolSize minIdleConns maxActiveConns"),
  ...all(duration, "readTimeout writeTimeout dialTimeout"),
});
const rateLimit = struct({
  average: int,
  period: duration,
  burst: int,
  sourceCriterion,
  redis,
});
const redirectRegex = struct({ regex: text, replacement: text, permanent: bool, statusCode: internal });
const redirectScheme = struct({
  scheme: text,
  port: text,
  permanent: bool,
  forcePermanentRedirect: internal,
});
const basicAuth = struct({
  users: list(text),
  usersFile: text,
  realm: text,
  removeHeader: bool,
  headerField: text,
});
const digestAuth = struct({
  users: list(text),
  usersFile: text,
  removeHeader: bool,
  realm: text,
  headerField: text,
});
const clientTls = struct({ ...all(text, "ca cert key"), insecureSkipVerify: bool, caOptional: bool });
const forwardAuth = struct({
  address: text,
  tls: clientTls,
  trustForwardHeader: bool,
  authResponseHeaders: list(text),
  authResponseHeadersRegex: text,
  authRequestHeaders: list(text),
  maxResponseBodySize: int,
  addAuthCookiesToResponse: list(text),
  headerField: text,
  forwardBody: bool,
  maxBodySize: int,
  preserveLocationHeader: bool,
  preserveRequestMethod: bool,
  authSigninURL: text,
});
const inFlightReq = struct({ amount: int, sourceCriterion });
const buffering = struct({
  ...all(int, "maxRequestBodyBytes memRequestBodyBytes maxResponseBodyBytes memResponseBodyBytes"),
  retryExpression: text,
  disableRequestBuffer: internal,
  disableResponseBuffer: internal,
});
const circuitBreaker = struct({
  expression: text,
  ...all(duration, "checkPeriod fallbackDuration recoveryDuration"),
  responseCode: int,
});
const compress = struct({
  excludedContentTypes: list(text),
  includedContentTypes: list(text),
  minResponseBodyBytes: int,
  encodings: list(text),
  defaultEncoding: text,
});
const certificateSubject = struct(
  all(
    bool,
    "country province locality organization organizationalUnit commonName serialNumber domainComponent",
  ),
);
const certificateIssuer = struct(
  all(bool, "country province locality organization commonName serialNumber domainComponent"),
);
const certificateInfo = struct({
  ...all(bool, "notAfter notBefore sans serialNumber"),
  subject: certificateSubject,
  issuer: certificateIssuer,
});
const passTlsClientCert = struct({ pem: bool, info: certificateInfo });
const retry = struct({
  attempts: int,
  timeout: duration,
  initialInterval: duration,
  maxRequestBodyBytes: int,
  status: list(text),
  disableRetryOnNetworkError: bool,
  retryNonIdempotentMethod: bool,
});
const contentType = struct({ autoDetect: bool });
const grpcWeb = struct({ allowOrigins: list(text) });
const middleware = struct({
  addPrefix,
  stripPrefix,
  stripPrefixRegex,
  replacePath,
  replacePathRegex,
  chain,
  ipWhiteList,
  ipAllowList,
  headers,
  encodedCharacters,
  errors: errorPage,
  rateLimit,
  redirectRegex,
  redirectScheme,
  basicAuth,
  digestAuth,
  forwardAuth,
  inFlightReq,
  buffering,
  circuitBreaker,
  compress: mayBeEmpty(compress),
  passTLSClientCert: passTlsClientCert,
  retry,
  contentType: mayBeEmpty(contentType),
  grpcWeb,
  plugin: map(raw),
  ...all(
    internal,
    "requestHeaderModifier responseHeaderModifier requestRedirect urlRewrite authTLSPassCertificateToUpstream snippet rewriteTarget upstreamVHost appRoot",
  ),
});
const certificate = struct({ certFile: text, keyFile: text });
const forwardingTimeouts = struct(
  all(
    duration,
    "dialTimeout responseHeaderTimeout idleConnTimeout readIdleTimeout pingTimeout readTimeout writeTimeout",
  ),
);
const spiffe = struct({ ids: list(text), trustDomain: text });
const serversTransport = struct({
  serverName: text,
  insecureSkipVerify: bool,
  rootCAs: list(text),
  certificates: list(certificate),
  cipherSuites: list(text),
  minVersion: text,
  maxVersion: text,
  maxIdleConnsPerHost: int,
  forwardingTimeouts,
  disableHTTP2: bool,
  peerCertURI: text,
  spiffe: mayBeEmpty(spiffe),
});
const http = struct({
  routers: map(router),
  services: map(service),
  middlewares: map(middleware),
  models: internal,
  serversTransports: map(serversTransport),
});
const tcpRouterTls = struct({ passthrough: bool, options: text, certResolver: text, domains: list(domain) });
const tcpRouter = struct({
  entryPoints: list(text),
  middlewares: list(text),
  ...all(text, "service rule ruleSyntax"),
  priority: int,
  tls: mayBeEmpty(tcpRouterTls),
});
const tcpServer = struct({ address: text, port: text, tls: bool });
const proxyProtocol = struct({ version: int });
const tcpServerHealthCheck = struct({
  port: int,
  send: text,
  expect: text,
  ...all(duration, "interval unhealthyInterval timeout"),
});
const tcpServersLoadBalancer = struct({
  servers: list(tcpServer),
  serversTransport: text,
  proxyProtocol: mayBeEmpty(proxyProtocol),
  terminationDelay: int,
  healthCheck: mayBeEmpty(tcpServerHealthCheck),
});
const tcpWeightedRoundRobin = struct({ services: list(weight), healthCheck: mayBeEmpty(healthCheck) });
const tcpService = struct({ loadBalancer: tcpServersLoadBalancer, weighted: tcpWeightedRoundRobin });
const tcpInFlightConn = struct({ amount: int });
const tcpAllowList = struct({ sourceRange: list(text) });
const tcpMiddleware = struct({
  inFlightConn: tcpInFlightConn,
  ipWhiteList: tcpAllowList,
  ipAllowList: tcpAllowList,
});
const tcpTransportTls = struct({
  serverName: text,
  insecureSkipVerify: bool,
  rootCAs: list(text),
  certificates: list(certificate),
  peerCertURI: text,
  spiffe: mayBeEmpty(spiffe),
});
const tcpServersTransport = struct({
  dialKeepAlive: duration,
  dialTimeout: duration,
  proxyProtocol: mayBeEmpty(proxyProtocol),
  terminationDelay: duration,
  tls: mayBeEmpty(tcpTransportTls),
});
const tcp = struct({
  routers: map(tcpRouter),
  services: map(tcpService),
  middlewares: map(tcpMiddleware),
  models: internal,
  serversTransports: map(tcpServersTransport),
});
const udpRouter = struct({ entryPoints: list(text), service: text });
const udpServer = struct({ address: text, port: internal });
const udpServersLoadBalancer = struct({ servers: list(udpServer) });
const udpWeightedRoundRobin = struct({ services: list(weight) });
const udpService = struct({ loadBalancer: udpServersLoadBalancer, weighted: udpWeightedRoundRobin });
const udp = struct({ routers: map(udpRouter), services: map(udpService) });
const certAndStores = struct({ ...certificate.fields, stores: list(text) });
const clientAuth = struct({ caFiles: list(text), clientAuthType: text });
const tlsOptions = struct({
  minVersion: text,
  maxVersion: text,
  cipherSuites: list(text),
  curvePreferences: list(text),
  clientAuth,
  sniStrict: bool,
  alpnProtocols: list(text),
  disableSessionTickets: bool,
  preferServerCipherSuites: bool,
});
const generatedCert = struct({ resolver: text, domain });
const tlsStore = struct({ defaultCertificate: certificate, defaultGeneratedCert: generatedCert });
const tls = struct({ certificates: list(certAndStores), options: map(tlsOptions), stores: map(tlsStore) });

/** The top level; what else stands there is passed over. */
export const configuration = struct({ http, tcp, udp, tls });

/** The field of a name, in any case, as paerser finds it. */
export function fieldOf({ fields }: Struct, name: string): readonly [name: string, type: Type] | null {
  const wanted = name.toLowerCase();
  return Object.entries(fields).find(([one]) => one.toLowerCase() === wanted) ?? null;
}
