// Counts the changes that end. History cannot tell later: old ones are taken away, and a counter must not fall.
import * as z from "zod";
import { engine } from "../changes/engine";
import { instruments } from "./instruments";

const purgeEvidence = z.object({ freshAfterMs: z.number() });

/** Listens to the engine from now on; before changes of an earlier process are taken up, so that their end counts too. */
export function countChanges(): void {
  engine().onEnd(({ kind, state, outcome, startedAt, finishedAt }, evidence) => {
    const { changes, changeSeconds, freshSeconds } = instruments();
    changes.inc({ kind, state, outcome: outcome ?? "" });
    if (state === "interrupted" || startedAt === null || finishedAt === null) return;
    changeSeconds.observe({ kind }, (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000);
    const proof = purgeEvidence.safeParse(evidence);
    if (proof.success) freshSeconds.observe(proof.data.freshAfterMs / 1000);
  });
}
