// What every outside system looks like to the rest of the house: a state that is a value, never an exception.
import type { AppError } from "../errors/app-error";
import type { ToldProblem } from "../errors/contract";

/** One look at a system. `at` is UTC ms since the epoch; `latencyMs` the time the look took. */
export type SystemState<T> =
  | { readonly state: "up"; readonly data: T; readonly at: number; readonly latencyMs: number }
  | {
      readonly state: "down";
      readonly error: AppError;
      readonly at: number;
      readonly lastGood: number | null;
    };

/** What a look at a connection tells: the server's own version and a few figures by name. */
export type Seen = {
  readonly version: string | null;
  readonly facts: Readonly<Record<string, string | number>>;
  /** Counts that only grow while the server runs, by name: two looks make a rate; a lower value is a restart. */
  readonly counters?: Readonly<Record<string, number>>;
  /** The look went through no other system on the requests' way: when it fails, none of those is why. */
  readonly alone?: boolean;
  /** What is not right although it answers (a replica that lags, no room left): it wants a look. */
  readonly concerns?: readonly ToldProblem[];
};
export type Probed = SystemState<Seen>;
