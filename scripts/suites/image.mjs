// Sluice's image as a user gets it: built by the classic builder, started with nothing but a volume.
import { run, sleep } from "../../lab/run/proc.mjs";
import { ensureNodeImage, officialImage } from "../setup/node-image.mjs";
import { root } from "../setup/paths.mjs";
import { CannotHave } from "../setup/steps.mjs";
import { runLogged } from "./run-logged.mjs";

/** @typedef {import("./suites.mjs").Outcome} Outcome */

const tag = "sluice:test";
const name = `sluice-image-test-${process.pid}`;

/** @param {string[]} args */
const inContainer = async (args) =>
  (await run("docker", ["exec", name, ...args], { timeoutMs: 20_000 })).stdout.trim();

async function healthy() {
  const deadline = performance.now() + 90_000;
  while (performance.now() < deadline) {
    const state = await run("docker", [
      "inspect",
      "--format",
      "{{.State.Status}} {{.State.Health.Status}}",
      name,
    ]);
    if (state.stdout.trim() === "running healthy") return true;
    if (!state.stdout.startsWith("running")) return false;
    await sleep(500);
  }
  return false;
}

/** @returns {Promise<Outcome>} */
export async function image() {
  /** @type {string} */
  let base;
  try {
    base = await ensureNodeImage();
  } catch (error) {
    if (error instanceof CannotHave)
      return { passed: 0, failed: 0, skipped: [`image: no ${error.what} (${error.why})`] };
    throw error;
  }
  const built = await runLogged(
    "image",
    "docker",
    [
      "build",
      "--network",
      "host",
      "-t",
      tag,
      ...(base === officialImage ? [] : ["--build-arg", `NODE_IMAGE=${base}`]),
      root,
    ],
    { env: { DOCKER_BUILDKIT: "0" }, timeoutMs: 1_500_000, tail: 40 },
  );
  if (built.code !== 0) return { passed: 0, failed: 1, skipped: [], detail: built.tail };

  /** @type {[string, () => Promise<boolean>][]} */
  const tests = [
    ["is healthy without any configuration", healthy],
    ["runs as a user that is not root", async () => !["", "0"].includes(await inContainer(["id", "-u"]))],
    [
      "has nothing of its own that it could write to but its data",
      async () =>
        (await inContainer([
          "sh",
          "-c",
          "test -w /app/server.js && echo writable; test -w /data && echo data",
        ])) === "data",
    ],
    [
      "prints the first sign-in",
      async () => {
        const said = await run("docker", ["logs", name]);
        return /sign-in|setup/i.test(said.stdout + said.stderr);
      },
    ],
    [
      "ends at once when it is told to",
      async () => {
        const from = performance.now();
        await run("docker", ["stop", "--time", "15", name], { timeoutMs: 30_000 });
        const code = (
          await run("docker", ["inspect", "--format", "{{.State.ExitCode}}", name])
        ).stdout.trim();
        return performance.now() - from < 12_000 && code !== "137";
      },
    ],
  ];
  /** @type {string[]} */
  const failures = [];
  await run("docker", ["run", "-d", "--init", "--name", name, tag]);
  try {
    for (const [what, test] of tests) if (!(await test())) failures.push(what);
    if (failures.length > 0) {
      const said = await run("docker", ["logs", "--tail", "30", name]);
      failures.push(said.stdout + said.stderr);
    }
  } finally {
    await run("docker", ["rm", "-f", "-v", name]);
  }
  const failed = failures.length === 0 ? 0 : failures.length - 1;
  return {
    // The build itself is one.
    passed: 1 + tests.length - failed,
    failed,
    skipped: [],
    ...(failed > 0 ? { detail: failures.join("\n") } : {}),
  };
}
