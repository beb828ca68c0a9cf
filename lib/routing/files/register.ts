// What the routing domain gives the runtime: its kinds of change.
import { engine } from "../../changes/engine";
import { applyKind } from "./kind";

/** Makes changes of Traefik's files known to the engine. */
export function registerRouting(): void {
  engine().register(applyKind);
}
