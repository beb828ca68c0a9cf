// /api/traefik/<name>: what a Traefik's HTTP provider polls. Never an empty 200, which would take every route away from it.
import { randomBytes } from "node:crypto";
import { bearerOf, sameSecret } from "../auth/callers";
import { config } from "../config/load";
import { AppError } from "../errors/app-error";
import { servedTo } from "../routing/files/holder";
import { bodyOf } from "../routing/files/http-provider";
import { errorResponse } from "./errors";
import { finish } from "./headers";

/** What a Traefik that is not served is compared with: it takes as long as one that is. */
const nobodys = randomBytes(32).toString("hex");
const retryS = 5;

/** Answers GET /api/traefik/<name> with the token of that Traefik: 200, 401 (of an unknown name too), or 503 while nothing is in force yet. */
export async function answerTraefik(request: Request): Promise<Response> {
  const requestId = crypto.randomUUID();
  try {
    // As it stands: no name needs to be decoded.
    const name = new URL(request.url).pathname.split("/").at(-1) ?? "";
    const token = config().systems.traefik.find((one) => one.name === name)?.provider_token;
    const right = sameSecret(bearerOf(request.headers) ?? "", token ?? nobodys);
    if (token === undefined || !right)
      throw new AppError("UNAUTHENTICATED", "That is not this Traefik's token.", {
        problem: "routing.providerToken",
        params: {},
      });
    if (request.method !== "GET") return new Response(null, { status: 405, headers: { allow: "GET" } });
    const served = await servedTo(name);
    if (served === null) {
      const answer = new Response("Nothing is in force yet.\n", {
        status: 503,
        headers: { "retry-after": String(retryS) },
      });
      finish(answer.headers, requestId);
      return answer;
    }
    const answer = new Response(bodyOf(served.files, served.marker), {
      headers: { "content-type": "application/json; charset=utf-8" },
    });
    finish(answer.headers, requestId);
    return answer;
  } catch (error) {
    return errorResponse(error, requestId);
  }
}
