// For tests only: a Docker Engine of their own, which they may restart, kill and make a Swarm of.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { until } from "../test-stack";
import { readVersion } from "./engine";
import type { DockerEngine } from "./target";

const exec = promisify(execFile);

export type TestEngine = {
  readonly engine: DockerEngine;
  readonly socket: string;
  /** Runs the docker CLI against it and gives what it prints. */
  docker(...args: string[]): Promise<string>;
  /** Ends dockerd (its containers with it, as without live-restore) and starts it again. */
  restart(): Promise<void>;
  /** Ends dockerd; `start` brings it back. */
  halt(signal?: NodeJS.Signals): Promise<void>;
  start(): Promise<void>;
  /** Takes everything away. */
  stop(): Promise<void>;
};

/** The image that test containers are made of: Debian's base of the lab, which has sh and sleep. */
export const testImage = "debian:bookworm-slim";

export type TestEngineOptions = {
  /** Ports of this machine's loopback that it reaches under the same address: registries, spoken to over plain HTTP. */
  readonly ports?: readonly number[];
  /** Hosts beside the socket, for example tcp://127.0.0.1:… with its TLS arguments. */
  readonly args?: readonly string[];
};

/**
 * A dockerd with its own root, socket and network namespace: a second one beside the machine's would take that one's docker0
 * away. Of the machine it reaches only the ports it is given.
 */
export async function startTestEngine(name: string, options: TestEngineOptions = {}): Promise<TestEngine> {
  // A short path: a socket's has at most 107 characters.
  const dir = await mkdtemp(`/tmp/sluice-${name}-`);
  const socket = join(dir, "d.sock");
  const log = openSync(join(dir, "log"), "a");
  const engine: DockerEngine = { name, socket, timeout: 5000 };
  await mkdir(join(dir, "root"));
  await writeFile(
    join(dir, "daemon.json"),
    JSON.stringify({
      "insecure-registries": (options.ports ?? []).map((port) => `127.0.0.1:${port}`),
    }),
  );
  const ports = options.ports ?? [];
  const doorSocket = join(dir, "door");
  const doors = openDoors(doorSocket, ports);
  let daemon: ChildProcess | null = null;
  let door: ChildProcess | null = null;
  const docker = async (...args: string[]): Promise<string> =>
    (
      await exec("docker", ["-H", `unix://${socket}`, ...args], { maxBuffer: 64 * 1024 * 1024 })
    ).stdout.trim();

  const start = async (): Promise<void> => {
    daemon = spawn(
      "unshare",
      [
        // exec: the process that is ended later is dockerd itself.
        ...["--net", "--", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", "dockerd"],
        ...["--host", `unix://${socket}`, "--config-file", join(dir, "daemon.json")],
        ...[
          "--data-root",
          join(dir, "root"),
          "--exec-root",
          join(dir, "exec"),
          "--pidfile",
          join(dir, "pid"),
        ],
        ...["--iptables=false", "--ip6tables=false", "--ip-masq=false"],
        ...(options.args ?? []),
      ],
      { stdio: ["ignore", log, log] },
    );
    const begun = daemon;
    await until(
      "the test's dockerd answers",
      async () => {
        if (begun.exitCode !== null)
          throw new Error(`dockerd ended: ${(await readFile(join(dir, "log"), "utf8")).slice(-2000)}`);
        return readVersion(engine).catch(() => null);
      },
      40_000,
    );
    if (ports.length > 0) {
      door = spawn(
        "nsenter",
        [
          "--net",
          "--target",
          String(begun.pid),
          "--",
          process.execPath,
          "-e",
          doorScript,
          doorSocket,
          ...ports.map(String),
        ],
        { stdio: ["ignore", "pipe", log] },
      );
      await once(door.stdout as NodeJS.ReadableStream, "data");
    }
  };
  const halt = async (signal: NodeJS.Signals = "SIGTERM"): Promise<void> => {
    const ending = daemon;
    daemon = null;
    door?.kill();
    door = null;
    if (ending === null || ending.exitCode !== null) return;
    const ended = new Promise((resolve) => ending.once("exit", resolve));
    ending.kill(signal);
    await ended;
  };
  await start();
  return {
    engine,
    socket,
    docker,
    start,
    halt,
    async restart() {
      await halt();
      await start();
    },
    async stop() {
      if (daemon !== null) {
        const all = await docker("ps", "-aq").catch(() => "");
        if (all !== "") await docker("rm", "-fv", ...all.split("\n")).catch(() => "");
      }
      await halt();
      // dockerd leaves its network namespace mounted.
      const mounts = (await readFile("/proc/self/mounts", "utf8"))
        .split("\n")
        .map((line) => line.split(" ")[1] ?? "");
      for (const mount of mounts.filter((one) => one.startsWith(`${dir}/`)).reverse())
        await exec("umount", ["-l", mount]);
      for (const one of doors) one.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Inside the engine's network: a port of its loopback that leads to a socket of the file system, and so out again. */
const doorScript = `
const net = require("node:net");
const [socket, ...ports] = process.argv.slice(1);
for (const port of ports) net.createServer((one) => {
  const other = net.connect(socket + "." + port);
  one.pipe(other).pipe(one);
  one.on("error", () => other.destroy());
  other.on("error", () => one.destroy());
}).listen(Number(port), "127.0.0.1");
process.stdout.write("ready\\n");
`;

/** Outside of it: what comes by that socket goes to the same port of this machine's loopback. */
function openDoors(socket: string, ports: readonly number[]): Server[] {
  return ports.map((port) =>
    createServer((one) => {
      const other = connect(port, "127.0.0.1");
      one.pipe(other).pipe(one);
      one.on("error", () => other.destroy());
      other.on("error", () => one.destroy());
    }).listen(`${socket}.${port}`),
  );
}

/** Brings an image of the machine's engine into a test's. */
export async function copyImage(to: TestEngine, image = testImage): Promise<void> {
  const file = join(to.socket, "..", "image.tar");
  await exec("docker", ["save", "-o", file, image]);
  await to.docker("load", "-q", "-i", file);
  await rm(file);
}
