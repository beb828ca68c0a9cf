// For tests only: Debian's prometheus on a free port, with figures of the past that a test gives it.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort, until } from "../test-stack";

export type TestPrometheus = { readonly url: string; stop(): Promise<void> };

/** `openmetrics`: samples with their times, as `promtool tsdb create-blocks-from openmetrics` reads them. It scrapes itself. */
export async function startTestPrometheus(openmetrics: string): Promise<TestPrometheus> {
  const dir = await mkdtemp(join(tmpdir(), "sluice-prometheus-"));
  const port = await freePort();
  await writeFile(join(dir, "past"), openmetrics);
  await promisify(execFile)("promtool", ["tsdb", "create-blocks-from", "openmetrics", "past", "data"], {
    cwd: dir,
    timeout: 60_000,
  });
  const config = {
    scrape_configs: [{ job_name: "self", static_configs: [{ targets: [`127.0.0.1:${port}`] }] }],
  };
  await writeFile(
    join(dir, "prometheus.yml"),
    JSON.stringify({ global: { scrape_interval: "1s", scrape_timeout: "1s" }, ...config }),
  );
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(
    "prometheus",
    [
      `--config.file=${dir}/prometheus.yml`,
      `--storage.tsdb.path=${dir}/data`,
      "--storage.tsdb.retention.time=100d",
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: "ignore" },
  );
  const ready = () =>
    fetch(`${url}/-/ready`, { signal: AbortSignal.timeout(1000) }).then(
      ({ ok }) => ok,
      () => false,
    );
  await until("prometheus is ready", ready, 30_000);
  return {
    url,
    async stop() {
      const ended = once(child, "exit");
      child.kill();
      await ended;
      await rm(dir, { recursive: true, force: true });
    },
  };
}
