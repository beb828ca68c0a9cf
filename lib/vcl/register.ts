// What the VCL domain gives the runtime: its kinds of change.
import { engine } from "../changes/engine";
import { rolloutKind } from "./kind";

/** Makes roll-outs known to the engine. */
export function registerVcl(): void {
  engine().register(rolloutKind);
}
