// Both compose files are read by the compose program itself, and the lab's must give the same services.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { composeCommand } from "../../lab/run/engine.mjs";
import { root } from "../setup/paths.mjs";
import { runLogged } from "./run-logged.mjs";

/** @typedef {import("./suites.mjs").Outcome} Outcome */

/** @returns {Promise<Outcome>} */
export async function composeFiles() {
  const [program = "docker", ...first] = (await composeCommand()) ?? [];
  const own = ["-f", join(root, "docker-compose.yml")];
  const lab = [...own, "-f", join(root, "lab", "docker-compose.override.yml")];
  /** @type {string[]} */
  const failures = [];
  /** @param {string[]} files @param {string} [format] */
  const config = async (files, format) => {
    const ran = await runLogged(
      "compose",
      program,
      [...first, ...files, "config", ...(format ? [format] : [])],
      { timeoutMs: 60_000 },
    );
    if (ran.code !== 0) failures.push(ran.tail);
    return ran;
  };
  await config(own);
  await config(lab);
  const [services, labServices] = [await config(own, "--services"), await config(lab, "--services")];
  const sorted = (/** @type {string} */ text) => text.trim().split("\n").sort().join(" ");
  if (sorted(services.stdout) !== sorted(labServices.stdout))
    failures.push(
      `other services with the lab's images: ${sorted(services.stdout)} / ${sorted(labServices.stdout)}`,
    );
  // What a forgotten 127.0.0.1 would open to the network.
  const open = [
    ...readFileSync(join(root, "docker-compose.yml"), "utf8").matchAll(
      /^\s+- "?(?!127\.0\.0\.1:)([^"\n]*\d:\d[^"\n]*)"?$/gm,
    ),
  ];
  for (const [, port] of open) failures.push(`published on every address: ${port}`);
  const total = 4;
  const failed = Math.min(failures.length, total);
  return {
    passed: total - failed,
    failed,
    skipped: [],
    ...(failed > 0 ? { detail: failures.join("\n") } : {}),
  };
}
