// Requests for tests, to the handlers themselves: no port is needed.
import { password } from "../auth/house.fixture";
import { answerRest } from "./rest";
import { answerAuth } from "./sign-in";

export const origin = "http://localhost:3000";

/** A POST of JSON to a path under /api/auth, as a page of Sluice sends it. */
export function authPost(
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return answerAuth(
    new Request(`${origin}/api/auth${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", origin, host: "localhost:3000", ...headers },
      body: JSON.stringify(body),
    }),
  );
}

/** The Cookie header that an answer's Set-Cookie headers amount to. */
export function cookiesOf(response: Response): string {
  return response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(";")[0] ?? "")
    .join("; ");
}

/** Signs in by password and returns the Cookie header. */
export async function signIn(name: string, by = password): Promise<string> {
  const response = await authPost("/sign-in/email", { email: `${name}@example.org`, password: by });
  if (!response.ok) throw new Error(`${name} could not sign in: ${await response.text()}`);
  return cookiesOf(response);
}

/** Calls the REST API; `body` makes it JSON. */
export function rest(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body?: unknown,
): Promise<Response> {
  return answerRest(
    new Request(`${origin}/api/v1${path}`, {
      method,
      headers: {
        origin,
        host: "localhost:3000",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  );
}
