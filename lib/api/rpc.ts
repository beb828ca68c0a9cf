// The router over oRPC's own protocol, for the pages.
import { RPCHandler } from "@orpc/server/fetch";
import { AppError } from "../errors/app-error";
import { contextOf } from "./base";
import { mostBytes, withBody } from "./body";
import { errorResponse } from "./errors";
import { finish } from "./headers";
import { router } from "./router";

const prefix = "/api/rpc";
const handler = new RPCHandler(router);

/** Answers a request below /api/rpc. */
export async function answerRpc(request: Request): Promise<Response> {
  const context = contextOf(request);
  const read = await withBody(request, mostBytes).catch((error: unknown) =>
    errorResponse(error, context.requestId),
  );
  if (read instanceof Response) return read;
  const { response } = await handler.handle(read, { prefix, context });
  if (response === undefined)
    return errorResponse(new AppError("NOT_FOUND", "There is no such procedure."), context.requestId);
  finish(response.headers, context.requestId);
  return response;
}
