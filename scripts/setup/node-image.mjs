// The base of Sluice's image: the official one, or one of the same shape from Debian and this machine's own Node.
import { cpSync, existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { baseImage, ensureImages } from "../../lab/run/images.mjs";
import { must, run } from "../../lab/run/proc.mjs";
import { CannotHave, say, step } from "./steps.mjs";

/** As in the Dockerfile. */
export const officialImage = "node:20-bookworm-slim";

/** @param {string} image */
const isThere = async (image) => (await run("docker", ["image", "inspect", image])).code === 0;

const dockerfile = `FROM ${baseImage}
RUN apt-get update && apt-get install -y --no-install-recommends libstdc++6 ca-certificates && rm -rf /var/lib/apt/lists/* \\
 && groupadd --gid 1000 node && useradd --uid 1000 --gid node --shell /bin/bash --create-home node
COPY node /usr/local/
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \\
 && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx \\
 && node --version && npm --version
CMD ["node"]
`;

/** Where npm itself is, seen from this Node. */
function npmFolder() {
  const places = [
    process.env.npm_execpath ? dirname(dirname(process.env.npm_execpath)) : "",
    join(dirname(process.execPath), "..", "lib", "node_modules", "npm"),
    "/usr/share/nodejs/npm",
  ];
  const found = places.find((place) => place !== "" && existsSync(join(place, "bin", "npm-cli.js")));
  return found ? realpathSync(found) : undefined;
}

/** @returns {Promise<string>} an image with Node and npm in /usr/local, and a user named node */
export async function ensureNodeImage() {
  if (await isThere(officialImage)) return officialImage;
  const tag = `sluice-lab/node:${process.versions.node}`;
  if (await isThere(tag)) return tag;
  const pulled = await step(`asking the registry for ${officialImage}`, () =>
    run("docker", ["pull", "-q", officialImage], { timeoutMs: 120_000 }),
  );
  if (pulled.code === 0) return officialImage;

  const headers = join(dirname(process.execPath), "..", "include", "node");
  const npm = npmFolder();
  if (process.platform !== "linux" || !existsSync(headers) || !npm)
    throw new CannotHave(
      officialImage,
      "no registry is reached, and this machine's Node has no headers or no npm beside it to make one from",
      `docker pull ${officialImage} where a registry is reached, then run this again.`,
    );
  say(`no registry gives ${officialImage}: making ${tag} from this machine's Node`);
  // Its base is the same as every lab image's.
  await ensureImages({ log: say, only: ["redis"] });
  const context = mkdtempSync(join(tmpdir(), "sluice-node-image-"));
  try {
    cpSync(realpathSync(process.execPath), join(context, "node", "bin", "node"));
    cpSync(headers, join(context, "node", "include", "node"), { recursive: true, dereference: true });
    cpSync(npm, join(context, "node", "lib", "node_modules", "npm"), { recursive: true });
    writeFileSync(join(context, "Dockerfile"), dockerfile);
    await step(`building ${tag}`, () =>
      must("docker", ["build", "--network", "host", "-q", "-t", tag, context], {
        timeoutMs: 600_000,
        env: { ...process.env, DOCKER_BUILDKIT: "0" },
      }),
    );
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
  return tag;
}
