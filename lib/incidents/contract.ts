// An incident as the browser sees it: what is broken, since when, what was told and done, what may be why.
import * as z from "zod";
import { changeRow } from "../changes/contract";
import { toldProblem } from "../errors/contract";
import { logLine } from "../services/contract";

export const incidentStates = ["open", "acknowledged", "closed"] as const;
export const incidentSeverities = ["critical", "warning"] as const;

/** The ticket that a tracker of sluice.yaml has of an incident. */
export const incidentTicket = z.object({
  tracker: z.string(),
  /** What the tracker's API calls it. */
  id: z.string(),
  /** What people call it. */
  key: z.string(),
  url: z.url({ protocol: /^https?$/ }),
});
export type IncidentTicket = z.infer<typeof incidentTicket>;

export const incidentRow = z.object({
  id: z.int(),
  title: z.string(),
  state: z.enum(incidentStates),
  severity: z.enum(incidentSeverities),
  /** The deepest component that fails (kind/name); null when it was opened by hand for none. */
  cause: z.string().nullable(),
  /** "probe", "alert", or a person's name. */
  openedBy: z.string(),
  openedAt: z.iso.datetime(),
  acknowledgedBy: z.string().nullable(),
  acknowledgedAt: z.iso.datetime().nullable(),
  assignee: z.string().nullable(),
  /** "probe": all is well; "alert": all are over; "sluice": nothing of it is watched any more, or it fails for something else now; or a person's name. */
  closedBy: z.string().nullable(),
  closedAt: z.iso.datetime().nullable(),
  components: z.array(
    z.object({
      component: z.string(),
      since: z.iso.datetime(),
      until: z.iso.datetime().nullable(),
      /** It is down by itself, since the same time as the cause: not for that. */
      beside: z.boolean(),
    }),
  ),
  tickets: z.array(incidentTicket),
});
export type IncidentRow = z.infer<typeof incidentRow>;

/** "mariadb/main" is called main. */
export const nameOf = (key: string): string => key.split("/")[1] ?? key;
/** Whether its title is the name of what is down; else it is what somebody, or an alert, calls it. */
export const isNamedByCause = ({ title, cause }: Pick<IncidentRow, "title" | "cause">): boolean =>
  cause !== null && title === nameOf(cause);

/** Whether what it is named by is well again, though not everything may be. */
export const isCauseWell = ({ state, cause, components }: IncidentRow): boolean =>
  state === "closed" || components.some(({ component, until }) => component === cause && until !== null);
/** The names of its other components: what fails for its cause, and what fails beside that. */
export const othersOf = ({
  cause,
  components,
}: IncidentRow): Record<"becauseOfIt" | "besideIt", string[]> => {
  const named = (beside: boolean) =>
    components
      .filter((one) => one.component !== cause && one.beside === beside)
      .map(({ component }) => nameOf(component));
  return { becauseOfIt: named(false), besideIt: named(true) };
};

export const entryTypes = [
  "opened",
  "reopened",
  "down",
  "degraded",
  "well",
  "gone",
  "moved",
  "cause",
  "acknowledged",
  "assigned",
  "note",
  "notified",
  "ticket",
  "alert",
  "closed",
] as const;
export const incidentEntry = z.object({
  id: z.int(),
  at: z.iso.datetime(),
  type: z.enum(entryTypes),
  actor: z.string().nullable(),
  /** A person's own words. */
  text: z.string().nullable(),
  /** What the type needs to be said. */
  data: z.record(z.string(), z.union([z.string(), z.number()])),
});
export type IncidentEntry = z.infer<typeof incidentEntry>;

/** A change before the onset that may be why. */
export const suspect = z.object({
  change: changeRow,
  minutesBefore: z.number(),
  /** It was done to what fails ("own"), or to what that needs at once ("near"): to an application's container, for its health route. */
  where: z.enum(["own", "near"]).nullable(),
  /** This person may take it back now. */
  undo: z.boolean(),
});
export type Suspect = z.infer<typeof suspect>;

/** What was seen when it opened, or when its cause was found. */
export const incidentEvidence = z.object({
  at: z.iso.datetime(),
  components: z.array(
    z.object({
      component: z.string(),
      state: z.string(),
      facts: z.record(z.string(), z.union([z.string(), z.number()])),
      /** UTC of when it told those: before it fell silent. */
      factsAt: z.iso.datetime().nullable().default(null),
    }),
  ),
  /** What systems were busy with: tables, or why there is none. */
  snapshots: z
    .array(
      z.object({
        component: z.string(),
        kind: z.enum(["processes", "slowQueries", "workers", "backends", "slowCommands"]),
        columns: z.array(z.string()),
        rows: z.array(z.array(z.union([z.string(), z.number(), z.null()]))),
        more: z.int(),
        problem: toldProblem.nullable(),
      }),
    )
    .default([]),
  logs: z.array(z.object({ container: z.string(), lines: z.array(logLine) })),
});
export type IncidentEvidence = z.infer<typeof incidentEvidence>;

/** A container that died meanwhile. */
export const incidentDeath = z.object({
  id: z.int(),
  at: z.iso.datetime(),
  host: z.string(),
  container: z.string(),
  name: z.string(),
  exitCode: z.int(),
  oom: z.boolean(),
  /** Somebody stopped or killed it. */
  requested: z.boolean(),
});

export const incidentDetail = incidentRow.extend({
  entries: z.array(incidentEntry),
  suspects: z.array(suspect),
  /** Everything else that was done meanwhile. */
  changes: z.array(changeRow),
  /** Containers that died meanwhile, and in the quarter of an hour before. */
  deaths: z.array(incidentDeath),
  /** The first when it opened, then one for each cause that was found. */
  evidence: z.array(incidentEvidence),
});
export type IncidentDetail = z.infer<typeof incidentDetail>;

export const newIncident = z.object({
  title: z.string().trim().min(3).max(200),
  severity: z.enum(incidentSeverities).default("warning"),
  note: z.string().trim().max(5000).optional(),
});
export const incidentId = z.object({ id: z.coerce.number().int().positive() });

export const maintenanceRow = z.object({
  id: z.int(),
  title: z.string(),
  /** Components it is about; empty: all. */
  components: z.array(z.string()),
  startsAt: z.iso.datetime(),
  endsAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
  createdBy: z.string(),
});
export type MaintenanceRow = z.infer<typeof maintenanceRow>;
export const newMaintenance = z
  .object({
    title: z.string().trim().min(3).max(200),
    components: z.array(z.string().max(150)).max(100).default([]),
    startsAt: z.iso.datetime().optional(),
    endsAt: z.iso.datetime(),
  })
  .refine(({ startsAt, endsAt }) => Date.parse(endsAt) > Date.parse(startsAt ?? new Date().toISOString()), {
    error: "the end must come after the start and after now",
    path: ["endsAt"],
  });
