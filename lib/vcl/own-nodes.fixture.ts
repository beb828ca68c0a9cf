// For tests only: varnishd of this machine as the nodes of a cluster, in front of a small backend. They may be hurt.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exchange } from "../systems/exchange";
import { freePort, until } from "../systems/test-stack";
import { closeCli, status, type VarnishAdmin } from "../systems/varnish/cli";
import { findVarnishd } from "../systems/varnishd/varnishd";

export type OwnNode = VarnishAdmin & {
  readonly admin: string;
  readonly url: string;
  /** The file it starts with. */
  readonly file: string;
  /** Ends it at once; `start` starts it anew with its file. */
  kill(): Promise<void>;
  start(): Promise<void>;
};
export type OwnNodes = {
  readonly nodes: readonly OwnNode[];
  /** A VCL in front of the backend. */
  readonly base: string;
  /** Their folder; its parts may be included. */
  readonly folder: string;
  /** Their part of sluice.yaml, below `systems:`. */
  readonly yaml: string;
  close(): Promise<void>;
};

const secret = "sluice-test";

/** Starts nodes called node-1, node-2, … of the cluster `pair`, all with the same VCL. Throws where varnishd is missing. */
export async function ownNodes(count: number): Promise<OwnNodes> {
  const programs = await findVarnishd();
  if (programs === null) throw new Error("varnishd is missing (Debian's package varnish)");
  const { path } = programs;
  const folder = mkdtempSync(join(tmpdir(), "sluice-own-"));
  const backend = createServer((_, response) => response.end("well"));
  await new Promise<void>((resolve) => backend.listen(0, "127.0.0.1", resolve));
  const base = `vcl 4.1;\nbackend default { .host = "127.0.0.1"; .port = "${(backend.address() as AddressInfo).port}"; }\n`;
  writeFileSync(join(folder, "secret"), secret);
  const children = new Set<ChildProcess>();
  const make = async (index: number): Promise<OwnNode> => {
    const name = `node-${index + 1}`;
    const file = join(folder, name, "default.vcl");
    mkdirSync(join(folder, name));
    writeFileSync(file, base);
    const [http, cli] = [await freePort(), await freePort()];
    let child: ChildProcess | null = null;
    const node: OwnNode = {
      name,
      admin: `127.0.0.1:${cli}`,
      url: `http://127.0.0.1:${http}`,
      secret,
      file,
      async start() {
        const started = spawn(
          path,
          [
            ...["-d", "-j", "none", "-n", join(folder, `${name}-work`), "-S", join(folder, "secret")],
            ...["-a", `127.0.0.1:${http}`, "-T", `127.0.0.1:${cli}`, "-f", file, "-s", "malloc,16M"],
            ...["-p", "thread_pools=1", "-p", "thread_pool_min=10"],
          ],
          { stdio: ["pipe", "ignore", "ignore"] },
        );
        // It ends with its input, and so with whoever runs the tests.
        started.stdin?.on("error", () => {});
        started.stdin?.write("start\n");
        child = started;
        children.add(started);
        await until(
          `${name} serves`,
          async () => {
            if (started.exitCode !== null) throw new Error(`${name} ended with ${started.exitCode}`);
            return status(node).then(
              (state) => state === "running",
              () => false,
            );
          },
          30_000,
        );
      },
      async kill() {
        if (child === null || child.exitCode !== null || child.signalCode !== null) return;
        const gone = once(child, "exit");
        child.kill("SIGKILL");
        await gone;
        // Its worker ends a moment later, and until then has the port.
        await until(`${name} is gone`, () =>
          exchange({ base: node.url, path: "/", timeoutMs: 500 }).then(
            () => false,
            () => true,
          ),
        );
      },
    };
    await node.start();
    return node;
  };
  const nodes = await Promise.all(Array.from({ length: count }, (_, index) => make(index)));
  return {
    nodes,
    base,
    folder,
    yaml: nodes
      .map(
        ({ name, url, admin, file }) =>
          `    - { name: ${name}, cluster: pair, url: "${url}", admin: "${admin}", secret: ${secret}, vcl_path: "${file}", timeout: 3s }`,
      )
      .join("\n"),
    async close() {
      closeCli();
      await Promise.all(nodes.map((node) => node.kill()));
      backend.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export const textOf = (node: OwnNode): string => readFileSync(node.file, "utf8");
