// Takes what a job reports of itself: on disk before it is answered, and judged at once.
import { randomBytes } from "node:crypto";
import { sameSecret } from "../auth/callers";
import { config } from "../config/load";
import { collector } from "../connections/service";
import { db } from "../db/client";
import { AppError } from "../errors/app-error";
import { maskedText } from "../errors/mask";
import { log } from "../runtime/log";
import type { HeartbeatReport } from "./contract";
import { dueAfter, type HeartbeatConfig } from "./look";

/** Clocks differ so much at most. */
const clockMs = 5 * 60_000;
/** What a job that does not exist is compared with: it takes as long as one that does. */
const nobodys = randomBytes(32).toString("hex");

/** The job of this name, when the token is its own. Throws UNAUTHENTICATED, the same for an unknown name and a wrong token. */
export function jobOf(name: string, token: string | null): HeartbeatConfig {
  const job = config().systems.heartbeat.find((one) => one.name === name);
  const right = sameSecret(token ?? "", job?.token ?? nobodys);
  if (job === undefined || !right)
    throw new AppError("UNAUTHENTICATED", "There is no heartbeat of this name with this token.", {
      problem: "heartbeat.token",
    });
  return job;
}

export type Accepted = {
  readonly name: string;
  readonly state: "ok" | "fail";
  /** UTC, and until when the next report is expected. */
  readonly at: string;
  readonly due: string;
};

/** Keeps a report: durable when it resolves. Throws INVALID_INPUT (of the future), CONFLICT (not newer than the last one). */
export async function report(
  job: HeartbeatConfig,
  { state, detail, at }: HeartbeatReport,
  now = Date.now(),
): Promise<Accepted> {
  const { name } = job;
  const ended = at === undefined ? now : Date.parse(at);
  if (ended > now + clockMs)
    throw new AppError("INVALID_INPUT", "The report is of a time that is not yet: look at the job's clock.", {
      problem: "heartbeat.future",
      field: "at",
    });
  const row = {
    at: new Date(ended),
    state,
    // Its last lines of output, perhaps, with what they hold.
    detail: detail === undefined || detail.trim() === "" ? null : maskedText(detail.trim()),
  };
  if (at === undefined)
    await db().heartbeat.upsert({ where: { name }, create: { name, ...row }, update: row });
  else await keepNewer(name, row);
  // The page need not wait for the next look.
  collector()
    .test("heartbeat", name)
    .catch((error: unknown) => log.debug({ err: error, name }, "a heartbeat is not watched yet"));
  return { name, state, at: row.at.toISOString(), due: new Date(dueAfter(job, ended)).toISOString() };
}

/** One statement decides, so that of two that are the same one only is taken. */
async function keepNewer(
  name: string,
  row: { readonly at: Date; readonly state: string; readonly detail: string | null },
): Promise<void> {
  const { count } = await db().heartbeat.updateMany({ where: { name, at: { lt: row.at } }, data: row });
  if (count > 0) return;
  const made = await db().$executeRaw`
    INSERT INTO "Heartbeat" ("name", "at", "state", "detail") VALUES (${name}, ${row.at}, ${row.state}, ${row.detail})
    ON CONFLICT ("name") DO NOTHING`;
  if (made > 0) return;
  throw new AppError("CONFLICT", "A report of this time or of a later one was taken before.", {
    problem: "heartbeat.replayed",
    field: "at",
  });
}
