// Purges, over RPC and REST.

import { requireSite } from "../auth/permissions";
import { engine } from "../changes/engine";
import {
  outboxState,
  planPurge,
  purgeChange,
  purgeObjects,
  runDoctor,
  sitesFor,
  startPurge,
} from "../purge/service";
import { os, requireVisible } from "./base";

const active = new Set(["planned", "running", "verifying"]);

export const purges = {
  plan: os.purges.plan.handler(({ input, context, signal }) => planPurge(input, context.actor, signal)),

  create: os.purges.create.handler(async ({ input, context }) => {
    const { wait_ms, ...request } = input;
    const origin = context.actor.type === "apikey" ? "api" : (request.origin ?? "page");
    const id = await startPurge(request, context.actor, origin, context.requestId);
    await engine().wait(id, wait_ms);
    const body = await purgeChange(id);
    const answer = { headers: { location: `/api/v1/purges/${id}` }, body };
    return active.has(body.state) ? { status: 202, ...answer } : { status: 200, ...answer };
  }),

  get: os.purges.get.handler(async ({ input, context }) => {
    const change = await purgeChange(input.id);
    requireVisible(context.actor, change);
    return change;
  }),

  objects: os.purges.objects.handler(async ({ input, context }) => {
    requireVisible(context.actor, await purgeChange(input.id));
    return purgeObjects(input.id, input.after, input.limit);
  }),

  sites: os.purges.sites.handler(({ context }) => sitesFor(context.actor)),

  outbox: os.purges.outbox.handler(() => outboxState()),

  doctor: os.purges.doctor.handler(({ input, context }) => {
    if (input.site !== undefined) requireSite(context.actor, input.site);
    return runDoctor(input.kind, input.name, input.site, context.actor);
  }),
};
