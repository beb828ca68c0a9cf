// Which incident a failing component belongs to: one for each cause, however many fail for it.
import { graduallyMs, togetherMs } from "../health/graph";

/** An incident that is not closed, as far as folding needs it. Times in ms. */
export type OpenIncident = {
  readonly id: number;
  readonly cause: string | null;
  readonly openedAt: number;
  /** With when each was well again; null: it fails. */
  readonly components: readonly { readonly component: string; readonly until: number | null }[];
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
  const within = (one: OpenIncident, ms: number) => Math.abs(one.openedAt - since) <= ms;
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
      (relations.isBelow(cause, root) || relations.isBelow(root, cause)) && within(one, togetherMs),
  );
  if (together !== undefined) return join(together, null, true);
  // It has not been well for long, or not at all, and fails for nothing else now.
  const still =
    root === key
      ? find(({ components }) =>
          components.some(
            (one) => one.component === key && (one.until === null || since - one.until <= togetherMs),
          ),
        )
      : undefined;
  return still === undefined ? { act: "open", cause: root } : join(still, null, true);
}
