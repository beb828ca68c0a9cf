// A Swarm and the acts on it, over RPC and REST.
import { engine } from "../changes/engine";
import { type SwarmPlan, swarmPlan } from "../services/swarm/contract";
import { swarmChoicesOf } from "../services/swarm/specs";
import { readSwarm } from "../services/swarm/state";
import { os } from "./base";

export const swarm = {
  get: os.swarm.get.handler(({ input }) => readSwarm(input.host)),

  plan: os.swarm.plan.handler(async ({ input, context, signal }): Promise<SwarmPlan> => {
    const { plan } = await engine().plan(`swarm.${input.act}`, input, context.actor, signal);
    return swarmPlan.parse(plan);
  }),

  choices: os.swarm.choices.handler(({ input, signal }) => swarmChoicesOf(input.host, input.name, signal)),

  act: os.swarm.act.handler(async ({ input, context }) => {
    const id = await engine().start({
      kind: `swarm.${input.act}`,
      input,
      actor: context.actor,
      origin: context.actor.type === "apikey" ? "api" : "page",
      requestId: context.requestId,
    });
    return engine().wait(id, 0);
  }),
};
