// The routes of sign-in: better-auth's own, and the first administrator.
import * as z from "zod";
import { attemptRules, attempts } from "../auth/attempts";
import { auth, authPath, clientHeader, isOidcPath, oidcAuth } from "../auth/auth";
import { addressBucket, clientAddress } from "../auth/client-address";
import { createFirstAdmin } from "../auth/first-admin";
import { isCrossSite } from "../auth/origin";
import { signInOptions } from "../auth/sign-in-options";
import { config } from "../config/load";
import { AppError } from "../errors/app-error";
import { mostEntryBytes, withBody } from "./body";
import { crossSiteRefusal, errorResponse } from "./errors";
import { finish } from "./headers";

/** Answers a request below /api/auth. */
export async function answerAuth(request: Request): Promise<Response> {
  const requestId = crypto.randomUUID();
  try {
    const headers = new Headers(request.headers);
    headers.set(clientHeader, clientAddress(request.headers));
    const judged = await withBody(new Request(request, { headers }), mostEntryBytes);
    const path = new URL(request.url).pathname.slice(authPath.length);
    const byProvider = isOidcPath(path) && config().auth.oidc.length > 0;
    const answer = await (byProvider ? oidcAuth() : auth()).handler(judged);
    const answerHeaders = new Headers(answer.headers);
    finish(answerHeaders, requestId);
    return new Response(answer.body, { status: answer.status, headers: answerHeaders });
  } catch (error) {
    return errorResponse(error, requestId);
  }
}

const setupRequest = z.object({
  code: z.string().min(1).max(100),
  name: z.string().trim().min(1).max(100),
  email: z.email().max(254),
  password: z.string().max(1000),
});

/** Answers GET /api/setup: what the sign-in page offers. */
export async function answerSetupState(): Promise<Response> {
  return Response.json(await signInOptions(), { headers: { "cache-control": "no-store" } });
}

/** Answers POST /api/setup {code, name, email, password}: makes the first administrator and signs them in. */
export async function answerSetup(request: Request): Promise<Response> {
  const requestId = crypto.randomUUID();
  try {
    if (request.headers.has("origin") && isCrossSite(request.headers)) throw crossSiteRefusal();
    attempts().take(`setup ${addressBucket(clientAddress(request.headers))}`, attemptRules.setup);
    const read = await withBody(request, mostEntryBytes);
    const parsed = setupRequest.safeParse(await read.json().catch(() => null));
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw new AppError("INVALID_INPUT", issue?.message ?? "invalid input", {
        problem: issue?.path[0] === "email" ? "input.email" : "input.missing",
        field: issue?.path.map(String).join(".") ?? "",
      });
    }
    const { email, password } = parsed.data;
    await createFirstAdmin(parsed.data);
    // The browser's own headers, so that its session is listed under its name and address.
    const asked = new Headers(request.headers);
    asked.set(clientHeader, clientAddress(request.headers));
    const { headers } = await auth().api.signInEmail({
      body: { email, password },
      headers: asked,
      returnHeaders: true,
    });
    finish(headers, requestId);
    return Response.json({ ok: true }, { status: 201, headers });
  } catch (error) {
    return errorResponse(error, requestId);
  }
}
