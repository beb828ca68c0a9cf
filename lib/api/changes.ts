// History and what can be done with a change, over RPC and REST.
import { engine } from "../changes/engine";
import { changeDetail, listChanges } from "../changes/queries";
import { os, requireVisible } from "./base";

export const changes = {
  list: os.changes.list.handler(({ input, context }) => {
    const { cursor, limit, ...filter } = input;
    return listChanges(filter, cursor ?? null, limit, context.actor.sites);
  }),

  get: os.changes.get.handler(async ({ input, context }) => {
    const change = await changeDetail(input.id, context.actor);
    requireVisible(context.actor, change);
    return change;
  }),

  cancel: os.changes.cancel.handler(async ({ input, context }) => {
    requireVisible(context.actor, await changeDetail(input.id));
    await engine().cancel(input.id, context.actor);
    return engine().wait(input.id, 0);
  }),

  undo: os.changes.undo.handler(async ({ input, context }) => {
    requireVisible(context.actor, await changeDetail(input.id));
    return engine().wait(await engine().undo(input.id, context.actor), 0);
  }),
};
