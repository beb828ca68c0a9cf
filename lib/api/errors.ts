// Any error as the one answer the API gives: code, message, status and what belongs to it. Nothing of the inside leaks.
import { ORPCError, ValidationError } from "@orpc/server";
import type * as z from "zod";
import { AppError, toAppError } from "../errors/app-error";
import { log } from "../runtime/log";
import type { FailureData } from "./failure";
import { finish } from "./headers";

/** The REST API's envelope of every error. */
export type ErrorEnvelope = FailureData & {
  readonly code: string;
  readonly message: string;
  readonly status: number;
};

/** `thrown` as an oRPC error with our code, its data being FailureData. */
export function toApiError(thrown: unknown, requestId: string): ORPCError<string, FailureData> {
  if (thrown instanceof ORPCError) return fromFramework(thrown, requestId);
  const error = toAppError(thrown);
  if (error.status >= 500) log.error({ err: error, requestId }, `request failed: ${error.message}`);
  const { problem, params, field, problems, retryAfterMs } = error.detail;
  return new ORPCError(error.code, {
    status: error.status,
    message: error.code === "INTERNAL" ? internalMessage(requestId) : error.message,
    data: {
      requestId,
      ...(problem === undefined ? {} : { problem }),
      ...(params === undefined ? {} : { params }),
      ...(field === undefined ? {} : { field }),
      ...(problems === undefined ? {} : { problems }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    },
  });
}

/** The envelope of an error, for REST. */
export function envelope(error: ORPCError<string, FailureData>): ErrorEnvelope {
  return { code: error.code, message: error.message, status: error.status, ...error.data };
}

/** An error as a plain answer, for routes outside the router. */
export function errorResponse(thrown: unknown, requestId: string): Response {
  return envelopeResponse(envelope(toApiError(thrown, requestId)), requestId);
}

/** An envelope as an answer, with the time to wait as a header too. */
export function envelopeResponse(body: ErrorEnvelope, requestId: string): Response {
  const response = Response.json({ ...body, requestId }, { status: body.status });
  if (body.retryAfterMs !== undefined)
    response.headers.set("retry-after", String(Math.ceil(body.retryAfterMs / 1000)));
  finish(response.headers, requestId);
  return response;
}

function fromFramework(error: ORPCError<string, unknown>, requestId: string): ORPCError<string, FailureData> {
  const data: unknown = error.data;
  if (typeof data === "object" && data !== null && "requestId" in data)
    return error as ORPCError<string, FailureData>;
  if (error.code === "BAD_REQUEST" && error.cause instanceof ValidationError) {
    return invalidInput(error.cause.issues as readonly z.core.$ZodIssue[], requestId);
  }
  if (error.status < 500) {
    // The body is no JSON, or of another kind than its Content-Type says.
    return new ORPCError("INVALID_INPUT", {
      status: error.status,
      message: error.message,
      data: { requestId, problem: "request.malformed" },
    });
  }
  log.error({ err: error.cause ?? error, requestId }, `request failed: ${error.message}`);
  return new ORPCError("INTERNAL", { status: 500, message: internalMessage(requestId), data: { requestId } });
}

const maxProblems = 20;

function invalidInput(
  issues: readonly z.core.$ZodIssue[],
  requestId: string,
): ORPCError<string, FailureData> {
  const problems = issues.slice(0, maxProblems).map((issue) => ({
    field: issue.path.map(String).join("."),
    ...problemOf(issue),
  }));
  const [first] = problems;
  const place = first?.field ? `${first.field}: ` : "";
  return new ORPCError("INVALID_INPUT", {
    status: 422,
    message: `${place}${issues[0]?.message ?? "invalid input"}`,
    data: { requestId, ...first, ...(problems.length > 1 ? { problems } : {}) },
  });
}

/** A zod issue as a key under `problems.` in messages with its values. */
function problemOf(issue: z.core.$ZodIssue): {
  problem: string;
  params: Readonly<Record<string, string | number>>;
} {
  if (issue.code === "too_big") {
    const problem = sized(issue.origin, "input.tooMany", "input.tooLong", "input.tooBig");
    return { problem, params: { maximum: Number(issue.maximum) } };
  }
  if (issue.code === "too_small") {
    const problem = sized(issue.origin, "input.tooFew", "input.tooShort", "input.tooSmall");
    return { problem, params: { minimum: Number(issue.minimum) } };
  }
  if (issue.code === "invalid_format" && issue.format === "email")
    return { problem: "input.email", params: {} };
  if (issue.code === "invalid_type" && issue.input === undefined)
    return { problem: "input.missing", params: {} };
  return { problem: "input.invalid", params: {} };
}

function sized(origin: string, list: string, text: string, number: string): string {
  if (origin === "array") return list;
  return origin === "string" ? text : number;
}

function internalMessage(requestId: string): string {
  return `Something went wrong inside Sluice. Its log says more about request ${requestId}.`;
}

/** A refusal for cookie sessions that a page of another site sends. */
export function crossSiteRefusal(): AppError {
  return new AppError("FORBIDDEN", "This request does not come from a page of this Sluice.", {
    problem: "auth.crossSite",
  });
}
