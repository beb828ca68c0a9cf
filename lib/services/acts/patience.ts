// An engine may be restarted in the middle of an act: what it was asked is asked again when it answers.
import { setTimeout as sleep } from "node:timers/promises";
import { AppError, toAppError } from "../../errors/app-error";

/** An engine that is away for longer ends the act, with what is known. */
const giveUpMs = 180_000;

/**
 * Runs `act`, again while the engine is unreachable or silent, for at most `limitMs` (three minutes). `act` must be safe to
 * repeat. Throws what `act` throws otherwise, and CANCELLED.
 */
export async function patiently<T>(
  signal: AbortSignal,
  act: () => Promise<T>,
  limitMs = giveUpMs,
): Promise<T> {
  const begun = Date.now();
  for (let attempt = 0; ; attempt++) {
    if (signal.aborted) throw new AppError("CANCELLED", "Cancelled.");
    try {
      return await act();
    } catch (error) {
      if (!isAway(error) || Date.now() - begun > limitMs) throw error;
      await sleep(Math.min(2000, 200 * 2 ** attempt), undefined, { signal }).catch(() => {});
    }
  }
}

/** Whether an error is of an engine that does not answer (now), and not its answer. */
export function isAway(error: unknown): boolean {
  const { code, message } = toAppError(error);
  return code === "UNREACHABLE" || code === "TIMEOUT" || isEngineEnding(code, message);
}

/** What an engine that is being stopped says while its API still answers: of its connections, never of a path or a file. */
const isEngineEnding = (code: string, message: string): boolean =>
  code === "BAD_ANSWER" &&
  /socket hang up|aborted|shutting down|transport is closing|ttrpc: closed|error while dialing|containerd is not (running|available)|error reading from server|premature/i.test(
    message,
  );
