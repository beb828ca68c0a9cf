// Bench (i): from "apply" to proved, beside a bare script that does the same and proves nothing: VCL on two Varnish nodes, a file of Traefik.
// `npx tsx bench/applies.ts [stack.json] [runs]`; servers of its own, every figure of one run, with ratios.
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type House, openHouse } from "../lib/auth/house.fixture";
import { engine } from "../lib/changes/engine";
import type { Actor } from "../lib/changes/kind";
import type { ConfigFile } from "../lib/routing/files/contract";
import { registerRouting } from "../lib/routing/files/register";
import * as routing from "../lib/routing/files/revisions";
import * as files from "../lib/routing/files/service";
import { closeConnections, exchange } from "../lib/systems/exchange";
import { testStack } from "../lib/systems/test-stack";
import { startTestTraefik } from "../lib/systems/traefik/test-traefik";
import { vclDiscard, vclInline, vclUse } from "../lib/systems/varnish/cli";
import { startNodes } from "../lib/vcl/nodes.fixture";
import { registerVcl } from "../lib/vcl/register";
import { revisionsOf } from "../lib/vcl/revisions";
import { runningOf, save } from "../lib/vcl/service";

process.env.SLUICE_STACK ??= process.argv[2] ?? ".lab/dev/stack.json";
const runs = Number(process.argv[3] ?? 10);
const watchS = 2;
const throttleMs = 100;
const stack = testStack();
if (stack === null) throw new Error("There is no reference stack: `node lab/run/stack.mjs up` starts one.");
const bench: Actor = {
  type: "user",
  id: "bench",
  name: "Bench",
  role: "operator",
  sites: null,
  scopes: null,
};
const cluster = "pair";
const traefik = "router";
const host = "bench.example";
const print = (text: string) => process.stdout.write(`${text}\n`);

/** Median of the runs, ms. */
async function timed(act: (run: number) => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const from = performance.now();
    await act(run);
    times.push(performance.now() - from);
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
}

async function carryOut(kind: string, input: object): Promise<void> {
  const id = await engine().start({ kind, input, actor: bench, origin: "page" });
  const { state, error } = await engine().wait(id, 120_000);
  if (state !== "done") throw new Error(`it ended as ${state}: ${error ?? "it does not say why"}`);
}

const pair = await startNodes(stack, 2);
const edge = await startTestTraefik(stack, {
  files: {},
  ports: { web: 8000 },
  options: [
    "--entryPoints.web.address=:8000",
    "--ping=true",
    "--metrics.prometheus=true",
    `--providers.providersThrottleDuration=${throttleMs}ms`,
  ],
});
const web = `http://127.0.0.1:${edge.ports.web}`;
let house: House | undefined;
try {
  house = await openHouse(`
systems:
  varnish:
${pair.yaml}
  traefik:
    - { name: ${traefik}, url: "${edge.url}", metrics: "${edge.url}/metrics", directory: "${edge.directory}", entry_points: { web: "${web}" } }
sites:
  - { name: site, addresses: ["http://${stack.hosts[0]}"], watch: /en/archive/1, caches: { varnish: [node-1, node-2] } }
`);
  registerVcl();
  registerRouting();

  const base = (await runningOf("node-1")).files[0]?.text ?? "";
  const vcl = (word: string) => `${base}\nsub vcl_deliver {\n    set resp.http.X-Bench = "${word}";\n}\n`;
  const rollOut = async (word: string, seconds: number) => {
    const newest = (await revisionsOf(cluster))[0]?.number ?? null;
    const text = [{ name: "main.vcl", text: vcl(word) }];
    const { number } = await save({ cluster, files: text, tests: [], newest, parent: newest }, bench);
    await carryOut("vcl.rollout", {
      cluster,
      revisions: { "node-1": number, "node-2": number },
      canary: seconds === 0 ? null : "node-1",
      watchS: seconds,
    });
  };
  const bareVcl = await timed(async (run) => {
    await Promise.all(pair.nodes.map((node) => vclInline(node, `bare_${run}`, vcl(`bare ${run}`))));
    await Promise.all(pair.nodes.map((node) => vclUse(node, `bare_${run}`)));
  });
  const vclAtOnce = await timed((run) => rollOut(`at once ${run}`, 0));
  const vclWatched = await timed((run) => rollOut(`watched ${run}`, watchS));
  for (const node of pair.nodes)
    for (let run = 0; run < runs; run += 1) await vclDiscard(node, `bare_${run}`);

  const routes = (word: string): ConfigFile => ({
    name: "bench.yml",
    text: `http:
  routers:
    page: { rule: Host(\`${host}\`), entryPoints: [web], service: ping@internal, middlewares: [seen] }
  middlewares:
    seen: { headers: { customResponseHeaders: { X-Bench: "${word}" } } }
`,
  });
  const isSeen = async (word: string) => {
    for (;;) {
      const { headers } = await exchange({ base: web, host, path: "/", timeoutMs: 5000 });
      if (headers["x-bench"] === word) return;
      await sleep(10);
    }
  };
  const bareFile = await timed(async (run) => {
    const { name, text } = routes(`bare ${run}`);
    const path = join(edge.directory, name);
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
    await isSeen(`bare ${run}`);
  });
  const applied = async (word: string, seconds: number) => {
    const newest = (await routing.revisionsOf(traefik))[0]?.number ?? null;
    const { number } = await files.save({ traefik, files: [routes(word)], newest, parent: newest }, bench);
    await carryOut("traefik.apply", { traefik, revision: number, watchS: seconds });
  };
  const fileAtOnce = await timed((run) => applied(`at once ${run}`, 0));
  const fileWatched = await timed((run) => applied(`watched ${run}`, watchS));

  print(`medians of ${runs} runs`);
  print(`VCL, two nodes, bare: compiled and used      ${bareVcl.toFixed(0)} ms`);
  print(
    `Sluice, to proved, on both at once           ${vclAtOnce.toFixed(0)} ms, ${(vclAtOnce / bareVcl).toFixed(1)} times`,
  );
  print(
    `Sluice, one node watched for ${watchS} s             ${vclWatched.toFixed(0)} ms, ${(vclWatched - watchS * 1000).toFixed(0)} ms beside watching`,
  );
  print(`Traefik (throttle ${throttleMs} ms), bare: file until served ${bareFile.toFixed(0)} ms`);
  print(
    `Sluice, to proved, at once                   ${fileAtOnce.toFixed(0)} ms, ${(fileAtOnce / bareFile).toFixed(1)} times`,
  );
  print(
    `Sluice, watched for ${watchS} s                      ${fileWatched.toFixed(0)} ms, ${(fileWatched - watchS * 1000).toFixed(0)} ms beside watching`,
  );
} finally {
  await pair.close();
  await edge.stop();
  await house?.close();
  await closeConnections();
}
