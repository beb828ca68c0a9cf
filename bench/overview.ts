// Bench (g): the first page with 1 and with 100 viewers: what the stack is asked meanwhile, how soon it is there, how soon a change shows.
// `npx tsx bench/overview.ts [stack.json]` after `npm run build` and `node lab/run/stack.mjs up --project dev`.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { openSluice } from "./browser";

const file = process.argv[2] ?? ".lab/dev/stack.json";
const measureMs = 60_000;
/** What the page asks beside its stream, and how often. */
const polled = ["/api/v1/health/river", "/api/v1/health/events", "/api/v1/changes?limit=12"];
const pollMs = 10_000;
const token = "bench-token-of-a-job";
const say = (text: string) => process.stdout.write(`${text}\n`);

const stack = JSON.parse(readFileSync(file, "utf8")) as { ports: Record<string, number> };
const sluice = await openSluice("overview", (url) =>
  execFileSync(process.execPath, ["lab/sluice-yaml.mjs", file, url], { encoding: "utf8" })
    .replace(/^gateway:\n(?: .*\n)+/m, "")
    .replace(
      /^systems:\n/m,
      `systems:\n  heartbeat: [{ name: job, every: 1d, retries: 0, token: ${token} }]\n`,
    ),
);

/** What the servers themselves have counted: Prometheus' queries, Nginx' requests. */
async function asked(): Promise<Record<string, number>> {
  const text = await (await fetch(`http://127.0.0.1:${stack.ports.prometheus}/metrics`)).text();
  const sum = [
    ...text.matchAll(/^prometheus_http_requests_total\{.*handler="\/api\/v1\/query".*\} (\S+)$/gm),
  ].reduce((all, [, value]) => all + Number(value), 0);
  const nginx = await (await fetch(`http://127.0.0.1:${stack.ports.nginx}/stub_status`)).text();
  const [, , requests] = /(\d+) (\d+) (\d+)/.exec(nginx)?.slice(1).map(Number) ?? [];
  return { "Prometheus' queries": sum, "Nginx' requests": requests ?? Number.NaN };
}

async function perMinute(): Promise<Record<string, number>> {
  const before = await asked();
  await sleep(measureMs);
  const after = await asked();
  return Object.fromEntries(
    Object.entries(after).map(([name, value]) => [
      name,
      ((value - (before[name] ?? 0)) / measureMs) * 60_000,
    ]),
  );
}

/** Somebody with the page open: its stream is read, and what it polls is polled. */
async function view(cookie: string, signal: AbortSignal): Promise<void> {
  const get = (path: string) => fetch(`${sluice.url}${path}`, { headers: { cookie }, signal });
  const stream = (async () => {
    const reader = (await get("/api/v1/live")).body?.getReader();
    while (reader !== undefined && !(await reader.read()).done);
  })().catch(() => {});
  while (!signal.aborted) {
    await Promise.all(polled.map(async (path) => (await get(path)).arrayBuffer())).catch(() => {});
    await sleep(pollMs, undefined, { signal }).catch(() => {});
  }
  await stream;
}

try {
  const context = await sluice.signIn();
  const cookie = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
  await sleep(15_000);

  const load = async (viewers: number) => {
    const control = new AbortController();
    const watching = Array.from({ length: viewers }, async (_, index) => {
      await sleep((index / viewers) * pollMs);
      await view(cookie, control.signal);
    });
    await sleep(pollMs + 2000);
    const figures = await perMinute();
    control.abort();
    await Promise.all(watching);
    return figures;
  };
  const none = await load(0);
  const one = await load(1);
  const many = await load(100);
  say("asked each minute     | no viewer | 1 viewer | 100 viewers | 100 to 1");
  for (const name of Object.keys(many))
    say(
      [
        name.padEnd(21),
        (none[name] ?? Number.NaN).toFixed(0).padStart(9),
        (one[name] ?? Number.NaN).toFixed(0).padStart(8),
        (many[name] ?? Number.NaN).toFixed(0).padStart(11),
        ((many[name] ?? Number.NaN) / (one[name] ?? Number.NaN)).toFixed(2),
      ].join(" | "),
    );

  const page = await context.newPage();
  const shown: number[] = [];
  for (let turn = 0; turn < 5; turn++) {
    const begun = performance.now();
    await page.goto("/overview");
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.locator("main svg[viewBox] path").first().waitFor();
    shown.push(performance.now() - begun);
  }
  say(`the first page is there after ${shown.map((ms) => ms.toFixed(0)).join(", ")} ms (goal: 1,000)`);

  const seen: number[] = [];
  // It has not reported yet, which wants a look: its first word is that all is well.
  for (const state of ["ok", "fail", "ok", "fail", "ok"]) {
    const before = await page.getByRole("heading", { level: 1 }).textContent();
    const begun = performance.now();
    const told = await fetch(`${sluice.url}/api/heartbeat/job`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ state }),
    });
    if (!told.ok) throw new Error(`the heartbeat answered ${told.status}: ${await told.text()}`);
    await page.waitForFunction((text) => document.querySelector("h1")?.textContent !== text, before, {
      timeout: 10_000,
    });
    seen.push(performance.now() - begun);
    await sleep(1500);
  }
  say(
    `a change of a state is on the page after ${seen.map((ms) => ms.toFixed(0)).join(", ")} ms (goal: 2,000)`,
  );
} finally {
  await sluice.stop();
}
