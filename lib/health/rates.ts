// What is done per second, from counts that only grow: the servers' own, where no Prometheus keeps them.

type Sample = { readonly at: number; readonly counters: Readonly<Record<string, number>> };

const keptMs = 3_600_000;

/** The counts of each component in the last hour. Times are ms since the epoch. */
export class Rates {
  readonly #samples = new Map<string, Sample[]>();

  add(key: string, at: number, counters: Readonly<Record<string, number>>): void {
    const samples = this.#samples.get(key) ?? [];
    samples.push({ at, counters });
    while ((samples[0]?.at ?? at) < at - keptMs) samples.shift();
    this.#samples.set(key, samples);
  }

  forget(keep: (key: string) => boolean): void {
    for (const key of this.#samples.keys()) if (!keep(key)) this.#samples.delete(key);
  }

  /** The rate in each of `count` steps of `stepMs` that end at `now`, oldest first. */
  course(key: string, counter: string, stepMs: number, count: number, now: number): (number | null)[] {
    return Array.from({ length: count }, (_, index) =>
      this.perSecond(key, counter, stepMs, now - (count - 1 - index) * stepMs),
    );
  }

  /**
   * Per second over about the last `windowMs`; null before there are two looks, or when the last one is older than the window. A lower
   * count is a restart: what it counted since then is added.
   */
  perSecond(key: string, counter: string, windowMs: number, now: number): number | null {
    const all = (this.#samples.get(key) ?? []).filter(
      ({ at, counters }) => at <= now && counters[counter] !== undefined,
    );
    const inside = all.filter(({ at }) => at > now - windowMs);
    const before = all.filter(({ at }) => at <= now - windowMs).at(-1);
    const first = inside.length > 1 ? inside[0] : (before ?? inside[0]);
    const last = inside.at(-1);
    if (first === undefined || last === undefined || last.at <= first.at) return null;
    let grown = 0;
    let previous = first.counters[counter] ?? 0;
    for (const { at, counters } of all) {
      if (at <= first.at) continue;
      const value = counters[counter] ?? 0;
      grown += value >= previous ? value - previous : value;
      previous = value;
    }
    return grown / ((last.at - first.at) / 1000);
  }
}
