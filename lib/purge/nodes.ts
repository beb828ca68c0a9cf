// What we know of each Varnish node between purges: which cache it was, and whether it answered last time.
import { singleton } from "@/lib/runtime/singleton";

type Known = { boot: string | null; failedAt: number | null };
const nodes = () => singleton("purge.nodes", () => new Map<string, Known>());

const known = (node: string): Known => {
  const all = nodes();
  const found = all.get(node);
  if (found) return found;
  const made: Known = { boot: null, failedAt: null };
  all.set(node, made);
  return made;
};

/** The boot id the node had when it last answered, or null. */
export const bootOf = (node: string): string | null => known(node).boot;

export function nodeAnswered(node: string, boot: string | null): void {
  const state = known(node);
  state.failedAt = null;
  if (boot !== null) state.boot = boot;
}

export function nodeFailed(node: string): void {
  known(node).failedAt = Date.now();
}

const believedMs = 5000;
/** It gave no answer within the last seconds: asking again would only cost another time-out. */
export function isDown(node: string): boolean {
  const { failedAt } = known(node);
  return failedAt !== null && Date.now() - failedAt < believedMs;
}
