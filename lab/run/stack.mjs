// Starts and stops a reference stack. `node lab/run/stack.mjs up|down|status --project demo`
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { composeCommand, ensureEngine, stateDir, withEngineLock } from "./engine.mjs";
import { ensureImages } from "./images.mjs";
import { must, ProgramFailed, run, sleep, timedLog } from "./proc.mjs";
import {
  addressesOf,
  checkProject,
  choosePrefix,
  envFile,
  movedBy,
  portNames,
  portsFrom,
  prefixIsFree,
  published,
} from "./settings.mjs";

/**
 * @typedef {import("./settings.mjs").Ports} Ports
 * @typedef {{
 *   project: string, composeProject: string, ports: Ports, subnet: string, bridgeAddress: string,
 *   addresses: Record<string, string>, containers: Record<string, string>, varnishNodes: string[],
 *   gatewayUrl: string, hosts: string[], zones: string[], envFile: string, vclFiles: Record<string, string>, traefikRules: string, traefikLog: string,
 *   secrets: {varnishSecretFile: string, cloudflareToken: string, redisPassword: string,
 *     s3AccessKey: string, s3SecretKey: string,
 *     mariadbPassword: string, mariadbRootPassword: string, mariadbUser: string, mariadbDatabase: string}
 * }} Stack
 * @typedef {{project: string, log: (line: string) => void, gatewayUrl?: string, gatewayToken?: string,
 *   basePort?: number, ports?: Partial<Ports>, varnishNodes?: 1 | 2, withSluice?: boolean,
 *   cloudflarePlan?: string, settings?: Record<string, string>}} StartOptions
 */

const root = fileURLToPath(new URL("../..", import.meta.url));
const hosts = ["site.localhost", "shop.localhost"];
const healthTimeoutMs = 180_000;

/** @param {string} project */
const folderOf = (project) => join(stateDir, checkProject(project));
/** @param {string} project */
export const stackFile = (project) => join(folderOf(project), "stack.json");

/** @param {string} project @returns {Stack | undefined} */
export function readStack(project) {
  const file = stackFile(project);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}

/** @param {string} file @param {string} text */
function writePrivate(file, text) {
  // Renamed into place: a reader never meets half a file.
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  chmodSync(`${file}.new`, 0o600);
  renameSync(`${file}.new`, file);
}

/** Made once for each project: the volumes remember the passwords that they were made with. @param {string} folder */
function secretsOf(folder) {
  const file = join(folder, "secrets.json");
  const names = ["varnish", "cloudflare", "redis", "mariadb", "mariadbRoot", "app", "s3Access", "s3Secret"];
  /** @type {Record<string, string>} */
  const known = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
  if (names.some((name) => !known[name])) {
    for (const name of names) known[name] ??= randomBytes(20).toString("hex");
    writePrivate(file, `${JSON.stringify(known, null, 2)}\n`);
  }
  return /** @type {Record<"varnish"|"cloudflare"|"redis"|"mariadb"|"mariadbRoot"|"app"|"s3Access"|"s3Secret", string>} */ (
    known
  );
}

