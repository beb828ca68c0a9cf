// What the alerts domain gives the runtime: its kinds of change.
import { engine } from "../changes/engine";
import { silenceKind, unsilenceKind } from "./kinds";

/** Makes silences known to the engine. */
export function registerAlerts(): void {
  engine().register(silenceKind);
  engine().register(unsilenceKind);
}
