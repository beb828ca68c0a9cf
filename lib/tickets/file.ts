// One ticket per incident: found again by its label, made where there is none, told what became of it. Repeated, it does nothing twice.
import type { Config } from "../config/schema";
import { type IncidentDetail, type IncidentTicket, isNamedByCause } from "../incidents/contract";
import { plain, postMortem } from "../incidents/markdown";
import { github } from "../systems/tickets/github";
import { gitlab } from "../systems/tickets/gitlab";
import { postTicket } from "../systems/tickets/hook";
import { jira } from "../systems/tickets/jira";
import type { FoundTicket, Ticket, TicketText, Tracker } from "../systems/tickets/tracker";

export type TrackerConfig = Config["tickets"][number];
export type TicketEvent = "opened" | "reopened" | "acknowledged" | "closed";
/** What is to be told, of which the notice's id is the mark. */
export type Filing = {
  readonly id: number;
  readonly event: TicketEvent;
  readonly incident: IncidentDetail;
  /** When it was asked for. */
  readonly at: Date;
  /** The incident's page in Sluice. */
  readonly link: string;
};

/** Our clock and theirs. */
const skewMs = 10 * 60_000;

/** Names of the trackers that have a ticket of an incident so grave. */
export const trackersFor = (
  tickets: Config["tickets"],
  { severity }: Pick<IncidentDetail, "severity">,
): string[] =>
  tickets.filter((one) => one.severity === "warning" || severity === "critical").map(({ name }) => name);

/** Without what was seen: a tracker may be somebody else's, and logs name people. */
const forTicket = (incident: IncidentDetail): string => postMortem({ ...incident, evidence: [] });

export const labelOf = (id: number): string => `sluice-incident-${id}`;

function trackerOf(config: Exclude<TrackerConfig, { type: "webhook" }>): Tracker {
  switch (config.type) {
    case "gitlab":
      return gitlab(config);
    case "github":
      return github(config);
    case "jira":
      return jira(config);
  }
}

/** As the tracker's list shows it. */
const titleOf = (incident: IncidentDetail): string =>
  `${incident.title}${isNamedByCause(incident) ? " is down" : ""} (Sluice incident ${incident.id})`.replace(
    /\s+/g,
    " ",
  );

function commentOf({ event, incident, link }: Filing): TicketText {
  switch (event) {
    case "acknowledged":
      return { link, markdown: `${plain(incident.acknowledgedBy ?? "Somebody")} looks after it.` };
    case "closed":
      return { link, markdown: `It ended.\n\n${forTicket(incident)}` };
    default:
      return { link, markdown: "It broke again." };
  }
}

/**
 * The incident's ticket as it is then, or null where there is nothing to tell: it never had one. Throws AppError of the tracker.
 */
export async function fileTicket(config: TrackerConfig, filing: Filing): Promise<IncidentTicket | null> {
  const { incident } = filing;
  const known = incident.tickets.find(({ tracker }) => tracker === config.name) ?? null;
  const kept = ({ id, key, url }: Ticket): IncidentTicket => ({ tracker: config.name, id, key, url });
  if (config.type === "webhook") {
    const answer = await hook(config, filing);
    return answer === null ? known : kept(answer);
  }
  const tracker = trackerOf(config);
  const { event, link } = filing;
  const label = labelOf(incident.id);
  // An older one of this label is of another Sluice, or of a database that is no more.
  const since = new Date(Date.parse(incident.openedAt) - skewMs);
  const found: FoundTicket | null =
    (known === null ? null : await tracker.read(known.id)) ?? (await tracker.find(label, since));
  if (event === "opened" || event === "reopened") {
    if (found === null) {
      const text = { link, markdown: forTicket(incident) };
      return kept(await tracker.create(titleOf(incident), text, [label, ...config.labels]));
    }
    if (event === "opened") return kept(found);
    if (!found.open) await tracker.setOpen(found.id, true);
  }
  if (found === null) return null;
  await tracker.comment(found.id, commentOf(filing), `Sluice, notice ${filing.id}`, filing.at);
  // It may have broken again since.
  if (event === "closed" && config.close && found.open && incident.state === "closed")
    await tracker.setOpen(found.id, false);
  return kept(found);
}

function hook(
  config: Extract<TrackerConfig, { type: "webhook" }>,
  { id, event, incident, link }: Filing,
): Promise<Ticket | null> {
  const { title, severity, state, cause, openedAt, closedAt, acknowledgedBy, tickets } = incident;
  const label = labelOf(incident.id);
  return postTicket(
    config,
    {
      event,
      label,
      ticket: tickets.find(({ tracker }) => tracker === config.name) ?? null,
      title: titleOf(incident),
      incident: { id: incident.id, title, severity, state, cause, openedAt, closedAt, acknowledgedBy },
      url: link,
      markdown: forTicket(incident),
    },
    `${label}-${id}`,
  );
}

/** Whether tickets could be made there; throws AppError when not. A webhook is sent an event "test". */
export async function checkTracker(config: TrackerConfig): Promise<void> {
  if (config.type === "webhook") await postTicket(config, { event: "test" }, `test-${Date.now()}`);
  else await trackerOf(config).check();
}
