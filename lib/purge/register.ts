// Makes the purge domain's kinds of change known to the engine.
import { engine } from "@/lib/changes/engine";
import { purgeKind } from "./kind";

export function registerPurge(): void {
  engine().register(purgeKind);
}
