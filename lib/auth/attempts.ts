// Counts failed attempts at secrets (passwords, codes) and says when to wait. In memory: nobody outside can restart Sluice.
import { AppError } from "../errors/app-error";
import { singleton } from "../runtime/singleton";

export type AttemptRule = { readonly max: number; readonly windowMs: number };

const minute = 60_000;
/** By address: a whole office may sit behind one. By account: whoever guesses one password from many addresses. */
export const attemptRules = {
  address: { max: 30, windowMs: minute },
  account: { max: 10, windowMs: 5 * minute },
  setup: { max: 10, windowMs: minute },
} as const satisfies Record<string, AttemptRule>;
const maxKeys = 50_000;

/** Sliding windows by key. `now` is a clock in ms. */
export class Attempts {
  readonly #times = new Map<string, number[]>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Counts an attempt before it is judged; throws TOO_MANY_REQUESTS with the time to wait. Returns how to take it back. */
  take(key: string, rule: AttemptRule): () => void {
    const now = this.#now();
    const times = (this.#times.get(key) ?? []).filter((at) => at > now - rule.windowMs);
    const oldest = times[0];
    if (oldest !== undefined && times.length >= rule.max) {
      this.#times.set(key, times);
      const retryAfterMs = oldest + rule.windowMs - now;
      throw new AppError("TOO_MANY_REQUESTS", "Too many attempts. Wait a little, then try again.", {
        problem: "auth.tooManyAttempts",
        params: { seconds: Math.ceil(retryAfterMs / 1000) },
        retryAfterMs,
      });
    }
    times.push(now);
    this.#times.delete(key);
    this.#times.set(key, times);
    // Bounded: the keys untouched for longest go first.
    for (const old of this.#times.keys()) {
      if (this.#times.size <= maxKeys) break;
      this.#times.delete(old);
    }
    return () => {
      const kept = this.#times.get(key);
      const index = kept?.indexOf(now) ?? -1;
      if (index >= 0) kept?.splice(index, 1);
    };
  }
}

/** The process's own count. */
export function attempts(): Attempts {
  return singleton("auth.attempts", () => new Attempts());
}
