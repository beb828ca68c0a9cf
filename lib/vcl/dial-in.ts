// Listens for each Varnish that dials in (admin_listen), as the configuration has them.
import { config, onConfig } from "../config/load";
import type { Config } from "../config/schema";
import { toAppError } from "../errors/app-error";
import { log } from "../runtime/log";
import { greet } from "../systems/varnish/cli";
import { closeDoor, openDoor } from "../systems/varnish/reverse";

type Listening = Map<string, string>;

/** Brings what listens to what the configuration says: only a node whose address or secret changed is disturbed. */
async function follow({ systems }: Config, listening: Listening): Promise<void> {
  const wanted = systems.varnish.flatMap(({ name, admin_listen, secret }) =>
    admin_listen === undefined
      ? []
      : [{ node: { name, admin_listen, secret }, address: admin_listen, key: `${admin_listen}\n${secret}` }],
  );
  for (const [name, key] of listening) {
    if (wanted.some((one) => one.node.name === name && one.key === key)) continue;
    await closeDoor(name);
    listening.delete(name);
  }
  for (const { node, address, key } of wanted) {
    if (listening.has(node.name)) continue;
    try {
      await openDoor(node.name, address, (socket, newline, signal) => greet(node, socket, newline, signal));
      log.info({ node: node.name, address }, "listening for a Varnish that dials in");
    } catch (error) {
      const { code, message } = toAppError(error);
      log.error({ node: node.name, code }, message);
    }
    // One that failed too: it is tried again when it is written otherwise.
    listening.set(node.name, key);
  }
}

/** For lib/runtime/services.ts. */
export const varnishDialInService = {
  name: "varnish dial-in",
  async start(): Promise<() => Promise<void>> {
    const listening: Listening = new Map();
    let tail = follow(config(), listening);
    const queue = (what: () => Promise<void>) => {
      tail = tail.then(what);
      return tail;
    };
    const off = onConfig(() => void queue(() => follow(config(), listening)));
    await tail;
    return async () => {
      off();
      await queue(async () => {
        for (const name of listening.keys()) await closeDoor(name);
      });
    };
  },
};
