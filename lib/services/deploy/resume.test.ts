// A deploy that Sluice takes up again after a crash, on an engine of the test's own making.
import { expect, onTestFinished, test } from "vitest";
import type { RunContext } from "../../changes/kind";
import { inspectedAs, watchableEngine } from "../../systems/docker/engine.fixture";
import { fingerprintOf } from "../acts/kind";
import { watching } from "../services.fixture";
import type { DeployPlan } from "./contract";
import { deployKind } from "./kind";

const image = { image: "app:2", imageId: `sha256:${"1".repeat(64)}`, digest: null };
type Made = ReturnType<typeof inspectedAs>;

const contextAt = (checkpoint: object, more: Partial<RunContext> = {}) =>
  ({
    changeId: 7,
    signal: new AbortController().signal,
    checkpoint: {
      imageId: image.imageId,
      tagged: null,
      newId: null,
      madeOf: null,
      old: null,
      stoppedAt: null,
      startedAt: null,
      errorsBefore: 0,
      differs: [],
      verdict: null,
      givingUp: null,
      ...checkpoint,
    },
    progress() {},
    saveCheckpoint: async () => {},
    commit() {},
    log() {},
    ...more,
  }) as unknown as RunContext;

/** An engine that takes every act on these two, and whose collector has seen neither. */
async function deployingOn(all: readonly Made[], log: string, skewMs = 0) {
  const removed: string[] = [];
  const logs: URLSearchParams[] = [];
  const engine = await watchableEngine(onTestFinished, {
    skewMs,
    other(response, path, { method }) {
      const { pathname, searchParams } = new URL(path, "http://engine");
      const [, ref = "", rest = ""] = /\/containers\/([\w.-]+)(\/\w+)?$/.exec(pathname) ?? [];
      const one = all.find(({ Id, Name }) => (Id === ref || Name === `/${ref}`) && !removed.includes(Id));
      if (pathname.includes("/images/")) response.end(JSON.stringify({ Id: image.imageId }));
      else if (one === undefined) return false;
      else if (rest === "/json") response.end(JSON.stringify(one));
      else if (rest === "/logs") {
        logs.push(searchParams);
        response.write(log);
        if (searchParams.get("follow") !== "true") response.end();
      } else {
        if (method === "DELETE") removed.push(one.Id);
        response.end("{}");
      }
      return true;
    },
  });
  const collector = await watching(onTestFinished, engine);
  expect(collector.host(engine.name).containers.size).toBe(0);
  return { host: engine.name, removed, logs };
}

const planOf = (host: string, old: Made, container: object) =>
  ({
    host,
    container: { id: old.Id, name: "app", state: "running", ...container },
    from: image,
    to: { ...image, local: true, pull: null },
    watchMs: 1000,
  }) as unknown as DeployPlan;

test("error lines of a container with a terminal are counted, although nothing is known of it yet", async () => {
  const old = inspectedAs("app.before-7", { State: { Status: "exited", Running: false } });
  const made = inspectedAs("app", { Config: { Tty: true } });
  // A terminal's bare bytes, without frames.
  const log = "2026-11-24T09:00:00Z ERROR one\r\n2026-11-24T09:00:01Z ERROR two\r\n";
  const { host, removed } = await deployingOn([old, made], log);
  const plan = planOf(host, old, {});
  const context = contextAt({
    newId: made.Id,
    madeOf: made.Image,
    old: { policy: null, startedAt: old.State.StartedAt },
    stoppedAt: 1,
    startedAt: 2,
  });
  await deployKind.apply(plan, context);
  const { outcome, evidence } = await deployKind.verify(plan, context);
  expect(outcome).toBe("deployed");
  expect(evidence.errors).toBe(2);
  expect(removed).toEqual([old.Id]);
});

test("the old one's error lines of before are those of before by its engine's clock", async () => {
  const old = inspectedAs("app");
  const made = inspectedAs("app.next-7", { State: { Status: "created", Running: false } });
  const skewMs = -11 * 60_000;
  const { host, removed, logs } = await deployingOn([old, made], "", skewMs);
  const cancel = new AbortController();
  const context = contextAt(
    {},
    {
      signal: cancel.signal,
      // Once they are counted it is enough.
      saveCheckpoint: async (value) => {
        if (Object(value).madeOf !== null) cancel.abort();
      },
    },
  );
  const asked = deployKind.apply(planOf(host, old, fingerprintOf(old as never)), context);
  await expect(asked).rejects.toThrow();
  const since = Number(logs[0]?.get("since")) * 1000;
  expect(Math.abs(since - (Date.now() + skewMs - 1000))).toBeLessThan(5000);
  expect(removed).toEqual([made.Id]);
});
