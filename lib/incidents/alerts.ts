// Alerts on the incidents' timelines: which of them fire, as the database knows it.
import * as z from "zod";
import { db } from "../db/client";

/** An alert as incidents need it. */
export type FiringAlert = {
  readonly id: string;
  readonly name: string;
  readonly component: string | null;
  /** UTC. */
  readonly since: string;
  /** It is grave enough to open an incident, and nobody silenced it. */
  readonly opens: boolean;
};
/** One that fires, and on which incident's timeline it stands. */
export type HeldAlert = { readonly incident: number; readonly name: string };

const keptMs = 90 * 86_400_000;
const told = z.object({ alert: z.string(), name: z.string(), state: z.enum(["firing", "resolved"]) });

/** Those whose last word was that they fire: also on incidents that somebody closed meanwhile, which are not opened again for them. */
export async function loadAlerts(now = Date.now()): Promise<Map<string, HeldAlert>> {
  const entries = await db().incidentEntry.findMany({
    where: {
      type: "alert",
      OR: [{ at: { gte: new Date(now - keptMs) } }, { incident: { state: { not: "closed" } } }],
    },
    orderBy: { id: "asc" },
    select: { incidentId: true, data: true },
  });
  const held = new Map<string, HeldAlert>();
  for (const { incidentId, data } of entries) {
    const read = told.safeParse(JSON.parse(data ?? "null"));
    if (!read.success) continue;
    const { alert, name, state } = read.data;
    if (state === "firing") held.set(alert, { incident: incidentId, name });
    else held.delete(alert);
  }
  return held;
}
