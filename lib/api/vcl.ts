// VCL: what nodes run, drafts, revisions and roll-outs, over RPC and REST.
import { engine } from "../changes/engine";
import type { Actor } from "../changes/kind";
import { checkDraft } from "../vcl/compile";
import { type RolloutPlan, rolloutPlan } from "../vcl/contract";
import { factsOf } from "../vcl/facts/service";
import { rolloutKindName } from "../vcl/kind";
import { revisionOf, revisionsOf } from "../vcl/revisions";
import { clustersNow, runningOf, save, testDraft } from "../vcl/service";
import { templates } from "../vcl/templates";
import { type TryPlan, tryPlan } from "../vcl/try/contract";
import { tryEndKindName, tryKindName } from "../vcl/try-kind";
import { trialFor } from "../vcl/try-store";
import { os } from "./base";

/** Starts a change and gives its row as it is at that moment. */
async function started(
  kind: string,
  input: unknown,
  { actor, requestId }: { readonly actor: Actor; readonly requestId: string },
  reason?: string,
) {
  const origin = actor.type === "apikey" ? "api" : "page";
  const id = await engine().start({
    ...{ kind, input, actor, origin, requestId },
    ...(reason === undefined ? {} : { reason }),
  });
  return engine().wait(id, 0);
}

export const vcl = {
  clusters: os.vcl.clusters.handler(() => clustersNow()),
  running: os.vcl.running.handler(({ input, signal }) => runningOf(input.node, signal)),
  node: os.vcl.node.handler(({ input }) => factsOf(input.node)),
  templates: os.vcl.templates.handler(() => [...templates]),
  check: os.vcl.check.handler(({ input, signal }) => checkDraft(input.cluster, input.files, signal)),
  tests: os.vcl.tests.handler(({ input, signal }) => testDraft(input.files, input.tests, signal)),
  revisions: os.vcl.revisions.handler(({ input }) => revisionsOf(input.cluster)),
  revision: os.vcl.revision.handler(({ input }) => revisionOf(input.cluster, input.number)),
  save: os.vcl.save.handler(({ input, context }) => save(input, context.actor)),

  planRollout: os.vcl.planRollout.handler(
    async ({ input, context, signal }): Promise<RolloutPlan> =>
      rolloutPlan.parse((await engine().plan(rolloutKindName, input, context.actor, signal)).plan),
  ),
  rollout: os.vcl.rollout.handler(({ input: { reason, ...input }, context }) =>
    started(rolloutKindName, input, context, reason),
  ),

  trial: os.vcl.trial.handler(({ input, context }) => trialFor(input.cluster, context.actor)),
  planTry: os.vcl.planTry.handler(
    async ({ input, context, signal }): Promise<TryPlan> =>
      tryPlan.parse((await engine().plan(tryKindName, input, context.actor, signal)).plan),
  ),
  try: os.vcl.try.handler(({ input: { reason, ...input }, context }) =>
    started(tryKindName, input, context, reason),
  ),
  endTry: os.vcl.endTry.handler(({ input, context }) => started(tryEndKindName, input, context)),
};
