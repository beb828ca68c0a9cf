// What may be asked of Cloudflare, in which pieces and how often; time is a number here.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { AppError } from "../../errors/app-error";
import { ratelimitLeft, retryAfterMs } from "./api";
import { calls, checkTarget, sizeOf } from "./target";
import { type Clock, limits, TokenBucket } from "./token-bucket";
import { zoneNames } from "./zone";

/** A clock that stands still but for those who sleep: it jumps to the next one's end. */
function standing(): Clock & { run(): Promise<void> } {
  let now = 0;
  const sleepers: { at: number; wake: () => void }[] = [];
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        sleepers.push({ at: now + ms, wake: resolve });
        signal?.addEventListener("abort", () => reject(new AppError("CANCELLED", "stopped")));
      }),
    async run() {
      for (;;) {
        await new Promise((resolve) => setImmediate(resolve));
        sleepers.sort((a, b) => a.at - b.at);
        const next = sleepers.shift();
        if (!next) return;
        now = Math.max(now, next.at);
        next.wake();
      }
    },
  };
}

test("a full bucket gives at once, then at its rate, in order", async () => {
  const clock = standing();
  const bucket = new TokenBucket(limits.free.lookups, clock);
  expect(bucket.meter()).toEqual({ left: 25, size: 25, fullInMs: 0 });
  const order: [number, number][] = [];
  const all = Array.from({ length: 27 }, (_, index) =>
    bucket.take(1).then(() => order.push([index, clock.now()])),
  );
  expect(bucket.predictWaitMs(1)).toBe(36_000);
  await clock.run();
  await Promise.all(all);
  expect(order.map(([index]) => index)).toEqual(Array.from({ length: 27 }, (_, index) => index));
  expect(order[24]?.[1]).toBe(0);
  expect(order[25]?.[1]).toBe(12_000);
  expect(order[26]?.[1]).toBe(24_000);
});

test("never more than size + rate x time, whatever is asked", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 20, max: 60 }),
      async (asks, rate, size) => {
        const clock = standing();
        const bucket = new TokenBucket({ rate, size }, clock);
        const taken: { at: number; n: number }[] = [];
        const all = asks.map((n) => bucket.take(n).then(() => taken.push({ at: clock.now(), n })));
        await clock.run();
        await Promise.all(all);
        let sum = 0;
        for (const { at, n } of taken) {
          sum += n;
          expect(sum).toBeLessThanOrEqual(size + (rate * at) / 1000 + 1e-6);
        }
        // And no slower than it must be, but for the rounding up to whole milliseconds.
        const need = Math.max(0, ((sum - size) / rate) * 1000);
        expect(clock.now()).toBeLessThanOrEqual(need + 2);
      },
    ),
    { numRuns: 50 },
  );
});

test("who is aborted gives back, what the other side says counts", async () => {
  const clock = standing();
  const bucket = new TokenBucket({ rate: 1, size: 10 }, clock);
  await bucket.take(10);
  const control = new AbortController();
  const waiting = bucket.take(5, control.signal);
  expect(bucket.predictWaitMs(1)).toBe(6000);
  control.abort();
  await expect(waiting).rejects.toMatchObject({ code: "CANCELLED" });
  expect(bucket.predictWaitMs(1)).toBe(1000);
  await expect(bucket.take(1, AbortSignal.abort())).rejects.toMatchObject({ code: "CANCELLED" });
  bucket.close(30_000);
  expect(bucket.predictWaitMs(1)).toBe(30_000);
  const fresh = new TokenBucket({ rate: 1, size: 10 }, clock);
  fresh.learn(3);
  expect(fresh.meter().left).toBe(3);
  fresh.learn(9);
  expect(fresh.meter().left).toBe(3);
});

test("calls hold everything once, in order, within their size", () => {
  fc.assert(
    fc.property(
      fc.array(fc.stringMatching(/^[a-z]{1,5}$/), { minLength: 1, maxLength: 400 }),
      fc.integer({ min: 1, max: 100 }),
      (names, most) => {
        const files = calls({ files: names.map((name) => `https://a.example/${name}`) }, most);
        expect(files.flatMap((one) => ("files" in one ? one.files : []))).toHaveLength(names.length);
        expect(files.every((one) => sizeOf(one) >= 1 && sizeOf(one) <= most)).toBe(true);
        const tags = calls({ tags: names }, most);
        expect(tags.flatMap((one) => ("tags" in one ? one.tags : []))).toEqual(names);
        expect(tags.every((one) => sizeOf(one) <= 100)).toBe(true);
      },
    ),
  );
  expect(calls({ everything: true }, 30)).toEqual([{ everything: true }]);
});

test.each([
  [{ files: [] }],
  [{ files: ["/relative"] }],
  [{ files: ["ftp://a.example/"] }],
  [{ files: ["https://a.example/a b"] }],
  [{ files: [{ url: "https://a.example/", headers: { Cookie: "x" } }] }],
  [{ files: [{ url: "https://a.example/", headers: { Origin: "a\r\nb" } }] }],
  [{ prefixes: ["https://a.example/x"] }],
  [{ prefixes: ["a.example/x?y"] }],
  [{ tags: ["a b"] }],
  [{ tags: ["a,b"] }],
  [{ tags: ["x".repeat(1025)] }],
  [{ hosts: ["a b"] }],
  [{ everything: false }],
  [{ everything: true, tags: ["a"] }],
  [{}],
  [null],
])("%j is refused before it is sent", (target) => {
  expect(() => checkTarget(target)).toThrow(AppError);
});

test("the refusal names the item", () => {
  try {
    checkTarget({ tags: ["good", "not good"] });
    throw new Error("was taken");
  } catch (error) {
    expect(error).toMatchObject({ code: "INVALID_INPUT", detail: { field: "tags.1" } });
  }
});

test("when to come back, by either header", () => {
  expect(retryAfterMs({ "retry-after": "30" })).toBe(30_000);
  expect(retryAfterMs({ "retry-after": "Thu, 01 Jan 1970 00:01:00 GMT" }, 10_000)).toBe(50_000);
  expect(retryAfterMs({ ratelimit: '"default";r=0;t=12' })).toBe(12_000);
  expect(retryAfterMs({ "retry-after": "soon", ratelimit: '"default";r=0;t=12' })).toBe(12_000);
  expect(retryAfterMs({})).toBeNull();
  expect(ratelimitLeft({ ratelimit: '"default";r=7;t=12' })).toBe(7);
  expect(ratelimitLeft({})).toBeNull();
});

test("zones a host may be in", () => {
  expect(zoneNames("www.shop.example.co.uk")).toEqual([
    "www.shop.example.co.uk",
    "shop.example.co.uk",
    "example.co.uk",
    "co.uk",
  ]);
  expect(zoneNames("Site.Localhost.")).toEqual(["site.localhost"]);
  expect(zoneNames("localhost")).toEqual(["localhost"]);
  expect(zoneNames("a.b.c.d.e.f.g.h.i.j.k.example").length).toBeLessThanOrEqual(8);
});
