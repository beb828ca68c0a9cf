// Whether a job reported in time, as a look at any other system.
import type { Config } from "../config/schema";
import { db } from "../db/client";
import { AppError } from "../errors/app-error";
import { look } from "../systems/look";
import type { Probed } from "../systems/system";

export type HeartbeatConfig = Config["systems"]["heartbeat"][number];

/** The same in every language: "2026-11-25 02:00 UTC". */
const moment = (at: number): string => `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;

/** Until when a job that reported at `at` has time for its next report; ms since the epoch. */
export const dueAfter = ({ every, grace }: Pick<HeartbeatConfig, "every" | "grace">, at: number): number =>
  at + every + grace;

/** Up: the last report said ok and is not too old. Facts: reported, detail. */
export const probe = (job: HeartbeatConfig, now = Date.now()): Promise<Probed> =>
  look(`heartbeat:${job.name}`, async () => {
    const { name } = job;
    const last = await db().heartbeat.findUnique({ where: { name } });
    if (last === null)
      return {
        version: null,
        facts: {},
        concerns: [{ problem: "heartbeat.never", params: { name } }],
      };
    const at = last.at.getTime();
    const reported = moment(at);
    if (last.state !== "ok")
      throw new AppError(
        "REFUSED",
        `${name} failed at ${reported}: ${last.detail ?? "it did not say why"}.`,
        {
          problem: last.detail === null ? "heartbeat.failed" : "heartbeat.failedBy",
          params: { name, at: reported, ...(last.detail === null ? {} : { detail: last.detail }) },
        },
      );
    const due = dueAfter(job, at);
    if (now >= due)
      throw new AppError(
        "TIMEOUT",
        `${name} should have reported by ${moment(due)}; it did last at ${reported}.`,
        {
          problem: "heartbeat.late",
          params: { name, due: moment(due), at: reported },
        },
      );
    return { version: null, facts: { reported, ...(last.detail === null ? {} : { detail: last.detail }) } };
  });
