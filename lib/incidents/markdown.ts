// An incident as a post-mortem in Markdown: what happened by the clock, what may be why, and room for what was learnt.
import type { IncidentDetail, IncidentEvidence } from "./contract";

/** Text from outside cannot become Markdown of its own. */
export const plain = (text: string): string =>
  text.replace(/[\\`*_{}[\]()#+!|<>~-]/g, "\\$&").replace(/\s*\n\s*/g, " ");
const utc = (iso: string): string => `${iso.slice(0, 19).replace("T", " ")} UTC`;
function lasted(from: string, to: string): string {
  const ms = Date.parse(to) - Date.parse(from);
  return ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`;
}

const tableRows = 10;
const lastLines = 10;
/** Four spaces in, nothing is Markdown. */
const verbatim = (text: string): string => `    ${text.replace(/[\r\n]+/g, " ")}`;

/** What was seen at one moment. */
function seen({ at, components, snapshots, logs }: IncidentEvidence): string[] {
  return [
    `### At ${utc(at)}`,
    "",
    ...components.map(({ component, state, facts, factsAt }) => {
      const told = Object.entries(facts).map(([name, value]) => `${name} ${value}`);
      const when =
        told.length === 0 || factsAt === null ? "" : `, at ${utc(factsAt)}: ${plain(told.join(", "))}`;
      return `- ${plain(component)}: ${state}${when}`;
    }),
    "",
    ...snapshots.flatMap(({ component, kind, columns, rows, problem }) => [
      `${plain(component)}, ${kind}:${problem === null ? "" : ` not had (${problem.problem})`}`,
      "",
      ...(rows.length === 0 ? [] : [verbatim(columns.join(" | "))]),
      ...rows.slice(0, tableRows).map((row) => verbatim(row.map((cell) => cell ?? "–").join(" | "))),
      "",
    ]),
    ...logs
      .filter(({ lines }) => lines.length > 0)
      .flatMap(({ container, lines }) => [
        `Last lines of ${plain(container)}:`,
        "",
        ...lines.slice(-lastLines).map(({ text }) => verbatim(text)),
        "",
      ]),
  ];
}

/** In English: it is kept with code and tickets. */
export function postMortem(incident: IncidentDetail): string {
  const lines = [
    `# Incident ${incident.id}: ${plain(incident.title)}`,
    "",
    `- Severity: ${incident.severity}`,
    `- Began: ${utc(incident.openedAt)}`,
    incident.closedAt === null
      ? "- Ended: not yet"
      : `- Ended: ${utc(incident.closedAt)} (after ${lasted(incident.openedAt, incident.closedAt)})`,
    ...(incident.acknowledgedBy === null ? [] : [`- Acknowledged by: ${plain(incident.acknowledgedBy)}`]),
    ...(incident.assignee === null ? [] : [`- Assigned to: ${plain(incident.assignee)}`]),
    ...incident.tickets.map(({ key, url }) => `- Ticket: ${plain(key)} <${url}>`),
    ...(incident.cause === null ? [] : [`- Deepest failing component: ${plain(incident.cause)}`]),
    "",
    "## What failed",
    "",
    ...(incident.components.length === 0 ? ["Nothing that Sluice watches."] : []),
    ...incident.components.map(
      ({ component, since, until }) =>
        `- ${plain(component)}: from ${utc(since)} ${until === null ? "on" : `to ${utc(until)}`}`,
    ),
    "",
    "## Timeline",
    "",
    ...incident.entries.map(({ at, type, actor, text, data }) => {
      const about = [
        ...(type === "alert" ? [data.name, data.state] : [data.component]),
        data.assignee,
        data.channel,
        data.ticket,
      ]
        .filter((one) => one !== undefined)
        .map(String);
      return `- ${utc(at)} ${type}${about.length > 0 ? ` ${plain(about.join(" "))}` : ""}${actor === null ? "" : `, by ${plain(actor)}`}${text === null ? "" : `: ${plain(text)}`}`;
    }),
    "",
    ...(incident.deaths.length === 0
      ? []
      : [
          "## Containers that died",
          "",
          ...incident.deaths.map(
            ({ at, name, exitCode, oom, requested }) =>
              `- ${utc(at)} ${plain(name)}: code ${exitCode}${oom ? ", for its memory" : ""}${requested ? ", stopped by somebody" : ""}`,
          ),
          "",
        ]),
    "## Changes before it",
    "",
    ...(incident.suspects.length === 0 ? ["None in the hour before."] : []),
    ...incident.suspects.map(
      ({ change, minutesBefore }) =>
        `- ${Math.round(minutesBefore)} min before: ${plain(change.kind)} ${plain(change.title)}, by ${plain(change.actor.name)} (change ${change.id}, ${change.state})`,
    ),
    "",
    "## Why it happened",
    "",
    "",
    "## What we do about it",
    "",
    "",
    // Last, since trackers cut what is long.
    ...(incident.evidence.length === 0 ? [] : ["## What was seen", "", ...incident.evidence.flatMap(seen)]),
  ];
  return lines.join("\n");
}
