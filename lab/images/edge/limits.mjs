// How often the API may be asked, per account and plan: token buckets.

/**
 * @typedef {{rate: number, capacity: number}} Limit tokens per second and at most
 * @typedef {{lookups: Limit, urls: Limit, urlsPerCall: number, itemsPerCall: number}} Plan
 * `lookups` counts calls by tag, host, prefix and everything; `urls` counts addresses.
 */

/** @type {Record<string, Plan>} */
export const plans = {
  free: {
    lookups: { rate: 5 / 60, capacity: 25 },
    urls: { rate: 800, capacity: 800 },
    urlsPerCall: 30,
    itemsPerCall: 100,
  },
  pro: {
    lookups: { rate: 5, capacity: 25 },
    urls: { rate: 1500, capacity: 1500 },
    urlsPerCall: 30,
    itemsPerCall: 100,
  },
  business: {
    lookups: { rate: 10, capacity: 50 },
    urls: { rate: 1500, capacity: 1500 },
    urlsPerCall: 30,
    itemsPerCall: 100,
  },
  enterprise: {
    lookups: { rate: 50, capacity: 500 },
    urls: { rate: 3000, capacity: 3000 },
    urlsPerCall: 30,
    itemsPerCall: 100,
  },
};

export class TokenBucket {
  /** @param {Limit} limit @param {() => number} [now] milliseconds */
  constructor(limit, now = Date.now) {
    this.limit = limit;
    this.now = now;
    this.tokens = limit.capacity;
    this.at = now();
  }

  refill() {
    const now = this.now();
    this.tokens = Math.min(this.limit.capacity, this.tokens + ((now - this.at) / 1000) * this.limit.rate);
    this.at = now;
  }

  /**
   * Takes all or nothing.
   * @param {number} count
   * @returns {{ok: true, remaining: number} | {ok: false, remaining: number, waitSeconds: number}}
   */
  take(count) {
    this.refill();
    if (this.tokens >= count) {
      this.tokens -= count;
      return { ok: true, remaining: Math.floor(this.tokens) };
    }
    const waitSeconds = Math.max(
      1,
      Math.ceil((Math.min(count, this.limit.capacity) - this.tokens) / this.limit.rate),
    );
    return { ok: false, remaining: Math.floor(this.tokens), waitSeconds };
  }

  left() {
    this.refill();
    return this.tokens;
  }

  /** Seconds until it is full again. */
  fullIn() {
    this.refill();
    return Math.ceil((this.limit.capacity - this.tokens) / this.limit.rate);
  }
}

/** Queries of the GraphQL analytics: 300 in five minutes, whatever the plan. */
export const queries = { rate: 1, capacity: 300 };
