// Looks at one system again and again for all viewers: every ten seconds while it is well, ever slower while it is down.
import type { Probed } from "../systems/system";

export const everyMs = 10_000;
const slowestMs = 60_000;

export type Probe = () => Promise<Probed>;

/** One collector of one upstream. `seen` is called after every look. */
export class Prober {
  readonly #probe: Probe;
  readonly #seen: (state: Probed) => void;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<Probed> | undefined;
  #failures = 0;
  #stopped = false;

  constructor(probe: Probe, seen: (state: Probed) => void) {
    this.#probe = probe;
    this.#seen = seen;
  }

  /** Begins; the first look is made at once. */
  start(): void {
    void this.look();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** A look now; one that is under way is shared. Never rejects, as probes do not. */
  look(): Promise<Probed> {
    clearTimeout(this.#timer);
    this.#looking ??= this.#probe().then((state) => {
      this.#looking = undefined;
      this.#failures = state.state === "up" ? 0 : this.#failures + 1;
      if (this.#stopped) return state;
      const wait = Math.min(everyMs * 2 ** Math.max(0, this.#failures - 1), slowestMs);
      this.#timer = setTimeout(() => void this.look(), wait);
      this.#seen(state);
      return state;
    });
    return this.#looking;
  }
}