/** @param {number} count free ports on loopback, all different */
async function freePorts(count) {
  /** @type {import("node:net").Server[]} */
  const servers = [];
  for (let index = 0; index < count; index += 1) {
    const server = createServer();
    await new Promise((resolve, reject) => {
      server.on("error", reject);
      server.listen(0, "127.0.0.1", () => resolve(undefined));
    });
    servers.push(server);
  }
  const ports = servers.map(
    (server) => /** @type {import("node:net").AddressInfo} */ (server.address()).port,
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** @param {number} port */
function portIsFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.on("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/** @param {StartOptions} options @param {Stack | undefined} before @returns {Promise<Ports>} */
async function choosePorts(options, before) {
  const base =
    options.basePort ??
    (process.env.SLUICE_LAB_BASE_PORT ? Number(process.env.SLUICE_LAB_BASE_PORT) : undefined);
  const fresh = async () => {
    const free = await freePorts(portNames.length);
    return /** @type {Ports} */ (Object.fromEntries(portNames.map((name, index) => [name, free[index]])));
  };
  // A stack that was described before a service came has no port for it.
  const ports = base !== undefined ? portsFrom(base) : { ...(await fresh()), ...before?.ports };
  return { ...movedBy(ports, process.env), ...options.ports };
}

/** The networks of the other projects. @param {string} own */
async function takenSubnets(own) {
  const names = (await must("docker", ["network", "ls", "--format", "{{.Name}}"])).stdout
    .split("\n")
    .filter(Boolean);
  const format = "{{.Name}} {{range .IPAM.Config}}{{.Subnet}} {{end}}";
  const shown = await run("docker", ["network", "inspect", "--format", format, ...names]);
  return shown.stdout.split("\n").flatMap((line) => {
    const [name, ...subnets] = line.trim().split(" ");
    return name === own ? [] : subnets;
  });
}

/** @typedef {{name: string, state: string, health: string | undefined, restarts: number}} ContainerState */

/** @param {string[]} containers @returns {Promise<ContainerState[]>} */
async function statesOf(containers) {
  const ran = await run("docker", ["inspect", "--type", "container", ...containers]);
  const found = /** @type {any[]} */ (JSON.parse(ran.stdout || "[]"));
  return containers.map((name) => {
    const one = found.find((candidate) => candidate.Name === `/${name}`);
    return {
      name,
      state: one?.State.Status ?? "missing",
      health: one?.State.Health?.Status,
      restarts: one?.RestartCount ?? 0,
    };
  });
}

/** @param {string} container */
async function lastLines(container) {
  const ran = await run("docker", ["logs", "--tail", "20", container]);
  return `${ran.stdout}${ran.stderr}`.trim() || "(it printed nothing)";
}

/** @param {string[]} containers @param {(line: string) => void} log */
async function waitHealthy(containers, log) {
  const start = performance.now();
  let said = "";
  for (;;) {
    const states = await statesOf(containers);
    const waiting = states.filter(
      (one) => one.state !== "running" || (one.health && one.health !== "healthy"),
    );
    if (waiting.length === 0) return;
    const seconds = Math.round((performance.now() - start) / 1000);
    const broken = waiting.find(
      (one) =>
        one.state === "exited" ||
        one.state === "dead" ||
        one.restarts > 3 ||
        // One that was just resumed is called unhealthy until its next check.
        (one.health === "unhealthy" && performance.now() - start > 15_000),
    );
    const late = performance.now() - start > healthTimeoutMs ? waiting[0] : undefined;
    const failed = broken ?? late;
    if (failed) {
      const how =
        failed === broken ? `is ${failed.health ?? failed.state}` : `is not healthy after ${seconds} s`;
      throw new Error(`Container ${failed.name} ${how}. Its last lines:\n${await lastLines(failed.name)}`);
    }
    const line = `waiting for ${waiting.map((one) => one.name).join(", ")}`;
    if (line !== said) log(line);
    said = line;
    await sleep(400);
  }
}

/** @param {string} project @param {string[]} args */
async function compose(project, args) {
  const command = await composeCommand();
  if (!command) throw new Error("neither `docker compose` nor `docker-compose` is installed");
  const [program = "docker", ...first] = command;
  const folder = folderOf(project);
  return must(
    program,
    [
      ...first,
      "-p",
      `sluice-${project}`,
      "--env-file",
      join(folder, "stack.env"),
      "-f",
      join(root, "docker-compose.yml"),
      "-f",
      join(root, "lab/docker-compose.override.yml"),
      ...args,
    ],
    // The project's file is the whole truth: a LAB_… of the shell was taken into it already.
    {
      cwd: root,
      timeoutMs: 600_000,
      env: withoutLab({ ...process.env, COMPOSE_PROJECT_NAME: `sluice-${project}` }),
    },
  );
}

/** Where a node's VCL lies on the host. @param {string} folder @param {string} node */
const vclFolder = (folder, node) => join(folder, "vcl", node);

/** @param {Record<string, string | undefined>} env */
function withoutLab(env) {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^(LAB_|SLUICE_GATEWAY_)/.test(name)));
}

/**
 * Starts (or brings up to date) the stack of a project and waits until every container is healthy.
 * Ports: `basePort`, else those of the last start, else free ones; `ports` and LAB_PORT_… move single ones.
 * @param {StartOptions} options @returns {Promise<Stack>}
 */
export async function startStack(options) {
  const { log } = options;
  const project = checkProject(options.project);
  const engine = await ensureEngine({ log });
  if (!engine.available) throw new Error(`${engine.reason}\n${engine.hint}`);
  const images = await ensureImages({ log });

  const folder = folderOf(project);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const before = readStack(project);
  const composeProject = `sluice-${project}`;
  const varnishNodes = options.varnishNodes === 1 ? ["varnish-1"] : ["varnish-1", "varnish-2"];
  const services = [
    "edge",
    "traefik",
    ...varnishNodes,
    "nginx",
    "php",
    "worker",
    "nuxt",
    "mariadb",
    "redis",
    "solr",
    "monitor",
    "mail",
    "s3",
    ...(options.withSluice ? ["sluice"] : []),
  ];
  const containers = Object.fromEntries(services.map((name) => [name, `${composeProject}-${name}`]));
  const secrets = secretsOf(folder);
  const gatewayUrl =
    options.gatewayUrl ?? process.env.SLUICE_GATEWAY_URL ?? "http://host.docker.internal:3100";

  // One at a time: two projects that start together must not choose the same network.
  const stack = await withEngineLock(log, async () => {
    const ports = await choosePorts(options, before);
    const running = new Set(
      (await statesOf(Object.values(containers)))
        .filter((one) => one.state === "running")
        .map((one) => one.name),
    );
    for (const name of portNames) {
      const unchanged = running.size > 0 && before?.ports[name] === ports[name];
      if (!unchanged && !(await portIsFree(ports[name]))) {
        throw new Error(
          `Port ${ports[name]} (${name}) is in use. Choose another with ${published[name].variable}, or move all with SLUICE_LAB_BASE_PORT.`,
        );
      }
    }
    const taken = await takenSubnets(`${composeProject}_lab`);
    const kept = before?.bridgeAddress.replace(/\.1$/, "");
    // Kept if it can be: another project may have come to lie on it while this one was down.
    const prefix =
      process.env.LAB_PREFIX ?? (kept && prefixIsFree(kept, taken) ? kept : choosePrefix(project, taken));
    const addresses = addressesOf(prefix);
    // Docker Desktop's host is elsewhere; on Linux it is the other end of the project's own bridge.
    const hostAddress =
      process.env.LAB_HOST_ADDRESS ?? (process.platform === "linux" ? addresses.bridge : "host-gateway");

    writePrivate(join(folder, "varnish.secret"), `${secrets.varnish}\n`);
    const shared = {
      LAB_VCL_VARNISH1: vclFolder(folder, "varnish-1"),
      LAB_VCL_VARNISH2: vclFolder(folder, "varnish-2"),
      LAB_TRAEFIK_RULES: join(folder, "traefik", "rules"),
      LAB_TRAEFIK_LOG: join(folder, "traefik", "log"),
    };
    for (const path of Object.values(shared)) mkdirSync(path, { recursive: true, mode: 0o755 });
    writePrivate(
      join(folder, "stack.env"),
      envFile({
        COMPOSE_PROJECT_NAME: composeProject,
        LAB_PREFIX: prefix,
        LAB_HOST_ADDRESS: hostAddress,
        LAB_SLUICE_NETWORKS: process.env.LAB_SLUICE_NETWORKS ?? `${addresses.bridge} ${addresses.sluice}`,
        LAB_PURGER_NETWORKS: process.env.LAB_PURGER_NETWORKS ?? addresses.worker,
        LAB_VARNISH_NODES: varnishNodes.map((name) => addresses[/** @type {"varnish-1"} */ (name)]).join(" "),
        // Sluice is a container only then; on the host it lets nobody of the network read its figures.
        LAB_MONITOR_SLUICE: options.withSluice ? "sluice:3000" : "",
        LAB_MONITOR_VARNISH_NODES: varnishNodes.join(" "),
        LAB_VARNISH_SECRET: secrets.varnish,
        // Sluice on the host writes them; as a container it shares their volumes.
        ...(options.withSluice ? {} : shared),
        LAB_CLOUDFLARE_TOKEN: secrets.cloudflare,
        LAB_CLOUDFLARE_PLAN: options.cloudflarePlan ?? process.env.LAB_CLOUDFLARE_PLAN ?? "pro",
        LAB_REDIS_PASSWORD: secrets.redis,
        LAB_MARIADB_PASSWORD: secrets.mariadb,
        LAB_MARIADB_ROOT_PASSWORD: secrets.mariadbRoot,
        LAB_APP_SECRET: secrets.app,
        LAB_S3_ACCESS_KEY: secrets.s3Access,
        LAB_S3_SECRET_KEY: secrets.s3Secret,
        SLUICE_GATEWAY_URL: gatewayUrl,
        SLUICE_GATEWAY_TOKEN: options.gatewayToken ?? process.env.SLUICE_GATEWAY_TOKEN ?? "",
        ...Object.fromEntries(portNames.map((name) => [published[name].variable, String(ports[name])])),
        ...Object.fromEntries(
          Object.entries(images).map(([name, tag]) => [`LAB_IMAGE_${name.toUpperCase()}`, tag]),
        ),
        ...options.settings,
      }),
    );
    /** @type {Stack} */
    const made = {
      project,
      composeProject,
      ports,
      subnet: `${prefix}.0/24`,
      bridgeAddress: addresses.bridge,
      addresses,
      containers,
      varnishNodes,
      gatewayUrl,
      hosts,
      zones: hosts,
      envFile: join(folder, "stack.env"),
      vclFiles: Object.fromEntries(
        varnishNodes.map((name) => [name, join(vclFolder(folder, name), "default.vcl")]),
      ),
      traefikRules: shared.LAB_TRAEFIK_RULES,
      traefikLog: join(shared.LAB_TRAEFIK_LOG, "access.log"),
      secrets: {
        varnishSecretFile: join(folder, "varnish.secret"),
        cloudflareToken: secrets.cloudflare,
        redisPassword: secrets.redis,
        s3AccessKey: secrets.s3Access,
        s3SecretKey: secrets.s3Secret,
        mariadbPassword: secrets.mariadb,
        mariadbRootPassword: secrets.mariadbRoot,
        mariadbUser: "site",
        mariadbDatabase: "site",
      },
    };
    writePrivate(stackFile(project), `${JSON.stringify(made, null, 2)}\n`);
    log(`starting ${services.length} containers of ${composeProject}`);
    try {
      await compose(project, ["up", "-d", "--no-build", ...services]);
    } catch (error) {
      if (!(error instanceof ProgramFailed)) throw error;
      throw new Error(`Compose could not start ${composeProject}. ${error.message}`);
    }
    return made;
  });
  await waitHealthy(Object.values(containers), log);
  log(`${composeProject} is healthy: http://${hosts[0]}:${stack.ports.edge}/fr`);
  return stack;
}

/**
 * Stops a project's stack; with `volumes` its data and secrets go too.
 * @param {{project: string, volumes?: boolean, log?: (line: string) => void}} options
 */
export async function stopStack({ project, volumes = false, log = () => {} }) {
  const folder = folderOf(project);
  if (!existsSync(join(folder, "stack.env"))) {
    log(`there is no stack ${project}`);
    // A start that was refused leaves secrets behind.
    if (volumes) rmSync(folder, { recursive: true, force: true });
    return;
  }
  log(`stopping sluice-${project}${volumes ? " and removing its data" : ""}`);
  await compose(project, ["down", "--timeout", "5", "--remove-orphans", ...(volumes ? ["--volumes"] : [])]);
  if (volumes) rmSync(folder, { recursive: true, force: true });
}

/** @param {string} project */
export async function stackStatus(project) {
  const stack = readStack(project);
  return stack ? { stack, containers: await statesOf(Object.values(stack.containers)) } : undefined;
}

async function cli() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      project: { type: "string", default: "demo" },
      "base-port": { type: "string" },
      "gateway-url": { type: "string" },
      "with-sluice": { type: "boolean", default: false },
      volumes: { type: "boolean", default: false },
      nodes: { type: "string" },
    },
  });
  const log = timedLog((line) => process.stdout.write(`${line}\n`));
  const project = values.project ?? "demo";
  switch (positionals[0]) {
    case "up": {
      await startStack({
        project,
        log,
        withSluice: values["with-sluice"] === true,
        ...(values["base-port"] ? { basePort: Number(values["base-port"]) } : {}),
        ...(values["gateway-url"] ? { gatewayUrl: values["gateway-url"] } : {}),
        ...(values.nodes === "1" ? { varnishNodes: /** @type {const} */ (1) } : {}),
      });
      log(`described in ${stackFile(project)}`);
      return 0;
    }
    case "down":
      await stopStack({ project, volumes: values.volumes === true, log });
      return 0;
    case "status": {
      const status = await stackStatus(project);
      if (!status) {
        process.stdout.write(`there is no stack ${project}\n`);
        return 1;
      }
      for (const one of status.containers)
        process.stdout.write(`${one.name}\t${one.state}\t${one.health ?? "-"}\n`);
      for (const name of portNames) process.stdout.write(`${name}\t127.0.0.1:${status.stack.ports[name]}\n`);
      return status.containers.every((one) => one.health === "healthy") ? 0 : 1;
    }
    default:
      process.stderr.write(
        "usage: node lab/run/stack.mjs up|down|status [--project demo] [--base-port 18000] [--gateway-url URL] [--nodes 1] [--with-sluice] [--volumes]\n",
      );
      return 2;
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  cli().then(
    (code) => {
      process.exitCode = code;
    },
    (error) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 1;
    },
  );
}
