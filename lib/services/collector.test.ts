// What watching costs an engine of the test's own making.
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { inspectedAs, watchableEngine } from "../systems/docker/engine.fixture";
import { until } from "../systems/test-stack";
import { watching } from "./services.fixture";

test("statistics are streamed while somebody looks, and linger after the last viewer left", async () => {
  const streams = { open: 0, opened: 0 };
  const engine = await watchableEngine(onTestFinished, {
    containers: () => [inspectedAs("app")],
    other(response, path) {
      if (!path.includes("stream=true")) return false;
      streams.open++;
      streams.opened++;
      response.on("close", () => streams.open--);
      response.write("\n");
      return true;
    },
  });
  const lingerMs = 600;
  const collector = await watching(onTestFinished, engine, { lingerMs });
  const look = () => {
    const stop = new AbortController();
    const ended = (async () => {
      for await (const _ of collector.watch(stop.signal));
    })();
    return async () => {
      stop.abort();
      await ended;
    };
  };
  expect(streams).toEqual({ open: 0, opened: 0 });
  const [one, other] = [look(), look()];
  await until("it is streamed", async () => streams.open === 1);
  await one();
  await sleep(lingerMs * 1.5);
  // Somebody looks still.
  expect(streams).toEqual({ open: 1, opened: 1 });
  await other();
  expect(collector.viewers).toBe(0);
  await sleep(lingerMs / 2);
  expect(streams).toEqual({ open: 1, opened: 1 });
  // Who comes back meanwhile finds the same stream.
  const again = look();
  await sleep(lingerMs);
  expect(streams).toEqual({ open: 1, opened: 1 });
  const leftAt = Date.now();
  await again();
  await until("nobody has looked for long enough", async () => streams.open === 0, 5000);
  expect(Date.now() - leftAt).toBeGreaterThanOrEqual(lingerMs - 5);
  expect(streams.opened).toBe(1);
});
