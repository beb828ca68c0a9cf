// A queue of Messenger on the reference stack's Redis: the site's own, and streams of our own that wait, fail and are late.
import { randomBytes } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, describe, expect, test } from "vitest";
import { testStack } from "../test-stack";
import { type MessengerQueue, probe } from "./messenger";
import { disconnect } from "./redis";

const stack = testStack();

describe.skipIf(!stack)("messenger", () => {
  if (!stack) return;
  const mark = `sluice-test:${randomBytes(6).toString("hex")}:`;
  const url = `redis://127.0.0.1:${stack.ports.redis}/0`;
  const direct = new Redis(url, { password: stack.secrets.redisPassword, lazyConnect: true });
  const queue = (stream: string, more: Partial<MessengerQueue> = {}): MessengerQueue => ({
    name: `test-${stream.replaceAll(":", "-")}`,
    url,
    password: stack.secrets.redisPassword,
    stream,
    group: "symfony",
    max_failed: 0,
    max_wait: 600_000,
    timeout: 2000,
    ...more,
  });
  const seen = async (one: MessengerQueue) => {
    const probed = await probe(one);
    if (probed.state === "down") throw probed.error;
    return probed.data;
  };
  afterAll(async () => {
    const keys = await direct.keys(`${mark}*`);
    if (keys.length > 0) await direct.unlink(...keys);
    direct.disconnect();
    disconnect();
  });

  test("the site's own queue, as Symfony made it, is understood", async () => {
    expect((await seen(queue("messages"))).facts).toMatchObject({
      waiting: expect.any(Number),
      pending: expect.any(Number),
      workers: expect.any(Number),
      delayed: expect.any(Number),
    });
  });

  test("waiting, in work, done; what is done does not wait, whether it is deleted or kept", async () => {
    const stream = `${mark}work`;
    await direct.xgroup("CREATE", stream, "symfony", "0", "MKSTREAM");
    for (let each = 0; each < 4; each++) await direct.xadd(stream, "*", "message", "{}");
    expect((await seen(queue(stream))).facts).toMatchObject({ waiting: 4, pending: 0, workers: 0 });

    await direct.xreadgroup("GROUP", "symfony", "worker-1", "COUNT", 2, "STREAMS", stream, ">");
    expect((await seen(queue(stream))).facts).toMatchObject({ waiting: 2, pending: 2, workers: 1 });

    const [[, [[kept], [dropped]]]] = (await direct.xreadgroup(
      "GROUP",
      "symfony",
      "worker-1",
      "STREAMS",
      stream,
      "0",
    )) as [[string, [[string], [string]]]];
    await direct.xack(stream, "symfony", kept, dropped);
    await direct.xdel(stream, dropped);
    const done = await seen(queue(stream));
    expect(done.facts).toMatchObject({ waiting: 2, pending: 0 });
    expect(done.counters).toEqual({ handled: 2 });
    expect(done.concerns).toEqual([]);
  });

  test("a lag that Redis does not know is counted", async () => {
    const stream = `${mark}lag`;
    for (const id of ["1-1", "2-1", "3-1", "4-1"]) await direct.xadd(stream, id, "message", "{}");
    // A group that begins in the middle: what it has read is not known.
    await direct.xgroup("CREATE", stream, "symfony", "2-1");
    expect((await seen(queue(stream))).facts.waiting).toBe(2);
  });

  test("late: what waits too long, what is stuck with a worker, what is delayed and overdue", async () => {
    const stream = `${mark}late`;
    await direct.xgroup("CREATE", stream, "symfony", "0", "MKSTREAM");
    const hours = Date.now() - 2 * 3_600_000;
    await direct.xadd(stream, `${hours}-0`, "message", "{}");
    await direct.xadd(stream, `${hours}-1`, "message", "{}");
    await direct.xreadgroup("GROUP", "symfony", "gone", "COUNT", 1, "STREAMS", stream, ">");
    await direct.xclaim(stream, "symfony", "gone", 0, `${hours}-0`, "IDLE", 2 * 3_600_000);
    await direct.zadd(`${stream}__queue`, hours, "late", Date.now() + 3_600_000, "in time");
    const { facts, concerns } = await seen(queue(stream));
    expect(facts).toMatchObject({ waiting: 1, pending: 1, delayed: 2, oldest: expect.closeTo(7200, -2) });
    expect(concerns).toEqual([
      { problem: "messenger.waits", params: expect.objectContaining({ waiting: 1, minutes: 120 }) },
      { problem: "messenger.stuck", params: expect.objectContaining({ minutes: 120 }) },
      { problem: "messenger.overdue", params: expect.objectContaining({ overdue: 1 }) },
    ]);
    expect((await seen(queue(stream, { max_wait: 3 * 3_600_000 }))).concerns).toMatchObject([
      { problem: "messenger.stuck" },
    ]);
  });

  test("failed ones, with a group there and without; more than are known want a look", async () => {
    const [stream, failed] = [`${mark}f`, `${mark}failed`];
    expect((await seen(queue(stream, { failed }))).facts).toMatchObject({ failed: 0 });
    for (let each = 0; each < 3; each++) await direct.xadd(failed, "*", "message", "{}");
    const of = (max_failed: number) => seen(queue(stream, { failed, max_failed }));
    expect(await of(0)).toMatchObject({ facts: { failed: 3 }, concerns: [{ problem: "messenger.failed" }] });
    expect((await of(3)).concerns).toEqual([]);
    await direct.xgroup("CREATE", failed, "symfony", "0");
    expect((await of(0)).facts.failed).toBe(3);
  });

  test("nothing sent yet is well; sent but never taken is not; another type is no queue", async () => {
    const stream = `${mark}none`;
    expect(await seen(queue(stream))).toMatchObject({ facts: { waiting: 0 }, concerns: [] });
    await direct.xadd(stream, "*", "message", "{}");
    expect((await seen(queue(stream))).concerns).toMatchObject([{ problem: "messenger.noGroup" }]);
    await direct.set(`${mark}text`, "x");
    expect(await probe(queue(`${mark}text`))).toMatchObject({
      state: "down",
      error: { code: "BAD_ANSWER", detail: { problem: "messenger.noStream" } },
    });
  });

  test("a wrong password", async () => {
    const wrong = queue("messages", { name: "wrong", password: "not-the-password" });
    expect(await probe(wrong)).toMatchObject({ state: "down", error: { code: "UPSTREAM_AUTH" } });
  });
});
