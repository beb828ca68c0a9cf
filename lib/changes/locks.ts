// Who may run now: at most `limit` changes at once, and one per target, first come first served.

type Waiting = { readonly id: number; readonly targets: readonly string[]; readonly go: () => void };

/**
 * A change takes all its targets at once or none, so two can never wait for each other. One that waits keeps those
 * behind it from taking any of its targets, so it cannot be overtaken for ever.
 */
export class TargetLocks {
  readonly #limit: number;
  readonly #held = new Map<number, readonly string[]>();
  #queue: Waiting[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Calls `go` (at once, or later) when the change `id` holds all of `targets`; it keeps them until `release(id)`. */
  acquire(id: number, targets: readonly string[], go: () => void): void {
    this.#queue.push({ id, targets, go });
    this.#admit();
  }

  /** Lets go of what `id` holds, or takes it out of the queue. */
  release(id: number): void {
    this.#held.delete(id);
    this.#queue = this.#queue.filter((waiting) => waiting.id !== id);
    this.#admit();
  }

  #admit(): void {
    if (this.#queue.length === 0 || this.#held.size >= this.#limit) return;
    const taken = new Set([...this.#held.values()].flat());
    const admitted: Waiting[] = [];
    this.#queue = this.#queue.filter((waiting) => {
      const free = this.#held.size < this.#limit && !waiting.targets.some((target) => taken.has(target));
      for (const target of waiting.targets) taken.add(target);
      if (!free) return true;
      this.#held.set(waiting.id, waiting.targets);
      admitted.push(waiting);
      return false;
    });
    for (const waiting of admitted) waiting.go();
  }
}
