// A real engine of our own: containers, events, statistics, logs, and what happens when it goes and comes back.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testStack, until } from "../test-stack";
import { actOn, inspectContainer, listContainers } from "./containers";
import { apiOf, readInfo } from "./engine";
import { type ContainerEvent, watchEvents } from "./events";
import { type LogLine, readLog } from "./logs";
import { readStats, watchStats } from "./stats";
import { copyImage, startTestEngine, type TestEngine, testImage } from "./test-engine";

describe.skipIf(!testStack())("an engine", () => {
  let own: TestEngine;
  beforeAll(async () => {
    own = await startTestEngine("engine");
    await copyImage(own);
  }, 120_000);
  afterAll(() => own?.stop(), 60_000);

  const runContainer = (name: string, script: string, ...options: string[]) =>
    own.docker("run", "-d", "--network", "host", "--name", name, ...options, testImage, "sh", "-c", script);
  const linesOf = async (name: string, tty = false): Promise<LogLine[]> => {
    const all: LogLine[] = [];
    const options = { tty, follow: false };
    for await (const lines of readLog(own.engine, name, options, new AbortController().signal))
      all.push(...lines);
    return all;
  };

  test("says what it is", async () => {
    expect(await apiOf(own.engine)).toMatch(/^1\.\d+$/);
    const info = await readInfo(own.engine);
    expect(info.swarm).toBe(false);
    expect(Math.abs(info.clockSkewMs ?? 1e9)).toBeLessThan(2000);
  });

  test("acts, and the events they make", async () => {
    const id = await runContainer("acts", "trap 'exit 3' TERM; while :; do sleep 0.1; done");
    const seen: ContainerEvent[] = [];
    const control = new AbortController();
    const events = watchEvents(own.engine, control.signal);
    await events.next();
    const watching = (async () => {
      for await (const event of events) if (event) seen.push(event);
    })().catch(() => {});
    await actOn(own.engine, id, "pause");
    expect((await inspectContainer(own.engine, id)).State.Status).toBe("paused");
    await actOn(own.engine, id, "unpause");
    await actOn(own.engine, id, "stop");
    await actOn(own.engine, id, "stop");
    expect((await inspectContainer(own.engine, id)).State).toMatchObject({ Status: "exited", ExitCode: 3 });
    await actOn(own.engine, id, "remove");
    await until("destroy is heard", async () => seen.some(({ event }) => event === "destroy"));
    control.abort();
    await watching;
    expect(seen.map(({ event }) => event)).toEqual(["pause", "unpause", "kill", "die", "stop", "destroy"]);
    expect(seen.find(({ event }) => event === "die")?.detail).toBe("3");
    await expect(inspectContainer(own.engine, id)).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  test("statistics: a core in use is a core", async () => {
    const id = await runContainer("busy", "while :; do :; done");
    const control = new AbortController();
    const samples = watchStats(own.engine, id, control.signal);
    const first = (await samples.next()).value;
    const second = (await samples.next()).value;
    const third = (await samples.next()).value;
    control.abort();
    if (!first || !second || !third) throw new Error("no samples");
    const cores = (third.cpuNs - first.cpuNs) / 1e6 / (third.at - first.at);
    expect(cores).toBeGreaterThan(0.2);
    expect(cores).toBeLessThan(1.2);
    expect(third.memory).toBeGreaterThan(0);
    expect((await readStats(own.engine, id))?.cpuNs).toBeGreaterThan(third.cpuNs);
    await actOn(own.engine, id, "remove");
  });

  test("logs: both streams, a terminal, a line of 2 MB, bytes that are no text, HTML as it is", async () => {
    await runContainer(
      "talk",
      "echo '<b>out</b>'; echo err >&2; head -c 2000000 /dev/zero | tr '\\0' x; echo; printf 'a\\377b\\n'; echo last",
    );
    await own.docker("wait", "talk");
    const lines = await linesOf("talk");
    expect(lines.filter(({ stream }) => stream === "stderr").map(({ text }) => text)).toEqual(["err"]);
    const out = lines.filter(({ stream }) => stream === "stdout");
    expect(out[0]?.text).toBe("<b>out</b>");
    expect(out.at(-1)?.text).toBe("last");
    expect(out.at(-2)?.text).toBe("a\ufffdb");
    // Docker keeps a long line in pieces of 16 kB, each with a time of its own within the one line it sends.
    const long = out.slice(1, -2);
    expect(long.reduce((sum, { text, cut }) => sum + text.length + cut, 0)).toBeGreaterThanOrEqual(2_000_000);
    await runContainer("tty", "echo one; echo two >&2", "-t");
    await own.docker("wait", "tty");
    expect((await linesOf("tty", true)).map(({ stream, text }) => [stream, text])).toEqual([
      ["stdout", "one"],
      ["stdout", "two"],
    ]);
  });

  test("a log that is followed ends with its container, and with ours", async () => {
    await runContainer("short", "echo a; sleep 0.5; echo b");
    const all: string[] = [];
    const never = new AbortController().signal;
    for await (const lines of readLog(own.engine, "short", { tty: false, follow: true }, never))
      all.push(...lines.map(({ text }) => text));
    expect(all).toEqual(["a", "b"]);
  });

  test("goes away and comes back", async () => {
    const events = watchEvents(own.engine, new AbortController().signal);
    await events.next();
    const ended = events.next().then(
      ({ done }) => done === true,
      () => true,
    );
    await own.halt();
    expect(await ended).toBe(true);
    await expect(listContainers(own.engine)).rejects.toMatchObject({ code: "UNREACHABLE" });
    await own.start();
    expect((await listContainers(own.engine, true)).length).toBeGreaterThan(0);
  });
});
