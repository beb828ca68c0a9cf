// For tests only: a Traefik of the reference stack's image on free ports, with the files that a test gives it.
import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort, type TestStack, until } from "../test-stack";

export type TestTraefik = {
  readonly url: string;
  /** A free port for each of `ports`. */
  readonly ports: Readonly<Record<string, number>>;
  /** The folder of its file provider, on the host. */
  readonly directory: string;
  readonly container: string;
  /** Waits until its API answers and it has looked for its files. */
  answers(): Promise<unknown>;
  stop(): Promise<void>;
};

/**
 * `files`: what its file provider reads. `ports`: the ports within that are to be reached. `options`: more of its command line; its API
 * listens on 8080.
 */
export async function startTestTraefik(
  stack: TestStack,
  {
    files,
    ports,
    options,
  }: {
    readonly files: Readonly<Record<string, string>>;
    readonly ports: Readonly<Record<string, number>>;
    readonly options: readonly string[];
  },
  /** More of `docker run`. */
  run: readonly string[] = [],
): Promise<TestTraefik> {
  const docker = (...args: string[]) => promisify(execFile)("docker", args, { timeout: 60_000 });
  const directory = mkdtempSync(join(tmpdir(), "sluice-traefik-"));
  // It may run as somebody else in there.
  chmodSync(directory, 0o755);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  const image = await docker("inspect", "--format", "{{.Image}}", stack.containers.traefik ?? "");
  const api = await freePort();
  const free = Object.fromEntries(
    await Promise.all(Object.keys(ports).map(async (name) => [name, await freePort()] as const)),
  );
  const { stdout } = await docker(
    ...["run", "--detach", "--volume", `${directory}:/rules:ro`, "--publish", `127.0.0.1:${api}:8080`],
    ...Object.entries(ports).flatMap(([name, inside]) => ["--publish", `127.0.0.1:${free[name]}:${inside}`]),
    ...run,
    ...["--entrypoint", "traefik", image.stdout.trim()],
    ...["--entryPoints.traefik.address=:8080", "--api.insecure=true", "--providers.file.directory=/rules"],
    ...["--global.checkNewVersion=false", "--log.level=ERROR", ...options],
  );
  const container = stdout.trim();
  const url = `http://127.0.0.1:${api}`;
  const stop = async () => {
    await docker("rm", "--force", container);
    rmSync(directory, { recursive: true, force: true });
  };
  const has = () =>
    fetch(`${url}/api/overview`, { signal: AbortSignal.timeout(1000) })
      .then(async (answer) => (await answer.text()).includes('"File"'))
      .catch(() => false);
  const answers = () => until("Traefik answers", has, 30_000);
  try {
    await answers();
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, ports: free, directory, container, answers, stop };
}
