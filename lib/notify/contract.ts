// Notices as the browser sees them: where they can go, and what became of each.
import * as z from "zod";

export const noticeEvents = ["opened", "reopened", "acknowledged", "closed", "change", "test"] as const;
export const noticeEvent = z.enum(noticeEvents);
export type NoticeEvent = z.infer<typeof noticeEvent>;

/** "suppressed": there was nothing to tell any more when its time came. */
export const deliveryStates = ["waiting", "sent", "failed", "suppressed"] as const;

export const deliveryRow = z.object({
  id: z.int(),
  channel: z.string(),
  event: noticeEvent,
  /** What it is about. */
  title: z.string(),
  incident: z.int().nullable(),
  change: z.int().nullable(),
  state: z.enum(deliveryStates),
  attempts: z.int(),
  /** Why it was not taken, in English as the other side said it. */
  error: z.string().nullable(),
  createdAt: z.iso.datetime(),
  /** When it is tried next, while it waits. */
  nextAttemptAt: z.iso.datetime().nullable(),
  sentAt: z.iso.datetime().nullable(),
});
export type DeliveryRow = z.infer<typeof deliveryRow>;

export const channelRow = z.object({
  name: z.string(),
  /** The last three are trackers of tickets; a webhook may be either. */
  type: z.enum(["email", "slack", "teams", "ntfy", "webhook", "gitlab", "github", "jira"]),
  tickets: z.boolean(),
  /** Whom it reaches, as far as that is no secret. */
  to: z.string(),
  /** The last one that came to an end. */
  last: deliveryRow.nullable(),
  waiting: z.int(),
});
export type ChannelRow = z.infer<typeof channelRow>;
