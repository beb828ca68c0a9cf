// A Docker Engine to talk to: the one that answers, or Debian's own, installed and started here.
import { spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run, sleep } from "./proc.mjs";

/**
 * @typedef {{available: true, startedByUs: boolean, version: string}
 *   | {available: false, reason: string, hint: string}} Engine
 */

export const stateDir = process.env.SLUICE_LAB_STATE ?? fileURLToPath(new URL("../../.lab", import.meta.url));
const pidFile = join(stateDir, "dockerd.pid");
const logFile = join(stateDir, "dockerd.log");
const lockFile = join(stateDir, "engine.lock");
const packages = ["docker.io", "iptables", "containerd", "runc", "docker-compose", "debootstrap"];
const startTimeoutMs = 120_000;

/** The version of the Engine that answers, or why none does. */
export async function engineVersion() {
  const ran = await run("docker", ["version", "--format", "{{.Server.Version}}"], { timeoutMs: 8000 });
  const version = ran.stdout.trim();
  return ran.code === 0 && version && version !== "<nil>"
    ? { version }
    : { error: ran.stderr.trim().split("\n").at(-1) || "no answer" };
}

/** The compose program here, as argument array to prefix: the v2 plugin, else the Python 1.29. */
export async function composeCommand() {
  if ((await run("docker", ["compose", "version"], { timeoutMs: 8000 })).code === 0)
    return ["docker", "compose"];
  if ((await run("docker-compose", ["version"], { timeoutMs: 20_000 })).code === 0) return ["docker-compose"];
  return undefined;
}

/** @param {number} pid */
function alive(pid) {
  try {
    process.kill(pid, 0);
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.[0] !== "Z";
  } catch {
    return false;
  }
}

