// Repositories of backups, what is in them, and the acts on them, over RPC and REST.
import { type InitPlan, initPlan, type UnlockPlan, unlockPlan } from "../backup/contract";
import { initKindName, unlockKindName } from "../backup/kind";
import { differenceOf, folderOf, historyOf, listOf, repositoriesNow, search } from "../backup/service";
import { engine } from "../changes/engine";
import type { Actor } from "../changes/kind";
import { os } from "./base";

/** Starts a change and gives its row as it is at that moment. */
async function started(
  kind: string,
  { reason, confirmation, ...input }: { reason?: string | undefined; confirmation?: string | undefined },
  { actor, requestId }: { readonly actor: Actor; readonly requestId: string },
) {
  const origin = actor.type === "apikey" ? "api" : "page";
  const id = await engine().start({
    ...{ kind, input, actor, origin, requestId },
    confirmation: confirmation ?? null,
    reason: reason ?? null,
  });
  return engine().wait(id, 0);
}

export const backup = {
  repositories: os.backup.repositories.handler(() => repositoriesNow()),
  snapshots: os.backup.snapshots.handler(({ input }) => listOf(input)),
  folder: os.backup.folder.handler(({ input, signal }) => folderOf(input, signal)),
  search: os.backup.search.handler(({ input }) => search(input)),
  history: os.backup.history.handler(({ input }) => historyOf(input.repository, input.path)),
  difference: os.backup.difference.handler(({ input, signal }) => differenceOf(input, signal)),

  planUnlock: os.backup.planUnlock.handler(
    async ({ input, context, signal }): Promise<UnlockPlan> =>
      unlockPlan.parse((await engine().plan(unlockKindName, input, context.actor, signal)).plan),
  ),
  unlock: os.backup.unlock.handler(({ input, context }) => started(unlockKindName, input, context)),

  planInit: os.backup.planInit.handler(
    async ({ input, context, signal }): Promise<InitPlan> =>
      initPlan.parse((await engine().plan(initKindName, input, context.actor, signal)).plan),
  ),
  init: os.backup.init.handler(({ input, context }) => started(initKindName, input, context)),
};
