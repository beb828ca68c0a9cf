// How often Cloudflare may be asked: a token bucket per account that waits instead of being refused.
import { AppError } from "../../errors/app-error";

/** Tokens per second, and how many can be saved up. */
export type Limit = { readonly rate: number; readonly size: number };
export type Plan = "free" | "pro" | "business" | "enterprise";

/** `lookups`: calls by tag, host, prefix and everything. `urls`: addresses. Both per account. */
export const limits: Readonly<Record<Plan, { readonly lookups: Limit; readonly urls: Limit }>> = {
  free: { lookups: { rate: 5 / 60, size: 25 }, urls: { rate: 800, size: 800 } },
  pro: { lookups: { rate: 5, size: 25 }, urls: { rate: 1500, size: 1500 } },
  business: { lookups: { rate: 10, size: 50 }, urls: { rate: 1500, size: 1500 } },
  enterprise: { lookups: { rate: 50, size: 500 }, urls: { rate: 3000, size: 3000 } },
};

/** Time as the bucket sees it; milliseconds. `sleep` rejects with CANCELLED when the signal aborts. */
export type Clock = {
  now(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
};

const cancelled = () => new AppError("CANCELLED", "Stopped while waiting for Cloudflare's rate limit.");

export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(cancelled());
      const stop = () => {
        clearTimeout(timer);
        reject(cancelled());
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", stop);
        resolve();
      }, ms);
      signal?.addEventListener("abort", stop, { once: true });
    }),
};

export type Meter = { readonly left: number; readonly size: number; readonly fullInMs: number };

export class TokenBucket {
  readonly limit: Limit;
  readonly #clock: Clock;
  /** Below zero: promised to those who wait. */
  #tokens: number;
  #at: number;
  #closedUntil = Number.NEGATIVE_INFINITY;

  constructor(limit: Limit, clock: Clock = systemClock) {
    this.limit = limit;
    this.#clock = clock;
    this.#tokens = limit.size;
    this.#at = clock.now();
  }

  #refill(): number {
    const now = this.#clock.now();
    this.#tokens = Math.min(this.limit.size, this.#tokens + ((now - this.#at) / 1000) * this.limit.rate);
    this.#at = now;
    return now;
  }

  /** How long `take(n)` would wait now. `n` may be more than the size: it is then the time until all are taken. */
  predictWaitMs(n: number): number {
    const now = this.#refill();
    return Math.max(
      0,
      Math.ceil(((n - this.#tokens) / this.limit.rate) * 1000),
      Math.ceil(this.#closedUntil - now),
    );
  }

  /**
   * Takes `n` tokens, waiting in turn until they are there; tells how long that took. A waiter that is aborted gives its
   * tokens back. Throws AppError CANCELLED.
   */
  async take(n: number, signal?: AbortSignal): Promise<number> {
    if (signal?.aborted) throw cancelled();
    const wait = this.predictWaitMs(n);
    this.#tokens -= n;
    if (wait <= 0) return 0;
    try {
      await this.#clock.sleep(wait, signal);
    } catch (error) {
      this.#tokens += n;
      throw error;
    }
    return wait;
  }

  /** The other side said how many are left: somebody else uses the account too. Never raises the level. */
  learn(left: number): void {
    this.#refill();
    if (left >= 0) this.#tokens = Math.min(this.#tokens, left);
  }

  /** The other side refused: nothing is left, and nothing may be taken for `ms`. */
  close(ms: number): void {
    const now = this.#refill();
    this.#tokens = Math.min(this.#tokens, 0);
    this.#closedUntil = Math.max(this.#closedUntil, now + ms);
  }

  meter(): Meter {
    this.#refill();
    const { rate, size } = this.limit;
    return {
      left: Math.max(0, Math.floor(this.#tokens)),
      size,
      fullInMs: Math.max(0, Math.ceil(((size - this.#tokens) / rate) * 1000)),
    };
  }
}