/** The pid of the dockerd that we started, if it still runs (a pid is reused: its name is checked). */
function ourDaemon() {
  if (!existsSync(pidFile)) return undefined;
  const pid = Number(readFileSync(pidFile, "utf8"));
  try {
    return alive(pid) && readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "dockerd" ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Whether any dockerd runs (its own pid file says so even when another program started it). */
function someDaemon() {
  try {
    return alive(Number(readFileSync("/var/run/docker.pid", "utf8")));
  } catch {
    return false;
  }
}

/** @param {string} reason @returns {Engine} */
const unavailable = (reason) => ({
  available: false,
  reason,
  hint: "Install and start Docker Engine 20.10 or newer with Compose (https://docs.docker.com/engine/install/), then run this again.",
});

/** @param {(line: string) => void} log @param {() => boolean} stillStarting */
async function waitForSocket(log, stillStarting) {
  const start = performance.now();
  let said = 0;
  while (performance.now() - start < startTimeoutMs) {
    const engine = await engineVersion();
    if (engine.version) return engine.version;
    if (!stillStarting()) return undefined;
    const seconds = Math.round((performance.now() - start) / 1000);
    if (seconds - said >= 10) {
      log(`still waiting for the Engine's socket (${seconds} s)`);
      said = seconds;
    }
    await sleep(300);
  }
  return undefined;
}

function lockAge() {
  return Date.now() - (statSync(lockFile, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
}

/**
 * Two runs at the same moment must not install or start twice: the second waits for the first.
 * @template T @param {(line: string) => void} log @param {() => Promise<T>} work
 */
export async function withEngineLock(log, work) {
  mkdirSync(stateDir, { recursive: true });
  for (let told = false; ; ) {
    try {
      const handle = openSync(lockFile, "wx");
      writeFileSync(handle, String(process.pid));
      closeSync(handle);
      break;
    } catch {
      let holder = 0;
      try {
        holder = Number(readFileSync(lockFile, "utf8"));
      } catch {
        continue;
      }
      // An empty file is a holder between its open and its write, or one that died there.
      const abandoned = holder ? !alive(holder) : lockAge() > 5000;
      if (abandoned) {
        rmSync(lockFile, { force: true });
        continue;
      }
      if (!told) log(`another run (pid ${holder || "?"}) is preparing the lab; waiting for it`);
      told = true;
      await sleep(500);
    }
  }
  try {
    return await work();
  } finally {
    rmSync(lockFile, { force: true });
  }
}

/** @param {(line: string) => void} log */
async function installPackages(log) {
  const apt = { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" }, timeoutMs: 900_000 };
  log("apt-get update");
  const update = await run("apt-get", ["update", "-q"], apt);
  if (update.code !== 0) log("apt-get update reported errors; going on with what is known");
  log(`apt-get install ${packages.join(" ")}`);
  const install = await run("apt-get", ["install", "-y", "-q", "--no-install-recommends", ...packages], apt);
  if (install.code !== 0)
    return install.stderr.trim().split("\n").slice(-3).join(" ") || `apt-get: ${install.code}`;
  return undefined;
}

/**
 * An Engine that answers. On Debian as root a missing one is installed and started, detached, so
 * that it outlives this program.
 * @param {{log: (line: string) => void}} options @returns {Promise<Engine>}
 */
export async function ensureEngine({ log }) {
  const up = await engineVersion();
  if (up.version && (await composeCommand()))
    return { available: true, startedByUs: ourDaemon() !== undefined, version: up.version };

  const debian = existsSync("/etc/debian_version");
  const root = process.getuid?.() === 0;
  const ours = debian && root && !process.env.DOCKER_HOST;
  if (!ours) {
    if (up.version)
      return unavailable(
        "An Engine answers, but neither `docker compose` nor `docker-compose` is installed.",
      );
    const why = process.env.DOCKER_HOST
      ? `DOCKER_HOST (${process.env.DOCKER_HOST}) does not answer`
      : !debian
        ? "this is not Debian, so none is installed for you"
        : "installing one needs root";
    return unavailable(`No Docker Engine answers (${up.error}), and ${why}.`);
  }

  return withEngineLock(log, async () => {
    const dockerd = (await run("dockerd", ["--version"])).code === 0;
    const debootstrap = existsSync("/usr/sbin/debootstrap");
    if (!dockerd || !debootstrap || !(await composeCommand())) {
      const failed = await installPackages(log);
      if (failed) return unavailable(`Debian's docker.io could not be installed: ${failed}`);
    }
    let version = (await engineVersion()).version;
    if (version) return { available: true, startedByUs: ourDaemon() !== undefined, version };

    if (someDaemon()) {
      log("a dockerd is already starting; waiting for its socket");
      version = await waitForSocket(log, someDaemon);
      if (version) return { available: true, startedByUs: ourDaemon() !== undefined, version };
      if (someDaemon()) return unavailable("A dockerd runs but does not answer on its socket.");
    }
    log("starting dockerd");
    const out = openSync(logFile, "a");
    const child = spawn("dockerd", [], { detached: true, stdio: ["ignore", out, out], cwd: "/" });
    closeSync(out);
    let ended = false;
    child.on("exit", () => {
      ended = true;
    });
    child.on("error", () => {
      ended = true;
    });
    child.unref();
    if (child.pid) writeFileSync(pidFile, String(child.pid));
    version = await waitForSocket(log, () => !ended);
    if (version) return { available: true, startedByUs: true, version };
    const tail = readFileSync(logFile, "utf8").trim().split("\n").slice(-5).join("\n");
    return unavailable(`dockerd did not come up; its log (${logFile}) ends with:\n${tail}`);
  });
}

/**
 * Stops the dockerd that we started, and only that one.
 * @param {{log?: (line: string) => void}} [options] @returns {Promise<boolean>} whether one was stopped
 */
export async function stopEngine({ log = () => {} } = {}) {
  const pid = ourDaemon();
  if (pid === undefined) return false;
  log(`stopping dockerd (pid ${pid})`);
  process.kill(pid, "SIGTERM");
  for (let waited = 0; waited < 60_000 && alive(pid); waited += 250) await sleep(250);
  if (alive(pid)) throw new Error(`dockerd (pid ${pid}) did not end within 60 s of SIGTERM`);
  rmSync(pidFile, { force: true });
  return true;
}
