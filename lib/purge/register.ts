// What the purge domain gives the runtime: its kinds of change, the gateway and the outbox.
import { engine } from "@/lib/changes/engine";
import { config } from "@/lib/config/load";
import { startGateway } from "./gateway";
import { gatewayKind } from "./gateway-kind";
import { purgeKind } from "./kind";
import { startOutbox } from "./outbox";

/** Makes the kinds of purge known to the engine. */
export function registerPurge(): void {
  engine().register(purgeKind);
  engine().register(gatewayKind);
}

/** Replays what nodes are owed. */
export const purgeOutbox = { name: "purge outbox", start: async () => startOutbox() };

/** The listener for applications; `gateway.enabled: false` leaves it out. */
export const purgeGateway = {
  name: "purge gateway",
  async start(): Promise<() => Promise<void>> {
    if (!config().gateway.enabled) return async () => {};
    const { stop } = await startGateway();
    return stop;
  },
};
