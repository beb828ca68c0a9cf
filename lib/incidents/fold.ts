// Which incident a failing component belongs to: one for each cause, however many fail for it.

/** An incident that is not closed, as far as folding needs it. */
export type OpenIncident = {
  readonly id: number;
  readonly cause: string | null;
  readonly components: readonly string[];
};
export type Fold =
  | { readonly act: "open"; readonly cause: string }
  /** `cause`: the incident's cause from now on, where it is deeper than the one it had. */
  | { readonly act: "join"; readonly id: number; readonly cause: string | null };

/**
 * What to do about `key` that fails. `root`: what it fails for (itself where nothing below it is down). `isBelow(a, b)`: a depends on b,
 * over any number of steps.
 */
export function foldOf(
  key: string,
  root: string,
  open: readonly OpenIncident[],
  isBelow: (upper: string, lower: string) => boolean,
): Fold {
  const own = open.find(({ cause }) => cause === root);
  if (own !== undefined) return { act: "join", id: own.id, cause: null };
  // It failed first for something that was not known to be down then.
  const shallower = open.find(({ cause }) => cause !== null && isBelow(cause, root));
  if (shallower !== undefined) return { act: "join", id: shallower.id, cause: root };
  // What it fails for is down for something deeper still, that has its incident.
  const deeper = open.find(({ cause }) => cause !== null && isBelow(root, cause));
  if (deeper !== undefined) return { act: "join", id: deeper.id, cause: null };
  const known = open.find(({ cause, components }) => cause !== null && components.includes(key));
  if (known !== undefined) return { act: "join", id: known.id, cause: null };
  return { act: "open", cause: root };
}
