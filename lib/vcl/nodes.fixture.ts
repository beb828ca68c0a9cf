// For tests only: Varnish nodes of their own, from the stack's image, in front of its Nginx.
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { exchange } from "../systems/exchange";
import { freePort, type TestStack, until } from "../systems/test-stack";
import { closeCli, status, type VarnishAdmin } from "../systems/varnish/cli";

const exec = promisify(execFile);
export const docker = async (...args: string[]): Promise<string> =>
  (await exec("docker", args, { timeout: 120_000 })).stdout.trim();

export type TestNode = VarnishAdmin & {
  readonly container: string;
  readonly url: string;
  readonly metrics: string;
  readonly admin: string;
  /** The file it starts with, on the host. */
  readonly file: string;
};
export type TestNodes = {
  readonly nodes: readonly TestNode[];
  /** Their part of sluice.yaml, below `systems:`. */
  readonly yaml: string;
  close(): Promise<void>;
};

const secret = "sluice-test";

/** Starts nodes called node-1, node-2, …; each waits until it serves. `more` adds arguments of `docker run` for one of them. */
export async function startNodes(
  stack: TestStack,
  count: number,
  more: Readonly<Record<string, readonly string[]>> = {},
): Promise<TestNodes> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-vcl-"));
  const like = stack.containers["varnish-1"] ?? "";
  const [image = "", network = "", environment = "", volumes = "[]"] = (
    await docker(
      "inspect",
      "--format",
      "{{.Config.Image}}\n{{range $name, $net := .NetworkSettings.Networks}}{{$name}}{{end}}\n{{json .Config.Env}}\n{{json .HostConfig.Binds}}",
      like,
    )
  ).split("\n");
  const env = (JSON.parse(environment) as string[]).filter((one) =>
    /^(BACKEND_|SLUICE_NETWORKS|PURGER_)/.test(one),
  );
  const lab = (JSON.parse(volumes) as string[]).filter((one) => one.split(":")[1] === "/lab");
  const nodes = await Promise.all(
    Array.from({ length: count }, async (_, index): Promise<TestNode> => {
      const name = `node-${index + 1}`;
      const container = `sluice-test-vcl-${randomBytes(4).toString("hex")}-${name}`;
      const live = join(folder, name);
      mkdirSync(live);
      const ports = [await freePort(), await freePort(), await freePort()];
      const published = [80, 6082, 9131].flatMap((port, at) => ["-p", `127.0.0.1:${ports[at]}:${port}`]);
      await docker(
        ...["run", "-d", "--name", container, "--network", network, "--entrypoint", "/bin/sh"],
        ...published,
        ...env.flatMap((one) => ["-e", one]),
        ...["-e", `VARNISH_SECRET=${secret}`, "-e", `VARNISH_NAME=${name}`, "-e", "VARNISH_SIZE=16M"],
        ...lab.flatMap((one) => ["-v", one]),
        ...["-v", `${live}:/etc/varnish/live`],
        ...(more[name] ?? []),
        ...[image, "/lab/start.sh"],
      );
      return {
        name,
        container,
        url: `http://127.0.0.1:${ports[0]}`,
        admin: `127.0.0.1:${ports[1]}`,
        metrics: `http://127.0.0.1:${ports[2]}/metrics`,
        secret,
        file: join(live, "default.vcl"),
      };
    }),
  );
  await Promise.all(nodes.map(isServing));
  return {
    nodes,
    yaml: nodes
      .map(
        ({ name, url, admin, metrics, file }) =>
          `    - { name: ${name}, cluster: pair, url: "${url}", admin: "${admin}", secret: ${secret}, metrics: "${metrics}", vcl_path: "${file}", timeout: 3s }`,
      )
      .join("\n"),
    async close() {
      closeCli();
      await Promise.all(nodes.map(({ container }) => docker("rm", "-f", container)));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Waits until a node's child serves and its exporter tells. */
export const isServing = (node: TestNode): Promise<unknown> =>
  until(
    `${node.name} serves`,
    async () => {
      try {
        const { origin, pathname } = new URL(node.metrics);
        const told = await exchange({ base: origin, path: pathname, timeoutMs: 2000 });
        return (
          Buffer.from(told.body).includes("varnish_main_client_req") && (await status(node)) === "running"
        );
      } catch {
        return false;
      }
    },
    60_000,
  );

export const fileText = (node: TestNode): string => readFileSync(node.file, "utf8");
