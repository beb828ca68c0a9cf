// The reference stack for the demo and the tests, with Sluice's own configuration for it.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ensureEngine, stopEngine } from "../../lab/run/engine.mjs";
import { run } from "../../lab/run/proc.mjs";
import { portsFrom } from "../../lab/run/settings.mjs";
import { readStack, startStack, stopStack } from "../../lab/run/stack.mjs";
import { sluiceYaml } from "../../lab/sluice-yaml.mjs";
import { labState } from "./paths.mjs";
import { portIsFree } from "./sluice.mjs";
import { CannotHave, say, step } from "./steps.mjs";

/** @typedef {import("../../lab/run/stack.mjs").Stack} Stack */

/** The files of one project: Sluice's data, configuration, log and pid. @param {string} project */
export function filesOf(project) {
  const folder = join(labState, project);
  return {
    folder,
    stack: join(folder, "stack.json"),
    data: join(folder, "sluice"),
    config: join(folder, "sluice.yaml"),
    log: join(folder, "sluice.log"),
    pid: join(folder, "sluice.pid"),
  };
}

/** An Engine that answers, or why there is none. */
export const engine = () => step("looking for Docker Engine", () => ensureEngine({ log: say }));

/**
 * The usual ports when the project is new and they are free: addresses that one can remember.
 * @param {string} project @param {number} base
 */
async function usualPorts(project, base) {
  if (readStack(project) || process.env.SLUICE_LAB_BASE_PORT) return {};
  const free = await Promise.all(Object.values(portsFrom(base)).map((port) => portIsFree(port, "127.0.0.1")));
  return free.every(Boolean) ? { basePort: base } : {};
}

/** What `docker <kind> ls` says belongs to the project, whichever checkout made it. @param {string} project @param {"container" | "volume" | "network"} kind */
async function ownedBy(project, kind) {
  const label = `label=com.docker.compose.project=sluice-${project}`;
  const all = kind === "container" ? ["--all"] : [];
  const ran = await run("docker", [kind, "ls", ...all, "-q", "--filter", label], { timeoutMs: 15_000 });
  return ran.stdout.split("\n").filter(Boolean);
}

/** Containers, volumes and network of a project that no file here knows of: another checkout's, or a lost one's. @param {string} project */
export async function removeLeftovers(project) {
  for (const kind of /** @type {const} */ (["container", "network", "volume"])) {
    const found = await ownedBy(project, kind);
    if (found.length === 0) continue;
    say(`removing ${found.length} left over ${kind}${found.length > 1 ? "s" : ""} of sluice-${project}`);
    await run("docker", [kind, "rm", ...(kind === "network" ? [] : ["--force"]), ...found], {
      timeoutMs: 60_000,
    });
  }
}

/** A stack that this checkout does not know has passwords that it does not know either. @param {string} project */
export async function refuseStrangers(project) {
  if (readStack(project) || (await ownedBy(project, "container")).length === 0) return;
  throw new CannotHave(
    `the stack sluice-${project}`,
    "containers of that name are there already, made by another checkout",
    `Take them away in that checkout, or here: npm run ${project} -- --down`,
  );
}

/**
 * Starts (or finds) the project's stack and writes the sluice.yaml for it.
 * @param {{project: string, gatewayPort: number, url: string, basePort?: number}} options
 * @returns {Promise<Stack>}
 */
export async function ensureLab({ project, gatewayPort, url, basePort }) {
  const stack = await step(`the reference stack (${project})`, async () => {
    try {
      return await startStack({
        project,
        log: say,
        gatewayUrl: `http://host.docker.internal:${gatewayPort}`,
        ...(basePort === undefined ? {} : await usualPorts(project, basePort)),
      });
    } catch (error) {
      throw new CannotHave(
        "the reference stack",
        error instanceof Error ? error.message : String(error),
        `Mend that and run this again; node lab/run/stack.mjs status --project ${project} shows the containers.`,
      );
    }
  });
  const files = filesOf(project);
  mkdirSync(dirname(files.config), { recursive: true, mode: 0o700 });
  // It holds the lab's passwords, so it is for its owner only.
  writeFileSync(files.config, sluiceYaml(stack, { url, gatewayPort }), { mode: 0o600 });
  return stack;
}

/** Takes the project's stack and its data away. @param {string} project */
export async function removeLab(project) {
  if (readStack(project))
    await step(`taking the stack ${project} away`, () => stopStack({ project, volumes: true, log: say }));
  await removeLeftovers(project);
}

/** Stops the Engine that the lab started, unless containers of somebody else still run on it. */
export async function releaseEngine() {
  const running = await run("docker", ["ps", "-q"], { timeoutMs: 15_000 });
  if (running.code !== 0) return;
  if (running.stdout.trim() !== "") {
    say("Docker Engine stays up: other containers run on it");
    return;
  }
  if (await stopEngine({ log: say })) say("Docker Engine, started by the lab, is stopped");
}
