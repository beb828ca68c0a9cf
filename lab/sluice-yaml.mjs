// The sluice.yaml of a lab stack, from its stack.json: `node lab/sluice-yaml.mjs .lab/demo/stack.json [url] [gateway port]`
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

/** The stub's zone ids are made from the zones' names. @param {string} name */
const zoneId = (name) => createHash("md5").update(`zone ${name}`).digest("hex");
const q = JSON.stringify;

/**
 * @typedef {{url?: string, gatewayPort?: number, secondPass?: string}} YamlOptions
 * @param {Pick<import("./run/stack.mjs").Stack, "ports" | "subnet" | "bridgeAddress" | "varnishNodes" | "vclFiles" | "traefikRules" | "traefikLog" | "secrets">} stack
 * @param {YamlOptions} [options] url: Sluice's own address; secondPass: as a duration of sluice.yaml
 */
export function sluiceYaml(
  stack,
  { url = "http://localhost:3000", gatewayPort = 3100, secondPass = "1s" } = {},
) {
  const { ports, secrets } = stack;
  const at = (/** @type {number} */ port) => q(`http://127.0.0.1:${port}`);
  const nodes = stack.varnishNodes.map((name) =>
    name === "varnish-2"
      ? { name, port: ports.varnish2, admin: ports.varnish2Admin, metrics: ports.varnish2Metrics }
      : { name, port: ports.varnish1, admin: ports.varnish1Admin, metrics: ports.varnish1Metrics },
  );
  const site = (/** @type {string} */ host, /** @type {string} */ title) => `
  - name: ${host.split(".")[0]}
    title: ${q(title)}
    addresses: [${q(`http://${host}:${ports.edge}`)}]
    # The truth: the same site behind no cache at all.
    origin: ${at(ports.origin)}
    # Its revision is read from the database each time.
    watch: /fr/archive/1
    # One for everybody, one for who has the site.
    status: { public: ${host.startsWith("site.")}, time_zone: Europe/Paris }
    # *.localhost is resolved by browsers, but not by every resolver.
    edge: ${at(ports.edge)}
    caches:
      redis: [{ system: redis, keys: [${q(`fragment:${host}:{locale}:{path}`)}] }]
      nginx: [nginx]
      varnish: [${nodes.map((node) => node.name).join(", ")}]
      cloudflare: cloudflare-${host.split(".")[0]}
    second_pass: ${secondPass}
    # What a page is made of besides itself: its data, as browsers and as the server side ask for it.
    expand:
      - { url: "/api/web_response_by_path?path={path|encoded}", label: data }
      - { url: "/api/web_response_by_path?path={path}", label: data }
    siblings: true
    trailing_slash: both
    # As the VCL drops and sorts them.
    strip_query: ['^utm_[a-z0-9_]+$', '^(gclid|gclsrc|gbraid|wbraid|dclid|fbclid|msclkid|yclid|twclid|ttclid|igshid)$', '^(mc_cid|mc_eid|_ga|_gl|_hsenc|_hsmi|mkt_tok)$', '^(pk|mtm)_[a-z]+$']
    sort_query: true
`;
  const cloudflare = (/** @type {string} */ host) => `
    - name: cloudflare-${host.split(".")[0]}
      api: ${at(ports.cloudflareApi)}
      token: ${q(secrets.cloudflareToken)}
      zone: "${zoneId(host)}"
      plan: pro`;
  return `# Made by lab/sluice-yaml.mjs for a reference stack; sluice.example.yaml explains every key.
server:
  url: ${q(url)}
notify:
  channels: [{ name: mail, type: email, smtp: mail, from: "Sluice <sluice@lab.localhost>", to: [ops@lab.localhost] }]
gateway:
  # The containers see this machine at their network's first address.
  listen: ${q(`${stack.bridgeAddress}:${gatewayPort}`)}
  networks: [${[stack.subnet, "127.0.0.0/8", "::1/128"].map((text) => q(text)).join(", ")}]
systems:
  docker: [{ name: engine }]
  traefik:
    - name: traefik
      url: ${at(ports.traefikApi)}
      metrics: ${q(`http://127.0.0.1:${ports.traefikApi}/metrics`)}
      labels: { instance: traefik }
      directory: ${q(stack.traefikRules)}
      access_log: ${q(stack.traefikLog)}
      entry_points: { web: ${at(ports.traefik)} }
  varnish:${nodes
    .map(
      (node) => `
    - name: ${node.name}
      url: ${at(node.port)}
      admin: "127.0.0.1:${node.admin}"
      secret_file: ${q(secrets.varnishSecretFile)}
      vcl_path: ${q(stack.vclFiles[node.name] ?? "")}
      metrics: ${q(`http://127.0.0.1:${node.metrics}/metrics`)}
      labels: { instance: ${node.name} }`,
    )
    .join("")}
  nginx: [{ name: nginx, url: ${at(ports.nginx)}, status: /stub_status, labels: { instance: nginx } }]
  php_fpm: [{ name: php, url: "http://127.0.0.1:${ports.nginx}/fpm-status", labels: { instance: php } }]
  http: [{ name: symfony, url: "http://127.0.0.1:${ports.nginx}/health", role: symfony, host: site.localhost, depends_on: [php] }, { name: nuxt, url: "http://127.0.0.1:${ports.nuxt}/health", role: nuxt, depends_on: [symfony] }]
  messenger: [{ name: messages, url: "redis://127.0.0.1:${ports.redis}", password: ${q(secrets.redisPassword)}, labels: { stream: messages } }]
  redis: [{ name: redis, url: "redis://127.0.0.1:${ports.redis}", password: ${q(secrets.redisPassword)}, labels: { instance: redis } }]
  mariadb: [{ name: mariadb, address: "127.0.0.1:${ports.mariadb}", username: ${secrets.mariadbUser}, password: ${q(secrets.mariadbPassword)}, labels: { instance: mariadb } }]
  solr: [{ name: solr, url: ${at(ports.solr)}, core: site, labels: { instance: solr } }]
  s3: [{ name: backups, url: ${at(ports.s3)}, bucket: backups, region: us-east-1, access_key: ${q(secrets.s3AccessKey)}, secret_key: ${q(secrets.s3SecretKey)} }]
  prometheus: [{ name: prometheus, url: ${at(ports.prometheus)}, scrape_interval: 5s }]
  alertmanager: [{ name: alertmanager, url: ${at(ports.alertmanager)} }]
  smtp: [{ name: mail, address: "127.0.0.1:${ports.smtp}", tls: never }]
  cloudflare:${cloudflare("site.localhost")}${cloudflare("shop.localhost")}
sites:${site("site.localhost", "Rives")}${site("shop.localhost", "Rives, la boutique")}`;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [file, url, port] = process.argv.slice(2);
  if (!file) {
    process.stderr.write("usage: node lab/sluice-yaml.mjs STACK.JSON [URL] [GATEWAY PORT]\n");
    process.exitCode = 2;
  } else
    process.stdout.write(
      sluiceYaml(JSON.parse(readFileSync(file, "utf8")), {
        ...(url ? { url } : {}),
        ...(port ? { gatewayPort: Number(port) } : {}),
      }),
    );
}
