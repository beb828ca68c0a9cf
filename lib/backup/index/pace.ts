// Long work in short steps: between two of them the event loop serves everybody else.
import { setImmediate as breath } from "node:timers/promises";

const stepMs = 4;

/** A function to call between steps: resolves at once, or after other work when the step was long; throws when aborted. */
export function startPace(signal?: AbortSignal): {
  readonly isDue: () => boolean;
  readonly rest: () => Promise<void>;
} {
  let since = performance.now();
  const isDue = () => performance.now() - since >= stepMs;
  return {
    isDue,
    async rest() {
      signal?.throwIfAborted();
      if (!isDue()) return;
      await breath();
      signal?.throwIfAborted();
      since = performance.now();
    },
  };
}
