// The last hour of what one container used, in memory of a fixed size: a mean for every ten seconds.
import type { Usage } from "../systems/docker/stats";

export const stepMs = 10_000;
const steps = 360;
const fields = ["cpu", "memory", "rx", "tx", "read", "written"] as const;
type Field = (typeof fields)[number];

export class UsageRing {
  /** Number of the step (ms / stepMs) that each place holds; 0 when it never held one. */
  readonly #step = new Float64Array(steps);
  readonly #sum = Object.fromEntries(fields.map((field) => [field, new Float32Array(steps)])) as Record<
    Field,
    Float32Array
  >;
  readonly #count = Object.fromEntries(fields.map((field) => [field, new Uint8Array(steps)])) as Record<
    Field,
    Uint8Array
  >;

  add(usage: Usage): void {
    const step = Math.floor(usage.at / stepMs);
    const place = step % steps;
    if (this.#step[place] !== step) {
      this.#step[place] = step;
      for (const field of fields) {
        this.#sum[field][place] = 0;
        this.#count[field][place] = 0;
      }
    }
    for (const field of fields) {
      const value = usage[field];
      const count = this.#count[field][place] ?? 0;
      if (value === null || count === 255) continue;
      this.#sum[field][place] = (this.#sum[field][place] ?? 0) + value;
      this.#count[field][place] = count + 1;
    }
  }

  /** The means of the last `wanted` whole steps before `now` (ms), oldest first; null where nothing was heard. */
  last(field: Field, wanted: number, now: number): (number | null)[] {
    const end = Math.floor(now / stepMs);
    return Array.from({ length: wanted }, (_, index) => {
      const step = end - wanted + index;
      const place = step % steps;
      const count = this.#count[field][place] ?? 0;
      if (this.#step[place] !== step || count === 0) return null;
      return (this.#sum[field][place] ?? 0) / count;
    });
  }

  /** The whole hour before `now`, from the first step that holds anything. */
  hour(now: number): { at: number[] } & Record<Field, (number | null)[]> {
    const end = Math.floor(now / stepMs);
    const known = Array.from({ length: steps - 1 }, (_, index) => index + 1).filter(
      (back) => this.#step[(end - back) % steps] === end - back,
    );
    const wanted = Math.max(0, ...known);
    return {
      at: Array.from({ length: wanted }, (_, index) => (end - wanted + index + 1) * stepMs),
      cpu: this.last("cpu", wanted, now),
      memory: this.last("memory", wanted, now),
      rx: this.last("rx", wanted, now),
      tx: this.last("tx", wanted, now),
      read: this.last("read", wanted, now),
      written: this.last("written", wanted, now),
    };
  }
}
