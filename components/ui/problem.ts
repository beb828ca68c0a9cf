// Any failure of a call as one shape the pages can show: code, problem key with its values, field, request id.

export type Problem = {
  /** One of lib/errors/codes, or "OFFLINE" when no answer came at all. */
  readonly code: string;
  /** English, for the log and for what has no translation. */
  readonly message: string;
  readonly problem: string | null;
  readonly params: Readonly<Record<string, string | number>>;
  readonly field: string | null;
  /** Where one request had several faults: each with its field. */
  readonly problems: readonly FieldProblem[];
  readonly requestId: string | null;
};

export type FieldProblem = {
  readonly field: string;
  readonly problem: string;
  readonly params: Readonly<Record<string, string | number>>;
};

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function plainValues(value: unknown): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(record(value)).filter(
      (entry): entry is [string, string | number] =>
        typeof entry[1] === "string" || typeof entry[1] === "number",
    ),
  );
}

/** Reads what the API (or a plain JSON answer) says went wrong; never throws. */
export function problemOf(error: unknown): Problem {
  const outer = record(error);
  const data = record(outer.data ?? outer.detail);
  const code = text(outer.code) ?? text(data.code);
  // fetch() itself fails with a TypeError: nobody answered.
  const offline = code === null && error instanceof TypeError;
  return {
    code: offline ? "OFFLINE" : (code ?? "INTERNAL"),
    message: text(data.message) ?? text(outer.message) ?? "",
    problem: text(data.problem),
    params: plainValues(data.params),
    field: text(data.field),
    problems: (Array.isArray(data.problems) ? data.problems : []).map((one: unknown) => ({
      field: text(record(one).field) ?? "",
      problem: text(record(one).problem) ?? "",
      params: plainValues(record(one).params),
    })),
    requestId: text(data.requestId) ?? text(outer.requestId),
  };
}

/** The line number (from 1) that a field such as "target.urls.3" points at, or null. */
export function lineOf(field: string | null): number | null {
  const found = /(?:^|\.)urls\.(\d+)$/.exec(field ?? "")?.[1];
  return found === undefined ? null : Number(found) + 1;
}
