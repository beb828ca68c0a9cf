// What an error carries beside its code and message; the same in RPC answers and in the REST envelope.

export type FailureData = {
  /** Names this request in Sluice's log. */
  readonly requestId?: string;
  /** Key under `problems.` in messages, with its values. */
  readonly problem?: string;
  readonly params?: Readonly<Record<string, string | number>>;
  /** Path of the wrong field, for example "target.urls.3". */
  readonly field?: string;
  /** Where one request had several faults: each with its field. */
  readonly problems?: readonly {
    readonly field: string;
    readonly problem: string;
    readonly params: Readonly<Record<string, string | number>>;
  }[];
  readonly retryAfterMs?: number;
};
