// What the VCL domain gives the runtime: its kinds of change.
import { engine } from "../changes/engine";
import { rolloutKind } from "./kind";
import { tryEndKind, tryKind } from "./try-kind";

/** Makes roll-outs and trials known to the engine. */
export function registerVcl(): void {
  engine().register(rolloutKind);
  engine().register(tryKind);
  engine().register(tryEndKind);
}
