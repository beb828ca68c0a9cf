// The router as a REST API under /api/v1, with one envelope for every error.
import { OpenAPIHandler } from "@orpc/openapi/fetch";
import { AppError } from "../errors/app-error";
import { type ApiContext, contextOf } from "./base";
import { mostBytes, withBody } from "./body";
import { envelope, envelopeResponse, errorResponse, toApiError } from "./errors";
import { finish } from "./headers";
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
    const document = Response.json(await openApiDocument());
    finish(document.headers, requestId);
    return document;
  }
  const read = await withBody(request, mostBytes).catch((error: unknown) => errorResponse(error, requestId));
  if (read instanceof Response) return read;
  const { response } = await handler.handle(read, { prefix: restPath, context });
  if (response === undefined) {
    const message = `There is no ${request.method} ${path.slice(0, 200)} in this API; see ${restPath}/openapi.json.`;
    return errorResponse(new AppError("NOT_FOUND", message, { problem: "request.noRoute" }), requestId);
  }
  // Errors are written anew, now that the id of the request is known for all of them.
  if (response.status >= 400) return envelopeResponse(await response.json(), requestId);
  finish(response.headers, requestId);
  return response;
}
