// What the backup domain gives the runtime: its kinds of change.
import { engine } from "../changes/engine";
import { initKind, unlockKind } from "./kind";

/** Makes acts on repositories known to the engine. */
export function registerBackup(): void {
  engine().register(unlockKind);
  engine().register(initKind);
}
