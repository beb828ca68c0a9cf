// What there was to see at the onset: the figures of what fails and of what it hangs on, and the last lines of its containers.

import { config } from "../config/load";
import { maskedText } from "../errors/mask";
import { health } from "../health/service";
import { log } from "../runtime/log";
import { services } from "../services/service";
import { type LogLine, readLog } from "../systems/docker/logs";
import { type Part, partsOf } from "./containers";
import type { IncidentEvidence, IncidentRow } from "./contract";

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

/** Looks at everything an incident is about. Never throws; what does not answer is left out. */
export async function gatherEvidence(incident: IncidentRow): Promise<IncidentEvidence> {
  const named = incident.components.map(({ component }) => component);
  const below = named.flatMap((key) => health().get(key)?.dependsOn ?? []);
  const keys = [...new Set([...(incident.cause === null ? [] : [incident.cause]), ...named, ...below])];
  const components = keys
    .map((key) => health().get(key))
    .filter((one) => one !== null)
    .map(({ key, state, facts }) => ({ component: key, state, facts }));
  const parts = keys.flatMap((key) => partsOf(key, config(), services().hosts()));
  const containers = [...new Map(parts.map((one) => [one.container.id, one])).values()].slice(
    0,
    maxContainers,
  );
  const logs = await Promise.all(
    containers.map(async (one) => ({ container: one.container.name, lines: await lastLines(one) })),
  );
  return { at: new Date().toISOString(), components, logs };
}
