// Maintenance pages that end by themselves: the end stands in the files, and Sluice takes the page away then.

import { engine } from "../../changes/engine";
import { sluiceActor } from "../../changes/sluice-actor";
import { db } from "../../db/client";
import { AppError, toAppError } from "../../errors/app-error";
import { log } from "../../runtime/log";
import { singleton } from "../../runtime/singleton";
import { modelOf } from "../analysis/model";
import { applyAct } from "../edit/act";
import { act } from "../edit/contract";
import { endsIn, maintenancesIn } from "../edit/maintenance-ends";
import type { ApplyInput, ConfigFile } from "./contract";
import { heldBy } from "./holder";
import { hashOf } from "./marker";
import { keepMade, revisionWith } from "./revisions";
import { applyKindName, traefikCalled } from "./servers";

const everyMs = 60_000;
/** One that fails waits twice as long before each time that it is tried again, and so long at most. */
const longestMs = 3_600_000;
/** A change that takes longer is looked for again at the next minute. */
const patienceMs = 5 * 60_000;

/** Whether files switch a maintenance page on that is not there yet: its words alone, or above a router of before, are none. */
export function switchedOn(before: readonly ConfigFile[], now: readonly ConfigFile[]): boolean {
  const marked = now.flatMap(({ text }) => maintenancesIn(text)).map(({ name }) => name);
  if (marked.length === 0) return false;
  const [old, model] = [modelOf(before), modelOf(now)];
  return marked
    .map((name) => `http.routers.${name}`)
    .some((router) => model.elements.has(router) && !old.elements.has(router));
}

/** Writes down the ends that files in force have, and forgets all others. */
export async function keepEnds(traefik: string, files: readonly ConfigFile[], by: string): Promise<void> {
  const ends = new Map(endsIn(files).map((one) => [one.name, one.until]));
  await db().$transaction(async (step) => {
    await step.routingMaintenance.deleteMany({ where: { traefik, name: { notIn: [...ends.keys()] } } });
    for (const [name, until] of ends) {
      const key = { traefik_name: { traefik, name } };
      const known = await step.routingMaintenance.findUnique({ where: key });
      if (known?.until.getTime() === until.getTime()) continue;
      await step.routingMaintenance.upsert({
        where: key,
        create: { traefik, name, until, by },
        update: { until, by },
      });
    }
  });
}

/** Puts the files in force that are there now without a maintenance page. Throws AppError. */
async function end(traefik: string, name: string, by: string): Promise<void> {
  const { files } = await heldBy(traefikCalled(traefik));
  // Somebody took it away by hand.
  if (!endsIn(files).some((one) => one.name === name)) {
    await keepEnds(traefik, files, by);
    return;
  }
  const without = await applyAct(files, act.parse({ act: "maintenance", on: false, name, entryPoints: [] }));
  const hash = hashOf(files);
  const revision = await keepMade(traefik, without, {
    parent: await revisionWith(traefik, hash),
    author: sluiceActor.name,
    reason: name,
  });
  const input = {
    traefik,
    revision,
    probes: [],
    watchS: 0,
    expected: hash,
    accepted: [],
    // Nothing but the page is taken away.
    acceptAll: true,
  } satisfies ApplyInput;
  const id = await engine().start({
    kind: applyKindName,
    input,
    actor: sluiceActor,
    origin: "schedule",
    reason: name,
  });
  const row = await engine().wait(id, patienceMs);
  if (row.state !== "done")
    throw new AppError(
      "CONFLICT",
      `Change ${id} is ${row.state}: ${row.error?.message ?? row.outcome ?? ""}`,
    );
}

/** Maintenances that could not be ended, by Traefik, name and end: how often, and when each is tried again. */
const failures = () =>
  singleton("routing.maintenance.failures", () => new Map<string, { times: number; again: number }>());

/** Ends what is due. One that fails is tried again later. Never throws. */
export async function endDue(now = new Date()): Promise<void> {
  const due = await db()
    .routingMaintenance.findMany({ where: { until: { lte: now } } })
    .catch(() => []);
  for (const { traefik, name, by, until } of due) {
    const key = JSON.stringify([traefik, name, until]);
    const failure = failures().get(key);
    if (failure !== undefined && now.getTime() < failure.again) continue;
    try {
      await end(traefik, name, by);
      failures().delete(key);
      log.info({ traefik, maintenance: name }, "a maintenance page has ended");
    } catch (error) {
      const times = (failure?.times ?? 0) + 1;
      failures().set(key, { times, again: now.getTime() + Math.min(longestMs, everyMs * 2 ** times) });
      log.error(
        { traefik, maintenance: name, says: toAppError(error).message },
        "a maintenance page could not be ended",
      );
    }
  }
}

/** For lib/runtime/services.ts. */
export const routingMaintenanceService = {
  name: "maintenance pages",
  async start(): Promise<() => Promise<void>> {
    let stopped = false;
    let timer: NodeJS.Timeout | undefined;
    const beat = async (): Promise<void> => {
      await endDue();
      if (!stopped) timer = setTimeout(() => void beat(), everyMs).unref();
    };
    void beat();
    return async () => {
      stopped = true;
      clearTimeout(timer);
    };
  },
};
