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
const keptText = 500;
const readText = 2000;

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
  return (
    all
      .slice(-keptLines)
      // Cut before it is masked, too: whoever writes into a log may write much.
      .map((line) => ({ ...line, text: maskedText(line.text.slice(0, readText)).slice(0, keptText) }))
  );
}

/** What an incident is about: its cause, what fails, what those need, and what needs the cause: that is busy with waiting for it. */
function concernedBy({ cause, components }: IncidentRow): string[] {
  const named = [...(cause === null ? [] : [cause]), ...components.map(({ component }) => component)];
  const related = health()
    .all()
    .map(({ key }) => key)
    // What is farther in tells more of why.
    .reverse()
    .filter(
      (key) =>
        named.some((one) => health().isBelow(one, key)) || (cause !== null && health().isBelow(key, cause)),
    );
  return [...new Set([...named, ...related])];
}

/** Looks at everything an incident is about, now. Never throws; of what does not answer it says so, and what it told last. */
export async function gatherEvidence(incident: IncidentRow): Promise<IncidentEvidence> {
  const at = new Date().toISOString();
  const keys = concernedBy(incident);
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

/** An incident that breaks again and again keeps the first two and the last ones. */
const keptEvidence = 5;

/** Keeps what was seen with what was seen before. Throws where the database does. */
async function keep(incident: IncidentRow, seen: IncidentEvidence): Promise<void> {
  // One that was opened by hand is about nothing that could be looked at.
  if (seen.components.length === 0) return;
  const stored = await db().incident.findUniqueOrThrow({
    where: { id: incident.id },
    select: { evidence: true },
  });
  const all = [...readEvidence(stored.evidence), seen];
  const evidence = JSON.stringify([...all.slice(0, 2), ...all.slice(2).slice(2 - keptEvidence)]);
  await db().incident.update({ where: { id: incident.id }, data: { evidence } });
}

/** Children fail some seconds after what they fail for: by then there is more to see. */
const againMs = 20_000;

/** Takes evidence of incidents. Never throws. */
export class EvidenceKeeper {
  readonly #later = new Set<NodeJS.Timeout>();
  /** Written one after the other: each is added to what is there. */
  #writing: Promise<void> = Promise.resolve();

  /** Looks now, and once more a while later. `current`: the incident as it is then, null when it is over. */
  take(incident: IncidentRow, current: (id: number) => Promise<IncidentRow | null>): void {
    this.#look(incident);
    const timer = setTimeout(() => {
      this.#later.delete(timer);
      current(incident.id).then(
        (row) => {
          if (row !== null) this.#look(row);
        },
        (error: unknown) => log.warn({ err: error }, "an incident could not be looked at again"),
      );
    }, againMs).unref();
    this.#later.add(timer);
  }

  /** Resolves when what was seen is kept; nothing is looked at any more. */
  stop(): Promise<void> {
    for (const timer of this.#later) clearTimeout(timer);
    this.#later.clear();
    return this.#writing;
  }

  #look(incident: IncidentRow): void {
    const seen = gatherEvidence(incident);
    this.#writing = this.#writing
      .then(async () => keep(incident, await seen))
      .catch((error: unknown) => log.warn({ err: error }, "evidence of an incident could not be kept"));
  }
}
