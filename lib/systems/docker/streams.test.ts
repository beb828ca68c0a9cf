// Events, statistics and logs as the engine says them: real samples, torn streams, and answers that are none.
import { describe, expect, onTestFinished, test } from "vitest";
import { containerRef } from "./containers";
import { readInfo } from "./engine";
import { engineThat, frame } from "./engine.fixture";
import { eventOf, watchEvents } from "./events";
import { readLog } from "./logs";
import { countersOf, usageOf } from "./stats";

const never = new AbortController().signal;
async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

describe("events", () => {
  test("words, details and what tells nothing", () => {
    const raw = (Action: string, attributes: Record<string, string> = {}) => ({
      Type: "container",
      Action,
      Actor: { ID: "abc", Attributes: { name: "web", image: "nginx", ...attributes } },
      time: 1,
      timeNano: 1_500_000_000,
    });
    expect(eventOf(raw("health_status: unhealthy"))).toMatchObject({
      event: "health_status",
      detail: "unhealthy",
      at: 1500,
    });
    expect(eventOf(raw("die", { exitCode: "137", team: "a" }))).toMatchObject({
      detail: "137",
      labels: { team: "a" },
    });
    expect(eventOf(raw("exec_start: /bin/check"))).toBeNull();
    expect(eventOf({ Type: "image", Action: "pull" })).toBeNull();
  });

  test("a stream that ends in the middle of an event tells what was whole, then fails", async () => {
    const engine = await engineThat(onTestFinished, (response) => {
      response.write('{"Type":"container","Action":"start","Actor":{"ID":"a"},"time":1}\n{"Type":"conta');
      response.end();
    });
    const seen: unknown[] = [];
    await expect(
      (async () => {
        for await (const event of watchEvents(engine, never)) seen.push(event);
      })(),
    ).rejects.toMatchObject({ code: "BAD_ANSWER" });
    expect(seen).toMatchObject([null, { id: "a", event: "start" }]);
  });

  test("a connection cut off is an error, and an abort ends a stream that says nothing", async () => {
    const cut = await engineThat(onTestFinished, (response) => {
      response.write("\n");
      setTimeout(() => response.destroy(), 20);
    });
    await expect(collect(watchEvents(cut, never))).rejects.toThrow();
    const quiet = await engineThat(onTestFinished, (response) => response.write("\n"));
    const control = new AbortController();
    const events = watchEvents(quiet, control.signal);
    expect((await events.next()).value).toBeNull();
    const next = events.next();
    control.abort();
    await expect(next).rejects.toThrow();
  });
});

describe("logs", () => {
  test("every line with its time, nine digits of it", async () => {
    const engine = await engineThat(onTestFinished, (response) => {
      response.write(frame("2026-11-24T09:00:00.5Z one\n2026-11-24T09:00:01Z \nno time\n"));
      response.end();
    });
    const lines = (await collect(readLog(engine, "web", { tty: false, follow: false }, never))).flat();
    expect(lines.map(({ at, text }) => [at, text])).toEqual([
      ["2026-11-24T09:00:00.500000000Z", "one"],
      ["2026-11-24T09:00:01.000000000Z", ""],
      ["2026-11-24T09:00:01.000000000Z", "no time"],
    ]);
  });

  test("a page instead of frames, a lone JSON line, and a missing container", async () => {
    const page = await engineThat(onTestFinished, (response) =>
      response.end("<html><body>proxy</body></html>"),
    );
    await expect(collect(readLog(page, "web", { tty: false, follow: false }, never))).rejects.toThrow(
      /frames/,
    );
    const lone = await engineThat(onTestFinished, (response) =>
      response.end(frame('2026-11-24T09:00:00Z {"level":"info"}\n')),
    );
    expect((await collect(readLog(lone, "web", { tty: false, follow: false }, never))).flat()).toHaveLength(
      1,
    );
    const missing = await engineThat(onTestFinished, (response) => {
      response.statusCode = 404;
      response.end('{"message":"No such container: web"}');
    });
    await expect(collect(readLog(missing, "web", { tty: false, follow: true }, never))).rejects.toMatchObject(
      { code: "NOT_FOUND" },
    );
  });
});

describe("stats", () => {
  const sample = (read: string, total: number, more: object = {}) => ({
    read,
    cpu_stats: { cpu_usage: { total_usage: total }, system_cpu_usage: 1, online_cpus: 2 },
    memory_stats: { usage: 1000, limit: 4000, stats: { inactive_file: 300 } },
    networks: { eth0: { rx_bytes: total / 1e6, tx_bytes: 5 }, eth1: { rx_bytes: 1, tx_bytes: 1 } },
    blkio_stats: {
      io_service_bytes_recursive: [
        { op: "read", value: 7 },
        { op: "Write", value: 9 },
      ],
    },
    pids_stats: { current: 3 },
    ...more,
  });

  test("rates from two samples, none from one, none over a restart", () => {
    const first = countersOf(sample("2026-11-24T09:00:00Z", 1e9));
    const second = countersOf(sample("2026-11-24T09:00:02Z", 2e9));
    if (!first || !second) throw new Error("no counters");
    expect(usageOf(first, null, 5)).toMatchObject({
      at: 5,
      cpu: null,
      memory: 700,
      memoryLimit: 4000,
      pids: 3,
    });
    expect(usageOf(second, first, 7)).toMatchObject({ cpu: 0.5, rx: 500, tx: 0, read: 0 });
    expect(usageOf(first, second, 9).cpu).toBeNull();
  });

  test("a container that stands still, and nonsense, are no sample", () => {
    expect(countersOf({ read: "0001-01-01T00:00:00Z", cpu_stats: {}, memory_stats: {} })).toBeNull();
    expect(countersOf("<html>")).toBeNull();
  });

  test("counters of cgroup v1, and a cache larger than the usage", () => {
    expect(
      countersOf(
        sample("2026-11-24T09:00:00Z", 1, { memory_stats: { usage: 10, stats: { total_inactive_file: 4 } } }),
      ),
    ).toMatchObject({ memory: 6 });
    expect(
      countersOf(
        sample("2026-11-24T09:00:00Z", 1, { memory_stats: { usage: 10, stats: { inactive_file: 40 } } }),
      ),
    ).toMatchObject({ memory: 10 });
  });
});

test("a clock that is ahead is measured, and one that is not told is not guessed", async () => {
  const ahead = await engineThat(onTestFinished, (response) =>
    response.end(
      JSON.stringify({ ContainersRunning: 1, SystemTime: new Date(Date.now() + 3_600_000).toISOString() }),
    ),
  );
  const skew = (await readInfo(ahead)).clockSkewMs ?? 0;
  expect(Math.abs(skew - 3_600_000)).toBeLessThan(5000);
  const silent = await engineThat(onTestFinished, (response) =>
    response.end(JSON.stringify({ ContainersRunning: 1 })),
  );
  expect((await readInfo(silent)).clockSkewMs).toBeNull();
});

test("what is no name of a container never reaches a path", () => {
  for (const bad of ["", "../info", "a/b", "a?b", "-x", "a%2fb", "é"]) {
    expect(() => containerRef(bad)).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
  }
  expect(containerRef("site-web_1.old")).toBe("site-web_1.old");
});
