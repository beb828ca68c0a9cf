// Bench (e): 200 containers watched: time to the first list, what it costs the Engine and us with 0, 1 and 100 viewers, memory per
// container; and a log of a million lines read by us, by `docker logs` and by dockerode's own demultiplexer.
// `npx tsx bench/services.ts [containers]` as root, on Linux; an Engine of its own, everything is taken away again.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import Docker from "dockerode";
import { ServicesCollector } from "../lib/services/collector";
import { readLog } from "../lib/systems/docker/logs";
import { copyImage, startTestEngine, testImage } from "../lib/systems/docker/test-engine";

const exec = promisify(execFile);
const count = Number(process.argv[2] ?? 200);
const measureMs = 20_000;
/** Without viewers there is a look in thirty seconds: two of them. */
const quietMs = 60_000;
const lines = 1_000_000;

const own = await startTestEngine("bench");
const say = (text: string) => process.stdout.write(`${text}\n`);

/** Processor seconds of dockerd, its containerd and their shims' share of looking: the daemon itself only. */
const daemon = Number(readFileSync(join(dirname(own.socket), "pid"), "utf8"));
const cpuOf = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
};
const memory = (): number => {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
};

try {
  await copyImage(own);
  const begun = performance.now();
  const names = Array.from({ length: count }, (_, index) => `c${index}`);
  const left = [...names];
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      for (let name = left.shift(); name !== undefined; name = left.shift())
        await own.docker("run", "-d", "--network", "none", "--name", name, testImage, "sleep", "infinity");
    }),
  );
  say(`${count} containers started in ${((performance.now() - begun) / 1000).toFixed(0)} s`);

  const before = memory();
  const collector = new ServicesCollector({
    config: () => ({ systems: { docker: [{ ...own.engine }] } }) as never,
    lingerMs: 1000,
  });
  const started = performance.now();
  const stop = collector.start();
  while (!collector.hosts().every((host) => host.up)) await sleep(10);
  const first = performance.now() - started;
  const bare = performance.now();
  await own.docker("ps", "-a");
  const ps = performance.now() - bare;
  say(`first list, every container inspected: ${first.toFixed(0)} ms (docker ps alone: ${ps.toFixed(0)} ms)`);

  const measure = async (viewers: number, ms = measureMs): Promise<{ engine: number; own: number }> => {
    const control = new AbortController();
    const watching = Array.from({ length: viewers }, async () => {
      for await (const event of collector.watch(control.signal)) void JSON.stringify(event).length;
    });
    await sleep(5000);
    const [engine, ours] = [cpuOf(daemon), process.cpuUsage()];
    await sleep(ms);
    const used = process.cpuUsage(ours);
    const result = {
      engine: ((cpuOf(daemon) - engine) / ms) * 1e5,
      own: ((used.user + used.system) / 1000 / ms) * 100,
    };
    control.abort();
    await Promise.all(watching);
    await sleep(2000);
    return result;
  };
  const none = await measure(0, quietMs);
  const one = await measure(1);
  const many = await measure(100);
  say("viewers | dockerd, % of a core | Sluice, % of a core");
  for (const [viewers, { engine, own: ours }] of [
    [0, none],
    [1, one],
    [100, many],
  ] as const)
    say(
      `${String(viewers).padStart(7)} | ${engine.toFixed(1).padStart(20)} | ${ours.toFixed(1).padStart(19)}`,
    );
  say(`dockerd with 100 viewers / with 1: ${(many.engine / one.engine).toFixed(2)} (goal: 1)`);
  say(
    `memory for each container: ${((memory() - before) / count / 1000).toFixed(0)} kB${globalThis.gc ? "" : " (node --expose-gc tells it better)"}`,
  );
  await stop();

  await own.docker("rm", "-f", ...names);
  await own.docker("run", "--network", "none", "--name", "talk", testImage, "seq", "1", String(lines));
  const timed = async (what: string, act: () => Promise<number>): Promise<number> => {
    const from = performance.now();
    const seen = await act();
    const ms = performance.now() - from;
    say(`${what.padEnd(28)} ${(seen / ms).toFixed(0).padStart(6)} lines/ms  ${ms.toFixed(0).padStart(6)} ms`);
    return ms;
  };
  const bareMs = await timed("docker logs --timestamps", async () => {
    await exec("sh", ["-c", `docker -H unix://${own.socket} logs --timestamps talk > /dev/null`]);
    return lines;
  });
  const ourMs = await timed("Sluice, every line parsed", async () => {
    let seen = 0;
    const options = { tty: false, follow: false };
    for await (const batch of readLog(own.engine, "talk", options, new AbortController().signal))
      seen += batch.length;
    return seen;
  });
  say(`Sluice / docker logs: ${(ourMs / bareMs).toFixed(2)}`);
  // dockerode's own is quadratic: a hundredth of the lines is enough to see it.
  const some = lines / 100;
  const docker = new Docker({ socketPath: own.socket });
  const demuxMs = await timed(`dockerode demux, ${some} lines`, async () => {
    const stream = await docker
      .getContainer("talk")
      .logs({ follow: true, stdout: true, stderr: true, timestamps: true, tail: some });
    const out = new PassThrough().resume();
    docker.modem.demuxStream(stream, out, out);
    await new Promise((resolve) => stream.once("end", resolve));
    return some;
  });
  say(`dockerode demux / Sluice, for each line: ${(demuxMs / some / (ourMs / lines)).toFixed(1)}`);
} finally {
  await own.stop();
}
