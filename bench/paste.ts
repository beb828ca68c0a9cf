// Bench (b): a paste of 10,000 addresses, against the same PURGEs sent straight to both nodes by a bare script.
// `SLUICE_KEY=slc_… npx tsx bench/paste.ts http://localhost:3000 stack.json`, with a key of scope purge of an operator.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { type Door, flood, Line, type Shot, shown } from "./load";

const [address = "http://localhost:3000", file = ".lab/dev/stack.json"] = process.argv.slice(2);
const count = 10_000;
const connections = 16;
const { ports } = z
  .object({ ports: z.object({ edge: z.int(), varnish1: z.int(), varnish2: z.int() }) })
  .parse(JSON.parse(readFileSync(file, "utf8")));
const paths = Array.from({ length: count }, (_, index) => `/fr/archive/${index + 1}`);
const headers = {
  Authorization: `Bearer ${process.env.SLUICE_KEY ?? ""}`,
  "Content-Type": "application/json",
};
const change = z.object({
  id: z.int(),
  state: z.string(),
  outcome: z.string().nullable(),
  plan: z.object({ objectCount: z.int(), confirmation: z.string().nullable() }),
});
const print = (text: string) => process.stdout.write(`${text}\n`);

async function ask(path: string, body?: unknown): Promise<unknown> {
  const answer = await fetch(`${address}/api/v1${path}`, {
    headers,
    signal: AbortSignal.timeout(120_000),
    ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
  return answer.json();
}

const target = { by: "url", urls: paths.map((path) => `http://site.localhost:${ports.edge}${path}`) };
let from = performance.now();
await ask("/purges/plan", { target });
const planned = performance.now() - from;
from = performance.now();
let now = change.parse(await ask("/purges", { target }));
const accepted = performance.now() - from;
while (!["done", "failed", "cancelled", "interrupted"].includes(now.state)) {
  await sleep(200);
  now = change.parse(await ask(`/purges/${now.id}`));
}
const done = performance.now() - from;

const shots: Shot[] = paths.map((path) => ({ method: "PURGE", path }));
const nodes: Door[] = [ports.varnish1, ports.varnish2].map((port) => ({ host: "127.0.0.1", port }));
let bare = 0;
for (const door of nodes) {
  const lines = await Promise.all(Array.from({ length: connections }, () => Line.open(door)));
  const begun = performance.now();
  const measured = await flood(lines, shots);
  bare += performance.now() - begun;
  print(shown(`bare script, ${count} to one node`, measured));
  for (const line of lines) line.close();
}
print(`plan shown after            ${(planned / 1000).toFixed(2)} s`);
print(`accepted, durable, after    ${(accepted / 1000).toFixed(2)} s`);
print(
  `${now.state}, ${now.outcome}, after         ${(done / 1000).toFixed(2)} s: ${now.plan.objectCount} objects, every layer, twice, proved`,
);
print(`ratio to ${count} bare PURGEs to both nodes, one pass, no proof: ${(done / bare).toFixed(1)}`);
