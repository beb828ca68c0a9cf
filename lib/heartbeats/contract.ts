// What a job reports of itself.
import * as z from "zod";

export const heartbeatReport = z.strictObject({
  state: z.enum(["ok", "fail"]).default("ok"),
  /** A line for people: why it failed, how much it did. */
  detail: z.string().max(2000).optional(),
  /** When the job ended, where the report may come late. It must be later than that of the report before, so that none counts twice. */
  at: z.iso.datetime({ offset: true }).optional(),
});
export type HeartbeatReport = z.infer<typeof heartbeatReport>;
