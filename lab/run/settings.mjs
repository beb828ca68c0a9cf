// The pure part of starting a stack: which ports, which network, which names.
import { createHash } from "node:crypto";

/**
 * What is published, by its name in stack.json: distance from the base port, and the variable of
 * docker-compose.yml that moves it.
 */
export const published = /** @type {const} */ ({
  edge: { offset: 0, variable: "LAB_PORT_EDGE" },
  cloudflareApi: { offset: 1, variable: "LAB_PORT_CLOUDFLARE_API" },
  cloudflareControl: { offset: 2, variable: "LAB_PORT_CLOUDFLARE_CONTROL" },
  traefik: { offset: 15, variable: "LAB_PORT_TRAEFIK" },
  traefikApi: { offset: 16, variable: "LAB_PORT_TRAEFIK_API" },
  varnish1: { offset: 11, variable: "LAB_PORT_VARNISH1" },
  varnish2: { offset: 12, variable: "LAB_PORT_VARNISH2" },
  varnish1Admin: { offset: 21, variable: "LAB_PORT_VARNISH1_ADMIN" },
  varnish2Admin: { offset: 22, variable: "LAB_PORT_VARNISH2_ADMIN" },
  varnish1Metrics: { offset: 23, variable: "LAB_PORT_VARNISH1_METRICS" },
  varnish2Metrics: { offset: 24, variable: "LAB_PORT_VARNISH2_METRICS" },
  nginx: { offset: 30, variable: "LAB_PORT_NGINX" },
  origin: { offset: 31, variable: "LAB_PORT_ORIGIN" },
  nuxt: { offset: 32, variable: "LAB_PORT_NUXT" },
  mariadb: { offset: 40, variable: "LAB_PORT_MARIADB" },
  solr: { offset: 45, variable: "LAB_PORT_SOLR" },
  redis: { offset: 50, variable: "LAB_PORT_REDIS" },
  prometheus: { offset: 60, variable: "LAB_PORT_PROMETHEUS" },
  alertmanager: { offset: 61, variable: "LAB_PORT_ALERTMANAGER" },
  smtp: { offset: 70, variable: "LAB_PORT_SMTP" },
  mailHttp: { offset: 71, variable: "LAB_PORT_MAIL_HTTP" },
  s3: { offset: 80, variable: "LAB_PORT_S3" },
});

/** @typedef {keyof typeof published} PortName @typedef {Record<PortName, number>} Ports */
export const portNames = /** @type {PortName[]} */ (Object.keys(published));

/** The project's name is part of container, network and file names. @param {string} project */
export function checkProject(project) {
  if (!/^[a-z0-9][a-z0-9_-]{0,30}$/.test(project)) {
    throw new Error(
      `"${project}" cannot be a project's name: lower case letters, digits, - and _, at most 31`,
    );
  }
  return project;
}

/** @param {number} base @returns {Ports} */
export function portsFrom(base) {
  const last = base + Math.max(...portNames.map((name) => published[name].offset));
  if (!Number.isInteger(base) || base < 1 || last > 65535) throw new Error(`${base} is no usable base port`);
  return /** @type {Ports} */ (
    Object.fromEntries(portNames.map((name) => [name, base + published[name].offset]))
  );
}

/** Single ports moved by the environment (LAB_PORT_EDGE=8080). @param {Ports} ports @param {Record<string, string | undefined>} env @returns {Ports} */
export function movedBy(ports, env) {
  const moved = { ...ports };
  for (const name of portNames) {
    const text = env[published[name].variable];
    if (!text) continue;
    const port = Number(text);
    if (!Number.isInteger(port) || port < 1 || port > 65535)
      throw new Error(`${published[name].variable}=${text} is no port`);
    moved[name] = port;
  }
  return moved;
}

/**
 * The first three numbers of a /24 that no other network uses. Where to begin is decided by the
 * name, so that a project keeps its network when others come and go.
 * @param {string} project @param {string[]} taken subnets such as 10.213.7.0/24
 */
export function choosePrefix(project, taken) {
  const first = createHash("sha256").update(project).digest()[0] ?? 0;
  for (let step = 0; step < 256; step += 1) {
    const prefix = `10.213.${(first + step) % 256}`;
    if (prefixIsFree(prefix, taken)) return prefix;
  }
  throw new Error("no free network in 10.213.0.0/16; set LAB_PREFIX to the first three numbers of one");
}

/** Whether no other network lies on a project's. @param {string} prefix @param {string[]} taken */
export const prefixIsFree = (prefix, taken) => !taken.some((subnet) => covers(subnet, `${prefix}.0`));

/** @param {string} subnet @param {string} address */
function covers(subnet, address) {
  const [network = "", bits = "32"] = subnet.split("/");
  if (network.includes(":")) return false;
  const number = (/** @type {string} */ text) =>
    text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  // A smaller foreign network inside of ours collides too, hence at most 24 bits are compared.
  const size = 2 ** (32 - Math.min(24, Number(bits)));
  return Math.floor(number(network) / size) === Math.floor(number(address) / size);
}

/** Addresses inside the project's network; docker-compose.yml gives them to the services. @param {string} prefix */
export const addressesOf = (prefix) => ({
  bridge: `${prefix}.1`,
  edge: `${prefix}.10`,
  "varnish-1": `${prefix}.11`,
  "varnish-2": `${prefix}.12`,
  traefik: `${prefix}.15`,
  nginx: `${prefix}.20`,
  php: `${prefix}.30`,
  worker: `${prefix}.31`,
  nuxt: `${prefix}.32`,
  mariadb: `${prefix}.40`,
  solr: `${prefix}.45`,
  redis: `${prefix}.50`,
  sluice: `${prefix}.60`,
  monitor: `${prefix}.70`,
  mail: `${prefix}.71`,
  s3: `${prefix}.80`,
});

/** A file for `--env-file`: no quoting exists there that both Compose versions read alike. @param {Record<string, string>} values */
export function envFile(values) {
  return Object.entries(values)
    .map(([name, value]) => {
      if (/[\n"'#$\\]/.test(value))
        throw new Error(`${name} holds a character that an env file cannot carry`);
      return `${name}=${value}\n`;
    })
    .join("");
}
