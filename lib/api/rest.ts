// The router as a REST API under /api/v1, with one envelope for every error.
import { OpenAPIHandler } from "@orpc/openapi/fetch";
import { ORPCError } from "@orpc/server";
import { AppError } from "../errors/app-error";
import { type ApiContext, contextOf } from "./base";
import { envelope, errorResponse, requestIdHeader, toApiError } from "./errors";
import { noStore } from "./headers";
import { openApiDocument } from "./openapi";
import { router } from "./router";

/** Where the REST API is. */
export const restPath = "/api/v1";

/** Stands for the request id where the framework has none; replaced before the answer leaves. */
const pendingId = "pending";

const handler = new OpenAPIHandler<ApiContext>(router, {
  // Errors of the procedures come here translated; those of reading the request do not know its id yet.
  customErrorResponseBodyEncoder: (error) => envelope(toApiError(error, pendingId)),
});

/** Answers a request below /api/v1. */
export async function answerRest(request: Request): Promise<Response> {
  const context = contextOf(request);
  const { requestId } = context;
  const path = new URL(request.url).pathname.slice(restPath.length);
  if (path === "/openapi.json" && request.method === "GET") {
    return Response.json(await openApiDocument(), { headers: { "cache-control": "no-cache" } });
  }
  const { response } = await handler.handle(request, { prefix: restPath, context });
  if (response === undefined) {
    const message = `There is no ${request.method} ${path.slice(0, 200)} in this API; see ${restPath}/openapi.json.`;
    return errorResponse(new AppError("NOT_FOUND", message, { problem: "request.noRoute" }), requestId);
  }
  noStore(response.headers);
  response.headers.set(requestIdHeader, requestId);
  return response.status < 400 ? response : named(response, requestId);
}

/** The same error with this request's id in its body, and the time to wait as a header. */
async function named(response: Response, requestId: string): Promise<Response> {
  const body: unknown = await response.json();
  if (typeof body !== "object" || body === null) throw new ORPCError("INTERNAL_SERVER_ERROR");
  const headers = new Headers(response.headers);
  headers.delete("content-length");
  const retryAfterMs = "retryAfterMs" in body ? Number(body.retryAfterMs) : Number.NaN;
  if (retryAfterMs > 0) headers.set("retry-after", String(Math.ceil(retryAfterMs / 1000)));
  return Response.json({ ...body, requestId }, { status: response.status, headers });
}
