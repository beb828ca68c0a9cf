// What the services domain gives the runtime: its kinds of change.
import { engine } from "../changes/engine";
import { actKinds } from "./acts/kind";
import { deployKind } from "./deploy/kind";
import { swarmKinds } from "./swarm/kind";

/** Makes the acts on services known to the engine. */
export function registerServices(): void {
  for (const kind of actKinds) engine().register(kind);
  for (const kind of swarmKinds) engine().register(kind);
  engine().register(deployKind);
}
