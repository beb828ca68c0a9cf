// What the Cloudflare domain gives the runtime: its kinds of change.
import { engine } from "../changes/engine";
import { developmentKind, securityKind } from "./kind";

/** Makes the acts on zones known to the engine. */
export function registerCloudflare(): void {
  engine().register(securityKind);
  engine().register(developmentKind);
}
