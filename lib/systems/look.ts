// Turns one look at a system into its state, and remembers when it was last well.
import { toAppError } from "../errors/app-error";
import { singleton } from "../runtime/singleton";
import type { SystemState } from "./system";

const lastGood = () => singleton("systems.look.lastGood", () => new Map<string, number>());

/** Runs `see` and tells the system's state; never throws. `key` names the system ("varnish:varnish-1"). */
export async function look<T>(key: string, see: () => Promise<T>): Promise<SystemState<T>> {
  const begun = performance.now();
  try {
    const data = await see();
    const at = Date.now();
    lastGood().set(key, at);
    return { state: "up", data, at, latencyMs: performance.now() - begun };
  } catch (error) {
    return { state: "down", error: toAppError(error), at: Date.now(), lastGood: lastGood().get(key) ?? null };
  }
}
