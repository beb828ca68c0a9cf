// What there was to see at the onset: the figures of what fails and of what it hangs on, what those were busy with, and the last lines
// of their containers.
import * as z from "zod";
import { config } from "../config/load";
import { snapshotsOf } from "../connections/snapshots";
import { db } from "../db/client";
import { maskedText } from "../errors/mask";
import { health } from "../health/service";
import { log } from "../runtime/log";
import { services } from "../services/service";
import { type LogLine, readLog } from "../systems/docker/logs";
import { type Part, partsOf } from "./containers";
import { type IncidentEvidence, type IncidentRow, incidentEvidence } from "./contract";

const keptLines = 50;
const maxContainers = 5;
const readMs = 4000;

async function lastLines({ host, container }: Part): Promise<LogLine[]> {
  const options = { tty: container.inspected.Config.Tty === true, follow: false, tail: keptLines };
  const all: LogLine[] = [];
  const limit = AbortSignal.timeout(readMs);
  try {
    for await (const lines of readLog(host.engine, container.id, options, limit)) all.push(...lines);
  } catch (error) {
    // What was read until then is more than nothing.
    log.debug({ err: error, container: container.name }, "a log could not be read for an incident");
  }
  return all.slice(-keptLines).map((line) => ({ ...line, text: maskedText(line.text) }));
}

/** Looks at everything an incident is about, now. Never throws; of what does not answer it says so, and what it told last. */
export async function gatherEvidence(incident: IncidentRow): Promise<IncidentEvidence> {
  const at = new Date().toISOString();
  const named = incident.components.map(({ component }) => component);
  const below = named.flatMap((key) => health().get(key)?.dependsOn ?? []);
  const keys = [...new Set([...(incident.cause === null ? [] : [incident.cause]), ...named, ...below])];
  const components = keys.flatMap((key) => {
    const one = health().get(key);
    if (one === null) return [];
    const told = health().lastAnswer(key);
    return [
      {
        component: key,
        state: one.state,
        facts: told?.facts ?? {},
        factsAt: told === null ? null : new Date(told.at).toISOString(),
      },
    ];
  });
  const parts = keys.flatMap((key) => partsOf(key, config(), services().hosts()));
  const containers = [...new Map(parts.map((one) => [one.container.id, one])).values()].slice(
    0,
    maxContainers,
  );
  const [snapshots, logs] = await Promise.all([
    snapshotsOf(keys, config()),
    Promise.all(
      containers.map(async (one) => ({ container: one.container.name, lines: await lastLines(one) })),
    ),
  ]);
  return { at, components, snapshots, logs };
}

const kept = z.union([z.array(incidentEvidence), incidentEvidence.transform((one) => [one])]).catch([]);

/** As the database has it. */
export const readEvidence = (stored: string | null): IncidentEvidence[] =>
  stored === null ? [] : kept.parse(JSON.parse(stored));

/** An incident that breaks again and again keeps the first one and the last ones. */
const keptEvidence = 4;

/** Looks now, and keeps what is seen with what was seen before. Throws where the database does. */
export async function keepEvidence(incident: IncidentRow): Promise<void> {
  const seen = await gatherEvidence(incident);
  // One that was opened by hand is about nothing that could be looked at.
  if (seen.components.length === 0) return;
  const stored = await db().incident.findUniqueOrThrow({
    where: { id: incident.id },
    select: { evidence: true },
  });
  const [first = seen, ...later] = [...readEvidence(stored.evidence), seen];
  await db().incident.update({
    where: { id: incident.id },
    data: { evidence: JSON.stringify([first, ...later.slice(1 - keptEvidence)]) },
  });
}
