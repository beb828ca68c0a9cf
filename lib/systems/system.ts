// What every outside system looks like to the rest of the house: a state that is a value, never an exception.
import type { AppError } from "../errors/app-error";

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
};
export type Probed = SystemState<Seen>;
