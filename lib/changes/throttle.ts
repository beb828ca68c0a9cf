// Runs a save at most once per interval; the last one always.

/** `soon` asks for a save, `now` makes it at once. Saves never overlap. */
export class Throttle {
  readonly #intervalMs: number;
  readonly #save: () => Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #lastSave = Number.NEGATIVE_INFINITY;
  #saving: Promise<void> = Promise.resolve();

  constructor(intervalMs: number, save: () => Promise<void>) {
    this.#intervalMs = intervalMs;
    this.#save = save;
  }

  soon(): void {
    if (this.#timer !== undefined) return;
    const wait = Math.max(0, this.#lastSave + this.#intervalMs - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      // What could not be saved is kept by the saver, tried again by the next save, and thrown by `now`.
      this.#run().catch(() => {});
    }, wait);
  }

  /** Resolves when a save begun after this call has ended; rejects when it failed. */
  now(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    return this.#run();
  }

  #run(): Promise<void> {
    this.#lastSave = performance.now();
    this.#saving = this.#saving.catch(() => {}).then(this.#save);
    return this.#saving;
  }
}
