// Services, their logs and acts, over RPC and REST.

import { hasRole } from "../auth/permissions";
import { engine } from "../changes/engine";
import type { Actor } from "../changes/kind";
import { type ActPlan, actPlan } from "../services/acts/contract";
import { skewOf } from "../services/clock";
import { deathName, deathsOf, goneOf } from "../services/deaths";
import { type DeployPlan, deployPlan } from "../services/deploy/contract";
import { deployChoices } from "../services/deploy/plan";
import { checkNow, imagesInUse, imageTags } from "../services/images";
import { watchLogs } from "../services/logs/logs";
import { longerUsage } from "../services/longer";
import { services as collector, serviceDetail, usageHistory } from "../services/service";
import { os } from "./base";
import { whileAllowed } from "./listener";

const originOf = (actor: Actor) => (actor.type === "apikey" ? "api" : "page");

export const services = {
  list: os.services.list.handler(() => collector().snapshot()),

  watch: os.services.watch.handler(({ context, signal }) =>
    Promise.resolve(whileAllowed(context, signal, (ended) => collector().watch(ended))),
  ),

  get: os.services.get.handler(({ input, context }) =>
    serviceDetail(input, hasRole(context.actor, "operator")),
  ),

  usage: os.services.usage.handler(({ input }) => usageHistory(input)),

  longerUsage: os.services.longerUsage.handler(({ input: { range, ...ref }, signal }) =>
    longerUsage(ref, range, signal),
  ),

  deaths: os.services.deaths.handler(({ input }) => {
    const host = collector().host(input.host);
    return deathsOf(input.host, input.id, null, skewOf(host));
  }),

  gone: os.services.gone.handler(() => {
    const { rows } = collector().snapshot();
    const there = new Set(rows.map(({ host, name }) => `${host}/${deathName(name)}`));
    return goneOf((host, name) => there.has(`${host}/${name}`));
  }),

  logs: os.services.logs.handler(({ input, context, signal }) =>
    Promise.resolve(whileAllowed(context, signal, (ended) => watchLogs(input, ended))),
  ),

  planAct: os.services.planAct.handler(async ({ input, context, signal }): Promise<ActPlan> => {
    const { plan } = await engine().plan(`service.${input.act}`, input, context.actor, signal);
    return actPlan.parse(plan);
  }),

  choices: os.services.choices.handler(({ input, signal }) => deployChoices(input, signal)),

  planDeploy: os.services.planDeploy.handler(async ({ input, context, signal }): Promise<DeployPlan> => {
    const { plan } = await engine().plan("service.deploy", input, context.actor, signal);
    return deployPlan.parse(plan);
  }),

  deploy: os.services.deploy.handler(async ({ input, context }) => {
    const { reason, ...asked } = input;
    const id = await engine().start({
      kind: "service.deploy",
      input: asked,
      actor: context.actor,
      origin: originOf(context.actor),
      reason: reason ?? null,
      requestId: context.requestId,
    });
    return engine().wait(id, 0);
  }),

  images: os.services.images.handler(() => imagesInUse()),

  imageTags: os.services.imageTags.handler(({ input, signal }) => imageTags(input, signal)),

  checkImage: os.services.checkImage.handler(({ input }) => checkNow(input.host, input.image)),

  act: os.services.act.handler(async ({ input, context }) => {
    const { confirmation, reason, ...asked } = input;
    const id = await engine().start({
      kind: `service.${asked.act}`,
      input: asked,
      actor: context.actor,
      origin: originOf(context.actor),
      confirmation: confirmation ?? null,
      reason: reason ?? null,
      requestId: context.requestId,
    });
    return engine().wait(id, 0);
  }),
};
