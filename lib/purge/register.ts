// Makes the purge domain's kinds of change known to the engine.
import { engine } from "@/lib/changes/engine";
import { gatewayKind } from "./gateway-kind";
import { purgeKind } from "./kind";

export function registerPurge(): void {
  engine().register(purgeKind);
  engine().register(gatewayKind);
}
