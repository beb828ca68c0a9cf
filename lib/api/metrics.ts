// GET /metrics: what Prometheus reads, for whom sluice.yaml lets in; without that there is no such page.
import { gaveToken, inNetworks } from "../auth/callers";
import { clientAddress } from "../auth/client-address";
import { config } from "../config/load";
import { AppError } from "../errors/app-error";
import { exposition } from "../metrics/exposition";
import { errorResponse } from "./errors";
import { finish } from "./headers";

/** Answers GET /metrics. A session opens nothing here: Prometheus has none. */
export async function answerMetrics(request: Request): Promise<Response> {
  const requestId = crypto.randomUUID();
  try {
    const { token, networks } = config().metrics;
    if (token === undefined && networks.length === 0)
      throw new AppError("NOT_FOUND", "There is no such page.", { problem: "request.noRoute" });
    if (!gaveToken(request.headers, token) && !inNetworks(clientAddress(request.headers), networks))
      throw new AppError("UNAUTHENTICATED", "Send the token of `metrics` in sluice.yaml as a bearer token.", {
        problem: "metrics.token",
      });
    const { text, type } = await exposition();
    const answer = new Response(text, { headers: { "content-type": type } });
    finish(answer.headers, requestId);
    return answer;
  } catch (error) {
    return errorResponse(error, requestId);
  }
}
