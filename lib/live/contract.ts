// What one tab's event stream carries: a snapshot, then changes. Owner of the server side: lib/live/hub.ts.
import * as z from "zod";
import { changeRow } from "../changes/contract";
import { connection } from "../connections/contract";
import { component } from "../health/contract";
import { incidentRow } from "../incidents/contract";
import { outboxNode } from "../purge/contract";

export const liveEvent = z.discriminatedUnion("type", [
  /** First, and again whenever the listener must start afresh. `version` tells an old page to reload. */
  z.object({
    type: z.literal("snapshot"),
    at: z.iso.datetime(),
    version: z.string(),
    connections: z.array(connection),
    components: z.array(component),
    /** Those that are not closed. */
    incidents: z.array(incidentRow),
    running: z.array(changeRow),
    outbox: z.array(outboxNode),
  }),
  z.object({ type: z.literal("change"), row: changeRow }),
  z.object({ type: z.literal("connection"), connection }),
  z.object({ type: z.literal("component"), component }),
  z.object({ type: z.literal("incident"), incident: incidentRow }),
  z.object({ type: z.literal("outbox"), outbox: z.array(outboxNode) }),
  /** Every 5 s, so that the page knows how old its data is. */
  z.object({ type: z.literal("tick"), at: z.iso.datetime() }),
]);
export type LiveEvent = z.infer<typeof liveEvent>;
