// AppError: the only error that leaves an adapter or a domain. Its message is English, redacted and says what to do.
import { type ErrorCode, errorStatus } from "./codes";
import type { ToldProblem } from "./contract";

export type AppErrorDetail = {
  /** Key under `problems.` in messages/*.json that says it in the user's language, for example "url.foreignHost". */
  readonly problem?: string;
  /** Values for that message. Never a secret. */
  readonly params?: Readonly<Record<string, string | number>>;
  /** Path of the field that is wrong, for example "urls.3". */
  readonly field?: string;
  /** Where one request had several faults (a paste): each with its field. Bounded by the thrower. */
  readonly problems?: readonly {
    readonly field: string;
    readonly problem: string;
    readonly params: Readonly<Record<string, string | number>>;
  }[];
  /** How long to wait before trying again, where the other side said so. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
};

/** Next bundles instrumentation, pages and routes apart, so there are several classes AppError: `instanceof` goes by this brand. */
const brand = Symbol.for("sluice.AppError");

export class AppError extends Error {
  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: the mark is of every AppError; a subclass is told by what it is
    if (this !== AppError) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === "object" && value !== null && brand in value;
  }

  readonly [brand] = true;
  override readonly name = "AppError";
  readonly code: ErrorCode;
  readonly detail: AppErrorDetail;

  constructor(code: ErrorCode, message: string, detail: AppErrorDetail = {}) {
    super(message, detail.cause === undefined ? {} : { cause: detail.cause });
    this.code = code;
    this.detail = detail;
  }

  /** HTTP status of this error's code. */
  get status(): number {
    return errorStatus[this.code];
  }
}

/** Any thrown value as an AppError; an unknown one becomes INTERNAL (SQLITE_FULL and ENOSPC become DISK_FULL). */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const text = error instanceof Error ? error.message : String(error);
  if (/SQLITE_FULL|ENOSPC|database or disk is full/i.test(text)) {
    return new AppError("DISK_FULL", "The disk is full: free some space, nothing was accepted.", {
      cause: error,
    });
  }
  return new AppError("INTERNAL", text, { cause: error });
}

/** What failed, as data; `unnamed` where the error has no message of its own. */
export function tellProblem(error: unknown, unnamed: ToldProblem): ToldProblem {
  const { problem, params } = toAppError(error).detail;
  return problem === undefined ? unnamed : { problem, params: { ...params } };
}
