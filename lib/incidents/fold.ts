// Which incident a failing component belongs to: one for each cause, however many fail for it.
import { togetherMs } from "../health/graph";

/** An incident that is not closed, as far as folding needs it. `openedAt`: ms. */
export type OpenIncident = {
  readonly id: number;
  readonly cause: string | null;
  readonly openedAt: number;
  readonly components: readonly string[];
};
/** What is known of the components. */
export type Relations = {
  /** `upper` depends on `lower`, over any number of steps. */
  isBelow(upper: string, lower: string): boolean;
  /** That it is down is no fault of what is below it. */
  isAlone(key: string): boolean;
};
export type Fold =
  | { readonly act: "open"; readonly cause: string }
  /** `cause`: the incident's cause from now on, where it is deeper than the one it had. `beside`: it fails with that one, not for it. */
  | { readonly act: "join"; readonly id: number; readonly cause: string | null; readonly beside: boolean };

/** What to do about `key` that fails since `at` (ms). `root`: what it fails for (itself where nothing below it is why). */
export function foldOf(
  key: string,
  root: string,
  at: number,
  open: readonly OpenIncident[],
  { isBelow, isAlone }: Relations,
): Fold {
  const join = (id: number, cause: string | null = null, beside = false): Fold => ({
    act: "join",
    id,
    cause,
    beside,
  });
  // Two on one path that are down by themselves: one incident where they went at the same time, perhaps with their machine.
  const together = (one: OpenIncident) => Math.abs(one.openedAt - at) <= togetherMs;
  const own = open.find(({ cause }) => cause === root);
  if (own !== undefined) return join(own.id);
  // It failed first for something that was not known to be down then.
  const shallower = open.find(({ cause }) => cause !== null && isBelow(cause, root) && !isAlone(cause));
  if (shallower !== undefined) return join(shallower.id, root);
  const above = open.find((one) => one.cause !== null && isBelow(one.cause, root) && together(one));
  if (above !== undefined) return join(above.id, null, true);
  // What it fails for is down for something deeper still, that has its incident.
  const deeper = open.find(
    (one) => one.cause !== null && isBelow(root, one.cause) && (!isAlone(root) || together(one)),
  );
  if (deeper !== undefined) return join(deeper.id, null, isAlone(root));
  const known = isAlone(root)
    ? undefined
    : open.find(({ cause, components }) => cause !== null && components.includes(key));
  return known === undefined ? { act: "open", cause: root } : join(known.id);
}
