// The event stream of one tab.
import { actorOf } from "../auth/session";
import { subscribe } from "../live/hub";
import { isVisible, os } from "./base";

/** How often an open stream looks whether its owner may still listen, in ms. */
const recheckMs = 30_000;

export const live = {
  stream: os.live.stream.handler(async function* ({ context, signal }) {
    const { actor } = context;
    const ended = new AbortController();
    const stop = () => ended.abort();
    signal?.addEventListener("abort", stop, { once: true });
    // Signed out, banned or given other sites meanwhile: the page connects anew and is judged anew.
    const recheck = setInterval(() => {
      actorOf(context.headers)
        .then((now) => {
          const same = now !== null && now.role === actor.role && String(now.sites) === String(actor.sites);
          if (!same) stop();
        })
        .catch(stop);
    }, recheckMs).unref();
    try {
      yield* subscribe(["change", "connection", "outbox"], ended.signal, (item) =>
        item.topic === "change" ? isVisible(actor, item.payload.site) : true,
      );
    } finally {
      clearInterval(recheck);
      signal?.removeEventListener("abort", stop);
    }
  }),
};
