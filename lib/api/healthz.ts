// GET /healthz: whether Sluice itself works. Everybody may ask, so it names its checks and nothing of the stack.
import { selfCheck } from "../runtime/self-check";
import { finish } from "./headers";

/** Answers GET /healthz: 200, or 503 when a check fails. */
export async function answerHealthz(): Promise<Response> {
  const checks = await selfCheck();
  const well = Object.values(checks).every(({ ok }) => ok);
  const answer = Response.json({ status: well ? "ok" : "failing", checks }, { status: well ? 200 : 503 });
  finish(answer.headers, crypto.randomUUID());
  return answer;
}
