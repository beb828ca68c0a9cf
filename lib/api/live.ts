// The event stream of one tab.
import { subscribe } from "../live/hub";
import { isVisible, os } from "./base";
import { whileAllowed } from "./listener";

export const live = {
  stream: os.live.stream.handler(({ context, signal }) =>
    Promise.resolve(
      whileAllowed(context, signal, (ended) =>
        subscribe(["change", "connection", "component", "incident", "outbox"], ended, (item) =>
          item.topic === "change" ? isVisible(context.actor, item.payload.site) : true,
        ),
      ),
    ),
  ),
};
