// Ends trials by itself: when their time is over, when a node serves something else by now, and what was left of an earlier run.
import { engine } from "../changes/engine";
import { sluiceActor } from "../changes/sluice-actor";
import { toAppError } from "../errors/app-error";
import { log } from "../runtime/log";
import { singleton } from "../runtime/singleton";
import { hasCli, nodesOf } from "./nodes";
import { activeName } from "./running";
import type { TryEndInput } from "./try/contract";
import { tryEndKindName } from "./try-kind";
import { dueStranded, openTrials, type StoredTrial } from "./try-store";
import { namesOf } from "./try-text";

const everyMs = 5000;
/** An end that failed is tried again after so long: each is a row in history. */
const againMs = 60_000;
/** A compile or a roll-out that it waits for may take minutes. */
const longestMs = 15 * 60_000;

/** When an end of each trial was tried last; null while it runs. */
const tried = () => singleton("vcl.try.ends", () => new Map<number, number | null>());

/** Why a trial is to end now, or null. Nodes that do not answer say nothing: they are asked again. */
async function reasonToEnd(trial: StoredTrial): Promise<TryEndInput["why"] | null> {
  const { top } = namesOf(trial.changeId);
  const active = await Promise.all(
    nodesOf(trial.cluster)
      .filter(hasCli)
      .map((node) => activeName(node).catch(() => null)),
  );
  const over = trial.endsAt.getTime() <= Date.now();
  // Where it is closed on all that answer, the others cannot be told; they are when they are back.
  const useful = active.includes(top) || !active.includes(null);
  if (!useful) return null;
  if (over) return "time";
  return active.some((name) => name !== null && name !== top) ? "replaced" : null;
}

/** Looks at one trial and ends it where that is due. Never throws. */
async function lookAt(trial: StoredTrial): Promise<void> {
  const ends = tried();
  const last = ends.get(trial.changeId);
  if (last === null || (last !== undefined && Date.now() - last < againMs)) return;
  ends.set(trial.changeId, null);
  let attempted = false;
  try {
    const why = await reasonToEnd(trial);
    if (why === null) return;
    attempted = true;
    const input: TryEndInput = { cluster: trial.cluster, change: trial.changeId, why };
    const id = await engine().start({ kind: tryEndKindName, input, actor: sluiceActor, origin: "schedule" });
    await engine().wait(id, longestMs);
  } catch (error) {
    attempted = true;
    const { code, message } = toAppError(error);
    log.warn({ code, change: trial.changeId }, `a trial could not be ended yet: ${message}`);
  } finally {
    if (attempted) ends.set(trial.changeId, Date.now());
    else ends.delete(trial.changeId);
  }
}

/** Looks at every open trial once. Never throws. */
export async function endDueTrials(): Promise<void> {
  try {
    await dueStranded();
    await Promise.all((await openTrials()).map(lookAt));
  } catch (error) {
    log.error({ err: error }, "trials could not be looked at");
  }
}

/** For lib/runtime/services.ts. */
export const vclTrialsService = {
  name: "vcl trials",
  async start(): Promise<() => Promise<void>> {
    void endDueTrials();
    const timer = setInterval(() => void endDueTrials(), everyMs).unref();
    return async () => clearInterval(timer);
  },
};
