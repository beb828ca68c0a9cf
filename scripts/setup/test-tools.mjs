// Programs that the tests against real servers need besides the Docker Engine: those that are there, or Debian's.
import { run } from "../../lab/run/proc.mjs";
import { aptInstall, canInstall } from "./apt.mjs";
import { CannotHave, step } from "./steps.mjs";

/** Each program with Debian's package of it. */
const tools = {
  "docker-registry": "docker-registry",
  ip: "iproute2",
  unshare: "util-linux",
  nsenter: "util-linux",
  haproxy: "haproxy",
  prometheus: "prometheus",
  promtool: "prometheus",
  sshd: "openssh-server",
  "ssh-keygen": "openssh-client",
  // They bring varnish itself.
  varnishd: "varnish-modules",
  varnishlog: "varnish-modules",
  restic: "restic",
  // It serves restic's REST protocol.
  rclone: "rclone",
};

/** @param {string} program */
const isThere = async (program) => (await run("which", [program])).code === 0;

/** Installs what is missing. Throws CannotHave with the names of what cannot be had. */
export async function ensureTestTools() {
  const missing = async () => {
    const found = await Promise.all(
      Object.keys(tools).map(async (name) => ({ name, there: await isThere(name) })),
    );
    return found.filter(({ there }) => !there).map(({ name }) => /** @type {keyof typeof tools} */ (name));
  };
  const first = await missing();
  if (first.length === 0) return;
  if (canInstall()) {
    const packages = [...new Set(first.map((name) => tools[name]))];
    await step(`installing ${packages.join(", ")}`, () => aptInstall(packages));
  }
  const left = await missing();
  if (left.length > 0)
    throw new CannotHave(
      left.join(", "),
      "the tests against real servers start them, and they are installed by themselves only on Debian as root",
      `Install ${[...new Set(left.map((name) => tools[name]))].join(", ")} (Debian's names), then run this again.`,
    );
}
