// Bench (a): Sluice's gateway to two Varnish nodes against the same requests fanned out by a bare script.
// `npx tsx bench/gateway.ts [stack.json] [asks]`; every figure of one run, with ratios.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { type Door, type Figures, figures, flood, Line, pace, type Shot, shown } from "./load";

const file = process.argv[2] ?? ".lab/dev/stack.json";
const asks = Number(process.argv[3] ?? 20_000);
const connections = 32;
const goalPerSecond = 2000;
const stack = JSON.parse(readFileSync(file, "utf8")) as { ports: Record<string, number> };
const node = (name: string): Door => ({ host: "127.0.0.1", port: stack.ports[name] ?? 0 });
const nodes = [node("varnish1"), node("varnish2")];
const gatewayPort = 31_000 + Math.floor(Math.random() * 1000);
const shotsOf = (from: number, count: number): Shot[] =>
  Array.from({ length: count }, (_, index) => ({
    method: "PURGE",
    path: `/fr/archive/${((from + index) % 20_000) + 1}?b=${from + index}`,
  }));
const open = (door: Door, count: number) => Promise.all(Array.from({ length: count }, () => Line.open(door)));
const print = (text: string) => process.stdout.write(`${text}\n`);
const directory = mkdtempSync(join(tmpdir(), "sluice-bench-"));

