// An open stream ends when its owner may no longer listen.
import { actorOf } from "../auth/session";
import type { Actor } from "../changes/kind";
import { toApiError } from "./errors";

/** How often an open stream looks whether its owner may still listen, in ms. */
const recheckMs = 30_000;

/**
 * What `listen` gives, until `signal` aborts or the listener is signed out, banned, or given another role or other sites: the page
 * then connects anew and is judged anew.
 */
export async function* whileAllowed<T>(
  context: { readonly headers: Headers; readonly actor: Actor; readonly requestId: string },
  signal: AbortSignal | undefined,
  listen: (signal: AbortSignal) => AsyncIterable<T>,
): AsyncGenerator<T, void> {
  const { actor } = context;
  const ended = new AbortController();
  const stop = () => ended.abort();
  signal?.addEventListener("abort", stop, { once: true });
  if (signal?.aborted) stop();
  const recheck = setInterval(() => {
    actorOf(context.headers)
      .then((now) => {
        const same = now !== null && now.role === actor.role && String(now.sites) === String(actor.sites);
        if (!same) stop();
      })
      .catch(stop);
  }, recheckMs).unref();
  try {
    yield* listen(ended.signal);
  } catch (thrown) {
    // What goes wrong once the stream is open is told like any other error: the caller's own check is long over.
    throw toApiError(thrown, context.requestId);
  } finally {
    stop();
    clearInterval(recheck);
    signal?.removeEventListener("abort", stop);
  }
}
