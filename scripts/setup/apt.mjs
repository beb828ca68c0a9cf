// Debian's packages, where this is Debian and we may install them.
import { existsSync } from "node:fs";
import { must, run } from "../../lab/run/proc.mjs";

export const canInstall = () => existsSync("/etc/debian_version") && process.getuid?.() === 0;

let updated = false;

/** @param {string[]} packages */
export async function aptInstall(packages) {
  const apt = { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" }, timeoutMs: 900_000 };
  // A list that cannot be refreshed may still be good enough; the installation itself tells.
  if (!updated) await run("apt-get", ["update", "-q"], apt);
  updated = true;
  await must("apt-get", ["install", "-y", "-q", "--no-install-recommends", ...packages], apt);
}