/** Two nodes and nothing else, no expansion: what the bare script does. */
function configuration(): string {
  const yaml = execFileSync(process.execPath, ["lab/sluice-yaml.mjs", file], { encoding: "utf8" });
  return yaml
    .replace(/listen: "[^"]*"/, `listen: "127.0.0.1:${gatewayPort}"`)
    .replace(/ {6}redis: \[\{ system.*\n/g, "")
    .replace(/ {6}nginx: \[nginx\]\n/g, "")
    .replace(/ {6}cloudflare: cloudflare-.*\n/g, "")
    .replace(/ {4}expand:\n( {6}- .*\n)+/g, "")
    .replaceAll("trailing_slash: both", "trailing_slash: as_given")
    .replaceAll("siblings: true", "siblings: false");
}

/** Every ask goes to both nodes; its time is that of the slower one. `keep` writes it down first. */
async function bare(shots: readonly Shot[], keep: ((shot: Shot) => Promise<void>) | null): Promise<Figures> {
  const pairs = await Promise.all(
    Array.from({ length: connections / 2 }, async () => ({
      one: await Line.open(nodes[0] as Door),
      two: await Line.open(nodes[1] as Door),
    })),
  );
  const times: number[] = [];
  let failed = 0;
  let next = 0;
  const begun = performance.now();
  await Promise.all(
    pairs.map(async ({ one, two }) => {
      for (let shot = shots[next++]; shot; shot = shots[next++]) {
        const from = performance.now();
        await keep?.(shot);
        const answers = await Promise.all([one.send(shot), two.send(shot)]);
        if (answers.every((status) => status === 200)) times.push(performance.now() - from);
        else failed++;
      }
    }),
  );
  const seconds = (performance.now() - begun) / 1000;
  for (const { one, two } of pairs) {
    one.close();
    two.close();
  }
  return figures(times, failed, seconds);
}

/** Groups what comes within a moment into one durable transaction, as Sluice does. */
function keeper(): { keep: (shot: Shot) => Promise<void>; close: () => void } {
  const database = new Sqlite(join(directory, "bare.db"));
  database.exec(
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE ask (id INTEGER PRIMARY KEY, path TEXT)",
  );
  const insert = database.prepare("INSERT INTO ask (path) VALUES (?)");
  let waiting: { path: string; done: () => void }[] = [];
  const flush = () => {
    const group = waiting;
    waiting = [];
    database.transaction(() => {
      for (const { path } of group) insert.run(path);
    })();
    for (const { done } of group) done();
  };
  return {
    keep: ({ path }) =>
      new Promise((done) => {
        if (waiting.length === 0) setTimeout(flush, 3);
        waiting.push({ path, done });
      }),
    close: () => database.close(),
  };
}

const sequential = async (door: Door, count: number, from: number): Promise<Figures> => {
  const [line] = await open(door, 1);
  if (!line) throw new Error("no connection");
  const times: number[] = [];
  let failed = 0;
  const begun = performance.now();
  for (const shot of shotsOf(from, count)) {
    const at = performance.now();
    if ((await line.send(shot)) === 200) times.push(performance.now() - at);
    else failed++;
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
  line.close();
  return figures(times, failed, (performance.now() - begun) / 1000);
};

async function main(): Promise<void> {
  writeFileSync(join(directory, "sluice.yaml"), configuration());
  const env = {
    ...process.env,
    SLUICE_DATA: directory,
    SLUICE_CONFIG: join(directory, "sluice.yaml"),
    SLUICE_LOG: process.env.SLUICE_LOG ?? "error",
  };
  const sluice = spawn(process.execPath, ["--import", "tsx", "bench/sluice.ts"], {
    env,
    stdio: ["pipe", "pipe", "inherit"],
  });
  await new Promise<void>((resolve, reject) => {
    sluice.stdout.on("data", (chunk) => String(chunk).includes("ready") && resolve());
    sluice.once("exit", () => reject(new Error("Sluice did not start")));
  });
  const door: Door = { host: "127.0.0.1", port: gatewayPort };
  const database = new Sqlite(join(directory, "sluice.db"), { readonly: true });
  const open_ = database.prepare(
    'SELECT (SELECT count(*) FROM "PurgeItem" WHERE "changeId" IS NULL) + (SELECT count(*) FROM "Change" WHERE "state" IN (\'planned\', \'running\', \'verifying\')) AS n',
  );
  const drained = async () => {
    const begun = performance.now();
    while ((open_.get() as { n: number }).n > 0) await new Promise((resolve) => setTimeout(resolve, 50));
    return (performance.now() - begun) / 1000;
  };
  const items = database.prepare('SELECT count(*) AS n, sum("count") AS asked FROM "PurgeItem"');
  try {
    print(
      `# gateway, ${asks} asks, ${connections} connections, ${cpus().length} × ${cpus()[0]?.model ?? "?"}`,
    );
    await flood(await open(nodes[0] as Door, 4), shotsOf(0, 2000));
    const plain = await bare(shotsOf(100_000, asks), null);
    print(shown("bare script to two nodes, not durable", plain));
    const kept = keeper();
    const durable = await bare(shotsOf(200_000, asks), kept.keep);
    kept.close();
    print(shown("bare script to two nodes, durable", durable));

    const lines = await open(door, connections);
    const burst = await flood(lines, shotsOf(300_000, asks));
    print(shown("Sluice, as fast as it answers (accepted)", burst));
    const after = await drained();
    const appliedPerSecond = asks / (burst.seconds + after);
    print(
      `  all applied twice and proved ${after.toFixed(1)} s after the last answer: ${appliedPerSecond.toFixed(0)}/s accepted and applied`,
    );

    const seconds = Math.max(10, Math.round(asks / goalPerSecond));
    const steady = await pace(lines, shotsOf(400_000, seconds * goalPerSecond), goalPerSecond);
    print(shown(`Sluice, ${goalPerSecond}/s for ${seconds} s (accepted)`, steady));
    const steadyAfter = await drained();
    print(
      `  all applied ${steadyAfter.toFixed(1)} s after the last answer (second pass after 1 s, then the proof)`,
    );
    for (const line of lines) line.close();

    const single = await sequential(nodes[0] as Door, 300, 500_000);
    print(shown("one at a time, straight to one node", single));
    const one = await sequential(door, 300, 600_000);
    print(shown("one at a time, to Sluice", one));
    await drained();

    const kept_ = items.get() as { n: number; asked: number };
    const expected = asks + seconds * goalPerSecond + 300;
    const failed = database.prepare('SELECT count(*) AS n FROM "Change" WHERE "state" <> \'done\'').get() as {
      n: number;
    };
    print(`rows kept ${kept_.n}, asks counted ${kept_.asked} of ${expected}; changes not done: ${failed.n}`);
    print(
      `ratio accepted, Sluice / bare not durable: ${(burst.perSecond / plain.perSecond).toFixed(2)}, / bare durable: ${(burst.perSecond / durable.perSecond).toFixed(2)}`,
    );
    print(`added at p50 for a single purge: ${(one.p50 - single.p50).toFixed(2)} ms (goal 5)`);
    print(
      `sustained ${goalPerSecond}/s accepted: ${steady.perSecond >= goalPerSecond * 0.98 && steady.failed === 0 ? "yes" : "no"}; applied: ${steadyAfter < 5 ? "yes" : `lags ${steadyAfter.toFixed(1)} s`}`,
    );
  } finally {
    database.close();
    sluice.stdin.write("stop\n");
    await new Promise((resolve) => sluice.once("exit", resolve));
    rmSync(directory, { recursive: true, force: true });
  }
}
await main();
process.exit(0);
