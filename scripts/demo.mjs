// npm run demo: from a fresh clone to Sluice in front of the reference stack; --down takes it all away.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { run, sleep } from "../lab/run/proc.mjs";
import { ensureBuild } from "./setup/build.mjs";
import { engine, ensureLab, filesOf, refuseStrangers, releaseEngine, removeLab } from "./setup/lab.mjs";
import { ensureNode } from "./setup/node.mjs";
import { ensureNpmPackages } from "./setup/npm-packages.mjs";
import { firstSignIn, freePort, portIsFree, refuseTakenPort, startSluice } from "./setup/sluice.mjs";
import { CannotHave, runMain, say, step } from "./setup/steps.mjs";

const project = "demo";
const files = filesOf(project);

const usage = `npm run demo                sets everything up and serves Sluice; Ctrl-C stops Sluice, the stack stays
npm run demo -- --detach    the same, but leaves Sluice running and returns
npm run demo -- --down      takes everything of the demo away: Sluice, containers, data
PORT=3001 npm run demo      on another port
`;

/** @param {number} pid whether it is a Sluice that we started (a pid is reused, so its command is looked at) */
async function isSluice(pid) {
  const ran = await run("ps", ["-o", "command=", "-p", String(pid)]);
  // next sets the process's title to next-server.
  return ran.code === 0 && /server\.js|next-server/.test(ran.stdout);
}

/** @returns {Promise<{pid: number, url: string} | undefined>} the demo's Sluice, if one runs */
async function running() {
  if (!existsSync(files.pid)) return undefined;
  const [pid = "", url = ""] = readFileSync(files.pid, "utf8").trim().split("\n");
  return (await isSluice(Number(pid))) ? { pid: Number(pid), url } : undefined;
}

async function down() {
  const sluice = await running();
  if (sluice) {
    await step(`stopping Sluice (pid ${sluice.pid})`, async () => {
      process.kill(sluice.pid, "SIGTERM");
      for (let waited = 0; waited < 15_000 && (await isSluice(sluice.pid)); waited += 200) await sleep(200);
      if (await isSluice(sluice.pid)) process.kill(sluice.pid, "SIGKILL");
    });
  }
  await removeLab(project);
  rmSync(files.folder, { recursive: true, force: true });
  await releaseEngine();
  say("the demo is gone");
}

/** @param {string} url @param {number} edge the stack's public port */
function welcome(url, edge) {
  const code = firstSignIn(files.data);
  const site = `http://site.localhost:${edge}`;
  process.stdout.write(`
  Sluice       ${url}
${code ? `  First sign-in ${url}/setup with the code ${code}\n` : "  Sign in with the account that you made; npm run demo -- --down begins anew.\n"}
  The site     ${site}/fr  (behind "Cloudflare", two Varnish nodes, Nginx, Redis)
  Back office  ${site}/admin

  As an editor:
    1. Open ${site}/fr/evenements and choose an article.
    2. In the back office open the same article, change its title,
       take the tick from "Tell the caches" away, and publish.
    3. Reload the article: it is still the old one.
    4. Put its address in ${url}/purge and purge it: a proof for each layer, and the page is new.
  With the tick left in place the site tells Sluice's gateway by itself, and nobody needs to press anything.

`);
}

await runMain(async () => {
  const { values } = parseArgs({
    options: {
      down: { type: "boolean", default: false },
      detach: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  ensureNode();
  if (values.down) {
    await down();
    return 0;
  }

  const port = Number(process.env.PORT ?? 3000);
  const there = await running();
  if (!there) await refuseTakenPort(port, "localhost", "npm run demo");
  const url = there?.url ?? `http://localhost:${port}`;

  await ensureNpmPackages();
  const docker = await engine();
  if (!docker.available)
    throw new CannotHave(
      "Docker Engine",
      docker.reason,
      `${docker.hint}\n  Without it: npm start serves Sluice on your own sluice.yaml.`,
    );
  await refuseStrangers(project);
  // Sluice keeps its gateway's port from one start to the next, as the stack was told of it.
  const known = existsSync(files.config)
    ? /listen: "[^"]*:(\d+)"/.exec(readFileSync(files.config, "utf8"))?.[1]
    : undefined;
  const gatewayPort = known ? Number(known) : (await portIsFree(3100, "0.0.0.0")) ? 3100 : await freePort();
  // Side by side: the build keeps a processor busy, the stack mostly waits.
  const [stack] = await Promise.all([
    ensureLab({ project, gatewayPort, url, basePort: 18_000 }),
    there ? undefined : ensureBuild(),
  ]);
  if (there) {
    say(`Sluice runs already (pid ${there.pid})`);
    welcome(there.url, stack.ports.edge);
    return 0;
  }

  mkdirSync(files.folder, { recursive: true, mode: 0o700 });
  const sluice = await step("starting Sluice", () =>
    startSluice({
      port,
      dataDir: files.data,
      config: files.config,
      logFile: files.log,
      detached: values.detach === true,
    }),
  );
  writeFileSync(files.pid, `${sluice.pid}\n${sluice.url}\n`);
  welcome(sluice.url, stack.ports.edge);
  if (values.detach) return 0;

  say(`Ctrl-C stops Sluice; its log is ${files.log}`);
  let asked = false;
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]))
    process.on(signal, () => {
      asked = true;
      void sluice.stop();
    });
  const code = await sluice.ended;
  rmSync(files.pid, { force: true });
  if (asked) {
    say("Sluice is stopped; the stack still runs (npm run demo -- --down takes it away)");
    return 0;
  }
  throw new CannotHave("Sluice", `it ended by itself with ${code}`, `Its log: ${files.log}`);
});
