// For tests only: a Docker Engine of their own, which they may restart, kill and make a Swarm of.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { openSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
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
  /** Registries that are spoken to over plain HTTP, host:port. */
  readonly insecureRegistries?: readonly string[];
  /** Hosts beside the socket, for example tcp://127.0.0.1:… with its TLS arguments. */
  readonly args?: readonly string[];
};

/** A dockerd with its own root, socket and no network but the host's; the machine's other engine is not touched. */
export async function startTestEngine(name: string, options: TestEngineOptions = {}): Promise<TestEngine> {
  // A short path: a socket's has at most 107 characters.
  const dir = await mkdtemp(`/tmp/sluice-${name}-`);
  const socket = join(dir, "d.sock");
  const log = openSync(join(dir, "log"), "a");
  const engine: DockerEngine = { name, socket, timeout: 5000 };
  await mkdir(join(dir, "root"));
  await writeFile(
    join(dir, "daemon.json"),
    JSON.stringify({ "insecure-registries": options.insecureRegistries ?? [] }),
  );
  let daemon: ChildProcess | null = null;
  const docker = async (...args: string[]): Promise<string> =>
    (
      await exec("docker", ["-H", `unix://${socket}`, ...args], { maxBuffer: 64 * 1024 * 1024 })
    ).stdout.trim();

  const start = async (): Promise<void> => {
    daemon = spawn(
      "dockerd",
      [
        ...["--host", `unix://${socket}`, "--config-file", join(dir, "daemon.json")],
        ...[
          "--data-root",
          join(dir, "root"),
          "--exec-root",
          join(dir, "exec"),
          "--pidfile",
          join(dir, "pid"),
        ],
        // The lab's engine owns the bridge and the packet filter.
        ...["--bridge", "none", "--iptables=false", "--ip6tables=false", "--ip-masq=false"],
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
  };
  const halt = async (signal: NodeJS.Signals = "SIGTERM"): Promise<void> => {
    const ending = daemon;
    daemon = null;
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
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Brings an image of the machine's engine into a test's. */
export async function copyImage(to: TestEngine, image = testImage): Promise<void> {
  const file = join(to.socket, "..", "image.tar");
  await exec("docker", ["save", "-o", file, image]);
  await to.docker("load", "-q", "-i", file);
  await rm(file);
}
