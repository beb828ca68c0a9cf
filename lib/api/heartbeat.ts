// /api/heartbeat/<name>: a job says that it ran. POST with {state, detail, at} or nothing; GET where that is easier.
import { bearerOf } from "../auth/callers";
import { AppError } from "../errors/app-error";
import { type HeartbeatReport, heartbeatReport } from "../heartbeats/contract";
import { jobOf, report } from "../heartbeats/report";
import { withBody } from "./body";
import { errorResponse } from "./errors";
import { finish } from "./headers";

/** Largest report, in bytes. */
const mostBytes = 16 * 1024;

/** Answers GET and POST /api/heartbeat/<name>. Only what is answered with 200 has changed anything. */
export async function answerHeartbeat(request: Request): Promise<Response> {
  const requestId = crypto.randomUUID();
  try {
    // As it stands: no name needs to be decoded.
    const name = new URL(request.url).pathname.split("/").at(-1) ?? "";
    const job = jobOf(name, bearerOf(request.headers));
    if (request.method !== "GET" && request.method !== "POST")
      return new Response(null, { status: 405, headers: { allow: "GET, POST" } });
    const accepted = await report(job, await read(request));
    const answer = Response.json(accepted);
    finish(answer.headers, requestId);
    return answer;
  } catch (error) {
    return errorResponse(error, requestId);
  }
}

/** An empty body says ok. curl calls what it sends a form: the media type is not looked at. */
async function read(request: Request): Promise<HeartbeatReport> {
  if (request.method === "GET") return { state: "ok" };
  const text = (await (await withBody(request, mostBytes)).text()).trim();
  if (text === "") return { state: "ok" };
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new AppError("INVALID_INPUT", 'The body is no JSON: send {"state": "ok"}, or nothing.', {
      problem: "request.malformed",
    });
  }
  const parsed = heartbeatReport.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.map(String).join(".") ?? "";
  throw new AppError("INVALID_INPUT", `${field === "" ? "" : `${field}: `}${issue?.message ?? "invalid"}`, {
    problem: "input.invalid",
    field,
  });
}
