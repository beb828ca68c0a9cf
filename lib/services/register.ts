// What the services domain gives the runtime: its kinds of change.
import { engine } from "../changes/engine";
import { actKind } from "./acts/kind";

/** Makes the acts on services known to the engine. */
export function registerServices(): void {
  engine().register(actKind);
}
