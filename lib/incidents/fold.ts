// Which incident a failing component belongs to: one for each cause, however many fail for it.
import { dryMs, graduallyMs, togetherMs } from "../health/graph";

/** An incident that is not closed, as far as folding needs it. Times in ms. */
export type OpenIncident = {
  readonly id: number;
  readonly cause: string | null;
  /** When it opened, or was opened again. */
  readonly brokeAt: number;
  /** With when each was well again; null: it fails. */
  readonly components: readonly { readonly component: string; readonly until: number | null }[];
};
/** What is known of the components. */
export type Relations = {
  /** `upper` depends on `lower`, over any number of steps. */
  isBelow(upper: string, lower: string): boolean;
  /** That it is down is no fault of what is below it. */
  isAlone(key: string): boolean;
  /** It does not answer now. */
  isDown(key: string): boolean;
};
export type Fold =
  | { readonly act: "open"; readonly cause: string }
  /** `cause`: the incident's cause from now on, where it is deeper than the one it had. `beside`: it fails with that one, not for it. */
  | { readonly act: "join"; readonly id: number; readonly cause: string | null; readonly beside: boolean };

/**
 * What to do about `key` that fails. `root`: what it fails for (itself where nothing below it is why), which has been failing since
 * `since` (ms).
 */
export function foldOf(
  key: string,
  root: string,
  since: number,
  open: readonly OpenIncident[],
  relations: Relations,
): Fold {
  const join = (one: OpenIncident, cause: string | null, beside: boolean): Fold => ({
    act: "join",
    id: one.id,
    cause,
    beside,
  });
  const within = (one: OpenIncident, ms: number) => Math.abs(one.brokeAt - since) <= ms;
  const find = (test: (one: OpenIncident, cause: string) => boolean) =>
    open.find((one) => one.cause !== null && test(one, one.cause));

  const own = find((_, cause) => cause === root);
  if (own !== undefined) return join(own, null, false);
  // It failed first for something that was not known to be down then.
  const shallower = find(
    (one, cause) => relations.isBelow(cause, root) && !relations.isAlone(cause) && within(one, graduallyMs),
  );
  if (shallower !== undefined) return join(shallower, root, false);
  // One above or below it went at the same time, and neither is known to be why: perhaps their machine is.
  const together = find(
    (one, cause) =>
      relations.isDown(cause) &&
      (relations.isBelow(cause, root) || relations.isBelow(root, cause)) &&
      within(one, togetherMs),
  );
  if (together !== undefined) return join(together, null, true);
  // It, or what it fails for, has not been well since then, or not for long.
  const still = find(
    (one) =>
      within(one, dryMs) &&
      one.components.some(
        ({ component, until }) =>
          component === root && (until === null || (root === key && since - until <= togetherMs)),
      ),
  );
  return still === undefined ? { act: "open", cause: root } : join(still, null, root === key);
}
