// The longer ranges, from a real Prometheus. Its figures are of cAdvisor's names, written into its past: what takes thirty days
// cannot be waited for.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { config } from "../config/load";
import { probe } from "../systems/prometheus/prometheus";
import { startTestPrometheus, type TestPrometheus } from "../systems/prometheus/test-prometheus";
import { testStack, until } from "../systems/test-stack";
import { longerUsage } from "./longer";
import { openServicesLab, type ServicesLab } from "./test-services";

const host = "longer";
const loop = "trap 'exit 0' TERM; while :; do sleep 0.1; done";
/** A scrape every minute of the last two days, none in an hour of it. */
const stepS = 60;
const lastS = Math.floor(Date.now() / 1000 / stepS) * stepS;
const gap = { from: lastS - 4 * 3600, to: lastS - 3 * 3600 };

function past(): string {
  const times = Array.from({ length: 2 * 1440 }, (_, index) => lastS - (2 * 1440 - 1 - index) * stepS).filter(
    (at) => at < gap.from || at > gap.to,
  );
  const series = (metric: string, labels: string, value: (at: number) => number) =>
    times.map((at) => `${metric}{${labels}} ${value(at)} ${at}`);
  const since = (at: number) => at - (times[0] ?? 0);
  const here = 'name="web",instance="here:8080"';
  const counter = (metric: string, lines: string[]) => [`# TYPE ${metric} counter`, ...lines];
  return [
    ...counter("container_cpu_usage_seconds", [
      // A quarter of a core, on two processors.
      ...series("container_cpu_usage_seconds_total", `${here},cpu="cpu00"`, (at) => since(at) * 0.2),
      ...series("container_cpu_usage_seconds_total", `${here},cpu="cpu01"`, (at) => since(at) * 0.05),
      ...series("container_cpu_usage_seconds_total", 'name="twin",instance="here:8080"', since),
      ...series("container_cpu_usage_seconds_total", 'name="twin",instance="there:8080"', since),
    ]),
    "# TYPE container_memory_working_set_bytes gauge",
    ...series("container_memory_working_set_bytes", here, () => 1_000_000),
    ...counter(
      "container_network_receive_bytes",
      series("container_network_receive_bytes_total", here, (at) => since(at) * 100),
    ),
    "# EOF",
    "",
  ].join("\n");
}

/** A step that touches the gap, or the end of what is known, is a mean over less than its whole: none is above the highest. */
const highest = (values: readonly (number | null)[]) => Math.max(...values.map((value) => value ?? 0));

describe.skipIf(!testStack())("longer than the hour, from Prometheus", () => {
  let prometheus: TestPrometheus;
  let lab: ServicesLab;
  beforeAll(async () => {
    prometheus = await startTestPrometheus(past());
    lab = await openServicesLab(host, {}, `  prometheus: [{ name: prometheus, url: "${prometheus.url}" }]\n`);
    for (const name of ["web", "twin", "unknown"]) await lab.run(name, loop);
    for (const name of ["web", "twin", "unknown"]) await lab.row(name);
  }, 120_000);
  afterAll(async () => {
    await lab?.close();
    await prometheus?.stop();
  }, 60_000);
  const ask = (id: string, range: "6h" | "24h" | "7d" | "30d" = "6h") => longerUsage({ host, id }, range);

  test("it is looked at like every other system", async () => {
    const [target] = config().systems.prometheus;
    if (target === undefined) throw new Error("not configured");
    await until("it has scraped itself", async () => {
      const seen = await probe(target);
      return seen.state === "up" && seen.data.facts.targetsUp === 1;
    });
    expect(await probe(target)).toMatchObject({
      state: "up",
      data: { version: expect.stringMatching(/^\d+\./), facts: { targets: 1 } },
    });
    expect(await probe({ ...target, url: "http://127.0.0.1:1" })).toMatchObject({ state: "down" });
  });

  test("six hours by the minute: the sum of the processors, and a gap where there was none", async () => {
    const usage = await ask("web");
    expect(usage).toMatchObject({ stepMs: 60_000 });
    expect([usage.at.length, usage.cpu.length, usage.read.length]).toEqual([360, 360, 360]);
    expect(highest(usage.cpu)).toBeCloseTo(0.25, 2);
    expect(highest(usage.memory)).toBe(1_000_000);
    expect(highest(usage.rx)).toBeCloseTo(100, 0);
    // Nothing writes these.
    expect(new Set(usage.read)).toEqual(new Set([null]));
    const inGap = usage.at.findIndex((at) => at / 1000 >= gap.to - 600);
    expect(usage.cpu[inGap]).toBeNull();
  });

  test.each([
    ["24h", 288],
    ["7d", 336],
    ["30d", 360],
  ] as const)("%s: %i steps, empty before anything was known", async (range, count) => {
    const usage = await ask("web", range);
    expect(usage.at).toHaveLength(count);
    expect(highest(usage.cpu)).toBeCloseTo(0.25, 2);
    expect(usage.cpu[0] === null).toBe(range !== "24h");
  });

  test("what it does not know, what is ambiguous, and a Prometheus that is away are three things", async () => {
    expect(await ask("unknown")).toMatchObject({ at: [], cpu: [], memory: [] });
    await expect(ask("twin")).rejects.toMatchObject({
      code: "CONFLICT",
      detail: { problem: "prometheus.ambiguous", params: { one: "here:8080", other: "there:8080" } },
    });
    const system = config().systems.docker[0];
    if (system === undefined) throw new Error("not configured");
    Object.assign(system.labels, { instance: "there:8080" });
    expect(highest((await ask("twin")).cpu)).toBeCloseTo(1, 2);
    Object.assign(config().systems.prometheus[0] ?? {}, { url: "http://127.0.0.1:1" });
    await expect(ask("web")).rejects.toMatchObject({ code: "UNREACHABLE" });
  });
});
